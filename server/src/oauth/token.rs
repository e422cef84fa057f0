//! `POST /token`: an authorization code, a refresh token or a device code becomes tokens (RFC 6749 section 3.2).

use std::sync::Arc;
use std::time::Duration;

use axum::Json;
use axum::extract::State;
use serde::{Deserialize, Serialize, Serializer};
use utoipa::ToSchema;

use crate::actions::device::{PollOutcome, poll};
use crate::actions::oauth::authenticate::authenticate;
use crate::actions::oauth::error::OAuthError;
use crate::actions::oauth::grant::GrantedTokens;
use crate::actions::oauth::redeem::{CodeExchange, redeem};
use crate::actions::sessions::refresh::{self, RefreshRequest};
use crate::app::AppState;
use crate::db::clients::OAuthClient;
use crate::http::client::RequestCaller;
use crate::http::error::ApiError;
use crate::http::refresh_retry::{RefreshRetry, RetryHeaders};
use crate::oauth::client::{Basic, OAuthForm};
use crate::oauth::error::{OAuthErrorBody, OAuthErrorResponse};
use crate::rules::caller::NetworkCaller;
use crate::rules::oauth::client::GrantType;
use crate::rules::oauth::scope::Scopes;
use crate::rules::session_kind::TokenHolder;
use crate::secret::SecretText;
use crate::tokens::device::DeviceCode;
use crate::tokens::refresh::RefreshToken;

/// A token request. Which fields it needs depends on the grant.
#[derive(Deserialize, ToSchema)]
pub(super) struct TokenForm {
    /// `authorization_code`, `refresh_token` or `urn:ietf:params:oauth:grant-type:device_code`.
    grant_type: Option<String>,
    client_id: Option<String>,
    #[schema(value_type = Option<String>)]
    client_secret: Option<SecretText>,
    #[schema(value_type = Option<String>)]
    code: Option<SecretText>,
    redirect_uri: Option<String>,
    #[schema(value_type = Option<String>)]
    code_verifier: Option<SecretText>,
    /// Seconds that the access token should work: shorter than usual, or, for a client without refresh tokens, as long as
    /// the consent page says (30 days, unless the server's limits say otherwise).
    requested_expiry: Option<String>,
    #[schema(value_type = Option<String>)]
    refresh_token: Option<SecretText>,
    /// Of a refresh: less than was granted.
    scope: Option<String>,
    #[schema(value_type = Option<String>)]
    device_code: Option<SecretText>,
}

/// Exchange a code or a refresh token for tokens
#[utoipa::path(
    post, path = "/token", tag = "OAuth",
    request_body(content = TokenForm, content_type = "application/x-www-form-urlencoded"),
    params(
        ("Idempotency-Key" = Option<String>, Header, description = "Of a refresh: one per refresh token, 256 random bits"),
        ("X-Request-Deadline" = Option<i64>, Header, description = "Of a refresh: unix seconds after which it is not carried out"),
    ),
    responses(
        (status = 200, body = OAuthTokenResponse),
        (status = 400, body = OAuthErrorBody), (status = 401, description = "`invalid_client`", body = OAuthErrorBody),
        (status = 409, description = "`rotation_in_progress` or `deadline_passed`: nothing was consumed", body = OAuthErrorBody),
        (status = 413, body = OAuthErrorBody), (status = 415, body = OAuthErrorBody), (status = 429, body = OAuthErrorBody), (status = 503, body = OAuthErrorBody),
    )
)]
pub(super) async fn token(
    State(app): State<Arc<AppState>>,
    RequestCaller(caller): RequestCaller,
    retry: Result<RetryHeaders, ApiError>,
    basic: Basic,
    OAuthForm(form): OAuthForm<TokenForm>,
) -> Result<Json<OAuthTokenResponse>, OAuthErrorResponse> {
    let grant_type = given(form.grant_type.as_deref(), "grant_type")?;
    let Ok(grant_type) = grant_type.parse::<GrantType>() else {
        return Err(OAuthErrorResponse::new("unsupported_grant_type", "This server has no such grant."));
    };
    let credentials = basic.or_form(form.client_id.clone(), form.client_secret.clone())?;
    // Nothing is consumed before the client has proved who it is.
    let client = authenticate(&app, &credentials, &caller).await.map_err(unconsumed)?;
    if !client.may(grant_type) {
        return Err(OAuthError::UnauthorizedClient.into());
    }
    match grant_type {
        GrantType::Code => code(&app, &client, &caller, &form).await,
        GrantType::Refresh => refreshed(&app, &client, caller, retry?, &form).await,
        GrantType::Device => device(&app, &client, &caller, &form).await,
    }
    .map(Json)
}

async fn code(
    app: &AppState,
    client: &OAuthClient,
    caller: &NetworkCaller,
    form: &TokenForm,
) -> Result<OAuthTokenResponse, OAuthErrorResponse> {
    let exchange = CodeExchange {
        client,
        code: secret(form.code.as_ref(), "code")?,
        redirect: given(form.redirect_uri.as_deref(), "redirect_uri")?,
        verifier: secret(form.code_verifier.as_ref(), "code_verifier")?,
        access_ttl: form.requested_expiry.as_deref().map(expiry).transpose()?,
        caller,
    };
    Ok(OAuthTokenResponse::of(app, redeem(app, exchange).await?))
}

