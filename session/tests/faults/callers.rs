//! Callers who begin, join, replace, leave and end a sign-in, and one that goes on in the agent's next life.

use crate::flows::{SECOND, device_flow, login, poll, signed_out};
use crate::script::*;
use everkey_proto::reply::{Field, Revocation as Word, SignInUnderWay};
use everkey_proto::request::{SessionRequest, UnderWay};
use everkey_proto::{Entry, FlowId, Secret, SignInMethod};
use everkey_session::policy::Policy;
use everkey_session::{
    DeviceInstructions, Effect, Error, JobResult, KeptSignIn, Loaded, LoginAnswer, LoginCall, NetJob, Notice,
    ProfileReply, Rejected,
};

fn join(flow: FlowId) -> SessionRequest {
    SessionRequest::Login { scheme: None, under_way: Some(UnderWay::Join(flow)) }
}

fn replace(flow: FlowId) -> SessionRequest {
    SessionRequest::Login { scheme: None, under_way: Some(UnderWay::Replace(flow)) }
}

fn instead(flow: FlowId, scheme: SignInMethod) -> SessionRequest {
    SessionRequest::Login { scheme: Some(scheme), under_way: Some(UnderWay::Replace(flow)) }
}

#[test]
fn a_second_caller_joins() {
    let mut agent = signed_out();
    let (flow, shown) = device_flow(&mut agent);
    let under_way = SignInUnderWay {
        flow,
        scheme: SignInMethod::Device,
        server: SERVER.to_owned(),
        email: None,
        started_at: START_WALL,
    };
    let in_progress =
        |waiter| reply(waiter, ProfileReply::Failed(Error::InProgress(Box::new(under_way.clone()))));
    for ask in [
        SessionRequest::Login { scheme: None, under_way: None },
        login(SignInMethod::Token),
        join(FlowId(flow.0 ^ 1)),
        replace(FlowId(flow.0 ^ 1)),
    ] {
        assert_eq!(agent.ask(2, ask.clone()), [in_progress(2)], "{ask:?}");
    }
    assert_eq!(agent.ask_at(2, "https://b.example", login(SignInMethod::Device)), [in_progress(2)]);
    assert_eq!(agent.ask(3, join(flow)), [reply(3, shown.clone())]);
    let op = poll(&mut agent, 5 * SECOND);
    assert_eq!(agent.ask(4, join(flow)), [reply(4, shown)], "while a poll is under way");
    let effects = agent.login_answered(op, LoginAnswer::Granted(grant(1)));
    let (op, _) = only_store(effects);
    assert_eq!(agent.ask(5, login(SignInMethod::Token)), [], "whatever the way, once the tokens are there");
    let (op, _) = only_store(agent.done(op, JobResult::Stored(Ok(()))));
    let effects = agent.done(op, JobResult::Replaced(Ok(everkey_session::Replaced::Done)));
    let done = reply(5, ProfileReply::SignedIn { user: Some(user()), already: false });
    assert!(effects.contains(&done), "{effects:?}");
}

#[test]
fn an_early_second_caller_gets_the_same_code() {
    let mut agent = signed_out();
    let (op, _) = only_net(agent.ask(1, SessionRequest::Login { scheme: None, under_way: None }));
    let flow = under_way(&agent.ask(2, SessionRequest::Login { scheme: None, under_way: None })).flow;
    assert_eq!(agent.ask(2, join(flow)), []);
    let refused = Rejected::Other("slow".to_owned());
    let failed = |waiter| reply(waiter, ProfileReply::Failed(Error::Rejected(refused.clone())));
    assert_eq!(agent.login_answered(op, LoginAnswer::Rejected(refused.clone())), [failed(1), failed(2)]);
}

#[test]
fn another_sign_in_method_replaces_the_first() {
    let mut agent = signed_out();
    let (flow, _) = device_flow(&mut agent);
    agent.ask(2, SessionRequest::Wait { flow });
    let op = poll(&mut agent, 5 * SECOND);
    let effects = agent.ask(3, instead(flow, SignInMethod::Token));
    let [gone, Effect::Reply(_, asked)] = &effects[..] else { panic!("{effects:?}") };
    assert_eq!(*gone, reply(2, ProfileReply::Failed(Error::FlowReplaced)));
    let ProfileReply::Asked { flow: other, field: Field::Token, tries: 3, again: None, .. } = **asked else {
        panic!("{asked:?}")
    };
    assert_ne!(flow, other);
    let late = agent.login_answered(op, LoginAnswer::Granted(grant(1)));
    let [Effect::Store(_, _), Effect::Net(_, NetJob::Revoke(revocation))] = &late[..] else {
        panic!("{late:?} instead of a revocation")
    };
    assert_eq!(revocation.refresh, grant(1).refresh);
    let still = ProfileReply::Asked { flow: other, field: Field::Token, tries: 3, again: None, sent: None };
    assert_eq!(agent.ask(4, SessionRequest::Wait { flow: other }), []);
    let (effects, waited) = agent.wait_for();
    assert_eq!((effects, waited), (vec![reply(4, still)], 20 * SECOND), "nobody has answered");
}

#[test]
fn a_flow_outlives_whoever_began_it() {
    let mut agent = signed_out();
    let (flow, _) = device_flow(&mut agent);
    agent.ask(2, SessionRequest::Wait { flow });
    assert_eq!(agent.gone(2), []);
    let op = poll(&mut agent, 5 * SECOND);
    let effects = agent.login_answered(op, LoginAnswer::Granted(grant(1)));
    assert_eq!(agent.store_sign_in(effects), [Effect::Notify(Notice::SignedIn)]);
    assert!(agent.is_signed_in());
}

