//! A client proves who it is (RFC 6749 section 2.3).

use super::Fault;
use crate::actions::limited::room;
use crate::actions::{Refusal, again};
use crate::app::App;
use crate::db::audit::{Entry, Event};
use crate::db::clients::Client;
use crate::db::throttle::Kind;
use crate::digest::Digest;
use crate::rules::caller::Caller;
use crate::rules::oauth::client::AuthMethod;
use crate::rules::rate::Rate;
use crate::secret::SecretText;

/// What a request says about the client that makes it.
#[derive(Clone, Debug)]
pub struct Credentials {
    /// The client's id.
    pub id: String,
    /// How it proves who it is.
    pub proof: Proof,
}

/// How a request proves that it comes from a client.
#[derive(Clone, Debug)]
pub enum Proof {
    /// Not at all.
    None,
    /// With a secret, by HTTP Basic.
    Basic(SecretText),
    /// With a secret in the form.
    Post(SecretText),
}

/// The client that makes the request. It must prove it in the very way it registered. Failures are counted by network
/// address, and too many of them refuse everyone there for a while.
pub async fn authenticate(app: &App, credentials: &Credentials, caller: &Caller) -> Result<Client, Refusal> {
    again(|| attempt(app, credentials, caller)).await
}

async fn attempt(app: &App, credentials: &Credentials, caller: &Caller) -> Result<Client, Refusal> {
    let (limit, subject) = (app.limits.client_failures_per_ip, caller.address.to_string());
    let mut tx = app.store.begin().await?;
    let now = app.now();
    if let Rate::Full { retry_after } = room(&mut tx, Kind::FailedClient, &subject, limit, now).await? {
        return Err(Refusal::RateLimited { retry_after });
    }
    let client = tx.client(&credentials.id).await?;
    let known = client.is_some();
    if let Some(client) = client.filter(|client| is_proved(client, &credentials.proof)) {
        return Ok(client);
    }
    tx.count_event(Kind::FailedClient, &subject, limit, now).await?;
    let detail = known.then_some(credentials.id.as_str());
    tx.record(Entry { event: Event::ClientRefused, session: None, generation: None, detail }, now).await?;
    tx.commit().await?;
    Err(Fault::InvalidClient.into())
}

fn is_proved(client: &Client, proof: &Proof) -> bool {
    let matches = |secret: &SecretText| client.secret == Some(Digest::sha256(secret.expose().as_bytes()));
    match (client.registered.auth, proof) {
        (AuthMethod::None, Proof::None) => true,
        (AuthMethod::Basic, Proof::Basic(secret)) | (AuthMethod::Post, Proof::Post(secret)) => {
            matches(secret)
        }
        (AuthMethod::None, Proof::Basic(_) | Proof::Post(_))
        | (AuthMethod::Basic, Proof::None | Proof::Post(_))
        | (AuthMethod::Post, Proof::None | Proof::Basic(_)) => false,
    }
}
