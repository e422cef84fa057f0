//! A sign-in by browser, from discovery to the tokens, and what comes back that is not this sign-in's answer.

use super::*;
use crate::error::{NetError, NetErrorKind};
use crate::login::schemes::fixtures::*;
use crate::login_call::WellKnown;
use crate::policy::{CallbackAddress, CallbackPort};
use std::collections::BTreeMap;

const PORT: u16 = 40_123;
const REDIRECT: &str = "http://127.0.0.1:40123/callback";

/// The person is at the page of this server, for a client with an id.
fn at_page_of(endpoints: Endpoints, oauth: &OauthClient) -> (Browser, BrowserPage) {
    let (mut browser, first) = Browser::begin(&after_ms(0), SERVER, Some(oauth));
    assert_eq!(first, discovery(SignInMethod::Browser, WellKnown::OpenId));
    assert_eq!(
        browser.resume(LoginAnswer::Discovered(endpoints)),
        NextStep::Listen(CallbackAddress::default())
    );
    match browser.listening(PORT) {
        Some(NextStep::Ask(Prompt::Open(page))) => (browser, page),
        other => panic!("{other:?} instead of a page"),
    }
}

fn at_page() -> (Browser, BrowserPage) {
    at_page_of(endpoints(), &with_id())
}

/// The parameters of the page, each of which is there once.
fn parameters(page: &BrowserPage) -> BTreeMap<String, String> {
    let query = page.url.split_once('?').map_or("", |(_, query)| query);
    let mut all = BTreeMap::new();
    for (name, value) in form_urlencoded::parse(query.as_bytes()).into_owned() {
        assert_eq!(all.insert(name.clone(), value), None, "{name} is there twice");
    }
    all
}

fn state_of(page: &BrowserPage) -> String {
    parameters(page).remove("state").unwrap_or_default()
}

fn back(browser: &mut Browser, query: &str) -> NextStep {
    browser.came_back(&Secret::new(query))
}

/// The exchange that a good answer leads to.
fn exchange(next: NextStep) -> (Registration, Secret, Secret, String, Option<String>) {
    match next {
        NextStep::Call(LoginCall::Exchange { registration, code, verifier, redirect, nonce, .. }) => {
            (registration, code, verifier, redirect, nonce)
        }
        other => panic!("{other:?} instead of an exchange"),
    }
}

#[test]
fn the_challenge_is_s256_of_the_verifier_that_is_sent() {
    let (mut browser, page) = at_page();
    assert!(page.url.starts_with("https://id.example/authorize?response_type=code&"), "{}", page.url);
    let said = parameters(&page);
    let state = state_of(&page);
    let next = back(&mut browser, &format!("code=a%2Bb&state={state}"));
    let (known, code, verifier, redirect, nonce) = exchange(next);
    assert_eq!((known, code), (configured(endpoints()), Secret::new("a+b")));
    assert_eq!((redirect.as_str(), said["redirect_uri"].as_str()), (REDIRECT, REDIRECT));
    assert_eq!((said["client_id"].as_str(), said["code_challenge_method"].as_str()), ("everkey-1", "S256"));
    let challenge = URL_SAFE_NO_PAD.encode(Sha256::digest(verifier.expose()));
    assert_eq!(said["code_challenge"], challenge);
    assert_eq!(said.get("nonce"), nonce.as_ref());
    assert!((43..=128).contains(&verifier.expose().len()), "RFC 7636, 4.1");
    assert!(!page.url.contains(verifier.expose()), "it would be worth nothing");
    assert_eq!(state.len(), 64, "256 random bits");
}

#[test]
fn state_verifier_and_nonce_are_fresh_and_independent() {
    let dice = |dice| Moment { dice: [dice; 32], ..after_ms(0) };
    let [one, other] = [1, 2].map(|n| Browser::begin(&dice(n), SERVER, None).0);
    assert_ne!(one.state, other.state);
    assert_ne!(one.verifier, other.verifier);
    assert_ne!(one.nonce, other.nonce);
    assert_ne!(one.state, one.verifier);
    assert!(!one.state.expose().contains(&one.nonce) && !one.verifier.expose().contains(&one.nonce));
}

