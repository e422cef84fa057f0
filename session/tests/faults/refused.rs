//! N29: a server has refused an access token that should be valid, and the callers who saw it say so.

use crate::script::*;
use everkey_proto::request::SessionRequest;
use everkey_session::{
    Capability, Effect, Error, Fingerprint, JobResult, NetJob, Notice, ProbeAnswer, ProfileReply, StoreJob,
};

fn better_than(generation: u64) -> SessionRequest {
    SessionRequest::Better { than: Fingerprint::of(&session(generation).access) }
}

#[test]
fn n29_many_reports_of_one_token_are_one_refresh() {
    let mut agent = Agent::signed_in(Capability::Rr1);
    let mut first = agent.ask(1, better_than(0));
    first.extend(agent.ask(2, better_than(0)));
    let sent = agent.send(first);
    assert_eq!(agent.ask(3, better_than(0)), []);
    let answers = agent.succeed(&sent, grant(1));
    let mut expected = vec![Effect::Notify(Notice::Refreshed)];
    expected.extend((1..=3).map(|waiter| reply(waiter, token_of(&agent.file))));
    assert_eq!(answers, expected);
}

#[test]
fn n29_a_token_that_is_replaced_already_needs_no_refresh() {
    let mut agent = Agent::signed_in(Capability::Rr1);
    let first = agent.ask(1, better_than(0));
    let sent = agent.send(first);
    agent.succeed(&sent, grant(1));
    assert_eq!(agent.ask(2, better_than(0)), [reply(2, token_of(&agent.file))]);
}

#[test]
fn n29_a_fresh_token_is_not_refreshed_again_within_the_gap() {
    let mut agent = Agent::signed_in(Capability::Rr1);
    let first = agent.ask(1, better_than(0));
    let sent = agent.send(first);
    agent.succeed(&sent, grant(1));
    let too_soon = ProfileReply::Failed(Error::TooSoon { secs: 30 });
    assert_eq!(agent.ask(2, better_than(1)), [reply(2, too_soon)]);
}

#[test]
fn n29_a_reported_token_is_not_given_back_after_adoption() {
    let mut agent = Agent::signed_in(Capability::Rr1);
    agent.suspend(2 * HOUR);
    let effects = agent.ask(1, better_than(5));
    let [Effect::Store(look, job), ..] = &effects[..] else { panic!("{effects:?}") };
    assert_eq!(**job, StoreJob::ReadSession);
    agent.file = session(5);
    agent.file.access_expires_at = agent.file.access_expires_at.map(|at| at + 2 * HOUR / 1000);
    let brought = found(&agent.file);
    let effects = agent.done(*look, JobResult::SessionRead(Box::new(brought)));
    let effects = agent.keep_books(effects);
    let [Effect::Notify(Notice::Adopted), rest @ ..] = &effects[..] else { panic!("{effects:?}") };
    let (probe, job) = only_net(agent.look_at_unchanged_file(rest.to_vec()));
    assert!(matches!(job, NetJob::Probe { .. }), "{job:?}");
    let effects = agent.done(probe, JobResult::Probed(ProbeAnswer::Generation(5), None));
    let sent = agent.send(effects);
    let answers = agent.succeed(&sent, grant(6));
    assert_eq!(answers, [Effect::Notify(Notice::Refreshed), reply(1, token_of(&agent.file))]);
}
