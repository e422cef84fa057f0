//! Sessions whose refresh token stays as it is, and sessions that name their server.

use crate::script::*;
use everkey_proto::Secret;
use everkey_proto::request::SessionRequest;
use everkey_session::{
    CallTarget, Capability, Effect, EndReason, Error, FileContent, JobResult, NetErrorKind, NetJob, Notice,
    ProfileReply, RefreshAnswer, Replaced, Session, Sidecar, StoreJob, TokenResponse,
};

const ELSEWHERE: &str = "https://other.example";

/// The side-car as it is made durable among the effects.
fn sidecar_in(effects: &[Effect]) -> Sidecar {
    let stored = effects.iter().find_map(|effect| match effect {
        Effect::Store(_, job) => match &**job {
            StoreJob::Settle(sidecar) | StoreJob::WriteSidecar(sidecar) | StoreJob::Erase { sidecar, .. } => {
                Some(sidecar.clone())
            }
            _ => None,
        },
        _ => None,
    });
    stored.unwrap_or_else(|| panic!("{effects:?} without a side-car"))
}

/// An answer that leaves the refresh token as it is.
fn kept(generation: u64) -> TokenResponse {
    let capability = Capability::None;
    TokenResponse { refresh: None, refresh_expires_in: None, capability, ..grant(generation) }
}

/// One refresh whose answer leaves the token as it is; the side-car that follows.
fn refresh_once(agent: &mut Agent, answer: TokenResponse) -> (Sent, Sidecar) {
    let sent = agent.send_when_due();
    let (commit, job) = only_store(agent.answered(&sent, RefreshAnswer::Granted(answer)));
    let StoreJob::Commit(outcome) = job else { panic!("{job:?}") };
    let (replace, _) = only_store(agent.done(commit, JobResult::Stored(Ok(()))));
    agent.file = outcome;
    let effects = agent.done(replace, JobResult::Replaced(Ok(Replaced::Done)));
    let sidecar = sidecar_in(&effects);
    assert_eq!(agent.keep_books(effects), [Effect::Notify(Notice::Refreshed)]);
    (sent, sidecar)
}

#[test]
fn an_unrotated_refresh_token_stays_usable() {
    let explicit = TokenResponse { refresh: session(0).refresh, ..kept(3) };
    let mut agent = Agent::signed_in(Capability::None);
    let mut keys = Vec::new();
    for (generation, answer) in [(1, kept(1)), (2, kept(2)), (3, explicit)] {
        let (sent, sidecar) = refresh_once(&mut agent, answer);
        assert_eq!(sent.token, session(0).refresh);
        assert_eq!((&agent.file.access, &agent.file.refresh), (&session(generation).access, &sent.token));
        assert_eq!(sidecar.spent, []);
        let pin = sidecar.pin.unwrap_or_else(|| panic!("no pin"));
        assert_eq!((pin.capability, pin.fingerprint), (Capability::Reusable, session(0).fingerprint()));
        keys.push(sent.key);
    }
    assert!(keys[0] != keys[1] && keys[1] != keys[2], "each refresh is another one");
}

#[test]
fn a_refresh_token_that_stays_keeps_its_own_expiry() {
    let mut agent = Agent::signed_in(Capability::None);
    for generation in 1..4 {
        refresh_once(&mut agent, kept(generation));
        assert_eq!(agent.file.refresh_expires_at, session(0).refresh_expires_at);
    }
    let mut agent = Agent::signed_in(Capability::None);
    refresh_once(&mut agent, TokenResponse { refresh_expires_in: Some(60), ..kept(1) });
    assert!(agent.file.refresh_expires_at < session(0).refresh_expires_at, "as the server says");
}

#[test]
fn a_lost_answer_costs_nothing_where_the_refresh_token_stays() {
    let mut agent = Agent::signed_in(Capability::None);
    refresh_once(&mut agent, kept(1));
    let first = agent.send_when_due();
    agent.answered(&first, RefreshAnswer::Unclear(trouble(NetErrorKind::Timeout)));
    let (next, waited) = agent.wait_for();
    assert!(waited < MINUTE, "it is not waited for the token's end: {waited} ms");
    let again = agent.send(next);
    assert_eq!((&again.token, &again.key), (&first.token, &first.key));
    assert_eq!(agent.succeed(&again, kept(2)), [Effect::Notify(Notice::Refreshed)]);
    assert_eq!(agent.ask(1, token()), [reply(1, token_of(&agent.file))]);
}

#[test]
fn a_server_that_begins_to_rotate_is_believed() {
    let mut agent = Agent::signed_in(Capability::None);
    refresh_once(&mut agent, kept(1));
    let (_, sidecar) = refresh_once(&mut agent, TokenResponse { capability: Capability::None, ..grant(2) });
    assert_eq!(sidecar.is_spent(session(0).fingerprint()), Some(EndReason::Restored));
    assert_eq!(sidecar.pin.map(|pin| pin.capability), Some(Capability::None));
}

