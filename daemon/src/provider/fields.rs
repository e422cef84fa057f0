//! What the providers' files and answers have in common.

use crate::http::{HttpResponse, http_date};
use crate::json_object::unmarked;
use everkey_proto::Secret;
use everkey_session::{AnswerFlaw, Capability, NetError, NetErrorKind};
use jiff::Timestamp;
use serde::de::IgnoredAny;
use serde::{Deserialize, Deserializer, Serialize};
use serde_json::value::RawValue;
use std::collections::BTreeMap;
use zeroize::Zeroize;

/// An object's fields as they are written, so that what everkey can't represent survives too.
pub type RawFields = BTreeMap<String, AsWritten>;

/// A value as it is written. It may be a token, so it is zeroised when it is dropped.
#[derive(Deserialize, Serialize)]
#[serde(transparent)]
pub struct AsWritten(Option<Box<RawValue>>);

impl AsWritten {
    /// As everkey writes it; none of what can't be written, which no text is.
    pub fn of(value: &impl Serialize) -> Option<Self> {
        serde_json::value::to_raw_value(value).ok().map(|raw| Self(Some(raw)))
    }

    /// Its JSON.
    pub fn get(&self) -> &str {
        self.0.as_deref().map_or("null", RawValue::get)
    }
}

impl Drop for AsWritten {
    fn drop(&mut self) {
        if let Some(raw) = self.0.take() {
            Box::<str>::from(raw).zeroize();
        }
    }
}

/// The fields of an object; none of anything else.
pub fn fields(json: &str) -> RawFields {
    serde_json::from_slice(unmarked(json.as_bytes())).unwrap_or_default()
}

/// A token that can stand in a header and on a line.
pub fn sendable(token: &Secret) -> bool {
    !token.is_empty() && token.expose().bytes().all(|b| b.is_ascii_graphic())
}

/// A token of an answer that can be sent.
pub fn sent_as(name: &str, token: &Secret) -> Result<(), AnswerFlaw> {
    match sendable(token) {
        true => Ok(()),
        false => Err(AnswerFlaw::unfit(name, "it can't stand in a header")),
    }
}

/// The only type of token that there is a use for (RFC 6750).
pub fn bearer(token_type: &str) -> Result<(), AnswerFlaw> {
    match token_type.eq_ignore_ascii_case("bearer") {
        true => Ok(()),
        false => Err(AnswerFlaw::unfit("token_type", "it is not `Bearer`")),
    }
}

/// A number as servers write it, be it text or with a fraction. What can't be read is as good as not said: it must not
/// cost the rest of the answer.
#[derive(Debug, Clone, Copy, Default, PartialEq)]
pub struct Quantity(Option<f64>);

impl Quantity {
    /// The number that this text is, alone; none of `inf`, hexadecimal numbers, or anything with a unit.
    pub fn of_text(text: &str) -> Self {
        let text = text.trim();
        let begins = text.strip_prefix('-').unwrap_or(text).starts_with(|c: char| c.is_ascii_digit());
        Self(text.parse().ok().filter(|_| begins))
    }

    pub fn number(self) -> Option<f64> {
        self.0
    }

    /// As it was said, for lifetimes that the core clamps; a number too large is the largest.
    pub fn whole(self) -> Option<i64> {
        #[allow(clippy::cast_possible_truncation)] // `as` saturates, which is what absurd numbers shall do
        self.0.map(|number| number as i64)
    }

    /// For what is never nothing, so that 0 and less are as good as not said; rounded up.
    pub fn positive(self) -> Option<u64> {
        #[allow(clippy::cast_possible_truncation, clippy::cast_sign_loss)] // `as` saturates
        self.0.filter(|number| *number > 0.0).map(|number| number.ceil() as u64)
    }

    /// For a wait, which may be over; rounded up.
    pub fn wait(self) -> Option<u64> {
        #[allow(clippy::cast_possible_truncation, clippy::cast_sign_loss)] // `as` saturates
        self.0.map(|number| number.ceil() as u64)
    }
}

impl<'de> Deserialize<'de> for Quantity {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        let raw = Box::<RawValue>::deserialize(deserializer)?;
        let text = serde_json::from_str::<String>(raw.get());
        Ok(Self::of_text(text.as_deref().unwrap_or(raw.get())))
    }
}

