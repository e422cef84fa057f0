//! When a session is refreshed if nobody asks for it.

use crate::policy::refresh_ahead_ms;
use crate::session::Session;
use crate::time::{Boot, Moment};

/// When a session whose access token lives and expires so is to be refreshed.
pub(super) fn due(
    now: &Moment,
    session: &Session,
    expires: Boot,
    lifetime_secs: Option<u64>,
    margin_secs: u64,
) -> Boot {
    let ahead = |lifetime| refresh_ahead_ms(lifetime, margin_secs, now.random_permille("jitter"));
    let due = lifetime_secs.map_or(Boot::NEVER, |secs| expires.minus_ms(ahead(secs)));
    // A refresh token that would end unused before the access token does is used in time.
    let left = session.refresh_expires_at.map(|at| at.saturating_sub(now.wall));
    let left = left.filter(|_| lifetime_secs.is_some());
    due.min(left.map_or(Boot::NEVER, |secs| now.boot.plus_ms(secs.saturating_mul(800))))
}
