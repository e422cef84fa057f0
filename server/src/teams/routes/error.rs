//! How the errors of teams are answered.

use axum::http::StatusCode;

use crate::http::error::ApiError;
use crate::teams::actions::error::TeamError;

impl From<TeamError> for ApiError {
    fn from(error: TeamError) -> Self {
        match error {
            TeamError::RateLimited { retry_after } => Self::rate_limited(retry_after),
            TeamError::Unauthorized => Self::unauthorized(),
            TeamError::Invalid(why) => Self::validation(why),
            TeamError::NotFound => Self::not_found(),
            TeamError::Forbidden => Self::new(
                StatusCode::FORBIDDEN,
                "forbidden",
                "Your role in this workspace does not allow that. Ask one of its owners or admins.",
            ),
            TeamError::LastOwner => Self::new(
                StatusCode::CONFLICT,
                "last_owner",
                "A workspace needs an owner. Make someone else an owner first, or delete the workspace.",
            ),
            TeamError::AlreadyMember => Self::new(
                StatusCode::CONFLICT,
                "already_member",
                "That address belongs to a member already. Change their role instead.",
            ),
            TeamError::TooManyReports => Self::new(
                StatusCode::CONFLICT,
                "too_many_reports",
                "This workspace has 1000 reports. Delete some first.",
            ),
            TeamError::Server(error) => error.into(),
        }
    }
}
