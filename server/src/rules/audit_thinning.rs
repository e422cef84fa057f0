//! Which lines the audit keeps of what anybody can make happen: the first of each hour, then ever fewer, each with how many
//! there were before it.

use std::collections::BTreeMap;

use crate::time::Timestamp;

/// Lines of one event in one hour that are kept as they are.
const KEPT: u64 = 200;

const HOUR: i64 = 3600;

/// How often each event has happened in its hour.
#[derive(Debug, Default)]
pub struct AuditThinning(BTreeMap<&'static str, (i64, u64)>);

/// Whether a line is kept.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Thinned {
    Kept,
    /// As the sign of so many of this hour.
    Sign(u64),
    Dropped,
}

impl AuditThinning {
    /// Counts one event.
    pub fn count(&mut self, event: &'static str, now: Timestamp) -> Thinned {
        let hour = now.secs().div_euclid(HOUR);
        let (then, count) = self.0.entry(event).or_insert((hour, 0));
        if *then != hour {
            (*then, *count) = (hour, 0);
        }
        *count += 1;
        match *count {
            ..=KEPT => Thinned::Kept,
            count if count % KEPT == 0 && (count / KEPT).is_power_of_two() => Thinned::Sign(count),
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
            match thinning.count("code_refused", then) {
                Thinned::Kept => kept += 1,
                Thinned::Sign(count) => signs.push(count),
                Thinned::Dropped => {}
            }
        }
        assert_eq!(kept, KEPT);
        assert_eq!(signs, [400, 800, 1600, 3200, 6400, 12_800, 25_600, 51_200]);
        assert_eq!(thinning.count("client_refused", then), Thinned::Kept);
        assert_eq!(thinning.count("code_refused", later), Thinned::Kept, "a new hour");
    }
}
