//! Until when a report is kept.

use std::time::Duration;

use crate::time::Timestamp;

const DAY: Duration = Duration::from_secs(86_400);

/// When a report that is to be kept for `days` goes; the default if nothing was said. `None` if that is not from one
/// day up to the longest.
pub fn retain_until(
    days: Option<i64>,
    default: Duration,
    longest: Duration,
    now: Timestamp,
) -> Option<Timestamp> {
    let Some(days) = days else { return Some(now.plus(default.min(longest))) };
    let days = u32::try_from(days).ok().filter(|days| *days > 0)?;
    let span = DAY.checked_mul(days).filter(|span| *span <= longest)?;
    Some(now.plus(span))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_report_is_kept_from_a_day_to_the_longest() {
        let now = Timestamp::from_secs(1000);
        let until = |days, default: u32| retain_until(days, DAY * default, DAY * 30, now);
        assert_eq!(until(None, 7), Some(now.plus(DAY * 7)));
        assert_eq!(until(None, 90), Some(now.plus(DAY * 30)), "the longest holds for the default, too");
        assert_eq!(until(Some(1), 7), Some(now.plus(DAY)));
        assert_eq!(until(Some(30), 7), Some(now.plus(DAY * 30)));
        for days in [0, -1, 31, i64::MAX, i64::MIN] {
            assert_eq!(until(Some(days), 7), None, "{days}");
        }
    }
}
