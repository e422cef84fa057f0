//! What an answer to a refresh proves: that the token was not processed, that it was refused, or nothing. It is decided
//! here for every provider, and `docs/rotation.md` has the same as a table.

use super::fields::retry_after;
use crate::http::HttpResponse;
use everkey_session::{AnswerFlaw, NetErrorKind, RefreshAnswer};
use serde::Deserialize;
use serde_json::{Map, Value};

/// What an answer proves if it is neither tokens nor a word of the provider's own contract. `code` is that of an error
/// in the contract's shape.
pub fn read_other(answer: &HttpResponse, code: Option<&str>) -> RefreshAnswer {
    let later =
        |wait: Option<u64>| wait.map_or(answer.unexpected(), |s| answer.error(NetErrorKind::Limited(s)));
    match answer.status {
        // Too many requests (RFC 6585 section 4), too early (RFC 8470 section 5.2), the wrong server (RFC 9110 section
        // 15.5.20): whoever says so has not processed the request.
        429 => RefreshAnswer::Declined(later(retry_after(answer).or(Some(30)))),
        421 | 425 => RefreshAnswer::Declined(later(retry_after(answer))),
        _ if code.is_some() && unconsumed(answer) => RefreshAnswer::Declined(later(retry_after(answer))),
        502..=504 if never_forwarded(answer) => RefreshAnswer::Declined(later(retry_after(answer))),
        503 => RefreshAnswer::Unclear(later(retry_after(answer))),
        400 | 401 | 403 if code.is_some_and(is_about_client) => {
            let words = answer.words().line().unwrap_or_default();
            RefreshAnswer::Declined(answer.error(NetErrorKind::ClientRefused(words)))
        }
        200 | 400 | 401 if refuses_in_words(answer) => RefreshAnswer::RefusedInWords(in_words(answer)),
        _ => RefreshAnswer::Unclear(answer.unexpected()),
    }
}

/// The same of an answer that should have brought tokens, and what is wrong with it.
pub fn read_tokenless(answer: &HttpResponse, flaw: AnswerFlaw) -> RefreshAnswer {
    match read_other(answer, None) {
        RefreshAnswer::Unclear(_) => RefreshAnswer::Unclear(answer.unexpected_for(flaw)),
        other => other,
    }
}

/// The same answer where it is known of the server with which statuses it refuses before it has processed anything.
pub fn with_known_statuses(read: RefreshAnswer, status: u16, not_processed: &[u16]) -> RefreshAnswer {
    match read {
        RefreshAnswer::Unclear(error) if not_processed.contains(&status) => RefreshAnswer::Declined(error),
        other => other,
    }
}

/// RFC 6749 section 5.2: the server looks at these before it looks at the token, so the token is as it was.
fn is_about_client(code: &str) -> bool {
    matches!(
        code,
        "invalid_client"
            | "unauthorized_client"
            | "invalid_request"
            | "invalid_scope"
            | "invalid_target"
            | "unsupported_grant_type"
    )
}

/// Codes that say that the server, not the token, is in trouble.
fn is_passing(code: &str) -> bool {
    matches!(code, "server_error" | "temporarily_unavailable" | "slow_down" | "rate_limited")
}

/// Whether a server that does not keep to its protocol refuses all the same.
fn refuses_in_words(answer: &HttpResponse) -> bool {
    let words = answer.words();
    if words.code.as_deref().is_some_and(is_passing) {
        return false;
    }
    match answer.status {
        // Words beside a success may be about anything, so only what says that it is none counts.
        200 => answer.json::<Map<String, Value>>().map_or(
            answer.says_form() && words.code.is_some(),
            |members| {
                let fails =
                    ["ok", "success"].iter().any(|name| members.get(*name) == Some(&Value::Bool(false)));
                let names = ["error", "error_code", "errorCode"];
                fails || names.iter().any(|name| members.get(*name).is_some_and(is_said))
            },
        ),
        _ => words.line().is_some(),
    }
}

fn is_said(value: &Value) -> bool {
    !matches!(value, Value::Null | Value::Bool(false)) && value.as_str() != Some("")
}

fn in_words(answer: &HttpResponse) -> everkey_session::NetError {
    answer.error(NetErrorKind::Status(answer.status, answer.words().line()))
}

/// RR-1: the server says that this attempt changed nothing.
fn unconsumed(answer: &HttpResponse) -> bool {
    #[derive(Deserialize)]
    struct Shape {
        attempt_consumed: bool,
    }
    answer.json::<Shape>().is_some_and(|shape| !shape.attempt_consumed)
}