#[test]
fn what_is_not_this_sign_ins_answer_changes_nothing() {
    let (mut browser, page) = at_page();
    let state = state_of(&page);
    let stray = [
        String::new(),
        "code=c".to_owned(),
        format!("state={state}"),
        format!("code=c&state={}", "0".repeat(64)),
        format!("code=c&state={}", &state[..63]),
        format!("code=c&state={state}0"),
        "error=access_denied&state=forged".to_owned(),
        "error=access_denied".to_owned(),
        format!("code=c&state={state}&state={state}"),
        format!("state=forged&code=c&state={state}"),
        format!("code=c&code=d&state={state}"),
        format!("code=c&error=access_denied&state={state}"),
        format!("code=c&state={state}&iss=a&iss=a"),
        format!("error=a&error=a&state={state}"),
        "%ff%00=%zz&&&=".to_owned(),
    ];
    for query in stray {
        assert_eq!(back(&mut browser, &query), NextStep::Stray, "{query}");
        assert_eq!(browser.question(), Some(Prompt::Open(page.clone())), "{query}");
    }
    let known = format!("code=c&state={state}&session_state=x&session_state=y");
    exchange(back(&mut browser, &known));
}

#[test]
fn a_second_answer_waits_for_the_first() {
    let (mut browser, page) = at_page();
    let query = format!("code=c&state={}", state_of(&page));
    exchange(back(&mut browser, &query));
    assert_eq!(back(&mut browser, &query), NextStep::Wait);
    assert_eq!(back(&mut browser, "code=c&state=forged"), NextStep::Stray);
    assert_eq!(browser.question(), None, "the page has done its part");
    let end = browser.resume(LoginAnswer::Granted(grant(Some(user("ann")))));
    let known = Some(Box::new(configured(endpoints())));
    assert_eq!(end, NextStep::Finish(Box::new(grant(Some(user("ann")))), known));
    assert_eq!(back(&mut browser, &query), NextStep::Stray);
}

#[test]
fn nothing_can_come_back_before_there_is_a_page() {
    let (mut browser, _) = Browser::begin(&after_ms(0), SERVER, None);
    let query = format!("code=c&state={}", browser.state.expose());
    assert_eq!(back(&mut browser, &query), NextStep::Stray);
    assert_eq!(browser.pasted(&Secret::new(query.clone())), None, "nothing was asked");
    assert_eq!(browser.listening(PORT), None, "no port was wanted");
    browser.resume(LoginAnswer::Discovered(endpoints()));
    assert_eq!(back(&mut browser, &query), NextStep::Stray);
}

#[test]
fn a_server_that_names_itself_must_be_the_one() {
    let names_itself = Endpoints { names_itself: true, ..endpoints() };
    let cases = [
        (endpoints(), "", true),
        (endpoints(), "&iss=https%3A%2F%2Fid.example", true),
        (endpoints(), "&iss=https%3A%2F%2Fid.example%2F", false),
        (endpoints(), "&iss=https%3A%2F%2Fevil.example", false),
        (endpoints(), "&iss=", false),
        (names_itself.clone(), "&iss=https%3A%2F%2Fid.example", true),
        (names_itself.clone(), "&iss=https%3A%2F%2Fevil.example", false),
        (names_itself, "", false),
    ];
    for (endpoints, iss, good) in cases {
        for outcome in ["code=c", "error=access_denied"] {
            let (mut browser, page) = at_page_of(endpoints.clone(), &with_id());
            let next = back(&mut browser, &format!("{outcome}&state={}{iss}", state_of(&page)));
            let mixed_up = matches!(next, NextStep::Fail(Error::Rejected(Rejected::Issuer(_))));
            assert_eq!(mixed_up, !good, "{outcome} with {iss:?}: {next:?}");
            assert_eq!(browser.question(), None);
        }
    }
}

