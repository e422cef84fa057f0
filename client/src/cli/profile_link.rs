//! A link to this program under a profile's name.

use everkey_client::{Failure, environment};
use everkey_proto::Code;
use rustix::fs::{Access, access};
use std::fs;
use std::io;
use std::os::unix::fs::symlink;
use std::path::{Path, PathBuf};

/// What stands at a link's path.
pub enum Existing {
    Nothing,
    /// A link to an everkey: this one, or one that was here before.
    Ours,
    Other,
}

/// This program's own path.
pub fn program() -> Result<PathBuf, Failure> {
    let program = std::env::current_exe().and_then(fs::canonicalize);
    program.map_err(|e| in_the_way(Path::new("everkey"), &e.to_string()))
}

/// The folder asked for, else that of everkey if it can be written to, else `~/.local/bin`.
pub fn folder(program: &Path, dir: Option<&Path>) -> Result<PathBuf, Failure> {
    if let Some(dir) = dir {
        return std::path::absolute(dir).map_err(|e| in_the_way(dir, &e.to_string()));
    }
    let beside = program.parent().filter(|dir| access(*dir, Access::WRITE_OK | Access::EXEC_OK).is_ok());
    let own = || environment::path("HOME").map(|home| home.join(".local/bin"));
    beside.map(Path::to_owned).or_else(own).ok_or_else(|| {
        Failure::new(Code::Storage, "There is no folder to put the link in.", "Name one with --dir.")
    })
}

pub fn existing(path: &Path, program: &Path) -> Existing {
    let Ok(target) = fs::read_link(path) else {
        return if fs::symlink_metadata(path).is_ok() { Existing::Other } else { Existing::Nothing };
    };
    // An everkey that has moved leaves links behind that lead nowhere.
    let ours = fs::canonicalize(path).is_ok_and(|real| real == program)
        || target.file_name().is_some_and(|name| name == "everkey");
    if ours { Existing::Ours } else { Existing::Other }
}

/// Takes the place of another link in one step, so that the name always works.
pub fn replace(program: &Path, path: &Path) -> io::Result<()> {
    let dir = path.parent().ok_or(io::ErrorKind::InvalidInput)?;
    let staging = tempfile::Builder::new().prefix(".everkey-link-").tempdir_in(dir)?;
    let new = staging.path().join("link");
    symlink(program, &new)?;
    fs::rename(&new, path)
}

/// What keeps the name from meaning this link in a shell.
pub fn warning(name: &str, dir: &Path) -> Option<String> {
    let dirs = environment::program_dirs();
    let real = |dir: &Path| fs::canonicalize(dir).unwrap_or_else(|_| dir.to_owned());
    if !dirs.iter().any(|known| real(known) == real(dir)) {
        return Some(format!(
            "{} is not in your PATH; add it, or call the link by its full path",
            dir.display()
        ));
    }
    let first = dirs.iter().find(|known| known.join(name).exists())?;
    (real(first) != real(dir)).then(|| format!("{} comes first in your PATH", first.join(name).display()))
}

/// The error for a path that can't be used.
pub fn in_the_way(path: &Path, why: &str) -> Failure {
    Failure::new(Code::Storage, format!("{}: {why}.", path.display()), "Choose another folder with --dir.")
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn only_links_to_everkey_are_touched() {
        let dir = tempfile::tempdir().unwrap();
        let program = dir.path().join("everkey");
        fs::write(&program, "").unwrap();
        let program = fs::canonicalize(program).unwrap();
        let at = |name: &str| dir.path().join(name);
        assert!(matches!(existing(&at("a"), &program), Existing::Nothing));
        symlink(&program, at("a")).unwrap();
        assert!(matches!(existing(&at("a"), &program), Existing::Ours));
        symlink("/gone/everkey", at("b")).unwrap();
        assert!(matches!(existing(&at("b"), &program), Existing::Ours));
        replace(&program, &at("b")).unwrap();
        assert_eq!(fs::read_link(at("b")).unwrap(), program);
        symlink("/bin/true", at("c")).unwrap();
        fs::write(at("d"), "").unwrap();
        symlink("/nowhere", at("e")).unwrap();
        for name in ["c", "d", "e"] {
            assert!(matches!(existing(&at(name), &program), Existing::Other), "{name}");
        }
        assert_eq!(fs::read_dir(dir.path()).unwrap().count(), 6);
    }
}
