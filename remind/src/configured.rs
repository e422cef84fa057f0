//! The command that the person has configured, read where it is run: who hands over an errand from inside of a sandbox is
//! not to choose what runs outside of it.

use anyhow::{Context, Result};
use everkey_config::file::Config;
use everkey_config::paths::{FoundFolder, Places};
use everkey_guard::file;
use everkey_proto::errand::Errand;
use std::fs::Metadata;
use std::os::unix::fs::MetadataExt;
use std::path::{Path, PathBuf};

/// The errand with that command in place of the one that came with it.
pub fn reworded(errand: Errand) -> Result<Errand> {
    match errand {
        Errand::Reminder { at, email, command: Some(_) } => {
            Ok(Errand::Reminder { at, email, command: command()? })
        }
        Errand::Reminder { command: None, .. } | Errand::SignIn { .. } => Ok(errand),
    }
}

fn command() -> Result<Option<Vec<String>>> {
    let var = |name: &str| std::env::var_os(name).filter(|value| !value.is_empty()).map(PathBuf::from);
    let places = Places::find(var, folder, rustix::process::geteuid().as_raw())?;
    let text = file::read_trusted(&places.config).with_context(|| places.config.display().to_string())?;
    Ok(text.and_then(|text| Config::read(&text).reminder_command))
}

fn folder(path: &Path) -> Option<FoundFolder> {
    let found = std::fs::metadata(path).ok().filter(Metadata::is_dir)?;
    Some(FoundFolder { owner: found.uid(), mode: found.mode() })
}
