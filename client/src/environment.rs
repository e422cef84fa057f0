//! What the environment says. Every variable that the client reads is read here.

use everkey_config::paths::{FoundFolder, NoPlace, Places};
use everkey_proto::{Code, Failure};
use std::fs::Metadata;
use std::os::unix::fs::MetadataExt;
use std::path::{Path, PathBuf};

/// The folders and the socket of this user's agent.
///
/// # Errors
/// [`Code::Storage`] where neither `HOME` nor `EVERKEY_HOME` is set, one of them is no full path, or `HOME` belongs to
/// somebody else.
pub fn places() -> Result<Places, Failure> {
    let uid = rustix::process::geteuid().as_raw();
    Places::find(path, folder, uid).map_err(|e| {
        let hint = match e {
            NoPlace::NoHome | NoPlace::Relative(_) => "Set HOME, or EVERKEY_HOME to a folder of your own.",
            // Its one line says what to do.
            NoPlace::Foreign { .. } => "",
        };
        Failure::new(Code::Storage, format!("{e}."), hint)
    })
}

fn folder(path: &Path) -> Option<FoundFolder> {
    let found = std::fs::metadata(path).ok().filter(Metadata::is_dir)?;
    Some(FoundFolder { owner: found.uid(), mode: found.mode() })
}

/// `FAILPROOFAI_AUTH_DIR`, made absolute: the agent has another working folder.
pub fn auth_dir() -> Option<PathBuf> {
    path("FAILPROOFAI_AUTH_DIR").and_then(|dir| std::path::absolute(dir).ok())
}

/// The profile that `EVERKEY_PROFILE` names.
pub fn profile() -> Option<String> {
    text("EVERKEY_PROFILE")
}

/// The programs that `BROWSER` names, first choice first.
pub fn browsers() -> Vec<String> {
    let named = text("BROWSER").unwrap_or_default();
    named.split(':').filter(|program| !program.trim().is_empty()).map(str::to_owned).collect()
}

/// The folders where the shell looks for programs.
pub fn program_dirs() -> Vec<PathBuf> {
    std::env::var_os("PATH").map(|path| std::env::split_paths(&path).collect()).unwrap_or_default()
}

/// The program of this name beside the one that runs, else the one on the PATH.
pub fn program(name: &str) -> PathBuf {
    let beside = std::env::current_exe().ok().and_then(|me| me.canonicalize().ok());
    let beside = beside.map(|me| me.with_file_name(name));
    beside.filter(|path| path.exists()).unwrap_or_else(|| PathBuf::from(name))
}

/// A variable as a path; empty counts as unset.
pub fn path(name: &str) -> Option<PathBuf> {
    std::env::var_os(name).filter(|value| !value.is_empty()).map(PathBuf::from)
}

/// A variable as text; blank counts as unset.
pub fn text(name: &str) -> Option<String> {
    std::env::var(name).ok().filter(|value| !value.trim().is_empty())
}
