//! What the achilles CLI asks with its access token. A token that opens nothing is answered by 302 to `/`.

use std::collections::BTreeMap;
use std::sync::Arc;

use axum::Json;
use axum::extract::State;
use axum::http::StatusCode;
use serde::Serialize;
use utoipa::ToSchema;

use crate::achilles::answer::{AchillesError, FailureBody, Success};
use crate::actions::bearer_session::{self, BearerError, BearerSession};
use crate::actions::device::current_organisation;
use crate::app::AppState;
use crate::db::retry;
use crate::db::sessions::StoredSession;
use crate::http::bearer::Bearer;
use crate::http::client::RequestCaller;
use crate::http::error::ApiError;
use crate::rules::caller::NetworkCaller;
use crate::rules::session_kind::SessionKind;

/// Who is signed in.
#[derive(Serialize, ToSchema)]
#[schema(as = achilles::Me)]
pub(super) struct AchillesUser {
    user_id: String,
    org_id: String,
    role: String,
    email: String,
    #[serde(skip_serializing_if = "Option::is_none")]
    display_name: Option<String>,
}

#[utoipa::path(
    get,
    path = "/api/cli/auth/me",
    tag = "achilles",
    security(("bearer" = [])),
    responses(
        (status = 200, body = Success<AchillesUser>),
        (status = 302, description = "The token opens nothing"),
        (status = 500, body = FailureBody),
        (status = 503, body = FailureBody),
    )
)]
pub(super) async fn me(
    State(app): State<Arc<AppState>>,
    RequestCaller(caller): RequestCaller,
    bearer: Result<Bearer, ApiError>,
) -> Result<Json<Success<AchillesUser>>, AchillesError> {
    let session = open(&app, bearer, &caller).await?;
    let SessionKind::Cli { org, role } = session.grant else { return Err(AchillesError::ToFrontPage) };
    Ok(Success::of(AchillesUser {
        user_id: session.user.id,
        org_id: org,
        role,
        email: session.user.email,
        display_name: Some(session.user.name).filter(|name| !name.is_empty()),
    }))
}

/// How the fleet does. This server has none: the CLI asks to see that the backend answers and takes its token.
#[derive(Serialize, ToSchema)]
#[schema(as = achilles::Metrics)]
pub(super) struct FleetMetrics {
    total: u32,
    online: u32,
    offline: u32,
    stale: u32,
    disabled: u32,
    decommissioned: u32,
    by_os: BTreeMap<String, u32>,
    by_version: BTreeMap<String, u32>,
}

#[utoipa::path(
    get,
    path = "/api/agent/admin/metrics",
    tag = "achilles",
    security(("bearer" = [])),
    responses(
        (status = 200, body = Success<FleetMetrics>),
        (status = 302, description = "The token opens nothing"),
        (status = 500, body = FailureBody),
        (status = 503, body = FailureBody),
    )
)]
pub(super) async fn metrics(
    State(app): State<Arc<AppState>>,
    RequestCaller(caller): RequestCaller,
    bearer: Result<Bearer, ApiError>,
) -> Result<Json<Success<FleetMetrics>>, AchillesError> {
    open(&app, bearer, &caller).await?;
    Ok(Success::of(FleetMetrics {
        total: 0,
        online: 0,
        offline: 0,
        stale: 0,
        disabled: 0,
        decommissioned: 0,
        by_os: BTreeMap::new(),
        by_version: BTreeMap::new(),
    }))
}

/// Whatever else the CLI asks: who has no good token learns nothing of what is there.
pub(super) async fn elsewhere(
    State(app): State<Arc<AppState>>,
    RequestCaller(caller): RequestCaller,
    bearer: Result<Bearer, ApiError>,
) -> Result<(), AchillesError> {
    open(&app, bearer, &caller).await?;
    Err(AchillesError::Plain(
        StatusCode::NOT_FOUND,
        "This server only signs people in; it has no such route.",
    ))
}

async fn open(
    app: &AppState,
    bearer: Result<Bearer, ApiError>,
    caller: &NetworkCaller,
) -> Result<StoredSession, AchillesError> {
    let Ok(Bearer(token)) = bearer else { return Err(AchillesError::ToFrontPage) };
    let opened = retry(|| async {
        let BearerSession { mut tx, session, now: _ } =
            bearer_session::open(app, &token, caller, achilles).await?;
        let SessionKind::Cli { org, role: _ } = &session.grant else {
            return Err(BearerError::Unauthorized);
        };
        let grant = current_organisation(&mut tx, &session.user, org).await?;
        tx.commit().await?;
        Ok(StoredSession { grant: grant.ok_or(BearerError::Unauthorized)?, ..session })
    });
    match opened.await {
        Ok(session) => Ok(session),
        Err(BearerError::Unauthorized) => Err(AchillesError::ToFrontPage),
        Err(error) => Err(error.into()),
    }
}

fn achilles(grant: &SessionKind) -> bool {
    matches!(grant, SessionKind::Cli { .. })
}
