//! achilles' answers: one input is read as the answer to each of its questions; see `answers.rs` for its shape.

use super::answers::{
    A_DAY, SERVER, Said, answer, harmless, net, plain, promise, read_refresh, refresh_as_said,
    sane_lifetimes, strict,
};
use super::sendable;
use super::server_url::for_tokens;
use crate::{measure, reach};
use everkey_config::ProviderKind;
use everkey_daemon::http::HttpResponse;
use everkey_daemon::messages;
use everkey_daemon::provider::{Descriptor, descriptor, jwt};
use everkey_proto::Secret;
use everkey_session::{Error, Identity, LoginAnswer, LoginCall, RefreshAnswer, TokenResponse};
use serde_json::{Map, Value};
use url::Url;

const PROVIDER: &Descriptor = descriptor(ProviderKind::Achilles);

type Body = Map<String, Value>;

/// The answer to a refresh, to each call of a sign-in, and to the question whose a token is.
pub fn any(input: &[u8]) {
    let Some(answer) = answer(input) else { return };
    let (body, strict) = (plain(&answer), strict(&answer));
    let error = error(&strict);
    let said = Said {
        code: error.and_then(|_| strict.get("code").and_then(Value::as_str)).or(error),
        refused: answer.status == 401 && error.is_some(),
    };
    let read = measure::json(input.len(), || read_refresh(PROVIDER, &answer));
    refresh_as_said(PROVIDER, &answer, &said, &read);
    if let RefreshAnswer::Granted(grant) = &read {
        as_granted(&answer, &body, grant);
    }
    let start = LoginCall::StartDevice { registration: None, scope: None };
    let poll = LoginCall::PollDevice { registration: None, device_code: Secret::new("dc") };
    let identify = LoginCall::Identify { registration: None, access: Secret::new("a") };
    for call in [start, poll, identify] {
        let read = measure::json(input.len(), || (PROVIDER.login.read)(&call, &answer));
        as_said(&call, &answer, &body, read);
    }
}

fn as_said(call: &LoginCall, answer: &HttpResponse, body: &Body, read: LoginAnswer) {
    let error = error(body);
    match (call, read) {
        (
            LoginCall::StartDevice { .. },
            LoginAnswer::DeviceStarted { device_code, user_code, url, complete_url, .. },
        ) => {
            reach::deep();
            assert_eq!(answer.status, 200, "codes with another status");
            assert_eq!(text(body, "device_code"), Some(device_code.expose()));
            assert_eq!(text(body, "user_code"), Some(&*user_code));
            assert!(sendable(&device_code) && sendable(&Secret::new(&*user_code)) && user_code.len() <= 64);
            for page in complete_url.iter().chain([&url]) {
                assert!(presentable(page), "people are sent to {page:?}");
                assert_eq!(origin(page), text(body, "verification_url").and_then(origin), "another server's");
            }
        }
        (LoginCall::PollDevice { .. }, LoginAnswer::Granted(grant)) => {
            reach::deep();
            assert!(answer.status == 200 && grant.user.is_some(), "nobody signed in");
            as_granted(answer, body, &grant);
        }
        (LoginCall::PollDevice { .. }, LoginAnswer::Pending) => {
            assert_eq!((answer.status, error), (202, Some("authorization_pending")));
        }
        (LoginCall::PollDevice { .. }, LoginAnswer::SlowDown) => {
            assert_eq!((answer.status, error), (202, Some("slow_down")));
        }
        (LoginCall::Identify { .. }, LoginAnswer::Identified(identity)) => {
            identified(answer, body, &identity)
        }
        (LoginCall::StartDevice { .. } | LoginCall::PollDevice { .. }, LoginAnswer::Rejected(why)) => {
            let refusal = matches!(answer.status, 400..=428 | 430..=499) && error.is_some();
            assert!(refusal, "not a refusal: {why:?}");
            harmless(&messages::failure(&Error::Rejected(why)).message);
        }
        (LoginCall::StartDevice { .. } | LoginCall::PollDevice { .. }, LoginAnswer::Limited(wait)) => {
            assert!(answer.status == 429 && wait <= A_DAY, "N15: {wait}");
        }
        (_, LoginAnswer::Net(trouble)) => net(&trouble),
        (call, other) => unreachable!("{call:?} is answered with {other:?}"),
    }
}

fn identified(answer: &HttpResponse, body: &Body, identity: &Identity) {
    match identity {
        Identity::Accepted { user, about } => {
            reach::deep();
            assert_eq!(answer.status, 200, "somebody with another status");
            assert_eq!(text(body, "user_id"), user.as_ref().map(|user| &*user.id));
            about_as_told(body, about);
        }
        Identity::Refused => {
            let front = [Some("/".to_owned()), Some(format!("{SERVER}/"))].contains(&answer.location);
            let refused = answer.status == 401 && error(&strict(answer)).is_some();
            assert!(refused || (answer.status == 302 && front), "not a refusal");
        }
        Identity::Untold => assert_eq!(answer.status, 404),
        Identity::Limited(wait) => assert!(answer.status == 429 && *wait <= A_DAY, "N15: {wait}"),
        Identity::Net(trouble) => net(trouble),
    }
}

/// A grant is what the body says.
fn as_granted(answer: &HttpResponse, body: &Body, grant: &TokenResponse) {
    for (name, token) in [("access_token", Some(&grant.access)), ("refresh_token", grant.refresh.as_ref())] {
        assert_eq!(text(body, name), token.map(Secret::expose), "{name} is not the server's");
        assert!(token.is_some_and(sendable), "{name} can't stand in a header");
    }
    assert_eq!(grant.claims, jwt::claims(&grant.access));
    assert_eq!(text(body, "user_id"), grant.user.as_ref().map(|user| &*user.id));
    about_as_told(body, &grant.about);
    assert_eq!(grant.capability, promise(answer, &["data"]), "a promise that the server did not make");
    assert!(grant.access_expires_in.is_some(), "an access token without an end");
    sane_lifetimes(grant);
}

fn about_as_told(body: &Body, about: &std::collections::BTreeMap<String, String>) {
    for (told, name) in [("name", "display_name"), ("org", "org_id"), ("role", "role")] {
        let said = text(body, name).filter(|text| !text.is_empty());
        assert_eq!(said, about.get(told).map(String::as_str), "{name}");
    }
}

/// Where a browser may be sent.
pub(super) fn presentable(page: &str) -> bool {
    let visible = page.bytes().all(|byte| byte.is_ascii_graphic());
    visible && for_tokens(page.split('#').next().unwrap_or_default())
}

fn origin(url: &str) -> Option<url::Origin> {
    Url::parse(url.trim()).ok().map(|url| url.origin())
}

fn text<'a>(body: &'a Body, name: &str) -> Option<&'a str> {
    data(body)?.get(name)?.as_str()
}

fn data(body: &Body) -> Option<&Body> {
    body.get("data").filter(|_| body.get("success") == Some(&Value::Bool(true)))?.as_object()
}

fn error(body: &Body) -> Option<&str> {
    body.get("error").filter(|_| body.get("success") == Some(&Value::Bool(false)))?.as_str()
}
