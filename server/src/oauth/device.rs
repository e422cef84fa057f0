//! `POST /device_authorization`: a device without a browser begins a sign-in (RFC 8628 section 3.1).

use std::sync::Arc;

use axum::Json;
use axum::extract::State;
use serde::{Deserialize, Serialize, Serializer};
use utoipa::ToSchema;

use crate::actions::device::{self, DeviceAuthorization};
use crate::actions::oauth::authenticate::authenticate;
use crate::actions::oauth::error::OAuthError;
use crate::app::AppState;
use crate::http::client::RequestCaller;
use crate::oauth::client::{Basic, OAuthForm};
use crate::oauth::error::{OAuthErrorBody, OAuthErrorResponse};
use crate::rules::device::Asker;
use crate::rules::oauth::client::GrantType;
use crate::rules::oauth::scope::Scopes;
use crate::secret::SecretText;

/// Who asks, and for what.
#[derive(Deserialize, ToSchema)]
pub(super) struct DeviceForm {
    client_id: Option<String>,
    #[schema(value_type = Option<String>)]
    client_secret: Option<SecretText>,
    scope: Option<String>,
}

/// A sign-in that waits for a person (RFC 8628 section 3.2).
#[derive(Serialize, ToSchema)]
#[schema(as = DeviceAnswer)]
pub(super) struct DeviceAuthorizationResponse {
    /// What to poll the token endpoint with.
    #[serde(serialize_with = "expose")]
    #[schema(value_type = String)]
    device_code: SecretText,
    /// What the person types: `XXXX-XXXX`.
    #[serde(serialize_with = "expose")]
    #[schema(value_type = String)]
    user_code: SecretText,
    verification_uri: String,
    /// The same with the code in it. The person types it nevertheless.
    #[serde(serialize_with = "expose")]
    #[schema(value_type = String)]
    verification_uri_complete: SecretText,
    /// Whole seconds that both codes work.
    expires_in: u64,
    /// Whole seconds between two polls.
    interval: u64,
}

/// Begin a sign-in by device code
#[utoipa::path(
    post, path = "/device_authorization", tag = "OAuth",
    request_body(content = DeviceForm, content_type = "application/x-www-form-urlencoded"),
    responses(
        (status = 200, body = DeviceAuthorizationResponse),
        (status = 400, body = OAuthErrorBody), (status = 401, description = "`invalid_client`", body = OAuthErrorBody),
        (status = 408, body = OAuthErrorBody), (status = 413, body = OAuthErrorBody), (status = 415, body = OAuthErrorBody),
        (status = 429, description = "Too many from this address", body = OAuthErrorBody),
        (status = 500, body = OAuthErrorBody), (status = 503, body = OAuthErrorBody),
    )
)]
pub(super) async fn device_authorization(
    State(app): State<Arc<AppState>>,
    RequestCaller(caller): RequestCaller,
    basic: Basic,
    OAuthForm(form): OAuthForm<DeviceForm>,
) -> Result<Json<DeviceAuthorizationResponse>, OAuthErrorResponse> {
    let client = authenticate(&app, &basic.or_form(form.client_id, form.client_secret)?, &caller).await?;
    if !client.may(GrantType::Device) {
        return Err(OAuthError::UnauthorizedClient.into());
    }
    let scopes = match form.scope.as_deref().filter(|scope| !scope.is_empty()) {
        Some(text) => Scopes::parse(text).map_err(|_| OAuthError::InvalidScope)?,
        None => Scopes::unasked(),
    };
    let scopes = scopes.and(&client.registered.scopes);
    if scopes.is_empty() {
        return Err(OAuthError::InvalidScope.into());
    }
    let asker = Asker::Client { id: client.id, name: client.registered.name, scope: scopes.text() };
    let DeviceAuthorization { device_code, user_code, expires_at: _, expires_in, interval } =
        device::request(&app, &asker, &caller).await?;
    let verification_uri = format!("{}/device", app.public_url);
    Ok(Json(DeviceAuthorizationResponse {
        device_code: SecretText::new(device_code.expose().to_owned()),
        verification_uri_complete: SecretText::new(format!(
            "{verification_uri}?user_code={}",
            user_code.expose()
        )),
        verification_uri,
        user_code,
        expires_in: expires_in.as_secs(),
        interval: interval.as_secs(),
    }))
}

fn expose<S: Serializer>(secret: &SecretText, serializer: S) -> Result<S::Ok, S::Error> {
    serializer.serialize_str(secret.expose())
}
