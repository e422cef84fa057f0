//! When a session is refreshed if nobody asks for it.

use crate::policy::{Policy, refresh_ahead_ms, refresh_gap_ms};
use crate::session::Session;
use crate::time::{Boot, Moment};

/// When a session whose access token lives and expires so is to be refreshed.
pub(super) fn due(
    now: &Moment,
    session: &Session,
    expires: Boot,
    lifetime_secs: Option<u64>,
    policy: &Policy,
) -> Boot {
    let gap_ms = refresh_gap_ms(policy.gap_ms, lifetime_secs);
    // What is over before it may be refreshed can't be kept fresh: then somebody has to ask.
    let outlives_gap = |secs: &u64| secs.saturating_mul(1000) > gap_ms;
    let ahead = |lifetime| refresh_ahead_ms(lifetime, policy.margin_secs, now.random_permille("jitter"));
    let kept_fresh = lifetime_secs.filter(outlives_gap);
    let due = kept_fresh.map_or(Boot::NEVER, |secs| expires.minus_ms(ahead(secs)));
    // A refresh token that would end unused before the access token does is used in time.
    let left = session.refresh_expires_at.map(|at| at.saturating_sub(now.wall));
    let left = left.filter(|secs| lifetime_secs.is_some() && outlives_gap(secs));
    due.min(left.map_or(Boot::NEVER, |secs| now.boot.plus_ms(secs.saturating_mul(800))))
}
