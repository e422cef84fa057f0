//! Who may have an account that has none yet.

use std::fmt;
use std::net::IpAddr;
use std::str::FromStr;

use crate::rules::email::Email;
use crate::rules::page_name::is_loopback;
use crate::rules::unknown_value::UnknownValue;

/// Who may sign up.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum SignUpMode {
    /// Everybody.
    Open,
    /// Who is on the list, and who is invited into a workspace.
    Invited,
    /// Who is on the list.
    Listed,
    /// Nobody.
    Closed,
}

impl SignUpMode {
    pub const ALL: [Self; 4] = [Self::Open, Self::Invited, Self::Listed, Self::Closed];

    /// The word for it in the database and on the command line.
    pub fn as_str(self) -> &'static str {
        match self {
            Self::Open => "open",
            Self::Invited => "invited",
            Self::Listed => "listed",
            Self::Closed => "closed",
        }
    }

    /// What holds until somebody decides: only a server that nobody else reaches is open.
    pub fn unset(public_url: &str, listens_at: IpAddr, behind_proxy: bool) -> Self {
        let alone = is_loopback(public_url) && listens_at.to_canonical().is_loopback() && !behind_proxy;
        if alone { Self::Open } else { Self::Invited }
    }
}

impl FromStr for SignUpMode {
    type Err = UnknownValue;

    fn from_str(text: &str) -> Result<Self, UnknownValue> {
        Self::ALL.into_iter().find(|mode| mode.as_str() == text).ok_or(UnknownValue)
    }
}

/// Somebody on the list: an address, or everybody at a domain.
#[derive(Clone, PartialEq, Eq)]
pub struct SignUpEntry(String);

/// The text is neither.
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
#[error("write an address such as ada@example.com, or a domain such as example.com")]
pub struct NotAnEntry;

impl SignUpEntry {
    pub fn parse(text: &str) -> Result<Self, NotAnEntry> {
        let text = text.trim_matches(' ');
        // Here `*` stands for nothing, though people write it so.
        if text.contains('*') {
            return Err(NotAnEntry);
        }
        let domain = match text.split_once('@') {
            Some(("", domain)) => domain,
            None => text,
            Some(_) => {
                return Email::parse(text)
                    .map(|email| Self(email.as_str().to_owned()))
                    .map_err(|_| NotAnEntry);
            }
        };
        // A domain is what can stand behind an address.
        let email = Email::parse(&format!("x@{domain}")).map_err(|_| NotAnEntry)?;
        Ok(Self(domain_of(&email)))
    }

    /// The two entries that let an address in. One with a route in it (`x%evil.example@example.com`), which old mail servers
    /// follow to another domain, must be listed as it is.
    pub fn that_admit(email: &Email) -> [Self; 2] {
        let address = Self(email.as_str().to_owned());
        let routed = email.as_str().contains(['%', '!']);
        [address.clone(), if routed { address } else { Self(domain_of(email)) }]
    }

    /// For an address: the entry that lets everybody at its domain in.
    pub fn domain(&self) -> Option<Self> {
        let (name, domain) = self.0.split_once('@')?;
        (!name.is_empty()).then(|| Self(format!("@{domain}")))
    }

    pub fn as_str(&self) -> &str {
        &self.0
    }
}

impl fmt::Debug for SignUpEntry {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("SignUpEntry(****)")
    }
}

fn domain_of(email: &Email) -> String {
    let domain = email.as_str().rsplit('@').next().unwrap_or_default();
    format!("@{domain}")
}

/// What is known of an address.
#[derive(Clone, Copy, Debug)]
pub struct SignUpFacts {
    pub has_account: bool,
    pub is_listed: bool,
    pub is_invited: bool,
}

/// Whether an address may sign in or up.
pub fn admits(mode: SignUpMode, facts: SignUpFacts) -> bool {
    facts.has_account
        || match mode {
            SignUpMode::Open => true,
            SignUpMode::Invited => facts.is_listed || facts.is_invited,
            SignUpMode::Listed => facts.is_listed,
            SignUpMode::Closed => false,
        }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn each_mode_admits_whom_it_says_and_every_account() {
        for mode in SignUpMode::ALL {
            for (has_account, is_listed, is_invited, admitted) in [
                (true, false, false, true),
                (false, true, false, mode != SignUpMode::Closed),
                (false, false, true, matches!(mode, SignUpMode::Open | SignUpMode::Invited)),
                (false, false, false, mode == SignUpMode::Open),
            ] {
                let facts = SignUpFacts { has_account, is_listed, is_invited };
                assert_eq!(admits(mode, facts), admitted, "{mode:?} {facts:?}");
            }
        }
    }

    #[test]
    fn only_a_server_on_loopback_is_open_by_itself() {
        for (public_url, listens_at, behind_proxy, mode) in [
            ("http://127.0.0.1:8787", "127.0.0.1", false, SignUpMode::Open),
            ("http://localhost:8787", "::1", false, SignUpMode::Open),
            ("http://127.0.0.1:8787", "127.0.0.1", true, SignUpMode::Invited),
            ("https://auth.example.com", "127.0.0.1", false, SignUpMode::Invited),
            ("http://192.168.1.2:8787", "192.168.1.2", false, SignUpMode::Invited),
            ("http://127.0.0.1:8787", "0.0.0.0", false, SignUpMode::Invited),
            ("http://localhost:8787", "::", false, SignUpMode::Invited),
            ("http://localhost:8787", "::ffff:192.0.2.1", false, SignUpMode::Invited),
        ] {
            let unset = SignUpMode::unset(public_url, listens_at.parse().unwrap(), behind_proxy);
            assert_eq!(unset, mode, "{public_url} {listens_at} {behind_proxy}");
        }
    }

    #[test]
    fn an_entry_is_an_address_or_a_domain() {
        for (text, entry) in [
            ("Ada@Example.com", "ada@example.com"),
            ("example.com", "@example.com"),
            (" @Example.com", "@example.com"),
        ] {
            assert_eq!(SignUpEntry::parse(text).unwrap().as_str(), entry);
        }
        for text in ["", "@", "a@", "a@b@c", "*.example.com", "exa mple.com", "@-x.com"] {
            assert!(SignUpEntry::parse(text).is_err(), "{text}");
        }
        let admitting = SignUpEntry::that_admit(&Email::parse("ada@mail.example.com").unwrap());
        assert_eq!(
            admitting.map(|entry| entry.as_str().to_owned()),
            ["ada@mail.example.com", "@mail.example.com"]
        );
        for routed in ["x%evil.example@corp.example", "evil.example!x@corp.example"] {
            let admitting = SignUpEntry::that_admit(&Email::parse(routed).unwrap());
            assert!(admitting.iter().all(|entry| entry.as_str() == routed), "{routed}");
        }
    }
}
