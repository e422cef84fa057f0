//! N35 to N39: what may be sent a second time, at servers that promise nothing about it.

use crate::script::*;
use everkey_proto::ReplayRule;
use everkey_proto::reply::{ReplaySource, State};
use everkey_proto::request::SessionRequest;
use everkey_session::policy::{LONGEST_RETRY_MS, Policy};
use everkey_session::{
    Begun, Capability, DoubtOutlook, Effect, EndReason, Error, Fingerprint, Intent, Journal, LearntRule,
    Loaded, NetErrorKind, Notice, ProfileReply, ProfileStatus, RefreshAnswer, TokenResponse,
};

/// The session of the usual profile at a server with this rule, an hour before its access token expires.
fn at(rule: ReplayRule) -> Agent {
    Agent::start(files(Capability::None), rule).0
}

fn unclear(kind: NetErrorKind) -> RefreshAnswer {
    RefreshAnswer::Unclear(trouble(kind))
}

fn grant_without_promise(generation: u64) -> TokenResponse {
    TokenResponse { capability: Capability::None, ..grant(generation) }
}

/// Milliseconds until the access token of the file expires.
fn left_ms(agent: &Agent) -> u64 {
    agent.file.access_expires_at.map_or(u64::MAX, |at| at.saturating_sub(agent.wall()) * 1000)
}

fn status(agent: &mut Agent) -> ProfileStatus {
    match agent.ask(500, SessionRequest::Status).as_slice() {
        [Effect::Reply(_, answer)] => match &**answer {
            ProfileReply::Status(view) => view.clone(),
            other => panic!("{other:?} instead of a status"),
        },
        other => panic!("{other:?} instead of a status"),
    }
}

/// What a sign-in is answered: the first step, unless there is nothing to do.
fn login(agent: &mut Agent) -> ProfileReply {
    match agent.ask(501, SessionRequest::Login { scheme: None, under_way: None }).as_slice() {
        [Effect::Reply(_, answer)] => (**answer).clone(),
        other => panic!("{other:?} instead of a step"),
    }
}

fn goes_ahead(answer: &ProfileReply) -> bool {
    matches!(answer, ProfileReply::Asked { .. })
}

/// A lost answer, and after how many milliseconds the token is sent again.
fn sent_again_after(agent: &mut Agent, kind: NetErrorKind) -> (Sent, u64) {
    let first = agent.send_when_due();
    let begun = agent.boot();
    agent.answered(&first, unclear(kind));
    let mut next = agent.wait();
    while matches!(next[..], [Effect::Notify(Notice::SignInAhead { .. })]) {
        next = agent.wait();
    }
    let again = agent.send(next);
    assert_eq!((&again.token, &again.key), (&first.token, &first.key));
    (again, agent.boot() - begun)
}

#[test]
fn n37_harmless_repeats_are_sent_with_growing_pauses() {
    for rule in [ReplayRule::NotRotated, ReplayRule::OldStays, ReplayRule::UntilUsed] {
        let mut agent = at(rule);
        let first = agent.send_when_due();
        agent.answered(&first, unclear(NetErrorKind::Timeout));
        let mut longest = 0;
        for _ in 0..12 {
            let (next, waited) = agent.wait_for();
            longest = waited.max(longest);
            assert!(waited <= LONGEST_RETRY_MS, "{waited} ms at {rule}");
            let again = agent.send(next);
            assert_eq!((&again.token, &again.key), (&first.token, &first.key));
            agent.answered(&again, unclear(NetErrorKind::Status(502, None)));
        }
        assert!(longest > LONGEST_RETRY_MS / 2, "the pauses grow");
        let last = agent.send_when_due();
        assert_eq!(agent.succeed(&last, grant_without_promise(1)), [Effect::Notify(Notice::Refreshed)]);
    }
}

#[test]
fn n37_elsewhere_a_repeat_waits_until_nothing_is_left_to_lose() {
    for rule in
        [ReplayRule::Unknown, ReplayRule::StrictFamily, ReplayRule::StrictReject, ReplayRule::Grace(10)]
    {
        let mut agent = at(rule);
        let first = agent.send_when_due();
        agent.suspend(10_000);
        agent.answered(&first, unclear(NetErrorKind::Timeout));
        let told = agent.wait();
        assert_eq!(told, [ahead(agent.file.access_expires_at)], "{rule}");
        assert_eq!(agent.ask(1, token()), [reply(1, token_of(&session(0)))], "served in silence");
        let next = agent.wait();
        let left = left_ms(&agent);
        assert!((28_000..=34_000).contains(&left), "{left} ms before the end at {rule}");
        let again = agent.send(next);
        assert_eq!((&again.token, &again.key), (&first.token, &first.key));
        assert_eq!(
            agent.succeed(&again, grant_without_promise(1)).first(),
            Some(&Effect::Notify(Notice::Refreshed))
        );
    }
}

