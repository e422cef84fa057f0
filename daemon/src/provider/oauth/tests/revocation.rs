//! Revocation (RFC 7009): what is sent, and what an answer says of the session.

use super::*;

#[test]
fn the_refresh_token_is_revoked_or_else_the_access_token() {
    let mut revocation = PendingRevocation {
        id: 1,
        at: here(AuthMethod::None),
        access: Secret::new("a"),
        access_expires_at: None,
        refresh: Some(Secret::new("r")),
        until: 0,
        user: None,
    };
    let body = |revocation: &PendingRevocation| revoke(revocation).map(|call| call.sent_body().to_owned());
    assert_eq!(body(&revocation).unwrap(), "token=r&token_type_hint=refresh_token&client_id=me");
    revocation.refresh = None;
    assert_eq!(body(&revocation).unwrap(), "token=a&token_type_hint=access_token&client_id=me");
    if let Some(known) = &mut revocation.at.registration {
        known.endpoints.revocation = None;
    }
    assert_eq!(body(&revocation), None);
}

#[test]
fn a_revocation_counts_only_if_the_server_says_so() {
    assert_eq!(read_revoke(&answer(200, "")), RevokeAnswer::Confirmed);
    assert_eq!(read_revoke(&html(200)), RevokeAnswer::Confirmed, "the body says nothing");
    for unclear in [html(400), html(401), html(503), answer(503, r#"{"error":"x"}"#), answer(302, "")] {
        assert!(matches!(read_revoke(&unclear), RevokeAnswer::Net(_)), "{}", unclear.status);
    }
}

#[test]
fn no_refusal_of_a_revocation_means_that_it_is_revoked() {
    let read = |status, code: &str| read_revoke(&answer(status, &format!(r#"{{"error":"{code}"}}"#)));
    for (status, code) in [
        (401, "invalid_client"),
        (400, "unsupported_token_type"),
        (400, "invalid_request"),
        (400, "invalid_token"),
        (403, "unauthorized_client"),
    ] {
        assert_eq!(read(status, code), RevokeAnswer::Declined(code.into()), "{status} {code}");
    }
    let hostile = read(400, r"\u001b[31m");
    let harmless = NetErrorKind::Status(400, Some("[31m".to_owned()));
    assert_eq!(hostile, RevokeAnswer::Net(error_of(harmless)), "that is no code");
}

#[test]
fn a_server_that_is_busy_says_when_to_revoke() {
    let later = |secs| RevokeAnswer::Net(error_of(NetErrorKind::Limited(secs)));
    for busy in [html(503), answer(503, r#"{"error":"temporarily_unavailable"}"#), answer(429, "{}")] {
        let status = busy.status;
        let asked = HttpResponse { retry_after: Some("9".into()), ..busy };
        assert_eq!(read_revoke(&asked), later(9), "{status}");
    }
    assert_eq!(read_revoke(&html(429)), later(30));
    assert_eq!(read_revoke(&html(503)), RevokeAnswer::Net(error_of(NetErrorKind::Status(503, None))));
}
