//! The manifest of a report: which files it has. Names are metadata and never a path on this machine; still none of
//! them leads anywhere when someone unpacks it.

use std::collections::HashSet;

use crate::digest::Digest;
use crate::rules::file_seal::FileSeal;
use crate::rules::text::line;
use crate::teams::rules::media_type::MediaType;

/// The longest name, in characters.
pub const LONGEST_NAME: usize = 200;

/// One file as someone describes it.
#[derive(Debug)]
pub struct DescribedFile {
    pub name: String,
    pub media_type: Option<String>,
    /// In bytes.
    pub size: i64,
    /// 64 lower-case hexadecimal digits.
    pub sha256: String,
}

/// One file of a manifest that is in order.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct ManifestFile {
    pub name: String,
    pub media_type: MediaType,
    pub seal: FileSeal,
}

#[derive(Clone, Copy, Debug)]
pub struct ManifestCeiling {
    /// How many files a report may have.
    pub files: u32,
    /// How large each may be, in MiB.
    pub mib: u32,
}

/// What is wrong with a manifest; for people.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
pub enum InvalidManifest {
    #[error("a report may have {0} files")]
    TooMany(u32),
    #[error("a file may have {0} MiB")]
    TooLarge(u32),
    #[error("a size is a number of bytes from 0")]
    Size,
    #[error("a sha256 is 64 lower-case hexadecimal digits")]
    Sha256,
    #[error(
        "the name of a file has 1 to {LONGEST_NAME} characters; it may have folders in front, parted by /, and neither \
         begins with / nor holds an empty part, one that begins or ends with a dot, a device of Windows, a backslash, a colon, \
         a secret or characters that can't be seen"
    )]
    Name,
    #[error("two files have the same name")]
    Twice,
    #[error("a file has the name of a folder that another one is in")]
    Folder,
    #[error("media_type is one of {}, or left out", MediaType::listed())]
    MediaType,
}

/// How much a workspace has, or may have.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Usage {
    pub files: u64,
    pub bytes: u64,
}

impl Usage {
    /// What a manifest asks for.
    pub fn of(files: &[ManifestFile]) -> Self {
        let bytes = files.iter().fold(0, |sum: u64, file| sum.saturating_add(file.seal.size));
        Self { files: files.len() as u64, bytes }
    }

    /// Whether `more` fits beside this into `quota`.
    pub fn has_room(self, more: Self, quota: Self) -> bool {
        self.files.saturating_add(more.files) <= quota.files
            && self.bytes.saturating_add(more.bytes) <= quota.bytes
    }
}

/// Checks a manifest.
pub fn check(
    described: Vec<DescribedFile>,
    ceiling: ManifestCeiling,
) -> Result<Vec<ManifestFile>, InvalidManifest> {
    if described.len() > ceiling.files as usize {
        return Err(InvalidManifest::TooMany(ceiling.files));
    }
    let (mut names, mut folders) = (HashSet::new(), HashSet::new());
    let mut files = Vec::new();
    for file in described {
        let size = u64::try_from(file.size).map_err(|_| InvalidManifest::Size)?;
        if size > mib(ceiling.mib) {
            return Err(InvalidManifest::TooLarge(ceiling.mib));
        }
        let sha256 = digest(&file.sha256).ok_or(InvalidManifest::Sha256)?;
        let name = name(&file.name).ok_or(InvalidManifest::Name)?;
        let media_type = match file.media_type.as_deref().map(str::parse) {
            None => MediaType::default(),
            Some(known) => known.map_err(|_| InvalidManifest::MediaType)?,
        };
        // Where capitals make no difference, two files would be one.
        let lower = name.to_lowercase();
        if names.contains(&lower) {
            return Err(InvalidManifest::Twice);
        }
        if folders.contains(&lower) || folders_of(&lower).any(|folder| names.contains(folder)) {
            return Err(InvalidManifest::Folder);
        }
        folders.extend(folders_of(&lower).map(str::to_owned));
        names.insert(lower);
        files.push(ManifestFile { name, media_type, seal: FileSeal { size, sha256 } });
    }
    Ok(files)
}

/// So many MiB in bytes.
pub fn mib(count: u32) -> u64 {
    u64::from(count) * 1024 * 1024
}

/// What a download is called: the name without the folders in front.
pub fn bare(name: &str) -> &str {
    name.rsplit('/').next().unwrap_or(name)
}

fn name(text: &str) -> Option<String> {
    let name = line("name", text, LONGEST_NAME).ok().filter(|name| name == text)?;
    let seen = |c: char| !matches!(c, '\\' | ':' | '\u{200c}' | '\u{200d}');
    (name.split('/').all(leads_nowhere) && name.chars().all(seen)).then_some(name)
}

