//! Reads what an access token says about itself. Nothing is verified, so the result is only ever compared.

use super::fields::Quantity;
use crate::json_object;
use base64::Engine;
use base64::engine::general_purpose::URL_SAFE_NO_PAD;
use everkey_proto::Secret;
use everkey_session::Claims;
use serde::Deserialize;
use serde::de::DeserializeOwned;

#[derive(Deserialize)]
struct Payload {
    sub: Option<String>,
    sid: Option<String>,
    r#gen: Option<u64>,
}

/// The claims of a JWT; empty for any other token.
pub fn claims(token: &Secret) -> Claims {
    payload::<Payload>(token).map_or_else(Claims::default, |p| Claims {
        subject: p.sub,
        session_id: p.sid,
        generation: p.r#gen,
    })
}

/// The organisation that a token of achilles is for.
pub fn organisation(token: &Secret) -> Option<String> {
    #[derive(Deserialize)]
    struct OfOrganisation {
        org_id: Option<String>,
    }
    payload::<OfOrganisation>(token)?.org_id.filter(|org| !org.is_empty())
}

/// When a token was made and when it ends, unix seconds by its server's clock.
#[derive(Debug, Default, PartialEq, Deserialize)]
pub struct Times {
    #[serde(default)]
    iat: Quantity,
    #[serde(default)]
    exp: Quantity,
}

impl Times {
    /// When it ends, unix seconds.
    pub fn end(&self) -> Option<u64> {
        self.exp.whole().and_then(|exp| u64::try_from(exp).ok())
    }

    /// Seconds from when it was made to when it ends.
    pub fn lifetime(&self) -> Option<i64> {
        self.exp.whole()?.checked_sub(self.iat.whole()?)
    }
}

/// The times of a JWT; empty for any other token.
pub fn times(token: &Secret) -> Times {
    payload(token).unwrap_or_default()
}

fn payload<T: DeserializeOwned>(token: &Secret) -> Option<T> {
    let part = token.expose().split('.').nth(1)?;
    json_object::read(&URL_SAFE_NO_PAD.decode(part).ok()?)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn tokens_of_any_kind_are_read() {
        let payload = URL_SAFE_NO_PAD.encode(br#"{"sub":"u1","sid":"s1","gen":4,"exp":1}"#);
        let read = claims(&Secret::new(format!("h.{payload}.s")));
        assert_eq!(
            read,
            Claims { subject: Some("u1".into()), session_id: Some("s1".into()), generation: Some(4) }
        );
        let read = times(&Secret::new(format!("h.{payload}.s")));
        assert_eq!((read.end(), read.lifetime()), (Some(1), None));
        let payload = URL_SAFE_NO_PAD.encode(br#"{"iat":"100","exp":400.9}"#);
        let token = Secret::new(format!("h.{payload}.s"));
        assert_eq!(times(&token).lifetime(), Some(300));
        for odd in ["", "opaque", "a.b.c", "..", "a.e30.c", "a.WyJ1IiwicyIsNF0.c"] {
            assert_eq!(claims(&Secret::new(odd)), Claims::default());
            assert_eq!(times(&Secret::new(odd)), Times::default());
        }
    }
}
