//! id_tokens: ES256 JWTs that tell a client who signed in (OpenID Connect Core section 2).

use jsonwebtoken::{Algorithm, EncodingKey, Header};
use serde::Serialize;

use crate::keys::KeyRing;
use crate::secret::SecretText;
use crate::tokens::crypto_provider;

/// What an id_token says about whom, to whom.
#[derive(Clone, Copy, Debug, Serialize)]
pub struct IdTokenClaims<'a> {
    /// The server that issues it: its public address.
    pub iss: &'a str,
    /// The client it is for.
    pub aud: &'a str,
    pub sub: &'a str,
    /// When it is issued, unix seconds.
    pub iat: i64,
    /// When it stops counting, unix seconds.
    pub exp: i64,
    /// When the user proved who they are, unix seconds; not known of a user who approved a device.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub auth_time: Option<i64>,
    /// What the client asked to find in it.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub nonce: Option<&'a str>,
    /// What the scopes let the client know.
    #[serde(flatten)]
    pub about: OidcUserClaims<'a>,
}

/// What a client may know about a user by its scopes (OpenID Connect Core section 5.4).
#[derive(Clone, Copy, Debug, Default, Serialize)]
pub struct OidcUserClaims<'a> {
    /// The email address; a code sent there signed them in.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub email: Option<&'a str>,
    /// Always true where there is an address.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub email_verified: Option<bool>,
    /// What they call themselves.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub name: Option<&'a str>,
}

#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
#[error("the id_token could not be signed")]
pub struct IdTokenNotSigned;

/// Signs the claims with the current key. Errors if it has none for id_tokens; it never signs with another algorithm.
pub fn sign(keys: &KeyRing, claims: &IdTokenClaims<'_>) -> Result<SecretText, IdTokenNotSigned> {
    crypto_provider::install();
    let key = keys.current();
    let es256 = key.es256.as_ref().ok_or(IdTokenNotSigned)?;
    let header = Header { kid: Some(key.id.clone()), ..Header::new(Algorithm::ES256) };
    jsonwebtoken::encode(&header, claims, &EncodingKey::from_ec_der(es256.pkcs8()))
        .map(SecretText::new)
        .map_err(|_| IdTokenNotSigned)
}