#[test]
fn a_refusal_of_the_right_state_ends_it() {
    for (error, rejected) in
        [("access_denied", Rejected::Denied), ("server_error", Rejected::Other("server_error".to_owned()))]
    {
        let (mut browser, page) = at_page();
        let end = back(&mut browser, &format!("error={error}&state={}", state_of(&page)));
        assert_eq!(end, NextStep::Fail(Error::Rejected(rejected)));
        assert_eq!(browser.question(), None);
    }
}

#[test]
fn the_callback_address_from_another_browser_may_be_pasted() {
    let answers = |state: &str| {
        [
            format!("{REDIRECT}?code=c&state={state}"),
            format!("  {REDIRECT}?state={state}&code=c#_=_\n"),
            format!("http://localhost:9/elsewhere?code=c&state={state}"),
            format!("?code=c&state={state}"),
            format!("code=c&state={state}\n"),
        ]
    };
    for at in 0..answers("").len() {
        let (mut browser, page) = at_page();
        let pasted = &answers(&state_of(&page))[at];
        let next = browser.pasted(&Secret::new(pasted.clone()));
        let Some(next) = next else { panic!("{pasted} is taken for nothing") };
        let (_, code, _, redirect, _) = exchange(next);
        assert_eq!((code, redirect.as_str()), (Secret::new("c"), REDIRECT), "{pasted}");
        assert_eq!(browser.pasted(&Secret::new(pasted.clone())), None, "once is enough");
    }
}

#[test]
fn rubbish_that_is_pasted_changes_nothing() {
    let (mut browser, page) = at_page();
    let state = state_of(&page);
    for rubbish in ["", "?", "#", "c", "http://127.0.0.1:40123/callback", "code=c&state=x", &state] {
        assert_eq!(browser.pasted(&Secret::new(rubbish)), Some(NextStep::Stray), "{rubbish}");
    }
    assert_eq!(browser.question(), Some(Prompt::Open(page)));
}

#[test]
fn scopes_are_the_configured_ones_or_the_usual_ones_offered() {
    let scope_of = |oauth: &OauthClient, scopes: &[&str]| {
        let scopes = scopes.iter().map(|&scope| scope.to_owned()).collect();
        let (_, page) = at_page_of(Endpoints { scopes, ..endpoints() }, oauth);
        let mut said = parameters(&page);
        let prompt = said.get("prompt").map(String::as_str);
        let offline = said.get("scope").is_some_and(|scope| scope.contains("offline_access"));
        assert_eq!(prompt, offline.then_some("consent"), "a refresh token is meant");
        (said.remove("scope"), said.contains_key("nonce"))
    };
    let usual = Some("openid email offline_access".to_owned());
    assert_eq!(scope_of(&with_id(), &["offline_access", "phone", "email", "openid"]), (usual, true));
    assert_eq!(scope_of(&with_id(), &["email"]), (Some("email".to_owned()), false));
    assert_eq!(scope_of(&with_id(), &[]), (None, false), "it does not say what it has");
    let api = |scope: &str| OauthClient { scope: Some(scope.to_owned()), ..with_id() };
    assert_eq!(scope_of(&api("api"), &["openid"]), (Some("api".to_owned()), false));
    assert_eq!(scope_of(&api("openidx"), &["openid"]), (Some("openidx".to_owned()), false));
    assert_eq!(scope_of(&api("api openid"), &[]), (Some("api openid".to_owned()), true));
}

