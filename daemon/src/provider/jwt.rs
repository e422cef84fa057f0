//! Reads what an access token says about itself. Nothing is verified, so the result is only ever compared.

use crate::object;
use base64::Engine;
use base64::engine::general_purpose::URL_SAFE_NO_PAD;
use everkey_proto::Secret;
use everkey_session::record::Claims;
use serde::Deserialize;

#[derive(Deserialize)]
struct Payload {
    sub: Option<String>,
    sid: Option<String>,
    r#gen: Option<u64>,
}

/// The claims of a JWT; empty for any other token.
pub fn claims(token: &Secret) -> Claims {
    let payload = token.expose().split('.').nth(1).and_then(|part| URL_SAFE_NO_PAD.decode(part).ok());
    let payload: Option<Payload> = payload.and_then(|json| object::read(&json));
    payload.map_or_else(Claims::default, |p| Claims {
        subject: p.sub,
        session_id: p.sid,
        generation: p.r#gen,
    })
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
        for odd in ["", "opaque", "a.b.c", "..", "a.e30.c", "a.WyJ1IiwicyIsNF0.c"] {
            assert_eq!(claims(&Secret::new(odd)), Claims::default());
        }
    }
}
