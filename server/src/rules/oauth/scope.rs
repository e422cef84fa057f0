//! Scopes: what a client may learn about its user, in words that people can decide by.

/// A scope this server knows.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub enum Scope {
    /// Sign in with OpenID Connect: an id_token.
    OpenId,
    /// The user's name.
    Profile,
    Email,
    /// A refresh token.
    OfflineAccess,
}

impl Scope {
    /// Every one, in the order in which they are written.
    pub const ALL: [Self; 4] = [Self::OpenId, Self::Profile, Self::Email, Self::OfflineAccess];

    /// Its name on the wire.
    pub fn as_str(self) -> &'static str {
        match self {
            Self::OpenId => "openid",
            Self::Profile => "profile",
            Self::Email => "email",
            Self::OfflineAccess => "offline_access",
        }
    }

    /// What it lets a client do, for the person who is asked.
    pub fn in_words(self) -> &'static str {
        match self {
            Self::OpenId => "know which account is yours",
            Self::Profile => "see your name",
            Self::Email => "see your email address",
            Self::OfflineAccess => "stay signed in while you are away",
        }
    }
}

/// A set of known scopes.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Scopes(Vec<Scope>);

/// The text is not a scope as RFC 6749 section 3.3 writes it, or asks for nothing that may be given.
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
#[error("the scope is malformed, or holds nothing that may be granted")]
pub struct NoScope;

/// The longest scope that is looked at, in bytes.
const LONGEST: usize = 1000;

impl Scopes {
    pub fn all() -> Self {
        Self(Scope::ALL.to_vec())
    }

    /// The scope of a request that names none: enough to know whose token it is.
    pub fn unasked() -> Self {
        Self(vec![Scope::Profile, Scope::Email])
    }

    /// Reads what a client sent. Words that are not known are left out (OpenID Connect Core section 3.1.2.1), but
    /// something must be left.
    pub fn parse(text: &str) -> Result<Self, NoScope> {
        let fits = |byte: u8| byte == b' ' || (byte.is_ascii_graphic() && byte != b'"' && byte != b'\\');
        if text.len() > LONGEST || !text.bytes().all(fits) {
            return Err(NoScope);
        }
        let asked = Self::read(text);
        if asked.0.is_empty() { Err(NoScope) } else { Ok(asked) }
    }

    /// Reads what was stored or signed.
    pub fn read(text: &str) -> Self {
        let words: Vec<&str> = text.split(' ').collect();
        Self(Scope::ALL.into_iter().filter(|scope| words.contains(&scope.as_str())).collect())
    }

    /// What both hold.
    pub fn and(&self, other: &Self) -> Self {
        Self(self.0.iter().copied().filter(|scope| other.has(*scope)).collect())
    }

    /// Whether it holds this one.
    pub fn has(&self, scope: Scope) -> bool {
        self.0.contains(&scope)
    }

    /// Whether it holds everything that `other` does.
    pub fn covers(&self, other: &Self) -> bool {
        other.0.iter().all(|scope| self.has(*scope))
    }

    /// Whether it holds nothing.
    pub fn is_empty(&self) -> bool {
        self.0.is_empty()
    }

    pub fn iter(&self) -> impl Iterator<Item = Scope> {
        self.0.iter().copied()
    }

    /// Its words with single spaces between them.
    pub fn text(&self) -> String {
        self.0.iter().map(|scope| scope.as_str()).collect::<Vec<_>>().join(" ")
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn known_words_are_kept_in_order_and_once() {
        for (text, kept) in [
            ("openid", "openid"),
            ("email openid", "openid email"),
            ("openid openid email", "openid email"),
            ("openid admin:write email", "openid email"),
            ("  profile  ", "profile"),
        ] {
            assert_eq!(Scopes::parse(text).unwrap().text(), kept, "{text}");
        }
    }

    #[test]
    fn what_is_malformed_or_leaves_nothing_is_refused() {
        for text in ["", " ", "OPENID", "admin", "openid\temail", "openid\nemail", "open\"id", "é openid"] {
            assert!(Scopes::parse(text).is_err(), "{text:?}");
        }
        assert!(Scopes::parse(&format!("openid {}", "x".repeat(LONGEST))).is_err());
    }

    #[test]
    fn a_set_covers_its_parts_and_nothing_wider() {
        let (wide, narrow) = (Scopes::read("openid email"), Scopes::read("email"));
        assert!(wide.covers(&narrow) && wide.covers(&wide) && !narrow.covers(&wide));
        assert_eq!(wide.and(&narrow), narrow);
        assert!(narrow.and(&Scopes::read("profile")).is_empty());
    }
}
