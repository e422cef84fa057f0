//! What the token endpoint is asked and answers (RFC 6749 sections 4.1.3, 5 and 6), with what everkey-server adds (RR-1).

use super::client::for_tokens;
use super::error::{error_code, failed, refuses_token};
use super::user_claims::{check_id_token, of_id_token};
use crate::http::{HttpRequest, HttpResponse};
use crate::provider::fields::{promised, sendable, whole};
use crate::provider::jwt;
use crate::provider::proof::read_other;
use everkey_proto::Secret;
use everkey_session::{Capability, LoginAnswer, RefreshAnswer, Registration, TokenResponse};
use serde::Deserialize;
use serde_json::value::RawValue;
use std::collections::BTreeMap;

/// Section 4.1.3, with the verifier of RFC 7636; `extra` is what a server wants beyond that.
pub fn exchange_call(
    known: &Registration,
    code: &Secret,
    verifier: &Secret,
    redirect: &str,
    extra: &[(&str, &str)],
) -> HttpRequest {
    let mut fields = vec![
        ("grant_type", "authorization_code"),
        ("code", code.expose()),
        ("redirect_uri", redirect),
        ("code_verifier", verifier.expose()),
    ];
    fields.extend(extra);
    for_tokens(known, &known.endpoints.token, &fields)
}

/// Section 4.4.2.
pub fn client_credentials_call(known: &Registration, scope: Option<&str>) -> HttpRequest {
    let scope = scope.map(|scope| ("scope", scope));
    let fields: Vec<_> = [("grant_type", "client_credentials")].into_iter().chain(scope).collect();
    for_tokens(known, &known.endpoints.token, &fields)
}

#[derive(Deserialize)]
struct TokenAnswer {
    token_type: String,
    access_token: Secret,
    expires_in: Option<Box<RawValue>>,
    refresh_token: Option<Secret>,
    refresh_expires_in: Option<Box<RawValue>>,
    refresh_token_expires_in: Option<Box<RawValue>>,
    /// How long the refresh token may lie unused, and how long the whole authorization lasts
    /// (draft-ietf-oauth-refresh-token-expiration).
    refresh_token_timeout: Option<Box<RawValue>>,
    authorization_expires_in: Option<Box<RawValue>>,
    refresh_retry: Option<Box<RawValue>>,
    id_token: Option<Secret>,
}

/// Tokens, and the id_token that came with them.
struct Arrived {
    grant: TokenResponse,
    id_token: Option<Secret>,
}

fn read(answer: &HttpResponse) -> Option<Arrived> {
    let tokens: TokenAnswer = answer.json()?;
    let refresh = tokens.refresh_token.filter(|token| !token.is_empty());
    let bearer = tokens.token_type.eq_ignore_ascii_case("bearer");
    if !bearer || !sendable(&tokens.access_token) || !refresh.as_ref().is_none_or(sendable) {
        return None;
    }
    let seconds = |raw: Option<Box<RawValue>>| raw.as_deref().and_then(seconds);
    let refresh_expires_in = seconds(tokens.refresh_token_timeout)
        .or_else(|| seconds(tokens.refresh_expires_in))
        .or_else(|| seconds(tokens.refresh_token_expires_in));
    let grant = TokenResponse {
        claims: jwt::claims(&tokens.access_token),
        access: tokens.access_token,
        access_expires_in: seconds(tokens.expires_in),
        refresh,
        // Keycloak says 0 of a token that does not expire.
        refresh_expires_in: refresh_expires_in.filter(|secs| *secs > 0),
        sign_in_expires_in: seconds(tokens.authorization_expires_in),
        user: None,
        about: BTreeMap::new(),
        capability: promised(tokens.refresh_retry.as_deref()),
    };
    Some(Arrived { grant, id_token: tokens.id_token })
}

/// Seconds; some servers quote them. What can't be read is as good as not said: the tokens are here all the same.
fn seconds(raw: &RawValue) -> Option<i64> {
    let text = serde_json::from_str::<String>(raw.get());
    let number = serde_json::from_str::<serde_json::Number>(text.as_deref().unwrap_or(raw.get()));
    number.ok().map(|number| whole(&number))
}

/// The tokens of a successful answer; none of any other.
pub fn read_tokens(answer: &HttpResponse) -> Option<TokenResponse> {
    (answer.status == 200).then(|| read(answer)).flatten().map(|arrived| arrived.grant)
}

/// Reads the answer that ends a sign-in. With a registration an id_token is checked, and tells who it is.
pub fn read_sign_in(known: Option<&Registration>, nonce: Option<&str>, answer: &HttpResponse) -> LoginAnswer {
    let Some(Arrived { mut grant, id_token }) = (answer.status == 200).then(|| read(answer)).flatten() else {
        return failed(answer);
    };
    if let Some((token, known)) = id_token.as_ref().zip(known) {
        match check_id_token(token, known, nonce, answer.date) {
            Ok(claims) => {
                let (user, about) = claims.user();
                (grant.user, grant.about) = (Some(user), about);
            }
            Err(kind) => return LoginAnswer::Net(answer.error(kind)),
        }
    }
    LoginAnswer::Granted(grant)
}

/// Reads a refresh answer. What is wrong with an id_token must not lose the tokens beside it; only whose it is counts.
pub fn read_refresh(answer: &HttpResponse) -> RefreshAnswer {
    match (answer.status, error_code(answer).as_deref()) {
        (200, _) => match read(answer) {
            Some(Arrived { grant, id_token }) => {
                let user = id_token.as_ref().and_then(of_id_token).map(|claims| claims.user().0);
                // Section 6: where no new refresh token is given, the old one stays.
                let stays = grant.refresh.is_none();
                let capability = if stays { Capability::Reusable } else { grant.capability };
                RefreshAnswer::Granted(TokenResponse { user, capability, ..grant })
            }
            None if refuses_token(answer) => RefreshAnswer::Refused,
            None => read_other(answer, None),
        },
        (400 | 401 | 403, _) if refuses_token(answer) => RefreshAnswer::Refused,
        (409, Some("rotation_in_progress")) => RefreshAnswer::Rotating,
        (409, Some("deadline_passed")) => RefreshAnswer::Late,
        (_, code) => read_other(answer, code),
    }
}
