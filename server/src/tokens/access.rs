//! Access tokens: HS256 JWTs with the claims of the failproofai contract plus session and generation.

use std::collections::HashSet;

use jsonwebtoken::{Algorithm, DecodingKey, EncodingKey, Header, Validation};
use serde::{Deserialize, Serialize};
use uuid::Uuid;

use crate::keys::KeyRing;
use crate::rules::oauth::scope::{Scope, Scopes};
use crate::rules::session_kind::SessionKind;
use crate::secret::SecretText;
use crate::time::Timestamp;
use crate::tokens::crypto_provider;

/// Who access tokens are for.
pub const AUDIENCE: &str = "everkey";

/// What an access token says.
#[derive(Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct AccessClaims {
    /// The server that issued it.
    pub iss: String,
    /// Whom it is for: always [`AUDIENCE`].
    pub aud: String,
    pub sub: String,
    /// The user's email address when it was issued; an OAuth client needs the scope `email` to see it.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub email: Option<String>,
    /// When it was issued, unix seconds.
    pub iat: i64,
    /// When it stops working, unix seconds.
    pub exp: i64,
    pub jti: String,
    pub sid: String,
    /// The generation of the session it was issued with.
    pub r#gen: i64,
    /// The OAuth client it was issued to.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub client_id: Option<String>,
    /// What the OAuth client may do with it.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub scope: Option<String>,
    /// `cli` for the achilles CLI.
    #[serde(default, rename = "type", skip_serializing_if = "Option::is_none")]
    pub kind: Option<String>,
    /// The organisation the achilles CLI acts in.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub org_id: Option<String>,
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub role: Option<String>,
}

/// Why a text was not made into, or taken for, an access token.
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
pub enum AccessError {
    #[error("the access token could not be signed")]
    Unsigned,
    /// Not a token of this server.
    #[error("not an access token of this server")]
    Foreign,
}

#[derive(Debug)]
pub struct AccessTokens {
    issuer: String,
}

/// Whom a new access token is for.
#[derive(Clone, Copy)]
pub struct AccessSubject<'a> {
    pub user: &'a str,
    pub email: &'a str,
    pub session: &'a str,
    pub generation: i64,
    pub grant: &'a SessionKind,
}

impl AccessTokens {
    /// Issues as, and accepts only, `issuer`.
    pub fn new(issuer: String) -> Self {
        crypto_provider::install();
        Self { issuer }
    }

    /// A signed token for `subject` that works from `now` until `expires_at`.
    pub fn sign(
        &self,
        keys: &KeyRing,
        subject: AccessSubject<'_>,
        now: Timestamp,
        expires_at: Timestamp,
    ) -> Result<SecretText, AccessError> {
        let key = keys.current();
        let mut claims = AccessClaims {
            iss: self.issuer.clone(),
            aud: AUDIENCE.to_owned(),
            sub: subject.user.to_owned(),
            email: Some(subject.email.to_owned()),
            iat: now.secs(),
            exp: expires_at.secs(),
            jti: Uuid::new_v4().to_string(),
            sid: subject.session.to_owned(),
            r#gen: subject.generation,
            client_id: None,
            scope: None,
            kind: None,
            org_id: None,
            role: None,
        };
        match subject.grant {
            SessionKind::FirstParty | SessionKind::Web => {}
            SessionKind::OAuth { client, scope } => {
                claims.client_id = Some(client.clone());
                claims.email = claims.email.filter(|_| Scopes::read(scope).has(Scope::Email));
                claims.scope = Some(scope.clone());
            }
            SessionKind::Cli { org, role } => {
                claims.kind = Some("cli".to_owned());
                claims.org_id = Some(org.clone());
                claims.role = Some(role.clone());
            }
        }
        let header = Header { kid: Some(key.id.clone()), ..Header::new(Algorithm::HS256) };
        jsonwebtoken::encode(&header, &claims, &EncodingKey::from_secret(key.jwt.expose()))
            .map(SecretText::new)
            .map_err(|_| AccessError::Unsigned)
    }

