//! Whether dot-ai's server revokes tokens: its contract has no route for it, but its metadata may name one (RFC 8414).

use crate::http::{self, HttpRequest, HttpResponse};
use crate::provider::fields::busy;
use crate::provider::oauth::metadata;
use everkey_session::{CallTarget, RevokeAnswer, WellKnown};
use serde::Deserialize;

/// The question; none for a client that the server could not know.
pub fn find(at: &CallTarget) -> Option<HttpRequest> {
    at.registration.as_ref().filter(|known| !known.client_id.is_empty())?;
    metadata::url(&at.server, WellKnown::OAuth).map(|url| HttpRequest::get(&url))
}

/// The endpoint. A token goes to the server that issued it and to no other, whatever its metadata says.
pub fn read_found(answer: &HttpResponse) -> Result<String, RevokeAnswer> {
    #[derive(Deserialize)]
    struct Metadata {
        revocation_endpoint: Option<String>,
    }
    match answer.status {
        200 => {
            let named = answer.object::<Metadata>().ok().and_then(|metadata| metadata.revocation_endpoint);
            let safe = named.and_then(|url| http::endpoint(&url).ok());
            safe.filter(|url| metadata::same_origin(&answer.server, url)).ok_or(RevokeAnswer::NoRoute)
        }
        429 | 500.. => Err(RevokeAnswer::Net(busy(answer))),
        _ => Err(RevokeAnswer::NoRoute),
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::provider::samples::answer;

    #[test]
    fn a_token_is_revoked_only_where_it_came_from() {
        let read = |endpoint: &str| {
            read_found(&answer(200, &format!(r#"{{"issuer":"x","revocation_endpoint":"{endpoint}"}}"#)))
        };
        assert_eq!(read("http://127.0.0.1:1/revoke").as_deref(), Ok("http://127.0.0.1:1/revoke"));
        for elsewhere in ["https://evil.example/revoke", "http://127.0.0.1:2/revoke", "ftp://x", ""] {
            assert_eq!(read(elsewhere), Err(RevokeAnswer::NoRoute), "{elsewhere}");
        }
    }

    #[test]
    fn a_server_that_names_no_endpoint_has_none() {
        for (status, body) in [(200, "{}"), (200, "<html>"), (404, ""), (302, ""), (401, "{}")] {
            assert_eq!(read_found(&answer(status, body)), Err(RevokeAnswer::NoRoute), "{status} {body}");
        }
        for status in [429, 500, 503] {
            let later = read_found(&answer(status, "{}"));
            assert!(matches!(later, Err(RevokeAnswer::Net(_))), "{status}: {later:?}");
        }
    }
}
