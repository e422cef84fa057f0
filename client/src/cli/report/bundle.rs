//! The folder of a report: doctor's findings, versions and the end of the log, all without secrets, and a manifest.

use crate::cli::doctor::run::Diagnosis;
use crate::cli::doctor::{log, whole};
use crate::cli::terminal::dates;
use everkey_client::Failure;
use everkey_config::paths::Places;
use everkey_guard::{file, folder};
use everkey_proto::Code;
use serde::{Deserialize, Serialize};
use sha2::{Digest, Sha256};
use std::fs::{DirBuilder, File};
use std::io::{self, Read, Write};
use std::os::unix::fs::{DirBuilderExt, OpenOptionsExt};
use std::path::{Path, PathBuf};

/// How much of the log goes along, in bytes.
const LOG: u64 = 256 * 1024;

/// No file of a bundle is longer, in bytes; what is longer was not made here.
const LONGEST: u64 = 4 * 1024 * 1024;

const MANIFEST: &str = "manifest.json";

/// Where a bundle went.
const UPLOADED: &str = "uploaded.json";

const PREFIX: &str = "everkey-report-";

/// A folder with a report.
pub struct Bundle {
    pub folder: PathBuf,
    pub files: Vec<BundledFile>,
}

/// A file as a manifest describes it.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct BundledFile {
    pub name: String,
    /// In bytes.
    pub size: u64,
    /// 64 hexadecimal digits.
    pub sha256: String,
}

impl BundledFile {
    /// In a line.
    pub fn shown(&self) -> String {
        let size = match self.size {
            bytes @ 0..1024 => format!("{bytes} B"),
            bytes => format!("{} KiB", bytes.div_ceil(1024)),
        };
        format!("{:<12} {size:>8}  sha256 {}", self.name, self.sha256.get(..16).unwrap_or_default())
    }
}

#[derive(Serialize, Deserialize)]
struct Manifest {
    everkey: String,
    made_at: String,
    files: Vec<BundledFile>,
}

/// The report at a server that a bundle became.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct UploadedReport {
    pub profile: String,
    pub server: String,
    pub workspace: String,
    pub report: String,
}

/// Where bundles are made, if nothing else is said.
pub fn usual_parent(places: &Places) -> PathBuf {
    places.state.join("reports")
}

impl Bundle {
    /// Makes a bundle in `chosen`, or in a new folder where bundles usually are.
    pub fn make(diagnosis: &Diagnosis, places: &Places, chosen: Option<PathBuf>) -> Result<Self, Failure> {
        let at = match chosen {
            Some(folder) => folder,
            None => {
                let parent = usual_parent(places);
                folder::make_private(&parent).map_err(|why| unwritable(&parent, &why.into()))?;
                parent.join(format!("{PREFIX}{}", dates::rfc3339(dates::now()).replace(':', "")))
            }
        };
        DirBuilder::new().mode(0o700).create(&at).map_err(|e| unwritable(&at, &e))?;
        let json = serde_json::to_string_pretty(&diagnosis.json()).unwrap_or_default() + "\n";
        let log = log::tail(places, LOG).unwrap_or_default();
        let journal = if diagnosis.has_service() { log::journal() } else { None };
        let contents = [
            ("doctor.txt", whole(diagnosis).into_bytes()),
            ("doctor.json", json.into_bytes()),
            ("versions.txt", versions(diagnosis).into_bytes()),
            ("agent.log", log),
        ];
        let contents = contents.into_iter().chain(journal.map(|journal| ("journal.txt", journal)));
        let mut files = Vec::new();
        for (name, content) in contents {
            let content = everkey_redact::bytes(&content);
            write(&at.join(name), &content).map_err(|e| unwritable(&at.join(name), &e))?;
            files.push(described(name, &content));
        }
        let made_at = dates::rfc3339(dates::now());
        let manifest =
            Manifest { everkey: env!("CARGO_PKG_VERSION").to_owned(), made_at, files: files.clone() };
        let text = serde_json::to_string_pretty(&manifest).unwrap_or_default() + "\n";
        write(&at.join(MANIFEST), text.as_bytes()).map_err(|e| unwritable(&at.join(MANIFEST), &e))?;
        Ok(Self { folder: at, files })
    }

    /// The bundle in a folder, as it is now: what somebody has changed counts as they left it, what they removed is gone.
    pub fn open(at: &Path) -> Result<Self, Failure> {
        let manifest =
            read(&at.join(MANIFEST)).and_then(|text| Ok(serde_json::from_slice::<Manifest>(&text)?));
        let manifest = manifest.map_err(|e| no_bundle(at, &e))?;
        let mut files = Vec::new();
        for name in manifest.files.into_iter().map(|file| file.name) {
            // A manifest that somebody else wrote names nothing elsewhere.
            if name.is_empty() || name.starts_with('.') || name.contains('/') {
                return Err(no_bundle(at, &io::Error::other("its manifest names a file elsewhere")));
            }
            match read(&at.join(&name)) {
                Ok(content) => files.push(described(&name, &content)),
                Err(e) if e.kind() == io::ErrorKind::NotFound => {}
                Err(e) => return Err(no_bundle(&at.join(name), &e)),
            }
        }
        Ok(Self { folder: at.to_owned(), files })
    }

