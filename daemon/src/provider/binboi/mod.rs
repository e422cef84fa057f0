//! binboi's contract: a token made in its dashboard, kept among the settings of its tool.

mod file;

use super::descriptor::{Descriptor, LoginRoutes, ProviderRoute, RenewalRoute, SessionFormat};
use super::fields::retry_after;
use crate::http::{Auth, HttpRequest, HttpResponse};
use everkey_config::ProviderKind;
use everkey_proto::{Secret, reply::User};
use everkey_session::{AnswerFlaw, Identity, LoginAnswer, LoginCall};
use serde::Deserialize;

pub static DESCRIPTOR: Descriptor = Descriptor {
    kind: ProviderKind::Binboi,
    tool_names_server: true,
    session_file: SessionFormat {
        parse: file::parse_session,
        render: file::render_session,
        render_signed_out: Some(file::render_signed_out),
        server: Some(file::server),
    },
    login: LoginRoutes { request: login, read: read_login },
    oauth_client: None,
    renewal: RenewalRoute::None,
    access_ends_with_session: true,
    probe: None,
    identify: Some(ProviderRoute { request: |_, access| Some(identify(access)), read: read_identity }),
    tool_status: None,
    revoke: None,
    find_revocation: None,
    remind: None,
};

fn login(call: &LoginCall) -> Option<HttpRequest> {
    match call {
        LoginCall::Identify { access, .. } => Some(identify(access)),
        LoginCall::RequestCode { .. }
        | LoginCall::VerifyCode { .. }
        | LoginCall::Discover { .. }
        | LoginCall::Register { .. }
        | LoginCall::StartDevice { .. }
        | LoginCall::PollDevice { .. }
        | LoginCall::Exchange { .. }
        | LoginCall::ClientCredentials { .. } => None,
    }
}

fn read_login(call: &LoginCall, answer: &HttpResponse) -> LoginAnswer {
    match call {
        LoginCall::Identify { .. } => LoginAnswer::Identified(read_identity(answer)),
        LoginCall::RequestCode { .. }
        | LoginCall::VerifyCode { .. }
        | LoginCall::Discover { .. }
        | LoginCall::Register { .. }
        | LoginCall::StartDevice { .. }
        | LoginCall::PollDevice { .. }
        | LoginCall::Exchange { .. }
        | LoginCall::ClientCredentials { .. } => LoginAnswer::Net(answer.unusable(AnswerFlaw::NeverAsked)),
    }
}

fn identify(access: &Secret) -> HttpRequest {
    HttpRequest::get("/api/v1/auth/me").auth(Auth::Bearer(access.clone()))
}

/// Reads the answer to it. The server says 401 to its own defects too, so whoever acts on a refusal may not remove
/// anything for it.
fn read_identity(answer: &HttpResponse) -> Identity {
    #[derive(Deserialize)]
    struct Me {
        user: Holder,
        token_prefix: Option<String>,
    }
    #[derive(Deserialize)]
    struct Holder {
        id: String,
        name: Option<String>,
        email: Option<String>,
        plan: Option<String>,
    }
    match answer.status {
        200 => match answer.object::<Me>() {
            Ok(Me { user: Holder { id, name, email, plan }, token_prefix }) => {
                let told = [("name", name), ("plan", plan), ("prefix", token_prefix)];
                let told = told.into_iter().filter_map(|(name, text)| Some((name.to_owned(), text?)));
                Identity::Accepted {
                    user: Some(User { id, email: email.unwrap_or_default() }),
                    about: told.filter(|(_, text)| !text.is_empty()).collect(),
                }
            }
            Err(flaw) => Identity::Net(answer.unusable(flaw)),
        },
        401 => Identity::Refused,
        429 => Identity::Limited(retry_after(answer).unwrap_or(30)),
        _ => Identity::Net(answer.unexpected()),
    }
}

#[cfg(test)]
mod tests;
