//! A request of a user's own tool: its access token and who makes it.

use std::sync::Arc;

use axum::extract::FromRequestParts;
use axum::http::request::Parts;

use crate::actions::bearer_session::ToolRequest;
use crate::app::AppState;
use crate::http::bearer::Bearer;
use crate::http::client::RequestCaller;
use crate::http::error::ApiError;
use crate::rules::caller::NetworkCaller;
use crate::secret::SecretText;

/// A request of a user's own tool.
pub struct FirstParty {
    pub app: Arc<AppState>,
    token: SecretText,
    caller: NetworkCaller,
}

impl FirstParty {
    /// For the actions.
    pub fn request(&self) -> ToolRequest<'_> {
        ToolRequest { app: &self.app, token: &self.token, caller: &self.caller }
    }
}

impl FromRequestParts<Arc<AppState>> for FirstParty {
    type Rejection = ApiError;

    async fn from_request_parts(parts: &mut Parts, app: &Arc<AppState>) -> Result<Self, ApiError> {
        let Bearer(token) = Bearer::from_request_parts(parts, app).await?;
        let RequestCaller(caller) = RequestCaller::from_request_parts(parts, app).await?;
        Ok(Self { app: Arc::clone(app), token, caller })
    }
}
