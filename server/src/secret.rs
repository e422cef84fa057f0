//! Values that must never be seen: zeroised when dropped, printed as `****`. The agent has a type of its own, because
//! the server depends on no other crate of the workspace.

use std::fmt;

use base64::Engine as _;
use base64::engine::general_purpose::URL_SAFE_NO_PAD;
use serde::{Deserialize, Deserializer};
use zeroize::Zeroizing;

/// A secret text: a token, a code, a password.
#[derive(Clone)]
pub struct SecretText(Zeroizing<String>);

impl SecretText {
    /// Takes the text over; the caller keeps no copy.
    pub fn new(text: String) -> Self {
        Self(Zeroizing::new(text))
    }

    /// The text itself, for hashing, sending or comparing in constant time.
    pub fn expose(&self) -> &str {
        &self.0
    }
}

impl fmt::Debug for SecretText {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("****")
    }
}

impl<'de> Deserialize<'de> for SecretText {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        String::deserialize(deserializer).map(Self::new)
    }
}

/// 256 secret bits.
#[derive(Clone)]
pub struct SecretBytes(Zeroizing<[u8; 32]>);

impl SecretBytes {
    /// 256 fresh random bits from the operating system. Errors if it has none to give.
    pub fn random() -> Result<Self, getrandom::Error> {
        let mut bytes = Zeroizing::new([0; 32]);
        getrandom::fill(&mut *bytes)?;
        Ok(Self(bytes))
    }

    /// Takes these bytes over.
    pub fn new(bytes: [u8; 32]) -> Self {
        Self(Zeroizing::new(bytes))
    }

    /// The bits that 43 characters of unpadded base64url stand for; `None` for anything else.
    pub fn from_base64(text: &str) -> Option<Self> {
        let bytes = Zeroizing::new(URL_SAFE_NO_PAD.decode(text).ok()?);
        Some(Self(Zeroizing::new(bytes.as_slice().try_into().ok()?)))
    }

    /// Unpadded base64url, 43 characters.
    pub fn to_base64(&self) -> SecretText {
        SecretText::new(URL_SAFE_NO_PAD.encode(*self.0))
    }

    /// The bits that 64 lower-case hexadecimal digits stand for; `None` for anything else.
    pub fn from_hex(text: &str) -> Option<Self> {
        let digits: &[u8; 64] = text.as_bytes().try_into().ok()?;
        let value = |digit: u8| match digit {
            b'0'..=b'9' => Some(digit - b'0'),
            b'a'..=b'f' => Some(digit - b'a' + 10),
            _ => None,
        };
        let mut bytes = Zeroizing::new([0; 32]);
        for (byte, pair) in bytes.iter_mut().zip(digits.chunks_exact(2)) {
            *byte = value(pair[0])? << 4 | value(pair[1])?;
        }
        Some(Self(bytes))
    }

    /// Hexadecimal, 64 lower-case digits.
    pub fn to_hex(&self) -> SecretText {
        let digit = |nibble: u8| char::from(b"0123456789abcdef"[usize::from(nibble)]);
        let mut text = String::with_capacity(64);
        for byte in *self.0 {
            text.push(digit(byte >> 4));
            text.push(digit(byte & 15));
        }
        SecretText::new(text)
    }

    pub fn expose(&self) -> &[u8; 32] {
        &self.0
    }
}

impl fmt::Debug for SecretBytes {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("****")
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn debug_shows_nothing() {
        assert_eq!(format!("{:?}", SecretText::new("hunter2".into())), "****");
        assert_eq!(format!("{:?}", SecretBytes::new([7; 32])), "****");
    }

    #[test]
    fn base64_goes_both_ways_and_refuses_other_lengths() {
        let secret = SecretBytes::random().unwrap();
        let text = secret.to_base64();
        assert_eq!(text.expose().len(), 43);
        assert_eq!(SecretBytes::from_base64(text.expose()).unwrap().expose(), secret.expose());
        assert!(SecretBytes::from_base64("AAAA").is_none());
    }

    #[test]
    fn hexadecimal_has_two_digits_a_byte() {
        let mut bytes = [0; 32];
        (bytes[0], bytes[31]) = (0x0f, 0xa0);
        let text = SecretBytes::new(bytes).to_hex();
        assert_eq!(text.expose(), format!("0f{}a0", "0".repeat(60)));
        let secret = SecretBytes::random().unwrap();
        assert_eq!(SecretBytes::from_hex(secret.to_hex().expose()).unwrap().expose(), secret.expose());
        for text in ["", &"a".repeat(63), &"a".repeat(65), &"A".repeat(64), &"g".repeat(64), &"é".repeat(32)]
        {
            assert!(SecretBytes::from_hex(text).is_none(), "{text}");
        }
    }
}
