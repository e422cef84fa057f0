//! A server's answers. The input is a line `STATUS json|plain|none|html [RETRY-AFTER or LOCATION]`, then the body.
//! Each property is stated against the body as plain JSON, read without any of everkey's code.

use super::{fields, object, opens_object, sendable};
use crate::{measure, reach};
use everkey_config::ProviderKind;
use everkey_daemon::http::HttpResponse;
use everkey_daemon::messages;
use everkey_daemon::provider::{Descriptor, ProviderRoute, descriptor, jwt};
use everkey_proto::Secret;
use everkey_session::{
    CallTarget, Capability, Error, Holder, LoginAnswer, LoginCall, NetError, NetErrorKind, ProbeAnswer,
    RefreshAnswer, RevokeAnswer, TokenResponse,
};
use serde::Deserialize;
use serde::de::IgnoredAny;
use serde_json::value::RawValue;
use serde_json::{Map, Value};
use zeroize::Zeroizing;

const PROVIDER: &Descriptor = descriptor(ProviderKind::Failproofai);
const JSON: &str = "application/json";
const PAGE: &str = "text/html";
pub(super) const SERVER: &str = "https://api.example.com";

/// The server's clock.
const DATE: u64 = 1_772_967_600;

/// The longest wait that is believed, in seconds (N15).
pub(super) const A_DAY: u64 = 86_400;

/// The answer to a refresh (I8, N10, N12, N15).
pub fn refresh(input: &[u8]) {
    let Some(answer) = answer(input) else { return };
    let (body, strict) = (plain(&answer), strict(&answer));
    let said = Said {
        code: code(&strict),
        refused: answer.status == 401 && matches!(code(&strict), Some("unauthorized" | "invalid_grant")),
    };
    let read = measure::json(input.len(), || read_refresh(PROVIDER, &answer));
    refresh_as_said(PROVIDER, &answer, &said, &read);
    if let RefreshAnswer::Granted(grant) = &read {
        as_granted(&answer, &body, grant);
    }
}

/// Reads the answer to a refresh as `provider` does.
pub(super) fn read_refresh(provider: &Descriptor, answer: &HttpResponse) -> RefreshAnswer {
    let Some(route) = provider.refresh() else { unreachable!("it has no refresh tokens") };
    (route.read)(&CallTarget { server: SERVER.into(), registration: None }, answer)
}

/// Reads an answer of a route that the provider has.
pub(super) fn read<R, Read>(route: Option<&ProviderRoute<R, Read>>, answer: &HttpResponse) -> Read {
    let Some(route) = route else { unreachable!("it has no such route") };
    (route.read)(answer)
}

/// What a body says of a refresh, in its provider's words.
pub(super) struct Said<'a> {
    /// The code of an error.
    pub code: Option<&'a str>,
    /// Whether it is the contract's refusal.
    pub refused: bool,
}

/// What holds for every provider's answer to a refresh; a grant is only looked at as far as that.
pub(super) fn refresh_as_said(
    provider: &Descriptor,
    answer: &HttpResponse,
    said: &Said<'_>,
    read: &RefreshAnswer,
) {
    match read {
        RefreshAnswer::Granted(_) => {
            reach::deep();
            assert_eq!(answer.status, 200, "tokens with another status");
            cut_is_in_doubt(provider, answer);
        }
        RefreshAnswer::Foreign => unreachable!("nobody knows whose it should be"),
        RefreshAnswer::Refused => {
            reach::deep();
            assert!(said.refused, "I8: not the unmistakable refusal");
        }
        RefreshAnswer::Rotating => {
            assert_eq!((answer.status, said.code), (409, Some("rotation_in_progress")))
        }
        RefreshAnswer::Late => assert_eq!((answer.status, said.code), (409, Some("deadline_passed"))),
        RefreshAnswer::Declined(error) => {
            net(error);
            let unprocessed = matches!(answer.status, 421 | 425 | 429);
            let client = matches!(answer.status, 400 | 401 | 403)
                && matches!(error.kind, NetErrorKind::ClientRefused(_));
            let unchanged = plain(answer).get("attempt_consumed") == Some(&Value::Bool(false));
            assert!(
                unprocessed || (said.code.is_some() && (unchanged || client)),
                "nothing says that this attempt changed nothing"
            );
        }
        RefreshAnswer::RefusedInWords(error) => {
            reach::deep();
            net(error);
            assert!(matches!(answer.status, 200 | 400 | 401), "I8: no status of a refusal");
            let opens_page = answer.body.trim_ascii_start().first() == Some(&b'<');
            assert!(!opens_page, "I8: a page is somebody else's answer");
        }
        RefreshAnswer::Unclear(trouble) => net(trouble),
    }
    if answer.status == 200 {
        assert!(
            matches!(
                read,
                RefreshAnswer::Granted(_) | RefreshAnswer::Unclear(_) | RefreshAnswer::RefusedInWords(_)
            ) || said.refused,
            "{read:?} with status 200"
        );
    }
}

