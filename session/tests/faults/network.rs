//! N02 to N05, N10, N15, N17, N31 to N34: what the network and the server do to a refresh.

use crate::script::*;
use everkey_proto::ReplayRule;
use everkey_proto::request::SessionRequest;
use everkey_session::policy::{LONGEST_RETRY_AFTER_SECS, LONGEST_RETRY_MS};
use everkey_session::{
    AnswerFlaw, Capability, Claims, Effect, EndReason, Error, JobResult, Journal, NetErrorKind, NetJob,
    Notice, ProbeAnswer, ProfileReply, RefreshAnswer, StoreJob,
};

fn lost() -> RefreshAnswer {
    RefreshAnswer::Unclear(trouble(NetErrorKind::Timeout))
}

/// The server has not processed it, and asks to wait.
fn declined(secs: u64) -> RefreshAnswer {
    RefreshAnswer::Declined(trouble(NetErrorKind::Limited(secs)))
}

/// An answer is lost on the way; what the agent then does of its own accord.
fn after_a_lost_answer(capability: Capability) -> (Agent, Sent, Vec<Effect>) {
    let mut agent = Agent::signed_in(capability);
    let sent = agent.send_when_due();
    let told = agent.answered(&sent, lost());
    assert_eq!(told, [Effect::Notify(Notice::RefreshFailed(trouble(NetErrorKind::Timeout)))]);
    let next = agent.wait();
    (agent, sent, next)
}

#[test]
fn n02_answer_lost_with_rr1_same_key_same_successor() {
    let (mut agent, first, next) = after_a_lost_answer(Capability::Rr1);
    let again = agent.send(next);
    assert_eq!((&again.token, &again.key), (&first.token, &first.key));
    assert_eq!(agent.succeed(&again, grant(1)), [Effect::Notify(Notice::Refreshed)]);
    assert_eq!(agent.ask(1, token()), [reply(1, token_of(&agent.file))]);
}

#[test]
fn n02_answer_lost_at_a_strict_server_nothing_is_sent_again() {
    let (mut agent, _, next) = after_a_lost_answer(Capability::Probe);
    let (op, job) = only_net(next);
    assert_eq!(job, NetJob::Probe { at: home(), access: session(0).access });
    let over = agent.done(op, JobResult::Probed(ProbeAnswer::Generation(1), None));
    assert_eq!(agent.keep_books(over), [ended(EndReason::SessionLost)]);
    assert_eq!(agent.wait_for().0, []);
}

#[test]
fn n02_answer_lost_at_a_strict_server_access_token_still_served() {
    let (mut agent, _, next) = {
        let mut agent = Agent::signed_in(Capability::None);
        let sent = agent.send_when_due();
        agent.answered(&sent, lost());
        assert_eq!(agent.ask(1, token()), [reply(1, token_of(&session(0)))]);
        let next = agent.wait();
        (agent, sent, next)
    };
    assert_eq!(agent.keep_books(next), [ended(EndReason::AnswerLost)]);
    assert_eq!(
        agent.ask(2, token()),
        [reply(2, ProfileReply::Failed(Error::NeedsLogin(EndReason::AnswerLost)))]
    );
    assert_eq!(agent.wait_for().0, []);
}

#[test]
fn n03_request_lost_with_rr1_it_is_sent_again() {
    let (mut agent, first, next) = after_a_lost_answer(Capability::Rr1);
    assert_eq!(agent.send(next).key, first.key);
}

#[test]
fn n03_request_lost_at_a_strict_server_probe_then_send() {
    let (mut agent, first, next) = after_a_lost_answer(Capability::Probe);
    let (op, job) = only_net(next);
    assert!(matches!(job, NetJob::Probe { .. }));
    let next = agent.done(op, JobResult::Probed(ProbeAnswer::Generation(0), None));
    let again = agent.send(next);
    assert_eq!(again.key, first.key);
    agent.answered(&again, lost());
    let (_, job) = only_net(agent.wait());
    assert!(matches!(job, NetJob::Probe { .. }), "and asked again before a third");
}

