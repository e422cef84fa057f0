//! N18 to N20: suspend, clocks that jump, lifetimes that make no sense.

use crate::script::*;
use everkey_proto::ReplayRule;
use everkey_proto::reply::State;
use everkey_proto::request::SessionRequest;
use everkey_session::policy::Policy;
use everkey_session::{
    Capability, Effect, Error, Fingerprint, NetErrorKind, Notice, ProfileReply, RefreshAnswer, Session,
    TokenResponse,
};

#[test]
fn n18_nine_hours_of_suspend_one_refresh_at_once() {
    let mut agent = Agent::signed_in(Capability::Rr1);
    let woken = agent.sleep(9 * HOUR);
    let woken = agent.look_at_unchanged_file(woken);
    let sent = agent.send(woken);
    assert_eq!(agent.succeed(&sent, grant(1)), [Effect::Notify(Notice::Refreshed)]);
    let (_, waited) = agent.wait_for();
    assert!(waited > 40 * MINUTE, "again after {waited} ms");
}

#[test]
fn n18_an_answer_is_as_old_as_its_request() {
    let mut agent = Agent::signed_in(Capability::Rr1);
    let sent = agent.send_when_due();
    agent.suspend(9 * HOUR);
    let mut next = agent.succeed(&sent, grant(1));
    assert_eq!(next.remove(0), Effect::Notify(Notice::Refreshed));
    agent.send(next);
}

#[test]
fn n19_wall_clock_a_day_off_causes_no_refresh() {
    for day in [86_400, -86_400] {
        let mut agent = Agent::signed_in(Capability::Rr1);
        let sent = agent.send_when_due();
        agent.succeed(&sent, grant(1));
        agent.jump_wall(day);
        assert_eq!(agent.ask(1, token()), [reply(1, token_of(&agent.file))]);
        let (next, waited) = agent.wait_for();
        assert!((40 * MINUTE..HOUR).contains(&waited), "{waited} ms after a jump of {day} s");
        agent.send(next);
    }
}

#[test]
fn n20_absurd_lifetimes_make_no_loop() {
    for expires_in in [0, -5, i64::MIN, 1, 2, 5, 1_000_000_000_000, i64::MAX] {
        let mut agent = Agent::signed_in(Capability::Rr1);
        let sent = agent.send_when_due();
        agent.succeed(&sent, TokenResponse { access_expires_in: Some(expires_in), ..grant(1) });
        assert_eq!(agent.wait_for().0, [], "nobody asks, so nothing is sent after expires_in {expires_in}");
    }
}

#[test]
fn n20_a_lifetime_that_is_none_is_unknown() {
    for expires_in in [Some(0), Some(-5), Some(i64::MIN), None] {
        let mut agent = Agent::signed_in(Capability::Rr1);
        let sent = agent.send_when_due();
        agent.succeed(&sent, TokenResponse { access_expires_in: expires_in, ..grant(1) });
        assert_eq!(agent.file.access_expires_at, None);
        let long = SessionRequest::Token { min_validity_secs: 7_200 };
        for (waiter, ask) in [(1, token()), (2, long)] {
            assert_eq!(agent.ask(waiter, ask), [reply(waiter, token_of(&agent.file))]);
        }
        let view = view(&mut agent);
        assert_eq!((view.state, view.access_expires_at, view.next_refresh_at), (State::Valid, None, None));
        let effects = agent.sleep(7 * 24 * HOUR);
        assert_eq!(agent.look_at_unchanged_file(effects), [], "until a server refuses it");
        let than = Fingerprint::of(&agent.file.access);
        let effects = agent.ask(3, SessionRequest::Better { than });
        let sent = agent.send(effects);
        let told = agent.succeed(&sent, grant(2));
        assert!(told.contains(&reply(3, token_of(&agent.file))), "{told:?}");
    }
}

#[test]
fn n20_a_forced_refresh_tells_no_expiry_that_nobody_knows() {
    let mut agent = Agent::signed_in(Capability::Rr1);
    let effects = agent.ask(1, SessionRequest::Refresh { force: true });
    let sent = agent.send(effects);
    let told = agent.succeed(&sent, TokenResponse { access_expires_in: Some(0), ..grant(1) });
    assert!(told.contains(&reply(1, ProfileReply::Refreshed(None))), "{told:?}");
}

