//! An OAuth server's answers: one input is read as the answer to each question; see `answers.rs` for its shape.

use super::answers::{
    A_DAY, SERVER, Said, answer, harmless, is_json, net, plain, promise, read as read_answer, read_refresh,
    refresh_as_said, sane_lifetimes, says_json, strict,
};
use super::of_achilles::presentable;
use super::session_file::leads_nowhere_else;
use super::{object, sendable};
use crate::{measure, reach};
use base64::Engine;
use base64::engine::general_purpose::URL_SAFE_NO_PAD;
use everkey_config::ProviderKind;
use everkey_daemon::http::HttpResponse;
use everkey_daemon::messages;
use everkey_daemon::provider::{Descriptor, descriptor, jwt};
use everkey_proto::{Secret, SignInMethod};
use everkey_session::{
    AuthMethod, Capability, Endpoints, Error, Identity, LoginAnswer, LoginCall, RefreshAnswer, Registration,
    Rejected, RevokeAnswer, TokenResponse, WellKnown,
};
use serde_json::{Map, Value};
use url::Url;

const PROVIDER: &Descriptor = descriptor(ProviderKind::Oauth);

type Body = Map<String, Value>;

/// Whether the error has one of the names of a token that is over, wherever servers write it.
fn names_a_refusal(body: &Body) -> bool {
    let inner = body.get("error").and_then(Value::as_object);
    let names = ["error", "error_code", "errorCode", "code"].map(|name| body.get(name));
    let inner = ["code", "type", "status"].map(|name| inner.and_then(|inner| inner.get(name)));
    names.iter().chain(&inner).flatten().filter_map(|name| name.as_str()).any(|name| {
        let name: String = name.trim().chars().filter(|c| !c.is_control()).collect();
        matches!(&*name, "invalid_grant" | "bad_refresh_token") || name.starts_with("refresh_token_")
    })
}

/// The answer to a refresh, to each call of a sign-in, to a sign-out, and to the question whose a token is.
pub fn any(input: &[u8]) {
    let Some(answer) = answer(input) else { return };
    let (body, strict) = (plain(&answer), strict(&answer));
    let code = error(&body);
    let refused = matches!(answer.status, 200 | 400 | 401 | 403) && names_a_refusal(&strict);
    let said = Said { code: error(&strict), refused };
    let read = measure::tree(input.len(), || read_refresh(PROVIDER, &answer));
    refresh_as_said(PROVIDER, &answer, &said, &read);
    if let RefreshAnswer::Granted(grant) = &read {
        let stays = if grant.refresh.is_none() { Capability::Reusable } else { promise(&answer, &[]) };
        assert_eq!(grant.capability, stays, "a promise that the server did not make");
        as_granted(&body, grant);
    }
    for call in calls() {
        let read = measure::tree(input.len(), || (PROVIDER.login.read)(&call, &answer));
        as_said(&call, &answer, &body, read);
    }
    match read_answer(PROVIDER.revoke.as_ref(), &answer) {
        RevokeAnswer::Confirmed => {
            assert!(matches!(answer.status, 200 | 204), "nothing says that it is revoked")
        }
        RevokeAnswer::Declined(declined) => {
            assert!((400..=499).contains(&answer.status), "not an answer of the contract");
            assert_eq!(code, Some(&*declined), "not the server's own word");
        }
        RevokeAnswer::Refused | RevokeAnswer::NoRoute => unreachable!("no answer says so (RFC 7009)"),
        RevokeAnswer::Net(trouble) => net(&trouble),
    }
}

fn known() -> Registration {
    let endpoints = Endpoints {
        issuer: SERVER.to_owned(),
        token: format!("{SERVER}/token"),
        registration: Some(format!("{SERVER}/register")),
        ..Endpoints::default()
    };
    Registration { client_id: "me".into(), endpoints, ..Registration::default() }
}

