//! HTTP through reqwest: no redirects, no retries, no pool, answers of at most 64 KiB, plain http only to this machine.

use crate::json_object;
use crate::parking::{Lot, ParkLayer};
use base64::Engine;
use base64::engine::general_purpose::STANDARD;
use everkey_proto::Secret;
use everkey_session::trouble::{NetKind, NetTrouble};
use reqwest::header::{HeaderMap, HeaderName, HeaderValue};
use reqwest::{Client, ClientBuilder, Method, redirect, retry};
use serde::de::{DeserializeOwned, IgnoredAny};
use std::error::Error as _;
use std::time::Duration;
use zeroize::Zeroizing;

/// How long a connection may take.
const CONNECT: Duration = Duration::from_secs(5);

/// How long an answer may take once the request is on its way.
const ANSWER: Duration = Duration::from_secs(10);

/// No answer is longer, in bytes.
const CAP: usize = 64 * 1024;

#[derive(Debug)]
pub struct HttpRequest {
    method: Method,
    target: RequestTarget,
    headers: HeaderMap,
    body: Option<Secret>,
}

#[derive(Debug)]
pub enum RequestTarget {
    /// A path below the server's base URL.
    Path(&'static str),
    /// An endpoint that the server has named.
    Url(String),
}

impl RequestTarget {
    fn at(&self, server: &str) -> String {
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
        Self { method: Method::GET, target: target.into(), headers: HeaderMap::new(), body: None }
            .header("accept", "application/json".to_owned())
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
            .header("accept", "application/json".to_owned())
            .header("content-type", kind.to_owned())
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

pub struct HttpResponse {
    pub server: String,
    pub status: u16,
    /// The server's clock, unix seconds.
    pub date: Option<u64>,
    pub retry_after: Option<String>,
    /// The `Location` header, never followed.
    pub location: Option<String>,
    /// Whether it says that it is JSON.
    pub says_json: bool,
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

    pub fn trouble(&self, kind: NetKind) -> NetTrouble {
        NetTrouble { server: self.server.clone(), kind }
    }
}

/// A connection that is made and has sent nothing yet (S1).
pub struct Parked {
    client: Client,
    server: String,
    lot: Lot,
}

/// Makes a call on a connection of its own.
pub async fn call(server: &str, call: HttpRequest) -> Result<HttpResponse, NetTrouble> {
    let client = build(server, &call.target.at(server), None)?;
    send(&client, server, call).await
}

/// S1: connects to where `target` is, finishes TLS, and sends nothing.
pub async fn park(server: &str, target: &RequestTarget) -> Result<Parked, NetTrouble> {
    let lot = Lot::default();
    let url = target.at(server);
    let client = build(server, &url, Some(ParkLayer::new(lot.clone())))?;
    // The connector parks the connection and fails this request, so no byte of it is written.
    let outcome = client.get(url).send().await;
    if lot.is_taken() {
        return Ok(Parked { client, server: server.to_owned(), lot });
    }
    Err(match outcome {
        Ok(_) => NetTrouble { server: server.to_owned(), kind: NetKind::Broken },
        Err(e) => trouble(server, &e),
    })
}

impl Parked {
    /// S3: sends on the parked connection and on no other.
    pub async fn send(self, call: HttpRequest) -> Result<HttpResponse, NetTrouble> {
        self.lot.release();
        send(&self.client, &self.server, call).await
    }
}

fn build(server: &str, url: &str, park: Option<ParkLayer>) -> Result<Client, NetTrouble> {
    let mut builder: ClientBuilder = Client::builder()
        .http1_only()
        .pool_max_idle_per_host(usize::from(park.is_some()))
        .redirect(redirect::Policy::none())
        .retry(retry::never())
        .referer(false)
        .connect_timeout(CONNECT)
        .timeout(ANSWER)
        .user_agent(concat!("everkey/", env!("CARGO_PKG_VERSION")));
    if url.starts_with("http://") {
        // Plain http never leaves this machine, so no proxy may see it.
        builder = builder.no_proxy();
    }
    if let Some(park) = park {
        builder = builder.connector_layer(park);
    }
    builder.build().map_err(|e| trouble(server, &e))
}

async fn send(client: &Client, server: &str, call: HttpRequest) -> Result<HttpResponse, NetTrouble> {
    let mut request = client.request(call.method, call.target.at(server)).headers(call.headers);
    if let Some(body) = call.body {
        request = request.body(body.expose().to_owned());
    }
    let mut response = request.send().await.map_err(|e| trouble(server, &e))?;
    let text = |name: &str| response.headers().get(name).and_then(|v| v.to_str().ok()).map(str::to_owned);
    let location = text("location");
    let says_json = text("content-type").is_some_and(|kind| {
        let kind = kind.split(';').next().unwrap_or_default().trim().to_ascii_lowercase();
        kind == "application/json" || (kind.starts_with("application/") && kind.ends_with("+json"))
    });
    let date = text("date").and_then(|date| http_date(&date));
    let (status, retry_after) = (response.status().as_u16(), text("retry-after"));
    let mut body = Zeroizing::new(Vec::new());
    while let Some(chunk) = response.chunk().await.map_err(|e| trouble(server, &e))? {
        if body.len() + chunk.len() > CAP {
            return Err(NetTrouble { server: server.to_owned(), kind: NetKind::NotTheContract });
        }
        body.extend_from_slice(&chunk);
    }
    Ok(HttpResponse { server: server.to_owned(), status, date, retry_after, location, says_json, body })
}

/// A `Date` header's unix seconds (RFC 9110, 5.6.7); none before 1970 or for anything else.
pub fn http_date(text: &str) -> Option<u64> {
    let time = jiff::fmt::rfc2822::DateTimeParser::new().parse_timestamp(text).ok()?;
    u64::try_from(time.as_second()).ok()
}

fn trouble(server: &str, e: &reqwest::Error) -> NetTrouble {
    let kind = if e.is_connect() && !e.is_timeout() {
        NetKind::Connect(innermost(e))
    } else if e.is_timeout() {
        NetKind::Timeout
    } else {
        NetKind::Broken
    };
    NetTrouble { server: server.to_owned(), kind }
}

/// The last cause says most: "Connection refused", "certificate expired", ...
fn innermost(e: &reqwest::Error) -> String {
    let mut cause = e.source();
    while let Some(next) = cause.and_then(std::error::Error::source) {
        cause = Some(next);
    }
    cause.map_or_else(|| "no connection".to_owned(), ToString::to_string)
}

/// An endpoint that credentials may be sent to, as the HTTP client reads it: https, or http to this very machine,
/// without user or fragment. It may have a query (RFC 6749 section 3.2).
pub fn endpoint(text: &str) -> Result<String, String> {
    let mut base =
        reqwest::Url::parse(text.trim()).map_err(|e| format!("{} is not a URL ({e})", text.trim()))?;
    let url = String::from(base.clone());
    base.set_query(None);
    base_url(base.as_str()).map(|_| url)
}

/// A base URL that credentials may be sent to: https, or http to this very machine; no user, query or fragment.
/// It is returned as the HTTP client reads it, so that what is stored, compared and shown is where requests go;
/// without trailing slashes.
pub fn base_url(text: &str) -> Result<String, String> {
    let url = reqwest::Url::parse(text.trim())
        .map_err(|e| format!("that is not a URL ({e}); one looks like https://api.example.com"))?;
    let plain = url.username().is_empty()
        && url.password().is_none()
        && url.query().is_none()
        && url.fragment().is_none();
    if !plain {
        return Err("a server's URL has no user, password, query or fragment".to_owned());
    }
    let normal = everkey_proto::place::normal_server(url.as_str());
    let host = url.host_str().unwrap_or_default().trim_matches(['[', ']']);
    let here = host == "localhost" || host.parse::<std::net::IpAddr>().is_ok_and(|ip| ip.is_loopback());
    match url.scheme() {
        "https" => Ok(normal),
        "http" if here => Ok(normal),
        "http" => Err(format!(
            "{normal} would send tokens unencrypted; plain http is only for this machine (127.0.0.1)"
        )),
        scheme => Err(format!("{scheme}: is not a scheme for servers; use https")),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn credentials_go_to_https_or_to_this_machine() {
        for good in
            ["https://api.example.com/", "http://127.0.0.1:8080", "http://[::1]:1", "http://localhost:3000//"]
        {
            assert!(base_url(good).is_ok(), "{good}");
        }
        assert_eq!(base_url(" https://a/ ").unwrap(), "https://a");
        assert_eq!(base_url("https://API.example.com:443/x/").unwrap(), "https://api.example.com/x");
        // By these letters the client keeps proxies away from plain http.
        for local in ["HTTP://127.0.0.1:1", "http:\\\\127.0.0.1:1", "ht\ttp:127.0.0.1:1/"] {
            assert_eq!(base_url(local).unwrap(), "http://127.0.0.1:1");
        }
        for bad in [
            "http://example.com",
            "http://127.0.0.1.evil.com",
            "http://127.0.0.1@evil.com",
            "ftp://a",
            "x",
            "",
            "https://u:p@a",
            "https://a?x=1",
            "https://a#x",
            "http://192.168.0.1",
        ] {
            assert!(base_url(bad).is_err(), "{bad}");
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

    #[test]
    fn the_servers_clock_is_read() {
        assert_eq!(http_date("Thu, 01 Jan 1970 00:00:10 GMT"), Some(10));
        assert_eq!(http_date("yesterday"), None);
    }
}
