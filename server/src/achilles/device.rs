//! `POST /api/cli/auth/device-code` and `POST /api/cli/auth/poll`.

use std::sync::Arc;

use axum::Json;
use axum::extract::State;
use axum::http::StatusCode;
use serde::{Deserialize, Serialize};
use utoipa::ToSchema;

use crate::achilles::answer::{AchillesError, FailureBody, Success, expose};
use crate::actions::device::{self, DeviceAuthorization, DeviceTokens, PollOutcome};
use crate::actions::limit::{NetworkLimit, admit_alone};
use crate::actions::server_error::ServerError;
use crate::app::AppState;
use crate::db::throttle::ThrottleKind;
use crate::http::body::JsonBody;
use crate::http::client::RequestCaller;
use crate::http::error::ApiError;
use crate::http::refresh_retry::RefreshRetry;
use crate::rules::device::Asker;
use crate::rules::session_kind::{SessionKind, TokenHolder};
use crate::secret::SecretText;
use crate::tokens::device::DeviceCode;

/// A sign-in that waits for a person.
#[derive(Serialize, ToSchema)]
#[schema(as = achilles::Codes)]
pub(super) struct Codes {
    /// What to poll with: 64 hexadecimal digits.
    #[serde(serialize_with = "expose")]
    #[schema(value_type = String)]
    device_code: SecretText,
    /// What the person types: `XXXX-XXXX`.
    #[serde(serialize_with = "expose")]
    #[schema(value_type = String)]
    user_code: SecretText,
    /// Where the person types it.
    verification_url: String,
    /// When both codes stop working, ISO 8601.
    expires_at: String,
    /// Seconds between two polls.
    poll_interval: u64,
}

#[utoipa::path(
    post,
    path = "/api/cli/auth/device-code",
    tag = "achilles",
    responses(
        (status = 200, body = Success<Codes>),
        (status = 429, description = "Too many sign-ins from this address", body = FailureBody),
        (status = 500, body = FailureBody),
        (status = 503, body = FailureBody),
    )
)]
pub(super) async fn device_code(
    State(app): State<Arc<AppState>>,
    RequestCaller(caller): RequestCaller,
) -> Result<Json<Success<Codes>>, AchillesError> {
    let DeviceAuthorization { device_code, user_code, expires_at, expires_in: _, interval } =
        device::request(&app, &Asker::Achilles, &caller).await?;
    Ok(Success::of(Codes {
        device_code: SecretText::new(device_code.expose().to_owned()),
        user_code,
        verification_url: format!("{}/cli/verify", app.public_url),
        expires_at: expires_at.iso8601(),
        poll_interval: interval.as_secs(),
    }))
}

/// Which sign-in is polled for.
#[derive(Deserialize, ToSchema)]
#[schema(as = achilles::Poll)]
pub(super) struct Poll {
    #[schema(value_type = String)]
    device_code: SecretText,
}

/// The tokens of a sign-in that was approved. They are given out once.
#[derive(Serialize, ToSchema)]
#[schema(as = achilles::SignedIn)]
pub(super) struct AchillesTokens {
    #[serde(serialize_with = "expose")]
    #[schema(value_type = String)]
    access_token: SecretText,
    /// 64 hexadecimal digits.
    #[serde(serialize_with = "expose")]
    #[schema(value_type = String)]
    refresh_token: SecretText,
    /// When the access token stops working, ISO 8601.
    expires_at: String,
    user_id: String,
    org_id: String,
    /// `admin`, `operator`, `analyst` or `explorer`.
    role: String,
    email: String,
    /// Left out if the user has not said what they are called.
    #[serde(skip_serializing_if = "Option::is_none")]
    display_name: Option<String>,
    refresh_retry: RefreshRetry,
}

#[utoipa::path(
    post,
    path = "/api/cli/auth/poll",
    tag = "achilles",
    request_body = Poll,
    responses(
        (status = 200, body = Success<AchillesTokens>),
        (status = 202, description = "`authorization_pending`", body = FailureBody),
        (status = 400, body = FailureBody),
        (status = 404, description = "Not known, or its tokens were fetched before", body = FailureBody),
        (status = 408, body = FailureBody),
        (status = 410, description = "Expired, or denied (`access_denied`): begin again", body = FailureBody),
        (status = 413, body = FailureBody),
        (status = 415, body = FailureBody),
        (status = 429, body = FailureBody),
        (status = 500, body = FailureBody),
        (status = 503, body = FailureBody),
    )
)]
pub(super) async fn poll(
    State(app): State<Arc<AppState>>,
    RequestCaller(caller): RequestCaller,
    body: Result<JsonBody<Poll>, ApiError>,
) -> Result<Json<Success<AchillesTokens>>, AchillesError> {
    let JsonBody(Poll { device_code }) = body?;
    if device_code.expose().is_empty() {
        return Err(ApiError::validation("device_code must not be empty.").into());
    }
    let (code, limit) = (DeviceCode::received(device_code), app.limits.achilles_polls_per_ip);
    // Each sign-in for itself: neighbours who sign in at the same time are not in each other's way.
    match device::known_grant(&app, &code).await? {
        Some(grant) => admit_alone(&app, ThrottleKind::AchillesPollOfGrant, &grant, limit).await?,
        None => {
            let unknown = NetworkLimit::new(ThrottleKind::AchillesPollFromIp, caller.address, limit);
            unknown.admit_alone(&app).await?;
        }
    }
    match device::poll(&app, &code, &TokenHolder::Cli, &caller).await? {
        PollOutcome::Granted(granted) => Ok(Success::of(signed_in(&app, *granted)?)),
        // Nobody slows this CLI down, but if so it would have to wait as well.
        PollOutcome::Pending | PollOutcome::SlowDown => {
            Err(AchillesError::Plain(StatusCode::ACCEPTED, "authorization_pending"))
        }
        PollOutcome::Expired => Err(AchillesError::Plain(
            StatusCode::GONE,
            "The device code has expired. Run `achilles login` again.",
        )),
        // The contract has no answer for a sign-in that was denied; this one ends it.
        PollOutcome::Denied => Err(AchillesError::Plain(StatusCode::GONE, "access_denied")),
        // An OAuth client's grant is unknown to this CLI.
        PollOutcome::Unknown | PollOutcome::Issued(_) => Err(AchillesError::Plain(
            StatusCode::NOT_FOUND,
            "This device code is not known, or was used before. Run `achilles login` again.",
        )),
    }
}

fn signed_in(app: &AppState, granted: DeviceTokens) -> Result<AchillesTokens, ServerError> {
    let DeviceTokens { session, tokens, at } = granted;
    let odd = || ServerError::Failed("a device sign-in of achilles has an odd session".to_owned());
    let SessionKind::Cli { org, role } = session.grant else { return Err(odd()) };
    Ok(AchillesTokens {
        refresh_token: tokens.refresh.to_hex().ok_or_else(odd)?,
        access_token: tokens.access,
        expires_at: at.plus(tokens.access_expires_in).iso8601(),
        user_id: session.user.id,
        org_id: org,
        role,
        email: session.user.email,
        display_name: Some(session.user.name).filter(|name| !name.is_empty()),
        refresh_retry: app.policy.retry.into(),
    })
}
