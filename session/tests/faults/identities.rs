//! Whose a token is: asked of the server where the session file does not say, and for tokens that a caller brings.

use crate::script::*;
use everkey_proto::reply::User;
use everkey_proto::request::SessionRequest;
use everkey_proto::{Entry, Expect, Secret, SignInMethod};
use everkey_session::policy::Policy;
use everkey_session::{
    AuthMethod, CallTarget, Effect, EndReason, Endpoints, Error, Holder, Identity, JobResult, LoginAnswer,
    NetErrorKind, NetJob, Notice, Op, ProfileReply, Registration, Session, SignedOutReason, StoreJob,
};
use std::collections::BTreeMap;

const ELSEWHERE: &str = "https://other.example";

/// A session whose file names no user.
fn nameless() -> Session {
    Session { holder: Holder::default(), ..session(0) }
}

fn nameless_agent() -> Agent {
    let policy = Policy { identifies: true, ..policy() };
    let (mut agent, effects) = Agent::start_with(policy, files_of(&nameless()));
    assert_eq!(effects, []);
    agent.file = nameless();
    agent
}

fn admin() -> BTreeMap<String, String> {
    BTreeMap::from([("role".to_owned(), "admin".to_owned())])
}

fn accepted(user: Option<User>) -> Identity {
    Identity::Accepted { user, about: admin() }
}

/// The question to the usual server about the session's own token.
fn asked_who(effects: Vec<Effect>) -> Op {
    let (op, job) = only_net(effects);
    assert_eq!(job, NetJob::Identify { at: home(), access: session(0).access });
    op
}

#[test]
fn the_server_is_asked_for_the_user_once() {
    let mut agent = nameless_agent();
    let op = asked_who(agent.ask(1, SessionRequest::Whoami));
    let known = reply(1, ProfileReply::Whoami(Some(user())));
    assert_eq!(agent.done(op, JobResult::Identified(accepted(Some(user())))), [known]);
    assert_eq!(
        agent.ask(2, SessionRequest::Whoami),
        [reply(2, ProfileReply::Whoami(Some(user())))],
        "and not asked again"
    );
    let effects = agent.ask(3, SessionRequest::Status);
    let [Effect::Reply(_, answer)] = &effects[..] else { panic!("{effects:?}") };
    let ProfileReply::Status(view) = &**answer else { panic!("{answer:?}") };
    assert_eq!((&view.user, &view.about), (&Some(user()), &admin()));
    let sent = agent.send_when_due();
    agent.succeed(&sent, grant(1));
    assert_eq!(agent.file.holder.user, Some(user()), "nor after a refresh");
    assert!(agent.is_signed_in());
}

#[test]
fn every_identity_question_is_answered_when_the_server_is_silent() {
    let limited = Error::RateLimited { secs: 9 };
    let timeout = trouble(NetErrorKind::Timeout);
    let refused = Error::TokenRefused(SERVER.to_owned());
    let cases = [
        (Identity::Refused, ProfileReply::Failed(refused)),
        (Identity::Untold, ProfileReply::Whoami(None)),
        (accepted(None), ProfileReply::Whoami(None)),
        (Identity::Limited(9), ProfileReply::Failed(limited)),
        (Identity::Net(timeout.clone()), ProfileReply::Failed(Error::Net(timeout))),
    ];
    let mut agent = nameless_agent();
    for (identity, answer) in cases {
        let one = asked_who(agent.ask(1, SessionRequest::Whoami));
        let other = asked_who(agent.ask(2, SessionRequest::Whoami));
        assert_eq!(agent.done(other, JobResult::Identified(identity.clone())), [reply(2, answer.clone())]);
        assert_eq!(agent.done(one, JobResult::Identified(identity.clone())), [reply(1, answer)]);
        assert_eq!(agent.done(one, JobResult::Identified(identity)), [], "once each");
    }
    assert_eq!(agent.ask(3, token()), [reply(3, token_of(&nameless()))], "and the session stands");
}

