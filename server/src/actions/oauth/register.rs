//! Registers an OAuth client (RFC 7591).

use std::time::Duration;

use uuid::Uuid;

use crate::actions::limit::{LimitError, NetworkLimit};
use crate::actions::server_error::ServerError;
use crate::app::AppState;
use crate::db::audit::AuditEntry;
use crate::db::clients::OAuthClient;
use crate::db::throttle::ThrottleKind;
use crate::db::{Tx, retry};
use crate::digest::Digest;
use crate::metrics::METRICS;
use crate::rules::address;
use crate::rules::audit_event::AuditEvent;
use crate::rules::oauth::client::{ClientAuthMethod, ClientRegistration};
use crate::secret::{SecretBytes, SecretText};
use crate::time::Timestamp;

/// How long a client is left in peace to be allowed something.
const NEW: Duration = Duration::from_secs(3600);

/// A client that was just registered.
#[derive(Debug)]
pub struct RegisteredClient {
    pub client: OAuthClient,
    /// Its secret, which is not kept.
    pub secret: Option<SecretText>,
}

pub async fn register(
    app: &AppState,
    registration: &ClientRegistration,
    address: address::NetworkAddress,
) -> Result<RegisteredClient, LimitError> {
    retry(|| attempt(app, registration, address)).await
}

async fn attempt(
    app: &AppState,
    registration: &ClientRegistration,
    address: address::NetworkAddress,
) -> Result<RegisteredClient, LimitError> {
    let mut tx = app.store.begin().await?;
    let now = app.now();
    let limit = app.limits.registrations_per_ip;
    NetworkLimit::new(ThrottleKind::Registration, address, limit).admit(&mut tx, now).await?;
    make_room(app, &mut tx, now).await?;
    let secret = match registration.auth {
        ClientAuthMethod::None => None,
        ClientAuthMethod::Basic | ClientAuthMethod::Post => Some(SecretBytes::random()?.to_base64()),
    };
    let client = OAuthClient {
        id: Uuid::new_v4().to_string(),
        registered: registration.clone(),
        secret: secret.as_ref().map(|secret| Digest::sha256(secret.expose().as_bytes())),
        introspects: false,
        created_at: now,
    };
    tx.insert_client(&client).await?;
    let detail = Some(client.id.as_str());
    tx.record(
        AuditEntry { event: AuditEvent::ClientRegistered, session: None, generation: None, detail },
        now,
    )
    .await?;
    tx.commit().await?;
    Ok(RegisteredClient { client, secret })
}

/// Whoever registers clients without end only takes the places of others that nobody uses.
async fn make_room(app: &AppState, tx: &mut Tx, now: Timestamp) -> Result<(), ServerError> {
    let most = u64::from(app.limits.clients_most);
    let many = tx.count_clients().await?;
    if many >= most && tx.forget_clients(now.minus(NEW), many - most + 1).await? == 0 {
        METRICS.ceiling_refused("clients_most");
        return Err(ServerError::Full { what: "OAuth clients", limit: "clients_most" });
    }
    Ok(())
}
