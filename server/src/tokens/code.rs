//! Six-digit login codes. Only a keyed hash of one is ever stored.

use crate::digest::Digest;
use crate::keys::ServerKey;
use crate::rules::email::Email;
use crate::secret::SecretText;

/// A login code: exactly six ASCII digits.
#[derive(Clone, Debug)]
pub struct LoginCode(SecretText);

/// The text is not six digits.
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
#[error("code must be six digits")]
pub struct NotACode;

impl LoginCode {
    /// A fresh code, each of the million equally likely. Errors if the system has no randomness to give.
    pub fn random() -> Result<Self, getrandom::Error> {
        // The largest multiple of a million below 2^32; what lies above would favour small codes.
        const FAIR: u32 = u32::MAX - u32::MAX % 1_000_000;
        loop {
            let number = getrandom::u32()?;
            if number < FAIR {
                return Ok(Self(SecretText::new(format!("{:06}", number % 1_000_000))));
            }
        }
    }

    /// Reads what a person typed; spaces around it are ignored.
    pub fn parse(text: &SecretText) -> Result<Self, NotACode> {
        let text = text.expose().trim_matches(' ');
        if text.len() == 6 && text.bytes().all(|byte| byte.is_ascii_digit()) {
            Ok(Self(SecretText::new(text.to_owned())))
        } else {
            Err(NotACode)
        }
    }

    /// The six digits, for the mail.
    pub fn expose(&self) -> &str {
        self.0.expose()
    }

    /// The hash to store and compare. `id` is the code's own, so equal codes have different hashes.
    pub fn hash(&self, key: &ServerKey, id: &str, email: &Email) -> Digest {
        let parts = [b"login code", id.as_bytes(), email.as_str().as_bytes(), self.expose().as_bytes()];
        Digest::hmac(&key.pepper, &parts)
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::time::Timestamp;

    #[test]
    fn codes_are_six_digits() {
        for _ in 0..100 {
            assert!(LoginCode::parse(&LoginCode::random().unwrap().0).is_ok());
        }
        for text in ["", "12345", "1234567", "12345a", "１２３４５６", "-12345", "123 456"] {
            assert!(LoginCode::parse(&SecretText::new(text.into())).is_err(), "{text}");
        }
    }

    #[test]
    fn the_hash_depends_on_pepper_id_email_and_code() {
        let keys = [
            ServerKey::random(Timestamp::from_secs(0)).unwrap(),
            ServerKey::random(Timestamp::from_secs(0)).unwrap(),
        ];
        let emails = [Email::parse("a@b.c").unwrap(), Email::parse("d@b.c").unwrap()];
        let code = |text: &str| LoginCode::parse(&SecretText::new(text.into())).unwrap();
        let hash = code("123456").hash(&keys[0], "x", &emails[0]);
        assert_eq!(hash, code(" 123456 ").hash(&keys[0], "x", &emails[0]));
        assert_ne!(hash, code("123457").hash(&keys[0], "x", &emails[0]));
        assert_ne!(hash, code("123456").hash(&keys[1], "x", &emails[0]));
        assert_ne!(hash, code("123456").hash(&keys[0], "y", &emails[0]));
        assert_ne!(hash, code("123456").hash(&keys[0], "x", &emails[1]));
    }
}
