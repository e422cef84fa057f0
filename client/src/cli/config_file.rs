//! Writing files of configuration: comments stay, what everkey would not read is not written, readers see all or nothing.

use everkey_client::{Failure, configuration};
use everkey_config::Mistake;
use everkey_config::file::Config;
use everkey_proto::Code;
use rustix::fs::OFlags;
use std::fs::{self, DirBuilder, File, TryLockError};
use std::io::{self, Write};
use std::os::unix::fs::{DirBuilderExt, OpenOptionsExt};
use std::path::{Path, PathBuf};
use std::thread;
use std::time::{Duration, Instant};
use toml_edit::{DocumentMut, Item, Table, value};

/// How long another command may take with the file, and how often it is looked whether it is done.
const PATIENCE: Duration = Duration::from_secs(10);
const PAUSE: Duration = Duration::from_millis(20);

/// How a `config.toml` begins that no person has written, so that `everkey agent uninstall` may remove it.
pub const MADE_BY_PROFILE_ADD: &str = "# Made by `everkey profile add`.";

/// `config.toml`, open for change.
pub struct ConfigFile {
    path: PathBuf,
    document: DocumentMut,
    is_new: bool,
    /// Those that were there before.
    mistakes: Vec<Mistake>,
    /// Two commands at once must not undo each other's change.
    _alone: File,
}

impl ConfigFile {
    /// Reads it; one that is not there is empty.
    pub fn open(path: &Path) -> Result<Self, Failure> {
        let alone = lock(path).map_err(|e| unwritable(path, &e.to_string()))?;
        let found = configuration::text_of(path)?;
        let is_new = found.is_none();
        let text = found.unwrap_or_default();
        // What is wrong elsewhere in it stays as it is; what is no TOML can't be changed.
        let mistakes = Config::read(&text).mistakes;
        if let Some(mistake) = mistakes.iter().find(|mistake| mistake.is_of_file()) {
            let message = mistake.error.in_file(path);
            return Err(Failure::new(Code::Storage, message, "Mend that line; nothing was changed."));
        }
        let document = text.parse().map_err(|e: toml_edit::TomlError| unwritable(path, e.message()))?;
        Ok(Self { path: path.to_owned(), document, is_new, mistakes, _alone: alone })
    }

