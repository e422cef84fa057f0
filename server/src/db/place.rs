//! Where a database is: a parsed `--database`.

use std::path::{Path, PathBuf};
use std::str::FromStr;

/// The place of a database.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Place {
    /// A SQLite file.
    Sqlite(PathBuf),
}

/// The text names no database this server can use.
#[derive(Debug, PartialEq, Eq, thiserror::Error)]
pub enum NotAPlace {
    /// PostgreSQL, which this version can't use yet.
    #[error("PostgreSQL is not supported by this version; write sqlite:PATH")]
    Postgres,
    /// An SQLite database that would be gone with the process.
    #[error("a database in memory would lose every session at the next start; write sqlite:PATH")]
    Memory,
    /// Anything else.
    #[error("write sqlite:PATH")]
    Unknown,
}

impl FromStr for Place {
    type Err = NotAPlace;

    fn from_str(text: &str) -> Result<Self, NotAPlace> {
        match text.split_once(':') {
            Some(("sqlite", "" | ":memory:" | "//" | "//:memory:")) => Err(NotAPlace::Memory),
            Some(("sqlite", path)) => Ok(Self::Sqlite(path.strip_prefix("//").unwrap_or(path).into())),
            Some(("postgres" | "postgresql", _)) => Err(NotAPlace::Postgres),
            Some(_) | None => Err(NotAPlace::Unknown),
        }
    }
}

impl Place {
    /// The address that sqlx opens. The file must exist: it is made beforehand with the right mode.
    pub(super) fn url(&self) -> String {
        match self {
            Self::Sqlite(path) => format!("sqlite:{}?mode=rw", encode(path)),
        }
    }
}

/// sqlx decodes percent signs in the path, and cuts it at a question mark or a number sign.
fn encode(path: &Path) -> String {
    let mut url = String::new();
    for byte in path.as_os_str().as_encoded_bytes() {
        match byte {
            b'a'..=b'z' | b'A'..=b'Z' | b'0'..=b'9' | b'/' | b'.' | b'-' | b'_' => {
                url.push(char::from(*byte))
            }
            _ => url.push_str(&format!("%{byte:02X}")),
        }
    }
    url
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn only_durable_sqlite_files_are_places() {
        assert_eq!("sqlite:/a/b.db".parse(), Ok(Place::Sqlite("/a/b.db".into())));
        assert_eq!("sqlite:b.db".parse(), Ok(Place::Sqlite("b.db".into())));
        assert_eq!("sqlite:///a/b.db".parse(), Ok(Place::Sqlite("/a/b.db".into())));
        assert_eq!("sqlite::memory:".parse::<Place>(), Err(NotAPlace::Memory));
        assert_eq!("sqlite:".parse::<Place>(), Err(NotAPlace::Memory));
        assert_eq!("postgres://x/y".parse::<Place>(), Err(NotAPlace::Postgres));
        assert_eq!("/a/b.db".parse::<Place>(), Err(NotAPlace::Unknown));
    }

    #[test]
    fn odd_characters_survive_the_address() {
        assert_eq!(Place::Sqlite("/a b/c?d#é".into()).url(), "sqlite:/a%20b/c%3Fd%23%C3%A9?mode=rw");
    }
}
