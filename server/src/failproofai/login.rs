//! `POST /v0/auth/login/request` and `POST /v0/auth/login/verify`.

use std::sync::Arc;

use axum::Json;
use axum::extract::State;
use serde::{Deserialize, Serialize, Serializer};
use utoipa::ToSchema;

use crate::actions::server_error::ServerError;
use crate::actions::sign_in::request_code::request_code;
use crate::actions::sign_in::verify_code::{CodeGuess, verify_code};
use crate::app::AppState;
use crate::failproofai::tokens::{FailproofaiTokens, TokensBody};
use crate::http::body::JsonBody;
use crate::http::client::{ClientAddress, RequestCaller};
use crate::http::error::ApiError;
use crate::rules::email::Email;
use crate::secret::SecretText;
use crate::tokens::code::LoginCode;
use crate::tokens::request_id::CodeRequestId;
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
    /// Names this request. Who sends it along with the code has guesses that nobody else can use up.
    #[serde(serialize_with = "expose")]
    #[schema(value_type = String, max_length = 64)]
    request_id: CodeRequestId,
}

fn expose<S: Serializer>(id: &CodeRequestId, serializer: S) -> Result<S::Ok, S::Error> {
    serializer.serialize_str(id.expose())
}

/// Send a login code by email
///
/// The answer is the same whether or not the address is known. While strangers have many codes sent to it the code has
/// sixteen digits, and one letter serves all who ask: it is in the mailbox then, and no other comes.
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
    let request_id = CodeRequestId::random().map_err(ServerError::from)?;
    let sent = request_code(&app, email(&body.email)?, request_id.hash(), client).await?;
    Ok(Json(CodeRequested {
        status: "code_sent",
        expires_in: sent.expires_in.as_secs(),
        resend_available_in: sent.resend_available_in.as_secs(),
        request_id,
    }))
}

/// What the person typed.
#[derive(Deserialize, ToSchema)]
#[schema(as = failproofai::LoginVerify)]
pub(super) struct Verify {
    #[schema(max_length = 254)]
    email: String,
    #[schema(value_type = String, pattern = "^([0-9]{6}|[0-9]{16})$")]
    code: SecretText,
    /// What the request for this code was answered. It may be left out: the code is then compared with those that were
    /// asked for from the same network, or with the newest.
    #[schema(value_type = Option<String>)]
    request_id: Option<SecretText>,
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
    let request = body.request_id.map(|id| CodeRequestId::received(id).hash());
    let guess = CodeGuess { email: &email(&body.email)?, code: &code, request, from: caller.address };
    let signed_in = verify_code(&app, guess, second.as_ref(), &caller).await?;
    Ok(Json(FailproofaiTokens::after_sign_in(&app, signed_in.tokens, signed_in.user)))
}

fn email(text: &str) -> Result<Email, ApiError> {
    Email::parse(text).map_err(|error| ApiError::validation(error.to_string()))
}
