//! Ends of sign-ins that can be foreseen: announced once in time, and then once a day.

use crate::script::*;
use everkey_proto::request::SessionRequest;
use everkey_session::{
    Capability, Effect, EndReason, EndingReason, LearntLifetime, Notice, ProfileReply, RefreshAnswer,
    SignInSpan, TokenResponse,
};

const DAY_MS: u64 = 24 * HOUR;

fn announced(effects: &[Effect]) -> Option<(Option<u64>, EndingReason)> {
    effects.iter().find_map(|effect| match effect {
        Effect::Notify(Notice::SignInAhead { by, why }) => Some((*by, *why)),
        _ => None,
    })
}

fn sign_in_by(agent: &mut Agent) -> Option<u64> {
    match agent.ask(700, SessionRequest::Status).as_slice() {
        [Effect::Reply(_, answer)] => match &**answer {
            ProfileReply::Status(view) => view.sign_in_by,
            other => panic!("{other:?} instead of a status"),
        },
        other => panic!("{other:?} instead of a status"),
    }
}

/// Sleeps day by day; on which days something was announced, and what.
fn days_with_news(agent: &mut Agent, days: u64) -> Vec<(u64, Option<u64>, EndingReason)> {
    let mut news = Vec::new();
    for day in 1..=days {
        let effects = agent.sleep(DAY_MS);
        news.extend(announced(&effects).map(|(by, why)| (day, by, why)));
        let effects = agent.keep_books(effects);
        agent.look_at_unchanged_file(effects);
    }
    news
}

#[test]
fn a_told_end_is_announced_days_ahead_and_then_daily() {
    let mut agent = Agent::signed_in(Capability::Rr1);
    let sent = agent.send_when_due();
    let ten_days = TokenResponse {
        access_expires_in: Some(90 * 86_400),
        refresh_expires_in: Some(90 * 86_400),
        sign_in_expires_in: Some(16 * 86_400),
        ..grant(1)
    };
    let asked = agent.wall();
    agent.succeed(&sent, ten_days);
    let by = asked + 16 * 86_400;
    assert_eq!(sign_in_by(&mut agent), Some(by));
    let news = days_with_news(&mut agent, 18);
    let days: Vec<u64> = news.iter().map(|(day, ..)| *day).collect();
    assert_eq!(days, [13, 14, 15]);
    assert!(news.iter().all(|(_, at, why)| (*at, *why) == (Some(by), EndingReason::Expiry)), "{news:?}");
}

#[test]
fn an_end_that_no_refresh_moves_is_the_sign_ins() {
    let mut agent = Agent::signed_in(Capability::Rr1);
    let grant_ending = |secs| TokenResponse { refresh_expires_in: Some(secs), ..grant(1) };
    let sent = agent.send_when_due();
    agent.succeed(&sent, grant_ending(5 * 86_400));
    assert_eq!(sign_in_by(&mut agent), None, "the next refresh may move it");
    let left = agent.file.refresh_expires_at.unwrap();
    let sent = agent.send_when_due();
    let secs = i64::try_from(left - agent.wall()).unwrap();
    agent.succeed(&sent, TokenResponse { refresh_expires_in: Some(secs), ..grant(2) });
    assert!(sign_in_by(&mut agent).is_some_and(|by| by.abs_diff(left) <= 60));
    let sent = agent.send_when_due();
    agent.succeed(&sent, TokenResponse { refresh_expires_in: Some(30 * 86_400), ..grant(3) });
    assert_eq!(sign_in_by(&mut agent), None, "it moves after all");
}

#[test]
fn a_lifetime_is_learnt_from_refusals_and_announced() {
    let mut files = files(Capability::None);
    let began = START_WALL - 20 * 86_400;
    let learnt = LearntLifetime { server: SERVER.to_owned(), secs: 22 * 86_400, count: 2 };
    if let Some(sidecar) = &mut files.sidecar {
        sidecar.lifetimes = vec![learnt.clone()];
        let span = SignInSpan { began: Some(began), ..SignInSpan::default() };
        sidecar.pin.iter_mut().for_each(|pin| pin.span = span.clone());
    }
    let (mut agent, effects) = Agent::start(files, everkey_proto::ReplayRule::Unknown);
    let by = Some(began + 22 * 86_400);
    assert_eq!(announced(&effects), Some((by, EndingReason::Lifetime(2))), "two days are left");
    let effects = agent.keep_books(effects);
    agent.look_at_unchanged_file(effects);
    assert_eq!(sign_in_by(&mut agent), by);

    let sent = agent.send_when_due();
    let effects = agent.answered(&sent, RefreshAnswer::Refused);
    let effects = agent.look_at_unchanged_file(effects);
    let wrote = effects.iter().find_map(|effect| match effect {
        Effect::Store(_, job) => match &**job {
            everkey_session::StoreJob::WriteSidecar(sidecar) => Some(sidecar.lifetimes.clone()),
            _ => None,
        },
        _ => None,
    });
    assert_eq!(wrote.map(|learnt| learnt[0].count), Some(3));
    assert!(effects.contains(&ended(EndReason::Refused)), "{effects:?}");
}

#[test]
fn refreshes_in_a_row_say_nothing_of_an_end() {
    let mut agent = Agent::signed_in(Capability::Rr1);
    let grant_ending = |number, secs| TokenResponse { refresh_expires_in: Some(secs), ..grant(number) };
    let sent = agent.send_when_due();
    agent.succeed(&sent, grant_ending(1, 30 * 86_400));
    for number in 2..5 {
        agent.suspend(1_000);
        let effects = agent.ask(number, SessionRequest::Refresh { force: true });
        let effects = if effects.is_empty() { agent.wait() } else { effects };
        let sent = agent.send(effects);
        agent.succeed(&sent, grant_ending(number, 30 * 86_400));
        assert_eq!(sign_in_by(&mut agent), None, "it moves with each");
    }
}
