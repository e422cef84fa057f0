//! Refresh tokens: opaque, 256 bits, stored as SHA-256; and RR-1 successors, which can be computed again.

use uuid::Uuid;

use crate::digest::Digest;
use crate::keys::ServerKey;
use crate::secret::{SecretBytes, SecretText};

/// A refresh token as the client holds it. One that was never ours simply hashes to nothing known.
#[derive(Clone, Debug)]
pub struct RefreshToken(SecretText);

impl RefreshToken {
    /// A fresh random token. Errors if the system has no randomness to give.
    pub fn random() -> Result<Self, getrandom::Error> {
        Ok(Self(SecretBytes::random()?.to_base64()))
    }

    /// What a client sent.
    pub fn received(text: SecretText) -> Self {
        Self(text)
    }

    /// The RR-1 successor of the token with hash `parent`: a keyed function of fields of fixed length,
    /// the last being the client's raw idempotency key, which only the client keeps.
    pub fn successor(
        key: &ServerKey,
        session: Uuid,
        generation: i64,
        parent: &Digest,
        idempotency_key: &IdempotencyKey,
    ) -> Self {
        let client = Digest::sha256(format!("rr1 key {}", idempotency_key.0.expose()).as_bytes());
        let derived = Digest::hmac(
            &key.retry,
            &[b"rr1", session.as_bytes(), &generation.to_be_bytes(), parent.bytes(), client.bytes()],
        );
        Self(SecretBytes::new(*derived.bytes()).to_base64())
    }

    /// What a client sent that is told its tokens in hexadecimal: the same 256 bits, written otherwise. `None` if it is
    /// not 64 lower-case digits.
    pub fn received_hex(text: &SecretText) -> Option<Self> {
        Some(Self(SecretBytes::from_hex(text.expose())?.to_base64()))
    }

    /// The token in hexadecimal, for clients that want it so.
    pub fn to_hex(&self) -> Option<SecretText> {
        Some(SecretBytes::from_base64(self.0.expose())?.to_hex())
    }

    /// The hash it is stored under.
    pub fn hash(&self) -> Digest {
        Digest::sha256(self.0.expose().as_bytes())
    }

    /// The token itself, for the answer.
    pub fn expose(&self) -> &str {
        self.0.expose()
    }
}

/// A client's idempotency key: one per refresh token for ever, at least 256 bits of randomness.
#[derive(Clone, Debug)]
pub struct IdempotencyKey(SecretText);

/// The header is not such a key.
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
#[error(
    "Idempotency-Key must be 43 to 128 visible ASCII characters: 256 random bits in base64url or hexadecimal"
)]
pub struct NotAKey;

impl IdempotencyKey {
    /// Reads a header's value. 43 characters is what 256 bits take in base64url.
    pub fn parse(text: &str) -> Result<Self, NotAKey> {
        if (43..=128).contains(&text.len()) && text.bytes().all(|byte| byte.is_ascii_graphic()) {
            Ok(Self(SecretText::new(text.to_owned())))
        } else {
            Err(NotAKey)
        }
    }

    /// The hash it is stored and compared by. It is of no use for computing a successor.
    pub fn hash(&self) -> Digest {
        Digest::sha256(self.0.expose().as_bytes())
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::time::Timestamp;

    #[test]
    fn a_successor_depends_on_every_input_and_nothing_else() {
        let key = ServerKey::random(Timestamp::from_secs(0)).unwrap();
        let other_key = ServerKey::random(Timestamp::from_secs(0)).unwrap();
        let (session, other_session) = (Uuid::new_v4(), Uuid::new_v4());
        let (parent, other_parent) = (Digest::sha256(b"p"), Digest::sha256(b"q"));
        let idem = IdempotencyKey::parse(&"k".repeat(43)).unwrap();
        let other_idem = IdempotencyKey::parse(&"k".repeat(44)).unwrap();
        let base = RefreshToken::successor(&key, session, 2, &parent, &idem).hash();
        assert_eq!(base, RefreshToken::successor(&key, session, 2, &parent, &idem).hash());
        for other in [
            RefreshToken::successor(&other_key, session, 2, &parent, &idem),
            RefreshToken::successor(&key, other_session, 2, &parent, &idem),
            RefreshToken::successor(&key, session, 3, &parent, &idem),
            RefreshToken::successor(&key, session, 2, &other_parent, &idem),
            RefreshToken::successor(&key, session, 2, &parent, &other_idem),
        ] {
            assert_ne!(base, other.hash());
        }
    }

    #[test]
    fn hexadecimal_is_the_same_token() {
        let token = RefreshToken::random().unwrap();
        let hex = token.to_hex().unwrap();
        assert_eq!(hex.expose().len(), 64);
        assert_eq!(RefreshToken::received_hex(&hex).unwrap().hash(), token.hash());
        assert!(RefreshToken::received_hex(&SecretText::new(token.expose().to_owned())).is_none());
    }

    #[test]
    fn keys_of_too_few_bits_or_odd_characters_are_refused() {
        assert!(IdempotencyKey::parse(&"a".repeat(64)).is_ok());
        for text in ["", &"a".repeat(42), &"a".repeat(129), &format!("{} ", "a".repeat(43)), &"é".repeat(43)]
        {
            assert!(IdempotencyKey::parse(text).is_err(), "{text}");
        }
    }
}