/// A part of a name that is a plain file or folder wherever it is unpacked: Windows drops a dot at the end, and opens its
/// devices under any ending.
fn leads_nowhere(part: &str) -> bool {
    let stem = part.split('.').next().unwrap_or_default().trim_end().to_ascii_uppercase();
    let numbered = stem.strip_prefix("COM").or(stem.strip_prefix("LPT"));
    let is_device = matches!(stem.as_str(), "CON" | "PRN" | "AUX" | "NUL")
        || numbered.is_some_and(|number| number.len() == 1 && number.as_bytes()[0].is_ascii_digit());
    !part.is_empty() && !part.starts_with('.') && !part.ends_with('.') && part.trim() == part && !is_device
}

/// The folders that a name is in.
fn folders_of(name: &str) -> impl Iterator<Item = &str> {
    name.match_indices('/').map(|(end, _)| &name[..end])
}

fn digest(text: &str) -> Option<Digest> {
    let bytes = crate::secret::SecretBytes::from_hex(text)?;
    Digest::from_slice(bytes.expose())
}

#[cfg(test)]
mod tests {
    use super::*;

    const CEILING: ManifestCeiling = ManifestCeiling { files: 2, mib: 1 };

    fn file(name: &str) -> DescribedFile {
        DescribedFile { name: name.to_owned(), media_type: None, size: 3, sha256: "ab".repeat(32) }
    }

    #[test]
    fn a_name_leads_nowhere_and_is_seen_whole() {
        for good in ["run.log", "logs/run 1.log", "ä/ö.txt", "a..b", "100%", "~root", "$HOME"] {
            assert_eq!(check(vec![file(good)], CEILING).unwrap()[0].name, good);
        }
        for bad in [
            "",
            " ",
            "/etc/passwd",
            "../a",
            "a/../b",
            "a/..",
            "./a",
            ".ssh/id",
            "a//b",
            "a/",
            "a\\b",
            "C:a",
            "a\nb",
            "a\0b",
            "a\u{202e}gpj.exe",
            "a\u{200b}",
            "a\u{200d}b",
            "a\u{3164}",
            "a.",
            "logs./a",
            "nul.txt",
            "logs/COM1",
            " a",
            "a ",
            "a/ b",
            "\u{feff}a",
            &"x".repeat(201),
        ] {
            assert_eq!(check(vec![file(bad)], CEILING), Err(InvalidManifest::Name), "{bad:?}");
        }
        assert_eq!(bare("a/b/c.txt"), "c.txt");
    }

    #[test]
    fn a_manifest_keeps_its_ceilings() {
        let error = |files: Vec<DescribedFile>| check(files, CEILING).unwrap_err();
        assert_eq!(error(vec![file("a"), file("b"), file("c")]), InvalidManifest::TooMany(2));
        assert_eq!(error(vec![file("a"), file("A")]), InvalidManifest::Twice);
        for (one, other) in [("logs", "Logs/a"), ("logs/run/a", "logs/run")] {
            assert_eq!(error(vec![file(one), file(other)]), InvalidManifest::Folder, "{one} beside {other}");
        }
        assert!(check(vec![file("logs/a"), file("logs.txt")], CEILING).is_ok());
        assert_eq!(error(vec![DescribedFile { size: -1, ..file("a") }]), InvalidManifest::Size);
        assert_eq!(error(vec![DescribedFile { size: 1_048_577, ..file("a") }]), InvalidManifest::TooLarge(1));
        let hash = |text: &str| vec![DescribedFile { sha256: text.to_owned(), ..file("a") }];
        for bad in ["", &"A".repeat(64), &"a".repeat(63)] {
            assert_eq!(error(hash(bad)), InvalidManifest::Sha256);
        }
        let html = DescribedFile { media_type: Some("text/html".to_owned()), ..file("a") };
        assert_eq!(error(vec![html]), InvalidManifest::MediaType);
        let files = check(vec![DescribedFile { size: 1_048_576, ..file("a") }, file("b")], CEILING).unwrap();
        assert_eq!(Usage::of(&files), Usage { files: 2, bytes: 1_048_579 });
    }

    #[test]
    fn a_quota_counts_files_and_bytes() {
        let (used, quota) = (Usage { files: 1, bytes: 10 }, Usage { files: 2, bytes: 20 });
        assert!(used.has_room(Usage { files: 1, bytes: 10 }, quota));
        assert!(!used.has_room(Usage { files: 2, bytes: 0 }, quota));
        assert!(!used.has_room(Usage { files: 1, bytes: 11 }, quota));
        assert!(!used.has_room(Usage { files: 1, bytes: u64::MAX }, quota));
    }
}
