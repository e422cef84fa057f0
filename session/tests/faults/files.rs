//! N13, F08, F09, F11, F12: what a crash or another program left beside and in the session file.

use crate::script::*;
use everkey_proto::ReplayRule;
use everkey_proto::request::SessionRequest;
use everkey_session::{
    Capability, Effect, EndReason, Error, FileContent, JobResult, Journal, Loaded, NetErrorKind, Notice, Pin,
    ProbeAnswer, ProfileReply, RefreshAnswer, Replaced, Sidecar, StoreJob,
};

#[test]
fn f08_whole_outcome_is_rolled_forward_and_nothing_is_sent() {
    let mut files = files(Capability::Rr1);
    files.journal = Ok(Journal::Outcome(intent(Capability::Rr1), session(1)));
    let (mut agent, next) = Agent::start(files, ReplayRule::StrictUser);
    let parent = Some(session(0).fingerprint());
    let [Effect::Notify(Notice::Recovered), Effect::Store(op, job)] = &next[..] else { panic!("{next:?}") };
    assert_eq!(**job, StoreJob::Replace { parent, session: session(1) });
    assert_eq!(agent.ask(1, token()), [reply(1, token_of(&session(0)))], "the old one until it is durable");
    let effects = agent.done(*op, JobResult::Replaced(Ok(Replaced::Done)));
    assert_eq!(agent.keep_books(effects), [Effect::Notify(Notice::Refreshed)]);
    assert_eq!(agent.ask(2, token()), [reply(2, token_of(&session(1)))]);
}

#[test]
fn f08_outcome_already_in_the_file_is_taken_as_ours() {
    let mut files = files(Capability::Rr1);
    files.journal = Ok(Journal::Outcome(intent(Capability::Rr1), session(1)));
    files.file = found(&session(1));
    let (mut agent, next) = Agent::start(files, ReplayRule::StrictUser);
    let (_, job) = only_store(next);
    let StoreJob::Settle(sidecar) = job else { panic!("{job:?}") };
    assert_eq!(sidecar.is_spent(session(0).fingerprint()), Some(EndReason::Restored));
    assert_eq!(sidecar.pin.map(|pin| pin.fingerprint), Some(session(1).fingerprint()));
    assert_eq!(agent.ask(1, token()), [reply(1, token_of(&session(1)))]);
}

#[test]
fn f08_outcome_of_an_earlier_epoch_is_dropped() {
    let mut files = files(Capability::Rr1);
    files.journal = Ok(Journal::Outcome(intent(Capability::Rr1), session(1)));
    files.sidecar.iter_mut().for_each(|sidecar| sidecar.epoch = 1);
    let (mut agent, next) = Agent::start(files, ReplayRule::StrictUser);
    assert_eq!(agent.keep_books(next), [ended(EndReason::Restored)]);
    assert_eq!(agent.wait_for().0, [], "and the parent is not sent");
}

#[test]
fn f08_outcome_whose_parent_is_not_the_files_token_is_dropped() {
    let mut files = files(Capability::Rr1);
    files.journal = Ok(Journal::Outcome(intent(Capability::Rr1), session(1)));
    files.file = found(&session(5));
    let (mut agent, next) = Agent::start(files, ReplayRule::StrictUser);
    assert_eq!(agent.keep_books(next), [Effect::Notify(Notice::Adopted)]);
    assert_eq!(agent.ask(1, token()), [reply(1, token_of(&session(5)))]);
}

#[test]
fn f08_journal_is_not_judged_before_the_file_can_be_read() {
    let mut unreadable = files(Capability::Rr1);
    unreadable.journal = Ok(Journal::Intent(intent(Capability::Rr1)));
    unreadable.file = FileContent::Unusable(io_error());
    let (mut agent, _) = Agent::start(unreadable, ReplayRule::StrictUser);
    let (load, job) = only_store(agent.wait());
    assert_eq!(job, StoreJob::Load);

    let mut readable = files(Capability::Rr1);
    readable.journal = Ok(Journal::Intent(intent(Capability::Rr1)));
    let effects = agent.done(load, JobResult::Loaded(Box::new(readable)));
    let next = effects.into_iter().filter(|effect| !matches!(effect, Effect::Notify(_))).collect();
    assert_eq!(agent.send(next).key, intent(Capability::Rr1).key);
}

#[test]
fn f08_journal_that_cannot_be_read_stays_and_nothing_is_sent() {
    let mut sealed = with_unfinished_sign_in();
    sealed.journal = Err(io_error());
    let (mut agent, effects) = Agent::start(sealed, ReplayRule::StrictUser);
    let [Effect::Notify(Notice::StoreFailed(_)), Effect::Store(op, job)] = &effects[..] else {
        panic!("{effects:?}")
    };
    assert!(matches!(**job, StoreJob::WriteSidecar(_)), "{job:?} would clear it");
    agent.done(*op, JobResult::Stored(Ok(())));
    agent.suspend(2 * HOUR);
    let effects = agent.ask(1, token());
    let [Effect::Reply(_, answer), Effect::Store(_, job)] = &effects[..] else { panic!("{effects:?}") };
    assert_eq!(**answer, ProfileReply::Failed(Error::Store(io_error())));
    assert_eq!(**job, StoreJob::Load, "it is read again, nothing more");
}

