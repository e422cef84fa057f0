//! The provider `oauth` against a server that lies, refuses, or answers with something else altogether: one clear line
//! each, and nothing is overwritten.

use crate::foreign::{Foreign, assert_failed};
use serde_json::{Value, json};

/// What signing in ends with; a device code is approved at once.
fn outcome(server: &Foreign) -> Value {
    let mut account = server.account();
    let step = account.login();
    if step["reply"] != "show" {
        return step;
    }
    server.decide(&step, true);
    account.after(&step)
}

#[test]
fn denying_a_device_ends_the_sign_in() {
    let Some(server) = Foreign::start("denying_a_device_ends_the_sign_in", "device") else {
        return;
    };
    let mut account = server.account();
    let step = account.login();
    server.decide(&step, false);
    assert_failed(&account.after(&step), "refused", "was denied");
    assert_eq!(server.session(), None);
}

#[test]
fn an_issuer_that_lies_is_sent_nothing() {
    let Some(server) = Foreign::start("an_issuer_that_lies_is_sent_nothing", "device") else { return };
    for (lie, says) in [
        (json!({ "issuer": "https://evil.example" }), "https://evil.example"),
        (json!({ "token_endpoint": "http://evil.example/token" }), "token_endpoint"),
        (json!({ "registration_endpoint": "http://evil.example/register" }), "registration_endpoint"),
        (json!({ "token_endpoint_auth_methods_supported": ["tls_client_auth"] }), "secret"),
        (json!({ "token_endpoint_auth_methods_supported": ["private_key_jwt"] }), "private key"),
        (json!({ "device_authorization_endpoint": null }), "by device code"),
        (json!({ "registration_endpoint": null }), "client id"),
    ] {
        server.set(&json!({ "metadata": lie }));
        assert_failed(&outcome(&server), "refused", says);
    }
    for path in ["/register", "/device_authorization", "/token"] {
        assert!(server.asked(path).is_empty(), "{path}");
    }
}

#[test]
fn missing_metadata_and_refused_registration_are_reported() {
    let test = "missing_metadata_and_refused_registration_are_reported";
    let Some(server) = Foreign::start(test, "device") else { return };
    server.set(&json!({ "place": "nowhere" }));
    assert_failed(&outcome(&server), "refused", "metadata");
    server.set(&json!({ "place": "openid-configuration" }));
    server.break_path("/register", "refused");
    assert_failed(&outcome(&server), "refused", "invalid_client_metadata");
}

#[test]
fn an_id_token_for_somebody_else_signs_nobody_in() {
    let Some(server) = Foreign::start("an_id_token_for_somebody_else_signs_nobody_in", "device") else {
        return;
    };
    for (claims, says) in [
        (json!({ "aud": "another-client" }), "`id_token.aud`"),
        (json!({ "iss": "https://evil.example" }), "`id_token.iss`"),
        (json!({ "exp": 1 }), "`id_token.exp`"),
    ] {
        server.set(&json!({ "claims": claims }));
        assert_failed(&outcome(&server), "offline", says);
        assert_eq!(server.session(), None);
    }
}

/// What stands at a path instead of an answer.
const WRONG: [&str; 3] = ["redirect", "html", "error"];

#[test]
fn a_wrong_sign_in_answer_keeps_the_old_session() {
    let test = "a_wrong_sign_in_answer_keeps_the_old_session";
    let Some(server) = Foreign::start(test, "device") else { return };
    for path in ["/.well-known/openid-configuration", "/register", "/device_authorization"] {
        for wrong in WRONG {
            server.break_path(path, wrong);
            let failed = outcome(&server);
            let code = failed["code"].as_str().unwrap_or_default();
            assert!(["offline", "refused"].contains(&code), "{path} {wrong}: {failed}");
            assert!(!failed["message"].as_str().unwrap().contains('\n'), "{failed}");
            assert_eq!(server.session(), None);
        }
    }
}

#[test]
fn a_refresh_that_is_answered_with_something_else_loses_nothing() {
    let Some(server) =
        Foreign::start("a_refresh_that_is_answered_with_something_else_loses_nothing", "device")
    else {
        return;
    };
    for wrong in WRONG {
        server.set(&json!({ "fault": {} }));
        let mut account = server.sign_in();
        let (access, before) = (account.token(), std::fs::read(server.session_file()).unwrap());
        server.break_path("/token", wrong);
        let failed = account.ask("refresh", &json!({ "force": true }));
        assert_eq!(failed["reply"], "error", "{wrong}: {failed}");
        assert!(!failed["message"].as_str().unwrap().contains('\n'), "{failed}");
        assert_eq!(std::fs::read(server.session_file()).unwrap(), before, "{wrong}: nothing is overwritten");
        assert_eq!(account.token(), access, "{wrong}: what is still valid is served");
        assert_eq!(account.status()["state"], "uncertain", "{wrong}: it is no refusal");
        account.request("logout");
    }
    server.assert_no_replay();
}