#[test]
fn n03_the_probe_waits_for_the_deadline() {
    let mut agent = Agent::signed_in(Capability::Probe);
    let sent = agent.send_when_due();
    agent.done(sent.op, JobResult::Answered(Box::new(lost()), Some(sent.deadline - 9)));
    let (next, waited) = agent.wait_for();
    let (_, job) = only_net(next);
    assert!(matches!(job, NetJob::Probe { .. }));
    assert!(waited > 9_000, "asked after {waited} ms");
}

#[test]
fn n03_the_probe_tells_a_strict_servers_clock() {
    let (mut agent, first, next) = after_a_lost_answer(Capability::Probe);
    let (op, _) = only_net(next);
    let ahead = first.deadline + 300;
    let next = agent.done(op, JobResult::Probed(ProbeAnswer::Generation(0), Some(ahead)));
    assert_eq!(agent.send(next).deadline, ahead + 9);
}

#[test]
fn n04_delayed_answer_after_the_retry_changes_nothing() {
    let (mut agent, first, next) = after_a_lost_answer(Capability::Rr1);
    let again = agent.send(next);
    agent.succeed(&again, grant(1));
    assert_eq!(agent.answered(&first, RefreshAnswer::Granted(grant(1))), []);
    assert_eq!(agent.answered(&first, RefreshAnswer::Refused), []);
    assert!(agent.is_signed_in());
}

#[test]
fn n05_killed_after_the_intent_the_same_key_is_used() {
    let mut files = files(Capability::Rr1);
    files.journal = Ok(Journal::Intent(intent(Capability::Rr1)));
    let (mut agent, next) = Agent::start(files, ReplayRule::StrictUser);
    assert_eq!(agent.send(next).key, intent(Capability::Rr1).key);
}

#[test]
fn n05_killed_after_the_intent_never_resends_to_strict_servers() {
    let mut files = files(Capability::None);
    files.journal = Ok(Journal::Intent(intent(Capability::None)));
    let (mut agent, next) = Agent::start(files, ReplayRule::StrictUser);
    assert_eq!(next, []);
    let over = agent.wait();
    assert_eq!(agent.keep_books(over), [ended(EndReason::AnswerLost)]);
}

#[test]
fn n05_killed_after_the_intent_it_resends_at_the_end() {
    let mut files = files(Capability::None);
    files.journal = Ok(Journal::Intent(intent(Capability::None)));
    let (mut agent, told) = Agent::start(files, ReplayRule::StrictReject);
    assert_eq!(told, [ahead(session(0).access_expires_at)]);
    for _ in 0..5 {
        let again = agent.send_when_due();
        assert_eq!(again.key, intent(Capability::None).key);
        agent.answered(&again, lost());
    }
}

#[test]
fn n10_no_unclear_answer_ever_signs_out() {
    let kinds = [
        NetErrorKind::Connect("refused".to_owned()),
        NetErrorKind::Timeout,
        NetErrorKind::Broken,
        NetErrorKind::Status(400, None),
        NetErrorKind::Status(401, None),
        NetErrorKind::Status(403, None),
        NetErrorKind::Status(500, None),
        AnswerFlaw::NotJson.into(),
        NetErrorKind::Redirect,
        NetErrorKind::OtherSession,
        NetErrorKind::Limited(9),
    ];
    for kind in kinds {
        for capability in [Capability::Rr1, Capability::Probe, Capability::None] {
            let mut agent = Agent::signed_in(capability);
            let sent = agent.send_when_due();
            let effects = agent.answered(&sent, RefreshAnswer::Unclear(trouble(kind.clone())));
            assert_eq!(effects, [Effect::Notify(Notice::RefreshFailed(trouble(kind.clone())))]);
            assert!(agent.is_signed_in(), "{kind:?} with {capability:?}");
        }
    }
}

