//! Lists a user's personal access tokens.

use crate::db::personal_tokens::StoredPersonalToken;
use crate::db::users::StoredUser;
use crate::db::{DbError, Tx};
use crate::rules::plan::Plan;
use crate::time::Timestamp;

/// A user's tokens, and how many their plan includes.
#[derive(Debug)]
pub struct PersonalTokenList {
    /// The tokens, newest first, the ended ones included.
    pub tokens: Vec<StoredPersonalToken>,
    /// How many of them count.
    pub live: u32,
    /// What the user's plan includes.
    pub plan: Plan,
    /// The moment that the tokens' standing is told for.
    pub at: Timestamp,
}

/// Lists the user's tokens within `tx`.
pub async fn list(tx: &mut Tx, user: &StoredUser, now: Timestamp) -> Result<PersonalTokenList, DbError> {
    let tokens = tx.personal_tokens_of(&user.id).await?;
    let live = tx.count_live_personal_tokens(&user.id, now).await?;
    Ok(PersonalTokenList { tokens, live, plan: Plan::named(&user.plan), at: now })
}