#[test]
fn a_provider_that_can_not_say_is_not_asked() {
    let (mut agent, _) = Agent::start_with(policy(), files_of(&nameless()));
    assert_eq!(agent.ask(1, SessionRequest::Whoami), [reply(1, ProfileReply::Whoami(None))]);
}

#[test]
fn a_gone_caller_gets_no_answer_and_no_user() {
    let mut agent = nameless_agent();
    let op = asked_who(agent.ask(1, SessionRequest::Whoami));
    assert_eq!(agent.gone(1), []);
    assert_eq!(agent.done(op, JobResult::Identified(accepted(Some(user())))), []);
}

#[test]
fn one_sessions_user_is_not_used_for_another() {
    let mut agent = nameless_agent();
    let op = asked_who(agent.ask(1, SessionRequest::Whoami));
    agent.file = Session { holder: Holder::default(), ..session(5) };
    let effects = agent.file_changed();
    let effects = agent.look_at_unchanged_file(effects);
    assert_eq!(agent.keep_books(effects), [Effect::Notify(Notice::Adopted)]);
    let told = agent.done(op, JobResult::Identified(accepted(Some(user()))));
    assert_eq!(told, [reply(1, ProfileReply::Failed(Error::AccountChanged))]);
    let (_, job) = only_net(agent.ask(2, SessionRequest::Whoami));
    assert_eq!(job, NetJob::Identify { at: home(), access: session(5).access });
}

#[test]
fn the_user_is_known_after_a_restart() {
    let mut files = files_of(&nameless());
    let pin = files.sidecar.as_mut().and_then(|sidecar| sidecar.pin.as_mut());
    pin.into_iter().for_each(|pin| (pin.user, pin.about) = (Some(user()), admin()));
    let (mut agent, _) = Agent::start_with(Policy { identifies: true, ..policy() }, files);
    assert!(agent.is_signed_in());
}

#[test]
fn the_sessions_own_token_is_inspected_where_it_belongs() {
    let mut agent = nameless_agent();
    let op = asked_who(agent.ask(1, SessionRequest::Inspect { token: None }));
    let inspected = reply(1, ProfileReply::Inspected(Identity::Refused));
    assert_eq!(agent.done(op, JobResult::Identified(Identity::Refused)), [inspected]);
    let (at, ask) = (ELSEWHERE, SessionRequest::Inspect { token: None });
    let other = Error::OtherServer { agent: SERVER.to_owned(), client: ELSEWHERE.to_owned() };
    assert_eq!(agent.ask_at(2, at, ask), [reply(2, ProfileReply::Failed(other))]);
    assert!(
        agent.ask(3, SessionRequest::Whoami).iter().any(|one| matches!(one, Effect::Net(..))),
        "it stands"
    );
    let effects = agent.ask(4, token());
    let sent = agent.send(effects);
    let told = agent.succeed(&sent, grant(1));
    assert!(told.contains(&reply(4, token_of(&agent.file))), "{told:?}: another token is given instead");
}

#[test]
fn without_a_session_there_is_no_own_token_to_inspect() {
    let (mut agent, _) = Agent::start_with(policy(), no_files());
    let out = ProfileReply::Failed(Error::NotSignedIn(SignedOutReason::NoFile));
    assert_eq!(agent.ask(1, SessionRequest::Inspect { token: None }), [reply(1, out)]);

    let past = session(0).access_expires_at.map(|at| at - 7200);
    let old = Session { access_expires_at: past, refresh: None, ..session(0) };
    let (mut agent, _) = Agent::start_with(policy(), files_of(&old));
    let over = ProfileReply::Failed(Error::NeedsLogin(EndReason::Expired));
    assert_eq!(agent.ask(1, SessionRequest::Inspect { token: None }), [reply(1, over)]);
}

fn brought() -> SessionRequest {
    SessionRequest::Inspect { token: Some(Secret::new("theirs")) }
}