#[test]
fn n20_a_token_of_seconds_is_had_by_asking() {
    let mut agent = Agent::signed_in(Capability::Rr1);
    let sent = agent.send_when_due();
    agent.succeed(&sent, TokenResponse { access_expires_in: Some(1), ..grant(1) });
    agent.suspend(5_000);
    let too_soon = ProfileReply::Failed(Error::TooSoon { secs: 25 });
    let effects = agent.ask(1, token());
    assert_eq!(agent.look_at_unchanged_file(effects), [reply(1, too_soon)]);
    agent.suspend(25_000);
    let effects = agent.ask(2, token());
    let sent = agent.send(effects);
    let told = agent.succeed(&sent, TokenResponse { access_expires_in: Some(1), ..grant(2) });
    assert!(told.contains(&reply(2, token_of(&agent.file))), "{told:?}");
}

#[test]
fn n20_an_absurd_end_of_the_refresh_token_is_unknown() {
    for ends_in in [0, -5, 1, 10] {
        let mut agent = Agent::signed_in(Capability::Rr1);
        let sent = agent.send_when_due();
        agent.succeed(&sent, TokenResponse { refresh_expires_in: Some(ends_in), ..grant(1) });
        let (_, waited) = agent.wait_for();
        assert!(waited > 40 * MINUTE, "again after {waited} ms");
        let told = view(&mut agent).refresh_expires_at;
        assert_eq!(told.is_some(), ends_in > 0, "{told:?}");
    }
}

#[test]
fn n20_a_time_beyond_all_calendars_is_not_told() {
    for end in [u64::MAX, u64::MAX / 2, 1 << 40] {
        let file = Session { access_expires_at: Some(end), refresh_expires_at: Some(end), ..session(0) };
        let (mut agent, _) = Agent::start_with(policy(), files_of(&file));
        agent.file = file.clone();
        let told = ProfileReply::Token { access: file.access, expires_at: None, short: None, ended: None };
        assert_eq!(agent.ask(1, token()), [reply(1, told)]);
        let view = view(&mut agent);
        assert_eq!((view.access_expires_at, view.refresh_expires_at), (None, None));
        assert!(view.next_refresh_at.is_none_or(is_a_date), "{:?}", view.next_refresh_at);
        assert!(view.next_wake.is_none_or(|(at, _)| is_a_date(at)), "{:?}", view.next_wake);
    }
}

#[test]
fn n20_a_doubt_without_an_end_is_told_without_one() {
    let files = files_of(&Session { access_expires_at: None, ..plain() });
    let unknown = Policy { replay: replay(ReplayRule::Unknown), ..policy() };
    let (mut agent, _) = Agent::start_with(unknown, files);
    agent.file = Session { access_expires_at: None, ..plain() };
    let effects = agent.ask(1, SessionRequest::Refresh { force: true });
    let sent = agent.send(effects);
    let lost = RefreshAnswer::Unclear(trouble(NetErrorKind::Timeout));
    agent.answered(&sent, lost);
    agent.wait_for();
    let view = view(&mut agent);
    assert_eq!((view.state, view.next_refresh_at), (State::Uncertain, None));
    assert!(view.next_wake.is_none_or(|(at, _)| is_a_date(at)), "{:?}", view.next_wake);
}

/// Whether this is a time before the year 10000.
fn is_a_date(secs: u64) -> bool {
    secs < 253_402_300_800
}

#[test]
fn a_token_shorter_than_the_gap_is_refreshed_in_time() {
    let mut agent = Agent::signed_in(Capability::Rr1);
    let mut sent = agent.send_when_due();
    for generation in 1..6 {
        agent.succeed(&sent, TokenResponse { access_expires_in: Some(20), ..grant(generation) });
        let (next, waited) = agent.wait_for();
        assert!((9_000..=11_000).contains(&waited), "{waited} ms");
        assert_eq!(agent.ask(1, token()), [reply(1, token_of(&agent.file))], "nobody waits");
        sent = agent.send(next);
    }
}

#[test]
fn a_refresh_token_that_ends_first_is_used_in_time() {
    let mut agent = Agent::signed_in(Capability::Rr1);
    let sent = agent.send_when_due();
    let idle = TokenResponse { access_expires_in: Some(86_400), refresh_expires_in: Some(1_800), ..grant(1) };
    agent.succeed(&sent, idle);
    let (_, waited) = agent.wait_for();
    assert!((1_300_000..=1_500_000).contains(&waited), "{waited} ms");
}