    /// Adds `[profiles.NAME]` with these keys.
    pub fn add(&mut self, name: &str, keys: &[(&'static str, String)]) -> Result<(), Failure> {
        let mut profile = Table::new();
        for (key, text) in keys {
            profile.insert(key, value(text));
        }
        let mut all = Table::new();
        all.set_implicit(true);
        let profiles = self.document.entry("profiles").or_insert(Item::Table(all));
        match profiles.as_table_like_mut() {
            Some(table) => drop(table.insert(name, Item::Table(profile))),
            None => return Err(unwritable(&self.path, "`profiles` is no table")),
        }
        Ok(())
    }

    /// Takes `[profiles.NAME]` away, and with it the default if it is that one. Whether it was there.
    pub fn remove(&mut self, name: &str) -> bool {
        let profiles = self.document.get_mut("profiles").and_then(Item::as_table_like_mut);
        let there = profiles.and_then(|profiles| profiles.remove(name)).is_some();
        if there && self.document.get("default").and_then(Item::as_str) == Some(name) {
            self.document.remove("default");
        }
        there
    }

    /// Sets the default profile.
    pub fn set_default(&mut self, name: &str) {
        match self.document.get_mut("default").and_then(Item::as_value_mut) {
            Some(old) => {
                // The comment behind the old one stays.
                let decor = old.decor().clone();
                *old = name.into();
                *old.decor_mut() = decor;
            }
            None => self.document["default"] = value(name),
        }
    }

    /// Writes it, if no new mistake is in it, and lets the next one.
    pub fn save(self) -> Result<(), Failure> {
        let begins = if self.is_new { format!("{MADE_BY_PROFILE_ADD}\n") } else { String::new() };
        let text = format!("{begins}{}", self.document);
        let was_there = |new: &Mistake| {
            let mut before = self.mistakes.iter();
            before.any(|old| old.touches == new.touches && old.error.message == new.error.message)
        };
        let mut mistakes = Config::read(&text).mistakes.into_iter();
        if let Some(Mistake { error, .. }) = mistakes.find(|mistake| !was_there(mistake)) {
            return Err(Failure::new(
                Code::BadRequest,
                format!("That would make no sense: {}.", error.message.trim_end_matches('.')),
                "Nothing was changed. `everkey profile --help` has examples.",
            ));
        }
        write(&self.path, &text)
    }
}

/// Replaces a file: 0600, atomic, on the disk when it returns. A link is followed, so that it stays one.
pub fn write(path: &Path, text: &str) -> Result<(), Failure> {
    let path = fs::canonicalize(path).unwrap_or_else(|_| path.to_owned());
    replace(&path, text).map_err(|e| unwritable(&path, &e.to_string()))
}

/// The lock beside the file, until it is dropped. A folder could be locked by whoever may read it.
fn lock(path: &Path) -> io::Result<File> {
    made(path)?;
    let name = path.file_name().unwrap_or_default().to_string_lossy();
    let beside = path.with_file_name(format!(".{name}.everkey-lock"));
    let flags = (OFlags::NOFOLLOW | OFlags::NONBLOCK).bits().cast_signed();
    let mut options = File::options();
    let file =
        options.write(true).create(true).truncate(false).mode(0o600).custom_flags(flags).open(&beside)?;
    let deadline = Instant::now() + PATIENCE;
    loop {
        match file.try_lock() {
            Ok(()) => return Ok(file),
            Err(TryLockError::Error(why)) => return Err(why),
            // A file lock can't be waited for with a deadline.
            Err(TryLockError::WouldBlock) if Instant::now() < deadline => thread::sleep(PAUSE),
            Err(TryLockError::WouldBlock) => {
                let why = format!("another program holds {}", beside.display());
                return Err(io::Error::other(why));
            }
        }
    }
}

fn made(path: &Path) -> io::Result<&Path> {
    let folder = path.parent().ok_or(io::ErrorKind::InvalidInput)?;
    DirBuilder::new().recursive(true).mode(0o700).create(folder)?;
    Ok(folder)
}

fn replace(path: &Path, text: &str) -> io::Result<()> {
    let folder = made(path)?;
    let mut file = tempfile::Builder::new().prefix(".everkey-").tempfile_in(folder)?;
    file.write_all(text.as_bytes())?;
    file.as_file().sync_all()?;
    file.persist(path).map_err(|e| e.error)?;
    File::open(folder)?.sync_all()
}

fn unwritable(path: &Path, why: &str) -> Failure {
    Failure::new(
        Code::Storage,
        format!("Can't write {}: {why}.", path.display()),
        "Nothing was changed. Look at the folder and its permissions.",
    )
}

#[cfg(test)]
mod tests {
    use super::*;
    use std::os::unix::fs::PermissionsExt;

    #[test]
    fn comments_and_order_stay() {
        let dir = tempfile::tempdir().unwrap();
        let path = dir.path().join("new/config.toml");
        let mut file = ConfigFile::open(&path).unwrap();
        file.add("b.1", &[("provider", "binboi".to_owned())]).unwrap();
        file.save().unwrap();
        let text = format!("{MADE_BY_PROFILE_ADD}\n[profiles.\"b.1\"]\nprovider = \"binboi\"\n");
        assert_eq!(fs::read_to_string(&path).unwrap(), text);
        assert_eq!(path.metadata().unwrap().permissions().mode() & 0o777, 0o600);

        let text = "# mine\ndefault = \"a\" # why\n\n# about a\n[profiles.a]\nprovider = \"binboi\" # x\n";
        fs::write(&path, text).unwrap();
        let mut file = ConfigFile::open(&path).unwrap();
        file.set_default("dot-ai");
        file.add("b", &[("provider", "oauth".to_owned()), ("issuer", "https://i".to_owned())]).unwrap();
        file.save().unwrap();
        let text = text.replace("\"a\" # why", "\"dot-ai\" # why");
        let added = "\n[profiles.b]\nprovider = \"oauth\"\nissuer = \"https://i\"\n";
        assert_eq!(fs::read_to_string(&path).unwrap(), format!("{text}{added}"));

        let mut file = ConfigFile::open(&path).unwrap();
        assert!(file.remove("b") && !file.remove("b"));
        file.save().unwrap();
        assert_eq!(fs::read_to_string(&path).unwrap(), text);
    }

    #[test]
    fn the_default_goes_with_its_profile() {
        let dir = tempfile::tempdir().unwrap();
        let path = dir.path().join("config.toml");
        fs::write(&path, "default = \"a\"\n[profiles.a]\nprovider = \"binboi\"\n").unwrap();
        let mut file = ConfigFile::open(&path).unwrap();
        file.remove("a");
        file.save().unwrap();
        assert_eq!(fs::read_to_string(&path).unwrap(), "");
    }

    #[test]
    fn nonsense_is_not_written() {
        let dir = tempfile::tempdir().unwrap();
        let path = dir.path().join("config.toml");
        let mut file = ConfigFile::open(&path).unwrap();
        file.add("a", &[("provider", "oauth".to_owned())]).unwrap();
        assert_eq!(file.save().unwrap_err().code, Code::BadRequest);
        assert!(!path.exists());
        fs::write(&path, "x = \n").unwrap();
        let failure = ConfigFile::open(&path).err().unwrap();
        assert_eq!(failure.code, Code::Storage);
        assert!(failure.message.contains("config.toml:1:5: "), "{}", failure.message);
    }

    #[test]
    fn a_mistake_elsewhere_stays_as_it_is() {
        let dir = tempfile::tempdir().unwrap();
        let path = dir.path().join("config.toml");
        let wrong = "x = 1\n\n[profiles.b]\nprovider = \"github\"\n";
        fs::write(&path, wrong).unwrap();
        let mut file = ConfigFile::open(&path).unwrap();
        file.add("a", &[("provider", "oauth".to_owned())]).unwrap();
        assert_eq!(file.save().unwrap_err().code, Code::BadRequest, "a new one is not added");
        let mut file = ConfigFile::open(&path).unwrap();
        file.add("a", &[("provider", "binboi".to_owned())]).unwrap();
        file.save().unwrap();
        let text = fs::read_to_string(&path).unwrap();
        assert_eq!(text, format!("{wrong}\n[profiles.a]\nprovider = \"binboi\"\n"));
        let mut file = ConfigFile::open(&path).unwrap();
        assert!(file.remove("b"));
        file.save().unwrap();
    }
}
