//! What a dashboard with an address of its own remembers from one life to the next: its name, and the browsers that came in.
//! Of these only hashes are kept.

use crate::random::random;
use anyhow::{Context as _, Result};
use everkey_client::Secret;
use everkey_config::paths::Places;
use everkey_guard::{file, folder};
use serde::{Deserialize, Serialize};
use std::io::Write as _;
use std::path::{Path, PathBuf};
use std::time::{Duration, SystemTime, UNIX_EPOCH};

/// How long a browser that came in is known.
pub const BROWSER_LIFE: Duration = Duration::from_secs(30 * 24 * 3600);

/// A browser that came in.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct KnownBrowser {
    /// The hash of what it was given, in hexadecimal.
    pub pass: String,
    /// Unix seconds.
    pub since: u64,
}

impl KnownBrowser {
    /// Whether it is no longer known.
    pub fn has_lapsed(&self, now: u64) -> bool {
        now.saturating_sub(self.since) >= BROWSER_LIFE.as_secs()
    }
}

/// The file's content.
#[derive(Debug, Clone, Serialize, Deserialize)]
pub struct Remembered {
    /// What stands before `.localhost`.
    pub name: String,
    /// By which pages of an earlier life know the answers of this one.
    pub proof_key: Secret,
    /// Those that came in, the oldest first.
    #[serde(default)]
    pub browsers: Vec<KnownBrowser>,
}

/// Where it is kept.
#[derive(Debug, Clone)]
pub struct Memory(PathBuf);

impl Memory {
    /// The memory of this user's dashboard, with a name made up at the first time.
    ///
    /// # Errors
    /// Where there is no place for it, or it belongs to somebody else.
    pub fn open(places: &Places) -> Result<(Self, Remembered)> {
        folder::make_private(&places.state).with_context(|| places.state.display().to_string())?;
        let memory = Self(places.state.join("dashboard.json"));
        let text = file::read(&memory.0).with_context(|| memory.0.display().to_string())?;
        let known = text.and_then(|text| serde_json::from_str::<Remembered>(&text).ok());
        if let Some(known) = known.filter(|known| is_name(&known.name)) {
            return Ok((memory, known));
        }
        let name = random::<16>().context("no random numbers")?.expose().to_owned();
        let proof_key = random::<32>().context("no random numbers")?;
        let new = Remembered { name, proof_key, browsers: Vec::new() };
        memory.keep(&new)?;
        Ok((memory, new))
    }

    /// Complete or not at all, for nobody else to read.
    ///
    /// # Errors
    /// What the disk says.
    pub fn keep(&self, remembered: &Remembered) -> Result<()> {
        let folder = self.0.parent().unwrap_or(Path::new("/"));
        let mut file = tempfile::Builder::new().prefix(".dashboard-").tempfile_in(folder)?;
        file.write_all(&serde_json::to_vec(remembered)?)?;
        file.as_file().sync_all()?;
        file.persist(&self.0)?;
        Ok(())
    }
}

fn is_name(name: &str) -> bool {
    name.len() == 32 && name.bytes().all(|byte| byte.is_ascii_hexdigit())
}

/// Unix seconds.
pub fn now() -> u64 {
    SystemTime::now().duration_since(UNIX_EPOCH).unwrap_or_default().as_secs()
}

#[cfg(test)]
mod tests {
    use super::*;
    use std::os::unix::fs::PermissionsExt as _;

    fn places(dir: &Path) -> Places {
        let (home, state) = (dir.to_owned(), dir.join("state"));
        let (config, runtime, socket) = (dir.join("c"), dir.join("r"), dir.join("s"));
        Places { home, config, state, runtime, socket, socket_named: false }
    }

    #[test]
    fn the_name_stays_and_is_nobody_elses() {
        let dir = tempfile::tempdir().unwrap();
        let (memory, mut first) = Memory::open(&places(dir.path())).unwrap();
        assert!(is_name(&first.name));
        first.browsers.push(KnownBrowser { pass: "ab".to_owned(), since: 7 });
        memory.keep(&first).unwrap();
        let (_, again) = Memory::open(&places(dir.path())).unwrap();
        assert_eq!((&again.name, &again.browsers), (&first.name, &first.browsers));
        let file = dir.path().join("state/dashboard.json");
        assert_eq!(std::fs::metadata(&file).unwrap().permissions().mode() & 0o777, 0o600);
        // What nobody could use is made anew.
        for text in ["", "{}", r#"{"name":"a.example.com"}"#] {
            std::fs::write(&file, text).unwrap();
            assert!(is_name(&Memory::open(&places(dir.path())).unwrap().1.name), "{text}");
        }
    }

    #[test]
    fn a_browser_is_known_for_thirty_days() {
        let browser = KnownBrowser { pass: String::new(), since: 1000 };
        assert!(!browser.has_lapsed(1000 + BROWSER_LIFE.as_secs() - 1));
        assert!(browser.has_lapsed(1000 + BROWSER_LIFE.as_secs()) && !browser.has_lapsed(0));
    }
}
