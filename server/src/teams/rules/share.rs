//! Does a share link open its report? It must not be lapsed or revoked, and rests on its maker, who must still be
//! allowed to make it.

use std::time::Duration;

use crate::rules::role::Role;
use crate::teams::rules::permission::{Permission, TeamAction, decide};
use crate::time::Timestamp;

const DAY: Duration = Duration::from_secs(86_400);

/// The longest a link may work, in days.
pub const MOST_DAYS: i64 = 90;

/// The longest that one works which an access token alone makes, in days. Longer ones take a recent sign-in.
pub const MOST_DAYS_UNPROVED: i64 = 7;

#[derive(Clone, Copy, Debug)]
pub struct ShareFacts {
    pub expires_at: Timestamp,
    pub revoked: bool,
    /// Its maker's present role in the workspace: none if they left, or if their account is disabled.
    pub maker: Option<Role>,
}

pub fn opens(facts: ShareFacts, now: Timestamp) -> bool {
    let maker_may = |role| decide(role, TeamAction::Share) == Permission::Allowed;
    !facts.revoked && now < facts.expires_at && facts.maker.is_some_and(maker_may)
}

/// When a link that is to work for `days` lapses; `None` unless they are 1 to 90.
pub fn lapse(days: i64, now: Timestamp) -> Option<Timestamp> {
    let days = u32::try_from(days).ok().filter(|days| (1..=MOST_DAYS).contains(&i64::from(*days)))?;
    Some(now.plus(DAY * days))
}

#[cfg(test)]
mod tests {
    use super::*;

    const NOW: Timestamp = Timestamp::from_secs(1000);
    const GOOD: ShareFacts =
        ShareFacts { expires_at: Timestamp::from_secs(1001), revoked: false, maker: Some(Role::Admin) };

    #[test]
    fn a_link_needs_a_maker_who_may_share() {
        assert!(opens(GOOD, NOW));
        assert!(opens(ShareFacts { maker: Some(Role::Owner), ..GOOD }, NOW));
        assert!(!opens(GOOD, Timestamp::from_secs(1001)));
        assert!(!opens(ShareFacts { revoked: true, ..GOOD }, NOW));
        assert!(!opens(ShareFacts { maker: Some(Role::Member), ..GOOD }, NOW));
        assert!(!opens(ShareFacts { maker: None, ..GOOD }, NOW));
    }

    #[test]
    fn a_link_lives_1_to_90_days() {
        assert_eq!(lapse(1, NOW), Some(Timestamp::from_secs(1000 + 86_400)));
        assert_eq!(lapse(90, NOW), Some(Timestamp::from_secs(1000 + 90 * 86_400)));
        for days in [0, -1, 91, i64::MAX, i64::MIN] {
            assert_eq!(lapse(days, NOW), None);
        }
    }
}
