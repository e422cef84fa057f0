//! The key that signs id_tokens: ECDSA on P-256, kept as PKCS#8.

use std::fmt;

use base64::Engine as _;
use base64::engine::general_purpose::URL_SAFE_NO_PAD;
use ring::rand::SystemRandom;
use ring::signature::{ECDSA_P256_SHA256_FIXED_SIGNING, EcdsaKeyPair, KeyPair as _};
use zeroize::Zeroizing;

use crate::secret::SecretText;

/// The bytes of an uncompressed point: a mark and two coordinates.
const POINT: usize = 1 + 2 * COORDINATE;
const COORDINATE: usize = 32;

/// A private key and its public point. It shows only the public half.
#[derive(Clone)]
pub struct Es256Key {
    pkcs8: Zeroizing<Vec<u8>>,
    point: [u8; POINT],
}

/// The bytes are no P-256 key, or none could be made.
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
#[error("no P-256 key")]
pub struct NoKey;

impl Es256Key {
    /// A fresh key. Errors if the operating system has no randomness to give.
    pub fn random() -> Result<Self, NoKey> {
        let made = EcdsaKeyPair::generate_pkcs8(&ECDSA_P256_SHA256_FIXED_SIGNING, &SystemRandom::new());
        Self::from_pkcs8(Zeroizing::new(made.map_err(|_| NoKey)?.as_ref().to_vec()))
    }

    /// The key with this PKCS#8 text in unpadded base64url. Errors if it is anything else.
    pub fn from_base64(text: &str) -> Result<Self, NoKey> {
        Self::from_pkcs8(Zeroizing::new(URL_SAFE_NO_PAD.decode(text).map_err(|_| NoKey)?))
    }

    fn from_pkcs8(pkcs8: Zeroizing<Vec<u8>>) -> Result<Self, NoKey> {
        let pair = EcdsaKeyPair::from_pkcs8(&ECDSA_P256_SHA256_FIXED_SIGNING, &pkcs8, &SystemRandom::new());
        let point = pair.map_err(|_| NoKey)?.public_key().as_ref().try_into().map_err(|_| NoKey)?;
        Ok(Self { pkcs8, point })
    }

    /// PKCS#8 in unpadded base64url, for the keys file.
    pub fn to_base64(&self) -> SecretText {
        SecretText::new(URL_SAFE_NO_PAD.encode(&*self.pkcs8))
    }

    /// PKCS#8, for signing.
    pub fn pkcs8(&self) -> &[u8] {
        &self.pkcs8
    }

    /// The public point's coordinates x and y in unpadded base64url (RFC 7518 section 6.2.1).
    pub fn coordinates(&self) -> (String, String) {
        let (x, y) = self.point[1..].split_at(COORDINATE);
        (URL_SAFE_NO_PAD.encode(x), URL_SAFE_NO_PAD.encode(y))
    }
}

impl fmt::Debug for Es256Key {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("Es256Key(****)")
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn it_goes_through_text_and_shows_nothing() {
        let key = Es256Key::random().unwrap();
        let again = Es256Key::from_base64(key.to_base64().expose()).unwrap();
        assert_eq!(again.coordinates(), key.coordinates());
        assert_ne!(Es256Key::random().unwrap().coordinates(), key.coordinates());
        assert_eq!(format!("{key:?}"), "Es256Key(****)");
    }

    #[test]
    fn what_is_no_key_is_refused() {
        let text = Es256Key::random().unwrap().to_base64();
        for bad in ["", "AAAA", "not base64!", &text.expose()[..100]] {
            assert!(Es256Key::from_base64(bad).is_err(), "{bad}");
        }
    }
}
