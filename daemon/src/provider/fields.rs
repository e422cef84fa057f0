//! What the providers' files and answers have in common.

use crate::http::{HttpResponse, http_date};
use everkey_proto::Secret;
use everkey_session::{Capability, NetError, NetErrorKind};
use jiff::Timestamp;
use serde::de::IgnoredAny;
use serde::{Deserialize, Serialize};
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
    serde_json::from_str(json).unwrap_or_default()
}

/// A token that can stand in a header and on a line.
pub fn sendable(token: &Secret) -> bool {
    !token.is_empty() && token.expose().bytes().all(|b| b.is_ascii_graphic())
}

/// Seconds as a whole number, whatever kind of number the server wrote.
pub fn whole(number: &serde_json::Number) -> i64 {
    #[allow(clippy::cast_possible_truncation)] // `as` saturates, which is what absurd numbers shall do
    number.as_i64().unwrap_or_else(|| number.as_f64().unwrap_or(0.0) as i64)
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
pub fn error_code(answer: &HttpResponse) -> Option<String> {
    #[derive(Deserialize)]
    struct Shape {
        code: String,
    }
    answer.json::<Shape>().map(|shape| shape.code)
}

/// Seconds to wait: `retry_after_secs` in the body wins over the header, which holds seconds or a date (RFC 9110 section
/// 10.2.3); a date counts from the server's own `Date`. Clamped to a day.
pub fn retry_after(answer: &HttpResponse) -> Option<u64> {
    #[derive(Deserialize)]
    struct Shape {
        retry_after_secs: f64,
    }
    let body = answer.json::<Shape>().map(|shape| shape.retry_after_secs);
    let header = answer.retry_after.as_deref().map(str::trim);
    let seconds = || header.and_then(|text| text.parse::<f64>().ok());
    if let Some(secs) = body.or_else(seconds) {
        #[allow(clippy::cast_possible_truncation, clippy::cast_sign_loss)] // clamped to 0..=86400
        return (!secs.is_nan()).then(|| secs.clamp(0.0, 86_400.0).ceil() as u64);
    }
    let (until, now) = header.and_then(http_date).zip(answer.date)?;
    Some(until.saturating_sub(now).min(86_400))
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
    serde_json::from_slice::<IgnoredAny>(bytes).is_ok()
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