/// Whether a proxy says that it had no connection to the server yet (RFC 9209 section 2.3).
fn never_forwarded(answer: &HttpResponse) -> bool {
    const BEFORE: [&str; 10] = [
        "dns_timeout",
        "dns_error",
        "destination_not_found",
        "destination_unavailable",
        "destination_ip_prohibited",
        "destination_ip_unroutable",
        "connection_refused",
        "connection_timeout",
        "tls_certificate_error",
        "connection_limit_reached",
    ];
    let told = answer.proxy_status.as_deref().unwrap_or_default();
    // Each proxy on the way adds one, and the nearest to the server comes first: only if there is one is it the whole story.
    let mut parts = told.split(';').map(str::trim);
    let error = parts.find_map(|part| part.strip_prefix("error="));
    !told.contains(',') && error.is_some_and(|error| BEFORE.contains(&error))
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::provider::samples::answer;

    fn read(status: u16, body: &str) -> RefreshAnswer {
        read_other(&answer(status, body), None)
    }

    fn text(status: u16, body: &str) -> RefreshAnswer {
        read_other(&HttpResponse { content_type: Some("text/html".into()), ..answer(status, body) }, None)
    }

    fn said(answer: RefreshAnswer) -> Option<String> {
        match answer {
            RefreshAnswer::RefusedInWords(error) => match error.kind {
                NetErrorKind::Status(_, words) => Some(words.unwrap_or_default()),
                _ => None,
            },
            _ => None,
        }
    }

    #[test]
    fn n36_a_refusal_in_other_words_is_one_of_its_own() {
        for (status, body, words) in [
            (200, r#"{"error":"session_over"}"#, "session_over"),
            (200, r#"{"ok":false,"error":"token_revoked"}"#, "token_revoked"),
            (200, r#"{"error_code":40301,"msg":"over"}"#, "over"),
            (200, r#"{"success":false,"message":"sign in again"}"#, "sign in again"),
            (400, r#"{"error":"Refresh token has been revoked"}"#, "Refresh token has been revoked"),
            (401, r#"{"message":"Session expired"}"#, "Session expired"),
        ] {
            assert_eq!(said(read(status, body)).as_deref(), Some(words), "{status} {body}");
        }
        assert_eq!(said(text(401, "Your session is over.")).as_deref(), Some("Your session is over."));
        assert_eq!(said(text(400, "token expired")).as_deref(), Some("token expired"));
    }

    #[test]
    fn n12_pages_fragments_and_faults_stay_in_doubt() {
        for status in [200, 400, 401, 403, 404, 408, 500, 502, 503, 504] {
            for body in ["", "<html>Unauthorized</html>", r#"{"error":"inv"#, "{}"] {
                let read = text(status, body);
                assert!(matches!(read, RefreshAnswer::Unclear(_)), "{status} {body}: {read:?}");
            }
        }
        for (status, body) in [
            (200, r#"{"error":null}"#),
            (200, r#"{"message":"hello"}"#),
            (400, r#"{"error":"temporarily_unavailable"}"#),
            (401, r#"{"error":"server_error"}"#),
            (403, r#"{"error":"forbidden"}"#),
            (404, r#"{"error":"not_found"}"#),
            (500, r#"{"error":"oops"}"#),
            (413, "too large"),
        ] {
            let read = read(status, body);
            assert!(matches!(read, RefreshAnswer::Unclear(_)), "{status} {body}: {read:?}");
        }
    }

    #[test]
    fn n35_trouble_with_the_client_does_not_touch_the_token() {
        for code in ["invalid_client", "unauthorized_client", "invalid_scope"] {
            let body = format!(r#"{{"error":"{code}","error_description":"rotated"}}"#);
            for status in [400, 401, 403] {
                let read = read_other(&answer(status, &body), Some(code));
                let kind = NetErrorKind::ClientRefused(format!("{code}: rotated"));
                assert!(
                    matches!(read, RefreshAnswer::Declined(error) if error.kind == kind),
                    "{status} {code}"
                );
            }
        }
    }

    #[test]
    fn n34_a_proxy_without_a_connection_has_forwarded_nothing() {
        let read = |status: &str| {
            let answer = HttpResponse { proxy_status: Some(status.to_owned()), ..answer(502, "") };
            matches!(read_other(&answer, None), RefreshAnswer::Declined(_))
        };
        assert!(read("edge.example; error=connection_refused"));
        assert!(read("edge.example; error=dns_error; details=\"x\""));
        for unclear in [
            "edge.example; error=connection_terminated",
            "edge.example; error=http_response_timeout",
            "origin; error=connection_terminated, edge; error=connection_refused",
            "edge.example",
            "",
        ] {
            assert!(!read(unclear), "{unclear}");
        }
    }

    #[test]
    fn n34_only_known_servers_decline_with_503() {
        let read = |not_processed: &[u16]| with_known_statuses(text(503, "busy"), 503, not_processed);
        assert!(matches!(read(&[]), RefreshAnswer::Unclear(_)));
        assert!(matches!(read(&[413]), RefreshAnswer::Unclear(_)));
        assert!(matches!(read(&[413, 503]), RefreshAnswer::Declined(_)));
        assert_eq!(with_known_statuses(RefreshAnswer::Refused, 503, &[503]), RefreshAnswer::Refused);
    }
}
