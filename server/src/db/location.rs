//! Where a database is: a parsed `--database`.

use std::path::{Path, PathBuf};
use std::str::FromStr;

use crate::secret::SecretText;

#[derive(Clone, Debug)]
pub enum DatabaseLocation {
    Sqlite(PathBuf),
    /// A PostgreSQL database, by its address, which may hold a password.
    Postgres(SecretText),
}

/// The text names no database this server can use.
#[derive(Debug, PartialEq, Eq, thiserror::Error)]
pub enum InvalidDatabaseLocation {
    /// An SQLite database that would be gone with the process.
    #[error("a database in memory would lose every session at the next start; write sqlite:PATH")]
    Memory,
    #[error("write sqlite:PATH or postgres://USER@HOST/DATABASE")]
    Unknown,
}

impl FromStr for DatabaseLocation {
    type Err = InvalidDatabaseLocation;

    fn from_str(text: &str) -> Result<Self, InvalidDatabaseLocation> {
        match text.split_once(':') {
            Some(("sqlite", "" | ":memory:" | "//" | "//:memory:")) => Err(InvalidDatabaseLocation::Memory),
            Some(("sqlite", path)) => Ok(Self::Sqlite(path.strip_prefix("//").unwrap_or(path).into())),
            Some(("postgres" | "postgresql", rest)) if rest.starts_with("//") => {
                Ok(Self::Postgres(SecretText::new(text.to_owned())))
            }
            Some(_) | None => Err(InvalidDatabaseLocation::Unknown),
        }
    }
}

impl DatabaseLocation {
    /// The address that sqlx opens. The file must exist: it is made beforehand with the right mode.
    pub(super) fn url(&self) -> String {
        match self {
            Self::Sqlite(path) => format!("sqlite:{}?mode=rw", encode(path)),
            Self::Postgres(url) => url.expose().to_owned(),
        }
    }
}

/// sqlx decodes percent signs in the path, and cuts it at a question mark or a number sign.
pub(super) fn encode(path: &Path) -> String {
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
    fn only_durable_databases_are_places() {
        for (text, path) in
            [("sqlite:/a/b.db", "/a/b.db"), ("sqlite:b.db", "b.db"), ("sqlite:///a/b.db", "/a/b.db")]
        {
            assert!(
                matches!(text.parse(), Ok(DatabaseLocation::Sqlite(found)) if found == Path::new(path)),
                "{text}"
            );
        }
        for text in ["postgres://x/y", "postgresql://me:pw@x/y"] {
            assert!(
                matches!(text.parse(), Ok(DatabaseLocation::Postgres(url)) if url.expose() == text),
                "{text}"
            );
        }
        let error = |text: &str| text.parse::<DatabaseLocation>().unwrap_err();
        assert_eq!(error("sqlite::memory:"), InvalidDatabaseLocation::Memory);
        assert_eq!(error("sqlite:"), InvalidDatabaseLocation::Memory);
        assert_eq!(error("/a/b.db"), InvalidDatabaseLocation::Unknown);
        assert_eq!(error("postgres:x"), InvalidDatabaseLocation::Unknown);
    }

    #[test]
    fn a_password_is_not_shown_by_debug() {
        let place: DatabaseLocation = "postgres://me:hunter2@x/y".parse().unwrap();
        assert!(!format!("{place:?}").contains("hunter2"));
    }

    #[test]
    fn odd_characters_survive_the_address() {
        assert_eq!(
            DatabaseLocation::Sqlite("/a b/c?d#é".into()).url(),
            "sqlite:/a%20b/c%3Fd%23%C3%A9?mode=rw"
        );
    }
}
