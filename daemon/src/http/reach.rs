//! How far a request without a token gets to a server, and where it is stuck. What comes back is not read.

use super::between::in_force;
use super::connection::park;
use super::request::RequestTarget;
use crate::clock;
use everkey_config::network::NetworkSettings;
use everkey_proto::reply::{Reach, ReachStep};
use everkey_session::{NetError, NetErrorKind};
use std::time::Duration;
use tokio::net::lookup_host;
use tokio::time::timeout;

/// How long all of it may take.
const PATIENCE: Duration = Duration::from_secs(2);

/// Asks the server for its first page.
pub async fn reach(network: &NetworkSettings, server: &str) -> Reach {
    let mut step = ReachStep::Name;
    let asked = timeout(PATIENCE, ask(network, server, &mut step)).await;
    asked.unwrap_or_else(|_late| {
        let why = format!("no answer within {} seconds", PATIENCE.as_secs());
        Reach::Stuck { step, why }
    })
}

/// `step` is where it is, should it end before its time.
async fn ask(network: &NetworkSettings, server: &str, step: &mut ReachStep) -> Reach {
    let by_proxy = in_force(network, server).0.is_some();
    if !by_proxy && let Err(why) = find_host(server).await {
        return Reach::Stuck { step: *step, why };
    }
    *step = if by_proxy { ReachStep::Proxy } else { ReachStep::Connection };
    let parked = match park(network, server, &RequestTarget::Path("/")).await {
        Ok(parked) => parked,
        Err(NetError { kind: NetErrorKind::Connect(why), .. }) => return connecting(*step, why),
        Err(error) => return Reach::Stuck { step: *step, why: words(&error.kind) },
    };
    *step = ReachStep::Answer;
    match parked.first_page(PATIENCE).await {
        Ok((status, date)) => Reach::Answered { status, date, received_at: clock::wall() },
        Err(error) => Reach::Stuck { step: *step, why: words(&error.kind) },
    }
}

/// Who has no address can't be connected to; with a proxy, the proxy looks for it.
async fn find_host(server: &str) -> Result<(), String> {
    let url = reqwest::Url::parse(server).map_err(|_| "that is no address".to_owned())?;
    let host = url.host_str().unwrap_or_default().trim_matches(['[', ']']).to_owned();
    let port = url.port_or_known_default().unwrap_or(443);
    lookup_host((host, port)).await.map(drop).map_err(|e| e.to_string())
}

/// The words are rustls's: it has no other way through the HTTP client.
fn connecting(step: ReachStep, why: String) -> Reach {
    let said = why.to_ascii_lowercase();
    let step = match said.contains("certificate") {
        true if ["expired", "not valid yet", "notvalidyet"].iter().any(|word| said.contains(word)) => {
            ReachStep::CertificateTime
        }
        true => ReachStep::Certificate,
        false => step,
    };
    Reach::Stuck { step, why }
}

fn words(kind: &NetErrorKind) -> String {
    if *kind == NetErrorKind::Timeout {
        "no answer in time"
    } else {
        "the connection was closed without an answer"
    }
    .to_owned()
}
