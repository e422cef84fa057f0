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

use crate::actions::bearer_session::{self, BearerError, BearerSession, first_party};
use crate::actions::personal_tokens::{
    self, NewPersonalToken, PersonalTokenError, PersonalTokenList, TokenAsker, TokenCreation, TokenRevocation,
};
use crate::app::AppState;
use crate::binboi::error::{BinboiError, BinboiErrorBody, LimitedBody, MissingProof};
use crate::binboi::views::{LimitsView, PersonalTokenRecord, TokenUser};
use crate::db::retry;
use crate::db::users::StoredUser;
use crate::http::bearer::Bearer;
use crate::http::body::JsonBody;
use crate::http::client::RequestCaller;
use crate::http::error::ApiError;
use crate::rules::personal_token::{PersonalTokenRequest, TokenLapse};
use crate::rules::plan::Plan;
use crate::secret::SecretText;
use crate::tokens::totp::SecondFactorAnswer;

/// How the person is known here.
const AUTH_MODE: &str = "account";

/// A person's tokens.
#[derive(Serialize, ToSchema)]
#[schema(as = binboi::Tokens)]
pub(super) struct TokensView {
    /// Always `account`.
    auth_mode: &'static str,
    user: TokenUser,
    limits: LimitsView,
    /// Newest first, the ended ones included.
    tokens: Vec<PersonalTokenRecord>,
}

impl TokensView {
    fn of(user: StoredUser, listing: PersonalTokenList) -> Self {
        let PersonalTokenList { tokens, live, plan, at } = listing;
        Self {
            auth_mode: AUTH_MODE,
            user: user.into(),
            limits: LimitsView::of(plan, live),
            tokens: tokens.into_iter().map(|token| PersonalTokenRecord::of(token, at)).collect(),
        }
    }
}

#[utoipa::path(
    get,
    path = "/api/v1/tokens",
    tag = "binboi",
    security(("bearer" = [])),
    responses(
        (status = 200, body = TokensView),
        (status = 401, body = BinboiErrorBody),
        (status = 503, body = BinboiErrorBody),
    )
)]
pub(super) async fn list(
    State(app): State<Arc<AppState>>,
    RequestCaller(caller): RequestCaller,
    bearer: Result<Bearer, ApiError>,
) -> Result<Json<TokensView>, BinboiError> {
    let Bearer(token) = bearer?;
    let tokens = retry(|| async {
        let BearerSession { mut tx, session, now } =
            bearer_session::open(&app, &token, &caller, first_party).await?;
        let listing = personal_tokens::list(&mut tx, &session.user, now).await?;
        tx.commit().await?;
        Ok::<_, BearerError>(TokensView::of(session.user, listing))
    });
    Ok(Json(tokens.await?))
}

/// The token to make.
#[derive(Deserialize, ToSchema)]
#[schema(as = binboi::Create)]
pub(super) struct CreateToken {
    /// What to call it, up to 64 characters; left out, it is called "CLI token".
    #[schema(max_length = 64)]
    name: Option<String>,
    /// After how many days it lapses; left out, as many as this server's tokens usually last.
    #[schema(minimum = 1, maximum = 366)]
    expires_in_days: Option<u32>,
    /// Whether it is to work until it is revoked.
    #[serde(default)]
    never_expires: bool,
    /// For an account with a second factor: the six digits that the person's app shows, or a recovery code.
    #[schema(value_type = Option<String>, max_length = 64)]
    second_factor: Option<SecretText>,
}

impl CreateToken {
    fn request(&self) -> Result<PersonalTokenRequest, ApiError> {
        let lapse = match (self.expires_in_days, self.never_expires) {
            (None, false) => TokenLapse::Usual,
            (Some(days), false) => TokenLapse::Days(days),
            (None, true) => TokenLapse::Never,
            (Some(_), true) => {
                let text = "expires_in_days and never_expires can't both be given.";
                return Err(ApiError::validation(text.to_owned()));
            }
        };
        PersonalTokenRequest::new(self.name.as_deref().unwrap_or(""), lapse)
            .map_err(|error| ApiError::validation(error.to_string()))
    }

