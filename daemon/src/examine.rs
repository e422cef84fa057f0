//! How this program is, and how far it gets to each profile's server: for `everkey doctor`. Nothing is written for it.

use crate::configuration::{Configuration, KnownServer};
use crate::http::{in_force, reach};
use everkey_proto::reply::{Examination, ExaminedProfile};
use std::fs::Metadata;
use std::os::unix::fs::MetadataExt;
use std::path::PathBuf;
use std::time::Instant;
use tokio::task::{JoinSet, spawn_blocking};

/// A profile that the agent looks after.
pub struct OpenProfile {
    /// Where its requests go.
    pub at: KnownServer,
    /// Unix seconds.
    pub last_refresh_at: Option<u64>,
}

/// Examines everything at once; `open` are the profiles that are looked after.
pub async fn examine(configuration: Configuration, open: Vec<OpenProfile>) -> Examination {
    let is_service = configuration.environment.is_service;
    let known = spawn_blocking(move || configuration.servers()).await.unwrap_or_default();
    let is_open = |known: &KnownServer| {
        open.iter()
            .any(|one| (&one.at.profile, &one.at.session_file) == (&known.profile, &known.session_file))
    };
    let others: Vec<_> = known.into_iter().filter(|known| !is_open(known)).collect();
    let mut asked: JoinSet<_> = open
        .into_iter()
        .map(|one| examined(one.at, true, one.last_refresh_at))
        .chain(others.into_iter().map(|one| examined(one, false, None)))
        .collect();
    let mut profiles = Vec::new();
    while let Some(ended) = asked.join_next().await {
        profiles.extend(ended);
    }
    profiles.sort_by(|a, b| (&a.profile, &a.session_file).cmp(&(&b.profile, &b.session_file)));
    let (program, program_replaced) = program();
    let version = env!("CARGO_PKG_VERSION").to_owned();
    // Neither Landlock nor seccomp is in force yet.
    let sandbox = Vec::new();
    Examination { version, program, program_replaced, is_service, sandbox, profiles }
}

async fn examined(at: KnownServer, is_open: bool, last_refresh_at: Option<u64>) -> ExaminedProfile {
    let (proxy, certificates) = in_force(&at.network, &at.server);
    let begun = Instant::now();
    let reach = reach(&at.network, &at.server).await;
    ExaminedProfile {
        profile: at.profile,
        session_file: at.session_file.to_string_lossy().into_owned(),
        server: at.server,
        proxy,
        certificates,
        is_open,
        last_refresh_at,
        reach,
        millis: u32::try_from(begun.elapsed().as_millis()).unwrap_or(u32::MAX),
    }
}

/// The program's file, and whether what is there now is another one.
fn program() -> (Option<String>, bool) {
    const LINK: &str = "/proc/self/exe";
    let Ok(link) = std::fs::read_link(LINK) else { return (None, false) };
    let link = link.to_string_lossy().into_owned();
    let path = link.strip_suffix(" (deleted)").unwrap_or(&link).to_owned();
    let identity = |found: Metadata| (found.dev(), found.ino());
    let runs = std::fs::metadata(LINK).ok().map(identity);
    let there = std::fs::metadata(PathBuf::from(&path)).ok().map(identity);
    (Some(path), runs.is_some() && runs != there)
}

#[cfg(test)]
mod tests {
    use super::*;
    use everkey_proto::reply::{Reach, ReachStep};

    #[tokio::test]
    async fn what_nobody_set_up_is_not_asked() {
        let _ = crate::tls::install();
        let dir = tempfile::tempdir().unwrap();
        let toml = "[profiles.failproofai]\nprovider = \"failproofai\"\nserver = \"http://127.0.0.1:1\"\n\
                    [profiles.work]\nprovider = \"binboi\"\nserver = \"https://x.invalid\"\n";
        std::fs::write(dir.path().join("config.toml"), toml).unwrap();
        let found = examine(Configuration::in_folder(dir.path()), Vec::new()).await;
        let steps: Vec<_> = found
            .profiles
            .iter()
            .map(|one| match &one.reach {
                Reach::Stuck { step, .. } => (one.profile.as_str(), *step),
                Reach::Answered { .. } => panic!("{one:?}"),
            })
            .collect();
        assert_eq!(steps, [("failproofai", ReachStep::Connection), ("work", ReachStep::Name)]);
        assert!(!found.program_replaced && found.sandbox.is_empty());
        let there: Vec<_> = std::fs::read_dir(dir.path()).unwrap().flatten().collect();
        assert_eq!(there.len(), 1, "nothing was made: {there:?}");
    }
}
