//! Proof Key for Code Exchange, method S256 (RFC 7636). The method `plain` does not exist here.

use base64::Engine as _;
use base64::engine::general_purpose::URL_SAFE_NO_PAD;

use crate::digest::Digest;
use crate::secret::SecretText;

/// The SHA-256 of a verifier that only the client knows.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Challenge(Digest);

impl Challenge {
    /// Reads `code_challenge`: 43 characters of unpadded base64url (section 4.2). `None` for anything else.
    pub fn parse(text: &str) -> Option<Self> {
        let bytes = URL_SAFE_NO_PAD.decode(text).ok()?;
        Digest::from_slice(&bytes).map(Self)
    }

    /// The one with these bytes, from the database.
    pub fn from_digest(digest: Digest) -> Self {
        Self(digest)
    }

    /// Its bytes, for the database.
    pub fn digest(&self) -> &Digest {
        &self.0
    }

    /// Whether the verifier is the one behind it (section 4.6). Takes constant time; a verifier that is not 43 to 128
    /// unreserved characters (section 4.1) is none.
    pub fn is_met_by(&self, verifier: &SecretText) -> bool {
        let text = verifier.expose();
        let unreserved = |byte: u8| byte.is_ascii_alphanumeric() || b"-._~".contains(&byte);
        (43..=128).contains(&text.len())
            && text.bytes().all(unreserved)
            && Digest::sha256(text.as_bytes()) == self.0
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_rfcs_example_holds_and_nothing_near_it() {
        let challenge = Challenge::parse("E9Melhoa2OwvFrEMTJguCHaoeK1t8URWbuGJSstw-cM").unwrap();
        let met = |text: &str| challenge.is_met_by(&SecretText::new(text.to_owned()));
        let verifier = "dBjftJeZ4CVP-mB92K27uhbUJU1p1r_wW1gFWFOEjXk";
        assert!(met(verifier));
        for wrong in
            ["", &verifier[..42], "E9Melhoa2OwvFrEMTJguCHaoeK1t8URWbuGJSstw-cM", &verifier.to_lowercase()]
        {
            assert!(!met(wrong), "{wrong}");
        }
        let short = Challenge::from_digest(Digest::sha256(b"short"));
        assert!(
            !short.is_met_by(&SecretText::new("short".to_owned())),
            "42 characters or fewer can be guessed"
        );
    }

    #[test]
    fn a_challenge_is_43_characters_of_base64url() {
        let good = "E9Melhoa2OwvFrEMTJguCHaoeK1t8URWbuGJSstw-cM";
        for bad in ["", &good[..42], &format!("{good}A"), &format!("{good}="), &good.replace('-', "+")] {
            assert!(Challenge::parse(bad).is_none(), "{bad}");
        }
    }
}
