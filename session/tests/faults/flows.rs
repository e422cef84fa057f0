//! Sign-ins by device code and by a pasted token.

use crate::script::*;
use everkey_proto::reply::{CodeSent, Field};
use everkey_proto::request::SessionRequest;
use everkey_proto::{Entry, FlowId, Secret, SignInMethod};
use everkey_session::policy::Policy;
use everkey_session::{
    DeviceInstructions, Effect, Error, Identity, LoginAnswer, LoginCall, NetErrorKind, NetJob, Notice, Op,
    ProfileReply, Rejected, Session, StoreJob,
};
use std::collections::BTreeMap;

pub const SECOND: u64 = 1_000;

pub fn login(scheme: SignInMethod) -> SessionRequest {
    SessionRequest::Login { scheme: Some(scheme), under_way: None }
}

pub fn signed_out() -> Agent {
    let schemes = vec![SignInMethod::Device, SignInMethod::Token];
    let (agent, effects) = Agent::start_with(Policy { schemes, ..policy() }, no_files());
    assert_eq!(effects, []);
    agent
}

/// The code is shown to client 1; the flow, and what was shown.
pub fn device_flow(agent: &mut Agent) -> (FlowId, ProfileReply) {
    let (op, job) = only_net(agent.ask(1, SessionRequest::Login { scheme: None, under_way: None }));
    let call = LoginCall::StartDevice { registration: None, scope: None };
    assert_eq!(job, NetJob::Login { server: SERVER.to_owned(), call });
    let started = LoginAnswer::DeviceStarted {
        device_code: Secret::new("device code"),
        user_code: "WDJB-MJHT".to_owned(),
        url: "https://api.example/activate".to_owned(),
        complete_url: None,
        expires_in: 600,
        interval: 5,
    };
    let effects = agent.login_answered(op, started);
    let [Effect::Reply(_, shown)] = &effects[..] else { panic!("{effects:?} instead of a code") };
    let ProfileReply::Shown { flow, shown: DeviceInstructions { user_code, .. } } = &**shown else {
        panic!("{shown:?}")
    };
    assert_eq!(user_code, "WDJB-MJHT");
    (*flow, (**shown).clone())
}

fn poll_of(effects: Vec<Effect>) -> Op {
    let (op, job) = only_net(effects);
    let NetJob::Login { call: LoginCall::PollDevice { .. }, .. } = job else { panic!("{job:?}") };
    op
}

/// The poll that comes after `ms`, not yet answered.
pub fn poll(agent: &mut Agent, ms: u64) -> Op {
    assert_eq!(agent.idle_ms(), ms);
    let effects = agent.sleep(ms);
    poll_of(agent.look_at_unchanged_file(effects))
}

#[test]
fn a_device_flow_polls_until_approval_and_answers_waiters() {
    let mut agent = signed_out();
    let (flow, shown) = device_flow(&mut agent);
    assert_eq!(agent.ask(2, SessionRequest::Wait { flow }), []);
    for _ in 0..3 {
        let op = poll(&mut agent, 5 * SECOND);
        assert_eq!(agent.login_answered(op, LoginAnswer::Pending), []);
    }
    let mut effects = agent.sleep(5 * SECOND);
    assert_eq!(effects.pop(), Some(reply(2, shown)), "the same step after 20 s");
    let op = poll_of(effects);
    assert_eq!(agent.ask(3, SessionRequest::Wait { flow }), [], "though a poll is under way");
    assert_eq!(agent.login_answered(op, LoginAnswer::SlowDown), []);
    let op = poll(&mut agent, 10 * SECOND);
    let effects = agent.login_answered(op, LoginAnswer::Granted(grant(1)));
    let effects = agent.store_sign_in(effects);
    let done = reply(3, ProfileReply::SignedIn { user: Some(user()), already: false });
    assert_eq!(effects, [Effect::Notify(Notice::SignedIn), done]);
    assert_eq!(agent.ask(4, token()), [reply(4, token_of(&agent.file))]);
    let done = ProfileReply::SignedIn { user: Some(user()), already: false };
    assert_eq!(
        agent.ask(5, SessionRequest::Wait { flow }),
        [reply(5, done)],
        "it ended between two questions of a client"
    );
}

