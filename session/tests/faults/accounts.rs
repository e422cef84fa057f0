//! N27: another account comes while the first is in use, and what becomes of a sign-in that fails or is given up.

use crate::script::*;
use everkey_proto::reply::{Revocation as Word, User};
use everkey_proto::request::SessionRequest;
use everkey_proto::{Entry, FlowId, Secret};
use everkey_session::{
    Capability, Effect, Error, JobResult, LoginAnswer, NetJob, Notice, Op, ProfileReply, RefreshAnswer,
    Replaced, Session, StoreJob,
};

const ELSEWHERE: &str = "https://other.example";

#[test]
fn n27_login_as_b_during_a_refresh_of_a() {
    let mut agent = Agent::signed_in(Capability::Rr1);
    agent.suspend(2 * HOUR);
    let next = agent.ask(1, token());
    let sent = agent.send(next);

    let effects = agent.sign_in_elsewhere();
    let changed = reply(1, ProfileReply::Failed(Error::AccountChanged));
    let done = reply(4, ProfileReply::SignedIn { user: Some(user()), already: false });
    assert_eq!(agent.keep_books(effects), [changed, Effect::Notify(Notice::SignedIn), done]);

    let late = agent.answered(&sent, RefreshAnswer::Granted(grant(1)));
    let [Effect::Store(_, _), Effect::Net(_, NetJob::Revoke(revocation))] = &late[..] else {
        panic!("{late:?}")
    };
    assert_eq!((&revocation.refresh, revocation.at.server.as_str()), (&grant(1).refresh, SERVER));
}

#[test]
fn n27_nothing_is_sent_for_a_while_b_is_being_stored() {
    let mut agent = Agent::signed_in(Capability::Rr1);
    agent.note_sign_in_elsewhere();
    agent.suspend(2 * HOUR);
    let effects = agent.ask(1, token());
    assert_eq!(agent.look_at_unchanged_file(effects), []);
}

#[test]
fn n27_waiters_for_a_never_get_the_token_of_b() {
    let mut agent = Agent::signed_in(Capability::Rr1);
    agent.suspend(2 * HOUR);
    let effects = agent.ask(1, token());
    let [Effect::Store(look, job), ..] = &effects[..] else { panic!("{effects:?}") };
    assert_eq!(**job, StoreJob::ReadSession);
    let bobs = session_of_bob();
    let changed = reply(1, ProfileReply::Failed(Error::AccountChanged));
    let effects = agent.done(*look, JobResult::SessionRead(Box::new(found(&bobs))));
    assert_eq!(effects, [changed, Effect::Notify(Notice::Adopted)]);
    assert_eq!(agent.ask(2, token()), [reply(2, token_of(&bobs))]);
}

#[test]
fn n27_logout_waits_for_the_store_of_b_and_removes_b() {
    let mut agent = Agent::signed_in(Capability::Rr1);
    let noted = agent.note_sign_in_elsewhere();
    assert_eq!(agent.ask(5, SessionRequest::Logout), [], "until it is clear what is to go");
    let effects = agent.write_sign_in(noted);
    let [Effect::Notify(Notice::SignedIn), Effect::Reply(_, answer), Effect::Store(_, job)] = &effects[..3]
    else {
        panic!("{effects:?}")
    };
    assert_eq!(**answer, ProfileReply::SignedIn { user: Some(user()), already: false });
    let StoreJob::Erase { sidecar, revocation: Some(revocation) } = &**job else { panic!("{job:?}") };
    assert_eq!(sidecar.signing_out, Some(session(7).fingerprint()));
    assert_eq!((&revocation.refresh, revocation.at.server.as_str()), (&session(7).refresh, ELSEWHERE));
}

#[test]
fn n27_b_is_signed_in_if_a_failed_write_landed() {
    let (mut agent, look) = sign_in_that_fails_to_be_written();
    let effects = agent.done(look, JobResult::SessionRead(Box::new(found(&session(7)))));
    let done = reply(4, ProfileReply::SignedIn { user: Some(user()), already: false });
    let failed = Effect::Notify(Notice::StoreFailed(io_error()));
    assert_eq!(agent.keep_books(effects), [failed, Effect::Notify(Notice::SignedIn), done]);
    assert_eq!(
        agent.ask_at(5, ELSEWHERE, SessionRequest::Whoami),
        [reply(5, ProfileReply::Whoami(Some(user())))]
    );
}