/// The answer to either call of a sign-in.
pub fn login(input: &[u8]) {
    let Some(answer) = answer(input) else { return };
    let body = plain(&answer);
    let code = LoginCall::VerifyCode {
        email: "e@x".into(),
        code: Secret::new("123456"),
        request_id: None,
        second_factor: None,
    };
    for call in [LoginCall::RequestCode { email: "e@x".into() }, code] {
        let verifies = matches!(call, LoginCall::VerifyCode { .. });
        match measure::json(input.len(), || (PROVIDER.login.read)(&call, &answer)) {
            LoginAnswer::CodeSent { .. } => {
                reach::deep();
                assert!(!verifies && answer.status == 200 && is_object(&answer), "no code was sent");
            }
            LoginAnswer::Granted(grant) => {
                reach::deep();
                assert!(verifies && answer.status == 200 && grant.user.is_some(), "nobody signed in");
                as_granted(&answer, &body, &grant);
            }
            LoginAnswer::Rejected(why) => {
                let passing = matches!(answer.status, 200..=399 | 429 | 500..);
                assert!(!passing && self::code(&body).is_some(), "not a refusal: {why:?}");
                harmless(&messages::failure(&Error::Rejected(why)).message);
            }
            LoginAnswer::Limited(wait) => assert!(answer.status == 429 && wait <= A_DAY, "N15: {wait}"),
            LoginAnswer::Net(trouble) => net(&trouble),
            other => unreachable!("no call asked for {other:?}"),
        }
    }
}

/// The session route's answer.
pub fn probe(input: &[u8]) {
    let Some(answer) = answer(input) else { return };
    let body = strict(&answer);
    match measure::json(input.len(), || read(PROVIDER.probe.as_ref(), &answer)) {
        ProbeAnswer::Generation(generation) => {
            reach::deep();
            assert_eq!(
                (answer.status, body.get("generation").and_then(Value::as_u64)),
                (200, Some(generation))
            );
        }
        ProbeAnswer::Refused => assert!(answer.status == 401 && code(&body).is_some(), "not a refusal"),
        ProbeAnswer::NoRoute => assert_eq!(answer.status, 404),
        ProbeAnswer::Unclear(trouble) => net(&trouble),
    }
}

/// The answer to a sign-out: it counts only if the server said so.
pub fn revoke(input: &[u8]) {
    let Some(answer) = answer(input) else { return };
    match measure::json(input.len(), || read(PROVIDER.revoke.as_ref(), &answer)) {
        RevokeAnswer::Confirmed => {
            reach::deep();
            let json = says_json(&answer) && is_json(&answer.body);
            assert!(
                answer.status == 204 || (answer.status == 200 && json),
                "nothing says that it is revoked"
            );
        }
        RevokeAnswer::Refused => {
            assert!(answer.status == 401 && code(&strict(&answer)).is_some(), "not a refusal")
        }
        RevokeAnswer::Declined(_) | RevokeAnswer::NoRoute => unreachable!("the contract has no such answer"),
        RevokeAnswer::Net(trouble) => net(&trouble),
    }
}

/// A grant is what the body says.
fn as_granted(answer: &HttpResponse, body: &Map<String, Value>, grant: &TokenResponse) {
    let text = |name: &str| body.get(name).and_then(Value::as_str);
    assert!(text("token_type").is_some_and(|kind| kind.eq_ignore_ascii_case("bearer")), "not a bearer token");
    for (name, token) in [("access_token", Some(&grant.access)), ("refresh_token", grant.refresh.as_ref())] {
        assert_eq!(text(name), token.map(Secret::expose), "{name} is not the server's");
        assert!(token.is_some_and(sendable), "{name} can't stand in a header");
    }
    assert_eq!(grant.claims, jwt::claims(&grant.access));
    assert_eq!(grant.capability, promise(answer, &[]), "a promise that the server did not make");
    if let (Some(user), Some(said)) = (&grant.user, body.get("user").and_then(Value::as_object)) {
        assert_eq!((said["id"].as_str(), said["email"].as_str()), (Some(&*user.id), Some(&*user.email)));
    }
    assert!(
        grant.access_expires_in.is_some() && grant.refresh_expires_in.is_some(),
        "the contract says both"
    );
    sane_lifetimes(grant);
}

/// What an answer promises about lost answers, in the object that `path` leads to. A name that comes twice promises
/// nothing.
pub(super) fn promise(answer: &HttpResponse, path: &[&str]) -> Capability {
    #[derive(Deserialize)]
    struct Promise {
        v: Box<RawValue>,
        until: Box<RawValue>,
    }
    let mut retry = String::from_utf8_lossy(&answer.body).into_owned();
    for name in path.iter().chain(&["refresh_retry"]) {
        retry = fields(&retry).get(*name).map(|value| value.get().to_owned()).unwrap_or_default();
    }
    let promise = serde_json::from_str::<Promise>(&retry).ok().filter(|_| opens_object(retry.as_bytes()));
    let until = promise.filter(|promise| promise.v.get() == "1").map(|promise| promise.until);
    match until.and_then(|until| serde_json::from_str::<String>(until.get()).ok()).as_deref() {
        Some("used") => Capability::Rr1,
        Some("probe") => Capability::Probe,
        Some(_) | None => Capability::None,
    }
}

