//! A session that is simply asked for again (RFC 6749 section 4.4): no person, no refresh token.

use crate::script::*;
use everkey_proto::request::SessionRequest;
use everkey_proto::{Secret, SignInMethod};
use everkey_session::policy::{Discovery, OauthClient, Policy, Renewal};
use everkey_session::{
    Capability, Claims, Effect, Endpoints, Error, Fingerprint, LoginAnswer, LoginCall, NetErrorKind, NetJob,
    Notice, Op, ProfileReply, Rejected, TokenResponse,
};
use std::collections::BTreeMap;

const LIFETIME: i64 = 600;

fn policy_of_machine() -> Policy {
    let endpoints =
        Endpoints { issuer: SERVER.to_owned(), token: format!("{SERVER}/token"), ..Endpoints::default() };
    let oauth = OauthClient {
        discovery: Discovery::Given(endpoints),
        client_id: Some("ci".to_owned()),
        ..OauthClient::default()
    };
    let (schemes, renewal) = (vec![SignInMethod::Client], Renewal::ClientCredentials);
    Policy { schemes, renewal, oauth: Some(oauth), ..policy() }
}

fn issued(number: u64) -> TokenResponse {
    TokenResponse {
        access: Secret::new(format!("machine-{number}")),
        access_expires_in: Some(LIFETIME),
        refresh: None,
        refresh_expires_in: None,
        user: None,
        about: BTreeMap::new(),
        claims: Claims::default(),
        capability: Capability::None,
        ..grant(number)
    }
}

/// A machine on which nobody has asked for anything yet.
fn fresh() -> Agent {
    let (mut agent, effects) = Agent::start_with(policy_of_machine(), no_files());
    assert_eq!(effects, []);
    agent.is_there = false;
    agent
}

/// The question to the token endpoint, among these effects.
fn question(effects: Vec<Effect>) -> Op {
    let (op, job) = only_net(effects);
    let NetJob::Login { call: LoginCall::ClientCredentials { registration, .. }, .. } = job else {
        panic!("{job:?} instead of the question")
    };
    assert!(registration.configured && registration.client_id == "ci");
    op
}

/// The server answers with the next token, and it is stored.
fn answer(agent: &mut Agent, op: Op, number: u64) -> Vec<Effect> {
    let effects = agent.login_answered(op, LoginAnswer::Granted(issued(number)));
    agent.store_sign_in(effects)
}

/// Signed in by the first token request.
fn asked_once() -> Agent {
    let mut agent = fresh();
    let op = question(agent.ask(1, token()));
    answer(&mut agent, op, 1);
    agent
}

#[test]
fn the_first_request_for_a_token_asks_the_server() {
    let mut agent = fresh();
    let op = question(agent.ask(1, token()));
    assert_eq!(agent.ask(2, token()), [], "one question for all");
    let effects = answer(&mut agent, op, 1);
    let given = || token_of(&agent.file);
    assert!(effects.contains(&Effect::Notify(Notice::SignedIn)), "{effects:?}");
    assert!(effects.contains(&reply(1, given())) && effects.contains(&reply(2, given())), "{effects:?}");
    assert_eq!(agent.file.refresh, None);
}

#[test]
fn the_next_token_is_asked_for_ahead_of_time() {
    let mut agent = asked_once();
    for number in 2..5 {
        let (effects, waited) = agent.wait_for();
        let ahead = LIFETIME.unsigned_abs() * 1000 - waited;
        assert!((60_000..=200_000).contains(&ahead), "{ahead} ms ahead");
        let op = question(effects);
        assert_eq!(agent.ask(1, token()), [reply(1, token_of(&agent.file))], "nobody waits");
        let effects = answer(&mut agent, op, number);
        assert!(effects.contains(&Effect::Notify(Notice::Refreshed)), "{effects:?}");
    }
}

#[test]
fn an_outage_is_waited_for_and_never_a_sign_in() {
    let mut agent = asked_once();
    let mut op = question(agent.wait());
    let down = || LoginAnswer::Net(trouble(NetErrorKind::Status(503, None)));
    for _ in 0..30 {
        agent.login_answered(op, down());
        let (effects, waited) = agent.wait_for();
        assert!((500..=60_000).contains(&waited), "{waited} ms");
        op = question(effects);
    }
    let waits = agent.ask(1, token());
    assert_eq!(waits, [], "the old one has expired");
    let told = agent.login_answered(op, down());
    assert!(matches!(&told[..], [Effect::Reply(..)] | []), "{told:?}");
    let next = agent.wait();
    let op = question(next.into_iter().filter(|effect| matches!(effect, Effect::Net(..))).collect());
    answer(&mut agent, op, 2);
    assert_eq!(agent.ask(2, token()), [reply(2, token_of(&agent.file))]);
}

#[test]
fn a_refused_client_is_told_and_tried_again_slowly() {
    let mut agent = fresh();
    let mut op = question(agent.ask(1, token()));
    let refused = Error::Rejected(Rejected::Client("invalid_client".to_owned()));
    let mut longest = 0;
    for waiter in 1..12 {
        let told =
            agent.login_answered(op, LoginAnswer::Rejected(Rejected::Other("invalid_client".to_owned())));
        assert_eq!(told, [reply(waiter, ProfileReply::Failed(refused.clone()))]);
        let effects = agent.ask(waiter + 1, token());
        let (effects, waited) = if effects.is_empty() { agent.wait_for() } else { (effects, 0) };
        longest = waited.max(longest);
        op = question(effects);
    }
    assert!(longest <= 1_000, "somebody waits: {longest} ms");
}

#[test]
fn a_forced_refresh_does_not_wait_out_the_pauses() {
    let mut agent = asked_once();
    agent.suspend(60_000);
    for waiter in 2..12 {
        let effects = agent.ask(waiter, SessionRequest::Refresh { force: true });
        let (effects, waited) = if effects.is_empty() { agent.wait_for() } else { (effects, 0) };
        assert!(waited <= 1_000, "somebody waits: {waited} ms");
        let refused = LoginAnswer::Rejected(Rejected::Other("invalid_client".to_owned()));
        let asked = effects.into_iter().filter(|effect| matches!(effect, Effect::Net(..))).collect();
        agent.login_answered(question(asked), refused);
    }
}

#[test]
fn a_sign_in_is_tried_while_the_client_is_refused() {
    let mut agent = asked_once();
    let op = question(agent.wait());
    agent.login_answered(op, LoginAnswer::Rejected(Rejected::Other("invalid_client".to_owned())));
    let effects = agent.ask(2, SessionRequest::Login { scheme: None, under_way: None });
    let asks = effects.iter().any(|effect| matches!(effect, Effect::Net(_, NetJob::Login { .. })));
    assert!(asks, "{effects:?}");
}

#[test]
fn n29_a_reported_token_is_replaced_by_another() {
    let mut agent = asked_once();
    agent.suspend(60_000);
    let than = Fingerprint::of(&agent.file.access);
    let effects = agent.ask(3, SessionRequest::Better { than });
    let effects = agent.look_at_unchanged_file(effects);
    let op = question(effects);
    let effects = answer(&mut agent, op, 2);
    assert!(effects.contains(&reply(3, token_of(&agent.file))), "{effects:?}");
    agent.suspend(1_000);
    let op = question(agent.ask(4, SessionRequest::Refresh { force: true }));
    let effects = answer(&mut agent, op, 3);
    let at = agent.file.access_expires_at;
    assert!(effects.contains(&reply(4, ProfileReply::Refreshed(at))), "{effects:?}");
}