    /// The claims of a token this server signed, whether or not it has expired: expiry is a rule that
    /// takes the injected clock (`rules::access`), which the library can't.
    pub fn read(&self, keys: &KeyRing, token: &SecretText) -> Result<AccessClaims, AccessError> {
        let header = jsonwebtoken::decode_header(token.expose()).map_err(|_| AccessError::Foreign)?;
        let key = header.kid.and_then(|id| keys.find(&id)).ok_or(AccessError::Foreign)?;
        let mut validation = Validation::new(Algorithm::HS256);
        validation.validate_exp = false;
        validation.required_spec_claims = HashSet::new();
        validation.set_issuer(&[&self.issuer]);
        validation.set_audience(&[AUDIENCE]);
        jsonwebtoken::decode(token.expose(), &DecodingKey::from_secret(key.jwt.expose()), &validation)
            .map(|data| data.claims)
            .map_err(|_| AccessError::Foreign)
    }
}

#[cfg(test)]
mod tests {
    use base64::Engine as _;
    use base64::engine::general_purpose::URL_SAFE_NO_PAD;

    use super::*;
    use crate::digest::Digest;
    use crate::keys::ServerKey;

    const NOW: Timestamp = Timestamp::from_secs(1_700_000_000);
    const SUBJECT: AccessSubject<'_> = AccessSubject {
        user: "u",
        email: "a@b.c",
        session: "s",
        generation: 4,
        grant: &SessionKind::FirstParty,
    };

    fn ring() -> KeyRing {
        KeyRing::new(ServerKey::random(NOW).unwrap(), Vec::new())
    }

    fn sign(keys: &KeyRing) -> SecretText {
        AccessTokens::new("me".into())
            .sign(keys, SUBJECT, NOW, Timestamp::from_secs(NOW.secs() + 3600))
            .unwrap()
    }

    fn read(keys: &KeyRing, token: &str) -> Result<AccessClaims, AccessError> {
        AccessTokens::new("me".into()).read(keys, &SecretText::new(token.to_owned()))
    }

    #[test]
    fn what_was_signed_is_read_back_even_after_it_expired() {
        let keys = ring();
        let claims = read(&keys, sign(&keys).expose()).unwrap();
        assert_eq!((claims.sub.as_str(), claims.sid.as_str(), claims.r#gen), ("u", "s", 4));
        assert_eq!((claims.iat, claims.exp), (NOW.secs(), NOW.secs() + 3600));
        assert!(!claims.jti.is_empty());
    }

    #[test]
    fn older_keys_still_verify_and_unknown_ones_do_not() {
        let old = ring();
        let token = sign(&old);
        let rotated = KeyRing::new(ServerKey::random(NOW).unwrap(), vec![ServerKey::clone(&old.current())]);
        assert!(read(&rotated, token.expose()).is_ok());
        assert!(read(&ring(), token.expose()).is_err());
    }

    #[test]
    fn another_issuer_algorithm_signature_or_shape_is_foreign() {
        let keys = ring();
        let token = sign(&keys);
        let other = AccessTokens::new("you".into()).sign(&keys, SUBJECT, NOW, NOW).unwrap();
        assert!(read(&keys, other.expose()).is_err());

        let parts: Vec<&str> = token.expose().split('.').collect();
        let none = URL_SAFE_NO_PAD.encode(format!(r#"{{"alg":"none","kid":"{}"}}"#, keys.current().id));
        let hs512 = URL_SAFE_NO_PAD.encode(format!(r#"{{"alg":"HS512","kid":"{}"}}"#, keys.current().id));
        let zeros = URL_SAFE_NO_PAD.encode(Digest::sha256(b"").bytes());
        for forged in [
            format!("{none}.{}.", parts[1]),
            format!("{hs512}.{}.{}", parts[1], parts[2]),
            format!("{}.{}.{zeros}", parts[0], parts[1]),
            format!("{}.{}.", parts[0], parts[1]),
            format!("{}.{}", parts[0], parts[1]),
            String::new(),
            "a.b.c".to_owned(),
        ] {
            assert!(read(&keys, &forged).is_err(), "{forged}");
        }
    }
}
