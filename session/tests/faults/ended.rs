//! N40: an access token is handed out as long as it is good for something, and whoami and status say the same.

use crate::script::*;
use everkey_proto::reply::State;
use everkey_proto::request::SessionRequest;
use everkey_session::policy::{Policy, Renewal};
use everkey_session::{
    Capability, Claims, Effect, EndReason, Error, Fingerprint, Identity, JobResult, Loaded, NetErrorKind,
    NetJob, ProfileReply, RefreshAnswer, Session, StoreJob,
};
use std::collections::BTreeMap;

/// One without a refresh token, for which nobody says when it ends.
fn pasted() -> Session {
    Session { refresh: None, refresh_expires_at: None, access_expires_at: None, ..plain() }
}

fn holding(policy: Policy, session: &Session) -> Agent {
    let (mut agent, effects) = Agent::start_with(policy, files_of(session));
    assert_eq!(effects, []);
    agent.file = session.clone();
    agent
}

/// A refresh is refused in the provider's own word.
fn refused(agent: &mut Agent) {
    let sent = agent.send_when_due();
    let effects = agent.answered(&sent, RefreshAnswer::Refused);
    let effects = agent.look_at_unchanged_file(effects);
    assert_eq!(agent.keep_books(effects), [ended(EndReason::Refused)]);
}

fn better_than(session: &Session) -> SessionRequest {
    SessionRequest::Better { than: Fingerprint::of(&session.access) }
}

/// Token, whoami and status say that there is no token, and why.
fn is_withheld(agent: &mut Agent, why: &Error) {
    let failed = |waiter| [reply(waiter, ProfileReply::Failed(why.clone()))];
    assert_eq!(agent.ask(901, token()), failed(901));
    assert_eq!(agent.ask(902, SessionRequest::Token { min_validity_secs: 1 }), failed(902));
    assert_eq!(agent.ask(903, SessionRequest::Whoami), failed(903));
    let view = view(agent);
    assert_eq!((view.state, view.reason.as_ref(), view.token_served), (State::NeedsLogin, Some(why), false));
    assert_eq!(view.token_refused, matches!(why, Error::TokenRefused(_)));
}

#[test]
fn n40_a_token_that_ends_with_its_session_is_withheld() {
    let mut agent = holding(Policy { access_ends_with_session: true, ..policy() }, &plain());
    refused(&mut agent);
    is_withheld(&mut agent, &Error::NeedsLogin(EndReason::Refused));
}

#[test]
fn n40_rr1_tells_that_tokens_end_with_the_session() {
    let promised = Agent::start(files(Capability::Rr1), everkey_proto::ReplayRule::StrictUser).0;
    for mut agent in [promised, holding(policy(), &session(0))] {
        let sent = agent.send_when_due();
        let effects = agent.answered(&sent, RefreshAnswer::Refused);
        let effects = agent.look_at_unchanged_file(effects);
        agent.keep_books(effects);
        is_withheld(&mut agent, &Error::NeedsLogin(EndReason::Refused));
    }
}

#[test]
fn n40_a_token_that_outlives_its_session_is_served() {
    let mut agent = holding(policy(), &plain());
    refused(&mut agent);
    let last = last_token_of(&plain(), EndReason::Refused);
    assert_eq!(agent.ask(1, token()), [reply(1, last)]);
    assert!(agent.is_signed_in(), "as the token says");
    let view = view(&mut agent);
    assert_eq!((view.state, view.token_served), (State::NeedsLogin, true));
    assert_eq!(view.reason, Some(Error::NeedsLogin(EndReason::Refused)));
    let effects = agent.sleep(HOUR);
    agent.look_at_unchanged_file(effects);
    is_withheld(&mut agent, &Error::NeedsLogin(EndReason::Refused));
}

#[test]
fn n40_an_end_is_remembered_after_a_restart() {
    for (ends, served) in [(true, false), (false, true)] {
        let policy = Policy { access_ends_with_session: ends, ..policy() };
        let mut files = files_of(&plain());
        let sidecar = files.sidecar.as_mut().unwrap();
        sidecar.spend(plain().fingerprint(), u64::MAX, EndReason::Refused, START_WALL);
        let (mut agent, _) = Agent::start_with(policy, files);
        assert_eq!(view(&mut agent).token_served, served);
        if !served {
            is_withheld(&mut agent, &Error::NeedsLogin(EndReason::Refused));
        }
    }
}

#[test]
fn n40_after_an_alarm_the_token_is_withheld() {
    let mut agent =
        holding(Policy { replay: replay(everkey_proto::ReplayRule::Grace(600)), ..policy() }, &plain());
    let first = agent.send_when_due();
    agent.answered(&first, RefreshAnswer::Unclear(trouble(NetErrorKind::Timeout)));
    let again = agent.send_when_due();
    let effects = agent.answered(&again, RefreshAnswer::Refused);
    let effects = agent.look_at_unchanged_file(effects);
    let effects = agent.keep_books(effects);
    assert_eq!(agent.keep_books(effects), [ended(EndReason::RepeatRefused)]);
    is_withheld(&mut agent, &Error::NeedsLogin(EndReason::RepeatRefused));
}

