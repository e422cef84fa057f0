//! What these routes tell of users and tokens. Moments are ISO 8601 with milliseconds.

use serde::Serialize;
use utoipa::ToSchema;

use crate::db::personal_tokens::StoredPersonalToken;
use crate::db::users::StoredUser;
use crate::rules::personal_token::PersonalTokenStanding;
use crate::rules::plan::Plan;
use crate::time::Timestamp;

/// A user.
#[derive(Serialize, ToSchema)]
#[schema(as = binboi::UserView)]
pub(super) struct TokenUser {
    id: String,
    /// What they call themselves; may be empty.
    name: String,
    email: String,
    /// `FREE`, `PRO` or `SCALE`.
    plan: &'static str,
}

impl From<StoredUser> for TokenUser {
    fn from(user: StoredUser) -> Self {
        Self { plan: Plan::named(&user.plan).name, id: user.id, name: user.name, email: user.email }
    }
}

/// What is kept of a token.
#[derive(Serialize, ToSchema)]
#[serde(rename_all = "camelCase")]
#[schema(as = binboi::Record)]
pub(super) struct PersonalTokenRecord {
    id: String,
    name: String,
    prefix: String,
    /// `ACTIVE`, `REVOKED` or `EXPIRED`.
    status: &'static str,
    created_at: String,
    last_used_at: Option<String>,
    revoked_at: Option<String>,
    /// When it lapses; left out if it does not.
    #[serde(skip_serializing_if = "Option::is_none")]
    expires_at: Option<String>,
}

impl PersonalTokenRecord {
    pub(super) fn of(token: StoredPersonalToken, now: Timestamp) -> Self {
        Self {
            status: match token.standing(now) {
                PersonalTokenStanding::Live => "ACTIVE",
                PersonalTokenStanding::Revoked => "REVOKED",
                PersonalTokenStanding::Lapsed => "EXPIRED",
            },
            id: token.id,
            name: token.name,
            prefix: token.prefix,
            created_at: token.created_at.iso8601(),
            last_used_at: token.last_used_at.map(Timestamp::iso8601),
            revoked_at: token.revoked_at.map(Timestamp::iso8601),
            expires_at: token.expires_at.map(Timestamp::iso8601),
        }
    }
}

/// What the user's plan includes, and how much of it is used.
#[derive(Serialize, ToSchema)]
#[schema(as = binboi::LimitsView)]
pub(super) struct LimitsView {
    plan: &'static str,
    max_tokens: u32,
    tokens_used: u32,
}

impl LimitsView {
    pub(super) fn of(plan: Plan, live: u32) -> Self {
        Self { plan: plan.name, max_tokens: plan.personal_tokens, tokens_used: live }
    }
}
