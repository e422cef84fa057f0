//! `POST /register`: dynamic client registration (RFC 7591).

use std::sync::Arc;

use axum::Json;
use axum::extract::State;
use axum::http::StatusCode;
use serde::{Deserialize, Serialize};
use utoipa::ToSchema;

use crate::actions::oauth::register::{RegisteredClient, register as carry_out};
use crate::app::AppState;
use crate::http::body::JsonBody;
use crate::http::client::ClientAddress;
use crate::http::error::ApiError;
use crate::oauth::error::{OAuthErrorBody, OAuthErrorResponse};
use crate::rules::oauth::client::{ClientRegistration, GrantType, RegistrationError, RequestedRegistration};
use crate::rules::oauth::redirect::Redirect;

/// What a client says about itself (RFC 7591 section 2). Members that are not listed are ignored.
#[derive(Deserialize, ToSchema)]
pub(super) struct ClientMetadata {
    /// At most ten. https, http on 127.0.0.1, [::1] or localhost, or an app's own scheme with a dot in it.
    redirect_uris: Option<Vec<String>>,
    /// `none`, `client_secret_basic` (if left out) or `client_secret_post`.
    token_endpoint_auth_method: Option<String>,
    /// `authorization_code` (if left out), `refresh_token`, `urn:ietf:params:oauth:grant-type:device_code`.
    grant_types: Option<Vec<String>>,
    /// `code`, or nothing without the grant authorization_code.
    response_types: Option<Vec<String>>,
    /// At most 80 visible characters.
    client_name: Option<String>,
    /// The most it will ask for; left out, it may ask for every scope.
    scope: Option<String>,
}

/// A registered client (RFC 7591 section 3.2.1).
#[derive(Serialize, ToSchema)]
#[schema(as = Client)]
pub(super) struct ClientInformation {
    client_id: String,
    client_id_issued_at: i64,
    /// Told this once. Absent for the method `none`.
    #[serde(skip_serializing_if = "Option::is_none")]
    client_secret: Option<String>,
    /// 0: it does not lapse. Only there beside a secret.
    #[serde(skip_serializing_if = "Option::is_none")]
    client_secret_expires_at: Option<i64>,
    redirect_uris: Vec<String>,
    token_endpoint_auth_method: &'static str,
    grant_types: Vec<&'static str>,
    response_types: Vec<&'static str>,
    #[serde(skip_serializing_if = "String::is_empty")]
    client_name: String,
    scope: String,
}

/// Register an OAuth client (RFC 7591)
#[utoipa::path(
    post, path = "/register", tag = "OAuth", request_body = ClientMetadata,
    responses(
        (status = 201, body = ClientInformation),
        (status = 400, description = "`invalid_redirect_uri` or `invalid_client_metadata`", body = OAuthErrorBody),
        (status = 413, body = OAuthErrorBody), (status = 415, body = OAuthErrorBody), (status = 429, body = OAuthErrorBody),
    )
)]
pub(super) async fn register(
    State(app): State<Arc<AppState>>,
    ClientAddress(address): ClientAddress,
    body: Result<JsonBody<ClientMetadata>, ApiError>,
) -> Result<(StatusCode, Json<ClientInformation>), OAuthErrorResponse> {
    let JsonBody(metadata) = body.map_err(|error| match error.status() {
        StatusCode::BAD_REQUEST => OAuthErrorResponse::new("invalid_client_metadata", error.message()),
        _ => error.into(),
    })?;
    let registration = ClientRegistration::decide(&RequestedRegistration {
        name: metadata.client_name,
        auth: metadata.token_endpoint_auth_method,
        redirects: metadata.redirect_uris,
        grants: metadata.grant_types,
        responses: metadata.response_types,
        scope: metadata.scope,
    });
    let registration = registration.map_err(|refused| match refused {
        RegistrationError::Redirect(why) => OAuthErrorResponse::new("invalid_redirect_uri", why),
        RegistrationError::Metadata(why) => OAuthErrorResponse::new("invalid_client_metadata", why),
    })?;
    if registration.redirects.iter().any(|redirect| redirect.is_at(&app.public_url)) {
        let why = "A redirect URI leads to the client, not to this server.";
        return Err(OAuthErrorResponse::new("invalid_redirect_uri", why));
    }
    let registered = carry_out(&app, &registration, address).await?;
    Ok((StatusCode::CREATED, Json(view(registered))))
}

fn view(RegisteredClient { client, secret }: RegisteredClient) -> ClientInformation {
    let ClientRegistration { name, auth, redirects, grants, scopes } = client.registered;
    ClientInformation {
        client_id: client.id,
        client_id_issued_at: client.created_at.secs(),
        client_secret_expires_at: secret.as_ref().map(|_| 0),
        client_secret: secret.map(|secret| secret.expose().to_owned()),
        redirect_uris: redirects.iter().map(Redirect::as_str).map(str::to_owned).collect(),
        token_endpoint_auth_method: auth.as_str(),
        response_types: if grants.contains(&GrantType::Code) { vec!["code"] } else { Vec::new() },
        grant_types: grants.into_iter().map(GrantType::as_str).collect(),
        client_name: name,
        scope: scopes.text(),
    }
}
