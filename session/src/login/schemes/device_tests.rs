//! A sign-in by device code, from discovery to the tokens, and everything that ends it early.

use super::*;
use crate::answer_flaw::AnswerFlaw;
use crate::error::NetError;
use crate::identity::Identity;
use crate::login::schemes::fixtures::*;
use crate::login_call::WellKnown;
use everkey_proto::reply::User;

/// What the server answers to the start: a code for ten minutes, asked for every five seconds.
fn started(interval: u64, expires_in: u64) -> LoginAnswer {
    LoginAnswer::DeviceStarted {
        device_code: Secret::new("device code"),
        user_code: "WDJB-MJHT".to_owned(),
        url: format!("{SERVER}/activate"),
        complete_url: Some(format!("{SERVER}/activate?user_code=WDJB-MJHT")),
        expires_in,
        interval,
    }
}

/// A code is shown, at a server without client ids.
fn shown(interval: u64, expires_in: u64) -> Device {
    let (mut device, _) = Device::begin(SERVER, None);
    let next = device.resume(&after_ms(0), started(interval, expires_in));
    assert!(matches!(next, NextStep::Sleep { show: Some(_), .. }), "{next:?}");
    device
}

/// Polls at this moment; how long the next pause is after this answer.
fn poll(device: &mut Device, ms: u64, answer: LoginAnswer) -> u64 {
    let next = device.wake(&after_ms(ms));
    assert!(matches!(next, Some(NextStep::Call(LoginCall::PollDevice { .. }))), "{next:?}");
    match device.resume(&after_ms(ms), answer) {
        NextStep::Sleep { secs, show: None } => secs,
        other => panic!("{other:?} instead of a pause"),
    }
}

/// How a poll with this answer ends it.
fn end(device: &mut Device, answer: LoginAnswer) -> NextStep {
    device.wake(&after_ms(5_000));
    let end = device.resume(&after_ms(5_000), answer);
    assert_eq!(device.wake(&after_ms(10_000)), None, "nothing is asked any more");
    assert_eq!(device.question(), None);
    end
}

#[test]
fn a_server_without_client_ids_shows_its_code_at_once() {
    let (mut device, first) = Device::begin(SERVER, None);
    assert_eq!(first, NextStep::Call(LoginCall::StartDevice { registration: None, scope: None }));
    let shown = DeviceInstructions {
        url: format!("{SERVER}/activate"),
        complete_url: Some(format!("{SERVER}/activate?user_code=WDJB-MJHT")),
        user_code: "WDJB-MJHT".to_owned(),
        expires_at: 1_800_000_600,
    };
    let question = Some(Prompt::Show(shown));
    let next = device.resume(&after_ms(0), started(5, 600));
    assert_eq!(next, NextStep::Sleep { secs: 5, show: question.clone() });
    assert_eq!(device.question(), question, "for who joins");
    let poll = LoginCall::PollDevice { registration: None, device_code: Secret::new("device code") };
    assert_eq!(device.wake(&after_ms(5_000)), Some(NextStep::Call(poll)));
    assert_eq!(device.question(), question, "while it is asked");
    let end = device.resume(&after_ms(5_100), LoginAnswer::Granted(grant(None)));
    assert_eq!(end, NextStep::Finish(Box::new(grant(None)), None));
}

#[test]
fn slow_down_adds_five_seconds_for_good() {
    let mut device = shown(5, 600);
    assert_eq!(poll(&mut device, 5_000, LoginAnswer::Pending), 5);
    assert_eq!(poll(&mut device, 10_000, LoginAnswer::SlowDown), 10);
    assert_eq!(poll(&mut device, 20_000, LoginAnswer::Pending), 10);
    assert_eq!(poll(&mut device, 30_000, LoginAnswer::SlowDown), 15);
    assert_eq!(poll(&mut device, 45_000, LoginAnswer::Pending), 15);
}

#[test]
fn absurd_intervals_and_lifetimes_are_clamped() {
    assert_eq!(poll(&mut shown(0, 600), 1_000, LoginAnswer::Pending), 1);
    assert_eq!(poll(&mut shown(u64::MAX, u64::MAX), 60_000, LoginAnswer::Pending), 60);
    let mut device = shown(5, u64::MAX);
    let Some(Prompt::Show(shown)) = device.question() else { panic!("nothing is shown") };
    assert_eq!(shown.expires_at, 1_800_003_600, "an hour at the most");
    for ms in (60_000..3_000_000).step_by(60_000) {
        assert!(poll(&mut device, ms, LoginAnswer::SlowDown) <= 60);
    }
}

#[test]
fn an_unapproved_code_expires_on_time_and_polling_stops() {
    let mut device = shown(5, 12);
    assert_eq!(poll(&mut device, 5_000, LoginAnswer::Pending), 5);
    assert_eq!(poll(&mut device, 10_000, LoginAnswer::Pending), 2, "not past the end");
    let expired = NextStep::Fail(Error::Rejected(Rejected::Expired));
    assert_eq!(device.wake(&after_ms(12_000)), Some(expired));
    assert_eq!(device.wake(&after_ms(13_000)), None);
}

