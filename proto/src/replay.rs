//! What servers do with a refresh token that comes twice, in one word for each kind of server.

use serde::{Deserialize, Serialize, Serializer};
use std::fmt;
use std::str::FromStr;

/// What a server does with a refresh token that it has already exchanged (RFC 6749 section 6, RFC 9700 section 4.14.2).
/// Written as one word, as in `strict_family` or `grace(30)`; the table in `docs/rotation.md` says what follows from each.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum ReplayRule {
    /// The refresh token stays the same.
    NotRotated,
    /// Each refresh gives a new token, and the old one still works.
    OldStays,
    /// The old token works until its successor is used.
    UntilUsed,
    /// The old token works for so many seconds after it was exchanged.
    Grace(u32),
    /// The old token is refused; the newest one still works.
    StrictReject,
    /// The old token is refused, and every token of the same sign-in is revoked.
    StrictFamily,
    /// The old token is refused, and the user is signed out everywhere.
    StrictUser,
    /// Nobody knows.
    Unknown,
}

/// What a server answers to a refresh token that comes twice, where it accepts it.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum RepeatedAnswer {
    /// The tokens of the first answer.
    Same,
    /// Other tokens; those of the first answer work, too.
    New,
    /// Other tokens; those of the first answer stop working.
    LastWins,
    /// An access token, and no refresh token.
    AccessOnly,
}

/// A word that is no [`ReplayRule`].
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct NotAReplayRule;

impl ReplayRule {
    /// How the rules are written; `grace` has its seconds in brackets.
    pub const WORDS: [&'static str; 8] = [
        "not_rotated",
        "old_stays",
        "until_used",
        "grace(SECONDS)",
        "strict_reject",
        "strict_family",
        "strict_user",
        "unknown",
    ];
}

impl fmt::Display for ReplayRule {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::NotRotated => f.write_str("not_rotated"),
            Self::OldStays => f.write_str("old_stays"),
            Self::UntilUsed => f.write_str("until_used"),
            Self::Grace(secs) => write!(f, "grace({secs})"),
            Self::StrictReject => f.write_str("strict_reject"),
            Self::StrictFamily => f.write_str("strict_family"),
            Self::StrictUser => f.write_str("strict_user"),
            Self::Unknown => f.write_str("unknown"),
        }
    }
}

impl FromStr for ReplayRule {
    type Err = NotAReplayRule;

    fn from_str(word: &str) -> Result<Self, Self::Err> {
        Ok(match word {
            "not_rotated" => Self::NotRotated,
            "old_stays" => Self::OldStays,
            "until_used" => Self::UntilUsed,
            "strict_reject" => Self::StrictReject,
            "strict_family" => Self::StrictFamily,
            "strict_user" => Self::StrictUser,
            "unknown" => Self::Unknown,
            _ => {
                let secs = word.strip_prefix("grace(").and_then(|rest| rest.strip_suffix(')'));
                let secs = secs.filter(|secs| secs.bytes().all(|b| b.is_ascii_digit()));
                Self::Grace(secs.and_then(|secs| secs.parse().ok()).ok_or(NotAReplayRule)?)
            }
        })
    }
}

impl Serialize for ReplayRule {
    fn serialize<S: Serializer>(&self, to: S) -> Result<S::Ok, S::Error> {
        to.collect_str(self)
    }
}

/// A word that this build does not know is [`ReplayRule::Unknown`]: a newer agent may have more.
impl<'de> Deserialize<'de> for ReplayRule {
    fn deserialize<D: serde::Deserializer<'de>>(from: D) -> Result<Self, D::Error> {
        let word = String::deserialize(from)?;
        Ok(word.parse().unwrap_or(Self::Unknown))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn every_rule_is_read_as_it_is_written() {
        for word in ReplayRule::WORDS {
            let word = word.replace("SECONDS", "30");
            assert_eq!(word.parse::<ReplayRule>().map(|rule| rule.to_string()), Ok(word));
        }
        for bad in
            ["", "grace", "grace()", "grace(-1)", "grace(+1)", "grace(1", "grace(99999999999)", "strict"]
        {
            assert_eq!(bad.parse::<ReplayRule>(), Err(NotAReplayRule), "{bad}");
        }
    }
}
