//! How the errors of actions are answered.

use axum::http::StatusCode;

use crate::actions::accounts::error::AccountError;
use crate::actions::bearer_session::BearerError;
use crate::actions::limit::LimitError;
use crate::actions::oauth::error::OAuthError;
use crate::actions::personal_tokens::PersonalTokenError;
use crate::actions::reminders::ReminderSettingError;
use crate::actions::second_factor::error::SecondFactorError;
use crate::actions::server_error::ServerError;
use crate::actions::sessions::error::GrantError;
use crate::actions::sign_in::error::SignInError;
use crate::db::DbError;
use crate::http::error::ApiError;

impl From<ServerError> for ApiError {
    fn from(error: ServerError) -> Self {
        match error {
            ServerError::Contended => {
                tracing::warn!("an action met other transactions too often");
                Self::busy()
            }
            ServerError::Unavailable(why) => {
                tracing::error!(why, "a request could not be carried out");
                Self::busy()
            }
            ServerError::SignedOut => Self::unauthorized(),
            ServerError::Full { what, limit } => Self::new(
                StatusCode::FORBIDDEN,
                "too_many",
                format!(
                    "There are as many {what} as there may be. End or remove some; whoever runs the server can raise \
                     `{limit}`."
                ),
            ),
            ServerError::Failed(why) => {
                tracing::error!(why, "a request failed half-way");
                Self::new(StatusCode::INTERNAL_SERVER_ERROR, "internal", "Something failed on the server.")
            }
        }
    }
}

impl From<DbError> for ApiError {
    fn from(error: DbError) -> Self {
        ServerError::from(error).into()
    }
}

impl From<LimitError> for ApiError {
    fn from(error: LimitError) -> Self {
        match error {
            LimitError::RateLimited { retry_after } => Self::rate_limited(retry_after),
            LimitError::Server(error) => error.into(),
        }
    }
}

impl From<BearerError> for ApiError {
    fn from(error: BearerError) -> Self {
        match error {
            BearerError::Unauthorized => Self::unauthorized(),
            BearerError::Server(error) => error.into(),
        }
    }
}

impl From<GrantError> for ApiError {
    fn from(error: GrantError) -> Self {
        match error {
            GrantError::RateLimited { retry_after } => Self::rate_limited(retry_after),
            GrantError::InvalidGrant => Self::new(
                StatusCode::UNAUTHORIZED,
                "invalid_grant",
                "The refresh token can't be used. Sign in again.",
            ),
            GrantError::InvalidScope => Self::validation(OAuthError::InvalidScope.to_string()),
            GrantError::RotationInProgress => Self::new(
                StatusCode::CONFLICT,
                "rotation_in_progress",
                "This refresh token is being, or was just, rotated by another request.",
            ),
            GrantError::DeadlineMissed => Self::new(
                StatusCode::CONFLICT,
                "deadline_passed",
                "X-Request-Deadline is not within the next 30 seconds of the Date of this answer.",
            ),
            GrantError::Server(error) => error.into(),
        }
    }
}

impl From<SignInError> for ApiError {
    fn from(error: SignInError) -> Self {
        match error {
            SignInError::RateLimited { retry_after } => Self::rate_limited(retry_after),
            SignInError::CodeRejected => Self::new(
                StatusCode::UNAUTHORIZED,
                "unauthorized",
                "That code is wrong or no longer works. Ask for a new one.",
            ),
            SignInError::SecondFactorRequired => Self::new(
                StatusCode::FORBIDDEN,
                "second_factor_required",
                "This account has a second factor. Send the same code again with second_factor: the six digits your \
                 app shows, or a recovery code.",
            ),
            SignInError::SecondFactorRejected => Self::new(
                StatusCode::FORBIDDEN,
                "second_factor_rejected",
                "The second factor is wrong or was used before. Wait for the next code of your app, then send it with \
                 the same code from the mail.",
            ),
            SignInError::NotUnderWay => Self::unauthorized(),
            SignInError::Server(error) => error.into(),
        }
    }
}

impl From<SecondFactorError> for ApiError {
    fn from(error: SecondFactorError) -> Self {
        match error {
            SecondFactorError::RateLimited { retry_after } => Self::rate_limited(retry_after),
            SecondFactorError::NotFound => Self::not_found(),
            SecondFactorError::AlreadyOn => Self::new(
                StatusCode::CONFLICT,
                "already_on",
                "A second factor is on already. Turn it off first.",
            ),
            SecondFactorError::Server(error) => error.into(),
        }
    }
}

impl From<OAuthError> for ApiError {
    fn from(error: OAuthError) -> Self {
        match error {
            OAuthError::RateLimited { retry_after } => Self::rate_limited(retry_after),
            OAuthError::InvalidClient | OAuthError::UnauthorizedClient | OAuthError::InvalidScope => {
                Self::validation(error.to_string())
            }
            OAuthError::InvalidGrant => GrantError::InvalidGrant.into(),
            OAuthError::Server(error) => error.into(),
        }
    }
}

impl From<PersonalTokenError> for ApiError {
    fn from(error: PersonalTokenError) -> Self {
        match error {
            PersonalTokenError::RateLimited { retry_after } => Self::rate_limited(retry_after),
            PersonalTokenError::Unauthorized => Self::unauthorized(),
            PersonalTokenError::Server(error) => error.into(),
        }
    }
}

impl From<ReminderSettingError> for ApiError {
    fn from(error: ReminderSettingError) -> Self {
        match error {
            ReminderSettingError::Unauthorized => Self::unauthorized(),
            ReminderSettingError::Invalid(why) => Self::validation(why),
            ReminderSettingError::Server(error) => error.into(),
        }
    }
}

impl From<AccountError> for ApiError {
    fn from(error: AccountError) -> Self {
        match error {
            AccountError::Unauthorized => Self::unauthorized(),
            AccountError::NotAdmin => {
                Self::new(StatusCode::FORBIDDEN, "forbidden", "This needs the platform role admin.")
            }
            AccountError::NotFound => Self::not_found(),
            AccountError::OwnAccount => Self::new(
                StatusCode::CONFLICT,
                "own_account",
                "You can't disable or enable your own account. Another platform admin can.",
            ),
            AccountError::Server(error) => error.into(),
        }
    }
}

#[cfg(test)]
mod tests {
    use std::time::Duration;

    use super::*;

    #[test]
    fn only_answers_that_prove_it_say_that_nothing_was_consumed() {
        for (refusal, says_so) in [
            (GrantError::RotationInProgress, true),
            (GrantError::DeadlineMissed, true),
            (GrantError::RateLimited { retry_after: Duration::from_secs(1) }, true),
            (ServerError::Unavailable(String::new()).into(), true),
            (ServerError::Failed(String::new()).into(), false),
            (GrantError::InvalidGrant, false),
        ] {
            let error = ApiError::from(refusal).leaving_attempt_unconsumed();
            assert_eq!(error.unconsumed().is_some(), says_so, "{error:?}");
        }
    }
}
