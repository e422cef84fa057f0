//! `GET /jwks`: the public halves of the keys that sign id_tokens (RFC 7517).

use std::sync::Arc;

use axum::Json;
use axum::extract::State;
use serde::Serialize;
use utoipa::ToSchema;

use crate::app::AppState;
use crate::keys::ServerKey;

/// A set of public keys, the one in use first.
#[derive(Serialize, ToSchema)]
pub(super) struct Jwks {
    keys: Vec<Jwk>,
}

/// A public key on P-256 (RFC 7518 section 6.2).
#[derive(Serialize, ToSchema)]
pub(super) struct Jwk {
    kty: &'static str,
    crv: &'static str,
    alg: &'static str,
    #[serde(rename = "use")]
    used_for: &'static str,
    kid: String,
    x: String,
    y: String,
}

/// The public keys that id_tokens are verified with
#[utoipa::path(get, path = "/jwks", tag = "OAuth", responses((status = 200, body = Jwks)))]
pub(super) async fn jwks(State(app): State<Arc<AppState>>) -> Json<Jwks> {
    // Another process may sign with newer ones already.
    app.keys.reload();
    Json(Jwks { keys: app.keys.all().filter_map(|key| jwk(&key)).collect() })
}

fn jwk(key: &ServerKey) -> Option<Jwk> {
    let (x, y) = key.es256.as_ref()?.coordinates();
    Some(Jwk { kty: "EC", crv: "P-256", alg: "ES256", used_for: "sig", kid: key.id.clone(), x, y })
}
