//! `POST /v0/auth/login/request` and `POST /v0/auth/login/verify`.

use std::sync::Arc;

use axum::Json;
use axum::extract::State;
use serde::{Deserialize, Serialize};
use utoipa::ToSchema;

use crate::actions::sign_in::request_code::request_code;
use crate::actions::sign_in::verify_code::verify_code;
use crate::app::AppState;
use crate::failproofai::tokens::{FailproofaiTokens, TokensBody};
use crate::http::body::JsonBody;
use crate::http::client::{ClientAddress, RequestCaller};
use crate::http::error::ApiError;
use crate::rules::email::Email;
use crate::secret::SecretText;
use crate::tokens::code::LoginCode;
use crate::tokens::totp::SecondFactorAnswer;

/// Who wants to sign in.
#[derive(Deserialize, ToSchema)]
#[schema(as = failproofai::LoginRequest)]
pub(super) struct CodeRequest {
    #[schema(max_length = 254)]
    email: String,
}

/// A code is on its way. Spans are whole seconds.
#[derive(Serialize, ToSchema)]
#[schema(as = failproofai::LoginRequested)]
pub(super) struct CodeRequested {
    #[schema(pattern = "^code_sent$")]
    status: &'static str,
    expires_in: u64,
    resend_available_in: u64,
}

/// Send a login code by email
///
/// The answer is the same whether or not the address is known.
#[utoipa::path(
    post,
    path = "/v0/auth/login/request",
    tag = "failproofai",
    request_body = CodeRequest,
    responses((status = 200, body = CodeRequested, description = "A code is on its way."), (status = 429, description = "Too many requests; nothing was changed."))
)]
pub(super) async fn request(
    State(app): State<Arc<AppState>>,
    ClientAddress(client): ClientAddress,
    JsonBody(body): JsonBody<CodeRequest>,
) -> Result<Json<CodeRequested>, ApiError> {
    let sent = request_code(&app, email(&body.email)?, client).await?;
    Ok(Json(CodeRequested {
        status: "code_sent",
        expires_in: sent.expires_in.as_secs(),
        resend_available_in: sent.resend_available_in.as_secs(),
    }))
}

/// What the person typed.
#[derive(Deserialize, ToSchema)]
#[schema(as = failproofai::LoginVerify)]
pub(super) struct Verify {
    #[schema(max_length = 254)]
    email: String,
    #[schema(value_type = String, pattern = "^[0-9]{6}$")]
    code: SecretText,
    /// For an account with a second factor: the six digits that the person's app shows, or a recovery code.
    #[schema(value_type = Option<String>, max_length = 64)]
    second_factor: Option<SecretText>,
}

/// Sign in with the code from the email
///
/// For an account with a second factor that has to be sent along. Without it, and with a wrong one, the code from the
/// email stays usable.
#[utoipa::path(
    post,
    path = "/v0/auth/login/verify",
    tag = "failproofai",
    request_body = Verify,
    responses((status = 200, body = TokensBody, description = "Signed in."), (status = 401, description = "The code is wrong or no longer works."), (status = 403, description = "A second factor is missing (`second_factor_required`) or wrong (`second_factor_rejected`)."), (status = 429, description = "Too many requests; nothing was changed."))
)]
pub(super) async fn verify(
    State(app): State<Arc<AppState>>,
    RequestCaller(caller): RequestCaller,
    JsonBody(body): JsonBody<Verify>,
) -> Result<Json<FailproofaiTokens>, ApiError> {
    let code = LoginCode::parse(&body.code).map_err(|error| ApiError::validation(error.to_string()))?;
    let second = body.second_factor.as_ref().map(SecondFactorAnswer::parse).transpose();
    let second = second.map_err(|error| ApiError::validation(error.to_string()))?;
    let signed_in = verify_code(&app, &email(&body.email)?, &code, second.as_ref(), &caller).await?;
    Ok(Json(FailproofaiTokens::after_sign_in(&app, signed_in.tokens, signed_in.user)))
}

fn email(text: &str) -> Result<Email, ApiError> {
    Email::parse(text).map_err(|error| ApiError::validation(error.to_string()))
}
