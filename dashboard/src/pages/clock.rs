//! Moments as people read them, in this machine's time zone; the browser runs on the same machine.

use jiff::tz::TimeZone;
use jiff::{Timestamp, Zoned};

/// What time it is, and where.
#[derive(Debug, Clone)]
pub struct Clock {
    now: u64,
    zone: TimeZone,
}

/// A moment, said in several ways.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct ShownTime {
    /// Unix seconds, for the script that counts down.
    pub unix: u64,
    /// RFC 3339, for the `datetime` of a `<time>`.
    pub machine: String,
    /// `28 November 2026, 14:03:05 +01:00`.
    pub exact: String,
    /// `28 November 2026`.
    pub date: String,
    /// `14:03:05`.
    pub second: String,
    /// `at 14:03`, `tomorrow at 14:03`, `on 28 November at 14:03`.
    pub near: String,
    /// By days of the calendar, to begin a sentence: `Today at 14:03`, `Tomorrow at 14:03`, `In 7 days, at 14:03`.
    pub ahead: String,
    /// How far away it is, either way: `41 min`.
    pub away: String,
    /// The same ticking: `41:07`.
    pub counter: String,
    /// Whether it is over.
    pub past: bool,
}

impl Clock {
    /// The system's.
    pub fn system() -> Self {
        let now = Timestamp::now().as_second();
        Self { now: u64::try_from(now).unwrap_or_default(), zone: TimeZone::system() }
    }

    /// Stopped at these unix seconds.
    #[cfg(test)]
    pub fn at(now: u64, zone: TimeZone) -> Self {
        Self { now, zone }
    }

    /// How far from UTC it is here now: `UTC+01:00`.
    pub fn offset(&self) -> String {
        self.zoned(self.now).map_or_else(|| "UTC".to_owned(), |now| now.strftime("UTC%:z").to_string())
    }

    /// Now, in unix seconds.
    pub fn now(&self) -> u64 {
        self.now
    }

    /// A moment in unix seconds, seen from now.
    pub fn when(&self, unix: u64) -> ShownTime {
        let away = unix.abs_diff(self.now);
        let at = self.zoned(unix);
        let say =
            |form: &str| at.as_ref().map_or_else(|| "never".to_owned(), |at| at.strftime(form).to_string());
        let clock = say("%H:%M");
        let days = self.days_away(at.as_ref());
        let near = match days {
            Some(0) => format!("at {clock}"),
            Some(1) => format!("tomorrow at {clock}"),
            Some(-1) => format!("yesterday at {clock}"),
            Some(_) => format!("on {} at {clock}", say("%-d %B")),
            None => "never".to_owned(),
        };
        let ahead = match days {
            Some(1) => format!("Tomorrow at {clock}"),
            Some(days @ 2..) => format!("In {days} days, at {clock}"),
            Some(_) => format!("Today at {clock}"),
            None => "Never".to_owned(),
        };
        ShownTime {
            unix,
            machine: at.as_ref().map_or_else(String::new, |at| at.timestamp().to_string()),
            exact: say("%-d %B %Y, %H:%M:%S %:z"),
            date: say("%-d %B %Y"),
            second: say("%H:%M:%S"),
            near,
            ahead,
            away: words(away),
            counter: counter(away),
            past: unix <= self.now,
        }
    }

    /// `Today`, `Yesterday`, `Friday, 20 November`.
    pub fn day(&self, unix: u64) -> String {
        let at = self.zoned(unix);
        match (self.days_away(at.as_ref()), at) {
            (Some(0), _) => "Today".to_owned(),
            (Some(-1), _) => "Yesterday".to_owned(),
            (_, Some(at)) => at.strftime("%A, %-d %B %Y").to_string(),
            (_, None) => "Some other day".to_owned(),
        }
    }

    /// The day so many days from now, as a date field writes it.
    pub fn date_field(&self, days: u64) -> String {
        let at = self.zoned(self.now.saturating_add(days.saturating_mul(86_400)));
        at.map_or_else(String::new, |at| at.strftime("%Y-%m-%d").to_string())
    }

    /// The last day whose nine o'clock, the hour a chosen day stands for, is within so many days from now.
    pub fn last_date_field(&self, days: u64) -> String {
        let morning_hours = 9 * 3600;
        let at =
            self.zoned(self.now.saturating_add(days.saturating_mul(86_400)).saturating_sub(morning_hours));
        at.map_or_else(String::new, |at| at.strftime("%Y-%m-%d").to_string())
    }

