//! One connection for each request: no redirects, no retries, no pool, plain http only to this machine.

use super::between::blamed;
use super::request::{HttpRequest, RequestTarget};
use super::response::{HttpResponse, http_date};
use crate::parking::{Lot, ParkLayer};
use everkey_session::{NetError, NetErrorKind};
use reqwest::{Client, ClientBuilder, redirect, retry};
use std::error::Error as _;
use std::time::Duration;
use zeroize::Zeroizing;

/// How long a connection may take.
const CONNECT: Duration = Duration::from_secs(5);

/// How long an answer may take once the request is on its way.
const ANSWER: Duration = Duration::from_secs(10);

/// No answer is longer, in bytes.
const CAP: usize = 64 * 1024;

/// A connection that is made and has sent nothing yet (S1).
pub struct Parked {
    client: Client,
    server: String,
    lot: Lot,
}

/// Sends a request on a connection of its own.
pub async fn call(server: &str, request: HttpRequest) -> Result<HttpResponse, NetError> {
    let client = build(server, &request.target.at(server), None)?;
    send(&client, server, request, ANSWER).await
}

/// S1: connects to where `target` is, finishes TLS, and sends nothing.
pub async fn park(server: &str, target: &RequestTarget) -> Result<Parked, NetError> {
    let lot = Lot::default();
    let url = target.at(server);
    let client = build(server, &url, Some(ParkLayer::new(lot.clone())))?;
    // The connector parks the connection and fails this request, so no byte of it is written.
    let outcome = client.get(url).send().await;
    if lot.is_taken() {
        return Ok(Parked { client, server: server.to_owned(), lot });
    }
    Err(match outcome {
        Ok(_) => NetError { server: server.to_owned(), kind: NetErrorKind::Broken },
        Err(e) => error(server, &e),
    })
}

impl Parked {
    /// S3: sends on the parked connection and on no other. The answer may take so long.
    pub async fn send(self, request: HttpRequest, patience: Duration) -> Result<HttpResponse, NetError> {
        self.lot.release();
        send(&self.client, &self.server, request, patience).await
    }
}

fn build(server: &str, url: &str, park: Option<ParkLayer>) -> Result<Client, NetError> {
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
    builder.build().map_err(|e| match blamed(url, &innermost(&e)) {
        Some(why) => NetError { server: server.to_owned(), kind: NetErrorKind::Connect(why) },
        None => error(server, &e),
    })
}

async fn send(
    client: &Client,
    server: &str,
    request: HttpRequest,
    patience: Duration,
) -> Result<HttpResponse, NetError> {
    let sending = client.request(request.method, request.target.at(server)).timeout(patience);
    let mut sending = sending.headers(request.headers);
    if let Some(body) = request.body {
        sending = sending.body(body.expose().to_owned());
    }
    let mut response = sending.send().await.map_err(|e| error(server, &e))?;
    let text = |name: &str| response.headers().get(name).and_then(|v| v.to_str().ok()).map(str::to_owned);
    let location = text("location");
    let kind = text("content-type").unwrap_or_default();
    let kind = kind.split(';').next().unwrap_or_default().trim().to_ascii_lowercase();
    let says_json =
        kind == "application/json" || (kind.starts_with("application/") && kind.ends_with("+json"));
    let says_form = kind == "application/x-www-form-urlencoded";
    let date = text("date").and_then(|date| http_date(&date));
    let (status, retry_after) = (response.status().as_u16(), text("retry-after"));
    let proxy_status = text("proxy-status");
    let mut body = Zeroizing::new(Vec::new());
    let broken = |e: reqwest::Error| match error(server, &e) {
        // It has done what it was asked, and says so.
        NetError { server, .. } if status == 200 && says_json => NetError { server, kind: NetErrorKind::Cut },
        other => other,
    };
    while let Some(chunk) = response.chunk().await.map_err(broken)? {
        if body.len() + chunk.len() > CAP {
            return Err(NetError { server: server.to_owned(), kind: NetErrorKind::NotTheContract });
        }
        body.extend_from_slice(&chunk);
    }
    let server = server.to_owned();
    Ok(HttpResponse { server, status, date, retry_after, location, proxy_status, says_json, says_form, body })
}

fn error(server: &str, e: &reqwest::Error) -> NetError {
    let blamed = e.url().filter(|_| e.is_connect()).and_then(|url| {
        let why = if e.is_timeout() { "no answer in time".to_owned() } else { innermost(e) };
        blamed(url.as_str(), &why)
    });
    let kind = if let Some(why) = blamed {
        NetErrorKind::Connect(why)
    } else if e.is_connect() && !e.is_timeout() {
        NetErrorKind::Connect(innermost(e))
    } else if e.is_timeout() {
        NetErrorKind::Timeout
    } else {
        NetErrorKind::Broken
    };
    NetError { server: server.to_owned(), kind }
}

/// The last cause says most: "Connection refused", "certificate expired", ...
fn innermost(e: &reqwest::Error) -> String {
    let mut cause = e.source();
    while let Some(next) = cause.and_then(std::error::Error::source) {
        cause = Some(next);
    }
    cause.map_or_else(|| "no connection".to_owned(), ToString::to_string)
}
