//! Sessions without a refresh token, and tokens that never change beside them.

use crate::script::*;
use everkey_proto::reply::{Revocation as Word, Short, State};
use everkey_proto::request::SessionRequest;
use everkey_proto::{Entry, Secret, SignInMethod};
use everkey_session::policy::{Policy, Renewal};
use everkey_session::{
    Effect, EndReason, Endpoints, Error, Fingerprint, Holder, Identity, JobResult, Loaded, LoginAnswer,
    NetJob, Notice, ProfileReply, Registration, Session, SignedOutReason, StoreJob,
};
use std::collections::BTreeMap;

/// A session without a refresh token.
fn bare() -> Session {
    Session { refresh: None, refresh_expires_at: None, ..session(0) }
}

/// The same, and nobody says when it ends.
fn for_ever() -> Session {
    Session { access_expires_at: None, ..bare() }
}

/// The same session with a token of its file that never changes.
fn with_fixed(session: Session) -> Session {
    let fixed = Some(Secret::new("static"));
    Session { holder: Holder { fixed, ..session.holder }, ..session }
}

/// A file with nothing but the token that never changes.
fn only_fixed() -> Session {
    with_fixed(Session { access: Secret::new("static"), ..for_ever() })
}

fn without_refresh() -> Policy {
    let schemes = vec![SignInMethod::Token];
    Policy { renewal: Renewal::None, revokes: false, schemes, ..policy() }
}

fn holding(session: &Session) -> Agent {
    let mut files = files_of(session);
    let lifetime = session.access_expires_at.map(|_| 3600);
    let pin = files.sidecar.as_mut().and_then(|sidecar| sidecar.pin.as_mut());
    pin.into_iter().for_each(|pin| pin.lifetime_secs = lifetime);
    let (mut agent, effects) = Agent::start_with(without_refresh(), files);
    assert_eq!(effects, []);
    agent.file = session.clone();
    agent
}

fn better_than(token: &Secret) -> SessionRequest {
    SessionRequest::Better { than: Fingerprint::of(token) }
}

fn failed(waiter: u64, trouble: Error) -> Vec<Effect> {
    vec![reply(waiter, ProfileReply::Failed(trouble))]
}

#[test]
fn without_a_refresh_token_a_session_ends_at_expiry() {
    let mut agent = holding(&bare());
    assert_eq!(agent.ask(1, token()), [reply(1, token_of(&bare()))]);
    assert_eq!(view(&mut agent).next_refresh_at, None);
    let (effects, waited) = agent.wait_for();
    assert_eq!((effects, waited), (vec![ended(EndReason::Expired)], HOUR));
    assert_eq!(agent.ask(2, token()), failed(2, Error::NeedsLogin(EndReason::Expired)));
    assert_eq!(agent.ask(3, SessionRequest::Whoami), failed(3, Error::NeedsLogin(EndReason::Expired)));
    assert_eq!(view(&mut agent).state, State::NeedsLogin);
    assert_eq!(agent.wait_for().0, [], "and nothing is sent");
}

#[test]
fn the_last_minutes_of_an_unrefreshable_session_carry_a_warning() {
    let mut agent = holding(&bare());
    agent.suspend(HOUR - MINUTE);
    let given = |short| ProfileReply::Token {
        access: bare().access,
        expires_at: bare().access_expires_at,
        short: Some(short),
        ended: None,
    };
    let ask = |min_validity_secs| SessionRequest::Token { min_validity_secs };
    let effects = agent.ask(1, ask(600));
    assert_eq!(agent.look_at_unchanged_file(effects), [reply(1, given(Short::NoRefresh))]);
    assert_eq!(agent.ask(2, ask(7200)), [reply(2, given(Short::Lifetime))]);
}

#[test]
fn a_session_that_ended_meanwhile_may_be_replaced() {
    let past = bare().access_expires_at.map(|at| at - 7200);
    let old = Session { access_expires_at: past, ..bare() };
    let (mut agent, effects) = Agent::start_with(without_refresh(), files_of(&old));
    assert_eq!(effects, [ended(EndReason::Expired)]);
    agent.file = old;
    let effects = agent.ask(1, SessionRequest::Login { scheme: None, under_way: None });
    let [Effect::Reply(_, asked)] = &effects[..] else { panic!("{effects:?}") };
    assert!(matches!(**asked, ProfileReply::Asked { .. }), "{asked:?}");
}

#[test]
fn a_session_without_a_refresh_token_can_not_be_refreshed() {
    for session in [bare(), for_ever()] {
        let mut agent = holding(&session);
        for force in [false, true] {
            assert_eq!(agent.ask(1, SessionRequest::Refresh { force }), failed(1, Error::CantRefresh));
        }
        let other = agent.ask(2, better_than(&Secret::new("an older one")));
        assert_eq!(other, [reply(2, token_of(&session))]);
        assert_eq!(agent.ask(3, better_than(&session.access)), failed(3, Error::CantRefresh));
    }
    let mut agent = holding(&bare());
    agent.wait();
    assert_eq!(
        agent.ask(4, SessionRequest::Refresh { force: true }),
        failed(4, Error::NeedsLogin(EndReason::Expired))
    );
}

