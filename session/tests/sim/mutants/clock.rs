//! The fault of counting by the wrong clock.

use super::Mutant;
use everkey_session::Moment;

/// How far the wall clock is ahead of the boot clock when a schedule begins.
const CLOCKS_APART_SECS: u64 = 1_800_000_000 - 3_600;

/// A boot clock that jumps with the wall clock, from where the two began.
pub fn clock(mutant: Option<Mutant>, now: &Moment) -> Moment {
    let jumped = now.wall.saturating_sub(CLOCKS_APART_SECS).saturating_sub(now.boot.0 / 1000);
    if mutant == Some(Mutant::WallClockForBootClock) && jumped > 10 {
        return Moment { boot: now.boot.plus_secs(jumped), ..*now };
    }
    *now
}
