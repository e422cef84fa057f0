//! dot-ai's contract: sign-in in the browser at the server's usual paths, tokens that can't be refreshed.

mod file;
mod revocation;

use super::descriptor::{
    Descriptor, LoginRoutes, ProviderRoute, RenewalRoute, RevocationFinder, SessionFormat,
};
use super::oauth::error::failed;
use super::oauth::registration::read_registered;
use super::oauth::tokens::{exchange_call, read_tokens};
use super::oauth::{read_revoke, revoke};
use crate::http::{HttpRequest, HttpResponse};
use everkey_config::ProviderKind;
use everkey_session::policy::{Discovery, OauthClient};
use everkey_session::{
    AuthMethod, Capability, Endpoints, LoginAnswer, LoginCall, Registration, TokenResponse,
};
use serde_json::json;

pub static DESCRIPTOR: Descriptor = Descriptor {
    kind: ProviderKind::DotAi,
    tool_names_server: false,
    session_file: SessionFormat {
        parse: file::parse_session,
        render: file::render_session,
        render_signed_out: Some(file::render_signed_out),
        server: None,
    },
    login: LoginRoutes { request: login, read: read_login },
    oauth_client: Some(|| OauthClient {
        discovery: Discovery::UsualPaths,
        registers_anew: true,
        lifetime_secs: Some(LIFETIME_SECS),
        ..OauthClient::default()
    }),
    renewal: RenewalRoute::None,
    access_ends_with_session: false,
    probe: None,
    identify: None,
    tool_status: None,
    revoke: Some(ProviderRoute { request: revoke, read: read_revoke }),
    find_revocation: Some(RevocationFinder { request: revocation::find, read: revocation::read_found }),
    remind: None,
};

/// For how long tokens are asked to work unless the environment says otherwise, in seconds: 30 days.
const LIFETIME_SECS: u64 = 30 * 86400;

fn login(call: &LoginCall) -> Option<HttpRequest> {
    match call {
        LoginCall::Register { endpoints, redirect, scope: _ } => register(endpoints, redirect.as_deref()),
        LoginCall::Exchange { registration, code, verifier, redirect, nonce: _, lifetime_secs } => {
            let lifetime = lifetime_secs.map(|secs| secs.to_string());
            let extra: Vec<_> = lifetime.iter().map(|secs| ("requested_expiry", secs.as_str())).collect();
            Some(exchange_call(registration, code, verifier, redirect, &extra))
        }
        LoginCall::RequestCode { .. }
        | LoginCall::VerifyCode { .. }
        | LoginCall::Discover { .. }
        | LoginCall::ClientCredentials { .. }
        | LoginCall::StartDevice { .. }
        | LoginCall::PollDevice { .. }
        | LoginCall::Identify { .. } => None,
    }
}

/// Asks for a client without a secret (RFC 7591). The server has no scopes, and only a client that does not ask for
/// refresh tokens, which nobody could redeem, is given the long lifetime.
fn register(endpoints: &Endpoints, redirect: Option<&str>) -> Option<HttpRequest> {
    let body = json!({
        "client_name": "everkey",
        "redirect_uris": [redirect?],
        "grant_types": ["authorization_code"],
        "response_types": ["code"],
        "token_endpoint_auth_method": "none",
    });
    Some(HttpRequest::post(endpoints.registration.as_ref()?, body))
}

fn read_login(call: &LoginCall, answer: &HttpResponse) -> LoginAnswer {
    match call {
        LoginCall::Register { endpoints, .. } => match read_registered(endpoints, answer) {
            // The contract's token route knows no other way to prove who one is.
            LoginAnswer::Registered(known) if known.client_secret.is_some() => {
                LoginAnswer::Registered(Registration { auth: AuthMethod::ClientSecretPost, ..known })
            }
            other => other,
        },
        LoginCall::Exchange { .. } => {
            read_tokens(answer, |grant| LoginAnswer::Granted(without_refresh(grant)))
        }
        LoginCall::RequestCode { .. }
        | LoginCall::VerifyCode { .. }
        | LoginCall::Discover { .. }
        | LoginCall::ClientCredentials { .. }
        | LoginCall::StartDevice { .. }
        | LoginCall::PollDevice { .. }
        | LoginCall::Identify { .. } => failed(answer),
    }
}

/// A refresh token is left aside: the server can't redeem it.
fn without_refresh(grant: TokenResponse) -> TokenResponse {
    TokenResponse { refresh: None, refresh_expires_in: None, capability: Capability::None, ..grant }
}

#[cfg(test)]
mod tests;