#[test]
fn waiters_of_a_failed_device_flow_are_answered_at_once() {
    let mut agent = signed_out();
    let (flow, _) = device_flow(&mut agent);
    agent.ask(2, SessionRequest::Wait { flow });
    let op = poll(&mut agent, 5 * SECOND);
    let denied = Error::Rejected(Rejected::Denied);
    let effects = agent.login_answered(op, LoginAnswer::Rejected(Rejected::Denied));
    assert_eq!(effects, [reply(2, ProfileReply::Failed(denied.clone()))]);
    assert_eq!(
        agent.ask(3, SessionRequest::Wait { flow }),
        [reply(3, ProfileReply::Failed(denied))],
        "a moment late"
    );
    let other = FlowId(flow.0 ^ 1);
    assert_eq!(
        agent.ask(4, SessionRequest::Wait { flow: other }),
        [reply(4, ProfileReply::Failed(Error::FlowGone))]
    );
}

#[test]
fn a_server_that_never_answers_ends_the_flow_in_time() {
    let mut agent = signed_out();
    let (flow, _) = device_flow(&mut agent);
    let unanswered = LoginAnswer::Net(trouble(NetErrorKind::Timeout));
    let mut waited = 0;
    loop {
        assert!(waited < 600, "still asked after {waited} s");
        agent.ask(2, SessionRequest::Wait { flow });
        let effects = agent.wait();
        if effects.contains(&reply(2, ProfileReply::Failed(Error::Net(trouble(NetErrorKind::Timeout))))) {
            break;
        }
        waited += 5;
        for effect in effects {
            if let Effect::Net(op, _) = effect {
                agent.login_answered(op, unanswered.clone());
            }
        }
    }
}

#[test]
fn an_unsupported_sign_in_method_is_refused_without_effect() {
    let mut agent = signed_out();
    let (flow, _) = device_flow(&mut agent);
    let offered = Error::NoSuchScheme(vec![SignInMethod::Device, SignInMethod::Token]);
    assert_eq!(agent.ask(2, login(SignInMethod::Browser)), [reply(2, ProfileReply::Failed(offered))]);
    assert_eq!(agent.ask(3, SessionRequest::Wait { flow }), []);
}

/// Client 2 has pasted a token, and the server is being asked about it.
fn token_pasted(agent: &mut Agent, text: &str) -> (FlowId, Op) {
    let effects = agent.ask(1, login(SignInMethod::Token));
    let [Effect::Reply(_, asked)] = &effects[..] else { panic!("{effects:?}") };
    let ProfileReply::Asked { flow, field: Field::Token, .. } = **asked else { panic!("{asked:?}") };
    let (op, job) =
        only_net(agent.ask(2, SessionRequest::Answer { flow, entry: Entry::Text(Secret::new(text)) }));
    let call = LoginCall::Identify { registration: None, access: Secret::new("pat_1") };
    assert_eq!(job, NetJob::Login { server: SERVER.to_owned(), call });
    (flow, op)
}

fn accepted() -> LoginAnswer {
    LoginAnswer::Identified(Identity::Accepted { user: Some(user()), about: BTreeMap::new() })
}

#[test]
fn a_pasted_token_is_kept_once_accepted() {
    let mut agent = signed_out();
    let (_, op) = token_pasted(&mut agent, " pat_1\n");
    let effects = agent.login_answered(op, accepted());
    let effects = agent.store_sign_in(effects);
    let done = reply(2, ProfileReply::SignedIn { user: Some(user()), already: false });
    assert_eq!(effects, [Effect::Notify(Notice::SignedIn), done]);
    let Session { access, access_expires_at, refresh, .. } = &agent.file;
    assert_eq!((access, *access_expires_at, refresh), (&Secret::new("pat_1"), None, &None));
    let given =
        ProfileReply::Token { access: Secret::new("pat_1"), expires_at: None, short: None, ended: None };
    assert_eq!(agent.ask(3, SessionRequest::Token { min_validity_secs: u32::MAX }), [reply(3, given)]);
}

#[test]
fn a_refused_token_is_kept_nowhere_and_asked_for_again() {
    let mut agent = signed_out();
    let (flow, op) = token_pasted(&mut agent, "pat_1");
    let effects = agent.login_answered(op, LoginAnswer::Identified(Identity::Refused));
    let again = Some(Error::Rejected(Rejected::Token));
    let asked = ProfileReply::Asked { flow, field: Field::Token, tries: 2, again, sent: None };
    assert_eq!(effects, [reply(2, asked)]);
    assert!(!agent.is_signed_in());
}

