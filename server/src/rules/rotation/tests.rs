//! Every row of the table "Decision" in docs/rotation.md, and every combination of key, mode and successor.

use super::*;

const NOW: Timestamp = Timestamp::from_secs(1_000_000);
const REFUSE: RefreshDecision = RefreshDecision::Decline(Decline::InvalidGrant);
const RACING: RefreshDecision = RefreshDecision::Decline(Decline::InProgress);
const LATE: RefreshDecision = RefreshDecision::Decline(Decline::DeadlineMissed);

fn ago(secs: u64) -> Timestamp {
    NOW.minus(Duration::from_secs(secs))
}

fn ahead(secs: u64) -> Timestamp {
    NOW.plus(Duration::from_secs(secs))
}

fn key(n: u8) -> Option<Digest> {
    Some(Digest::sha256(&[n]))
}

fn attempt(key: Option<Digest>) -> RefreshAttempt {
    RefreshAttempt { key, deadline: None }
}

fn fresh() -> PresentedToken {
    PresentedToken::Fresh { expires_at: ahead(100), rate: Rate::Open }
}

fn unused() -> Successor {
    Successor::Unused { expires_at: ahead(100) }
}

fn spent(at: Timestamp, key: Option<Digest>, successor: Successor) -> PresentedToken {
    PresentedToken::Spent { at, key, successor }
}

const PATIENCE: Duration = Duration::from_secs(300);

fn policy(mode: RetryMode, verdict: ReplayVerdict) -> ReplayPolicy {
    ReplayPolicy { mode, verdict, patience: PATIENCE }
}

fn rr1(token: PresentedToken, attempt: RefreshAttempt) -> RefreshDecision {
    decide(policy(RetryMode::Rr1, ReplayVerdict::Theft), token, attempt, NOW)
}

fn strict(token: PresentedToken, attempt: RefreshAttempt) -> RefreshDecision {
    decide(policy(RetryMode::Strict, ReplayVerdict::Theft), token, attempt, NOW)
}

#[test]
fn a_fresh_token_rotates_with_and_without_a_key() {
    for offered in [None, key(1)] {
        assert_eq!(rr1(fresh(), attempt(offered)), RefreshDecision::Rotate);
        assert_eq!(strict(fresh(), attempt(offered)), RefreshDecision::Rotate);
    }
}

#[test]
fn an_expired_token_is_refused_whatever_the_rate() {
    let full = Rate::Full { retry_after: Duration::from_secs(5) };
    for rate in [Rate::Open, full] {
        let token = PresentedToken::Fresh { expires_at: NOW, rate };
        assert_eq!(rr1(token, attempt(key(1))), REFUSE);
    }
}

#[test]
fn a_rate_limit_consumes_nothing() {
    let token = PresentedToken::Fresh {
        expires_at: ahead(1),
        rate: Rate::Full { retry_after: Duration::from_secs(5) },
    };
    assert_eq!(
        rr1(token, attempt(key(1))),
        RefreshDecision::Decline(Decline::Limited { retry_after: Duration::from_secs(5) })
    );
}

#[test]
fn unknown_and_ended_tokens_are_plainly_refused() {
    for offered in [None, key(1)] {
        assert_eq!(rr1(PresentedToken::Ended, attempt(offered)), REFUSE);
        assert_eq!(strict(PresentedToken::Ended, attempt(offered)), REFUSE);
        assert_eq!(decide_unknown(attempt(offered), NOW), Decline::InvalidGrant);
    }
}

#[test]
fn a_signed_out_token_alarms_unless_the_key_matches() {
    for mode in [RetryMode::Rr1, RetryMode::Strict] {
        for (first, second, theft, refused) in [
            (key(1), key(1), REFUSE, REFUSE),
            (key(1), key(2), RefreshDecision::RevokeFamily, RefreshDecision::RevokeFamily),
            (key(1), None, RefreshDecision::RevokeFamily, RefreshDecision::RevokeFamily),
            (None, key(1), RefreshDecision::RevokeFamily, RefreshDecision::RevokeFamily),
            (None, None, RefreshDecision::RevokeFamily, REFUSE),
        ] {
            let token = PresentedToken::SignedOut { key: first };
            for (verdict, expected) in [(ReplayVerdict::Theft, theft), (ReplayVerdict::Refused, refused)] {
                assert_eq!(decide(policy(mode, verdict), token, attempt(second), NOW), expected);
            }
        }
    }
}

#[test]
fn the_same_key_repeats_until_the_successor_is_used() {
    for at in [NOW, ago(9), ago(11), ago(86_400 * 29)] {
        assert_eq!(rr1(spent(at, key(1), unused()), attempt(key(1))), RefreshDecision::Repeat);
        assert_eq!(rr1(spent(at, key(1), Successor::Used), attempt(key(1))), REFUSE);
    }
}

#[test]
fn a_lapsed_successor_is_not_repeated() {
    let lapsed = Successor::Unused { expires_at: NOW };
    assert_eq!(rr1(spent(ago(100), key(1), lapsed), attempt(key(1))), REFUSE);
}

