//! Spans of time as people write them: `3600s`, `90m`, `12h`, `30d`.

use std::time::Duration;

/// Why a text is not a span of time.
#[derive(Debug, PartialEq, Eq, thiserror::Error)]
#[error("'{0}' is not a time span; write a whole number and a unit, such as 3600s, 90m, 12h or 30d")]
pub struct NotASpan(String);

/// The longest span accepted, ten years: far above any use, far below any overflow.
const LONGEST: u64 = 3650 * 86_400;

/// The span that `text` names. Errors on anything but digits followed by one of `s m h d`.
pub fn parse(text: &str) -> Result<Duration, NotASpan> {
    let refuse = || NotASpan(text.chars().take(32).collect());
    let (digits, unit_secs) = match text.char_indices().next_back() {
        Some((at, 's')) => (&text[..at], 1),
        Some((at, 'm')) => (&text[..at], 60),
        Some((at, 'h')) => (&text[..at], 3600),
        Some((at, 'd')) => (&text[..at], 86_400),
        Some(_) | None => return Err(refuse()),
    };
    if digits.is_empty() || !digits.bytes().all(|byte| byte.is_ascii_digit()) {
        return Err(refuse());
    }
    let number: u64 = digits.parse().map_err(|_| refuse())?;
    let secs = number.checked_mul(unit_secs).filter(|secs| *secs <= LONGEST).ok_or_else(refuse)?;
    Ok(Duration::from_secs(secs))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn every_unit_is_understood() {
        for (text, secs) in [("0s", 0), ("3600s", 3600), ("90m", 5400), ("12h", 43_200), ("30d", 2_592_000)] {
            assert_eq!(parse(text), Ok(Duration::from_secs(secs)), "{text}");
        }
    }

    #[test]
    fn anything_else_is_refused() {
        for text in
            ["", "s", "10", "-1s", "+1s", "1.5h", "1 h", "10x", "1é", "99999999999999999999s", "4000d"]
        {
            assert!(parse(text).is_err(), "{text}");
        }
    }
}