#[test]
fn f08_open_intent_stays_though_the_side_car_is_written() {
    let mut files = with_unfinished_sign_in();
    files.journal = Ok(Journal::Intent(intent(Capability::Rr1)));
    let (_, effects) = Agent::start(files, ReplayRule::StrictUser);
    let (_, job) = only_store(effects);
    assert!(matches!(job, StoreJob::WriteSidecar(_)), "{job:?} would clear it");
}

/// A sign-in was noted and never reached the file, so that the side-car has to be written again.
fn with_unfinished_sign_in() -> Loaded {
    let mut files = files(Capability::Rr1);
    let sidecar = files.sidecar.take().unwrap_or_default();
    let pending = sidecar.pin.clone().map(|pin| Pin { fingerprint: session(9).fingerprint(), ..pin });
    files.sidecar = Some(Sidecar { pending, ..sidecar });
    files
}

#[test]
fn f11_rotation_in_progress_the_other_tools_file_is_adopted() {
    let mut agent = Agent::signed_in(Capability::Rr1);
    let sent = agent.send_when_due();
    let told = agent.answered(&sent, RefreshAnswer::Rotating);
    assert_eq!(told, [Effect::Notify(Notice::RefreshFailed(trouble(NetErrorKind::Rotating)))]);
    agent.file = session(5);
    let adopted = agent.wait();
    assert_eq!(agent.keep_books(adopted), [Effect::Notify(Notice::Adopted)]);
    assert!(agent.is_signed_in());
}

#[test]
fn n13_refused_token_is_remembered_as_sent_whatever_took_its_place() {
    let mut other = session(5);
    other.claims.session_id = Some("s2".to_owned());
    for found in [found(&other), FileContent::Missing] {
        let mut agent = Agent::signed_in(Capability::Rr1);
        let sent = agent.send_when_due();
        let (look, job) = only_store(agent.answered(&sent, RefreshAnswer::Refused));
        assert_eq!(job, StoreJob::ReadSession);
        let effects = agent.done(look, JobResult::SessionRead(Box::new(found)));
        let [Effect::Notify(_), Effect::Store(_, job)] = &effects[..] else { panic!("{effects:?}") };
        let StoreJob::Settle(sidecar) = &**job else { panic!("{job:?}") };
        assert_eq!(sidecar.is_spent(session(0).fingerprint()), Some(EndReason::Restored));
    }
}

#[test]
fn f09_token_replaced_while_the_agent_was_down_counts_as_spent() {
    let mut files = files(Capability::Rr1);
    files.file = found(&session(5));
    let (_, effects) = Agent::start(files, ReplayRule::StrictUser);
    let [Effect::Notify(Notice::Adopted), Effect::Store(_, job)] = &effects[..] else {
        panic!("{effects:?}")
    };
    let StoreJob::Settle(sidecar) = &**job else { panic!("{job:?}") };
    assert_eq!(sidecar.is_spent(session(0).fingerprint()), Some(EndReason::Restored));
    assert_eq!(sidecar.is_spent(session(5).fingerprint()), None);
}

#[test]
fn f11_rotation_in_progress_for_a_minute_needs_login() {
    let mut agent = Agent::signed_in(Capability::Rr1);
    let mut sent = agent.send_when_due();
    let key = sent.key.clone();
    let mut sends = 1;
    let end = loop {
        assert!(sends < 60, "still tried after {sends} times");
        agent.answered(&sent, RefreshAnswer::Rotating);
        let next = agent.wait();
        if next.contains(&ended(EndReason::Contested)) {
            break next;
        }
        sent = agent.send(next);
        assert_eq!(sent.key, key);
        sends += 1;
    };
    assert!(sends >= 3, "{sends} tries in a minute");
    let revokes = |effect: &Effect| matches!(effect, Effect::Store(_, job) if matches!(**job, StoreJob::QueueRevocation(_)));
    assert!(end.iter().any(revokes), "{end:?}");
    let over = ProfileReply::Failed(Error::NeedsLogin(EndReason::Contested));
    assert_eq!(agent.ask(1, SessionRequest::Whoami), [reply(1, over)]);
}

#[test]
fn f12_state_folder_lost_the_intent_beside_the_file_is_honoured() {
    let mut files = files(Capability::Rr1);
    files.sidecar = None;
    files.journal = Ok(Journal::Intent(intent(Capability::Rr1)));
    let (mut agent, next) = Agent::start(files, ReplayRule::StrictUser);
    let next = next.into_iter().filter(|effect| !matches!(effect, Effect::Notify(_))).collect();
    let again = agent.send(next);
    assert_eq!(again.key, intent(Capability::Rr1).key);
}

#[test]
fn f12_state_folder_lost_a_session_is_probed_before_sending() {
    let mut files = files(Capability::Rr1);
    files.sidecar = None;
    let (mut agent, _) = Agent::start(files, ReplayRule::StrictUser);
    let next = agent.wait();
    let (op, job) = only_net(next);
    assert!(matches!(job, everkey_session::NetJob::Probe { .. }), "{job:?}");
    let over = agent.done(op, JobResult::Probed(ProbeAnswer::Generation(3), None));
    assert_eq!(agent.keep_books(over), [ended(EndReason::Copied)]);
}
