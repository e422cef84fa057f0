//! Email addresses: one spelling per account, and nothing that could break out of a mail header.

use std::fmt;

/// A plain, lower-case email address: `local@domain` in visible ASCII.
#[derive(Clone, PartialEq, Eq)]
pub struct Email(String);

/// The text is not an address this server sends to.
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
#[error("email must be an address such as name@example.com")]
pub struct NotAnEmail;

impl Email {
    /// Reads an address, ignoring case and surrounding spaces. Quoted local parts, comments, address
    /// literals and non-ASCII letters are refused: no mailbox in use needs them and each is a trap.
    pub fn parse(text: &str) -> Result<Self, NotAnEmail> {
        let text = text.trim_matches(' ');
        let (local, domain) = text.split_once('@').ok_or(NotAnEmail)?;
        if text.len() <= 254 && is_local(local) && is_domain(domain) {
            Ok(Self(text.to_ascii_lowercase()))
        } else {
            Err(NotAnEmail)
        }
    }

    pub fn as_str(&self) -> &str {
        &self.0
    }
}

impl fmt::Debug for Email {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("Email(****)")
    }
}

fn is_local(local: &str) -> bool {
    local.len() <= 64
        && local.split('.').all(|atom| {
            !atom.is_empty()
                && atom.bytes().all(|b| b.is_ascii_alphanumeric() || b"!#$%&'*+-/=?^_`{|}~".contains(&b))
        })
}

fn is_domain(domain: &str) -> bool {
    domain.split('.').all(|label| {
        (1..=63).contains(&label.len())
            && !label.starts_with('-')
            && !label.ends_with('-')
            && label.bytes().all(|b| b.is_ascii_alphanumeric() || b == b'-')
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn one_spelling_per_account() {
        assert_eq!(Email::parse(" Ada.L+x@Example.COM ").unwrap().as_str(), "ada.l+x@example.com");
        assert_eq!(Email::parse("me@localhost").unwrap().as_str(), "me@localhost");
    }

    #[test]
    fn what_is_not_a_plain_address_is_refused() {
        let long_local = format!("{}@example.com", "a".repeat(65));
        let long = format!("a@{}.com", "b.".repeat(130));
        for text in [
            "",
            "a",
            "@",
            "a@",
            "@b.c",
            "a@b@c",
            "a b@c.d",
            "a@b c.d",
            "a@-b.c",
            "a@b-.c",
            "a@b..c",
            "a..b@c.d",
            ".a@b.c",
            "a.@b.c",
            "\"a\"@b.c",
            "a@[127.0.0.1]",
            "a@b.c\r\nBcc: x@y.z",
            "a\n@b.c",
            "a\0@b.c",
            "a,b@c.d",
            "a;b@c.d",
            "<a@b.c>",
            "é@b.c",
            "a@é.c",
            &long_local,
            &long,
        ] {
            assert_eq!(Email::parse(text), Err(NotAnEmail), "{text:?}");
        }
    }
}