#[test]
fn n15_retry_after_is_clamped_and_told() {
    let mut agent = Agent::signed_in(Capability::Rr1);
    agent.suspend(2 * HOUR);
    let next = agent.ask(1, token());
    let sent = agent.send(next);
    let effects = agent.answered(&sent, declined(u64::MAX));
    let limited = Error::RateLimited { secs: LONGEST_RETRY_AFTER_SECS };
    assert!(effects.contains(&reply(1, ProfileReply::Failed(limited))));
    let Effect::Reply(_, view) = &agent.ask(2, SessionRequest::Status)[0] else { panic!("no status") };
    let ProfileReply::Status(view) = &**view else { panic!("{view:?} instead of a status") };
    let wait = view.next_refresh_at.map(|at| at - sent.deadline);
    assert!(wait.is_some_and(|secs| (80_000..100_000).contains(&secs)), "{wait:?}");
}

#[test]
fn n15_retry_after_nothing_is_tried_at_once() {
    let mut agent = Agent::signed_in(Capability::Rr1);
    let sent = agent.send_when_due();
    let next = agent.answered(&sent, declined(0));
    let next = next.into_iter().filter(|effect| !matches!(effect, Effect::Notify(_))).collect();
    let again = agent.send(next);
    assert_eq!(again.key, sent.key);
    let next = agent.answered(&again, declined(0));
    assert!(!next.iter().any(|effect| matches!(effect, Effect::Net(..))), "no pause: {next:?}");
    let (next, waited) = agent.wait_for();
    assert!(waited >= 500, "{waited} ms");
    assert_eq!(agent.send(next).key, sent.key);
}

#[test]
fn n17_dns_dead_the_tries_are_at_most_a_minute_apart() {
    let mut agent = Agent::signed_in(Capability::Rr1);
    let mut next = agent.wait();
    for _ in 0..30 {
        let (op, job) = only_net(next);
        assert!(matches!(job, NetJob::Connect { .. }));
        let dead = trouble(NetErrorKind::Connect("no such name".to_owned()));
        agent.done(op, JobResult::Connected(Err(dead)));
        let (effects, waited) = agent.wait_for();
        assert!((500..=LONGEST_RETRY_MS).contains(&waited), "{waited} ms");
        next = effects;
    }
    agent.send(next);
}

#[test]
fn n31_answer_for_another_user_or_session_raises_an_alarm() {
    let other_session = Claims { session_id: Some("s2".to_owned()), ..grant(1).claims };
    let other_subject = Claims { subject: Some("u2".to_owned()), ..grant(1).claims };
    let mut other_user = user();
    other_user.id = "u2".to_owned();
    let mut grants = [grant(1), grant(1), grant(1)];
    grants[0].claims = other_session;
    grants[1].claims = other_subject;
    grants[2].user = Some(other_user);
    // What stands beside the tokens may say so, too.
    let beside = RefreshAnswer::Foreign;
    for foreign in grants.map(RefreshAnswer::Granted).into_iter().chain([beside]) {
        let mut agent = Agent::signed_in(Capability::Rr1);
        let sent = agent.send_when_due();
        let effects = agent.answered(&sent, foreign);
        let failed = Notice::RefreshFailed(trouble(NetErrorKind::OtherSession));
        assert_eq!(effects, [Effect::Notify(Notice::Alarm), Effect::Notify(failed)]);
        assert_eq!(agent.ask(1, token()), [reply(1, token_of(&session(0)))]);
        assert_eq!(agent.send_when_due().key, sent.key);
    }
}