#[test]
fn differing_keys_race_for_a_while_then_raise_the_alarm() {
    let lapsed = Successor::Unused { expires_at: NOW };
    for (first, second) in [(key(1), key(2)), (key(1), None), (None, key(2))] {
        for at in [NOW, ago(9), ago(11), ago(299)] {
            assert_eq!(rr1(spent(at, first, unused()), attempt(second)), RACING);
        }
        for at in [ago(300), ago(86_400 * 29)] {
            for successor in [unused(), lapsed] {
                let decision = rr1(spent(at, first, successor), attempt(second));
                assert_eq!(decision, RefreshDecision::RevokeFamily);
            }
        }
    }
}

#[test]
fn no_patience_is_shorter_than_a_race() {
    let hasty = ReplayPolicy { patience: Duration::ZERO, ..policy(RetryMode::Rr1, ReplayVerdict::Theft) };
    let token = |at| spent(at, key(1), unused());
    assert_eq!(decide(hasty, token(ago(9)), attempt(key(2)), NOW), RACING);
    assert_eq!(decide(hasty, token(ago(10)), attempt(key(2)), NOW), RefreshDecision::RevokeFamily);
    assert_eq!(decide(hasty, token(ago(10)), attempt(key(1)), NOW), RefreshDecision::Repeat);
}

#[test]
fn another_key_after_use_is_a_race_for_ten_seconds() {
    for (first, second) in [(key(1), key(2)), (key(1), None), (None, key(2))] {
        for at in [NOW, ago(9)] {
            assert_eq!(rr1(spent(at, first, Successor::Used), attempt(second)), RACING);
        }
        for at in [ago(10), ago(11), ago(86_400)] {
            assert_eq!(rr1(spent(at, first, Successor::Used), attempt(second)), RefreshDecision::RevokeAll);
        }
    }
}

#[test]
fn two_uses_without_any_key_are_a_replay_at_once() {
    for at in [NOW, ago(9), ago(86_400)] {
        for successor in [unused(), Successor::Used] {
            assert_eq!(rr1(spent(at, None, successor), attempt(None)), RefreshDecision::RevokeAll);
        }
    }
}

#[test]
fn strict_takes_every_second_use_for_a_replay() {
    for (first, second) in [(None, None), (key(1), key(1)), (key(1), key(2)), (key(1), None), (None, key(1))]
    {
        for successor in [unused(), Successor::Used] {
            for at in [NOW, ago(11)] {
                assert_eq!(strict(spent(at, first, successor), attempt(second)), RefreshDecision::RevokeAll);
            }
        }
    }
}

#[test]
fn a_missed_deadline_comes_before_everything_else_even_a_replay() {
    let signed_out = PresentedToken::SignedOut { key: key(1) };
    let tokens = [PresentedToken::Ended, signed_out, fresh(), spent(ago(100), None, Successor::Used)];
    for token in tokens {
        for deadline in [NOW.minus(Duration::from_millis(1)), ago(3600), Timestamp::from_secs(i64::MIN)] {
            let late = RefreshAttempt { key: None, deadline: Some(deadline) };
            assert_eq!(rr1(token, late), LATE);
            assert_eq!(strict(token, late), LATE);
            assert_eq!(decide_unknown(late, NOW), Decline::DeadlineMissed);
        }
    }
}

#[test]
fn a_deadline_holds_from_now_to_thirty_seconds_ahead() {
    for (deadline, expected) in [
        (NOW, RefreshDecision::Rotate),
        (ahead(30), RefreshDecision::Rotate),
        (ahead(31), LATE),
        (Timestamp::from_secs(i64::MAX), LATE),
    ] {
        assert_eq!(rr1(fresh(), RefreshAttempt { key: key(1), deadline: Some(deadline) }), expected);
    }
}

#[test]
fn a_replay_of_achilles_without_two_keys_revokes_nothing() {
    for mode in [RetryMode::Rr1, RetryMode::Strict] {
        for successor in [unused(), Successor::Used] {
            for (first, second) in
                [(None, None), (key(1), key(2)), (key(1), None), (None, key(1)), (key(1), key(1))]
            {
                let token = spent(ago(600), first, successor);
                let theft = decide(policy(mode, ReplayVerdict::Theft), token, attempt(second), NOW);
                let refused = decide(policy(mode, ReplayVerdict::Refused), token, attempt(second), NOW);
                let expected = match theft {
                    // Two keys are two parties, and the family ends as in a contest.
                    RefreshDecision::RevokeAll if first != second => RefreshDecision::RevokeFamily,
                    RefreshDecision::RevokeAll => REFUSE,
                    other => other,
                };
                assert_eq!(refused, expected);
            }
        }
    }
    let cli = SessionKind::Cli { org: "o".into(), role: "r".into() };
    assert_eq!(ReplayVerdict::of(&cli), ReplayVerdict::Refused);
    assert_eq!(ReplayVerdict::of(&SessionKind::FirstParty), ReplayVerdict::Theft);
}
