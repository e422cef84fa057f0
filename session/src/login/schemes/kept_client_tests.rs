//! Sign-ins with the client of an earlier one, and what the next sign-in is to know of it.

use crate::error::{Error, Rejected};
use crate::kept_clients::{ClientNews, KeptClient};
use crate::login::next_step::{NextStep, Prompt};
use crate::login::schemes::browser::Browser;
use crate::login::schemes::device::Device;
use crate::login::schemes::fixtures::*;
use crate::login_call::{LoginAnswer, LoginCall};
use crate::policy::{CallbackAddress, CallbackPort, OauthClient};
use crate::reply::BrowserPage;
use everkey_proto::Secret;

const PORT: u16 = 40_123;
const REDIRECT: &str = "http://127.0.0.1:40123/callback";

/// A client that has no id of its own, but was registered before.
fn registered_before(redirect: Option<&str>) -> OauthClient {
    let mut registration = registration(endpoints());
    registration.client_id = "kept".to_owned();
    // What has moved since counts.
    registration.endpoints.token = "https://id.example/old".to_owned();
    let scope = Some("openid email offline_access".to_owned());
    let kept = KeptClient { registration, redirect: redirect.map(str::to_owned), scope };
    OauthClient { kept: vec![kept], ..OauthClient::default() }
}

fn gone() -> Option<ClientNews> {
    Some(ClientNews::Gone("kept".to_owned()))
}

/// The browser's next step once it listens on this port.
fn listening(oauth: &OauthClient, port: u16) -> (Browser, NextStep) {
    let (mut browser, _) = Browser::begin(&after_ms(0), SERVER, Some(oauth));
    assert!(matches!(browser.resume(LoginAnswer::Discovered(endpoints())), NextStep::Listen(_)));
    let next = browser.listening(port);
    (browser, next.unwrap_or(NextStep::Stray))
}

/// The person is at the page of the kept client.
fn at_page() -> (Browser, BrowserPage) {
    match listening(&registered_before(Some(REDIRECT)), PORT) {
        (browser, NextStep::Ask(Prompt::Open(page))) => (browser, page),
        (_, other) => panic!("{other:?} instead of a page"),
    }
}

fn state_of(page: &BrowserPage) -> &str {
    page.url.split("&state=").nth(1).and_then(|rest| rest.split('&').next()).unwrap_or_default()
}

fn rejected(code: &str) -> LoginAnswer {
    LoginAnswer::Rejected(Rejected::Other(code.to_owned()))
}

#[test]
fn a_client_of_an_earlier_sign_in_is_used_again() {
    let (mut browser, page) = at_page();
    assert!(page.url.contains("client_id=kept&"), "{}", page.url);
    let next = browser.came_back(&Secret::new(format!("code=c&state={}", state_of(&page))));
    let NextStep::Call(LoginCall::Exchange { registration, .. }) = next else { panic!("{next:?}") };
    assert_eq!(registration.endpoints, endpoints(), "as they are now");
    browser.resume(LoginAnswer::Granted(grant(Some(user("ann")))));
    assert_eq!(browser.take_news(), None);

    let (mut device, _) = Device::begin(SERVER, Some(&registered_before(None)));
    let next = device.resume(&after_ms(0), LoginAnswer::Discovered(endpoints()));
    let NextStep::Call(LoginCall::StartDevice { registration, .. }) = next else { panic!("{next:?}") };
    assert_eq!(registration.map(|known| known.client_id), Some("kept".to_owned()));
}

#[test]
fn the_port_of_the_earlier_client_is_wished_for() {
    let listen = |oauth: &OauthClient| {
        let (mut browser, _) = Browser::begin(&after_ms(0), SERVER, Some(oauth));
        match browser.resume(LoginAnswer::Discovered(endpoints())) {
            NextStep::Listen(callback) => callback.port,
            other => panic!("{other:?}"),
        }
    };
    let kept = || registered_before(Some(REDIRECT));
    assert_eq!(listen(&kept()), CallbackPort::Rather(PORT));
    assert_eq!(listen(&registered_before(None)), CallbackPort::Free, "that was for a device");
    let elsewhere = CallbackAddress { path: "/elsewhere".to_owned(), ..CallbackAddress::default() };
    assert_eq!(listen(&OauthClient { callback: elsewhere, ..kept() }), CallbackPort::Free);
    let only = CallbackAddress { port: CallbackPort::Only(9), ..CallbackAddress::default() };
    assert_eq!(listen(&OauthClient { callback: only, ..kept() }), CallbackPort::Only(9));
    let id = Some("me".to_owned());
    assert_eq!(listen(&OauthClient { client_id: id, ..kept() }), CallbackPort::Free, "it has an id");
}

