//! Checks a personal access token that a tool shows. An unknown prefix, a wrong secret and a text that is no token
//! take the same steps.

use crate::actions::limit::NetworkLimit;
use crate::actions::personal_tokens::error::PersonalTokenError;
use crate::app::AppState;
use crate::db::throttle::ThrottleKind;
use crate::db::users::{AccountStatus, StoredUser};
use crate::db::{DbError, Tx, retry};
use crate::digest::Digest;
use crate::rules::address::NetworkAddress;
use crate::rules::personal_token::{PersonalTokenStanding, is_news};
use crate::secret::SecretText;
use crate::time::Timestamp;
use crate::tokens::personal::PersonalToken;

#[derive(Debug)]
pub struct TokenOwner {
    pub user: StoredUser,
    /// The part of it that may be shown.
    pub prefix: String,
}

/// Who shows this token. A token that opens nothing is `Unauthorized`, or `RateLimited` if too many came from that
/// address lately. A good one is never limited: its 144 secret bits can't be guessed, and one machine with an old
/// token must not lock out its neighbours.
pub async fn check(
    app: &AppState,
    token: &SecretText,
    from: NetworkAddress,
) -> Result<TokenOwner, PersonalTokenError> {
    retry(|| attempt(app, token, from)).await
}

async fn attempt(
    app: &AppState,
    token: &SecretText,
    from: NetworkAddress,
) -> Result<TokenOwner, PersonalTokenError> {
    let mut tx = app.store.begin().await?;
    let now = app.now();
    match find(&mut tx, token, now).await? {
        Some(checked) => {
            tx.commit().await?;
            Ok(checked)
        }
        None => {
            let (kind, limit) = (ThrottleKind::RefusedPersonalToken, app.limits.refused_tokens_per_ip);
            NetworkLimit::new(kind, from, limit).admit(&mut tx, now).await?;
            tx.commit().await?;
            Err(PersonalTokenError::Unauthorized)
        }
    }
}

async fn find(tx: &mut Tx, token: &SecretText, now: Timestamp) -> Result<Option<TokenOwner>, DbError> {
    let parsed = PersonalToken::parse(token);
    let stored = tx.personal_token_by_prefix(parsed.as_ref().map_or("", PersonalToken::prefix)).await?;
    let shown = Digest::sha256(token.expose().as_bytes());
    // Compared with something in any case, so that the time tells nothing about prefixes.
    let kept = stored.as_ref().map_or_else(|| Digest::sha256(&[]), |(_, hash)| *hash);
    let matches = shown == kept;
    let owner = tx.user(stored.as_ref().map_or("", |(token, _)| &token.user_id)).await?;
    let (Some((stored, _)), Some(user), true) = (stored, owner, matches) else { return Ok(None) };
    match (stored.standing(now), user.status) {
        (PersonalTokenStanding::Live, AccountStatus::Active) => {}
        (
            PersonalTokenStanding::Live | PersonalTokenStanding::Revoked | PersonalTokenStanding::Lapsed,
            AccountStatus::Active | AccountStatus::Disabled,
        ) => {
            return Ok(None);
        }
    }
    if is_news(stored.last_used_at, now) {
        tx.note_personal_token_use(&stored.id, now).await?;
    }
    Ok(Some(TokenOwner { user, prefix: stored.prefix }))
}