fn calls() -> Vec<LoginCall> {
    let discover = |place, scheme| LoginCall::Discover { issuer: SERVER.to_owned(), place, scheme };
    vec![
        discover(WellKnown::OpenId, SignInMethod::Browser),
        discover(WellKnown::OAuth, SignInMethod::Device),
        discover(WellKnown::OpenIdOfPath, SignInMethod::Device),
        LoginCall::Register { endpoints: known().endpoints, redirect: None, scope: None },
        LoginCall::StartDevice { registration: Some(known()), scope: None },
        LoginCall::PollDevice { registration: Some(known()), device_code: Secret::new("dc") },
        LoginCall::Exchange {
            registration: known(),
            code: Secret::new("code"),
            verifier: Secret::new("verifier"),
            redirect: "http://127.0.0.1:9/callback".into(),
            nonce: Some("n".into()),
            lifetime_secs: None,
        },
        LoginCall::Identify { registration: Some(known()), access: Secret::new("a") },
    ]
}

fn as_said(call: &LoginCall, answer: &HttpResponse, body: &Body, read: LoginAnswer) {
    let text = |name: &str| body.get(name).and_then(Value::as_str);
    let (status, code) = (answer.status, error(body));
    match (call, read) {
        (LoginCall::Discover { .. }, LoginAnswer::Discovered(endpoints)) => {
            reach::deep();
            assert_eq!((status, text("issuer")), (200, Some(SERVER)), "another server's metadata");
            assert!(endpoints.issuer == SERVER && leads_nowhere_else(&endpoints), "{endpoints:?}");
            only_https(&endpoints);
        }
        (LoginCall::Discover { place, .. }, LoginAnswer::Rejected(why)) => {
            match &why {
                Rejected::Issuer(named) => {
                    assert_eq!((status, text("issuer")), (200, Some(&**named)));
                    assert_ne!(named, SERVER, "it names itself as it is called");
                }
                Rejected::Metadata(_) => {
                    assert!(status == 200 || (status == 404 && *place != WellKnown::OpenId), "not metadata");
                }
                other => unreachable!("metadata is refused with {other:?}"),
            }
            said_harmlessly(why);
        }
        (LoginCall::Register { endpoints, .. }, LoginAnswer::Registered(known)) => {
            reach::deep();
            assert!(matches!(status, 200 | 201), "a client with another status");
            assert_eq!(text("client_id"), Some(&*known.client_id));
            assert!(!known.client_id.is_empty() && known.endpoints == *endpoints, "{known:?}");
            let secret = known.client_secret.as_ref().map(Secret::expose);
            assert_eq!(secret.is_some(), known.auth != AuthMethod::None, "{:?}", known.auth);
            assert!(secret.is_none() || secret == text("client_secret"), "another secret");
        }
        (
            LoginCall::StartDevice { .. },
            LoginAnswer::DeviceStarted { device_code, user_code, url, complete_url, .. },
        ) => {
            reach::deep();
            assert_eq!(status, 200, "codes with another status");
            assert_eq!(
                (text("device_code"), text("user_code")),
                (Some(device_code.expose()), Some(&*user_code))
            );
            assert!(
                complete_url.iter().chain([&url]).all(|page| presentable(page)),
                "{url:?} {complete_url:?}"
            );
        }
        (LoginCall::PollDevice { .. } | LoginCall::Exchange { .. }, LoginAnswer::Granted(grant)) => {
            reach::deep();
            assert_eq!(status, 200, "tokens with another status");
            assert_eq!(grant.capability, promise(answer, &[]), "a promise that the server did not make");
            as_granted(body, &grant);
            let nonce = matches!(call, LoginCall::Exchange { .. }).then_some("n");
            for_this_sign_in(text("id_token"), nonce, &grant);
        }
        (LoginCall::PollDevice { .. }, LoginAnswer::Pending) => {
            assert!(status < 500 && code == Some("authorization_pending"), "nothing says that it is pending");
        }
        (LoginCall::PollDevice { .. }, LoginAnswer::SlowDown) => {
            assert!(status < 500 && code == Some("slow_down"), "nothing says that it is too fast");
        }
        (LoginCall::Identify { .. }, LoginAnswer::Identified(identity)) => {
            identified(answer, body, &identity)
        }
        (
            LoginCall::Register { .. }
            | LoginCall::StartDevice { .. }
            | LoginCall::PollDevice { .. }
            | LoginCall::Exchange { .. },
            LoginAnswer::Rejected(why),
        ) => {
            let passing = matches!(status, 300..=399 | 429 | 500..);
            assert!(!passing && code.is_some(), "not a refusal: {why:?}");
            said_harmlessly(why);
        }
        (_, LoginAnswer::Limited(wait)) => assert!(status == 429 && wait <= A_DAY, "N15: {wait}"),
        (_, LoginAnswer::Net(trouble)) => net(&trouble),
        (call, other) => unreachable!("{call:?} is answered with {other:?}"),
    }
}