#[test]
fn a_failing_server_is_reported_as_such_not_as_expiry() {
    let mut device = shown(5, 600);
    assert!(device.wake(&after_ms(5_000)).is_some());
    let broken = NetError { server: SERVER.to_owned(), kind: NetErrorKind::Status(500, None) };
    poll(&mut device, 5_000, LoginAnswer::Net(broken.clone()));
    assert_eq!(device.wake(&after_ms(600_000)), Some(NextStep::Fail(Error::Net(broken))));
}

#[test]
fn a_code_of_no_seconds_is_over_at_once() {
    let (mut device, _) = Device::begin(SERVER, None);
    device.resume(&after_ms(0), started(5, 0));
    assert_eq!(device.wake(&after_ms(5_000)), Some(NextStep::Fail(Error::Rejected(Rejected::Expired))));
}

#[test]
fn a_refusal_ends_it_with_its_reason() {
    for rejected in [Rejected::Denied, Rejected::Expired, Rejected::Other("invalid_grant".to_owned())] {
        let end = end(&mut shown(5, 600), LoginAnswer::Rejected(rejected.clone()));
        assert_eq!(end, NextStep::Fail(Error::Rejected(rejected)));
    }
}

#[test]
fn each_failed_poll_doubles_the_pause_up_to_a_minute() {
    let passing = [
        NetErrorKind::Timeout,
        NetErrorKind::Status(500, None),
        NetErrorKind::Broken,
        NetErrorKind::Connect("no route".to_owned()),
    ];
    let mut device = shown(5, 600);
    let pauses: Vec<u64> = passing.into_iter().map(|kind| poll(&mut device, 100_000, no(kind))).collect();
    assert_eq!(pauses, [10, 20, 40, 60]);
    assert_eq!(poll(&mut device, 200_000, LoginAnswer::Pending), 60, "and not more often again");
}

#[test]
fn what_is_not_the_contract_ends_it_at_once() {
    for kind in [AnswerFlaw::Missing("access_token".to_owned()).into(), NetErrorKind::OtherSession] {
        let error = Error::Net(NetError { server: SERVER.to_owned(), kind: kind.clone() });
        assert_eq!(end(&mut shown(5, 600), no(kind)), NextStep::Fail(error));
    }
    let contrary = [
        LoginAnswer::CodeSent { expires_in: None, resend_available_in: None, request_id: None },
        started(5, 600),
        accepted(None),
    ];
    for answer in contrary {
        assert_eq!(end(&mut shown(5, 600), answer), client::no_answer(SERVER));
    }
}

#[test]
fn a_page_instead_of_an_answer_only_slows_polling() {
    let pages = [
        NetErrorKind::Status(404, None),
        NetErrorKind::Status(400, None),
        NetErrorKind::Redirect,
        AnswerFlaw::NotJson.into(),
        AnswerFlaw::Damaged.into(),
    ];
    for kind in pages {
        let mut device = shown(5, 600);
        assert_eq!(poll(&mut device, 5_000, no(kind.clone())), 10, "{kind:?}");
        assert_eq!(poll(&mut device, 15_000, no(kind.clone())), 20, "{kind:?}");
        device.wake(&after_ms(35_000));
        let end = device.resume(&after_ms(35_000), LoginAnswer::Granted(grant(None)));
        assert_eq!(end, NextStep::Finish(Box::new(grant(None)), None), "{kind:?}");
    }
}

#[test]
fn retry_after_is_honoured_but_never_below_the_interval() {
    let mut device = shown(5, 600);
    assert_eq!(poll(&mut device, 5_000, LoginAnswer::Limited(30)), 30);
    assert_eq!(poll(&mut device, 35_000, LoginAnswer::Limited(0)), 5);
    assert_eq!(poll(&mut device, 40_000, LoginAnswer::Limited(u64::MAX)), 560, "to the code's end");
}

#[test]
fn an_unknown_client_discovers_registers_and_starts() {
    let (mut device, first) = Device::begin(SERVER, Some(&OauthClient::default()));
    assert_eq!(first, discovery(SignInMethod::Device, WellKnown::OpenId));
    let next = device.resume(&after_ms(0), no(NetErrorKind::Status(404, None)));
    assert_eq!(next, discovery(SignInMethod::Device, WellKnown::OAuth));
    let next = device.resume(&after_ms(0), LoginAnswer::Discovered(endpoints()));
    let scope = Some("openid email offline_access".to_owned());
    let register = LoginCall::Register { endpoints: endpoints(), redirect: None, scope: scope.clone() };
    assert_eq!(next, NextStep::Call(register));
    let known = registration(endpoints());
    let next = device.resume(&after_ms(0), LoginAnswer::Registered(known.clone()));
    let start = LoginCall::StartDevice { registration: Some(known.clone()), scope };
    assert_eq!(next, NextStep::Call(start), "only the usual scopes that it offers");
    device.resume(&after_ms(0), started(5, 600));
    let device_code = Secret::new("device code");
    let poll = LoginCall::PollDevice { registration: Some(known.clone()), device_code };
    assert_eq!(device.wake(&after_ms(5_000)), Some(NextStep::Call(poll)));
    let end = device.resume(&after_ms(5_000), LoginAnswer::Granted(grant(Some(user("ann")))));
    assert_eq!(end, NextStep::Finish(Box::new(grant(Some(user("ann")))), Some(Box::new(known))));
}