    fn days_away(&self, at: Option<&Zoned>) -> Option<i32> {
        let (now, at) = (self.zoned(self.now)?, at?);
        Some(now.date().until(at.date()).ok()?.get_days())
    }

    fn zoned(&self, unix: u64) -> Option<Zoned> {
        let at = Timestamp::from_second(i64::try_from(unix).ok()?).ok()?;
        Some(at.to_zoned(self.zone.clone()))
    }
}

/// A span in words; `assets/time.js` says the same.
pub fn words(secs: u64) -> String {
    match secs {
        0..60 => format!("{secs} s"),
        60..7200 => format!("{} min", secs / 60),
        7200..172_800 if (secs / 60).is_multiple_of(60) => format!("{} h", secs / 3600),
        7200..172_800 => format!("{} h {} min", secs / 3600, secs / 60 % 60),
        _ => format!("{} days", secs / 86_400),
    }
}

/// A span as a counter; `assets/time.js` says the same.
pub fn counter(secs: u64) -> String {
    let (minutes, seconds) = (secs / 60 % 60, secs % 60);
    match secs {
        0..3600 => format!("{minutes}:{seconds:02}"),
        3600..172_800 => format!("{}:{minutes:02}:{seconds:02}", secs / 3600),
        _ => words(secs),
    }
}

#[cfg(test)]
mod tests {
    use super::super::samples::NOON;
    use super::*;

    #[test]
    fn spans_are_said_as_people_say_them() {
        let said = [
            (0, "0 s", "0:00"),
            (59, "59 s", "0:59"),
            (60, "1 min", "1:00"),
            (3599, "59 min", "59:59"),
            (7199, "119 min", "1:59:59"),
            (7200, "2 h", "2:00:00"),
            (11_405, "3 h 10 min", "3:10:05"),
            (172_800, "2 days", "2 days"),
        ];
        for (secs, in_words, counting) in said {
            assert_eq!((words(secs).as_str(), counter(secs).as_str()), (in_words, counting));
        }
    }

    #[test]
    fn days_ahead_are_those_of_the_calendar() {
        // An hour west of Greenwich, noon there is 11:00, and the day ends an hour later.
        let clock = Clock::at(NOON, TimeZone::fixed(jiff::tz::offset(-1)));
        for (away, said) in [
            (46_799, "Today at 23:59"),
            (46_800, "Tomorrow at 00:00"),
            (7 * 86_400 - 10, "In 7 days, at 10:59"),
            (7 * 86_400, "In 7 days, at 11:00"),
            (5 * 86_400 + 46_799, "In 5 days, at 23:59"),
            (5 * 86_400 + 46_800, "In 6 days, at 00:00"),
        ] {
            assert_eq!(clock.when(NOON + away).ahead, said);
        }
        assert_eq!(clock.when(NOON - 1).ahead, "Today at 10:59", "the agent says when it is due");
        assert_eq!(clock.when(u64::MAX).ahead, "Never");
    }

    #[test]
    fn the_last_day_can_be_chosen_at_any_hour() {
        for (away, said) in [(0, "2027-11-21"), (-3 * 3600, "2027-11-21"), (-3 * 3600 - 1, "2027-11-20")] {
            let clock = Clock::at(NOON.saturating_add_signed(away), TimeZone::UTC);
            assert_eq!(clock.last_date_field(365), said, "{away}");
        }
    }

    #[test]
    fn moments_are_said_by_how_near_they_are() {
        let noon = 1_795_262_400; // 21 November 2026, 12:00 UTC, a Saturday
        let clock = Clock::at(noon, TimeZone::UTC);
        assert_eq!(clock.when(noon + 60).near, "at 12:01");
        assert_eq!(clock.when(noon + 86_400).near, "tomorrow at 12:00");
        assert_eq!(clock.when(noon + 7 * 86_400).near, "on 28 November at 12:00");
        assert_eq!(clock.when(noon - 86_400).near, "yesterday at 12:00");
        assert_eq!(clock.when(noon).exact, "21 November 2026, 12:00:00 +00:00");
        assert_eq!(clock.when(noon).machine, "2026-11-21T12:00:00Z");
        assert_eq!(clock.day(noon - 60), "Today");
        assert_eq!(clock.day(noon - 13 * 3600), "Yesterday");
        assert_eq!(clock.day(noon - 3 * 86_400), "Wednesday, 18 November 2026");
        assert_eq!(clock.date_field(1), "2026-11-22");
        assert!(clock.when(noon).past && !clock.when(noon + 1).past);
        assert_eq!(clock.when(u64::MAX).exact, "never");
        assert_eq!(clock.when(u64::MAX).near, "never");
    }
}
