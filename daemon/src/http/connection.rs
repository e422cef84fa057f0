//! One connection for each request: no redirects, no retries, no pool, plain http only to this machine.

use super::between::{blamed, put_between};
use super::request::{HttpRequest, RequestTarget};
use super::response::{HttpResponse, http_date};
use crate::parking::{Lot, ParkLayer};
use everkey_config::network::NetworkSettings;
use everkey_session::{AnswerFlaw, NetError, NetErrorKind};
use reqwest::{Client, ClientBuilder, redirect, retry};
use std::error::Error as _;
use std::time::{Duration, SystemTime, UNIX_EPOCH};
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
    network: NetworkSettings,
    lot: Lot,
}

/// Sends a request on a connection of its own.
pub async fn call(
    network: &NetworkSettings,
    server: &str,
    request: HttpRequest,
) -> Result<HttpResponse, NetError> {
    let client = build(network, server, &request.target.at(server), None).await?;
    send(&client, network, server, request, ANSWER).await
}

/// S1: connects to where `target` is, finishes TLS, and sends nothing.
pub async fn park(
    network: &NetworkSettings,
    server: &str,
    target: &RequestTarget,
) -> Result<Parked, NetError> {
    let lot = Lot::default();
    let url = target.at(server);
    let client = build(network, server, &url, Some(ParkLayer::new(lot.clone()))).await?;
    // The connector parks the connection and fails this request, so no byte of it is written.
    let outcome = client.get(url).send().await;
    if lot.is_taken() {
        return Ok(Parked { client, server: server.to_owned(), network: network.clone(), lot });
    }
    Err(match outcome {
        Ok(_) => NetError { server: server.to_owned(), kind: NetErrorKind::Broken },
        Err(e) => error(network, server, &e),
    })
}

impl Parked {
    /// S3: sends on the parked connection and on no other. The answer may take so long.
    pub async fn send(self, request: HttpRequest, patience: Duration) -> Result<HttpResponse, NetError> {
        self.lot.release();
        send(&self.client, &self.network, &self.server, request, patience).await
    }

    /// Asks for the first page: its status, and the server's time. It may take so long, and is not read.
    pub async fn first_page(self, patience: Duration) -> Result<(u16, Option<u64>), NetError> {
        self.lot.release();
        let sending = self.client.get(format!("{}/", self.server)).timeout(patience).send().await;
        let answer = sending.map_err(|e| error(&self.network, &self.server, &e))?;
        let date = answer.headers().get("date").and_then(|date| http_date(date.to_str().ok()?));
        Ok((answer.status().as_u16(), date))
    }
}

/// Certificates are read from files, which may keep their reader waiting.
async fn build(
    network: &NetworkSettings,
    server: &str,
    url: &str,
    park: Option<ParkLayer>,
) -> Result<Client, NetError> {
    let (network, name, url) = (network.clone(), server.to_owned(), url.to_owned());
    let built = tokio::task::spawn_blocking(move || build_now(&network, &name, &url, park)).await;
    built.unwrap_or_else(|_| Err(NetError { server: server.to_owned(), kind: NetErrorKind::Broken }))
}

fn build_now(
    network: &NetworkSettings,
    server: &str,
    url: &str,
    park: Option<ParkLayer>,
) -> Result<Client, NetError> {
    let unreachable = |why| NetError { server: server.to_owned(), kind: NetErrorKind::Connect(why) };
    let builder: ClientBuilder = Client::builder()
        .http1_only()
        .pool_max_idle_per_host(usize::from(park.is_some()))
        .redirect(redirect::Policy::none())
        .retry(retry::never())
        .referer(false)
        .connect_timeout(CONNECT)
        .timeout(ANSWER)
        .user_agent(concat!("everkey/", env!("CARGO_PKG_VERSION")));
    let mut builder = put_between(network, url, builder).map_err(unreachable)?;
    if let Some(park) = park {
        builder = builder.connector_layer(park);
    }
    builder.build().map_err(|e| match blamed(network, url, &innermost(&e)) {
        Some(why) => unreachable(why),
        None => error(network, server, &e),
    })
}

async fn send(
    client: &Client,
    network: &NetworkSettings,
    server: &str,
    request: HttpRequest,
    patience: Duration,
) -> Result<HttpResponse, NetError> {
    let sending = client.request(request.method, request.target.at(server)).timeout(patience);
    let mut sending = sending.headers(request.headers);
    if let Some(body) = request.body {
        sending = sending.body(body.expose().to_owned());
    }
    let mut response = sending.send().await.map_err(|e| error(network, server, &e))?;
    let text = |name: &str| response.headers().get(name).and_then(|v| v.to_str().ok()).map(str::to_owned);
    let location = text("location");
    let kind = text("content-type").unwrap_or_default();
    let kind = kind.split(';').next().unwrap_or_default().trim().to_ascii_lowercase();
    let encoding = text("content-encoding").map(|encoding| encoding.trim().to_ascii_lowercase());
    // Asked for as it is, it is nothing that could be read if it comes otherwise.
    let encoded = encoding.filter(|encoding| !matches!(&**encoding, "" | "identity"));
    let kind = encoded.map(|encoding| format!("{kind}, {encoding}")).unwrap_or(kind);
    let date = text("date").and_then(|date| http_date(&date));
    let received = SystemTime::now().duration_since(UNIX_EPOCH).ok().map(|now| now.as_secs());
    let mut answer = HttpResponse {
        server: server.to_owned(),
        status: response.status().as_u16(),
        date,
        received,
        retry_after: text("retry-after"),
        location,
        proxy_status: text("proxy-status"),
        content_type: Some(kind).filter(|kind| !kind.is_empty()),
        body: Zeroizing::new(Vec::new()),
    };
    loop {
        let chunk = match response.chunk().await {
            Ok(Some(chunk)) => chunk,
            Ok(None) => return Ok(answer),
            // It has done what it was asked, and says so.
            Err(_) if answer.status == 200 && answer.says_json() => {
                return Err(answer.error(NetErrorKind::Cut));
            }
            Err(e) => return Err(error(network, server, &e)),
        };
        if answer.body.len() + chunk.len() > CAP {
            return Err(answer.unusable(AnswerFlaw::TooLong));
        }
        answer.body.extend_from_slice(&chunk);
    }
}

fn error(network: &NetworkSettings, server: &str, e: &reqwest::Error) -> NetError {
    let blamed = e.url().filter(|_| e.is_connect()).and_then(|url| {
        let why = if e.is_timeout() { "no answer in time".to_owned() } else { innermost(e) };
        blamed(network, url.as_str(), &why)
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
