//! N18 to N20: suspend, clocks that jump, lifetimes that make no sense.

use crate::script::*;
use everkey_session::{Capability, Effect, Notice, TokenResponse};

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
fn n20_absurd_lifetimes_still_leave_thirty_seconds_between_refreshes() {
    for expires_in in [0, -5, i64::MIN, 1, 1_000_000_000_000] {
        let mut agent = Agent::signed_in(Capability::Rr1);
        for generation in 1..5 {
            let (next, waited) = agent.wait_for();
            if expires_in > 1 {
                assert_eq!(next.is_empty(), generation > 1, "years from now");
                if next.is_empty() {
                    break;
                }
            }
            assert!(waited >= 30_000, "{waited} ms after expires_in {expires_in}");
            let sent = agent.send(next);
            let mut answer = grant(generation);
            answer.access_expires_in = Some(expires_in);
            agent.succeed(&sent, answer);
        }
    }
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
