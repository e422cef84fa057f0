//! `everkey link NAME` and `unlink NAME`: everkey under a profile's name.

use crate::cli::options::Options;
use crate::cli::show;
use everkey_client::setup::Setup;
use everkey_client::{Failure, environment};
use everkey_proto::Code;
use everkey_proto::profile::is_word_name;
use rustix::fs::{Access, access};
use serde_json::json;
use std::fs;
use std::io;
use std::os::unix::fs::symlink;
use std::path::{Path, PathBuf};
use std::process::ExitCode;

/// What stands at a link's path.
enum There {
    /// Nothing.
    Nothing,
    /// A link to an everkey: this one, or one that was here before.
    Ours,
    /// Something else.
    Other,
}

pub fn link(name: &str, options: &Options) -> Result<ExitCode, Failure> {
    if name == "everkey" || !is_word_name(name) || !Setup::read()?.knows(name) {
        let hint = if name.starts_with("achilles/") {
            "Run `everkey link achilles`, then `achilles config use PROFILE`."
        } else {
            "A link is named after a profile: `everkey profile list` shows them."
        };
        return Err(Failure::new(
            Code::UnknownProfile,
            format!("There is no profile {name:?} to link to."),
            hint,
        ));
    }
    let program = program()?;
    let dir = folder(&program, options)?;
    let path = dir.join(name);
    fs::create_dir_all(&dir).map_err(|e| in_the_way(&dir, &e.to_string()))?;
    match there(&path, &program) {
        There::Nothing => symlink(&program, &path),
        There::Ours => replace(&program, &path),
        There::Other => {
            let what = "something else is there, and it stays";
            return Err(in_the_way(&path, what));
        }
    }
    .map_err(|e| in_the_way(&path, &e.to_string()))?;
    let warning = warning(name, &dir);
    if options.json {
        show::json(&json!({ "link": path, "program": program, "warning": warning }));
    } else {
        show::out(format_args!("{} is everkey for the profile {name}.", path.display()));
        if let Some(warning) = warning {
            show::err(format_args!("warning: {warning}"));
        }
    }
    Ok(ExitCode::SUCCESS)
}

pub fn unlink(name: &str, options: &Options) -> Result<ExitCode, Failure> {
    if !is_word_name(name) {
        return Err(Failure::new(
            Code::BadRequest,
            format!("{name:?} can't be a link's name."),
            "Nothing was removed.",
        ));
    }
    let program = program()?;
    let path = folder(&program, options)?.join(name);
    let removed = match there(&path, &program) {
        There::Nothing => false,
        There::Ours => {
            fs::remove_file(&path).map(|()| true).map_err(|e| in_the_way(&path, &e.to_string()))?
        }
        There::Other => return Err(in_the_way(&path, "that is no link to everkey, and it stays")),
    };
    if options.json {
        show::json(&json!({ "link": path, "removed": removed }));
    } else if removed {
        show::out(format_args!("{} is gone.", path.display()));
    } else {
        show::out(format_args!("There is no {}.", path.display()));
    }
    Ok(ExitCode::SUCCESS)
}

fn program() -> Result<PathBuf, Failure> {
    let program = std::env::current_exe().and_then(fs::canonicalize);
    program.map_err(|e| in_the_way(Path::new("everkey"), &e.to_string()))
}

/// The folder asked for, else that of everkey if it can be written to, else `~/.local/bin`.
fn folder(program: &Path, options: &Options) -> Result<PathBuf, Failure> {
    if let Some(dir) = &options.dir {
        return std::path::absolute(dir).map_err(|e| in_the_way(dir, &e.to_string()));
    }
    let beside = program.parent().filter(|dir| access(*dir, Access::WRITE_OK | Access::EXEC_OK).is_ok());
    let own = || environment::path("HOME").map(|home| home.join(".local/bin"));
    beside.map(Path::to_owned).or_else(own).ok_or_else(|| {
        Failure::new(Code::Storage, "There is no folder to put the link in.", "Name one with --dir.")
    })
}

fn there(path: &Path, program: &Path) -> There {
    let Ok(target) = fs::read_link(path) else {
        return if fs::symlink_metadata(path).is_ok() { There::Other } else { There::Nothing };
    };
    // An everkey that has moved leaves links behind that lead nowhere.
    let ours = fs::canonicalize(path).is_ok_and(|real| real == program)
        || target.file_name().is_some_and(|name| name == "everkey");
    if ours { There::Ours } else { There::Other }
}

/// Another link's place is taken in one step, so that the name always works.
fn replace(program: &Path, path: &Path) -> io::Result<()> {
    let dir = path.parent().ok_or(io::ErrorKind::InvalidInput)?;
    let staging = tempfile::Builder::new().prefix(".everkey-link-").tempdir_in(dir)?;
    let new = staging.path().join("link");
    symlink(program, &new)?;
    fs::rename(&new, path)
}

/// What keeps the name from meaning this link in a shell.
fn warning(name: &str, dir: &Path) -> Option<String> {
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

fn in_the_way(path: &Path, why: &str) -> Failure {
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
        assert!(matches!(there(&at("a"), &program), There::Nothing));
        symlink(&program, at("a")).unwrap();
        assert!(matches!(there(&at("a"), &program), There::Ours));
        symlink("/gone/everkey", at("b")).unwrap();
        assert!(matches!(there(&at("b"), &program), There::Ours));
        replace(&program, &at("b")).unwrap();
        assert_eq!(fs::read_link(at("b")).unwrap(), program);
        symlink("/bin/true", at("c")).unwrap();
        fs::write(at("d"), "").unwrap();
        symlink("/nowhere", at("e")).unwrap();
        for name in ["c", "d", "e"] {
            assert!(matches!(there(&at(name), &program), There::Other), "{name}");
        }
        assert_eq!(fs::read_dir(dir.path()).unwrap().count(), 6);
    }
}