#[test]
fn a_cancelled_flow_is_not_polled() {
    let mut agent = signed_out();
    let (flow, _) = device_flow(&mut agent);
    agent.ask(2, SessionRequest::Wait { flow });
    let gone = reply(2, ProfileReply::Failed(Error::FlowCancelled));
    let effects = agent.ask(3, SessionRequest::Cancel { flow });
    assert_eq!(effects, [gone, reply(3, ProfileReply::LoggedOut(Word::NothingToDo))]);
    assert_eq!(agent.wait_for().0, []);
}

#[test]
fn a_sign_in_ends_when_its_last_caller_leaves() {
    let mut agent = signed_out();
    let (flow, _) = device_flow(&mut agent);
    agent.ask(2, join(flow));
    agent.ask(3, SessionRequest::Wait { flow });
    let left = |waiter| reply(waiter, ProfileReply::LoggedOut(Word::NothingToDo));
    assert_eq!(agent.ask(4, SessionRequest::Leave { flow }), [left(4)], "somebody else is in it");
    let op = poll(&mut agent, 5 * SECOND);
    agent.login_answered(op, LoginAnswer::Pending);
    let over = reply(3, ProfileReply::Failed(Error::FlowCancelled));
    assert_eq!(agent.ask(5, SessionRequest::Leave { flow }), [over, left(5)]);
    assert_eq!(agent.wait_for().0, [], "nothing is polled any more");
}

#[test]
fn a_device_sign_in_goes_on_in_the_next_life() {
    let mut agent = signed_out();
    let (flow, shown) = device_flow(&mut agent);
    let kept = agent.kept_sign_in.clone().expect("the disk holds it");
    let schemes = vec![SignInMethod::Device, SignInMethod::Token];
    let policy = Policy { schemes, ..policy() };
    let files = Loaded { sign_in: Some(Box::new(kept.clone())), ..no_files() };
    let (mut agent, effects) = Agent::start_with(policy.clone(), files);
    assert_eq!(effects, []);
    assert_eq!(agent.ask(2, join(flow)), [reply(2, shown)]);
    let op = poll(&mut agent, 5 * SECOND);
    let effects = agent.login_answered(op, LoginAnswer::Granted(grant(1)));
    agent.kept_sign_in = Some(kept.clone());
    agent.store_sign_in(effects);
    assert!(agent.is_signed_in());
    assert_eq!(agent.kept_sign_in, None, "it is forgotten with the sign-in");

    let shown = DeviceInstructions { expires_at: START_WALL, ..kept.shown };
    let lapsed = KeptSignIn { shown, ..kept };
    let files = Loaded { sign_in: Some(Box::new(lapsed)), ..no_files() };
    let (mut agent, _) = Agent::start_with(policy, files);
    assert_eq!(
        agent.ask(2, SessionRequest::Wait { flow }),
        [reply(2, ProfileReply::Failed(Error::FlowGone))]
    );
    assert_eq!(agent.wait_for().0, [], "a code that has lapsed is not polled");
}

#[test]
fn every_end_forgets_a_kept_sign_in() {
    for end in [
        |agent: &mut Agent, flow| drop(agent.ask(2, SessionRequest::Cancel { flow })),
        |agent: &mut Agent, flow| drop(agent.ask(2, instead(flow, SignInMethod::Token))),
        |agent: &mut Agent, _| {
            let op = poll(agent, 5 * SECOND);
            agent.login_answered(op, LoginAnswer::Rejected(Rejected::Denied));
        },
    ] {
        let mut agent = signed_out();
        let (flow, _) = device_flow(&mut agent);
        assert!(agent.kept_sign_in.is_some());
        end(&mut agent, flow);
        assert_eq!(agent.kept_sign_in, None);
    }
}

#[test]
fn two_peoples_codes_are_told_apart() {
    let (mut agent, _) = Agent::start_with(policy(), no_files());
    let asked = agent.ask(1, SessionRequest::Login { scheme: None, under_way: None });
    let [Effect::Reply(_, answer)] = &asked[..] else { panic!("{asked:?}") };
    let ProfileReply::Asked { flow, .. } = **answer else { panic!("{answer:?}") };
    let sent = || LoginAnswer::CodeSent { expires_in: None, resend_available_in: None, request_id: None };
    let email = |text: &str| SessionRequest::Answer { flow, entry: Entry::Email(text.to_owned()) };
    let (op, _) = only_net(agent.ask(2, email("carl@example.com")));
    agent.login_answered(op, sent());
    let other = under_way(&agent.ask(3, SessionRequest::Login { scheme: None, under_way: None }));
    assert_eq!((other.flow, other.email.as_deref()), (flow, Some("carl@example.com")));
    // Dora joins all the same; Carl's code is still Carl's.
    agent.ask(4, join(flow));
    let (op, _) = only_net(agent.ask(5, email("dora@example.com")));
    agent.login_answered(op, sent());
    let code = Entry::Code { email: "carl@example.com".to_owned(), code: Secret::new("123456") };
    let (_, job) = only_net(agent.ask(6, SessionRequest::Answer { flow, entry: code }));
    let NetJob::Login { call: LoginCall::VerifyCode { email, .. }, .. } = job else { panic!("{job:?}") };
    assert_eq!(email, "carl@example.com");
}
