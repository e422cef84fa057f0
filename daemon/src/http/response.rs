//! A response of at most 64 KiB.

use super::ServerWords;
use crate::json_object;
use everkey_session::{AnswerFlaw, NetError, NetErrorKind, SeenAnswer, UnusableAnswer};
use serde::de::{DeserializeOwned, IgnoredAny};
use serde_json::{Map, Value};
use std::time::UNIX_EPOCH;
use zeroize::Zeroizing;

pub struct HttpResponse {
    pub server: String,
    pub status: u16,
    /// The server's clock, unix seconds.
    pub date: Option<u64>,
    /// This machine's clock, unix seconds, for what a server without a clock says.
    pub received: Option<u64>,
    pub retry_after: Option<String>,
    /// The `Location` header, never followed.
    pub location: Option<String>,
    /// What proxies on the way say of themselves (RFC 9209).
    pub proxy_status: Option<String>,
    /// What it says that it is, in small letters and without parameters; none if it does not say.
    pub content_type: Option<String>,
    /// At most 64 KiB.
    pub body: Zeroizing<Vec<u8>>,
}

/// What servers call JSON though its name is another. Nobody but the server can have sent it: requests go to https or
/// to this very machine. A page (`text/html`) stays a page.
const MISNAMED: [&str; 8] = [
    "text/plain",
    "text/javascript",
    "text/x-javascript",
    "text/ecmascript",
    "application/javascript",
    "application/x-javascript",
    "application/octet-stream",
    "binary/octet-stream",
];

impl HttpResponse {
    fn says(&self, kinds: &[&str]) -> bool {
        self.content_type.as_deref().is_some_and(|kind| kinds.contains(&kind))
    }

    /// Whether it says that it is JSON.
    pub fn says_json(&self) -> bool {
        let kind = self.content_type.as_deref().unwrap_or_default();
        self.says(&["application/json", "text/json", "text/x-json", "application/x-json"])
            || (kind.starts_with("application/") && kind.ends_with("+json"))
    }

    /// Whether it says that it is a form.
    pub fn says_form(&self) -> bool {
        self.says(&["application/x-www-form-urlencoded"])
    }

    /// Whether it is JSON, by its own word and by looking.
    pub fn is_json(&self) -> bool {
        self.says_json() && serde_json::from_slice::<IgnoredAny>(json_object::unmarked(&self.body)).is_ok()
    }

    /// The body, if it says that it is JSON and is an object of this shape. What a server refuses counts only so.
    pub fn json<T: DeserializeOwned>(&self) -> Option<T> {
        self.strict_object().ok()
    }

    /// The same, or what is wrong with it.
    pub fn strict_object<T: DeserializeOwned>(&self) -> Result<T, AnswerFlaw> {
        self.object_if(self.says_json())
    }

    /// The body as an object of this shape, also where the server calls it by another name, or what is wrong with it.
    pub fn object<T: DeserializeOwned>(&self) -> Result<T, AnswerFlaw> {
        self.object_if(self.says_json() || self.says(&MISNAMED) || self.content_type.is_none())
    }

    fn object_if<T: DeserializeOwned>(&self, may_be_json: bool) -> Result<T, AnswerFlaw> {
        if !may_be_json && !self.body.is_empty() {
            return Err(AnswerFlaw::NotJson);
        }
        json_object::parse(&self.body)
    }

    /// What the server says in its own words.
    pub fn words(&self) -> ServerWords {
        match self.json::<Map<String, Value>>() {
            Some(members) => ServerWords::of_json(&members),
            None if self.says_form() => ServerWords::of_form(&self.body),
            None => ServerWords::of_text(&self.body),
        }
    }

    /// The same for people alone, also where the server calls its JSON by another name.
    pub fn said(&self) -> Option<String> {
        let members = self.object::<Map<String, Value>>();
        members.map_or_else(|_| self.words(), |members| ServerWords::of_json(&members)).line()
    }

    /// What is wrong with an answer that the contract does not have.
    pub fn unexpected(&self) -> NetError {
        match self.status {
            200..=299 => {
                let flaw = self.object::<Map<String, Value>>().err();
                self.unusable(flaw.unwrap_or(AnswerFlaw::OffTopic))
            }
            300..=399 => self.error(NetErrorKind::Redirect),
            status => self.error(NetErrorKind::Status(status, self.said())),
        }
    }

    /// The same where it is known what is wrong with the one that was hoped for.
    pub fn unexpected_for(&self, flaw: AnswerFlaw) -> NetError {
        match self.status {
            200..=299 => self.unusable(flaw),
            _ => self.unexpected(),
        }
    }

    pub fn unusable(&self, flaw: AnswerFlaw) -> NetError {
        let seen = SeenAnswer { status: self.status, content_type: self.content_type.clone() };
        self.error(NetErrorKind::NotTheContract(UnusableAnswer { seen: Some(seen), flaw }))
    }

    pub fn error(&self, kind: NetErrorKind) -> NetError {
        NetError { server: self.server.clone(), kind }
    }
}

/// The unix seconds of a date in any of HTTP's three formats (RFC 9110, 5.6.7), or with another offset than GMT's; none
/// before 1970 or for anything else.
pub fn http_date(text: &str) -> Option<u64> {
    let standard = httpdate::parse_http_date(text).ok();
    let standard = standard.and_then(|time| Some(time.duration_since(UNIX_EPOCH).ok()?.as_secs()));
    // No later than there are words for elsewhere.
    let latest = jiff::Timestamp::MAX.as_second().unsigned_abs();
    standard.filter(|secs| *secs <= latest).or_else(|| {
        let time = jiff::fmt::rfc2822::DateTimeParser::new().parse_timestamp(text).ok()?;
        u64::try_from(time.as_second()).ok()
    })
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::provider::samples::answer;

    #[test]
    fn a_date_is_read_in_each_of_its_formats() {
        for date in [
            "Thu, 01 Jan 1970 00:00:10 GMT",
            "Thursday, 01-Jan-70 00:00:10 GMT",
            "Thu Jan  1 00:00:10 1970",
            "Thu, 1 Jan 1970 00:00:10 +0000",
        ] {
            assert_eq!(http_date(date), Some(10), "{date}");
        }
        assert_eq!((http_date("yesterday"), http_date("Thu, 01 Jan 1900 00:00:10 GMT")), (None, None));
    }

    #[test]
    fn json_by_another_name_counts_but_a_page_does_not() {
        let read = |kind: Option<&str>| {
            let content_type = kind.map(str::to_owned);
            let answer = HttpResponse { content_type, ..answer(200, r#"{"a":1}"#) };
            (answer.object::<Map<String, Value>>().is_ok(), answer.is_json())
        };
        for kind in ["application/json", "text/json", "application/problem+json"] {
            assert_eq!(read(Some(kind)), (true, true), "{kind}");
        }
        for kind in [None, Some("text/plain"), Some("text/javascript"), Some("application/octet-stream")] {
            assert_eq!(read(kind), (true, false), "{kind:?}: no refusal");
        }
        for kind in ["text/html", "application/xhtml+xml", "application/json, gzip", "image/png"] {
            assert_eq!(read(Some(kind)), (false, false), "{kind}");
        }
    }
}
