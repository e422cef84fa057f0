//! achilles' answers with tokens.

use super::about::UserDetails;
use super::envelope::data;
use crate::http::HttpResponse;
use crate::provider::fields::{promised, sendable, unix_secs};
use crate::provider::jwt;
use everkey_proto::Secret;
use everkey_session::TokenResponse;
use serde::Deserialize;
use serde_json::value::RawValue;

/// How long access tokens work where the answer does not tell, in seconds.
const ACCESS_SECS: i64 = 3600;

/// What tokens come of. Those of a sign-in must say whose they are.
#[derive(Clone, Copy, PartialEq, Eq)]
pub enum NewTokens {
    OfLogin,
    OfRefresh,
}

pub fn tokens(answer: &HttpResponse, new: NewTokens) -> Option<TokenResponse> {
    #[derive(Deserialize)]
    struct Tokens {
        access_token: Secret,
        refresh_token: Secret,
        expires_at: String,
        user_id: Option<String>,
        refresh_retry: Option<Box<RawValue>>,
    }
    let (tokens, about): (Tokens, UserDetails) = (data(answer)?, data(answer)?);
    if !sendable(&tokens.access_token) || !sendable(&tokens.refresh_token) {
        return None;
    }
    let (user, about) = about.split(tokens.user_id);
    if new == NewTokens::OfLogin && user.is_none() {
        return None;
    }
    Some(TokenResponse {
        access_expires_in: Some(lifetime(&tokens.expires_at, &tokens.access_token, answer.date)),
        claims: jwt::claims(&tokens.access_token),
        access: tokens.access_token,
        refresh: Some(tokens.refresh_token),
        refresh_expires_in: None,
        sign_in_expires_in: None,
        user,
        about,
        capability: promised(tokens.refresh_retry.as_deref()),
    })
}

/// Seconds for which an access token works, by the server's clock alone: ours may be wrong. What ends before it was issued
/// is as good as not told.
fn lifetime(expires_at: &str, access: &Secret, date: Option<u64>) -> i64 {
    let between = |start: u64, end: u64| {
        let secs = i64::try_from(end).ok()?.checked_sub(i64::try_from(start).ok()?)?;
        (secs > 0).then_some(secs)
    };
    let told = unix_secs(expires_at).zip(date).and_then(|(end, now)| between(now, end));
    let itself = || {
        let times = jwt::times(access);
        between(times.iat?, times.exp?)
    };
    told.or_else(itself).unwrap_or(ACCESS_SECS)
}