#[test]
fn a_foreign_access_token_moves_the_next_refresh() {
    let mut agent = Agent::signed_in(Capability::None);
    refresh_once(&mut agent, kept(1));
    agent.suspend(40 * MINUTE);
    let at = agent.file.access_expires_at.map(|at| at + 40 * MINUTE / 1000);
    agent.file = Session { access: Secret::new("theirs"), access_expires_at: at, ..agent.file.clone() };
    let effects = agent.file_changed();
    assert_eq!(agent.look_at_unchanged_file(effects), []);
    assert_eq!(agent.ask(1, token()), [reply(1, token_of(&agent.file))]);
    let (next, waited) = agent.wait_for();
    assert!(waited > 40 * MINUTE, "refreshed again after {waited} ms");
    agent.send(next);
}

#[test]
fn a_foreign_refresh_seen_before_sending_is_used() {
    let mut agent = Agent::signed_in(Capability::None);
    refresh_once(&mut agent, kept(1));
    agent.suspend(2 * HOUR);
    let effects = agent.ask(1, token());
    let at = agent.file.access_expires_at.map(|at| at + 2 * HOUR / 1000);
    agent.file = Session { access: Secret::new("theirs"), access_expires_at: at, ..agent.file.clone() };
    let effects = agent.look_at_unchanged_file(effects);
    assert_eq!(effects, [reply(1, token_of(&agent.file))]);
}

#[test]
fn a_foreign_refresh_seen_while_connecting_is_used() {
    let mut agent = Agent::signed_in(Capability::None);
    refresh_once(&mut agent, kept(1));
    let (op, job) = only_net(agent.wait());
    assert!(matches!(job, NetJob::Connect { .. }), "{job:?}");
    let at = agent.file.access_expires_at.map(|at| at + HOUR / 1000);
    agent.file = Session { access: Secret::new("theirs"), access_expires_at: at, ..agent.file.clone() };
    let effects = agent.file_changed();
    assert_eq!(agent.look_at_unchanged_file(effects), [Effect::Cancel(op)]);
    assert_eq!(agent.done(op, JobResult::Connected(Ok(()))), []);
    let (next, waited) = agent.wait_for();
    assert!(waited > 40 * MINUTE, "refreshed again after {waited} ms");
    agent.send(next);
}

/// A file of another program that names its server; everkey's own was at the usual one.
fn named_elsewhere() -> Agent {
    let server = Some(ELSEWHERE.to_owned());
    let mut theirs = session(5);
    theirs.holder.server = server;
    theirs.claims.generation = None;
    let mut files = files(Capability::Rr1);
    files.file = FileContent::Session { session: theirs.clone(), tightened: false };
    let (mut agent, effects) = Agent::start_with(policy(), files);
    assert_eq!(agent.keep_books(effects), [Effect::Notify(Notice::Adopted)]);
    agent.file = theirs;
    agent.at = CallTarget { server: ELSEWHERE.to_owned(), registration: None };
    agent
}

#[test]
fn a_session_that_names_its_server_is_sent_nowhere_else() {
    let mut agent = named_elsewhere();
    let other = Error::OtherServer { agent: ELSEWHERE.to_owned(), client: "https://api.example".to_owned() };
    assert_eq!(agent.ask_at(1, SERVER, token()), [reply(1, ProfileReply::Failed(other))]);
    let sent = agent.send_when_due();
    agent.succeed(&sent, grant(6));
    let again = agent.send_when_due();
    assert_eq!(again.token, grant(6).refresh, "nor its successors");
    let effects = agent.ask(2, SessionRequest::Logout);
    let erase = effects.iter().find_map(|effect| match effect {
        Effect::Store(_, job) => match &**job {
            StoreJob::Erase { revocation: Some(revocation), .. } => Some(revocation.at.server.clone()),
            _ => None,
        },
        _ => None,
    });
    assert_eq!(erase.as_deref(), Some(ELSEWHERE));
}

#[test]
fn our_token_goes_only_to_its_own_server() {
    let mut agent = Agent::signed_in(Capability::Rr1);
    agent.file.holder.server = Some(ELSEWHERE.to_owned());
    agent.send_when_due();
    let mut files = files(Capability::Rr1);
    files.file = found(&agent.file);
    let (mut agent, _) = Agent::start_with(policy(), files);
    agent.file.holder.server = Some(ELSEWHERE.to_owned());
    agent.send_when_due();
}

#[test]
fn what_one_server_promised_is_not_expected_of_another() {
    let mut agent = named_elsewhere();
    let sent = agent.send_when_due();
    agent.answered(&sent, RefreshAnswer::Unclear(trouble(NetErrorKind::Timeout)));
    let over = agent.wait();
    assert_eq!(agent.keep_books(over), [ended(EndReason::AnswerLost)], "it may be taken for theft there");
}

#[test]
fn an_interrupted_sign_out_goes_to_the_files_server() {
    let mut files = files(Capability::None);
    let mut theirs = session(5);
    theirs.holder.server = Some(ELSEWHERE.to_owned());
    files.file = found(&theirs);
    files.sidecar.iter_mut().for_each(|sidecar| sidecar.signing_out = Some(theirs.fingerprint()));
    let (_, effects) = Agent::start_with(policy(), files);
    let [Effect::Notify(Notice::Recovered), Effect::Store(_, job)] = &effects[..] else {
        panic!("{effects:?}")
    };
    let StoreJob::Erase { revocation: Some(revocation), .. } = &**job else { panic!("{job:?}") };
    assert_eq!(revocation.at.server, ELSEWHERE);
}