/// What the server promises about lost answers (RR-1). Any other version of the promise promises nothing that could be
/// relied on.
pub fn promised(retry: Option<&RawValue>) -> Capability {
    #[derive(Deserialize)]
    struct Promise {
        v: u64,
        until: String,
    }
    match retry.and_then(|retry| crate::json_object::read(retry.get().as_bytes())) {
        Some(Promise { v: 1, until }) if until == "used" => Capability::Rr1,
        Some(Promise { v: 1, until }) if until == "probe" => Capability::Probe,
        Some(_) | None => Capability::None,
    }
}

/// everkey-server's error code, in either shape: `{code, message}` or `{success: false, code, detail}`.
#[derive(Deserialize)]
struct ErrorShape {
    code: String,
}

/// The code of an error that counts as a refusal.
pub fn error_code(answer: &HttpResponse) -> Option<String> {
    answer.json::<ErrorShape>().map(|shape| shape.code)
}

/// The code of an error to a sign-in, which ends no session.
pub fn sign_in_error_code(answer: &HttpResponse) -> Option<String> {
    answer.object::<ErrorShape>().ok().map(|shape| shape.code)
}

/// Seconds to wait: `retry_after_secs` in the body wins over the header, which holds seconds or a date (RFC 9110 section
/// 10.2.3); a date counts from the server's own `Date`, if it has one. Clamped to a day.
pub fn retry_after(answer: &HttpResponse) -> Option<u64> {
    #[derive(Deserialize)]
    struct Shape {
        #[serde(default)]
        retry_after_secs: Quantity,
    }
    let body = answer.object::<Shape>().ok().and_then(|shape| shape.retry_after_secs.wait());
    let header = answer.retry_after.as_deref().map(str::trim);
    let seconds = || header.and_then(|text| Quantity::of_text(text).wait());
    let date = || {
        let (until, now) = header.and_then(http_date).zip(answer.date.or(answer.received))?;
        Some(until.saturating_sub(now))
    };
    body.or_else(seconds).or_else(date).map(|secs| secs.min(86_400))
}

/// What an answer that is not the one hoped for means where asking again does no harm: the server may say when.
pub fn busy(answer: &HttpResponse) -> NetError {
    match (answer.status, retry_after(answer)) {
        (429, wait) => answer.error(NetErrorKind::Limited(wait.unwrap_or(30))),
        (503, Some(wait)) => answer.error(NetErrorKind::Limited(wait)),
        _ => answer.unexpected(),
    }
}

/// Whether these bytes are JSON of any shape.
pub fn is_json(bytes: &[u8]) -> bool {
    serde_json::from_slice::<IgnoredAny>(unmarked(bytes)).is_ok()
}

/// A time as servers write it: as RFC 3339 says, or as unix seconds or milliseconds. What can't be read is as good as
/// not said.
#[derive(Debug, Clone, Copy, Default)]
pub struct WrittenTime(Option<u64>);

impl WrittenTime {
    pub fn unix_secs(self) -> Option<u64> {
        self.0
    }
}

impl<'de> Deserialize<'de> for WrittenTime {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        /// More seconds than this are milliseconds: the year 5138.
        const LATEST: u64 = 100_000_000_000;
        let raw = Box::<RawValue>::deserialize(deserializer)?;
        let text = serde_json::from_str::<String>(raw.get());
        let text = text.as_deref().unwrap_or(raw.get());
        let number = || u64::try_from(Quantity::of_text(text).whole()?).ok();
        let number = || number().map(|at| if at > LATEST { at / 1000 } else { at });
        Ok(Self(unix_secs(text).or_else(number)))
    }
}

/// Unix seconds of a time as RFC 3339 writes it; none before 1970 or for anything else.
pub fn unix_secs(text: &str) -> Option<u64> {
    let time: Timestamp = text.trim().parse().ok()?;
    u64::try_from(time.as_second()).ok()
}

/// A time as RFC 3339 writes it, in UTC.
pub fn timestamp(unix_secs: u64) -> Timestamp {
    i64::try_from(unix_secs).ok().and_then(|secs| Timestamp::from_second(secs).ok()).unwrap_or(Timestamp::MAX)
}

