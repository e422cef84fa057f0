//! Which lines the audit keeps of what anybody can make happen: the first of each hour, then ever fewer, each with how many
//! there were before it.

use std::collections::BTreeMap;

use crate::time::Timestamp;

/// Lines of one event in one hour that are kept as they are: of what anybody can cause, and of what one user can.
const KEPT: u64 = 200;
const KEPT_OF_USER: u64 = 20;

const HOUR: i64 = 3600;

/// How often each event has happened in this hour, and for whom.
#[derive(Debug, Default)]
pub struct AuditThinning {
    hour: i64,
    counts: BTreeMap<(&'static str, Option<String>), u64>,
}

/// Whether a line is kept.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Thinned {
    Kept,
    /// As the sign of so many of this hour.
    Sign(u64),
    Dropped,
}

impl AuditThinning {
    /// Counts one event, for this user if it is counted by user.
    pub fn count(&mut self, event: &'static str, user: Option<&str>, now: Timestamp) -> Thinned {
        let hour = now.secs().div_euclid(HOUR);
        if self.hour != hour {
            self.hour = hour;
            self.counts.clear();
        }
        let count = self.counts.entry((event, user.map(str::to_owned))).or_default();
        *count += 1;
        let kept = if user.is_some() { KEPT_OF_USER } else { KEPT };
        match *count {
            count if count <= kept => Thinned::Kept,
            count if count % kept == 0 && (count / kept).is_power_of_two() => Thinned::Sign(count),
            _ => Thinned::Dropped,
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_flood_leaves_few_lines_that_tell_of_it() {
        let mut thinning = AuditThinning::default();
        let (then, later) = (Timestamp::from_secs(7200), Timestamp::from_secs(10_800));
        let mut kept = 0;
        let mut signs = Vec::new();
        for _ in 0..100_000 {
            match thinning.count("code_refused", None, then) {
                Thinned::Kept => kept += 1,
                Thinned::Sign(count) => signs.push(count),
                Thinned::Dropped => {}
            }
        }
        assert_eq!(kept, KEPT);
        assert_eq!(signs, [400, 800, 1600, 3200, 6400, 12_800, 25_600, 51_200]);
        assert_eq!(thinning.count("client_refused", None, then), Thinned::Kept);
        assert_eq!(thinning.count("code_refused", None, later), Thinned::Kept, "a new hour");
    }

    #[test]
    fn one_users_flood_takes_no_line_from_anothers() {
        let (mut thinning, now) = (AuditThinning::default(), Timestamp::from_secs(7200));
        let mut count = |user| thinning.count("refused", user, now);
        let kept = (0..1000).filter(|_| count(Some("ada")) == Thinned::Kept).count();
        assert_eq!(kept as u64, KEPT_OF_USER);
        assert_eq!((count(Some("bob")), count(None)), (Thinned::Kept, Thinned::Kept));
    }
}
