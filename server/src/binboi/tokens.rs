//! `/api/v1/tokens`: a person's personal access tokens. These take the access token of the person's own sign-in: a
//! personal access token can't make others, and a cookie, which a foreign page could make a browser send, is not looked at.

use std::sync::Arc;

use axum::Json;
use axum::extract::rejection::PathRejection;
use axum::extract::{Path, State};
use axum::http::StatusCode;
use axum::response::{IntoResponse, Response};
use serde::{Deserialize, Serialize, Serializer};
use utoipa::ToSchema;
use uuid::Uuid;

use super::error::{BinboiError, ErrorBody, LimitedBody};
use super::views::{LimitsView, Record, UserView};
use crate::actions::bearer_session::{self, BearerError, BearerSession, first_party};
use crate::actions::personal_tokens::{self, Creation, Listing, Made, PersonalTokenError, Revocation};
use crate::app::App;
use crate::db::retry;
use crate::db::users::User;
use crate::http::bearer::Bearer;
use crate::http::body::JsonBody;
use crate::http::client::Asks;
use crate::http::error::ApiError;
use crate::rules::personal_token::Wish;
use crate::rules::plan::Plan;
use crate::secret::SecretText;

/// How the person is known here.
const AUTH_MODE: &str = "account";

/// A person's tokens.
#[derive(Serialize, ToSchema)]
#[schema(as = binboi::Tokens)]
pub(super) struct Tokens {
    /// Always `account`.
    auth_mode: &'static str,
    user: UserView,
    limits: LimitsView,
    /// Newest first, the ended ones included.
    tokens: Vec<Record>,
}

impl Tokens {
    fn of(user: User, listing: Listing) -> Self {
        let Listing { tokens, live, plan, at } = listing;
        Self {
            auth_mode: AUTH_MODE,
            user: user.into(),
            limits: LimitsView::of(plan, live),
            tokens: tokens.into_iter().map(|token| Record::of(token, at)).collect(),
        }
    }
}

#[utoipa::path(
    get,
    path = "/api/v1/tokens",
    tag = "binboi",
    security(("bearer" = [])),
    responses(
        (status = 200, body = Tokens),
        (status = 401, body = ErrorBody),
        (status = 503, body = ErrorBody),
    )
)]
pub(super) async fn list(
    State(app): State<Arc<App>>,
    Asks(caller): Asks,
    bearer: Result<Bearer, ApiError>,
) -> Result<Json<Tokens>, BinboiError> {
    let Bearer(token) = bearer?;
    let tokens = retry(|| async {
        let BearerSession { mut tx, session, now } =
            bearer_session::open(&app, &token, &caller, first_party).await?;
        let listing = personal_tokens::list(&mut tx, &session.user, now).await?;
        tx.commit().await?;
        Ok::<_, BearerError>(Tokens::of(session.user, listing))
    });
    Ok(Json(tokens.await?))
}

/// The token to make.
#[derive(Deserialize, ToSchema)]
#[schema(as = binboi::Create)]
pub(super) struct Create {
    /// What to call it, up to 64 characters; left out, it is called "CLI token".
    #[schema(max_length = 64)]
    name: Option<String>,
    /// After how many days it lapses; left out, it works until it is revoked.
    #[schema(minimum = 1, maximum = 366)]
    expires_in_days: Option<u32>,
}

/// A new token.
#[derive(Serialize, ToSchema)]
#[schema(as = binboi::Created)]
pub(super) struct Created {
    /// Always `account`.
    auth_mode: &'static str,
    user: UserView,
    limits: LimitsView,
    /// The token itself. It is shown this once.
    #[serde(serialize_with = "expose")]
    #[schema(value_type = String)]
    token: SecretText,
    record: Record,
}

fn expose<S: Serializer>(token: &SecretText, serializer: S) -> Result<S::Ok, S::Error> {
    serializer.serialize_str(token.expose())
}

#[utoipa::path(
    post,
    path = "/api/v1/tokens",
    tag = "binboi",
    security(("bearer" = [])),
    request_body = Create,
    responses(
        (status = 201, body = Created),
        (status = 400, body = ErrorBody),
        (status = 401, body = ErrorBody),
        (status = 403, description = "`TOKEN_LIMIT_REACHED`: the plan includes no more", body = ErrorBody),
        (status = 408, body = ErrorBody),
        (status = 413, body = ErrorBody),
        (status = 415, body = ErrorBody),
        (status = 429, body = LimitedBody),
        (status = 503, body = ErrorBody),
    )
)]
pub(super) async fn create(
    State(app): State<Arc<App>>,
    Asks(caller): Asks,
    bearer: Result<Bearer, ApiError>,
    body: Result<JsonBody<Create>, ApiError>,
) -> Result<Response, BinboiError> {
    let Bearer(token) = bearer?;
    let JsonBody(body) = body?;
    let wish = Wish::new(body.name.as_deref().unwrap_or(""), body.expires_in_days)
        .map_err(|error| ApiError::validation(error.to_string()))?;
    let (user, creation, live) = retry(|| async {
        let BearerSession { mut tx, session, now } =
            bearer_session::open(&app, &token, &caller, first_party).await?;
        let creation = personal_tokens::create(&app, &mut tx, &session, &wish, now).await?;
        let live = tx.count_live_personal_tokens(&session.user.id, now).await?;
        tx.commit().await?;
        Ok::<_, PersonalTokenError>((session.user, creation, live))
    })
    .await?;
    match creation {
        Creation::PlanFull(plan) => Err(BinboiError::TokenLimit(plan)),
        Creation::Made(Made { token, record }) => {
            let limits = LimitsView::of(Plan::named(&user.plan), live);
            let record = Record::of(record, app.now());
            let created = Created { auth_mode: AUTH_MODE, user: user.into(), limits, token, record };
            Ok((StatusCode::CREATED, Json(created)).into_response())
        }
    }
}

#[utoipa::path(
    delete,
    path = "/api/v1/tokens/{id}",
    tag = "binboi",
    security(("bearer" = [])),
    params(("id" = String, Path, description = "The token's id")),
    responses(
        (status = 200, description = "The token no longer counts", body = Tokens),
        (status = 401, body = ErrorBody),
        (status = 404, body = ErrorBody),
        (status = 503, body = ErrorBody),
    )
)]
pub(super) async fn revoke(
    State(app): State<Arc<App>>,
    Asks(caller): Asks,
    bearer: Result<Bearer, ApiError>,
    id: Result<Path<String>, PathRejection>,
) -> Result<Json<Tokens>, BinboiError> {
    let Bearer(token) = bearer?;
    let Some(id) = id.ok().and_then(|Path(id)| Uuid::parse_str(&id).ok()).map(|id| id.to_string()) else {
        return Err(BinboiError::UnknownToken);
    };
    let tokens = retry(|| async {
        let BearerSession { mut tx, session, now } =
            bearer_session::open(&app, &token, &caller, first_party).await?;
        let revocation = personal_tokens::revoke(&mut tx, &session, &id, now).await?;
        let listing = personal_tokens::list(&mut tx, &session.user, now).await?;
        tx.commit().await?;
        Ok::<_, BearerError>(match revocation {
            Revocation::Revoked => Some(Tokens::of(session.user, listing)),
            Revocation::Unknown => None,
        })
    });
    tokens.await?.map(Json).ok_or(BinboiError::UnknownToken)
}
