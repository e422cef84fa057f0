//! Checks a personal access token that a tool shows. An unknown prefix, a wrong secret and a text that is no token
//! take the same steps.

use crate::actions::limit;
use crate::actions::personal_tokens::error::PersonalTokenError;
use crate::app::App;
use crate::db::throttle::Kind;
use crate::db::users::{Status, User};
use crate::db::{DbError, Tx, retry};
use crate::digest::Digest;
use crate::rules::address::Client;
use crate::rules::personal_token::{Standing, is_news};
use crate::secret::SecretText;
use crate::time::Moment;
use crate::tokens::personal::PersonalToken;

/// Whose a token is.
#[derive(Debug)]
pub struct Checked {
    /// Its owner.
    pub user: User,
    /// The part of it that may be shown.
    pub prefix: String,
}

/// Who shows this token. A token that opens nothing is `Unauthorized`, or `RateLimited` if too many came from that
/// address lately. A good one is never limited: its 144 secret bits can't be guessed, and one machine with an old
/// token must not lock out its neighbours.
pub async fn check(app: &App, token: &SecretText, from: Client) -> Result<Checked, PersonalTokenError> {
    retry(|| attempt(app, token, from)).await
}

async fn attempt(app: &App, token: &SecretText, from: Client) -> Result<Checked, PersonalTokenError> {
    let mut tx = app.store.begin().await?;
    let now = app.now();
    match find(&mut tx, token, now).await? {
        Some(checked) => {
            tx.commit().await?;
            Ok(checked)
        }
        None => {
            let (kind, limit) = (Kind::RefusedPersonalToken, app.limits.refused_tokens_per_ip);
            limit::admit(&mut tx, kind, &from.to_string(), limit, now).await?;
            tx.commit().await?;
            Err(PersonalTokenError::Unauthorized)
        }
    }
}

async fn find(tx: &mut Tx, token: &SecretText, now: Moment) -> Result<Option<Checked>, DbError> {
    let parsed = PersonalToken::parse(token);
    let stored = tx.personal_token_by_prefix(parsed.as_ref().map_or("", PersonalToken::prefix)).await?;
    let shown = Digest::sha256(token.expose().as_bytes());
    // Compared with something in any case, so that the time tells nothing about prefixes.
    let kept = stored.as_ref().map_or_else(|| Digest::sha256(&[]), |(_, hash)| *hash);
    let matches = shown == kept;
    let owner = tx.user(stored.as_ref().map_or("", |(token, _)| &token.user_id)).await?;
    let (Some((stored, _)), Some(user), true) = (stored, owner, matches) else { return Ok(None) };
    match (stored.standing(now), user.status) {
        (Standing::Live, Status::Active) => {}
        (Standing::Live | Standing::Revoked | Standing::Lapsed, Status::Active | Status::Disabled) => {
            return Ok(None);
        }
    }
    if is_news(stored.last_used_at, now) {
        tx.note_personal_token_use(&stored.id, now).await?;
    }
    Ok(Some(Checked { user, prefix: stored.prefix }))
}
