//! A profile that announces revocations: each waits until its token was used for the last time.

use crate::script::*;
use everkey_proto::reply::Revocation as Outcome;
use everkey_proto::request::SessionRequest;
use everkey_session::{
    Capability, Effect, Farewell, JobResult, Loaded, NetJob, Notice, PendingRevocation, ProfileReply,
    StoreJob,
};

/// One who has just signed out; the revocation, and what is done once the session file is gone.
fn signed_out() -> (Agent, PendingRevocation, Vec<Effect>) {
    let (mut agent, _) = Agent::start_announcing(files(Capability::Rr1));
    let (erase, job) = only_store(agent.ask(1, SessionRequest::Logout));
    let StoreJob::Erase { revocation: Some(revocation), .. } = job else { panic!("{job:?}") };
    let effects = agent.done(erase, JobResult::Erased(Ok(())));
    let effects = agent.look_at_missing_file(effects);
    let effects = agent.keep_books(effects);
    (agent, revocation, effects)
}

fn farewell(revocation: &PendingRevocation) -> Effect {
    Effect::Farewell(Farewell {
        revocation: revocation.id,
        at: home(),
        access: session(0).access,
        expires_at: START_WALL + 3600,
        user: user().email,
    })
}

fn is_revocation(effect: &Effect) -> bool {
    matches!(effect, Effect::Net(_, NetJob::Revoke(_)))
}

#[test]
fn a_revocation_waits_until_its_farewell_is_done() {
    let (mut agent, revocation, effects) = signed_out();
    assert!(effects.contains(&farewell(&revocation)), "{effects:?}");
    assert!(!effects.iter().any(is_revocation), "{effects:?}");
    assert_eq!(agent.farewell_done(revocation.id + 1), [], "another one");
    let (_, job) = only_net(agent.farewell_done(revocation.id));
    assert_eq!(job, NetJob::Revoke(revocation.clone()));
    assert_eq!(agent.farewell_done(revocation.id), [], "once");
}

#[test]
fn a_sign_out_is_answered_before_the_farewell_is_done() {
    let (mut agent, ..) = signed_out();
    assert_eq!(agent.sleep(5_000), [reply(1, ProfileReply::LoggedOut(Outcome::Queued))]);
}

#[test]
fn a_restart_announces_a_revocation_anew() {
    let (_, revocation, _) = signed_out();
    let files = Loaded { revocations: vec![revocation.clone()], ..no_files() };
    let (mut agent, effects) = Agent::start_announcing(files);
    assert!(effects.contains(&farewell(&revocation)), "{effects:?}");
    let effects = agent.farewell_done(revocation.id);
    assert!(effects.iter().any(is_revocation), "{effects:?}");
}

#[test]
fn a_revocation_that_waits_is_dropped_at_its_end() {
    let (mut agent, revocation, _) = signed_out();
    agent.jump_wall(8 * 86_400);
    let effects = agent.sleep(30_000);
    assert!(effects.contains(&Effect::Notify(Notice::RevocationDropped)), "{effects:?}");
    assert_eq!(agent.farewell_done(revocation.id), []);
}

#[test]
fn a_session_without_a_user_is_revoked_at_once() {
    let mut nobodys = session(0);
    nobodys.holder.user = None;
    let (mut agent, _) = Agent::start_announcing(files_of(&nobodys));
    let (erase, _) = only_store(agent.ask(1, SessionRequest::Logout));
    let effects = agent.done(erase, JobResult::Erased(Ok(())));
    assert!(effects.iter().any(is_revocation), "{effects:?}");
}
