//! Dates and times: typed by a person, and shown to one. Every time that is shown is this machine's, with its offset, to
//! the second; JSON has unix seconds.

use everkey_proto::text::harmless;
use jiff::civil::{Date, DateTime, Time};
use jiff::tz::TimeZone;
use jiff::{Timestamp, Zoned};

/// How far ahead a reminder may be, in seconds: 365 days.
const FURTHEST: i64 = 365 * 86_400;

/// When a day alone is named, the hour that is meant.
const MORNING: i8 = 9;

/// How a moment is shown.
const FORM: &str = "%Y-%m-%d %H:%M:%S %:z";

/// How it is shown where it is within minutes.
const CLOCK: &str = "%H:%M:%S %:z";

/// The time in unix seconds that a person types for `--at`: a day, or a day and a time, here unless an offset or Z follows.
/// The error is the sentence for the user.
pub fn parse_future(text: &str) -> Result<u64, String> {
    parse(text, &Zoned::now())
}

fn parse(text: &str, now: &Zoned) -> Result<u64, String> {
    let shown = harmless(text, 40);
    let at = timestamp(text.trim(), now.time_zone()).ok_or_else(|| {
        format!("{shown:?} is no time; write 2026-12-01, 2026-12-01T09:00 or 2026-12-01T09:00+01:00")
    })?;
    let away = at.as_second().saturating_sub(now.timestamp().as_second());
    match u64::try_from(at.as_second()) {
        Ok(_) if away > FURTHEST => Err(format!("{shown} is more than 365 days ahead")),
        Ok(at) if away > 0 => Ok(at),
        Ok(_) | Err(_) => Err(format!("{shown} is past")),
    }
}

/// The time in unix seconds that a person types for `--since`: a day, a day and a time, or how long ago it was, as `2h`.
/// The error is the sentence for the user.
pub fn parse_past(text: &str) -> Result<u64, String> {
    past(text.trim(), &Zoned::now()).ok_or_else(|| {
        let shown = harmless(text, 40);
        format!("{shown:?} is no time; write 2026-12-01, 2026-12-01T09:00, 2026-12-01T09:00+01:00, or 2h for two hours ago")
    })
}

fn past(text: &str, now: &Zoned) -> Option<u64> {
    let at = if let Ok(ago) = humantime::parse_duration(text) {
        now.timestamp().as_second().saturating_sub(i64::try_from(ago.as_secs()).ok()?)
    } else if let Ok(day) = text.parse::<Date>().and_then(|day| day.to_zoned(now.time_zone().clone())) {
        // A day alone begins with its first moment. An offset, a zone or a time makes more of it than a day.
        if text.len() > "2026-12-01".len() { timestamp(text, now.time_zone())? } else { day.timestamp() }
            .as_second()
    } else {
        timestamp(text, now.time_zone())?.as_second()
    };
    u64::try_from(at).ok()
}

fn timestamp(text: &str, here: &TimeZone) -> Option<Timestamp> {
    // As it is shown here.
    let text = &text.replace(" +", "+").replace(" -", "-");
    if text.contains('[') {
        return text.parse::<Zoned>().ok().map(|at| at.timestamp());
    }
    if let Ok(at) = text.parse::<Timestamp>() {
        return Some(at);
    }
    let civil: DateTime = if text.contains([':', 'T', 't', ' ']) {
        text.parse().ok()?
    } else {
        text.parse::<Date>().ok()?.to_datetime(Time::constant(MORNING, 0, 0, 0))
    };
    civil.to_zoned(here.clone()).ok().map(|at| at.timestamp())
}

/// The day in UTC: `2026-12-01`.
pub fn day(unix_secs: u64) -> String {
    timestamp_of(unix_secs).map_or_else(String::new, |at| at.strftime("%Y-%m-%d").to_string())
}

/// When it is here, and how far away that is: `2026-12-01 09:00:00 +01:00 (in 6 days)`.
pub fn local(unix_secs: u64) -> String {
    with_distance(unix_secs, &Zoned::now())
}

/// The same, seen from another moment.
pub fn local_as_of(unix_secs: u64, as_of: u64) -> String {
    let now = Zoned::now();
    let then = timestamp_of(as_of);
    with_distance(unix_secs, &then.map_or(now.clone(), |then| then.to_zoned(now.time_zone().clone())))
}

fn with_distance(unix_secs: u64, now: &Zoned) -> String {
    let Some(at) = timestamp_of(unix_secs) else { return "never".to_owned() };
    let away = at.as_second().saturating_sub(now.timestamp().as_second());
    let size = span(away.unsigned_abs());
    let at = at.to_zoned(now.time_zone().clone()).strftime(FORM).to_string();
    if away > 0 { format!("{at} (in {size})") } else { format!("{at} ({size} ago)") }
}

/// The time in unix seconds.
pub fn now() -> u64 {
    u64::try_from(Timestamp::now().as_second()).unwrap_or_default()
}

