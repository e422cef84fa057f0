//! Finds the network address a request counts against.

use std::net::SocketAddr;
use std::sync::Arc;

use axum::extract::{ConnectInfo, FromRequestParts};
use axum::http::header;
use axum::http::request::Parts;

use crate::actions::server_error::ServerError;
use crate::app::AppState;
use crate::http::error::ApiError;
use crate::rules::address::NetworkAddress;
use crate::rules::caller::NetworkCaller;

/// The client of a request.
pub struct ClientAddress(pub NetworkAddress);

impl FromRequestParts<Arc<AppState>> for ClientAddress {
    type Rejection = ApiError;

    async fn from_request_parts(parts: &mut Parts, app: &Arc<AppState>) -> Result<Self, ApiError> {
        let Some(ConnectInfo(peer)) = parts.extensions.get::<ConnectInfo<SocketAddr>>() else {
            return Err(ServerError::Unavailable("the peer's address is not known".to_owned()).into());
        };
        // A value that is not text ends the chain of hops that can be believed.
        let values: Vec<&str> = parts
            .headers
            .get_all("x-forwarded-for")
            .iter()
            .map(|value| value.to_str().unwrap_or("?"))
            .collect();
        Ok(Self(NetworkAddress::find(peer.ip(), values.into_iter(), &app.trusted_proxies)))
    }
}

/// Who makes a request, as far as the network tells.
pub struct RequestCaller(
    /// Its address and program.
    pub NetworkCaller,
);

impl FromRequestParts<Arc<AppState>> for RequestCaller {
    type Rejection = ApiError;

    async fn from_request_parts(parts: &mut Parts, app: &Arc<AppState>) -> Result<Self, ApiError> {
        let ClientAddress(address) = ClientAddress::from_request_parts(parts, app).await?;
        let user_agent = parts.headers.get(header::USER_AGENT).and_then(|value| value.to_str().ok());
        Ok(Self(NetworkCaller::new(address, user_agent)))
    }
}
