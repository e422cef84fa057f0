//! Moments as people read them. There is no telling a reader's time zone without a script, so days are UTC's.

use std::time::Duration;

use crate::time::Timestamp;

/// A moment, said in three ways.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct DisplayTime {
    /// RFC 3339, for the `datetime` of a `<time>`.
    pub machine: String,
    /// `15 January 2027, 08:00 UTC`.
    pub exact: String,
    /// `15 Jan 2027`.
    pub day: String,
    /// `5 minutes ago`; after a week, the day.
    pub ago: String,
}

impl DisplayTime {
    /// `at`, seen from `now`.
    pub fn new(at: Timestamp, now: Timestamp) -> Self {
        let (exact, day) = match jiff::Timestamp::from_millisecond(at.millis()) {
            Ok(at) => (at.strftime("%-d %B %Y, %H:%M UTC").to_string(), at.strftime("%-d %b %Y").to_string()),
            Err(_) => ("an unknown time".to_owned(), "unknown".to_owned()),
        };
        let ago = ago(now.since(at)).unwrap_or_else(|| day.clone());
        Self { machine: at.rfc3339(), exact, day, ago }
    }

    /// For the middle of a sentence: `5 minutes ago`; after a week, `on 15 Jan 2027`.
    pub fn in_sentence(&self) -> String {
        if self.ago == self.day { format!("on {}", self.day) } else { self.ago.clone() }
    }
}

fn ago(span: Duration) -> Option<String> {
    let minutes = span.as_secs() / 60;
    let count = |n: u64, unit: &str| Some(format!("{n} {unit}{} ago", if n == 1 { "" } else { "s" }));
    match (minutes, minutes / 60, minutes / 60 / 24) {
        (0 | 1, _, _) => Some("just now".to_owned()),
        (minutes, 0, _) => count(minutes, "minute"),
        (_, hours, 0) => count(hours, "hour"),
        (_, _, days @ 1..=7) => count(days, "day"),
        (_, _, _) => None,
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn moments_are_said_as_people_say_them() {
        let now = Timestamp::from_secs(1_800_000_000);
        for (secs, expected) in [
            (0, "just now"),
            (119, "just now"),
            (120, "2 minutes ago"),
            (3599, "59 minutes ago"),
            (3600, "1 hour ago"),
            (86_400, "1 day ago"),
            (7 * 86_400, "7 days ago"),
            (8 * 86_400, "7 Jan 2027"),
        ] {
            assert_eq!(DisplayTime::new(now.minus(Duration::from_secs(secs)), now).ago, expected);
        }
        assert_eq!(
            DisplayTime::new(now.minus(Duration::from_secs(8 * 86_400)), now).in_sentence(),
            "on 7 Jan 2027"
        );
        let when = DisplayTime::new(now, now);
        assert_eq!(when.in_sentence(), "just now");
        assert_eq!(when.exact, "15 January 2027, 08:00 UTC");
        assert_eq!(when.machine, "2027-01-15T08:00:00Z");
        assert_eq!(DisplayTime::new(Timestamp::from_millis(i64::MAX), now).day, "unknown");
    }
}