#[test]
fn n38_an_outage_of_hours_costs_nobody_a_sign_in() {
    for rule in
        [ReplayRule::Unknown, ReplayRule::StrictFamily, ReplayRule::StrictReject, ReplayRule::Grace(60)]
    {
        let mut agent = at(rule);
        let first = agent.send_when_due();
        agent.answered(&first, unclear(NetErrorKind::Status(503, None)));
        let mut tries = 0;
        while left_ms(&agent) > 0 || tries < 200 {
            let next = agent.wait();
            if matches!(next[..], [Effect::Notify(Notice::SignInAhead { .. })]) {
                continue;
            }
            let again = agent.send(next);
            assert_eq!(again.key, first.key);
            agent.answered(&again, unclear(NetErrorKind::Status(503, None)));
            tries += 1;
        }
        let uncertain = Error::Uncertain(SERVER.to_owned(), DoubtOutlook::SentAgain);
        let waits = agent.ask(1, token());
        agent.suspend(25_000);
        let told = [waits, agent.sleep(0)].concat();
        assert!(told.contains(&reply(1, ProfileReply::Failed(uncertain))), "{told:?}");
        let next = agent.look_at_unchanged_file(told).into_iter();
        let next = next.filter(|effect| matches!(effect, Effect::Net(..))).collect::<Vec<_>>();
        let last = if next.is_empty() { agent.send_when_due() } else { agent.send(next) };
        assert!(agent.succeed(&last, grant_without_promise(1)).contains(&Effect::Notify(Notice::Refreshed)));
        assert!(agent.is_signed_in());
    }
}

#[test]
fn n37_a_grace_counts_from_the_first_byte_that_was_sent() {
    let mut agent = at(ReplayRule::Grace(30));
    let (again, after) = sent_again_after(&mut agent, NetErrorKind::Broken);
    assert!(after < 2_000, "{after} ms");
    assert!(again.terms.patience_ms <= 10_000);
    agent.answered(&again, unclear(NetErrorKind::Broken));
    // Each repeat is sent while there is time for its answer, and none counts anew.
    let mut last = after;
    loop {
        let (next, waited) = agent.wait_for();
        if matches!(next[..], [Effect::Notify(Notice::SignInAhead { .. })]) {
            break;
        }
        last += waited;
        let sent = agent.send(next);
        agent.answered(&sent, unclear(NetErrorKind::Broken));
    }
    assert!((5_000..=18_000).contains(&last), "the last one {last} ms after the first");
    assert!(left_ms(&agent) > 60_000);
}

#[test]
fn n37_a_connection_slower_than_the_grace_sends_nothing() {
    let mut agent = at(ReplayRule::Grace(30));
    let first = agent.send_when_due();
    agent.answered(&first, unclear(NetErrorKind::Broken));
    let effects = agent.wait();
    let (op, _) = only_net(effects);
    agent.suspend(25_000);
    let effects = agent.done(op, everkey_session::JobResult::Connected(Ok(())));
    let effects = agent.look_at_unchanged_file(effects);
    let sends = effects.iter().any(|effect| matches!(effect, Effect::Net(..)));
    assert!(!sends && effects.contains(&Effect::Cancel(op)), "{effects:?}");
}

#[test]
fn n37_another_run_of_the_machine_has_no_grace() {
    let begun = Begun { boot_id: "another boot".to_owned(), at_ms: START_BOOT, wall: START_WALL };
    let intent = Intent { begun: Some(begun), ..intent(Capability::None) };
    let open = Loaded { journal: Ok(Journal::Intent(intent.clone())), ..files(Capability::None) };
    let (mut agent, effects) = Agent::start(open, ReplayRule::Grace(600));
    assert_eq!(effects, [ahead(session(0).access_expires_at)]);
    let next = agent.wait();
    assert!(left_ms(&agent) <= 31_000);
    assert_eq!(agent.send(next).key, intent.key);

    let intent = Intent { begun: intent_begun_now(), ..intent };
    let open = Loaded { journal: Ok(Journal::Intent(intent.clone())), ..files(Capability::None) };
    let (mut agent, effects) = Agent::start(open, ReplayRule::Grace(600));
    assert_eq!(agent.send(effects).key, intent.key, "the same run of the machine");
}

fn intent_begun_now() -> Option<Begun> {
    intent(Capability::None).begun
}