#[test]
fn another_port_or_scope_needs_another_client() {
    let (_, next) = listening(&registered_before(Some(REDIRECT)), PORT + 1);
    assert!(matches!(next, NextStep::Call(LoginCall::Register { .. })), "{next:?}");
    let more = OauthClient { scope: Some("admin".to_owned()), ..registered_before(Some(REDIRECT)) };
    let (_, next) = listening(&more, PORT);
    assert!(matches!(next, NextStep::Call(LoginCall::Register { .. })), "{next:?}");
}

#[test]
fn a_new_client_is_kept_for_the_next_sign_in() {
    let (mut browser, _) = listening(&OauthClient::default(), PORT);
    browser.resume(LoginAnswer::Registered(registration(endpoints())));
    let Some(ClientNews::Registered(kept)) = browser.take_news() else { panic!("nothing is kept") };
    let scope = Some("openid email offline_access");
    assert_eq!((kept.redirect.as_deref(), kept.scope.as_deref()), (Some(REDIRECT), scope));
    assert_eq!(browser.take_news(), None, "once is enough");

    let (mut device, _) = Device::begin(SERVER, Some(&OauthClient::default()));
    device.resume(&after_ms(0), LoginAnswer::Discovered(endpoints()));
    device.resume(&after_ms(0), LoginAnswer::Registered(registration(endpoints())));
    let Some(ClientNews::Registered(kept)) = device.take_news() else { panic!("nothing is kept") };
    assert_eq!((kept.redirect.as_deref(), kept.scope.as_deref()), (None, scope));

    let forgetful = OauthClient { registers_anew: true, ..OauthClient::default() };
    let (mut browser, _) = listening(&forgetful, PORT);
    browser.resume(LoginAnswer::Registered(registration(endpoints())));
    assert_eq!(browser.take_news(), None);
}

#[test]
fn a_device_of_an_unknown_client_registers_anew() {
    for code in ["invalid_client", "unauthorized_client"] {
        let (mut device, _) = Device::begin(SERVER, Some(&registered_before(None)));
        device.resume(&after_ms(0), LoginAnswer::Discovered(endpoints()));
        let next = device.resume(&after_ms(0), rejected(code));
        assert!(matches!(next, NextStep::Call(LoginCall::Register { .. })), "{code}: {next:?}");
        assert_eq!(device.take_news(), gone());
        let next = device.resume(&after_ms(0), LoginAnswer::Registered(registration(endpoints())));
        assert!(matches!(next, NextStep::Call(LoginCall::StartDevice { .. })), "{next:?}");
        assert!(matches!(device.take_news(), Some(ClientNews::Registered(_))));
        let next = device.resume(&after_ms(0), rejected(code));
        assert!(matches!(next, NextStep::Fail(_)), "not for ever: {next:?}");
    }
    let (mut device, _) = Device::begin(SERVER, Some(&registered_before(None)));
    device.resume(&after_ms(0), LoginAnswer::Discovered(endpoints()));
    let next = device.resume(&after_ms(0), rejected("invalid_scope"));
    assert_eq!(next, NextStep::Fail(Error::Rejected(Rejected::Other("invalid_scope".to_owned()))));
    assert_eq!(device.take_news(), None, "it knows the client");
}

#[test]
fn page_and_exchange_can_say_that_a_client_is_unknown() {
    for (code, news) in [("unauthorized_client", gone()), ("access_denied", None), ("server_error", None)] {
        let (mut browser, page) = at_page();
        browser.came_back(&Secret::new(format!("error={code}&state={}", state_of(&page))));
        assert_eq!(browser.take_news(), news, "{code}");
        assert_eq!(browser.given_up(), None, "somebody came back");
    }
    for (code, news) in [("invalid_client", gone()), ("invalid_grant", None)] {
        let (mut browser, page) = at_page();
        browser.came_back(&Secret::new(format!("code=c&state={}", state_of(&page))));
        assert!(matches!(browser.resume(rejected(code)), NextStep::Fail(_)));
        assert_eq!(browser.take_news(), news, "{code}");
    }
}

#[test]
fn a_page_that_nobody_comes_back_from_costs_the_client() {
    assert_eq!(at_page().0.given_up(), gone());
    let (mut browser, _) = listening(&OauthClient::default(), PORT);
    browser.resume(LoginAnswer::Registered(registration(endpoints())));
    assert_eq!(browser.given_up(), None, "the server has just registered it");
}
