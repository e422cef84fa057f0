//! `Authorization: Bearer ...`.

use axum::extract::FromRequestParts;
use axum::http::header;
use axum::http::request::Parts;

use crate::http::error::ApiError;
use crate::secret::SecretText;

/// Longer than any token this server signs.
const LONGEST: usize = 4096;

/// The access token a request carries.
pub struct Bearer(
    /// The token, not yet checked.
    pub SecretText,
);

impl<S: Sync> FromRequestParts<S> for Bearer {
    type Rejection = ApiError;

    async fn from_request_parts(parts: &mut Parts, _: &S) -> Result<Self, ApiError> {
        let mut values = parts.headers.get_all(header::AUTHORIZATION).iter();
        let (Some(value), None) = (values.next(), values.next()) else {
            return Err(ApiError::unauthorized());
        };
        let (scheme, token) =
            value.to_str().ok().and_then(|value| value.split_once(' ')).ok_or_else(ApiError::unauthorized)?;
        let token = token.trim_matches(' ');
        if !scheme.eq_ignore_ascii_case("bearer") || token.is_empty() || token.len() > LONGEST {
            return Err(ApiError::unauthorized());
        }
        Ok(Self(SecretText::new(token.to_owned())))
    }
}
