//! What an access token says about itself.

use super::object;
use crate::{measure, reach};
use base64::Engine;
use base64::engine::general_purpose::URL_SAFE_NO_PAD;
use everkey_daemon::provider::jwt;
use everkey_proto::Secret;
use everkey_session::Claims;
use serde_json::{Map, Value};

/// The input as a token, and as the payload of one.
pub fn claims(input: &[u8]) {
    let token = String::from_utf8_lossy(input).into_owned();
    let payload = token.split('.').nth(1).and_then(|part| URL_SAFE_NO_PAD.decode(part).ok());
    told(token, payload.and_then(|payload| object(&payload)));
    told(format!("h.{}.s", URL_SAFE_NO_PAD.encode(input)), object(input));
}

/// Claims are what the payload's object says, all of them, or none at all.
fn told(token: String, payload: Option<Map<String, Value>>) {
    let len = token.len();
    let token = Secret::new(token);
    let claims = measure::json(len, || jwt::claims(&token));
    if claims == Claims::default() {
        return;
    }
    reach::deep();
    let payload = payload.unwrap_or_default();
    assert_eq!(claims.subject.as_deref(), payload.get("sub").and_then(Value::as_str));
    assert_eq!(claims.session_id.as_deref(), payload.get("sid").and_then(Value::as_str));
    assert_eq!(claims.generation, payload.get("gen").and_then(Value::as_u64));
}
