//! What a server answers to a revocation, and what whoever signed out is told of it.

use crate::script::*;
use everkey_proto::reply::Revocation as Word;
use everkey_proto::request::SessionRequest;
use everkey_session::{
    AnswerFlaw, Capability, Effect, Error, JobResult, NetError, NetErrorKind, NetJob, Notice, Op,
    ProfileReply, Rejected, RevokeAnswer, StoreJob,
};

/// Client 1 signs out, and the server is being told.
fn revoking() -> (Agent, Op) {
    let mut agent = Agent::signed_in(Capability::Rr1);
    let (erase, _) = only_store(agent.ask(1, SessionRequest::Logout));
    let effects = agent.done(erase, JobResult::Erased(Ok(())));
    agent.is_there = false;
    let revoke = effects.iter().find_map(revocation);
    (agent, revoke.unwrap_or_else(|| panic!("{effects:?} tell nobody")))
}

fn revocation(effect: &Effect) -> Option<Op> {
    match effect {
        Effect::Net(op, NetJob::Revoke(_)) => Some(*op),
        _ => None,
    }
}

/// What client 1 is told, and whether the revocation is given up.
fn told(agent: &mut Agent, op: Op, answer: RevokeAnswer) -> (ProfileReply, bool) {
    let effects = agent.done(op, JobResult::Revoked(answer));
    let told = effects.iter().find_map(|effect| match effect {
        Effect::Reply(_, told) => Some((**told).clone()),
        _ => None,
    });
    let dropped = |effect: &Effect| matches!(effect, Effect::Store(_, job) if matches!(**job, StoreJob::DropRevocation(_)));
    (told.unwrap_or_else(|| panic!("{effects:?}")), effects.iter().any(dropped))
}

fn net(kind: NetErrorKind) -> NetError {
    NetError { server: SERVER.to_owned(), kind }
}

/// Milliseconds until it is told again.
fn until_told_again(agent: &mut Agent) -> u64 {
    let mut waited = 0;
    loop {
        let idle = agent.idle_ms();
        let effects = agent.sleep(idle);
        waited += idle;
        if agent.look_at_missing_file(effects).iter().any(|effect| revocation(effect).is_some()) {
            return waited;
        }
        assert!(waited < 8 * 24 * HOUR, "it is forgotten");
    }
}

#[test]
fn a_declined_revocation_is_unconfirmed_and_tried_again() {
    let (mut agent, op) = revoking();
    let code = || "invalid_client".to_owned();
    let answer = told(&mut agent, op, RevokeAnswer::Declined(code()));
    assert_eq!(answer, (ProfileReply::Unconfirmed(Error::Rejected(Rejected::Other(code()))), false));
    assert!(until_told_again(&mut agent) < 5_000);
}

#[test]
fn a_useless_answer_to_a_revocation_is_no_silence() {
    let answered = [NetErrorKind::Status(500, None), AnswerFlaw::NotJson.into(), NetErrorKind::Redirect];
    for kind in answered {
        let (mut agent, op) = revoking();
        let answer = told(&mut agent, op, RevokeAnswer::Net(net(kind.clone())));
        assert_eq!(answer, (ProfileReply::Unconfirmed(Error::Net(net(kind))), false));
        until_told_again(&mut agent);
    }
    for kind in [NetErrorKind::Timeout, NetErrorKind::Broken, NetErrorKind::Connect(String::new())] {
        let (mut agent, op) = revoking();
        let answer = told(&mut agent, op, RevokeAnswer::Net(net(kind)));
        assert_eq!(answer, (ProfileReply::LoggedOut(Word::Queued), false));
        until_told_again(&mut agent);
    }
}

#[test]
fn n15_a_revocation_waits_as_long_as_the_server_asks() {
    let (mut agent, op) = revoking();
    told(&mut agent, op, RevokeAnswer::Net(net(NetErrorKind::Limited(120))));
    let waited = until_told_again(&mut agent);
    assert!((120_000..=132_000).contains(&waited), "{waited} ms");
    let (mut agent, op) = revoking();
    told(&mut agent, op, RevokeAnswer::Net(net(NetErrorKind::Limited(0))));
    assert!(until_told_again(&mut agent) >= 500, "never without a pause");
}

#[test]
fn a_revocation_with_nowhere_to_ask_is_impossible() {
    let (mut agent, op) = revoking();
    let answer = told(&mut agent, op, RevokeAnswer::NoRoute);
    assert_eq!(answer, (ProfileReply::LoggedOut(Word::Impossible), true));
}

#[test]
fn a_confirmed_revocation_is_noticed() {
    let (mut agent, op) = revoking();
    let effects = agent.done(op, JobResult::Revoked(RevokeAnswer::Confirmed));
    assert!(effects.contains(&Effect::Notify(Notice::Revoked)), "{effects:?}");
    assert!(effects.contains(&reply(1, ProfileReply::LoggedOut(Word::Revoked))), "{effects:?}");
}