async fn refreshed(
    app: &AppState,
    client: &OAuthClient,
    caller: NetworkCaller,
    RetryHeaders { key, deadline }: RetryHeaders,
    form: &TokenForm,
) -> Result<OAuthTokenResponse, OAuthErrorResponse> {
    let token = RefreshToken::received(secret(form.refresh_token.as_ref(), "refresh_token")?.clone());
    let holder = TokenHolder::Client(client.id.clone());
    let request = RefreshRequest { token, holder, key, deadline, caller };
    let asked = form.scope.as_deref().filter(|scope| !scope.is_empty());
    let asked = asked.map(|text| Scopes::parse(text).map_err(|_| OAuthError::InvalidScope));
    let refreshed = refresh::refresh_within(app, &request, asked.transpose()?.as_ref()).await;
    let (tokens, scopes) = refreshed.map_err(unconsumed)?;
    let refresh = Some((tokens.refresh, tokens.refresh_expires_in));
    let (access, access_expires_in) = (tokens.access, tokens.access_expires_in);
    Ok(OAuthTokenResponse::of(
        app,
        GrantedTokens { access, access_expires_in, refresh, id_token: None, scopes },
    ))
}

/// The device grant (RFC 8628 section 3.4).
async fn device(
    app: &AppState,
    client: &OAuthClient,
    caller: &NetworkCaller,
    form: &TokenForm,
) -> Result<OAuthTokenResponse, OAuthErrorResponse> {
    let code = DeviceCode::received(secret(form.device_code.as_ref(), "device_code")?.clone());
    match poll(app, &code, &TokenHolder::Client(client.id.clone()), caller).await? {
        PollOutcome::Issued(issued) => Ok(OAuthTokenResponse::of(app, *issued)),
        PollOutcome::Pending => Err(OAuthErrorResponse::new(
            "authorization_pending",
            "Nobody has approved or denied it yet. Ask again.",
        )),
        PollOutcome::SlowDown => {
            Err(OAuthErrorResponse::new("slow_down", "Wait five seconds more between two polls from now on."))
        }
        PollOutcome::Expired => {
            Err(OAuthErrorResponse::new("expired_token", "The code's time is over. Begin again."))
        }
        PollOutcome::Denied => Err(OAuthErrorResponse::new("access_denied", "The user did not allow it.")),
        // Another holder's grant is unknown to a client.
        PollOutcome::Unknown | PollOutcome::Granted(_) => Err(OAuthError::InvalidGrant.into()),
    }
}

fn unconsumed(error: impl Into<OAuthErrorResponse>) -> OAuthErrorResponse {
    error.into().leaving_attempt_unconsumed()
}

/// A field that must be there. One without a value counts as left out (RFC 6749 section 3.2).
fn given<'a>(field: Option<&'a str>, name: &str) -> Result<&'a str, OAuthErrorResponse> {
    let value = field.filter(|value| !value.is_empty());
    value.ok_or_else(|| OAuthErrorResponse::request(format!("{name} is missing.")))
}

fn secret<'a>(field: Option<&'a SecretText>, name: &str) -> Result<&'a SecretText, OAuthErrorResponse> {
    let value = field.filter(|value| !value.expose().is_empty());
    value.ok_or_else(|| OAuthErrorResponse::request(format!("{name} is missing.")))
}

fn expiry(text: &str) -> Result<Duration, OAuthErrorResponse> {
    let digits = (1..=10).contains(&text.len()) && text.bytes().all(|byte| byte.is_ascii_digit());
    let secs = text.parse().ok().filter(|secs: &u64| digits && *secs > 0);
    secs.map(Duration::from_secs)
        .ok_or_else(|| OAuthErrorResponse::request("requested_expiry is a number of seconds, at least 1."))
}

/// A token answer (RFC 6749 section 5.1).
#[derive(Serialize, ToSchema)]
#[schema(as = TokenAnswer)]
pub(super) struct OAuthTokenResponse {
    #[serde(serialize_with = "expose")]
    #[schema(value_type = String)]
    access_token: SecretText,
    token_type: &'static str,
    /// Whole seconds.
    expires_in: u64,
    scope: String,
    #[serde(serialize_with = "expose_some", skip_serializing_if = "Option::is_none")]
    #[schema(value_type = Option<String>)]
    refresh_token: Option<SecretText>,
    /// Whole seconds that the refresh token works unless it is used.
    #[serde(skip_serializing_if = "Option::is_none")]
    refresh_expires_in: Option<u64>,
    #[serde(skip_serializing_if = "Option::is_none")]
    refresh_retry: Option<RefreshRetry>,
    #[serde(serialize_with = "expose_some", skip_serializing_if = "Option::is_none")]
    #[schema(value_type = Option<String>)]
    id_token: Option<SecretText>,
}

impl OAuthTokenResponse {
    /// After a grant.
    pub(super) fn of(app: &AppState, issued: GrantedTokens) -> Self {
        let (refresh, refresh_expires_in) = issued.refresh.unzip();
        Self {
            access_token: issued.access,
            token_type: "Bearer",
            expires_in: issued.access_expires_in.as_secs(),
            scope: issued.scopes.text(),
            refresh_retry: refresh.as_ref().map(|_| app.policy.retry.into()),
            refresh_token: refresh.map(|token| SecretText::new(token.expose().to_owned())),
            refresh_expires_in: refresh_expires_in.map(|span| span.as_secs()),
            id_token: issued.id_token,
        }
    }
}

fn expose<S: Serializer>(secret: &SecretText, serializer: S) -> Result<S::Ok, S::Error> {
    serializer.serialize_str(secret.expose())
}

fn expose_some<S: Serializer>(secret: &Option<SecretText>, serializer: S) -> Result<S::Ok, S::Error> {
    secret.as_ref().map(SecretText::expose).serialize(serializer)
}