#[test]
fn a_pasted_token_takes_the_place_of_a_session() {
    let schemes = vec![SignInMethod::Device, SignInMethod::Token];
    let (mut agent, _) = Agent::start_with(Policy { schemes, ..policy() }, files_of(&session(0)));
    let already = ProfileReply::SignedIn { user: Some(user()), already: true };
    assert_eq!(agent.ask(9, login(SignInMethod::Device)), [reply(9, already)]);
    let (_, op) = token_pasted(&mut agent, "pat_1");
    let effects = agent.login_answered(op, accepted());
    agent.store_sign_in(effects);
    assert_eq!(agent.file.access, Secret::new("pat_1"));
}

#[test]
fn a_sign_in_being_stored_can_not_be_cancelled() {
    let mut agent = signed_out();
    let (flow, op) = token_pasted(&mut agent, "pat_1");
    let (_, job) = only_store(agent.login_answered(op, accepted()));
    assert!(matches!(job, StoreJob::WriteSidecar(_)), "{job:?}");
    assert_eq!(
        agent.ask(3, SessionRequest::Cancel { flow }),
        [reply(3, ProfileReply::Failed(Error::FlowGone))]
    );
}

#[test]
fn the_first_code_works_if_no_other_arrives() {
    let (mut agent, _) = Agent::start_with(policy(), no_files());
    let asked = agent.ask(1, SessionRequest::Login { scheme: None, under_way: None });
    let [Effect::Reply(_, answer)] = &asked[..] else { panic!("{asked:?}") };
    let ProfileReply::Asked { flow, field: Field::Email, sent: None, .. } = **answer else {
        panic!("{answer:?}")
    };
    let typed = |text: &str| SessionRequest::Answer { flow, entry: Entry::Text(Secret::new(text)) };
    let email = |text: &str| SessionRequest::Answer { flow, entry: Entry::Email(text.to_owned()) };
    let request = |email: &str| {
        let call = LoginCall::RequestCode { email: email.to_owned() };
        NetJob::Login { server: SERVER.to_owned(), call }
    };
    let code_sent = |secs| LoginAnswer::CodeSent {
        expires_in: Some(secs),
        resend_available_in: Some(30),
        request_id: None,
    };
    let question = |to: &str, secs, tries, again| {
        let sent = CodeSent { to: to.to_owned(), expires_in: Some(secs), resend_available_in: Some(30) };
        ProfileReply::Asked { flow, field: Field::Code, tries, again, sent: Some(sent) }
    };

    let (op, _) = only_net(agent.ask(2, typed("ann@example.com")));
    let effects = agent.login_answered(op, code_sent(600));
    assert_eq!(effects, [reply(2, question("ann@example.com", 600, 5, None))]);
    let wrong = Some(Error::Rejected(Rejected::Code));
    let (op, _) = only_net(agent.ask(3, typed("000000")));
    let effects = agent.login_answered(op, LoginAnswer::Rejected(Rejected::Code));
    assert_eq!(effects, [reply(3, question("ann@example.com", 600, 4, wrong))]);

    for (waiter, answer, again) in [
        (4, LoginAnswer::Limited(9), Error::RateLimited { secs: 9 }),
        (5, LoginAnswer::Net(trouble(NetErrorKind::Timeout)), Error::Net(trouble(NetErrorKind::Timeout))),
        (6, LoginAnswer::Rejected(Rejected::Email), Error::Rejected(Rejected::Email)),
    ] {
        let (op, job) = only_net(agent.ask(waiter, email("bob@example.com")));
        assert_eq!(job, request("bob@example.com"));
        assert_eq!(agent.ask(90 + waiter, SessionRequest::Wait { flow }), [], "nothing is asked meanwhile");
        let question = question("ann@example.com", 600, 4, Some(again));
        let both = [reply(waiter, question.clone()), reply(90 + waiter, question)];
        assert_eq!(agent.login_answered(op, answer), both);
    }

    let (op, job) = only_net(agent.ask(7, email(" ann@example.com ")));
    assert_eq!(job, request("ann@example.com"));
    let effects = agent.login_answered(op, code_sent(500));
    assert_eq!(effects, [reply(7, question("ann@example.com", 500, 5, None))]);
    let (op, job) = only_net(agent.ask(8, typed("123 456")));
    let call = LoginCall::VerifyCode {
        email: "ann@example.com".to_owned(),
        code: Secret::new("123456"),
        request_id: None,
        second_factor: None,
    };
    assert_eq!(job, NetJob::Login { server: SERVER.to_owned(), call });
    let effects = agent.login_answered(op, LoginAnswer::Granted(grant(1)));
    let effects = agent.store_sign_in(effects);
    assert!(effects.contains(&reply(8, ProfileReply::SignedIn { user: Some(user()), already: false })));
}
