//! The two codes of a device grant: a secret one that the device keeps, and a short one that a person types.

use zeroize::Zeroizing;

use crate::digest::Digest;
use crate::keys::ServerKey;
use crate::secret::SecretText;
use crate::tokens::opaque::opaque_secret;

opaque_secret! {
    /// What a device polls with: 64 hexadecimal digits.
    DeviceCode, to_hex
}

/// The letters and digits of user codes: none that are mistaken for each other (no I, O, 0, 1).
const LETTERS: &[u8; 32] = b"ABCDEFGHJKLMNPQRSTUVWXYZ23456789";

/// How many of them a code has: 40 bits.
const LENGTH: usize = 8;

/// What a person types: eight letters and digits, shown as `XXXX-XXXX`.
#[derive(Clone)]
pub struct UserCode(Zeroizing<[u8; LENGTH]>);

/// The text can't be a user code; for people.
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
#[error("A code has eight letters and digits, like ABCD-2345. I, O, 0 and 1 are never part of one.")]
pub struct NotAUserCode;

impl UserCode {
    /// A fresh random code. Errors if the system has no randomness to give.
    pub fn random() -> Result<Self, getrandom::Error> {
        let mut code = Zeroizing::new([0; LENGTH]);
        getrandom::fill(&mut *code)?;
        // 256 is a multiple of 32, so every letter is as likely.
        for byte in &mut *code {
            *byte = LETTERS[usize::from(*byte % 32)];
        }
        Ok(Self(code))
    }

    /// Reads what a person typed: in any case, with any dashes and spaces. I and 1 can only be meant for L; what O and
    /// 0 are meant for (D, Q) can't be known.
    pub fn parse(text: &SecretText) -> Result<Self, NotAUserCode> {
        let mut code = Zeroizing::new([0; LENGTH]);
        let mut length = 0;
        for c in text.expose().chars().filter(|c| !is_separator(*c)) {
            let letter = match c.to_ascii_uppercase() {
                'I' | '1' => b'L',
                c => u8::try_from(c).map_err(|_| NotAUserCode)?,
            };
            if !LETTERS.contains(&letter) {
                return Err(NotAUserCode);
            }
            *code.get_mut(length).ok_or(NotAUserCode)? = letter;
            length += 1;
        }
        if length == LENGTH { Ok(Self(code)) } else { Err(NotAUserCode) }
    }

    /// As it is shown: `XXXX-XXXX`.
    pub fn shown(&self) -> SecretText {
        let mut text = String::with_capacity(LENGTH + 1);
        for (n, letter) in self.0.iter().enumerate() {
            if n == LENGTH / 2 {
                text.push('-');
            }
            text.push(char::from(*letter));
        }
        SecretText::new(text)
    }

    /// The hash to store and find it by. It is keyed: 40 bits could be searched.
    pub fn hash(&self, key: &ServerKey) -> Digest {
        Digest::hmac(&key.pepper, &[b"device user code", &*self.0])
    }
}

impl std::fmt::Debug for UserCode {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.write_str("UserCode(****)")
    }
}

fn is_separator(c: char) -> bool {
    c.is_whitespace() || matches!(c, '-' | '_' | '.' | '\u{2010}'..='\u{2015}' | '\u{2212}')
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::time::Timestamp;

    fn parse(text: &str) -> Result<String, NotAUserCode> {
        UserCode::parse(&SecretText::new(text.to_owned())).map(|code| code.shown().expose().to_owned())
    }

    #[test]
    fn codes_have_the_form_that_is_read() {
        for _ in 0..100 {
            let shown = UserCode::random().unwrap().shown();
            assert_eq!((shown.expose().len(), shown.expose().as_bytes()[4]), (9, b'-'));
            assert_eq!(parse(shown.expose()).unwrap(), shown.expose());
            assert!(!shown.expose().contains(['I', 'O', '0', '1']));
        }
        assert_eq!(DeviceCode::random().unwrap().expose().len(), 64);
    }

    #[test]
    fn how_it_is_typed_does_not_matter() {
        for text in
            ["abcd-2345", " ABCD 2345 ", "abcd2345", "AbCd\u{2013}2345", "a-b-c-d-2-3-4-5", "ABCD_2345\t"]
        {
            assert_eq!(parse(text).unwrap(), "ABCD-2345", "{text}");
        }
        assert_eq!(parse("i1lL-2345").unwrap(), "LLLL-2345");
    }

    #[test]
    fn what_can_not_be_a_code_is_refused() {
        for text in [
            "",
            "-",
            "ABCD-234",
            "ABCD-23456",
            "ABCO-2345",
            "ABC0-2345",
            "ÄBCD-2345",
            "ABCD-23\u{0}5",
            "ABCD+2345",
        ] {
            assert_eq!(parse(text), Err(NotAUserCode), "{text:?}");
        }
        assert!(parse(&"A".repeat(10_000)).is_err());
    }

    #[test]
    fn the_hash_depends_on_code_and_key() {
        let key = || ServerKey::random(Timestamp::from_secs(0)).unwrap();
        let (one, other, code) = (key(), key(), UserCode::random().unwrap());
        assert_eq!(code.hash(&one), code.clone().hash(&one));
        assert_ne!(code.hash(&one), code.hash(&other));
        assert_ne!(code.hash(&one), UserCode::random().unwrap().hash(&one));
        assert_eq!(format!("{code:?}"), "UserCode(****)");
    }
}