#[test]
fn n37_a_server_that_signs_everybody_out_is_never_asked_again() {
    for rule in [ReplayRule::StrictUser, ReplayRule::Unknown] {
        let policy = Policy { replay: replay(rule), ..policy() };
        let said = everkey_session::ReplayKnowledge { profile: Some(ReplayRule::StrictUser), ..replay(rule) };
        let policy = Policy { replay: said, ..policy };
        let (mut agent, _) = Agent::start_with(policy, files(Capability::None));
        let first = agent.send_when_due();
        agent.answered(&first, unclear(NetErrorKind::Timeout));
        let view = status(&mut agent);
        assert_eq!((view.state, view.sign_in_by), (State::Uncertain, session(0).access_expires_at));
        let outlook = Error::Uncertain(SERVER.to_owned(), DoubtOutlook::NeverSent);
        assert_eq!(view.reason, Some(outlook));
        let over = agent.wait();
        assert_eq!(agent.keep_books(over), [ended(EndReason::AnswerLost)]);
        assert!(left_ms(&agent) <= 4_000, "served to its end");
    }
}

#[test]
fn n37_a_reported_access_token_ends_the_silence() {
    let mut agent = at(ReplayRule::StrictFamily);
    let first = agent.send_when_due();
    agent.answered(&first, unclear(NetErrorKind::Timeout));
    let told = agent.wait();
    assert!(matches!(told[..], [Effect::Notify(Notice::SignInAhead { .. })]));
    let than = Fingerprint::of(&session(0).access);
    let next = agent.ask(1, SessionRequest::Better { than });
    let again = agent.send(next);
    assert_eq!(again.key, first.key);
    let told = agent.succeed(&again, grant_without_promise(1));
    assert_eq!(told.last(), Some(&reply(1, token_of(&agent.file))));
}

#[test]
fn n37_a_refused_repeat_says_why_a_sign_in_is_needed() {
    let mut agent = at(ReplayRule::Unknown);
    let (again, _) = sent_again_after(&mut agent, NetErrorKind::Timeout);
    let effects = agent.answered(&again, RefreshAnswer::Refused);
    let effects = agent.look_at_unchanged_file(effects);
    assert_eq!(agent.keep_books(effects), [ended(EndReason::RepeatRefused)]);
    assert!(goes_ahead(&login(&mut agent)));
}

#[test]
fn n37_tokens_that_come_again_are_no_younger() {
    let mut agent = at(ReplayRule::Grace(600));
    let first = agent.send_when_due();
    agent.suspend(100_000);
    agent.answered(&first, unclear(NetErrorKind::Timeout));
    let sent = agent.wall() - 100;
    let again = agent.send_when_due();
    agent.succeed(&again, grant_without_promise(1));
    let ends = agent.file.access_expires_at.unwrap_or_default();
    assert!((sent + 3_598..=sent + 3_602).contains(&ends), "{ends}, sent at {sent}");
}

#[test]
fn n39_a_grace_is_learnt_from_a_cut_answer() {
    let mut agent = at(ReplayRule::Unknown);
    let (again, after) = sent_again_after(&mut agent, NetErrorKind::Cut);
    agent.succeed(&again, grant_without_promise(1));
    let rule = status(&mut agent).replay.unwrap();
    assert_eq!(rule.rule, ReplayRule::Grace(u32::try_from(after / 1000).unwrap()));
    assert_eq!(rule.source, ReplaySource::Learnt { at: agent.wall(), count: 1 });
}

#[test]
fn n39_a_first_try_that_may_have_been_lost_teaches_nothing() {
    let mut agent = at(ReplayRule::Unknown);
    let (again, _) = sent_again_after(&mut agent, NetErrorKind::Timeout);
    agent.succeed(&again, grant_without_promise(1));
    let rule = status(&mut agent).replay.unwrap();
    assert_eq!((rule.rule, rule.source), (ReplayRule::Unknown, ReplaySource::Nobody));
}

#[test]
fn n39_a_refusal_overrides_what_was_believed() {
    for believed in [ReplayRule::OldStays, ReplayRule::UntilUsed, ReplayRule::Grace(600)] {
        let mut agent = at(believed);
        let (again, _) = sent_again_after(&mut agent, NetErrorKind::Timeout);
        let effects = agent.answered(&again, RefreshAnswer::Refused);
        let effects = agent.look_at_unchanged_file(effects);
        agent.keep_books(effects);
        let rule = status(&mut agent).replay.unwrap();
        let learnt = ReplaySource::Learnt { at: agent.wall(), count: 1 };
        assert_eq!((rule.rule, rule.source), (ReplayRule::StrictFamily, learnt), "{believed}");
    }
}

