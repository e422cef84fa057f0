//! Personal access tokens: `binboi_pat_` + 8 hex + `_` + 36 hex. The first three parts are the prefix, which may be
//! shown; the rest are 144 secret bits.

use crate::digest::Digest;
use crate::secret::{SecretBytes, SecretText};

const KIND: &str = "binboi_pat_";

/// How many hexadecimal digits the prefix has after its kind.
const NAME: usize = 8;

/// How many hexadecimal digits are secret.
const SECRET: usize = 36;

/// A token of the right form.
#[derive(Clone, Debug)]
pub struct PersonalToken(SecretText);

impl PersonalToken {
    /// A fresh random token. Errors if the system has no randomness to give.
    pub fn random() -> Result<Self, getrandom::Error> {
        let digits = SecretBytes::random()?.to_hex();
        let (name, rest) = digits.expose().split_at(NAME);
        Ok(Self(SecretText::new(format!("{KIND}{name}_{}", &rest[..SECRET]))))
    }

    /// What a client sent, if it has the form of a token.
    pub fn parse(text: &SecretText) -> Option<Self> {
        let (name, secret) = text.expose().strip_prefix(KIND)?.split_once('_')?;
        let hex = |text: &str| text.bytes().all(|byte| matches!(byte, b'0'..=b'9' | b'a'..=b'f'));
        (name.len() == NAME && secret.len() == SECRET && hex(name) && hex(secret)).then(|| Self(text.clone()))
    }

    /// What it is found by. It may be shown.
    pub fn prefix(&self) -> &str {
        &self.0.expose()[..KIND.len() + NAME]
    }

    /// The hash it is stored under.
    pub fn hash(&self) -> Digest {
        Digest::sha256(self.0.expose().as_bytes())
    }

    /// The token itself, for the one answer that shows it.
    pub fn into_text(self) -> SecretText {
        self.0
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn parse(text: &str) -> Option<PersonalToken> {
        PersonalToken::parse(&SecretText::new(text.to_owned()))
    }

    #[test]
    fn a_token_has_the_form_that_is_read() {
        let token = PersonalToken::random().unwrap();
        let (prefix, hash) = (token.prefix().to_owned(), token.hash());
        let text = token.into_text();
        assert_eq!((text.expose().len(), prefix.len()), (56, 19));
        assert!(text.expose().starts_with(&prefix));
        assert_eq!(parse(text.expose()).unwrap().hash(), hash);
    }

    #[test]
    fn another_form_is_no_token() {
        let good = format!("binboi_pat_{}_{}", "a".repeat(8), "0".repeat(36));
        assert!(parse(&good).is_some());
        for text in [
            "",
            "binboi_pat_",
            "binboi_pat__",
            &good[..55],
            &format!("{good}0"),
            &format!(" {good}"),
            &good.to_uppercase(),
            &good.replace("binboi", "other"),
            &good.replacen('a', "g", 1),
            &good.replacen('a', "é", 1),
            &good.replacen('0', "_", 1),
        ] {
            assert!(parse(text).is_none(), "{text}");
        }
    }
}