    fn second(&self) -> Result<Option<SecondFactorAnswer>, ApiError> {
        let second = self.second_factor.as_ref().map(SecondFactorAnswer::parse).transpose();
        second.map_err(|error| ApiError::validation(error.to_string()))
    }
}

/// A new token.
#[derive(Serialize, ToSchema)]
#[schema(as = binboi::Created)]
pub(super) struct Created {
    /// Always `account`.
    auth_mode: &'static str,
    user: TokenUser,
    limits: LimitsView,
    /// The token itself. It is shown this once.
    #[serde(serialize_with = "expose")]
    #[schema(value_type = String)]
    token: SecretText,
    record: PersonalTokenRecord,
}

fn expose<S: Serializer>(token: &SecretText, serializer: S) -> Result<S::Ok, S::Error> {
    serializer.serialize_str(token.expose())
}

#[utoipa::path(
    post,
    path = "/api/v1/tokens",
    tag = "binboi",
    security(("bearer" = [])),
    request_body = CreateToken,
    responses(
        (status = 201, body = Created),
        (status = 400, body = BinboiErrorBody),
        (status = 401, body = BinboiErrorBody),
        (
            status = 403,
            description = "`TOKEN_LIMIT_REACHED`: the plan includes no more. `SIGN_IN_REQUIRED`: the last sign-in is not \
                fresh. `SECOND_FACTOR_REQUIRED`, `SECOND_FACTOR_REJECTED`",
            body = BinboiErrorBody,
        ),
        (status = 408, body = BinboiErrorBody),
        (status = 413, body = BinboiErrorBody),
        (status = 415, body = BinboiErrorBody),
        (status = 429, body = LimitedBody),
        (status = 503, body = BinboiErrorBody),
    )
)]
pub(super) async fn create(
    State(app): State<Arc<AppState>>,
    RequestCaller(caller): RequestCaller,
    bearer: Result<Bearer, ApiError>,
    body: Result<JsonBody<CreateToken>, ApiError>,
) -> Result<Response, BinboiError> {
    let Bearer(token) = bearer?;
    let JsonBody(body) = body?;
    let (request, second) = (body.request()?, body.second()?);
    let (user, creation, live) = retry(|| async {
        let BearerSession { mut tx, session, now } =
            bearer_session::open(&app, &token, &caller, first_party).await?;
        // A refresh proves nothing new: the person signed in when the session began.
        let proved_at = session.created_at;
        let asker = TokenAsker { session: &session, proved_at, second: second.as_ref(), caller: &caller };
        let creation = personal_tokens::create(&app, &mut tx, asker, &request, now).await?;
        let live = tx.count_live_personal_tokens(&session.user.id, now).await?;
        tx.commit().await?;
        Ok::<_, PersonalTokenError>((session.user, creation, live))
    })
    .await?;
    match creation {
        TokenCreation::PlanFull(plan) => Err(BinboiError::TokenLimit(plan)),
        TokenCreation::Stale => Err(BinboiError::Unproved(MissingProof::FreshSignIn)),
        TokenCreation::SecondFactorMissing => Err(BinboiError::Unproved(MissingProof::SecondFactor)),
        TokenCreation::SecondFactorWrong => Err(BinboiError::Unproved(MissingProof::RightSecondFactor)),
        TokenCreation::Made(NewPersonalToken { token, record }) => {
            let limits = LimitsView::of(Plan::named(&user.plan), live);
            let record = PersonalTokenRecord::of(record, app.now());
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
        (status = 200, description = "The token no longer counts", body = TokensView),
        (status = 401, body = BinboiErrorBody),
        (status = 404, body = BinboiErrorBody),
        (status = 503, body = BinboiErrorBody),
    )
)]
pub(super) async fn revoke(
    State(app): State<Arc<AppState>>,
    RequestCaller(caller): RequestCaller,
    bearer: Result<Bearer, ApiError>,
    id: Result<Path<String>, PathRejection>,
) -> Result<Json<TokensView>, BinboiError> {
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
            TokenRevocation::Revoked => Some(TokensView::of(session.user, listing)),
            TokenRevocation::Unknown => None,
        })
    });
    tokens.await?.map(Json).ok_or(BinboiError::UnknownToken)
}
