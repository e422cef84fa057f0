//! What proves a second factor: codes of an authenticator app (RFC 6238) and recovery codes.

use totp_rs::{Builder, Secret, Totp};
use zeroize::Zeroizing;

use crate::digest::Digest;
use crate::secret::{SecretBytes, SecretText};
use crate::time::Timestamp;

/// How many recovery codes there are at a time.
pub const RECOVERY_CODES: usize = 10;

/// The bytes of a TOTP secret: 160 bits, as RFC 4226 recommends.
const TOTP_BYTES: usize = 20;

/// The secrets of one second factor: what the authenticator app shares, and the key of the recovery codes' hashes.
#[derive(Clone, Debug)]
pub struct FactorSecrets(SecretBytes, SecretBytes);

impl FactorSecrets {
    /// Fresh ones. Errors if the system has no randomness to give.
    pub fn random() -> Result<Self, getrandom::Error> {
        Ok(Self(SecretBytes::random()?, SecretBytes::random()?))
    }

    /// Both as bytes, for sealing.
    pub fn to_bytes(&self) -> Zeroizing<Vec<u8>> {
        Zeroizing::new([self.0.expose().as_slice(), self.1.expose()].concat())
    }

    /// What [`Self::to_bytes`] gave; `None` for anything else.
    pub fn from_bytes(bytes: &[u8]) -> Option<Self> {
        let (one, two) = bytes.split_at_checked(32)?;
        Some(Self(SecretBytes::new(one.try_into().ok()?), SecretBytes::new(two.try_into().ok()?)))
    }

    /// The step that this code belongs to, if it is one of the present step, the one before, or the one after.
    pub fn step(&self, code: &TotpCode, now: Timestamp) -> Option<i64> {
        let secs = u64::try_from(now.secs()).ok()?;
        self.totp()?.check(code.0.expose(), secs).and_then(|step| i64::try_from(step).ok())
    }

    /// The app's secret in base32, for typing.
    pub fn to_base32(&self) -> SecretText {
        SecretText::new(self.secret().to_base32())
    }

    /// The app's secret as the address that QR codes hold, with who issues it and whose it is.
    pub fn to_uri(&self, issuer: &str, account: &str) -> SecretText {
        let encode = |text: &str| -> String {
            url::form_urlencoded::byte_serialize(text.as_bytes()).collect::<String>().replace('+', "%20")
        };
        let (issuer, account) = (encode(issuer), encode(account));
        let secret = self.to_base32();
        SecretText::new(format!(
            "otpauth://totp/{issuer}:{account}?secret={}&issuer={issuer}",
            secret.expose()
        ))
    }

    /// The hash that a recovery code is stored under.
    pub fn hash(&self, code: &RecoveryCode) -> Digest {
        Digest::hmac(&self.1, &[b"recovery code", code.0.expose().as_bytes()])
    }

    fn secret(&self) -> Secret {
        Secret::from(&self.0.expose()[..TOTP_BYTES])
    }

    fn totp(&self) -> Option<Totp> {
        Builder::new().with_secret(self.secret()).build().ok()
    }
}

/// A code as an authenticator app shows it: six digits.
#[derive(Clone, Debug)]
pub struct TotpCode(SecretText);

/// A recovery code: 80 random bits as 16 letters and digits, without what is easily mistaken.
#[derive(Clone, Debug)]
pub struct RecoveryCode(SecretText);

const ALPHABET: &[u8; 32] = b"0123456789abcdefghjkmnpqrstvwxyz";

impl RecoveryCode {
    /// A fresh one. Errors if the system has no randomness to give.
    pub fn random() -> Result<Self, getrandom::Error> {
        let bits = SecretBytes::random()?;
        let letter = |byte: &u8| char::from(ALPHABET[usize::from(byte % 32)]);
        Ok(Self(SecretText::new(bits.expose()[..16].iter().map(letter).collect())))
    }

    /// The code in groups of four, for the one time it is shown.
    pub fn shown(&self) -> SecretText {
        let code = self.0.expose();
        SecretText::new(format!("{}-{}-{}-{}", &code[..4], &code[4..8], &code[8..12], &code[12..]))
    }
}

/// What a person answers when a second factor is asked for.
#[derive(Clone, Debug)]
pub enum SecondFactorAnswer {
    /// The code their app shows.
    Totp(TotpCode),
    Recovery(RecoveryCode),
}

