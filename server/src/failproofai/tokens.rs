//! How a pair of tokens looks on the wire.

use serde::{Serialize, Serializer};
use utoipa::ToSchema;

use crate::actions::sessions::tokens::TokenPair;
use crate::app::AppState;
use crate::db::users::StoredUser;
use crate::http::refresh_retry::RefreshRetry;
use crate::rules::rotation::RetryMode;

/// The user as token answers and the session route tell it.
#[derive(Serialize, ToSchema)]
#[schema(as = failproofai::User)]
pub(super) struct SignedInUser {
    id: String,
    email: String,
}

impl From<StoredUser> for SignedInUser {
    fn from(user: StoredUser) -> Self {
        Self { id: user.id, email: user.email }
    }
}

/// A token answer. Spans are whole seconds; `user` is only there after a sign-in.
pub(super) struct FailproofaiTokens {
    tokens: TokenPair,
    retry: RetryMode,
    user: Option<SignedInUser>,
}

impl FailproofaiTokens {
    pub(super) fn after_sign_in(app: &AppState, tokens: TokenPair, user: StoredUser) -> Self {
        Self { tokens, retry: app.policy.retry, user: Some(user.into()) }
    }

    pub(super) fn after_refresh(app: &AppState, tokens: TokenPair) -> Self {
        Self { tokens, retry: app.policy.retry, user: None }
    }
}

/// A pair of tokens. Spans are whole seconds; the user is only there after a sign-in.
#[derive(Serialize, ToSchema)]
#[schema(as = failproofai::Tokens)]
pub(super) struct TokensBody<'a> {
    #[schema(pattern = "^Bearer$")]
    token_type: &'static str,
    access_token: &'a str,
    access_expires_in: u64,
    refresh_token: &'a str,
    refresh_expires_in: u64,
    refresh_retry: RefreshRetry,
    #[serde(skip_serializing_if = "Option::is_none")]
    #[schema(nullable = false)]
    user: Option<&'a SignedInUser>,
}

impl Serialize for FailproofaiTokens {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        let wire = TokensBody {
            token_type: "Bearer",
            access_token: self.tokens.access.expose(),
            access_expires_in: self.tokens.access_expires_in.as_secs(),
            refresh_token: self.tokens.refresh.expose(),
            refresh_expires_in: self.tokens.refresh_expires_in.as_secs(),
            refresh_retry: self.retry.into(),
            user: self.user.as_ref(),
        };
        wire.serialize(serializer)
    }
}
