//! achilles' answers with tokens.

use super::about::UserDetails;
use super::envelope::data;
use crate::http::HttpResponse;
use crate::provider::fields::{WrittenTime, promised, sent_as};
use crate::provider::jwt;
use everkey_proto::Secret;
use everkey_session::{AnswerFlaw, TokenResponse};
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

pub fn tokens(answer: &HttpResponse, new: NewTokens) -> Result<TokenResponse, AnswerFlaw> {
    #[derive(Deserialize)]
    struct Tokens {
        access_token: Secret,
        refresh_token: Secret,
        #[serde(default)]
        expires_at: WrittenTime,
        user_id: Option<String>,
        refresh_retry: Option<Box<RawValue>>,
    }
    let (tokens, about): (Tokens, UserDetails) = (data(answer)?, data(answer)?);
    sent_as("data.access_token", &tokens.access_token)?;
    sent_as("data.refresh_token", &tokens.refresh_token)?;
    let (user, about) = about.split(tokens.user_id);
    if new == NewTokens::OfLogin && user.is_none() {
        return Err(AnswerFlaw::Missing("data.user_id".to_owned()));
    }
    Ok(TokenResponse {
        access_expires_in: Some(lifetime(tokens.expires_at, &tokens.access_token, answer.date)),
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
fn lifetime(expires_at: WrittenTime, access: &Secret, date: Option<u64>) -> i64 {
    let between = |start: u64, end: u64| {
        let secs = i64::try_from(end).ok()?.checked_sub(i64::try_from(start).ok()?)?;
        (secs > 0).then_some(secs)
    };
    let told = expires_at.unix_secs().zip(date).and_then(|(end, now)| between(now, end));
    let itself = || jwt::times(access).lifetime().filter(|secs| *secs > 0);
    told.or_else(itself).unwrap_or(ACCESS_SECS)
}
