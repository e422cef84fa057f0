//! Spans of time as people write them: `3600s`, `90m`, `12h`, `30d`, `1h 30m`.

use std::time::Duration;

/// Why a text is not a span of time.
#[derive(Debug, PartialEq, Eq, thiserror::Error)]
#[error("'{0}' is not a time span; write a whole number and a unit, such as 3600s, 90m, 12h or 30d")]
pub struct NotASpan(String);

/// The longest span accepted, ten years: far above any use, far below any overflow.
const LONGEST: Duration = Duration::from_secs(3650 * 86_400);

/// The span that `text` names, in whole seconds. Errors on anything that `humantime` does not read.
pub fn parse(text: &str) -> Result<Duration, NotASpan> {
    let span = humantime::parse_duration(text).ok();
    span.filter(|span| *span <= LONGEST && span.subsec_nanos() == 0)
        .ok_or_else(|| NotASpan(text.chars().take(32).collect()))
}

/// The span in the largest unit that measures it in whole numbers: `90m`, not `1h 30m`.
pub fn shown(span: Duration) -> String {
    let secs = span.as_secs();
    let units = [(86_400, "d"), (3600, "h"), (60, "m")];
    let unit = units.into_iter().find(|(size, _)| secs >= *size && secs.is_multiple_of(*size));
    let (size, name) = unit.unwrap_or((1, "s"));
    format!("{}{name}", secs / size)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn every_unit_is_understood() {
        for (text, secs) in
            [("0s", 0), ("3600s", 3600), ("90m", 5400), ("12h", 43_200), ("30d", 2_592_000), ("1h 30m", 5400)]
        {
            assert_eq!(parse(text), Ok(Duration::from_secs(secs)), "{text}");
        }
    }

    #[test]
    fn a_span_is_shown_as_it_is_read() {
        for text in ["0s", "59s", "1m", "90m", "1h", "25h", "1d", "30d", "61s"] {
            assert_eq!(shown(parse(text).unwrap()), text);
        }
    }

    #[test]
    fn anything_else_is_refused() {
        for text in
            ["", "s", "10", "-1s", "+1s", "10x", "1é", "99999999999999999999s", "4000d", "500ms", "s1"]
        {
            assert!(parse(text).is_err(), "{text}");
        }
    }
}