#[test]
fn an_unknown_client_is_registered_with_its_port() {
    let (mut browser, _) = Browser::begin(&after_ms(0), SERVER, Some(&OauthClient::default()));
    browser.resume(LoginAnswer::Discovered(endpoints()));
    let scope = Some("openid email offline_access".to_owned());
    let register = LoginCall::Register { endpoints: endpoints(), redirect: Some(REDIRECT.to_owned()), scope };
    assert_eq!(browser.listening(PORT), Some(NextStep::Call(register)));
    let next = browser.resume(LoginAnswer::Registered(registration(endpoints())));
    let NextStep::Ask(Prompt::Open(page)) = next else { panic!("{next:?}") };
    assert_eq!((page.port, parameters(&page)["client_id"].as_str()), (PORT, "everkey-1"));
}

#[test]
fn a_registered_address_is_used_to_the_letter() {
    let path = "/oauth/back".to_owned();
    let callback = CallbackAddress { localhost: true, port: CallbackPort::Only(PORT), path };
    let oauth = OauthClient { callback: callback.clone(), ..with_id() };
    let (mut browser, _) = Browser::begin(&after_ms(0), SERVER, Some(&oauth));
    assert_eq!(browser.resume(LoginAnswer::Discovered(endpoints())), NextStep::Listen(callback));
    let Some(NextStep::Ask(Prompt::Open(page))) = browser.listening(PORT) else { panic!("no page") };
    let address = "http://localhost:40123/oauth/back";
    assert_eq!(parameters(&page)["redirect_uri"], address);
    let (.., redirect, _) = exchange(back(&mut browser, &format!("code=c&state={}", state_of(&page))));
    assert_eq!(redirect, address);
}

#[test]
fn each_resource_is_asked_for_and_kept_with_the_grant() {
    let resources = ["https://a.example", "https://b.example/?x"].map(str::to_owned).to_vec();
    let known = OauthClient { resources: resources.clone(), ..with_id() };
    let unknown = OauthClient { resources: resources.clone(), ..OauthClient::default() };
    for oauth in [known, unknown] {
        let (mut browser, _) = Browser::begin(&after_ms(0), SERVER, Some(&oauth));
        browser.resume(LoginAnswer::Discovered(endpoints()));
        let mut next = browser.listening(PORT);
        if matches!(next, Some(NextStep::Call(_))) {
            next = Some(browser.resume(LoginAnswer::Registered(registration(endpoints()))));
        }
        let Some(NextStep::Ask(Prompt::Open(page))) = next else { panic!("{next:?}") };
        let query = page.url.split_once('?').map_or("", |(_, query)| query);
        let asked = form_urlencoded::parse(query.as_bytes()).into_owned();
        let asked: Vec<_> = asked.filter(|(name, _)| name == "resource").map(|(_, value)| value).collect();
        assert_eq!(asked, resources);
        let state = form_urlencoded::parse(query.as_bytes()).find(|(name, _)| name == "state");
        let state = state.map(|(_, value)| value.into_owned()).unwrap_or_default();
        let (known, ..) = exchange(back(&mut browser, &format!("code=c&state={state}")));
        assert_eq!(known.resources, resources);
    }
}

#[test]
fn a_registration_that_is_refused_or_impossible_ends_it() {
    let (mut browser, _) = Browser::begin(&after_ms(0), SERVER, Some(&OauthClient::default()));
    browser.resume(LoginAnswer::Discovered(endpoints()));
    browser.listening(PORT);
    let refused = || "invalid_client_metadata".to_owned();
    let end = browser.resume(LoginAnswer::Rejected(Rejected::Other(refused())));
    assert_eq!(end, NextStep::Fail(Error::Rejected(Rejected::Registration(refused()))));

    let (mut browser, _) = Browser::begin(&after_ms(0), SERVER, Some(&OauthClient::default()));
    browser.resume(LoginAnswer::Discovered(Endpoints { registration: None, ..endpoints() }));
    assert_eq!(browser.listening(PORT), Some(NextStep::Fail(Error::Rejected(Rejected::NoClient))));
}

