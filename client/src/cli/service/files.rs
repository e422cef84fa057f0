//! Files that `everkey agent install` makes: they say so in their first line, and no others are touched.

use std::fs;
use std::io::{self, Write};
use std::os::unix::fs::PermissionsExt;
use std::path::Path;

/// What such a file says of itself, behind the mark of a comment.
pub const MADE_BY: &str = "Made by `everkey agent install`; `everkey agent uninstall` removes it.";

/// What stands at a path where a file of ours would go.
#[derive(Debug, PartialEq, Eq)]
pub enum UnitStanding {
    Missing,
    /// Ours, with the text that it should have.
    AsItShouldBe,
    /// Ours, of another version.
    Outdated,
    /// Somebody else's.
    Foreign,
}

pub fn standing(path: &Path, text: &str) -> UnitStanding {
    match fs::read_to_string(path) {
        Ok(there) if there == text => UnitStanding::AsItShouldBe,
        Ok(there) if there.contains(MADE_BY) => UnitStanding::Outdated,
        Err(e) if e.kind() == io::ErrorKind::NotFound => UnitStanding::Missing,
        Ok(_) | Err(_) => UnitStanding::Foreign,
    }
}

/// Whether a file is there that says it is ours.
pub fn is_ours(path: &Path) -> bool {
    matches!(standing(path, ""), UnitStanding::Outdated | UnitStanding::AsItShouldBe)
}

/// Complete or not at all, and for the service manager to read.
pub fn write(path: &Path, text: &str) -> io::Result<()> {
    let folder = path.parent().ok_or(io::ErrorKind::InvalidInput)?;
    fs::create_dir_all(folder)?;
    let mut file = tempfile::Builder::new().prefix(".everkey-").tempfile_in(folder)?;
    file.write_all(text.as_bytes())?;
    file.as_file().set_permissions(fs::Permissions::from_mode(0o644))?;
    file.as_file().sync_all()?;
    file.persist(path)?;
    Ok(())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn only_files_that_say_so_are_ours() {
        let dir = tempfile::tempdir().unwrap();
        let path = dir.path().join("a/unit");
        let text = format!("# {MADE_BY}\n[Unit]\n");
        assert_eq!(standing(&path, &text), UnitStanding::Missing);
        assert!(!is_ours(&path));
        write(&path, &text).unwrap();
        assert_eq!(fs::metadata(&path).unwrap().permissions().mode() & 0o777, 0o644);
        assert_eq!(standing(&path, &text), UnitStanding::AsItShouldBe);
        assert_eq!(standing(&path, "newer"), UnitStanding::Outdated);
        assert!(is_ours(&path));
        fs::write(&path, "[Unit]\n").unwrap();
        assert_eq!(standing(&path, &text), UnitStanding::Foreign);
        assert!(!is_ours(&path));
    }
}
