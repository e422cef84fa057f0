//! What the token endpoint is asked and answers (RFC 6749 sections 4.1.3, 5 and 6), with what everkey-server adds (RR-1).

use super::client::for_tokens;
use super::error::{failed, failed_for, refresh_error_code, refuses_token};
use super::user_claims::{check_id_token, is_foreign, of_id_token};
use crate::http::{HttpRequest, HttpResponse};
use crate::provider::fields::{Quantity, bearer, promised, sent_as};
use crate::provider::jwt;
use crate::provider::proof::{read_other, read_tokenless};
use everkey_proto::Secret;
use everkey_session::{AnswerFlaw, Capability, LoginAnswer, RefreshAnswer, Registration, TokenResponse};
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
    #[serde(default)]
    expires_in: Quantity,
    refresh_token: Option<Secret>,
    #[serde(default)]
    refresh_expires_in: Quantity,
    #[serde(default)]
    refresh_token_expires_in: Quantity,
    /// How long the refresh token may lie unused, and how long the whole authorization lasts
    /// (draft-ietf-oauth-refresh-token-expiration).
    #[serde(default)]
    refresh_token_timeout: Quantity,
    #[serde(default)]
    authorization_expires_in: Quantity,
    refresh_retry: Option<Box<RawValue>>,
    id_token: Option<Secret>,
}

/// Tokens, and the id_token that came with them.
struct Arrived {
    grant: TokenResponse,
    id_token: Option<Secret>,
}

fn read(answer: &HttpResponse) -> Result<Arrived, AnswerFlaw> {
    let tokens: TokenAnswer = answer.object()?;
    let refresh = tokens.refresh_token.filter(|token| !token.is_empty());
    bearer(&tokens.token_type)?;
    sent_as("access_token", &tokens.access_token)?;
    refresh.as_ref().map_or(Ok(()), |token| sent_as("refresh_token", token))?;
    let timeouts = [tokens.refresh_token_timeout, tokens.refresh_expires_in, tokens.refresh_token_expires_in];
    let refresh_expires_in = timeouts.into_iter().find_map(Quantity::whole);
    let grant = TokenResponse {
        claims: jwt::claims(&tokens.access_token),
        access: tokens.access_token,
        access_expires_in: tokens.expires_in.whole(),
        refresh,
        // Keycloak says 0 of a token that does not expire.
        refresh_expires_in: refresh_expires_in.filter(|secs| *secs > 0),
        sign_in_expires_in: tokens.authorization_expires_in.whole(),
        user: None,
        about: BTreeMap::new(),
        capability: promised(tokens.refresh_retry.as_deref()),
    };
    Ok(Arrived { grant, id_token: tokens.id_token })
}

/// Reads the answer that ends a sign-in as nothing but tokens.
pub fn read_tokens(answer: &HttpResponse, then: fn(TokenResponse) -> LoginAnswer) -> LoginAnswer {
    arrived(answer, |arrived| then(arrived.grant))
}

fn arrived(answer: &HttpResponse, then: impl FnOnce(Arrived) -> LoginAnswer) -> LoginAnswer {
    match answer.status {
        200 => read(answer).map_or_else(|flaw| failed_for(answer, flaw), then),
        _ => failed(answer),
    }
}

/// Reads the answer that ends a sign-in. With a registration an id_token is checked, and tells who it is.
pub fn read_sign_in(known: Option<&Registration>, nonce: Option<&str>, answer: &HttpResponse) -> LoginAnswer {
    arrived(answer, |Arrived { mut grant, id_token }| {
        if let Some((token, known)) = id_token.as_ref().zip(known) {
            match check_id_token(token, known, nonce, answer.date) {
                Ok(claims) => {
                    let (user, about) = claims.user();
                    (grant.user, grant.about) = (Some(user), about);
                }
                Err(flaw) => return LoginAnswer::Net(answer.unusable(flaw)),
            }
        }
        LoginAnswer::Granted(grant)
    })
}

/// Reads a refresh answer. What is wrong with an id_token must not lose the tokens beside it; only whose it is counts, and
/// for whom and by whom it was made (OpenID Connect Core, 12.2).
pub fn read_refresh(known: Option<&Registration>, answer: &HttpResponse) -> RefreshAnswer {
    match (answer.status, refresh_error_code(answer).as_deref()) {
        (200, _) => match read(answer) {
            Ok(Arrived { id_token: Some(token), .. })
                if known.is_some_and(|known| is_foreign(&token, known)) =>
            {
                RefreshAnswer::Foreign
            }
            Ok(Arrived { grant, id_token }) => {
                let user = id_token.as_ref().and_then(of_id_token).map(|claims| claims.user().0);
                // Section 6: where no new refresh token is given, the old one stays.
                let stays = grant.refresh.is_none();
                let capability = if stays { Capability::Reusable } else { grant.capability };
                RefreshAnswer::Granted(TokenResponse { user, capability, ..grant })
            }
            Err(_) if refuses_token(answer) => RefreshAnswer::Refused,
            Err(flaw) => read_tokenless(answer, flaw),
        },
        (400 | 401 | 403, _) if refuses_token(answer) => RefreshAnswer::Refused,
        (409, Some("rotation_in_progress")) => RefreshAnswer::Rotating,
        (409, Some("deadline_passed")) => RefreshAnswer::Late,
        (_, code) => read_other(answer, code),
    }
}