/// The text is neither.
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
#[error("the second factor must be the six digits your app shows, or a recovery code")]
pub struct NotAnAnswer;

impl SecondFactorAnswer {
    /// Reads what a person typed. Case, spaces and hyphens don't matter.
    pub fn parse(text: &SecretText) -> Result<Self, NotAnAnswer> {
        if text.expose().len() > 64 {
            return Err(NotAnAnswer);
        }
        let typed = Zeroizing::new(text.expose().replace([' ', '-'], "").to_ascii_lowercase());
        if typed.len() == 6 && typed.bytes().all(|byte| byte.is_ascii_digit()) {
            return Ok(Self::Totp(TotpCode(SecretText::new(typed.as_str().to_owned()))));
        }
        let meant = |byte: u8| match byte {
            b'o' => b'0',
            b'i' | b'l' => b'1',
            _ => byte,
        };
        let code: String = typed.bytes().map(meant).map(char::from).collect();
        if typed.is_ascii() && code.len() == 16 && code.bytes().all(|byte| ALPHABET.contains(&byte)) {
            Ok(Self::Recovery(RecoveryCode(SecretText::new(code))))
        } else {
            Err(NotAnAnswer)
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn parse(text: &str) -> Result<SecondFactorAnswer, NotAnAnswer> {
        SecondFactorAnswer::parse(&SecretText::new(text.to_owned()))
    }

    fn totp(text: &str) -> TotpCode {
        match parse(text) {
            Ok(SecondFactorAnswer::Totp(code)) => code,
            other => panic!("{other:?}"),
        }
    }

    /// RFC 6238 appendix B, whose codes have eight digits: the last six are the same.
    #[test]
    fn the_published_vectors_match() {
        let mut bytes = [0; 64];
        bytes[..20].copy_from_slice(b"12345678901234567890");
        let secrets = FactorSecrets::from_bytes(&bytes).unwrap();
        for (secs, code) in
            [(59, "287082"), (1_111_111_109, "081804"), (1_234_567_890, "005924"), (20_000_000_000, "353130")]
        {
            assert_eq!(secrets.step(&totp(code), Timestamp::from_secs(secs)), Some(secs / 30), "{secs}");
        }
        assert_eq!(secrets.to_base32().expose(), "GEZDGNBVGY3TQOJQGEZDGNBVGY3TQOJQ");
        let uri = secrets.to_uri("auth.example:8443", "a+b@example.com");
        assert_eq!(
            uri.expose(),
            "otpauth://totp/auth.example%3A8443:a%2Bb%40example.com?secret=GEZDGNBVGY3TQOJQGEZDGNBVGY3TQOJQ\
             &issuer=auth.example%3A8443"
        );
    }

    #[test]
    fn a_code_works_one_step_early_or_late() {
        let mut bytes = [0; 64];
        bytes[..20].copy_from_slice(b"12345678901234567890");
        let secrets = FactorSecrets::from_bytes(&bytes).unwrap();
        let at = |secs| secrets.step(&totp("287082"), Timestamp::from_secs(secs));
        assert_eq!((at(0), at(30), at(59), at(89)), (Some(1), Some(1), Some(1), Some(1)));
        assert_eq!((at(90), at(1_000), at(-1)), (None, None, None));
    }

    #[test]
    fn answers_are_read_as_people_type_them() {
        let secrets = FactorSecrets::random().unwrap();
        let code = RecoveryCode::random().unwrap();
        let shown = code.shown();
        assert_eq!(shown.expose().len(), 19);
        for typed in
            [shown.expose().to_owned(), shown.expose().to_uppercase(), shown.expose().replace('-', " ")]
        {
            let Ok(SecondFactorAnswer::Recovery(read)) = parse(&typed) else { panic!("{typed}") };
            assert_eq!(secrets.hash(&read), secrets.hash(&code));
        }
        assert_ne!(FactorSecrets::random().unwrap().hash(&code), secrets.hash(&code));
        assert!(matches!(parse("123 456"), Ok(SecondFactorAnswer::Totp(_))));
        for bad in [
            "",
            "12345",
            "1234567",
            "１２３４５６",
            "+12345",
            "u234567890123456",
            &"0".repeat(17),
            &" ".repeat(99),
        ] {
            assert!(parse(bad).is_err(), "{bad:?}");
        }
    }
}