/// So many seconds in words, rounded.
pub fn span(secs: u64) -> String {
    match secs {
        0..100 => format!("{secs} s"),
        100..5_400 => format!("{} min", (secs + 30) / 60),
        5_400..129_600 => format!("{} h", (secs + 1_800) / 3_600),
        _ => format!("{} days", (secs + 43_200) / 86_400),
    }
}

/// When it is here, and nothing more.
pub fn moment(unix_secs: u64) -> String {
    in_form(unix_secs, FORM)
}

/// The time of day here.
pub fn clock(unix_secs: u64) -> String {
    in_form(unix_secs, CLOCK)
}

/// The time of day here, so many seconds from now; with the date if it is another day's.
pub fn clock_in(secs: u32) -> String {
    let now = Timestamp::now().as_second();
    let [now, then] =
        [now, now.saturating_add(i64::from(secs))].map(|at| u64::try_from(at).unwrap_or_default());
    let day = |at| in_form(at, "%Y-%m-%d");
    if day(now) == day(then) { clock(then) } else { format!("{} {}", day(then), clock(then)) }
}

/// When it is here, in the form (`strftime`) that another tool's documents have.
pub fn in_form(unix_secs: u64, form: &str) -> String {
    timestamp_of(unix_secs)
        .map_or_else(|| "never".to_owned(), |at| at.to_zoned(TimeZone::system()).strftime(form).to_string())
}

/// RFC 3339 in UTC.
pub fn rfc3339(unix_secs: u64) -> String {
    timestamp_of(unix_secs)
        .map_or_else(|| "never".to_owned(), |at| at.strftime("%Y-%m-%dT%H:%M:%SZ").to_string())
}

fn timestamp_of(unix_secs: u64) -> Option<Timestamp> {
    i64::try_from(unix_secs).ok().and_then(|secs| Timestamp::from_second(secs).ok())
}

#[cfg(test)]
mod tests {
    use super::*;

    fn now() -> Zoned {
        "2026-11-21T12:00[Europe/Berlin]".parse().unwrap()
    }

    fn at(text: &str) -> Result<String, String> {
        let secs = parse(text, &now())?;
        Ok(Timestamp::from_second(i64::try_from(secs).unwrap()).unwrap().to_string())
    }

    #[test]
    fn a_time_is_here_unless_it_says_where() {
        for (text, expected) in [
            ("2026-12-01", "2026-12-01T08:00:00Z"),
            ("2026-12-01T09:30", "2026-12-01T08:30:00Z"),
            ("2026-12-01 09:30", "2026-12-01T08:30:00Z"),
            ("2026-12-01 09:30:15", "2026-12-01T08:30:15Z"),
            (" 2026-12-01T09:30Z ", "2026-12-01T09:30:00Z"),
            ("2026-12-01T09:30-05:00", "2026-12-01T14:30:00Z"),
            ("2026-12-01 09:30:15 +01:00", "2026-12-01T08:30:15Z"),
            ("2026-12-01 09:30:15 -01:00", "2026-12-01T10:30:15Z"),
            ("2026-12-01 09:30+0530", "2026-12-01T04:00:00Z"),
            ("2026-12-01T09:30[America/New_York]", "2026-12-01T14:30:00Z"),
            // An hour that summer time leaves out.
            ("2027-03-28T02:30", "2027-03-28T01:30:00Z"),
            ("2027-11-21T12:00", "2027-11-21T11:00:00Z"),
        ] {
            assert_eq!(at(text), Ok(expected.to_owned()), "{text}");
        }
    }

    #[test]
    fn what_is_no_time_or_out_of_range_is_refused() {
        for (text, words) in [
            ("", "no time"),
            ("soon", "no time"),
            ("7", "no time"),
            ("2026-13-01", "no time"),
            ("2026-02-30T09:00", "no time"),
            ("2026-12-01T25:00", "no time"),
            ("2026-12-01T09:00+99:00", "no time"),
            ("2026-12-01junk", "no time"),
            ("\u{1b}[31m2026", "no time"),
            ("2026-11-21", "past"),
            ("2026-11-21T12:00", "past"),
            ("1969-12-31", "past"),
            ("2027-11-21T12:01", "365 days"),
            ("9998-12-31", "365 days"),
        ] {
            let said = at(text).unwrap_err();
            assert!(said.contains(words) && !said.contains('\u{1b}'), "{text}: {said}");
        }
    }

    #[test]
    fn how_far_away_a_time_is_is_rounded() {
        let now = now();
        let away = |away: i64| {
            let secs = now.timestamp().as_second() + away;
            with_distance(u64::try_from(secs).unwrap(), &now)
        };
        assert_eq!(away(7 * 86_400 - 1), "2026-11-28 11:59:59 +01:00 (in 7 days)");
        assert_eq!(away(-2 * 86_400), "2026-11-19 12:00:00 +01:00 (2 days ago)");
        assert_eq!(away(35 * 3_600), "2026-11-22 23:00:00 +01:00 (in 35 h)");
        assert_eq!(away(5_399), "2026-11-21 13:29:59 +01:00 (in 90 min)");
        assert_eq!(away(-5), "2026-11-21 11:59:55 +01:00 (5 s ago)");
        assert_eq!(with_distance(u64::MAX, &now), "never");
    }
}
