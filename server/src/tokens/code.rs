//! Login codes of six or sixteen digits. Only a keyed hash of one is ever stored.

use crate::digest::Digest;
use crate::keys::ServerKey;
use crate::rules::code_guess::CodeLength;
use crate::rules::email::Email;
use crate::secret::SecretText;

/// A login code: six ASCII digits, or sixteen.
#[derive(Clone, Debug)]
pub struct LoginCode(SecretText);

/// The text is neither six digits nor sixteen.
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
#[error("code must be six digits, or the sixteen of a longer code")]
pub struct NotACode;

impl LoginCode {
    /// A fresh code, each of its length equally likely. Errors if the system has no randomness to give.
    pub fn random(length: CodeLength) -> Result<Self, getrandom::Error> {
        let many = 10u64.pow(length.digits().into());
        // The largest multiple of that below 2^64; what lies above would favour small codes.
        let fair = u64::MAX - u64::MAX % many;
        loop {
            let number = getrandom::u64()?;
            if number < fair {
                let digits = usize::from(length.digits());
                return Ok(Self(SecretText::new(format!("{:0digits$}", number % many))));
            }
        }
    }

    /// Reads what a person typed; spaces around it are ignored.
    pub fn parse(text: &SecretText) -> Result<Self, NotACode> {
        let text = text.expose().trim_matches(' ');
        let fits = CodeLength::ALL.iter().any(|length| text.len() == usize::from(length.digits()));
        if fits && text.bytes().all(|byte| byte.is_ascii_digit()) {
            Ok(Self(SecretText::new(text.to_owned())))
        } else {
            Err(NotACode)
        }
    }

    pub fn length(&self) -> CodeLength {
        if self.expose().len() == usize::from(CodeLength::Short.digits()) {
            CodeLength::Short
        } else {
            CodeLength::Long
        }
    }

    /// The digits, for the mail.
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
    fn codes_are_six_or_sixteen_digits() {
        for length in CodeLength::ALL {
            for _ in 0..100 {
                let code = LoginCode::random(length).unwrap();
                assert_eq!(LoginCode::parse(&code.0).unwrap().length(), length);
            }
        }
        for text in [
            "",
            "123456789012345",
            "12345678901234567",
            "12345",
            "1234567",
            "12345a",
            "１２３４５６",
            "-12345",
            "123 456",
        ] {
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
