//! N01, N06, N26, N28: callers and sign-outs around a refresh.

use crate::script::*;
use everkey_proto::ReplayRule;
use everkey_proto::reply::Revocation as Word;
use everkey_proto::request::SessionRequest;
use everkey_session::{
    Capability, Effect, EndReason, JobResult, NetJob, Notice, ProfileReply, RefreshAnswer, StoreJob,
};

#[test]
fn n01_fifty_callers_one_request() {
    let mut agent = Agent::signed_in(Capability::Rr1);
    agent.suspend(2 * HOUR);
    let mut first = Vec::new();
    for waiter in 1..=50 {
        first.extend(agent.ask(waiter, token()));
    }
    let sent = agent.send(first);
    let mut expected = vec![Effect::Notify(Notice::Refreshed)];
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
    assert_eq!(agent.succeed(&sent, grant(1)), [Effect::Notify(Notice::Refreshed)]);
}

#[test]
fn n26_logout_during_a_refresh_revokes_its_answer() {
    let mut agent = Agent::signed_in(Capability::Rr1);
    let sent = agent.send_when_due();
    let (erase, job) = only_store(agent.ask(1, SessionRequest::Logout));
    let StoreJob::Erase { sidecar, revocation: Some(old) } = job else { panic!("{job:?}") };
    assert_eq!((sidecar.epoch, old.refresh), (1, session(0).refresh));
    let effects = agent.done(erase, JobResult::Erased(Ok(())));
    let effects = agent.look_at_missing_file(effects);
    let effects = agent.keep_books(effects);
    assert!(matches!(
        &effects[..],
        [Effect::Notify(Notice::SignedOut(_)), Effect::Net(_, NetJob::Revoke(_))]
    ));

    let late = agent.answered(&sent, RefreshAnswer::Granted(grant(1)));
    let [Effect::Store(_, queued), Effect::Net(_, NetJob::Revoke(new))] = &late[..] else {
        panic!("{late:?}")
    };
    assert_eq!(**queued, StoreJob::QueueRevocation(new.clone()));
    assert_eq!(new.refresh, grant(1).refresh);
    assert!(!agent.is_signed_in());
}

#[test]
fn n26_logout_during_the_commit_removes_the_successor() {
    let mut agent = Agent::signed_in(Capability::Rr1);
    let sent = agent.send_when_due();
    let (commit, _) = only_store(agent.answered(&sent, RefreshAnswer::Granted(grant(1))));
    let (_, job) = only_store(agent.ask(1, SessionRequest::Logout));
    let StoreJob::Erase { revocation: Some(revocation), .. } = job else { panic!("{job:?}") };
    assert_eq!(revocation.refresh, grant(1).refresh);
    assert_eq!(agent.done(commit, JobResult::Stored(Ok(()))), [], "the file is not written again");
}

#[test]
fn n26_logout_interrupted_by_a_crash_completes_at_start() {
    let mut files = files(Capability::Rr1);
    let mut sidecar = files.sidecar.take().unwrap_or_default();
    sidecar.signing_out = Some(session(0).fingerprint());
    sidecar.spend(session(0).fingerprint(), u64::MAX, EndReason::Restored, 0);
    files.sidecar = Some(sidecar);
    let (_, effects) = Agent::start(files, ReplayRule::StrictUser);
    let [Effect::Notify(Notice::Recovered), Effect::Store(_, job)] = &effects[..] else {
        panic!("{effects:?}")
    };
    let StoreJob::Erase { revocation: Some(revocation), .. } = &**job else { panic!("{job:?}") };
    assert_eq!(revocation.refresh, session(0).refresh);
}

#[test]
fn n26_logout_during_the_second_look_closes_the_connection() {
    let mut agent = Agent::signed_in(Capability::Rr1);
    let (connection, _) = only_net(agent.wait());
    agent.suspend(2_000);
    only_store(agent.done(connection, JobResult::Connected(Ok(()))));
    let effects = agent.ask(1, SessionRequest::Logout);
    let [Effect::Cancel(closed), Effect::Store(_, job)] = &effects[..] else { panic!("{effects:?}") };
    assert_eq!(*closed, connection);
    assert!(matches!(**job, StoreJob::Erase { .. }), "{job:?}");
}

#[test]
fn n26_logout_is_marked_until_the_file_is_gone() {
    let mut agent = Agent::signed_in(Capability::Rr1);
    let (_, job) = only_store(agent.ask(1, SessionRequest::Logout));
    let StoreJob::Erase { sidecar, revocation } = job else { panic!("{job:?}") };
    let print = session(0).fingerprint();
    assert_eq!((sidecar.signing_out, sidecar.is_spent(print)), (Some(print), Some(EndReason::SignedOut)));

    // A crash came when the revocation was queued and nothing else was done.
    let mut files = files(Capability::Rr1);
    files.revocations.extend(revocation);
    let (_, effects) = Agent::start(files, ReplayRule::StrictUser);
    let [Effect::Notify(Notice::Recovered), Effect::Store(_, job), ..] = &effects[..] else {
        panic!("{effects:?}")
    };
    let StoreJob::Erase { sidecar, revocation: None } = &**job else { panic!("{job:?}") };
    assert_eq!((sidecar.signing_out, sidecar.is_spent(print)), (Some(print), Some(EndReason::SignedOut)));
}

#[test]
fn n28_logout_after_a_new_sign_in_is_another_logout() {
    let mut agent = Agent::signed_in(Capability::Rr1);
    let (erase, _) = only_store(agent.ask(1, SessionRequest::Logout));
    agent.done(erase, JobResult::Erased(Ok(())));
    let effects = agent.sign_in_elsewhere();
    agent.keep_books(effects);

    let effects = agent.ask(5, SessionRequest::Logout);
    let [first, Effect::Store(erase, job)] = &effects[..] else { panic!("{effects:?}") };
    assert_eq!(*first, reply(1, ProfileReply::LoggedOut(Word::Queued)), "its server has not answered yet");
    let StoreJob::Erase { revocation: Some(revocation), .. } = &**job else { panic!("{job:?}") };
    assert_eq!(revocation.refresh, session(7).refresh);
    agent.done(*erase, JobResult::Erased(Ok(())));
    assert!(!agent.is_signed_in());
}