#[test]
fn a_server_without_a_page_does_not_offer_it() {
    let (mut browser, _) = Browser::begin(&after_ms(0), SERVER, Some(&with_id()));
    let end = browser.resume(LoginAnswer::Discovered(Endpoints { authorization: None, ..endpoints() }));
    assert_eq!(end, NextStep::Fail(Error::Rejected(Rejected::SignInMethod(SignInMethod::Browser))));
}

#[test]
fn a_page_with_a_query_of_its_own_keeps_it() {
    let tenant = Some(format!("{SERVER}/authorize?tenant=x"));
    let (_, page) = at_page_of(Endpoints { authorization: tenant, ..endpoints() }, &with_id());
    assert_eq!(parameters(&page)["tenant"], "x");
    assert!(page.url.starts_with("https://id.example/authorize?tenant=x&response_type=code"), "{}", page.url);
}

#[test]
fn endpoints_that_are_known_are_not_asked_for() {
    let given = OauthClient { discovery: crate::policy::Discovery::Given(endpoints()), ..with_id() };
    assert_eq!(
        Browser::begin(&after_ms(0), SERVER, Some(&given)).1,
        NextStep::Listen(CallbackAddress::default())
    );
    let usual = OauthClient { discovery: crate::policy::Discovery::UsualPaths, ..OauthClient::default() };
    let (mut browser, first) = Browser::begin(&after_ms(0), SERVER, Some(&usual));
    assert_eq!(first, NextStep::Listen(CallbackAddress::default()));
    let next = browser.listening(PORT);
    let Some(NextStep::Call(LoginCall::Register { endpoints, .. })) = next else { panic!("{next:?}") };
    assert_eq!(endpoints.registration.as_deref(), Some("https://id.example/register"));
    assert_eq!(endpoints.token, "https://id.example/token");
    assert_eq!(endpoints.authorization.as_deref(), Some("https://id.example/authorize"));
}

#[test]
fn a_failed_exchange_ends_the_login_without_resending_the_code() {
    let other = NetError { server: SERVER.to_owned(), kind: NetErrorKind::Timeout };
    let ends = [
        (no(NetErrorKind::Timeout), Error::Net(other)),
        (LoginAnswer::Rejected(Rejected::Code), Error::Rejected(Rejected::Code)),
        (LoginAnswer::Limited(9), Error::RateLimited { secs: 9 }),
    ];
    for (answer, error) in ends {
        let (mut browser, page) = at_page();
        let query = format!("code=c&state={}", state_of(&page));
        exchange(back(&mut browser, &query));
        assert_eq!(browser.resume(answer), NextStep::Fail(error));
        assert_eq!(back(&mut browser, &query), NextStep::Stray);
    }
}

#[test]
fn the_server_is_asked_when_tokens_name_no_user() {
    let (mut browser, page) = at_page();
    exchange(back(&mut browser, &format!("code=c&state={}", state_of(&page))));
    let next = browser.resume(LoginAnswer::Granted(grant(None)));
    assert!(matches!(next, NextStep::Call(LoginCall::Identify { .. })), "{next:?}");
    let NextStep::Finish(grant, Some(known)) = browser.resume(accepted(Some(user("ann")))) else {
        panic!("it is not finished")
    };
    assert_eq!((grant.user, *known), (Some(user("ann")), configured(endpoints())));
}

#[test]
fn metadata_is_sought_at_the_second_place_before_failing() {
    let (mut browser, _) = Browser::begin(&after_ms(0), SERVER, Some(&OauthClient::default()));
    let absent =
        || LoginAnswer::Net(NetError { server: SERVER.to_owned(), kind: NetErrorKind::Status(404, None) });
    assert_eq!(browser.resume(absent()), discovery(SignInMethod::Browser, WellKnown::OAuth));
    assert!(matches!(browser.resume(absent()), NextStep::Fail(Error::Net(_))));
}
