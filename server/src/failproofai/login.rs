//! `POST /v0/auth/login/request` and `POST /v0/auth/login/verify`.

use std::sync::Arc;

use axum::Json;
use axum::extract::State;
use serde::{Deserialize, Serialize};

use super::tokens::TokenAnswer;
use crate::actions::request_code::request_code;
use crate::actions::verify_code::verify_code;
use crate::app::App;
use crate::http::body::JsonBody;
use crate::http::client::{Asks, ClientAddress};
use crate::http::error::ApiError;
use crate::rules::email::Email;
use crate::secret::SecretText;
use crate::tokens::code::LoginCode;

#[derive(Deserialize)]
pub(super) struct Request {
    email: String,
}

#[derive(Serialize)]
pub(super) struct Requested {
    status: &'static str,
    expires_in: u64,
    resend_available_in: u64,
}

pub(super) async fn request(
    State(app): State<Arc<App>>,
    ClientAddress(client): ClientAddress,
    JsonBody(body): JsonBody<Request>,
) -> Result<Json<Requested>, ApiError> {
    let sent = request_code(&app, email(&body.email)?, client).await?;
    Ok(Json(Requested {
        status: "code_sent",
        expires_in: sent.expires_in.as_secs(),
        resend_available_in: sent.resend_available_in.as_secs(),
    }))
}

#[derive(Deserialize)]
pub(super) struct Verify {
    email: String,
    code: SecretText,
}

pub(super) async fn verify(
    State(app): State<Arc<App>>,
    Asks(caller): Asks,
    JsonBody(body): JsonBody<Verify>,
) -> Result<Json<TokenAnswer>, ApiError> {
    let code = LoginCode::parse(&body.code).map_err(|error| ApiError::validation(error.to_string()))?;
    let signed_in = verify_code(&app, &email(&body.email)?, &code, &caller).await?;
    Ok(Json(TokenAnswer::after_sign_in(&app, signed_in.tokens, signed_in.user)))
}

fn email(text: &str) -> Result<Email, ApiError> {
    Email::parse(text).map_err(|error| ApiError::validation(error.to_string()))
}