fn said_harmlessly(why: Rejected) {
    let said = messages::failure(&Error::Rejected(why));
    harmless(&said.message);
    harmless(&format!("{:?}", said.hint));
}

/// A server that is https sends nobody to plain http; how far a session is, only it says itself.
fn only_https(endpoints: &Endpoints) {
    let url = |text: &String| Url::parse(text).ok();
    assert_eq!(url(&endpoints.token).map(|url| url.scheme() == "https"), Some(true));
    if let Some(session) = &endpoints.session {
        let origin = |text: &str| Url::parse(text).ok().map(|url| url.origin());
        assert_eq!(origin(session), origin(SERVER), "another server's session route");
    }
}

/// An id_token beside the tokens of a sign-in is for this client, from this server, and of this sign-in.
fn for_this_sign_in(id_token: Option<&str>, nonce: Option<&str>, grant: &TokenResponse) {
    let Some(token) = id_token else { return assert_eq!(grant.user, None, "somebody whom nobody named") };
    let payload = token.split('.').nth(1).and_then(|part| URL_SAFE_NO_PAD.decode(part).ok());
    let claims = payload.and_then(|payload| object(&payload)).unwrap_or_default();
    let text = |name: &str| claims.get(name).and_then(Value::as_str);
    let for_us = match claims.get("aud") {
        Some(Value::String(one)) => one == "me",
        Some(Value::Array(all)) => all.iter().any(|one| one == "me"),
        _ => false,
    };
    assert!(
        for_us && text("iss").is_some_and(|iss| iss.trim_end_matches('/') == SERVER),
        "an id_token for or from somebody else"
    );
    assert!(nonce.is_none() || text("nonce") == nonce, "an id_token of another sign-in");
    assert_eq!(text("sub"), grant.user.as_ref().map(|user| &*user.id));
}

fn identified(answer: &HttpResponse, body: &Body, identity: &Identity) {
    match identity {
        Identity::Accepted { user, .. } => {
            reach::deep();
            assert_eq!(answer.status, 200, "somebody with another status");
            let sub = body.get("sub").and_then(Value::as_str);
            assert!(sub.is_some() && sub == user.as_ref().map(|user| &*user.id), "{user:?}");
        }
        Identity::Refused => {
            // RFC 6750 needs no body, but a page is somebody else's.
            let json = says_json(answer) && is_json(&answer.body);
            assert!(answer.status == 401 && (json || answer.body.is_empty()), "not a refusal");
        }
        Identity::Untold => assert_eq!(answer.status, 404),
        Identity::Limited(wait) => assert!(answer.status == 429 && *wait <= A_DAY, "N15: {wait}"),
        Identity::Net(trouble) => net(trouble),
    }
}

/// A grant is what the body says.
fn as_granted(body: &Body, grant: &TokenResponse) {
    let text = |name: &str| body.get(name).and_then(Value::as_str);
    assert!(text("token_type").is_some_and(|kind| kind.eq_ignore_ascii_case("bearer")), "not a bearer token");
    assert_eq!(text("access_token"), Some(grant.access.expose()), "not the server's");
    let refresh = text("refresh_token").filter(|token| !token.is_empty());
    assert_eq!(refresh, grant.refresh.as_ref().map(Secret::expose), "not the server's");
    let fit = sendable(&grant.access) && grant.refresh.as_ref().is_none_or(sendable);
    assert!(fit, "a token that can't stand in a header");
    assert_eq!(grant.claims, jwt::claims(&grant.access));
    sane_lifetimes(grant);
}

fn error(body: &Body) -> Option<&str> {
    body.get("error").and_then(Value::as_str)
}
