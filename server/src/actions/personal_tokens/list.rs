//! Lists a user's personal access tokens.

use crate::db::personal_tokens::StoredPersonalToken;
use crate::db::users::User;
use crate::db::{DbError, Tx};
use crate::rules::plan::Plan;
use crate::time::Moment;

/// A user's tokens, and how many their plan includes.
#[derive(Debug)]
pub struct Listing {
    /// The tokens, newest first, the ended ones included.
    pub tokens: Vec<StoredPersonalToken>,
    /// How many of them count.
    pub live: u32,
    /// What the user's plan includes.
    pub plan: Plan,
    /// The moment that the tokens' standing is told for.
    pub at: Moment,
}

/// Lists the user's tokens within `tx`.
pub async fn list(tx: &mut Tx, user: &User, now: Moment) -> Result<Listing, DbError> {
    let tokens = tx.personal_tokens_of(&user.id).await?;
    let live = tx.count_live_personal_tokens(&user.id, now).await?;
    Ok(Listing { tokens, live, plan: Plan::named(&user.plan), at: now })
}
