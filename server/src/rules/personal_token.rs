//! Personal access tokens: what they may be called, how long they last, whether they still count.

use std::time::Duration;

use crate::rules::plan::Plan;
use crate::rules::text::kept;
use crate::time::Timestamp;

/// The longest name, in characters.
pub const LONGEST_NAME: usize = 64;

/// The longest lapse, in days.
pub const LONGEST_LAPSE: u32 = 366;

/// How often a use is written down.
const USE_NOTED_EVERY: Duration = Duration::from_secs(60);

const DAY: Duration = Duration::from_secs(86_400);

/// What is wrong with a request for a token; for people.
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
pub enum InvalidTokenRequest {
    /// The name is too long, or holds what can't be shown.
    #[error("The name may have up to 64 characters, and none that can't be seen.")]
    Name,
    #[error("A token may last from 1 to 366 days, or until it is revoked.")]
    Lapse,
}

/// How long a token shall last.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum TokenLapse {
    /// Nobody said: as long as this server lets one last then.
    Usual,
    Days(u32),
    /// Until it is revoked, which has to be asked for.
    Never,
}

/// A token that someone wishes to have.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct PersonalTokenRequest {
    name: String,
    lapse: TokenLapse,
}

impl PersonalTokenRequest {
    /// A token called `name` (left empty: "CLI token") that lapses so.
    pub fn new(name: &str, lapse: TokenLapse) -> Result<Self, InvalidTokenRequest> {
        let name = name.trim();
        if name.chars().count() > LONGEST_NAME || name.chars().any(is_unseen) {
            return Err(InvalidTokenRequest::Name);
        }
        match lapse {
            TokenLapse::Usual | TokenLapse::Days(1..=LONGEST_LAPSE) | TokenLapse::Never => {}
            TokenLapse::Days(_) => return Err(InvalidTokenRequest::Lapse),
        }
        Ok(Self { name: kept(if name.is_empty() { "CLI token" } else { name }), lapse })
    }

    /// What the token shall be called.
    pub fn name(&self) -> &str {
        &self.name
    }

    /// When the token lapses if it is made `now`, where one usually lasts for `usual`.
    pub fn expires_at(&self, usual: Duration, now: Timestamp) -> Option<Timestamp> {
        match self.lapse {
            TokenLapse::Usual => Some(now.plus(usual)),
            TokenLapse::Days(days) => Some(now.plus(DAY.saturating_mul(days))),
            TokenLapse::Never => None,
        }
    }
}

/// Control characters, and those that hide or turn round the text beside them.
fn is_unseen(c: char) -> bool {
    c.is_control()
        || matches!(c, '\u{ad}' | '\u{61c}' | '\u{180e}' | '\u{200b}'..='\u{200f}' | '\u{2028}'..='\u{202e}'
            | '\u{2060}'..='\u{206f}' | '\u{fe00}'..='\u{fe0f}' | '\u{feff}' | '\u{e0000}'..='\u{e01ef}')
}

/// Whether a token still counts.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum PersonalTokenStanding {
    Live,
    Revoked,
    Lapsed,
}

/// Decides by when the token was revoked and when it lapses.
pub fn standing(
    revoked_at: Option<Timestamp>,
    expires_at: Option<Timestamp>,
    now: Timestamp,
) -> PersonalTokenStanding {
    match (revoked_at, expires_at) {
        (Some(_), _) => PersonalTokenStanding::Revoked,
        (None, Some(expires_at)) if now >= expires_at => PersonalTokenStanding::Lapsed,
        (None, Some(_) | None) => PersonalTokenStanding::Live,
    }
}

/// Whether one more fits beside the `live` ones.
pub fn has_room(plan: Plan, live: u32) -> bool {
    live < plan.personal_tokens
}

/// Whether a use is to be written down, or was so recently that it makes no difference.
pub fn is_news(last_used_at: Option<Timestamp>, now: Timestamp) -> bool {
    last_used_at.is_none_or(|at| now.since(at) >= USE_NOTED_EVERY)
}

#[cfg(test)]
mod tests {
    use super::*;

    const NOW: Timestamp = Timestamp::from_secs(1_000);

    #[test]
    fn names_are_short_and_can_be_seen() {
        let named = |name: &str| PersonalTokenRequest::new(name, TokenLapse::Usual);
        assert_eq!(named("  M2 MacBook ").unwrap().name(), "M2 MacBook");
        assert_eq!(named(" ").unwrap().name(), "CLI token");
        assert_eq!(named(&"é".repeat(64)).unwrap().name().chars().count(), 64);
        for name in [&"é".repeat(65), "a\nb", "a\0", "a\u{202e}b", "\u{200b}", "a\u{2028}b", "\u{1b}[31m"] {
            assert_eq!(named(name), Err(InvalidTokenRequest::Name), "{name:?}");
        }
    }

    #[test]
    fn a_token_lapses_unless_never_was_asked_for() {
        let expires_at = |lapse| PersonalTokenRequest::new("a", lapse).unwrap().expires_at(DAY * 90, NOW);
        assert_eq!(expires_at(TokenLapse::Never), None);
        assert_eq!(expires_at(TokenLapse::Usual), Some(NOW.plus(DAY * 90)));
        assert_eq!(expires_at(TokenLapse::Days(1)), Some(NOW.plus(DAY)));
        assert_eq!(expires_at(TokenLapse::Days(366)), Some(NOW.plus(DAY * 366)));
        for days in [0, 367, u32::MAX] {
            let request = PersonalTokenRequest::new("a", TokenLapse::Days(days));
            assert_eq!(request, Err(InvalidTokenRequest::Lapse));
        }
    }

    #[test]
    fn a_token_counts_until_it_is_revoked_or_lapses() {
        let later = Some(Timestamp::from_secs(1_001));
        assert_eq!(standing(None, None, NOW), PersonalTokenStanding::Live);
        assert_eq!(standing(None, later, NOW), PersonalTokenStanding::Live);
        assert_eq!(standing(None, Some(NOW), NOW), PersonalTokenStanding::Lapsed);
        assert_eq!(standing(Some(NOW), Some(NOW), NOW), PersonalTokenStanding::Revoked);
        assert_eq!(standing(later, None, NOW), PersonalTokenStanding::Revoked);
    }

    #[test]
    fn the_plan_sets_how_many() {
        assert!(has_room(Plan::named("free"), 2));
        assert!(!has_room(Plan::named("free"), 3));
    }

    #[test]
    fn a_use_is_news_once_a_minute() {
        assert!(is_news(None, NOW));
        assert!(!is_news(Some(NOW), Timestamp::from_millis(1_059_999)));
        assert!(is_news(Some(NOW), Timestamp::from_secs(1_060)));
    }
}
