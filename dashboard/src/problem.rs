//! What a route answers when it does not work: a status, and `{code, message, hint?, retry_after_secs?, under_way?}`.

use axum::Json;
use axum::http::{HeaderValue, StatusCode, header};
use axum::response::{IntoResponse, Response};
use everkey_client::{Code, Failure, Hint, hint_text};
use everkey_proto::reply::SignInUnderWay;
use serde::Serialize;

/// An answer of `/api/*` that is not the one hoped for.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
pub struct Problem {
    #[serde(skip)]
    status: StatusCode,
    code: String,
    message: String,
    #[serde(skip_serializing_if = "Option::is_none")]
    hint: Option<String>,
    #[serde(skip_serializing_if = "Option::is_none")]
    retry_after_secs: Option<u32>,
    #[serde(skip_serializing_if = "Option::is_none")]
    tries_left: Option<u8>,
    #[serde(skip_serializing_if = "Option::is_none")]
    under_way: Option<Box<SignInUnderWay>>,
}

impl Problem {
    /// One of this dashboard's own.
    pub fn new(status: StatusCode, code: &str, message: impl Into<String>) -> Self {
        Self {
            status,
            code: code.to_owned(),
            message: message.into(),
            hint: None,
            retry_after_secs: None,
            tries_left: None,
            under_way: None,
        }
    }

    /// The request's fields make no sense: 400 `validation_error`.
    pub fn invalid(message: impl Into<String>) -> Self {
        Self::new(StatusCode::BAD_REQUEST, "validation_error", message)
    }

    /// With what to do about it.
    #[must_use]
    pub fn hint(mut self, hint: impl Into<String>) -> Self {
        self.hint = Some(hint.into()).filter(|hint| !hint.is_empty());
        self
    }

    /// With how often it may be tried again.
    #[must_use]
    pub fn tries_left(mut self, tries: u8) -> Self {
        self.tries_left = Some(tries);
        self
    }

    /// A failure as the contract's `/api/auth/*` routes tell it: the api-server's own status and code, where it
    /// answered; `upstream_unreachable` and `timeout` where it did not; `unauthorized` without an active session.
    pub fn of_contract(failure: Failure) -> Self {
        let answered = failure.answer.as_ref().and_then(|answer| {
            let status = StatusCode::from_u16(answer.status).ok()?;
            // What is no error there is none that could be passed on as one.
            (status.is_client_error() || status.is_server_error()).then(|| (status, answer.code.clone()))
        });
        let (status, code) = answered.unwrap_or_else(|| {
            let (status, code) = match failure.code {
                Code::NotSignedIn | Code::NeedsLogin | Code::AccountChanged => {
                    (StatusCode::UNAUTHORIZED, "unauthorized")
                }
                Code::InProgress => (StatusCode::CONFLICT, "sign_in_under_way"),
                Code::BadRequest | Code::FlowGone | Code::Cancelled => {
                    (StatusCode::BAD_REQUEST, "validation_error")
                }
                Code::Offline => (StatusCode::BAD_GATEWAY, "upstream_unreachable"),
                Code::Mismatch
                | Code::UnknownProfile
                | Code::Timeout
                | Code::Refused
                | Code::RateLimited
                | Code::Storage
                | Code::Busy
                | Code::Version
                | Code::NoAgent => own(failure.code),
            };
            (status, code.to_owned())
        });
        Self { status, code, ..Self::from(failure) }
    }
}

/// A failure as the dashboard's own routes tell it: the status is about the request, the code is the agent's.
/// 401 is kept for browsers that have not come in.
impl From<Failure> for Problem {
    fn from(failure: Failure) -> Self {
        let (status, code) = own(failure.code);
        let mut problem = Self::new(status, code, failure.message).hint(at_hand(failure.code, &failure.hint));
        problem.retry_after_secs = failure.retry_after_secs;
        problem.under_way = failure.under_way;
        problem
    }
}

/// What a page can do where the agent tells people at a terminal to sign in.
fn at_hand(code: Code, hint: &Hint) -> String {
    match (code, hint) {
        (Code::NotSignedIn | Code::NeedsLogin | Code::FlowGone | Code::Cancelled, _) | (_, Hint::Login) => {
            "Sign in again.".to_owned()
        }
        (Code::InProgress, _) => "Go on with it, or begin anew in its place.".to_owned(),
        (_, hint) => hint_text(hint),
    }
}

/// Why a sign-in asks once more, for a page: where the answer was refused, it can be given again.
pub fn asked_again(mut failure: Failure) -> Failure {
    failure.hint = match failure.code {
        Code::Refused => "Try again.".into(),
        code => at_hand(code, &failure.hint).into(),
    };
    failure
}

