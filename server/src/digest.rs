//! SHA-256 and HMAC-SHA256 values, compared in constant time.

use std::fmt;

use hmac::{Hmac, Mac};
use sha2::{Digest as _, Sha256};
use subtle::ConstantTimeEq;

use crate::secret::SecretBytes;

/// 32 bytes that stand for something without revealing it. Equality takes constant time.
#[derive(Clone, Copy)]
pub struct Digest([u8; 32]);

impl Digest {
    /// The SHA-256 of `bytes`.
    pub fn sha256(bytes: &[u8]) -> Self {
        Self(Sha256::digest(bytes).into())
    }

    /// The HMAC-SHA256 of the parts under `key`. Each part is preceded by its length, so no two
    /// different lists of parts are ever the same message.
    pub fn hmac(key: &SecretBytes, parts: &[&[u8]]) -> Self {
        let mut block = [0; 64];
        block[..32].copy_from_slice(key.expose());
        let mut mac = Hmac::<Sha256>::new(&block.into());
        zeroize::Zeroize::zeroize(&mut block);
        for part in parts {
            mac.update(&(part.len() as u64).to_be_bytes());
            mac.update(part);
        }
        Self(mac.finalize().into_bytes().into())
    }

    /// A digest read back from the database; `None` if it is not 32 bytes long.
    pub fn from_slice(bytes: &[u8]) -> Option<Self> {
        bytes.try_into().ok().map(Self)
    }

    /// The 32 bytes.
    pub fn bytes(&self) -> &[u8; 32] {
        &self.0
    }

    /// The first six bytes in hexadecimal: enough to tell lines of a log apart.
    pub fn short(&self) -> String {
        hex(&self.0[..6])
    }
}

/// Two lower-case digits a byte, for what may be seen. Secrets have [`SecretBytes::to_hex`], whose text is wiped.
pub fn hex(bytes: &[u8]) -> String {
    bytes.iter().map(|byte| format!("{byte:02x}")).collect()
}

impl PartialEq for Digest {
    fn eq(&self, other: &Self) -> bool {
        self.0.ct_eq(&other.0).into()
    }
}

impl Eq for Digest {}

impl fmt::Debug for Digest {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "Digest({}..)", self.short())
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn sha256_matches_the_published_vector() {
        assert_eq!(
            hex(Digest::sha256(b"abc").bytes()),
            "ba7816bf8f01cfea414140de5dae2223b00361a396177a9cb410ff61f20015ad"
        );
    }

    #[test]
    fn hmac_keeps_the_borders_between_parts() {
        let key = SecretBytes::new([1; 32]);
        assert_ne!(Digest::hmac(&key, &[b"ab", b"c"]), Digest::hmac(&key, &[b"a", b"bc"]));
        assert_ne!(Digest::hmac(&key, &[b"a"]), Digest::hmac(&SecretBytes::new([2; 32]), &[b"a"]));
        assert_eq!(Digest::hmac(&key, &[b"a"]), Digest::hmac(&key, &[b"a"]));
    }
}