#[test]
fn n27_b_is_revoked_if_the_file_holds_a() {
    let (mut agent, look) = sign_in_that_fails_to_be_written();
    let effects = agent.done(look, JobResult::SessionRead(Box::new(found(&session(0)))));
    let effects = agent.keep_books(effects);
    let [Effect::Store(_, queued), rest @ ..] = &effects[..] else { panic!("{effects:?}") };
    let StoreJob::QueueRevocation(revocation) = &**queued else { panic!("{queued:?}") };
    assert_eq!((&revocation.refresh, revocation.at.server.as_str()), (&session(7).refresh, ELSEWHERE));
    let revoke = rest.iter().find_map(|effect| match effect {
        Effect::Net(_, NetJob::Revoke(revocation)) => Some(revocation),
        _ => None,
    });
    assert_eq!(revoke, Some(revocation));
    assert!(rest.contains(&reply(4, ProfileReply::Failed(Error::Store(io_error())))), "{rest:?}");
    assert_eq!(agent.ask(5, token()), [reply(5, token_of(&session(0)))]);
}

#[test]
fn n27_a_cancelled_sign_ins_tokens_are_revoked_at_their_server() {
    let mut agent = Agent::signed_in(Capability::Rr1);
    let (flow, verify) = agent.verify_code_elsewhere();
    let given_up = reply(4, ProfileReply::Failed(Error::FlowCancelled));
    let cancelled = reply(5, ProfileReply::LoggedOut(Word::NothingToDo));
    assert_eq!(agent.ask(5, SessionRequest::Cancel { flow }), [given_up, cancelled]);

    let late = agent.done(verify, JobResult::LoginAnswered(Box::new(LoginAnswer::Granted(grant(7)))));
    let [Effect::Store(_, queued), Effect::Net(_, NetJob::Revoke(revocation))] = &late[..] else {
        panic!("{late:?}")
    };
    assert_eq!(**queued, StoreJob::QueueRevocation(revocation.clone()));
    assert_eq!((&revocation.refresh, revocation.at.server.as_str()), (&grant(7).refresh, ELSEWHERE));
    assert_eq!(agent.ask(6, token()), [reply(6, token_of(&session(0)))]);
}

/// Bob's, written by another program two hours after the scenario began.
fn session_of_bob() -> Session {
    let mut session = session(7);
    session.holder.user = Some(User { id: "u2".to_owned(), email: "bob@example.com".to_owned() });
    session.access_expires_at = session.access_expires_at.map(|at| at + 2 * HOUR / 1000);
    session
}

/// Up to the look that is to tell how far the failed write got.
fn sign_in_that_fails_to_be_written() -> (Agent, Op) {
    let mut agent = Agent::signed_in(Capability::Rr1);
    let noted = agent.note_sign_in_elsewhere();
    let (write, _) = only_store(agent.done(noted, JobResult::Stored(Ok(()))));
    let (look, job) = only_store(agent.done(write, JobResult::Replaced(Err(io_error()))));
    assert_eq!(job, StoreJob::ReadSession, "the file decides");
    (agent, look)
}

impl Agent {
    /// Signs in at another server, up to the moment when its session is in the file.
    pub fn sign_in_elsewhere(&mut self) -> Vec<Effect> {
        let noted = self.note_sign_in_elsewhere();
        self.write_sign_in(noted)
    }

    /// The same, up to the note in the side-car that comes first.
    fn note_sign_in_elsewhere(&mut self) -> Op {
        let (_, verify) = self.verify_code_elsewhere();
        let granted = JobResult::LoginAnswered(Box::new(LoginAnswer::Granted(grant(7))));
        let (op, job) = only_store(self.done(verify, granted));
        assert!(matches!(job, StoreJob::WriteSidecar(_)), "{job:?}");
        op
    }

    /// From there to the file.
    fn write_sign_in(&mut self, noted: Op) -> Vec<Effect> {
        let (op, job) = only_store(self.done(noted, JobResult::Stored(Ok(()))));
        assert!(matches!(job, StoreJob::Replace { parent: None, .. }), "{job:?}");
        self.done(op, JobResult::Replaced(Ok(Replaced::Done)))
    }

    /// Up to the code on its way to the server.
    fn verify_code_elsewhere(&mut self) -> (FlowId, Op) {
        let asked = self.ask_at(2, ELSEWHERE, SessionRequest::Login { scheme: None, under_way: None });
        let flow = flow_of(&asked);
        let text = Secret::new("bob@example.com");
        let (op, _) = only_net(self.ask(3, SessionRequest::Answer { flow, entry: Entry::Text(text) }));
        self.done(
            op,
            JobResult::LoginAnswered(Box::new(LoginAnswer::CodeSent {
                expires_in: None,
                resend_available_in: None,
                request_id: None,
            })),
        );
        let (op, _) =
            only_net(self.ask(4, SessionRequest::Answer { flow, entry: Entry::Text(Secret::new("123456")) }));
        (flow, op)
    }
}

fn flow_of(effects: &[Effect]) -> FlowId {
    match effects {
        [Effect::Reply(_, answer)] => match **answer {
            ProfileReply::Asked { flow, .. } => flow,
            ref other => panic!("{other:?} instead of a question"),
        },
        other => panic!("{other:?} instead of a question"),
    }
}