#[test]
fn a_token_without_a_known_expiry_never_expires() {
    let mut agent = holding(&for_ever());
    assert_eq!(agent.wait_for().0, []);
    agent.jump_wall(86_400 * 365);
    let ask = SessionRequest::Token { min_validity_secs: u32::MAX };
    assert_eq!(agent.ask(1, ask), [reply(1, token_of(&for_ever()))]);
    let view = view(&mut agent);
    assert_eq!((view.state, view.access_expires_at, view.next_refresh_at), (State::Valid, None, None));
}

#[test]
fn a_reusable_token_is_never_spent() {
    let mut agent = holding(&bare());
    let other = Session { access: Secret::new("another"), ..bare() };
    for session in [&other, &bare(), &other] {
        agent.file = session.clone();
        let effects = agent.file_changed();
        let effects = agent.look_at_unchanged_file(effects);
        assert_eq!(effects, [Effect::Notify(Notice::Adopted)], "nothing to write down");
        assert_eq!(agent.ask(1, token()), [reply(1, token_of(session))]);
    }
}

#[test]
fn a_token_replaced_without_the_agent_is_not_spent() {
    let other = Session { access: Secret::new("another"), ..bare() };
    let files = Loaded { file: found(&other), ..files_of(&bare()) };
    let (_, effects) = Agent::start_with(without_refresh(), files);
    assert_eq!(effects, [Effect::Notify(Notice::Adopted)], "nothing to write down");
}

#[test]
fn a_token_that_was_signed_out_may_be_pasted_again() {
    let mut agent = holding(&for_ever());
    let (erase, job) = only_store(agent.ask(1, SessionRequest::Logout));
    let StoreJob::Erase { sidecar, revocation: None } = job else { panic!("{job:?}") };
    assert_eq!(sidecar.spent, []);
    let effects = agent.done(erase, JobResult::Erased(Ok(())));
    let effects = agent.look_at_missing_file(effects);
    let effects = agent.keep_books(effects);
    let told = reply(1, ProfileReply::LoggedOut(Word::Impossible));
    assert_eq!(effects, [Effect::Notify(Notice::SignedOut(SignedOutReason::NoFile)), told]);
    let (mut agent, effects) =
        Agent::start_with(without_refresh(), Loaded { sidecar: Some(sidecar), ..files_of(&for_ever()) });
    assert!(!effects.contains(&ended(EndReason::Restored)), "{effects:?}");
    let _ = agent.ask(2, token());
}

#[test]
fn a_token_that_never_changes_is_handed_out_first() {
    let mut agent = holding(&with_fixed(bare()));
    let fixed = token_of(&only_fixed());
    assert_eq!(agent.ask(1, token()), [reply(1, fixed.clone())]);
    assert_eq!(agent.ask(2, SessionRequest::Token { min_validity_secs: 86_400 }), [reply(2, fixed.clone())]);
    assert_eq!(agent.ask(4, better_than(&bare().access)), [reply(4, fixed.clone())]);
    let view = view(&mut agent);
    assert_eq!((view.masked, view.masked_fixed.is_some()), (Some(bare().access.masked()), true));

    assert_eq!(agent.wait(), [ended(EndReason::Expired)], "the session beside it");
    assert_eq!(self::view(&mut agent).state, State::Valid, "there is a token all the same");
    assert_eq!(agent.ask(5, token()), [reply(5, fixed.clone())]);
    assert_eq!(agent.ask(6, better_than(&bare().access)), [reply(6, fixed)]);
    assert!(agent.is_signed_in());
    assert_eq!(agent.ask(7, better_than(&Secret::new("static"))), failed(7, Error::CantRefresh));
    assert_eq!(agent.ask(8, token()), failed(8, Error::TokenRefused(SERVER.to_owned())));
}

#[test]
fn a_refused_static_token_is_not_refreshed() {
    let mut agent = Agent::start_with(policy(), files_of(&with_fixed(session(0)))).0;
    assert_eq!(agent.ask(1, better_than(&Secret::new("static"))), failed(1, Error::CantRefresh));
}

#[test]
fn a_file_with_only_a_static_token_is_signed_in() {
    let mut agent = holding(&only_fixed());
    let view = view(&mut agent);
    assert_eq!((view.masked, view.masked_fixed.is_some()), (None, true));
    let nothing = ProfileReply::LoggedOut(Word::NothingToDo);
    assert_eq!(agent.ask(1, SessionRequest::Logout), [reply(1, nothing)]);
    assert!(agent.is_signed_in());
}