#[test]
fn n39_what_was_learnt_is_used_after_a_restart() {
    let mut files = files(Capability::None);
    let learnt =
        LearntRule { server: SERVER.to_owned(), rule: ReplayRule::Grace(300), at: START_WALL, count: 3 };
    files.sidecar.iter_mut().for_each(|sidecar| sidecar.learnt = vec![learnt.clone()]);
    let (mut agent, _) = Agent::start(files, ReplayRule::Unknown);
    let (_, after) = sent_again_after(&mut agent, NetErrorKind::Timeout);
    assert!(after < 3_000, "{after} ms");
}

#[test]
fn n36_a_refusal_in_other_words_keeps_token_and_file() {
    let words = trouble(NetErrorKind::Status(401, Some("session_over: sign in again".to_owned())));
    let unknown = Policy { replay: replay(ReplayRule::Unknown), ..policy() };
    let (mut agent, _) = Agent::start_with(unknown, files_of(&plain()));
    agent.file = plain();
    let sent = agent.send_when_due();
    let effects = agent.answered(&sent, RefreshAnswer::RefusedInWords(words.clone()));
    let effects = agent.look_at_unchanged_file(effects);
    assert_eq!(agent.keep_books(effects), [ended(EndReason::RefusedInWords)]);
    let last = last_token_of(&plain(), EndReason::RefusedInWords);
    assert_eq!(agent.ask(1, token()), [reply(1, last)], "the access token is served");
    let view = status(&mut agent);
    assert_eq!(view.last_error, Some(Error::Net(words)));
    assert!(goes_ahead(&login(&mut agent)));
    assert_eq!(agent.wait_for().0, [], "nothing is sent again, and the file is left alone");
}

#[test]
fn n36_with_rr1_other_words_are_somebody_elses() {
    let mut agent = Agent::signed_in(Capability::Rr1);
    let sent = agent.send_when_due();
    let words = trouble(NetErrorKind::Status(401, Some("Unauthorized".to_owned())));
    agent.answered(&sent, RefreshAnswer::RefusedInWords(words));
    assert_eq!(agent.send_when_due().key, sent.key);
}

#[test]
fn n35_trouble_with_the_client_ends_no_session() {
    let kind = NetErrorKind::ClientRefused("invalid_client: secret rotated".to_owned());
    let mut agent = at(ReplayRule::StrictUser);
    let first = agent.send_when_due();
    let told = agent.answered(&first, RefreshAnswer::Declined(trouble(kind.clone())));
    assert_eq!(told, [Effect::Notify(Notice::RefreshFailed(trouble(kind.clone())))]);
    assert_eq!(agent.ask(1, token()), [reply(1, token_of(&session(0)))]);
    assert!(goes_ahead(&login(&mut agent)), "a sign-in is not told that it is not needed");
    let mut longest = 0;
    for _ in 0..10 {
        let (next, waited) = agent.wait_for();
        longest = waited.max(longest);
        let again = agent.send(next);
        assert_eq!(again.key, first.key);
        agent.answered(&again, RefreshAnswer::Declined(trouble(kind.clone())));
    }
    assert!(longest >= 600_000, "{longest} ms");
    let next = agent.ask(2, SessionRequest::Refresh { force: true });
    let next = if next.is_empty() { agent.wait() } else { next };
    let last = agent.send(next);
    let told = agent.succeed(&last, grant_without_promise(1));
    assert_eq!(told.first(), Some(&Effect::Notify(Notice::Refreshed)), "once the secret is right");
}

#[test]
fn n35_a_mended_client_is_tried_at_once() {
    for kind in [
        NetErrorKind::ClientRefused("invalid_client".to_owned()),
        NetErrorKind::ClientUnusable("gone".to_owned()),
    ] {
        let mut agent = at(ReplayRule::StrictUser);
        let mut sent = agent.send_when_due();
        for _ in 0..10 {
            agent.answered(&sent, RefreshAnswer::Declined(trouble(kind.clone())));
            sent = agent.send_when_due();
        }
        agent.answered(&sent, RefreshAnswer::Declined(trouble(kind)));
        let effects = agent.client_changed();
        let sent = agent.send(effects);
        let passing = NetErrorKind::Connect("refused".to_owned());
        agent.answered(&sent, RefreshAnswer::Declined(trouble(passing)));
        assert_eq!(agent.client_changed(), [], "the network is not mended by that");
    }
}

#[test]
fn a_sign_in_goes_ahead_during_a_doubt() {
    for rule in [ReplayRule::StrictUser, ReplayRule::Unknown, ReplayRule::OldStays] {
        let mut agent = at(rule);
        let ProfileReply::SignedIn { already: true, .. } = login(&mut agent) else { panic!("not signed in") };
        let first = agent.send_when_due();
        agent.answered(&first, unclear(NetErrorKind::Timeout));
        assert!(goes_ahead(&login(&mut agent)), "{rule}");
    }
}