    /// The one that was made last where they usually are.
    pub fn newest(places: &Places) -> Result<Self, Failure> {
        let parent = usual_parent(places);
        let entries = std::fs::read_dir(&parent).into_iter().flatten().flatten();
        let is_bundle = |path: &PathBuf| path.join(MANIFEST).is_file();
        match entries.map(|entry| entry.path()).filter(is_bundle).max() {
            Some(at) => Self::open(&at),
            None => {
                let what = format!("There is no report in {}.", parent.display());
                Err(Failure::new(Code::Storage, what, "Run `everkey report`, read it, then come back."))
            }
        }
    }

    /// Notes where it went.
    pub fn note(&self, uploaded: &UploadedReport) -> Result<(), Failure> {
        let path = self.folder.join(UPLOADED);
        let text = serde_json::to_string_pretty(uploaded).unwrap_or_default() + "\n";
        // A second upload takes the first one's place.
        let written = std::fs::remove_file(&path).or_else(|e| match e.kind() {
            io::ErrorKind::NotFound => Ok(()),
            _ => Err(e),
        });
        written.and_then(|()| write(&path, text.as_bytes())).map_err(|e| unwritable(&path, &e))
    }

    /// Where it went.
    pub fn uploaded(&self) -> Result<UploadedReport, Failure> {
        let noted = read(&self.folder.join(UPLOADED)).and_then(|text| Ok(serde_json::from_slice(&text)?));
        noted.map_err(|_| {
            let what = format!("{} was not uploaded yet.", self.folder.display());
            Failure::new(Code::BadRequest, what, "Run `everkey report upload --workspace W` first.")
        })
    }
}

fn described(name: &str, content: &[u8]) -> BundledFile {
    let digest = Sha256::digest(content);
    let sha256 = digest.iter().map(|byte| format!("{byte:02x}")).collect();
    BundledFile { name: name.to_owned(), size: content.len() as u64, sha256 }
}

fn versions(diagnosis: &Diagnosis) -> String {
    let system = rustix::system::uname();
    let part = |text: &std::ffi::CStr| text.to_string_lossy().into_owned();
    let release = std::fs::read_to_string("/etc/os-release").unwrap_or_default();
    let release = release.lines().find_map(|line| line.strip_prefix("PRETTY_NAME=")).unwrap_or("not said");
    format!(
        "everkey {}\neverkeyd {}\n{} {} {}\n{}\n",
        env!("CARGO_PKG_VERSION"),
        diagnosis.agent_version().unwrap_or("does not run"),
        part(system.sysname()),
        part(system.release()),
        part(system.machine()),
        release.trim_matches('"'),
    )
}

/// A new file for this user alone.
fn write(path: &Path, content: &[u8]) -> io::Result<()> {
    File::options().write(true).create_new(true).mode(0o600).open(path)?.write_all(content)
}

fn read(path: &Path) -> io::Result<Vec<u8>> {
    let found = file::open(path)?.ok_or(io::ErrorKind::NotFound)?;
    let mut content = Vec::new();
    found.take(LONGEST + 1).read_to_end(&mut content)?;
    match content.len() as u64 {
        length if length > LONGEST => Err(io::Error::other("it is too long")),
        _ => Ok(content),
    }
}

fn unwritable(path: &Path, e: &io::Error) -> Failure {
    let hint = "Name a new folder elsewhere: `everkey report --output FOLDER`.";
    Failure::new(Code::Storage, format!("Can't make {}: {e}.", path.display()), hint)
}

fn no_bundle(path: &Path, e: &io::Error) -> Failure {
    let hint = "Name a folder that `everkey report` has made.";
    Failure::new(Code::Storage, format!("{} is no report: {e}.", path.display()), hint)
}

#[cfg(test)]
mod tests {
    use super::*;

    fn with_manifest(names: &[&str]) -> tempfile::TempDir {
        let dir = tempfile::tempdir().unwrap();
        let files = names.iter().map(|name| described(name, b"hello")).collect();
        let manifest = Manifest { everkey: String::new(), made_at: String::new(), files };
        std::fs::write(dir.path().join(MANIFEST), serde_json::to_vec(&manifest).unwrap()).unwrap();
        dir
    }

    #[test]
    fn what_a_person_changed_or_removed_counts() {
        let dir = with_manifest(&["a.txt", "b.txt"]);
        std::fs::write(dir.path().join("b.txt"), "other").unwrap();
        std::fs::write(dir.path().join("stray.txt"), "no").unwrap();
        assert_eq!(Bundle::open(dir.path()).ok().unwrap().files, [described("b.txt", b"other")]);
    }

    #[test]
    fn a_manifest_names_nothing_outside_of_its_folder() {
        for name in ["../x", "/etc/passwd", ".ssh", ""] {
            let dir = with_manifest(&[name]);
            assert!(Bundle::open(dir.path()).is_err(), "{name}");
        }
        let dir = with_manifest(&["link"]);
        std::os::unix::fs::symlink("/dev/zero", dir.path().join("link")).unwrap();
        assert!(Bundle::open(dir.path()).is_err(), "a device has no end");
    }
}
