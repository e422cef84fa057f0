//! A response of at most 64 KiB.

use super::ServerWords;
use crate::json_object;
use everkey_session::{NetError, NetErrorKind};
use serde::de::{DeserializeOwned, IgnoredAny};
use serde_json::{Map, Value};
use zeroize::Zeroizing;

pub struct HttpResponse {
    pub server: String,
    pub status: u16,
    /// The server's clock, unix seconds.
    pub date: Option<u64>,
    pub retry_after: Option<String>,
    /// The `Location` header, never followed.
    pub location: Option<String>,
    /// What proxies on the way say of themselves (RFC 9209).
    pub proxy_status: Option<String>,
    /// Whether it says that it is JSON.
    pub says_json: bool,
    /// Whether it says that it is a form.
    pub says_form: bool,
    /// At most 64 KiB.
    pub body: Zeroizing<Vec<u8>>,
}

impl HttpResponse {
    /// Whether it is JSON, by its own word and by looking.
    pub fn is_json(&self) -> bool {
        self.says_json && serde_json::from_slice::<IgnoredAny>(&self.body).is_ok()
    }

    /// The body, if it is a JSON object of this shape.
    pub fn json<T: DeserializeOwned>(&self) -> Option<T> {
        self.says_json.then(|| json_object::read(&self.body)).flatten()
    }

    /// What the server says in its own words.
    pub fn words(&self) -> ServerWords {
        match self.json::<Map<String, Value>>() {
            Some(members) => ServerWords::of_json(&members),
            None if self.says_form => ServerWords::of_form(&self.body),
            None => ServerWords::of_text(&self.body),
        }
    }

    /// What is wrong with an answer that the contract does not have.
    pub fn unexpected(&self) -> NetError {
        self.error(match self.status {
            200..=299 => NetErrorKind::NotTheContract,
            300..=399 => NetErrorKind::Redirect,
            status => NetErrorKind::Status(status, self.words().line()),
        })
    }

    pub fn error(&self, kind: NetErrorKind) -> NetError {
        NetError { server: self.server.clone(), kind }
    }
}

/// A `Date` header's unix seconds (RFC 9110, 5.6.7); none before 1970 or for anything else.
pub fn http_date(text: &str) -> Option<u64> {
    let time = jiff::fmt::rfc2822::DateTimeParser::new().parse_timestamp(text).ok()?;
    u64::try_from(time.as_second()).ok()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_servers_clock_is_read() {
        assert_eq!(http_date("Thu, 01 Jan 1970 00:00:10 GMT"), Some(10));
        assert_eq!(http_date("yesterday"), None);
    }
}