#[test]
fn n04_slow_connect_rereads_the_file_and_moves_the_deadline() {
    let mut agent = Agent::signed_in(Capability::Rr1);
    let told = agent.send_when_due();
    let server_now = told.deadline;
    let next = agent.done(told.op, JobResult::Answered(Box::new(RefreshAnswer::Late), Some(server_now)));
    let next = next.into_iter().filter(|effect| !matches!(effect, Effect::Notify(_))).collect();
    let (op, job) = only_net(agent.look_at_unchanged_file(next));
    assert_eq!(job, NetJob::Connect { at: home() });
    agent.suspend(2_000);
    let (look, job) = only_store(agent.done(op, JobResult::Connected(Ok(()))));
    assert_eq!(job, StoreJob::ReadSession);
    agent.suspend(1_100);
    let effects = agent.done(look, JobResult::SessionRead(Box::new(found(&session(0)))));
    let [Effect::Store(_, job), ..] = &effects[..] else { panic!("{effects:?}") };
    let StoreJob::WriteIntent(intent) = &**job else { panic!("{job:?}") };
    assert_eq!((&intent.key, intent.deadline), (&told.key, server_now + 2 + 9));
}

#[test]
fn n04_slow_connect_sends_nothing_after_a_foreign_refresh() {
    let mut agent = Agent::signed_in(Capability::Rr1);
    let next = agent.wait();
    let (op, _) = only_net(next);
    agent.suspend(2_000);
    let (look, _) = only_store(agent.done(op, JobResult::Connected(Ok(()))));
    let effects = agent.done(look, JobResult::SessionRead(Box::new(found(&session(5)))));
    assert_eq!(agent.keep_books(effects), [Effect::Cancel(op), Effect::Notify(Notice::Adopted)]);
}

#[test]
fn n32_answer_lost_then_retry_declined_keeps_the_key() {
    let (mut agent, first, next) = after_a_lost_answer(Capability::Rr1);
    let second = agent.send(next);
    agent.answered(&second, declined(20));
    let (next, waited) = agent.wait_for();
    assert!((20_000..=22_000).contains(&waited), "{waited} ms");
    let third = agent.send(next);
    assert_eq!((&second.key, &third.key), (&first.key, &first.key));
    assert_eq!(agent.succeed(&third, grant(1)), [Effect::Notify(Notice::Refreshed)]);
}

#[test]
fn n33_deadline_passed_on_arrival_the_next_follows_the_servers_clock() {
    let mut agent = Agent::signed_in(Capability::Rr1);
    let sent = agent.send_when_due();
    let ahead = sent.deadline + 300;
    let next = agent.done(sent.op, JobResult::Answered(Box::new(RefreshAnswer::Late), Some(ahead)));
    let next = next.into_iter().filter(|effect| !matches!(effect, Effect::Notify(_))).collect();
    let again = agent.send(next);
    assert_eq!((&again.key, again.deadline), (&sent.key, ahead + 9));
}

#[test]
fn n34_unprocessed_attempts_are_sent_again_whatever_the_server_promises() {
    for capability in [Capability::Rr1, Capability::Probe, Capability::None] {
        let mut agent = Agent::signed_in(capability);
        let first = agent.send_when_due();
        agent.answered(&first, RefreshAnswer::Declined(trouble(NetErrorKind::Status(425, None))));
        for _ in 0..5 {
            let again = agent.send_when_due();
            assert_eq!((&again.token, &again.key), (&first.token, &first.key), "{capability:?}");
            agent.answered(&again, declined(20));
        }
        let last = agent.send_when_due();
        assert_eq!(agent.succeed(&last, grant(1)), [Effect::Notify(Notice::Refreshed)]);
    }
}

#[test]
fn n34_an_unprocessed_attempt_settles_no_earlier_doubt() {
    let (mut agent, _) = Agent::start(files(Capability::None), ReplayRule::Grace(30));
    let first = agent.send_when_due();
    agent.answered(&first, lost());
    let again = agent.send_when_due();
    agent.answered(&again, declined(40));
    assert_eq!(agent.wait(), [ahead(session(0).access_expires_at)]);
}