fn own(code: Code) -> (StatusCode, &'static str) {
    match code {
        Code::NotSignedIn => (StatusCode::CONFLICT, "not_signed_in"),
        Code::NeedsLogin => (StatusCode::CONFLICT, "needs_login"),
        Code::Mismatch => (StatusCode::CONFLICT, "mismatch"),
        Code::UnknownProfile => (StatusCode::NOT_FOUND, "unknown_profile"),
        Code::BadRequest => (StatusCode::BAD_REQUEST, "bad_request"),
        Code::FlowGone => (StatusCode::GONE, "flow_gone"),
        Code::Cancelled => (StatusCode::GONE, "cancelled"),
        Code::InProgress => (StatusCode::CONFLICT, "in_progress"),
        Code::AccountChanged => (StatusCode::CONFLICT, "account_changed"),
        Code::Offline => (StatusCode::BAD_GATEWAY, "offline"),
        Code::Timeout => (StatusCode::GATEWAY_TIMEOUT, "timeout"),
        Code::Refused => (StatusCode::UNPROCESSABLE_ENTITY, "refused"),
        Code::RateLimited => (StatusCode::TOO_MANY_REQUESTS, "rate_limited"),
        Code::Storage => (StatusCode::INTERNAL_SERVER_ERROR, "storage"),
        Code::Busy => (StatusCode::SERVICE_UNAVAILABLE, "busy"),
        Code::Version => (StatusCode::SERVICE_UNAVAILABLE, "version"),
        Code::NoAgent => (StatusCode::SERVICE_UNAVAILABLE, "no_agent"),
    }
}

impl IntoResponse for Problem {
    fn into_response(self) -> Response {
        let (status, wait) = (self.status, self.retry_after_secs);
        let mut response = (status, Json(self)).into_response();
        if let Some(secs) = wait {
            response.headers_mut().insert(header::RETRY_AFTER, HeaderValue::from(secs));
        }
        response
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use everkey_client::SignInMethod;
    use everkey_proto::reply::ServerAnswer;

    #[test]
    fn only_the_api_servers_own_errors_are_passed_on() {
        let mut failure = Failure::new(Code::RateLimited, "Wait.", "Wait a little.");
        failure.retry_after_secs = Some(9);
        failure.answer = Some(ServerAnswer { status: 429, code: "slow_down".to_owned() });
        let problem = Problem::of_contract(failure.clone());
        assert_eq!((problem.status.as_u16(), problem.code.as_str()), (429, "slow_down"));
        assert_eq!(problem.into_response().headers()["retry-after"], "9");
        failure.code = Code::Offline;
        failure.answer = Some(ServerAnswer { status: 302, code: "http_302".to_owned() });
        let problem = Problem::of_contract(failure);
        assert_eq!((problem.status.as_u16(), problem.code.as_str()), (502, "upstream_unreachable"));
    }

    #[test]
    fn without_a_session_only_the_contract_says_unauthorized() {
        for code in [Code::NotSignedIn, Code::NeedsLogin] {
            let failure = Failure::new(code, "No.", "");
            let contract = Problem::of_contract(failure.clone());
            assert_eq!((contract.status.as_u16(), contract.code.as_str()), (401, "unauthorized"));
            assert_eq!(Problem::from(failure).status.as_u16(), 409);
        }
        assert_eq!(Problem::of_contract(Failure::new(Code::Timeout, "", "")).status.as_u16(), 504);
    }
    #[test]
    fn a_page_is_told_what_it_can_do_itself() {
        let login = || Hint::Login;
        for (code, hint, told) in [
            (Code::NotSignedIn, login(), "Sign in again."),
            (Code::NeedsLogin, login(), "Sign in again."),
            (Code::FlowGone, login(), "Sign in again."),
            (Code::Refused, login(), "Sign in again."),
            (Code::Refused, Hint::UseScheme(SignInMethod::Browser), "Try --scheme browser."),
            (Code::Offline, "Check the network.".into(), "Check the network."),
        ] {
            let failure = Failure::new(code, "No.", hint);
            for problem in [Problem::of_contract(failure.clone()), Problem::from(failure)] {
                assert_eq!(problem.hint.as_deref(), Some(told), "{code:?}");
            }
        }
        assert_eq!(asked_again(Failure::new(Code::Refused, "No.", login())).hint, "Try again.".into());
        assert_eq!(asked_again(Failure::new(Code::RateLimited, "No.", "Wait.")).hint, "Wait.".into());
    }
}
