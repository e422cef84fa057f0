//! Where mail goes: a parsed `--mail`.

use std::path::PathBuf;
use std::str::FromStr;

use crate::secret::SecretText;

/// How mail leaves the server.
#[derive(Clone, Debug)]
pub enum MailRoute {
    /// One file a message in this folder.
    Folder(PathBuf),
    /// On stderr.
    Terminal,
    /// To a mail server; the address may hold a password.
    Smtp(SecretText),
}

/// The text names no way for mail.
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
#[error("write dir:PATH, terminal, smtp://USER:PASSWORD@HOST:PORT or smtps://USER:PASSWORD@HOST:PORT")]
pub struct InvalidMailRoute;

impl FromStr for MailRoute {
    type Err = InvalidMailRoute;

    fn from_str(text: &str) -> Result<Self, InvalidMailRoute> {
        match text.split_once(':') {
            None if text == "terminal" => Ok(Self::Terminal),
            Some(("dir", path)) if !path.is_empty() => Ok(Self::Folder(path.into())),
            Some(("smtp" | "smtps", rest)) if rest.len() > 2 && rest.starts_with("//") => {
                Ok(Self::Smtp(SecretText::new(text.to_owned())))
            }
            Some(_) | None => Err(InvalidMailRoute),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn every_kind_is_understood_and_no_password_is_shown() {
        assert!(matches!("terminal".parse(), Ok(MailRoute::Terminal)));
        assert!(matches!("dir:/a:b".parse(), Ok(MailRoute::Folder(path)) if path.as_os_str() == "/a:b"));
        let smtp: MailRoute = "smtps://me:hunter2@mail.example.com:465".parse().unwrap();
        assert_eq!(format!("{smtp:?}"), "Smtp(****)");
        for text in ["", "dir:", "smtp:", "smtp://", "terminal:", "http://x"] {
            assert!(text.parse::<MailRoute>().is_err(), "{text}");
        }
    }
}
