//! Secrets that the server must be able to read again, sealed for the database (AES-256-GCM under a key derived from
//! the server's own).

use ring::aead::{AES_256_GCM, Aad, LessSafeKey, NONCE_LEN, Nonce, UnboundKey};
use zeroize::Zeroizing;

use crate::digest::Digest;
use crate::keys::ServerKey;

/// Seals `plain` so that only [`open`] with the same key, `purpose` and `bound_to` reads it. Errors if the system has
/// no randomness to give.
pub fn seal(key: &ServerKey, purpose: &str, bound_to: &str, plain: &[u8]) -> Result<Vec<u8>, NotSealed> {
    let mut nonce = [0; NONCE_LEN];
    getrandom::fill(&mut nonce)?;
    let key = derive(key, purpose).ok_or(NotSealed::Key)?;
    let mut sealed = plain.to_vec();
    let aad = Aad::from(bound_to.as_bytes());
    key.seal_in_place_append_tag(Nonce::assume_unique_for_key(nonce), aad, &mut sealed)
        .map_err(|_| NotSealed::Key)?;
    Ok([nonce.as_slice(), &sealed].concat())
}

/// What was sealed; `None` if it was sealed otherwise, or is not what it was.
pub fn open(key: &ServerKey, purpose: &str, bound_to: &str, sealed: &[u8]) -> Option<Zeroizing<Vec<u8>>> {
    let (nonce, sealed) = sealed.split_at_checked(NONCE_LEN)?;
    let nonce = Nonce::try_assume_unique_for_key(nonce).ok()?;
    let mut plain = Zeroizing::new(sealed.to_vec());
    let aad = Aad::from(bound_to.as_bytes());
    let length = derive(key, purpose)?.open_in_place(nonce, aad, &mut plain).ok()?.len();
    plain.truncate(length);
    Some(plain)
}

/// Nothing could be sealed.
#[derive(Debug, thiserror::Error)]
pub enum NotSealed {
    /// The operating system has no randomness to give.
    #[error("no randomness: {0}")]
    Random(getrandom::Error),
    /// The library refused the key.
    #[error("no key could be made")]
    Key,
}

impl From<getrandom::Error> for NotSealed {
    fn from(error: getrandom::Error) -> Self {
        Self::Random(error)
    }
}

/// Nonces are random: 2^32 of them under one key are safe, far more than there will ever be users.
fn derive(key: &ServerKey, purpose: &str) -> Option<LessSafeKey> {
    let derived = Digest::hmac(&key.pepper, &[b"seal", purpose.as_bytes()]);
    UnboundKey::new(&AES_256_GCM, derived.bytes()).ok().map(LessSafeKey::new)
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::time::Timestamp;

    #[test]
    fn only_the_same_key_purpose_and_binding_open() {
        let key = || ServerKey::random(Timestamp::from_secs(0)).unwrap();
        let (mine, other) = (key(), key());
        let sealed = seal(&mine, "a", "ada", b"hunter2").unwrap();
        assert_eq!(open(&mine, "a", "ada", &sealed).unwrap().as_slice(), b"hunter2");
        assert!(open(&other, "a", "ada", &sealed).is_none());
        assert!(open(&mine, "b", "ada", &sealed).is_none());
        assert!(open(&mine, "a", "eve", &sealed).is_none());
        for n in 0..sealed.len() {
            let mut changed = sealed.clone();
            changed[n] ^= 1;
            assert!(open(&mine, "a", "ada", &changed).is_none(), "byte {n}");
            assert!(open(&mine, "a", "ada", &sealed[..n]).is_none(), "{n} bytes");
        }
        assert_ne!(sealed, seal(&mine, "a", "ada", b"hunter2").unwrap());
        assert!(!sealed.windows(7).any(|window| window == b"hunter2"));
    }
}
