//! Why the agent wakes next, as `status` reports it.

use crate::script::*;
use everkey_proto::ReplayRule;
use everkey_proto::request::SessionRequest;
use everkey_session::{
    Capability, Effect, EndReason, FileContent, JobResult, NetErrorKind, ProfileReply, RefreshAnswer,
    WakeReason,
};

/// The reason, and in how many seconds.
fn next_wake(agent: &mut Agent) -> (WakeReason, u64) {
    let effects = agent.ask(9, SessionRequest::Status);
    let Some(Effect::Reply(_, status)) = effects.last() else { panic!("{effects:?}") };
    let ProfileReply::Status(status) = &**status else { panic!("{status:?}") };
    let Some((at, why)) = status.next_wake else { panic!("nothing is planned") };
    (why, at - agent.wall())
}

#[test]
fn an_idle_agent_wakes_to_read_the_session_file() {
    let mut agent = Agent::signed_in(Capability::Rr1);
    let (why, secs) = next_wake(&mut agent);
    assert_eq!(why, WakeReason::READ_SESSION_FILE);
    assert!(secs <= 30, "{secs} s");
}

#[test]
fn a_lost_answer_wakes_the_agent_to_resolve_the_doubt() {
    let mut agent = Agent::signed_in(Capability::Rr1);
    let sent = agent.send_when_due();
    agent.answered(&sent, RefreshAnswer::Unclear(trouble(NetErrorKind::Timeout)));
    assert_eq!(next_wake(&mut agent).0, WakeReason::RESOLVE_DOUBT);
}

#[test]
fn a_damaged_file_wakes_the_agent_to_confirm_the_damage() {
    let mut agent = Agent::signed_in(Capability::Rr1);
    let effects = agent.file_changed();
    let [Effect::Store(op, _)] = &effects[..] else { panic!("{effects:?}") };
    agent.done(*op, JobResult::SessionRead(Box::new(FileContent::Damaged(1))));
    assert_eq!(next_wake(&mut agent), (WakeReason::CONFIRM_DAMAGE, 1));
}

#[test]
fn an_ended_session_is_not_woken_for_a_refresh() {
    let (mut agent, _) = Agent::start(files(Capability::None), ReplayRule::StrictUser);
    let sent = agent.send_when_due();
    let effects = agent.answered(&sent, RefreshAnswer::Refused);
    let effects = agent.look_at_unchanged_file(effects);
    assert_eq!(effects.first(), Some(&ended(EndReason::Refused)));
    agent.keep_books(effects);
    assert_eq!(next_wake(&mut agent).0, WakeReason::READ_SESSION_FILE);
}
