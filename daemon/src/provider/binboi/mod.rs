//! binboi's contract: a token made in its dashboard, kept among the settings of its tool.

use super::Parsed;
use super::fields::{AsWritten, Fields, fields, is_json, retry_after, sendable};
use crate::http::{Answer, Auth, Call, base_url};
use crate::object;
use everkey_proto::{Secret, reply::User};
use everkey_session::job::{Identity, LoginAnswer, LoginCall};
use everkey_session::record::{Claims, Holder, Session};
use everkey_session::trouble::NetKind;
use serde::{Deserialize, Serialize};
use zeroize::Zeroizing;

/// A file without a token is the tool's own all the same. An address that tokens can't be sent to makes it a strange one:
/// to send them elsewhere instead would be worse.
pub fn parse_session(bytes: &[u8]) -> Parsed {
    #[derive(Deserialize)]
    struct File {
        token: Option<Secret>,
        api_url: Option<String>,
    }
    let Some(file) = object::read::<File>(bytes) else {
        return if is_json(bytes) { Parsed::Strange } else { Parsed::Damaged };
    };
    let Some(token) = file.token.filter(|token| !token.is_empty()) else { return Parsed::Nobody };
    let server = file.api_url.filter(|url| !url.trim().is_empty()).map(|url| base_url(&url)).transpose();
    match server {
        Ok(server) if sendable(&token) => Parsed::Session(Session {
            access: token,
            access_expires_at: None,
            refresh: None,
            refresh_expires_at: None,
            issued_at: None,
            claims: Claims::default(),
            holder: Holder { server, ..Holder::default() },
        }),
        Ok(_) | Err(_) => Parsed::Strange,
    }
}

/// The address that the tool's settings name, though nobody is signed in.
pub fn server(bytes: &[u8]) -> Option<String> {
    #[derive(Deserialize)]
    struct File {
        api_url: String,
    }
    object::read::<File>(bytes).map(|file| file.api_url).filter(|url| !url.trim().is_empty())
}

/// The token, and the address that it was validated at; the rest of the file stays as it is.
pub fn render_session(old: Option<&[u8]>, session: &Session) -> Zeroizing<Vec<u8>> {
    render(old.unwrap_or_default(), &session.access, session.holder.server.as_deref())
}

/// The file without the token.
pub fn render_signed_out(old: &[u8]) -> Option<Zeroizing<Vec<u8>>> {
    // A setting that is not UTF-8 is no reason to take the tool's whole file away.
    let text = String::from_utf8_lossy(old);
    object::read::<Fields>(text.as_bytes()).map(|_| render(old, &Secret::default(), None))
}

fn render(old: &[u8], token: &Secret, server: Option<&str>) -> Zeroizing<Vec<u8>> {
    #[derive(Serialize)]
    struct Written<'a> {
        token: &'a Secret,
        #[serde(skip_serializing_if = "Option::is_none")]
        server_addr: Option<AsWritten>,
        #[serde(skip_serializing_if = "Option::is_none")]
        api_url: Option<AsWritten>,
        #[serde(flatten)]
        others: Fields,
    }
    let mut others = fields(&String::from_utf8_lossy(old));
    others.remove("token");
    let before = others.remove("api_url");
    let validated = server.and_then(|server| AsWritten::of(&server));
    let file =
        Written { token, server_addr: others.remove("server_addr"), api_url: validated.or(before), others };
    Zeroizing::new(serde_json::to_vec_pretty(&file).unwrap_or_default())
}

/// The one call of a sign-in.
pub fn login(call: &LoginCall) -> Option<Call> {
    match call {
        LoginCall::Identify { access, .. } => Some(identify(access)),
        LoginCall::RequestCode { .. }
        | LoginCall::VerifyCode { .. }
        | LoginCall::Discover { .. }
        | LoginCall::Register { .. }
        | LoginCall::StartDevice { .. }
        | LoginCall::PollDevice { .. }
        | LoginCall::Exchange { .. } => None,
    }
}

/// Reads its answer.
pub fn read_login(call: &LoginCall, answer: &Answer) -> LoginAnswer {
    match call {
        LoginCall::Identify { .. } => LoginAnswer::Identified(read_identity(answer)),
        LoginCall::RequestCode { .. }
        | LoginCall::VerifyCode { .. }
        | LoginCall::Discover { .. }
        | LoginCall::Register { .. }
        | LoginCall::StartDevice { .. }
        | LoginCall::PollDevice { .. }
        | LoginCall::Exchange { .. } => LoginAnswer::Net(answer.trouble(NetKind::NotTheContract)),
    }
}

/// The question whose a token is.
pub fn identify(access: &Secret) -> Call {
    Call::get("/api/v1/auth/me").auth(Auth::Bearer(access.clone()))
}

/// Reads the answer to it. The server says 401 to its own defects too, so whoever acts on a refusal may not remove
/// anything for it.
pub fn read_identity(answer: &Answer) -> Identity {
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
        200 => match answer.json::<Me>() {
            Some(Me { user: Holder { id, name, email, plan }, token_prefix }) => {
                let told = [("name", name), ("plan", plan), ("prefix", token_prefix)];
                let told = told.into_iter().filter_map(|(name, text)| Some((name.to_owned(), text?)));
                Identity::Accepted {
                    user: Some(User { id, email: email.unwrap_or_default() }),
                    about: told.filter(|(_, text)| !text.is_empty()).collect(),
                }
            }
            None => Identity::Net(answer.trouble(NetKind::NotTheContract)),
        },
        401 => Identity::Refused,
        429 => Identity::Limited(retry_after(answer).unwrap_or(30)),
        300..=399 => Identity::Net(answer.trouble(NetKind::Redirect)),
        201..=299 => Identity::Net(answer.trouble(NetKind::NotTheContract)),
        status => Identity::Net(answer.trouble(NetKind::Status(status))),
    }
}

#[cfg(test)]
mod tests;
