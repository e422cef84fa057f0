//! A client proves who it is (RFC 6749 section 2.3).

use crate::actions::limit::NetworkLimit;
use crate::actions::oauth::error::OAuthError;
use crate::app::AppState;
use crate::db::audit::AuditEntry;
use crate::db::clients::OAuthClient;
use crate::db::retry;
use crate::db::throttle::ThrottleKind;
use crate::digest::Digest;
use crate::rules::audit_event::AuditEvent;
use crate::rules::caller::NetworkCaller;
use crate::rules::oauth::client::ClientAuthMethod;
use crate::secret::SecretText;

/// What a request says about the client that makes it.
#[derive(Clone, Debug)]
pub struct Credentials {
    pub id: String,
    /// How it proves who it is.
    pub proof: ClientProof,
}

/// How a request proves that it comes from a client.
#[derive(Clone, Debug)]
pub enum ClientProof {
    None,
    /// With a secret, by HTTP Basic.
    Basic(SecretText),
    /// With a secret in the form.
    Post(SecretText),
}

/// The client that makes the request. It must prove it in the very way it registered. Failures are counted by network, and
/// after too many of them more are not looked into. A right secret is never limited: its 256 bits can't be guessed, and one
/// client with an old secret must not lock out its neighbours.
pub async fn authenticate(
    app: &AppState,
    credentials: &Credentials,
    caller: &NetworkCaller,
) -> Result<OAuthClient, OAuthError> {
    retry(|| attempt(app, credentials, caller)).await
}

async fn attempt(
    app: &AppState,
    credentials: &Credentials,
    caller: &NetworkCaller,
) -> Result<OAuthClient, OAuthError> {
    let limit = app.limits.client_failures_per_ip;
    let mut tx = app.store.begin().await?;
    let now = app.now();
    let client = tx.client(&credentials.id).await?;
    let known = client.is_some();
    if let Some(client) = client.filter(|client| is_proved(client, &credentials.proof)) {
        return Ok(client);
    }
    NetworkLimit::new(ThrottleKind::FailedClient, caller.address, limit).admit(&mut tx, now).await?;
    let detail = known.then_some(credentials.id.as_str());
    tx.record(AuditEntry { event: AuditEvent::ClientRefused, session: None, generation: None, detail }, now)
        .await?;
    tx.commit().await?;
    Err(OAuthError::InvalidClient)
}

fn is_proved(client: &OAuthClient, proof: &ClientProof) -> bool {
    let matches = |secret: &SecretText| client.secret == Some(Digest::sha256(secret.expose().as_bytes()));
    match (client.registered.auth, proof) {
        (ClientAuthMethod::None, ClientProof::None) => true,
        (ClientAuthMethod::Basic, ClientProof::Basic(secret))
        | (ClientAuthMethod::Post, ClientProof::Post(secret)) => matches(secret),
        (ClientAuthMethod::None, ClientProof::Basic(_) | ClientProof::Post(_))
        | (ClientAuthMethod::Basic, ClientProof::None | ClientProof::Post(_))
        | (ClientAuthMethod::Post, ClientProof::None | ClientProof::Basic(_)) => false,
    }
}