#[test]
fn n40_a_report_of_an_ended_session_needs_a_login() {
    let mut agent = holding(policy(), &plain());
    let effects = agent.ask(1, SessionRequest::Refresh { force: true });
    let sent = agent.send(effects);
    agent.succeed(&sent, everkey_session::TokenResponse { claims: Claims::default(), ..grant_of_none(1) });
    let effects = agent.ask(2, SessionRequest::Refresh { force: true });
    let sent = agent.send(effects);
    let effects = agent.answered(&sent, RefreshAnswer::Refused);
    let effects = agent.look_at_unchanged_file(effects);
    agent.keep_books(effects);
    let file = agent.file.clone();
    assert_eq!(agent.ask(3, token()), [reply(3, last_token_of(&file, EndReason::Refused))]);
    let over = Error::NeedsLogin(EndReason::Refused);
    assert_eq!(agent.ask(4, better_than(&file)), [reply(4, ProfileReply::Failed(over.clone()))]);
    is_withheld(&mut agent, &over);
}

fn grant_of_none(generation: u64) -> everkey_session::TokenResponse {
    everkey_session::TokenResponse { capability: Capability::None, ..grant(generation) }
}

#[test]
fn n40_a_reported_token_is_given_to_nobody_else() {
    let mut agent = holding(policy(), &plain());
    let effects = agent.ask(1, better_than(&plain()));
    let effects = agent.look_at_unchanged_file(effects);
    let (connect, _) = only_net(effects);
    assert_eq!(agent.ask(2, token()), [], "it waits for the other one");
    let down = trouble(NetErrorKind::Connect("down".to_owned()));
    let told = agent.done(connect, JobResult::Connected(Err(down.clone())));
    let offline = ProfileReply::Failed(Error::Net(down));
    for waiter in [1, 2] {
        assert!(told.contains(&reply(waiter, offline.clone())), "{told:?}");
    }
    assert!(agent.is_signed_in(), "the session stands");
}

#[test]
fn n40_a_reported_token_without_another_is_withheld() {
    let without = Policy { renewal: Renewal::None, ..policy() };
    let mut agent = holding(without, &pasted());
    assert_eq!(agent.ask(1, better_than(&pasted())), [reply(1, ProfileReply::Failed(Error::CantRefresh))]);
    is_withheld(&mut agent, &Error::TokenRefused(SERVER.to_owned()));
    let login = agent.ask(2, SessionRequest::Login { scheme: None, under_way: None });
    let [Effect::Reply(_, asked)] = &login[..] else { panic!("{login:?}") };
    assert!(matches!(**asked, ProfileReply::Asked { .. }), "{asked:?}: another sign-in goes ahead");
}

#[test]
fn n40_what_the_server_says_of_a_token_is_remembered() {
    let pasting = Policy { renewal: Renewal::None, identifies: true, ..policy() };
    for own in [None, Some(pasted().access)] {
        let mut agent = holding(pasting.clone(), &pasted());
        let inspect = SessionRequest::Inspect { token: own };
        let (op, _) = only_net(agent.ask(1, inspect.clone()));
        agent.done(op, JobResult::Identified(Identity::Refused));
        let view = view(&mut agent);
        assert_eq!((view.state, view.token_refused), (State::NeedsLogin, true));
        let refused = ProfileReply::Failed(Error::TokenRefused(SERVER.to_owned()));
        assert_eq!(agent.ask(2, SessionRequest::Whoami), [reply(2, refused.clone())]);
        // Some servers say so of their own faults, too: before a token is withheld, they are asked once more.
        let (op, job) = only_net(agent.ask(3, token()));
        assert!(matches!(job, NetJob::Identify { .. }), "{job:?}");
        assert_eq!(agent.done(op, JobResult::Identified(Identity::Refused)), [reply(3, refused)]);
        let (op, _) = only_net(agent.ask(4, token()));
        let accepted = Identity::Accepted { user: None, about: BTreeMap::new() };
        let told = agent.done(op, JobResult::Identified(accepted));
        assert_eq!(told, [reply(4, token_of(&pasted()))]);
        assert_eq!(self::view(&mut agent).state, State::Valid);
    }
}

#[test]
fn n40_another_servers_word_counts_for_nothing() {
    let pasting = Policy { renewal: Renewal::None, identifies: true, ..policy() };
    let mut agent = holding(pasting, &pasted());
    let inspect = SessionRequest::Inspect { token: Some(pasted().access) };
    let (op, _) = only_net(agent.ask_at(1, "https://elsewhere.example", inspect));
    agent.done(op, JobResult::Identified(Identity::Refused));
    assert_eq!(agent.ask(2, token()), [reply(2, token_of(&pasted()))]);
}

#[test]
fn n40_a_file_that_comes_back_after_a_logout_opens_nothing() {
    let mut agent = holding(policy(), &plain());
    let (erase, job) = only_store(agent.ask(1, SessionRequest::Logout));
    let StoreJob::Erase { sidecar, .. } = job else { panic!("{job:?}") };
    agent.is_there = false;
    let effects = agent.done(erase, JobResult::Erased(Ok(())));
    let effects = agent.look_at_unchanged_file(effects);
    agent.keep_books(effects);
    agent.is_there = true;
    let effects = agent.file_changed();
    let effects = agent.look_at_unchanged_file(effects);
    agent.keep_books(effects);
    let over = Error::NeedsLogin(EndReason::SignedOut);
    is_withheld(&mut agent, &over);
    let sidecar = everkey_session::Sidecar { signing_out: None, ..sidecar };
    let files = Loaded { sidecar: Some(sidecar), ..files_of(&plain()) };
    let (mut agent, _) = Agent::start_with(policy(), files);
    is_withheld(&mut agent, &over);
}
