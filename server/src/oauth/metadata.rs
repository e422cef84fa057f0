//! What this server can do, for clients to find: RFC 8414, OpenID Connect Discovery, RFC 9728.

use std::sync::Arc;

use axum::Json;
use axum::extract::State;
use serde::Serialize;
use utoipa::ToSchema;

use crate::app::AppState;
use crate::http::refresh_retry::RefreshRetry;
use crate::rules::oauth::scope::Scope;

/// Grants that the token endpoint takes.
pub(super) const GRANTS: [&str; 3] =
    ["authorization_code", "refresh_token", "urn:ietf:params:oauth:grant-type:device_code"];
/// Ways in which a client proves who it is.
const CLIENT_AUTH: [&str; 3] = ["none", "client_secret_basic", "client_secret_post"];
const SECRET_AUTH: [&str; 2] = ["client_secret_basic", "client_secret_post"];

/// What the authorization server can do (RFC 8414 section 2, OpenID Connect Discovery section 3).
#[derive(Serialize, ToSchema)]
pub(super) struct AuthorizationServer {
    issuer: String,
    authorization_endpoint: String,
    token_endpoint: String,
    registration_endpoint: String,
    revocation_endpoint: String,
    introspection_endpoint: String,
    device_authorization_endpoint: String,
    userinfo_endpoint: String,
    jwks_uri: String,
    scopes_supported: Vec<&'static str>,
    response_types_supported: [&'static str; 1],
    response_modes_supported: [&'static str; 1],
    grant_types_supported: [&'static str; 3],
    code_challenge_methods_supported: [&'static str; 1],
    token_endpoint_auth_methods_supported: [&'static str; 3],
    revocation_endpoint_auth_methods_supported: [&'static str; 3],
    introspection_endpoint_auth_methods_supported: [&'static str; 2],
    authorization_response_iss_parameter_supported: bool,
    subject_types_supported: [&'static str; 1],
    id_token_signing_alg_values_supported: [&'static str; 1],
    claims_supported: [&'static str; 10],
    prompt_values_supported: [&'static str; 3],
    claims_parameter_supported: bool,
    request_parameter_supported: bool,
    request_uri_parameter_supported: bool,
    everkey_refresh_retry: LostAnswers,
}

/// What a client may do when the answer to a refresh is lost, and where it can ask.
#[derive(Serialize, ToSchema)]
struct LostAnswers {
    #[serde(flatten)]
    retry: RefreshRetry,
    /// Tells how far a session has rotated.
    session_endpoint: String,
}

impl LostAnswers {
    fn of(app: &AppState) -> Self {
        Self { retry: app.policy.retry.into(), session_endpoint: at(app, "/v0/auth/session") }
    }
}

fn at(app: &AppState, path: &str) -> String {
    format!("{}{path}", app.public_url)
}

fn scopes() -> Vec<&'static str> {
    Scope::ALL.map(Scope::as_str).to_vec()
}

fn describe(app: &AppState) -> AuthorizationServer {
    AuthorizationServer {
        issuer: app.public_url.clone(),
        authorization_endpoint: at(app, "/authorize"),
        token_endpoint: at(app, "/token"),
        registration_endpoint: at(app, "/register"),
        revocation_endpoint: at(app, "/revoke"),
        introspection_endpoint: at(app, "/introspect"),
        device_authorization_endpoint: at(app, "/device_authorization"),
        userinfo_endpoint: at(app, "/userinfo"),
        jwks_uri: at(app, "/jwks"),
        scopes_supported: scopes(),
        response_types_supported: ["code"],
        response_modes_supported: ["query"],
        grant_types_supported: GRANTS,
        code_challenge_methods_supported: ["S256"],
        token_endpoint_auth_methods_supported: CLIENT_AUTH,
        revocation_endpoint_auth_methods_supported: CLIENT_AUTH,
        introspection_endpoint_auth_methods_supported: SECRET_AUTH,
        authorization_response_iss_parameter_supported: true,
        subject_types_supported: ["public"],
        id_token_signing_alg_values_supported: ["ES256"],
        claims_supported: [
            "iss",
            "sub",
            "aud",
            "iat",
            "exp",
            "auth_time",
            "nonce",
            "email",
            "email_verified",
            "name",
        ],
        prompt_values_supported: ["none", "login", "consent"],
        claims_parameter_supported: false,
        request_parameter_supported: false,
        request_uri_parameter_supported: false,
        everkey_refresh_retry: LostAnswers::of(app),
    }
}

/// What the authorization server can do (RFC 8414)
#[utoipa::path(
    get, path = "/.well-known/oauth-authorization-server", tag = "OAuth",
    responses((status = 200, body = AuthorizationServer))
)]
pub(super) async fn authorization_server(State(app): State<Arc<AppState>>) -> Json<AuthorizationServer> {
    Json(describe(&app))
}

/// What the OpenID provider can do (OpenID Connect Discovery)
#[utoipa::path(
    get, path = "/.well-known/openid-configuration", tag = "OAuth",
    responses((status = 200, body = AuthorizationServer))
)]
pub(super) async fn openid_configuration(State(app): State<Arc<AppState>>) -> Json<AuthorizationServer> {
    Json(describe(&app))
}

/// Where tokens for this server's own resources come from (RFC 9728 section 2).
#[derive(Serialize, ToSchema)]
pub(super) struct ProtectedResource {
    resource: String,
    authorization_servers: [String; 1],
    scopes_supported: Vec<&'static str>,
    bearer_methods_supported: [&'static str; 1],
}

/// Where this server's own resources take their tokens from (RFC 9728)
#[utoipa::path(
    get, path = "/.well-known/oauth-protected-resource", tag = "OAuth",
    responses((status = 200, body = ProtectedResource))
)]
pub(super) async fn protected_resource(State(app): State<Arc<AppState>>) -> Json<ProtectedResource> {
    Json(ProtectedResource {
        resource: app.public_url.clone(),
        authorization_servers: [app.public_url.clone()],
        scopes_supported: scopes(),
        bearer_methods_supported: ["header"],
    })
}
