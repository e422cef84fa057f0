//! F04: a session file that is not a session is given time to become one, then set aside.

use crate::script::*;
use everkey_proto::request::SessionRequest;
use everkey_session::{
    Capability, Effect, Error, FileContent, JobResult, Notice, Op, ProfileReply, SignedOutReason, StoreJob,
};

#[test]
fn f04_damaged_file_is_set_aside_after_a_second_look() {
    let mut agent = Agent::signed_in(Capability::Rr1);
    assert_eq!(first_look_finds(&mut agent, 7), [], "somebody may be writing it");
    assert_eq!(second_look_finds(&mut agent, 8), [], "somebody is");
    let (op, job) = only_store(second_look_finds(&mut agent, 8));
    assert_eq!(job, StoreJob::SetAside(8));

    let out = SignedOutReason::SetAside("auth.json.damaged".to_owned());
    let effects = agent.done(op, JobResult::SetAside(Ok(Some("auth.json.damaged".to_owned()))));
    let told = [Notice::SetAside("auth.json.damaged".to_owned()), Notice::SignedOut(out.clone())];
    assert_eq!(agent.keep_books(effects), told.map(Effect::Notify));
    let why = ProfileReply::Failed(Error::NotSignedIn(out));
    assert_eq!(agent.ask(1, SessionRequest::Whoami), [reply(1, why)]);
}

#[test]
fn f04_file_whole_at_the_second_look_is_kept() {
    let mut agent = Agent::signed_in(Capability::Rr1);
    assert_eq!(first_look_finds(&mut agent, 7), []);
    let next = agent.sleep(1_000);
    assert_eq!(agent.look_at_unchanged_file(next), []);
    assert!(agent.is_signed_in());
}

#[test]
fn f04_nothing_is_sent_while_a_damaged_file_is_set_aside() {
    let mut agent = Agent::signed_in(Capability::Rr1);
    first_look_finds(&mut agent, 7);
    let (op, job) = only_store(second_look_finds(&mut agent, 7));
    assert_eq!(job, StoreJob::SetAside(7));
    agent.suspend(2 * HOUR);
    assert_eq!(agent.ask(1, token()), [], "not before it is known what the file holds");
    let changed = agent.done(op, JobResult::SetAside(Ok(None)));
    assert_eq!(agent.send(changed).token, session(0).refresh);
}

fn first_look_finds(agent: &mut Agent, digest: u64) -> Vec<Effect> {
    let effects = agent.file_changed();
    damaged(agent, effects, digest)
}

fn second_look_finds(agent: &mut Agent, digest: u64) -> Vec<Effect> {
    assert_eq!(agent.idle_ms(), 1_000);
    let effects = agent.sleep(1_000);
    damaged(agent, effects, digest)
}

fn damaged(agent: &mut Agent, look: Vec<Effect>, digest: u64) -> Vec<Effect> {
    let (op, job): (Op, StoreJob) = only_store(look);
    assert_eq!(job, StoreJob::ReadSession);
    agent.done(op, JobResult::SessionRead(Box::new(FileContent::Damaged(digest))))
}