/// N20: whatever the server says, the session ends after a second and within ten years; or nobody says when, which 0 or less
/// does not either.
pub(super) fn sane_lifetimes(grant: &TokenResponse) {
    let wall = 1_800_000_000;
    let session = grant.clone().into_session(Holder::default(), wall);
    let sane = wall + 1..=wall + 3650 * A_DAY;
    let told = [
        (grant.access_expires_in, session.access_expires_at),
        (grant.refresh_expires_in, session.refresh_expires_at),
    ];
    for (said, until) in told {
        assert_eq!(said.is_some_and(|secs| secs > 0), until.is_some(), "an end that nobody told");
        assert!(until.is_none_or(|until| sane.contains(&until)), "N20: {until:?}");
    }
    assert!(grant.access_lifetime().is_none_or(|secs| (1..=3650 * A_DAY).contains(&secs)), "N20");
}

/// N10: a token answer less its end is in doubt; it neither signs in nor out.
fn cut_is_in_doubt(provider: &Descriptor, whole: &HttpResponse) {
    let body = whole.body.trim_ascii_end();
    let step = body.len() / 64 + 1;
    for cut in (0..body.len()).rev().step_by(step) {
        let read = read_refresh(provider, &like(whole, &body[..cut]));
        assert!(matches!(read, RefreshAnswer::Unclear(_)), "N10: cut at {cut} it is {read:?}");
    }
}

/// Trouble is with the server asked, and what people read of it is harmless.
pub(super) fn net(trouble: &NetError) {
    assert_eq!(trouble.server, SERVER);
    if let NetErrorKind::Limited(wait) = trouble.kind {
        assert!(wait <= A_DAY, "N15: {wait}");
    }
    harmless(&messages::failure(&Error::Net(trouble.clone())).message);
}

/// S01: nothing that a terminal would obey, and not too much of it.
pub(super) fn harmless(text: &str) {
    assert!(!text.contains(|c: char| c.is_control()), "S01: a control character in {text:?}");
    assert!(text.chars().count() <= 300, "S01: {} characters", text.chars().count());
}

/// The body as an object, if the answer does not say that it is something else.
pub(super) fn plain(answer: &HttpResponse) -> Map<String, Value> {
    object(&answer.body).filter(|_| !is_page(answer)).unwrap_or_default()
}

/// The same only if the answer says that it is JSON: nothing else is a refusal.
pub(super) fn strict(answer: &HttpResponse) -> Map<String, Value> {
    object(&answer.body).filter(|_| says_json(answer)).unwrap_or_default()
}

pub(super) fn says_json(answer: &HttpResponse) -> bool {
    answer.content_type.as_deref() == Some(JSON)
}

fn is_page(answer: &HttpResponse) -> bool {
    answer.content_type.as_deref() == Some(PAGE)
}

fn is_object(answer: &HttpResponse) -> bool {
    !is_page(answer) && object(&answer.body).is_some()
}

/// Whether it is JSON of any shape.
pub(super) fn is_json(body: &[u8]) -> bool {
    serde_json::from_slice::<IgnoredAny>(body.strip_prefix(b"\xef\xbb\xbf").unwrap_or(body)).is_ok()
}

fn code(body: &Map<String, Value>) -> Option<&str> {
    body.get("code").and_then(Value::as_str)
}

pub(super) fn answer(input: &[u8]) -> Option<HttpResponse> {
    let end = input.iter().position(|byte| *byte == b'\n')?;
    let head = std::str::from_utf8(&input[..end]).ok()?;
    let mut words = head.splitn(3, ' ');
    let status: u16 = words.next()?.parse().ok()?;
    let content_type = match words.next() {
        Some("json") => Some(JSON),
        Some("plain") => Some("text/plain"),
        Some("none") => None,
        _ => Some(PAGE),
    };
    let third = words.next().map(str::to_owned);
    (100..1000).contains(&status).then(|| HttpResponse {
        server: SERVER.to_owned(),
        status,
        date: Some(DATE),
        received: None,
        // No answer needs both.
        retry_after: third.clone(),
        location: third,
        proxy_status: None,
        content_type: content_type.map(str::to_owned),
        body: Zeroizing::new(input[end + 1..].to_vec()),
    })
}

fn like(answer: &HttpResponse, body: &[u8]) -> HttpResponse {
    HttpResponse {
        server: answer.server.clone(),
        status: answer.status,
        date: answer.date,
        received: answer.received,
        retry_after: answer.retry_after.clone(),
        location: answer.location.clone(),
        proxy_status: None,
        content_type: answer.content_type.clone(),
        body: Zeroizing::new(body.to_vec()),
    }
}
