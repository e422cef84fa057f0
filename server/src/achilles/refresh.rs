//! `POST /api/cli/auth/refresh`. A repeat is a plain 401 and the winner's token stays good; a client that sends RR-1's
//! headers may ask for a lost answer again.

use std::sync::Arc;

use axum::Json;
use axum::extract::State;
use serde::{Deserialize, Serialize};
use utoipa::ToSchema;

use crate::achilles::answer::{AchillesError, FailureBody, Success, expose};
use crate::actions::limit::NetworkLimit;
use crate::actions::server_error::ServerError;
use crate::actions::sessions::error::GrantError;
use crate::actions::sessions::refresh::{self, RefreshRequest};
use crate::app::AppState;
use crate::db::throttle::ThrottleKind;
use crate::http::body::JsonBody;
use crate::http::client::RequestCaller;
use crate::http::error::ApiError;
use crate::http::refresh_retry::{RefreshRetry, RetryHeaders};
use crate::rules::caller::NetworkCaller;
use crate::rules::session_kind::TokenHolder;
use crate::secret::SecretText;
use crate::tokens::refresh::RefreshToken;

/// The token to rotate.
#[derive(Deserialize, ToSchema)]
#[schema(as = achilles::Refresh)]
pub(super) struct AchillesRefresh {
    #[schema(value_type = String)]
    refresh_token: SecretText,
}

/// What replaces it.
#[derive(Serialize, ToSchema)]
#[schema(as = achilles::Refreshed)]
pub(super) struct AchillesRefreshed {
    #[serde(serialize_with = "expose")]
    #[schema(value_type = String)]
    access_token: SecretText,
    /// 64 hexadecimal digits.
    #[serde(serialize_with = "expose")]
    #[schema(value_type = String)]
    refresh_token: SecretText,
    /// When the access token stops working, ISO 8601.
    expires_at: String,
    refresh_retry: RefreshRetry,
}

#[utoipa::path(
    post,
    path = "/api/cli/auth/refresh",
    tag = "achilles",
    request_body = AchillesRefresh,
    params(
        ("Idempotency-Key" = Option<String>, Header, description = "RR-1: 43 to 128 visible characters"),
        ("X-Request-Deadline" = Option<i64>, Header, description = "RR-1: unix seconds"),
    ),
    responses(
        (status = 200, body = Success<AchillesRefreshed>),
        (status = 400, body = FailureBody),
        (status = 401, description = "The token can't be used, now or ever", body = FailureBody),
        (status = 408, body = FailureBody),
        (status = 409, description = "RR-1: another request is under way, or the deadline is over", body = FailureBody),
        (status = 413, body = FailureBody),
        (status = 415, body = FailureBody),
        (status = 429, body = FailureBody),
        (status = 500, body = FailureBody),
        (status = 503, body = FailureBody),
    )
)]
pub(super) async fn refresh(
    State(app): State<Arc<AppState>>,
    RequestCaller(caller): RequestCaller,
    retry: Result<RetryHeaders, ApiError>,
    body: Result<JsonBody<AchillesRefresh>, ApiError>,
) -> Result<Json<Success<AchillesRefreshed>>, AchillesError> {
    let from = caller.address;
    let rotated = rotate(&app, retry, body, caller).await;
    if rotated.as_ref().is_err_and(AchillesError::is_refusal) {
        let limit = app.limits.achilles_refreshes_per_ip;
        let refused = NetworkLimit::new(ThrottleKind::AchillesRefreshFromIp, from, limit);
        refused.admit_alone(&app).await.map_err(AchillesError::unconsumed)?;
    }
    rotated
}

async fn rotate(
    app: &AppState,
    retry: Result<RetryHeaders, ApiError>,
    body: Result<JsonBody<AchillesRefresh>, ApiError>,
    caller: NetworkCaller,
) -> Result<Json<Success<AchillesRefreshed>>, AchillesError> {
    let (RetryHeaders { key, deadline }, JsonBody(body)) = (retry?, body?);
    let token = RefreshToken::received_hex(&body.refresh_token).ok_or(GrantError::InvalidGrant)?;
    let request = RefreshRequest { token, holder: TokenHolder::Cli, key, deadline, caller };
    let tokens = refresh::refresh(app, &request).await.map_err(AchillesError::unconsumed)?;
    let odd = || ServerError::Failed("a refresh token is not 256 bits".to_owned());
    Ok(Success::of(AchillesRefreshed {
        refresh_token: tokens.refresh.to_hex().ok_or_else(odd)?,
        access_token: tokens.access,
        expires_at: app.now().plus(tokens.access_expires_in).iso8601(),
        refresh_retry: app.policy.retry.into(),
    }))
}