#[test]
fn a_known_client_skips_registration_and_requests_the_configured_scope() {
    let resources = vec!["https://api.example".to_owned()];
    let oauth = OauthClient { scope: Some("api".to_owned()), resources: resources.clone(), ..with_id() };
    let (mut device, _) = Device::begin(SERVER, Some(&oauth));
    let next = device.resume(&after_ms(0), LoginAnswer::Discovered(endpoints()));
    let NextStep::Call(LoginCall::StartDevice { registration: Some(known), scope }) = next else {
        panic!("{next:?}")
    };
    assert_eq!((scope.as_deref(), known.client_id.as_str()), (Some("api"), "everkey-1"));
    assert_eq!(known.resources, resources);
    assert!(known.configured && known.client_secret.is_none(), "its secret is added where it is sent");
}

#[test]
fn a_server_without_a_device_endpoint_does_not_offer_it() {
    let bare = Endpoints { device_authorization: None, ..endpoints() };
    for oauth in [OauthClient::default(), with_id()] {
        let (mut device, _) = Device::begin(SERVER, Some(&oauth));
        let end = device.resume(&after_ms(0), LoginAnswer::Discovered(bare.clone()));
        assert_eq!(end, NextStep::Fail(Error::Rejected(Rejected::SignInMethod(SignInMethod::Device))));
    }
}

#[test]
fn without_an_id_and_without_registration_nobody_is_known() {
    let closed = Endpoints { registration: None, ..endpoints() };
    let (mut device, _) = Device::begin(SERVER, Some(&OauthClient::default()));
    let end = device.resume(&after_ms(0), LoginAnswer::Discovered(closed));
    assert_eq!(end, NextStep::Fail(Error::Rejected(Rejected::NoClient)));
}

#[test]
fn trouble_before_a_code_is_shown_ends_it() {
    let (mut device, _) = Device::begin(SERVER, Some(&OauthClient::default()));
    let lie = Rejected::Issuer("https://evil.example".to_owned());
    let end = device.resume(&after_ms(0), LoginAnswer::Rejected(lie.clone()));
    assert_eq!(end, NextStep::Fail(Error::Rejected(lie)));
    let (mut device, _) = Device::begin(SERVER, None);
    assert_eq!(
        device.resume(&after_ms(0), LoginAnswer::Limited(9)),
        NextStep::Fail(Error::RateLimited { secs: 9 })
    );
    let (mut device, _) = Device::begin(SERVER, None);
    assert_eq!(device.resume(&after_ms(0), LoginAnswer::Pending), client::no_answer(SERVER));
}

/// The tokens have arrived without saying whose they are enough.
fn identifying(known: Option<User>) -> Device {
    let (mut device, _) = Device::begin(SERVER, Some(&with_id()));
    device.resume(&after_ms(0), LoginAnswer::Discovered(endpoints()));
    device.resume(&after_ms(0), started(5, 600));
    device.wake(&after_ms(5_000));
    let next = device.resume(&after_ms(5_000), LoginAnswer::Granted(grant(known)));
    let identify =
        LoginCall::Identify { registration: Some(configured(endpoints())), access: Secret::new("access") };
    assert_eq!(next, NextStep::Call(identify));
    device
}

#[test]
fn the_server_is_asked_when_tokens_name_no_user() {
    let nameless = User { id: "ann".to_owned(), email: String::new() };
    for known in [None, Some(nameless)] {
        let end = identifying(known).resume(&after_ms(6_000), accepted(Some(user("ann"))));
        let NextStep::Finish(grant, Some(_)) = end else { panic!("{end:?}") };
        assert_eq!(grant.user, Some(user("ann")));
        assert_eq!(grant.about.get("role").map(String::as_str), Some("admin"));
    }
}

#[test]
fn userinfo_of_another_user_ends_it() {
    let nameless = User { id: "ann".to_owned(), email: String::new() };
    let end = identifying(Some(nameless)).resume(&after_ms(6_000), accepted(Some(user("bob"))));
    let other = NetError { server: SERVER.to_owned(), kind: NetErrorKind::OtherSession };
    assert_eq!(end, NextStep::Fail(Error::Net(other)));
}

#[test]
fn login_succeeds_even_if_the_server_names_no_user() {
    let timeout = Identity::Net(NetError { server: SERVER.to_owned(), kind: NetErrorKind::Timeout });
    for identity in [Identity::Untold, Identity::Refused, Identity::Limited(9), timeout] {
        let end = identifying(None).resume(&after_ms(6_000), LoginAnswer::Identified(identity));
        assert_eq!(end, NextStep::Finish(Box::new(grant(None)), Some(Box::new(configured(endpoints())))));
    }
}
