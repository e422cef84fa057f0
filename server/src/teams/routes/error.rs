//! How the errors of teams are answered.

use axum::http::StatusCode;

use crate::http::error::ApiError;
use crate::teams::actions::error::{NotReceived, TeamError};

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
            TeamError::Stale => Self::new(
                StatusCode::FORBIDDEN,
                "sign_in_required",
                "Inviting, raising a role and sharing for more than a week are only done soon after a sign-in. Sign in again, \
                 then do it.",
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
            TeamError::NoFiles => Self::new(
                StatusCode::CONFLICT,
                "no_files",
                "This server keeps no files, only the text of reports. Its host can change that with --files.",
            ),
            TeamError::TooLarge(why) => {
                Self::new(StatusCode::PAYLOAD_TOO_LARGE, "files_too_large", sentence(&why))
            }
            TeamError::NoRoom { used, quota } => Self::new(
                StatusCode::CONFLICT,
                "workspace_full",
                format!(
                    "This workspace has {} files with {} bytes and may have {} with {}. Delete some reports first.",
                    used.files, used.bytes, quota.files, quota.bytes
                ),
            ),
            TeamError::UserFull => Self::new(
                StatusCode::CONFLICT,
                "user_full",
                "Your reports' files fill what one account may have here. Delete some reports, or ask the host (user_mib).",
            ),
            TeamError::StoreFull => Self::new(
                StatusCode::CONFLICT,
                "store_full",
                "This server has no room for more files. Its host can make some (store_mib).",
            ),
            TeamError::AlreadyStored => Self::new(
                StatusCode::CONFLICT,
                "already_stored",
                "This file has its content already, and nothing was changed.",
            ),
            TeamError::Incomplete => Self::new(
                StatusCode::CONFLICT,
                "incomplete",
                "This report has not all its files yet. Send those that its manifest shows as not stored.",
            ),
            TeamError::NotReceived(why) => not_received(why),
            TeamError::Damaged => Self::new(
                StatusCode::INTERNAL_SERVER_ERROR,
                "file_damaged",
                "The stored file is not what was sent once, so it is not given out. The server's host can see that.",
            ),
            TeamError::Server(error) => error.into(),
        }
    }
}

fn not_received(why: NotReceived) -> ApiError {
    let (status, code) = match why {
        NotReceived::Size => (StatusCode::BAD_REQUEST, "size_mismatch"),
        NotReceived::Digest => (StatusCode::BAD_REQUEST, "sha256_mismatch"),
        NotReceived::Interrupted => (StatusCode::BAD_REQUEST, "validation_error"),
        NotReceived::Slow => (StatusCode::REQUEST_TIMEOUT, "request_timeout"),
    };
    ApiError::new(status, code, format!("The file was not taken in: {why}. Nothing of it is kept."))
}

/// Errors of rules begin like a clause.
fn sentence(clause: &str) -> String {
    let mut chars = clause.chars();
    let first = chars.next().map(|c| c.to_uppercase().to_string()).unwrap_or_default();
    format!("{first}{}.", chars.as_str())
}
