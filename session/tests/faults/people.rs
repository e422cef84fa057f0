//! N01, N06, N26, N27: callers, sign-ins and sign-outs around a refresh.

use crate::script::*;
use everkey_proto::{FlowId, Secret};
use everkey_session::Op;
use everkey_session::event::{Answer, Ask, Done, Effect, LoginAnswer, NetJob, Refresh, Replaced, StoreJob};
use everkey_session::policy::Replay;
use everkey_session::record::{Capability, Over};
use everkey_session::trouble::{Notice, Trouble};

#[test]
fn n01_fifty_callers_one_request() {
    let mut agent = Agent::signed_in(Capability::Rr1);
    agent.suspend(2 * HOUR);
    let mut first = Vec::new();
    for waiter in 1..=50 {
        first.extend(agent.ask(waiter, token()));
    }
    let sent = agent.send(first);
    let mut expected = vec![Effect::Tell(Notice::Refreshed)];
    let answers = agent.succeed(&sent, grant(1));
    expected.extend((1..=50).map(|waiter| reply(waiter, token_of(&agent.file))));
    assert_eq!(answers, expected);
}

#[test]
fn n06_the_refresh_goes_on_though_its_caller_is_gone() {
    let mut agent = Agent::signed_in(Capability::Rr1);
    agent.suspend(2 * HOUR);
    let next = agent.ask(1, token());
    let sent = agent.send(next);
    assert_eq!(agent.gone(1), []);
    assert_eq!(agent.succeed(&sent, grant(1)), [Effect::Tell(Notice::Refreshed)]);
}

#[test]
fn n26_logout_while_a_refresh_is_in_flight_its_answer_is_revoked() {
    let mut agent = Agent::signed_in(Capability::Rr1);
    let sent = agent.send_when_due();
    let (erase, job) = only_store(agent.ask(1, Ask::Logout));
    let StoreJob::Erase { sidecar, revocation: Some(old) } = job else { panic!("{job:?}") };
    assert_eq!((sidecar.epoch, old.refresh), (1, session(0).refresh));
    let effects = agent.done(erase, Done::Erased(Ok(())));
    let effects = agent.keep_books(effects);
    assert!(matches!(&effects[..], [Effect::Tell(Notice::SignedOut(_)), Effect::Net(_, NetJob::Revoke(_))]));

    let late = agent.answered(&sent, Refresh::Granted(grant(1)));
    let [Effect::Store(_, queued), Effect::Net(_, NetJob::Revoke(new))] = &late[..] else {
        panic!("{late:?}")
    };
    assert_eq!(**queued, StoreJob::Queue(new.clone()));
    assert_eq!(new.refresh, grant(1).refresh);
    assert!(!agent.is_signed_in());
}

#[test]
fn n26_logout_while_the_outcome_is_written_the_successor_goes_with_the_file() {
    let mut agent = Agent::signed_in(Capability::Rr1);
    let sent = agent.send_when_due();
    let (commit, _) = only_store(agent.answered(&sent, Refresh::Granted(grant(1))));
    let (_, job) = only_store(agent.ask(1, Ask::Logout));
    let StoreJob::Erase { revocation: Some(revocation), .. } = job else { panic!("{job:?}") };
    assert_eq!(revocation.refresh, grant(1).refresh);
    assert_eq!(agent.done(commit, Done::Stored(Ok(()))), [], "the file is not written again");
}

#[test]
fn n26_logout_cut_short_by_a_crash_is_completed_at_the_start() {
    let mut files = files(Capability::Rr1);
    let mut sidecar = files.sidecar.take().unwrap_or_default();
    sidecar.signing_out = Some(session(0).fingerprint());
    sidecar.spend(session(0).fingerprint(), u64::MAX, Over::Restored, 0);
    files.sidecar = Some(sidecar);
    let (_, effects) = Agent::start(files, Replay::RevokesAll);
    let [Effect::Tell(Notice::Recovered), Effect::Store(_, job)] = &effects[..] else {
        panic!("{effects:?}")
    };
    let StoreJob::Erase { revocation: Some(revocation), .. } = &**job else { panic!("{job:?}") };
    assert_eq!(revocation.refresh, session(0).refresh);
}

#[test]
fn n27_login_as_b_while_a_refresh_of_a_is_in_flight() {
    let mut agent = Agent::signed_in(Capability::Rr1);
    agent.suspend(2 * HOUR);
    let next = agent.ask(1, token());
    let sent = agent.send(next);

    let effects = sign_in_elsewhere(&mut agent);
    let changed = reply(1, Answer::Failed(Trouble::AccountChanged));
    let done = reply(4, Answer::SignedIn { user: user(), already: false });
    assert_eq!(agent.keep_books(effects), [changed, Effect::Tell(Notice::SignedIn), done]);

    let late = agent.answered(&sent, Refresh::Granted(grant(1)));
    let [Effect::Store(_, _), Effect::Net(_, NetJob::Revoke(revocation))] = &late[..] else {
        panic!("{late:?}")
    };
    assert_eq!((&revocation.refresh, revocation.server.as_str()), (&grant(1).refresh, SERVER));
}

#[test]
fn n27_nothing_is_sent_for_a_while_b_is_being_stored() {
    let mut agent = Agent::signed_in(Capability::Rr1);
    note_sign_in_elsewhere(&mut agent);
    agent.suspend(2 * HOUR);
    let effects = agent.ask(1, token());
    assert_eq!(agent.look_at_unchanged_file(effects), []);
}

/// Signs in at another server, up to the moment when its session is in the file.
fn sign_in_elsewhere(agent: &mut Agent) -> Vec<Effect> {
    let noted = note_sign_in_elsewhere(agent);
    let (op, job) = only_store(agent.done(noted, Done::Stored(Ok(()))));
    assert!(matches!(job, StoreJob::Replace { parent: None, .. }), "{job:?}");
    agent.done(op, Done::Replaced(Ok(Replaced::Done)))
}

/// The same, up to the note in the side-car that comes first.
fn note_sign_in_elsewhere(agent: &mut Agent) -> Op {
    let asked = agent.ask_at(2, "https://other.example", Ask::Login);
    let flow = flow_of(&asked);
    let text = Secret::new("bob@example.com");
    let (op, _) = only_net(agent.ask(3, Ask::Answer { flow, text }));
    agent.done(op, Done::LoginAnswered(Box::new(LoginAnswer::CodeSent)));
    let (op, _) = only_net(agent.ask(4, Ask::Answer { flow, text: Secret::new("123456") }));
    let granted = Done::LoginAnswered(Box::new(LoginAnswer::Granted(grant(7))));
    let (op, job) = only_store(agent.done(op, granted));
    assert!(matches!(job, StoreJob::Remember(_)), "{job:?}");
    op
}

fn flow_of(effects: &[Effect]) -> FlowId {
    match effects {
        [Effect::Reply(_, answer)] => match **answer {
            Answer::Asked { flow, .. } => flow,
            ref other => panic!("{other:?} instead of a question"),
        },
        other => panic!("{other:?} instead of a question"),
    }
}
