//! A request, whose secrets neither logs nor `Debug` show.

use base64::Engine;
use base64::engine::general_purpose::STANDARD;
use everkey_proto::Secret;
use reqwest::Method;
use reqwest::header::{HeaderMap, HeaderName, HeaderValue};

#[derive(Debug)]
pub struct HttpRequest {
    pub(super) method: Method,
    pub(super) target: RequestTarget,
    pub(super) headers: HeaderMap,
    pub(super) body: Option<Secret>,
}

#[derive(Debug)]
pub enum RequestTarget {
    /// A path below the server's base URL.
    Path(&'static str),
    /// An endpoint that the server has named.
    Url(String),
}

impl RequestTarget {
    pub(super) fn at(&self, server: &str) -> String {
        match self {
            Self::Path(path) => format!("{server}{path}"),
            Self::Url(url) => url.clone(),
        }
    }
}

impl From<&'static str> for RequestTarget {
    fn from(path: &'static str) -> Self {
        Self::Path(path)
    }
}

impl From<&String> for RequestTarget {
    fn from(url: &String) -> Self {
        Self::Url(url.clone())
    }
}

#[derive(Debug)]
pub enum Auth {
    /// RFC 6750.
    Bearer(Secret),
    /// RFC 7617, with id and secret encoded as RFC 6749 section 2.3.1 says.
    Basic(String, Secret),
}

impl HttpRequest {
    pub fn get(target: impl Into<RequestTarget>) -> Self {
        Self { method: Method::GET, target: target.into(), headers: HeaderMap::new(), body: None }.plain()
    }

    pub fn delete(target: impl Into<RequestTarget>) -> Self {
        Self { method: Method::DELETE, ..Self::get(target) }
    }

    pub fn post(target: impl Into<RequestTarget>, body: serde_json::Value) -> Self {
        Self::with_body(target.into(), "application/json", Secret::new(body.to_string()))
    }

    pub fn form(target: impl Into<RequestTarget>, fields: &[(&str, &str)]) -> Self {
        let body = form_urlencoded::Serializer::new(String::new()).extend_pairs(fields).finish();
        Self::with_body(target.into(), "application/x-www-form-urlencoded", Secret::new(body))
    }

    fn with_body(target: RequestTarget, kind: &str, body: Secret) -> Self {
        Self { method: Method::POST, target, headers: HeaderMap::new(), body: Some(body) }
            .plain()
            .header("content-type", kind.to_owned())
    }

    /// Asks for JSON as it is: nothing here unpacks anything.
    fn plain(self) -> Self {
        self.header("accept", "application/json".to_owned()).header("accept-encoding", "identity".to_owned())
    }

    pub fn header(mut self, name: &'static str, value: String) -> Self {
        if let Ok(value) = HeaderValue::try_from(value) {
            self.headers.insert(HeaderName::from_static(name), value);
        }
        self
    }

    /// With a header that logs and `Debug` must not show.
    pub fn secret_header(mut self, name: &'static str, value: &Secret) -> Self {
        if let Ok(mut value) = HeaderValue::try_from(value.expose()) {
            value.set_sensitive(true);
            self.headers.insert(HeaderName::from_static(name), value);
        }
        self
    }

    pub fn auth(self, auth: Auth) -> Self {
        match auth {
            Auth::Bearer(token) => {
                self.secret_header("authorization", &Secret::new(format!("Bearer {}", token.expose())))
            }
            Auth::Basic(id, secret) => {
                let encode =
                    |text: &str| form_urlencoded::byte_serialize(text.as_bytes()).collect::<String>();
                let pair = Secret::new(format!("{}:{}", encode(&id), encode(secret.expose())));
                let value = Secret::new(format!("Basic {}", STANDARD.encode(pair.expose())));
                self.secret_header("authorization", &value)
            }
        }
    }
}

#[cfg(test)]
impl HttpRequest {
    /// The body, for tests; empty if there is none.
    pub fn sent_body(&self) -> &str {
        self.body.as_ref().map_or("", Secret::expose)
    }

    pub fn sent_header(&self, name: &str) -> Option<String> {
        self.headers.get(name).and_then(|value| value.to_str().ok()).map(str::to_owned)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn every_request_asks_for_an_answer_as_it_is() {
        let post = HttpRequest::post("/", serde_json::json!({}));
        for request in [HttpRequest::get("/"), HttpRequest::delete("/"), post, HttpRequest::form("/", &[])] {
            assert_eq!(request.sent_header("accept-encoding").as_deref(), Some("identity"), "{request:?}");
        }
    }

    #[test]
    fn a_call_shows_no_secret() {
        let body = serde_json::json!({ "refresh_token": "hunter2" });
        let call = HttpRequest::post("/", body).secret_header("x", &Secret::new("hunter2"));
        let shown = format!("{:?}", call.auth(Auth::Bearer(Secret::new("hunter2"))));
        assert!(
            !shown.contains("hunter2") && !shown.contains(&format!("{:?}", b"hunter2")[1..20]),
            "{shown}"
        );
    }
}