/// A session at an OAuth server, whose endpoints are known.
fn registered() -> Agent {
    let userinfo = Some(format!("{SERVER}/userinfo"));
    let endpoints = Endpoints { issuer: SERVER.to_owned(), userinfo, ..Endpoints::default() };
    let registration = Registration {
        client_id: "everkey-1".to_owned(),
        client_secret: Some(Secret::new("shh")),
        auth: AuthMethod::ClientSecretBasic,
        endpoints,
        ..Registration::default()
    };
    let holder = Holder { registration: Some(registration), ..holder() };
    let session = Session { holder, ..session(0) };
    let (mut agent, effects) = Agent::start_with(policy(), files_of(&session));
    assert_eq!(effects, []);
    agent.at.registration.clone_from(&session.holder.registration);
    agent.file = session;
    agent
}

#[test]
fn a_callers_token_goes_to_the_named_server() {
    let mut agent = registered();
    let at_home = agent.at.clone();
    let elsewhere = CallTarget { server: ELSEWHERE.to_owned(), registration: None };
    let access = || Secret::new("theirs");
    let (_, job) = only_net(agent.ask(1, brought()));
    assert_eq!(job, NetJob::Identify { at: at_home.clone(), access: access() });
    let (_, job) = only_net(agent.ask_at(2, &format!("{SERVER}/"), brought()));
    assert_eq!(job, NetJob::Identify { at: at_home, access: access() });
    let (_, job) = only_net(agent.ask_at(3, &format!("{ELSEWHERE}/"), brought()));
    assert_eq!(job, NetJob::Identify { at: elsewhere.clone(), access: access() }, "and not to our endpoints");

    let (mut agent, _) = Agent::start_with(policy(), no_files());
    let (_, job) = only_net(agent.ask_at(1, ELSEWHERE, brought()));
    assert_eq!(job, NetJob::Identify { at: elsewhere, access: access() });
}

#[test]
fn of_a_callers_token_nothing_is_kept() {
    let mut agent = nameless_agent();
    let (op, _) = only_net(agent.ask(1, brought()));
    let identity = accepted(Some(user()));
    let inspected = reply(1, ProfileReply::Inspected(identity.clone()));
    assert_eq!(agent.done(op, JobResult::Identified(identity)), [inspected], "nothing is stored");
    asked_who(agent.ask(2, SessionRequest::Whoami));
    assert_eq!(agent.ask(3, token()), [reply(3, token_of(&nameless()))]);
}

#[test]
fn a_caller_of_another_session_file_is_refused() {
    let mut agent = nameless_agent();
    let expect = Expect { server: None, session_file: Some("/elsewhere".to_owned()) };
    let effects = agent.ask_expecting(1, expect, brought());
    let other = Error::OtherFile { agent: "/session".to_owned(), client: "/elsewhere".to_owned() };
    assert_eq!(effects, [reply(1, ProfileReply::Failed(other))]);
}

#[test]
fn the_user_named_at_sign_in_is_stored() {
    let schemes = vec![SignInMethod::Token];
    let (mut agent, _) = Agent::start_with(Policy { schemes, ..policy() }, no_files());
    let effects = agent.ask(1, SessionRequest::Login { scheme: None, under_way: None });
    let [Effect::Reply(_, asked)] = &effects[..] else { panic!("{effects:?}") };
    let ProfileReply::Asked { flow, .. } = **asked else { panic!("{asked:?}") };
    let (op, _) =
        only_net(agent.ask(2, SessionRequest::Answer { flow, entry: Entry::Text(Secret::new("pat")) }));
    let effects = agent.login_answered(op, LoginAnswer::Identified(accepted(Some(user()))));
    let [Effect::Store(_, job)] = &effects[..] else { panic!("{effects:?}") };
    let StoreJob::WriteSidecar(sidecar) = &**job else { panic!("{job:?}") };
    let pin = sidecar.pending.as_ref().map(|pin| (pin.user.clone(), pin.about.clone()));
    assert_eq!(pin, Some((Some(user()), admin())));
    agent.store_sign_in(effects);
    let Holder { user: who, about, server, .. } = &agent.file.holder;
    assert_eq!((who, about, server.as_deref()), (&Some(user()), &admin(), Some(SERVER)));
}