/// A page that a browser may be sent to, as browsers read its address: https, or http on this very machine.
pub fn page(text: &str) -> Option<String> {
    let url = reqwest::Url::parse(text.trim()).ok()?;
    let mut base = url.clone();
    base.set_query(None);
    base.set_fragment(None);
    crate::http::base_url(base.as_str()).is_ok().then(|| url.into())
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::json_object;
    use crate::provider::samples::answer;

    #[derive(Deserialize)]
    struct Shape {
        #[serde(default)]
        secs: Quantity,
    }

    /// As a lifetime, as an interval, as a wait.
    type Read = (Option<i64>, Option<u64>, Option<u64>);

    #[test]
    fn a_number_is_read_however_a_server_writes_it() {
        let nothing: Read = (None, None, None);
        let table: [(&str, Read); 22] = [
            ("900", (Some(900), Some(900), Some(900))),
            (r#""900""#, (Some(900), Some(900), Some(900))),
            (r#"" 900 ""#, (Some(900), Some(900), Some(900))),
            ("900.0", (Some(900), Some(900), Some(900))),
            (r#""900.0""#, (Some(900), Some(900), Some(900))),
            ("9e2", (Some(900), Some(900), Some(900))),
            ("0.5", (Some(0), Some(1), Some(1))),
            ("0", (Some(0), None, Some(0))),
            (r#""0""#, (Some(0), None, Some(0))),
            ("-5", (Some(-5), None, Some(0))),
            (r#""-5""#, (Some(-5), None, Some(0))),
            ("1e999", (Some(i64::MAX), Some(u64::MAX), Some(u64::MAX))),
            ("-1e999", (Some(i64::MIN), None, Some(0))),
            ("null", nothing),
            (r#""""#, nothing),
            (r#""soon""#, nothing),
            (r#""900s""#, nothing),
            (r#""0x10""#, nothing),
            (r#""inf""#, nothing),
            ("true", nothing),
            ("[900]", nothing),
            (r#"{"s":900}"#, nothing),
        ];
        for (written, read) in table {
            let shape: Shape = json_object::parse(format!(r#"{{"secs":{written}}}"#).as_bytes()).unwrap();
            let Shape { secs } = shape;
            assert_eq!((secs.whole(), secs.positive(), secs.wait()), read, "{written}");
        }
        let Shape { secs } = json_object::parse(b"{}").unwrap();
        assert_eq!(secs, Quantity::default(), "absent");
    }

    #[test]
    fn n15_a_wait_is_read_from_body_header_or_date() {
        let wait = |header: Option<&str>, body: &str, date: Option<u64>, received: Option<u64>| {
            let retry_after = header.map(str::to_owned);
            retry_after_of(HttpResponse { retry_after, date, received, ..answer(429, body) })
        };
        fn retry_after_of(answer: HttpResponse) -> Option<u64> {
            retry_after(&answer)
        }
        let date = "Thu, 01 Jan 1970 00:02:00 GMT";
        assert_eq!(wait(Some(" 7 "), "{}", None, None), Some(7));
        assert_eq!(wait(Some("7"), r#"{"retry_after_secs":"9"}"#, None, None), Some(9), "the body wins");
        assert_eq!(wait(Some("7"), r#"{"retry_after_secs":"soon"}"#, None, None), Some(7));
        assert_eq!(wait(Some(date), "", Some(100), Some(0)), Some(20), "by the server's clock");
        assert_eq!(wait(Some(date), "", None, Some(110)), Some(10), "by ours where it has none");
        assert_eq!(wait(Some("Thursday, 01-Jan-70 00:02:00 GMT"), "", Some(100), None), Some(20));
        assert_eq!(wait(Some(date), "", Some(500), None), Some(0), "it is past");
        assert_eq!(wait(Some("Fri, 01 Jan 2100 00:00:00 GMT"), "", Some(100), None), Some(86_400));
        for odd in ["soon", "", "inf", "Thu, 99 Jan 1970"] {
            assert_eq!(wait(Some(odd), "", Some(100), None), None, "{odd}");
        }
    }
}