#[test]
fn a_hand_written_token_is_bound_to_no_server() {
    let mut agent = holding(&only_fixed());
    let elsewhere = agent.ask_at(1, "https://elsewhere.example", token());
    assert_eq!(elsewhere, [reply(1, token_of(&only_fixed()))]);
    let mut agent = holding(&with_fixed(bare()));
    let elsewhere = agent.ask_at(1, "https://elsewhere.example", token());
    assert!(
        matches!(&elsewhere[..], [Effect::Reply(_, answer)] if matches!(**answer, ProfileReply::Failed(_)))
    );
}

#[test]
fn another_end_that_somebody_wrote_into_the_file_counts() {
    let mut agent = holding(&bare());
    agent.file = Session { access_expires_at: bare().access_expires_at.map(|at| at - 7200), ..bare() };
    let effects = agent.file_changed();
    assert_eq!(agent.look_at_unchanged_file(effects), [ended(EndReason::Expired)]);
    agent.file = bare();
    let effects = agent.file_changed();
    assert_eq!(agent.look_at_unchanged_file(effects), []);
    assert_eq!(agent.ask(1, token()), [reply(1, token_of(&bare()))], "and so does its mending");
}

#[test]
fn a_sign_in_keeps_the_token_that_never_changes() {
    let mut agent = holding(&only_fixed());
    let effects = agent.ask(1, SessionRequest::Login { scheme: None, under_way: None });
    let [Effect::Reply(_, asked)] = &effects[..] else { panic!("{effects:?}") };
    let ProfileReply::Asked { flow, .. } = **asked else { panic!("{asked:?}") };
    let (op, _) =
        only_net(agent.ask(2, SessionRequest::Answer { flow, entry: Entry::Text(Secret::new("pat_1")) }));
    let accepted = Identity::Accepted { user: None, about: BTreeMap::new() };
    let effects = agent.login_answered(op, LoginAnswer::Identified(accepted));
    agent.store_sign_in(effects);
    let Session { access, holder, .. } = &agent.file;
    assert_eq!((access, &holder.fixed), (&Secret::new("pat_1"), &Some(Secret::new("static"))));
}

#[test]
fn a_static_token_survives_a_sign_out() {
    let mut agent = holding(&with_fixed(bare()));
    let (erase, _) = only_store(agent.ask(1, SessionRequest::Logout));
    let effects = agent.done(erase, JobResult::Erased(Ok(())));
    assert!(effects.contains(&reply(1, ProfileReply::LoggedOut(Word::Impossible))), "{effects:?}");
    agent.file = only_fixed();
    let effects = agent.look_at_unchanged_file(effects);
    assert!(effects.contains(&Effect::Notify(Notice::Adopted)), "{effects:?}");
    assert_eq!(agent.ask(2, token()), [reply(2, token_of(&only_fixed()))]);
}

#[test]
fn a_static_token_may_be_edited_by_hand() {
    let mut agent = holding(&bare());
    for session in [with_fixed(bare()), bare()] {
        agent.file = session.clone();
        let effects = agent.file_changed();
        assert_eq!(agent.look_at_unchanged_file(effects), []);
        let access = session.holder.fixed.as_ref().unwrap_or(&session.access);
        let effects = agent.ask(1, token());
        let [Effect::Reply(_, given)] = &effects[..] else { panic!("{effects:?}") };
        let ProfileReply::Token { access: given, .. } = &**given else { panic!("{given:?}") };
        assert_eq!(given, access);
    }
}

#[test]
fn a_server_without_revocation_is_not_asked_to_revoke() {
    let endpoints = Endpoints { token: "https://api.example/token".to_owned(), ..Endpoints::default() };
    let registration =
        Registration { client_id: "everkey-1".to_owned(), endpoints, ..Registration::default() };
    let holder = Holder { registration: Some(registration), ..holder() };
    let of_oauth = Session { holder, ..session(0) };
    let cant = Policy { revokes: false, ..policy() };
    for (policy, session) in [(cant, session(0)), (policy(), of_oauth)] {
        let (mut agent, _) = Agent::start_with(policy, files_of(&session));
        let (erase, job) = only_store(agent.ask(1, SessionRequest::Logout));
        assert!(matches!(job, StoreJob::Erase { revocation: None, .. }), "{job:?}");
        let effects = agent.done(erase, JobResult::Erased(Ok(())));
        assert!(effects.contains(&reply(1, ProfileReply::LoggedOut(Word::Impossible))), "{effects:?}");
        assert!(!effects.iter().any(|effect| matches!(effect, Effect::Net(..))), "{effects:?}");
        assert!(!agent.is_signed_in());
    }
}

#[test]
fn nothing_is_sent_for_a_session_without_a_refresh_token() {
    let mut agent = holding(&bare());
    for _ in 0..100 {
        let effects = agent.sleep(MINUTE);
        let effects = agent.look_at_unchanged_file(effects);
        assert!(!effects.iter().any(|effect| matches!(effect, Effect::Net(..))), "{effects:?}");
        let effects = agent.ask(1, token());
        assert!(!effects.iter().any(|effect| matches!(effect, Effect::Net(_, NetJob::Connect { .. }))));
    }
}
