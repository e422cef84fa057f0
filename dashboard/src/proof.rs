//! Answers prove whose they are: once the dashboard has ended, another user may have its port, while pages of it are still
//! open. Each page was given a key when it was made; an answer to a question with a nonce carries their keyed hash.

use crate::app::App;
use axum::body::{Body, to_bytes};
use axum::extract::{Request, State};
use axum::http::{HeaderName, HeaderValue, StatusCode};
use axum::middleware::Next;
use axum::response::{IntoResponse, Response};
use everkey_client::Secret;
use hmac::{Hmac, Mac};
use sha2::Sha256;
use std::fmt::Write as _;

/// What the page has drawn for this question.
const NONCE: &str = "everkey-nonce";

/// Proves the answer.
const PROOF: &str = "everkey-proof";

/// No answer that is proved is longer.
const LONGEST: usize = 8 * 1024 * 1024;

/// Proves an answer, if that is asked for. Inside the gate: nobody else gets to see what this key makes.
pub async fn prove(State(app): State<App>, request: Request, next: Next) -> Response {
    let nonce = request.headers().get(NONCE).cloned();
    let answer = next.run(request).await;
    let Some(nonce) = nonce else { return answer };
    let (mut head, body) = answer.into_parts();
    let Ok(body) = to_bytes(body, LONGEST).await else {
        return StatusCode::INTERNAL_SERVER_ERROR.into_response();
    };
    let proof = proof(app.proof_key(), nonce.as_bytes(), head.status, &body);
    if let Some(proof) = proof.and_then(|proof| HeaderValue::from_str(&proof).ok()) {
        head.headers.insert(HeaderName::from_static(PROOF), proof);
    }
    Response::from_parts(head, Body::from(body))
}

fn proof(key: &Secret, nonce: &[u8], status: StatusCode, body: &[u8]) -> Option<String> {
    let mut hash = Hmac::<Sha256>::new_from_slice(key.expose().as_bytes()).ok()?;
    for part in [nonce, b" ", status.as_str().as_bytes(), b"\n", body] {
        hash.update(part);
    }
    let mut text = String::new();
    for byte in hash.finalize().into_bytes() {
        let _ = write!(text, "{byte:02x}");
    }
    Some(text)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_proof_belongs_to_one_question_and_one_answer() {
        let of = |key: &str, nonce: &str, status, body: &str| {
            proof(&Secret::new(key), nonce.as_bytes(), status, body.as_bytes()).unwrap()
        };
        let good = of("k", "n", StatusCode::OK, "b");
        // As `printf 'n 200\nb' | openssl dgst -sha256 -hmac k` has it.
        assert_eq!(good, "7d034bfddd498917bfedb85a1f95d8de123f147643465970e087b9b2d2aa952b");
        for other in [
            of("l", "n", StatusCode::OK, "b"),
            of("k", "m", StatusCode::OK, "b"),
            of("k", "n", StatusCode::CREATED, "b"),
            of("k", "n", StatusCode::OK, "c"),
        ] {
            assert_ne!(good, other);
        }
    }
}
