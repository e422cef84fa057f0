//! Whoever signs out may still owe the api-server something: it is told with the old token before that is revoked.

use super::*;

impl Agent {
    /// Signs out; what is done once the session file is gone.
    fn sign_out(&mut self) -> (Revocation, Vec<Effect>) {
        let (erase, job) = only_store(self.ask(50, Ask::Logout));
        let StoreJob::Erase { revocation: Some(revocation), .. } = job else { panic!("{job:?}") };
        let effects = self.done(erase, Done::Erased(Ok(())));
        let effects = self.look_at_missing_file(effects);
        let mut effects = self.keep_books(effects);
        let out = effects.remove(0);
        assert_eq!(out, Effect::Tell(Notice::SignedOut(Out::NoFile)), "gone here, whatever is owed");
        (revocation, effects)
    }

    /// Time passes until what is next on the way to the server.
    fn next_call(&mut self) -> (Op, NetJob) {
        for _ in 0..10 {
            let (effects, _) = self.wait_for();
            let mut effects = self.sort_out(effects);
            if let Some(Effect::Net(op, job)) = effects.pop() {
                return (op, job);
            }
        }
        panic!("nothing is told")
    }

    /// Looks are answered: nothing has changed.
    fn sort_out(&mut self, effects: Vec<Effect>) -> Vec<Effect> {
        let reads =
            |effect: &Effect| matches!(effect, Effect::Store(_, job) if **job == StoreJob::ReadReminder);
        let looks = |effect: &Effect| matches!(effect, Effect::Store(_, job) if **job == StoreJob::Look);
        let mut effects = effects;
        if effects.iter().any(reads) {
            effects = self.read(effects, &FoundReminder::Missing, &nothing());
        }
        if effects.iter().any(looks) {
            effects = self.look_at_missing_file(effects);
        }
        effects.retain(|effect| matches!(effect, Effect::Net(..)));
        effects
    }
}

/// One who has just cleared a reminder, of which the server knows; the call about that is under way.
fn cleared() -> (Agent, Op) {
    let reminder = mine(START_WALL + DAY);
    let known =
        ReminderBook { upstream: Some(reminder.clone()), server: Some(SERVER.to_owned()), ..nothing() };
    let mut agent = with(there(&reminder), known);
    let (op, _) = only_store(agent.ask(1, Ask::ClearReminder));
    let mut effects = agent.written(op);
    assert_eq!(effects.len(), 3, "{effects:?}");
    let (call, job) = only_net(effects.split_off(2));
    assert_eq!(job, tell_clear(&session(0)));
    (agent, call)
}

fn tell_clear(session: &Session) -> NetJob {
    NetJob::TellReminder { at: home(), access: session.access.clone(), due_at: None }
}

fn offline() -> ReminderAnswer {
    ReminderAnswer::Net(trouble(NetKind::Connect("refused".to_owned())))
}

fn notes_nothing_owed(job: &StoreJob) -> bool {
    matches!(job, StoreJob::NoteReminder(ReminderBook { owed: None, before: None, .. }))
}

#[test]
fn a_clear_of_a_moment_ago_is_told_before_the_session_is_revoked() {
    let (mut agent, call) = cleared();
    let (revocation, effects) = agent.sign_out();
    assert_eq!(effects, [], "the call comes first");
    let effects = agent.server_says(call, ReminderAnswer::Accepted);
    let [Effect::Net(revoke, job), Effect::Store(_, noted)] = &effects[..] else { panic!("{effects:?}") };
    assert_eq!(*job, NetJob::Revoke(revocation));
    assert!(notes_nothing_owed(noted), "{noted:?}");
    let effects = agent.done(*revoke, Done::Revoked(RevokeAnswer::Confirmed));
    let gone = Answer::LoggedOut(everkey_proto::reply::Revocation::Revoked);
    assert!(effects.contains(&reply(50, gone)), "{effects:?}");
}

#[test]
fn a_clear_without_a_server_is_told_with_the_old_token_when_the_server_is_back() {
    let (mut agent, call) = cleared();
    agent.server_says(call, offline());
    let (revocation, effects) = agent.sign_out();
    let (mut call, job) = only_net(effects);
    assert_eq!(job, tell_clear(&session(0)));
    for _ in 0..6 {
        agent.server_says(call, offline());
        let next = agent.next_call();
        assert_eq!(next.1, tell_clear(&session(0)), "it can't be reached, so nothing is gained by going on");
        call = next.0;
    }
    let effects = agent.server_says(call, ReminderAnswer::Accepted);
    assert!(
        matches!(&effects[..], [Effect::Net(_, NetJob::Revoke(told)), Effect::Store(_, noted)]
        if *told == revocation && notes_nothing_owed(noted)),
        "{effects:?}"
    );
}

#[test]
fn it_is_told_by_the_next_agent_too() {
    let (mut agent, call) = cleared();
    agent.server_says(call, offline());
    let (revocation, _) = agent.sign_out();
    let files = Loaded { revocations: vec![revocation.clone()], ..no_files() };
    let book = owes(Owed::Clear(mine(START_WALL + DAY)));
    let (mut agent, effects) = start_with(files, FoundReminder::Missing, book);
    let (call, job) = only_net(effects);
    assert_eq!(job, tell_clear(&session(0)));
    let effects = agent.server_says(call, ReminderAnswer::Accepted);
    assert!(
        matches!(&effects[0], Effect::Net(_, NetJob::Revoke(told)) if *told == revocation),
        "{effects:?}"
    );
}

#[test]
fn a_server_that_does_not_take_it_in_does_not_keep_the_session_alive() {
    for (answer, tries) in [
        (ReminderAnswer::Unauthorized, 1),
        (ReminderAnswer::Refused, 1),
        (ReminderAnswer::Net(trouble(NetKind::Status(500))), 3),
        (ReminderAnswer::Limited(900), 1),
    ] {
        let (mut agent, call) = cleared();
        agent.server_says(call, offline());
        let (revocation, effects) = agent.sign_out();
        let (mut call, _) = only_net(effects);
        for _ in 1..tries {
            assert_eq!(agent.server_says(call, answer.clone()), []);
            call = agent.next_call().0;
        }
        let effects = agent.server_says(call, answer.clone());
        let next = match effects.into_iter().find(|effect| matches!(effect, Effect::Net(..))) {
            Some(Effect::Net(_, job)) => job,
            _ => agent.next_call().1,
        };
        assert_eq!(next, NetJob::Revoke(revocation), "{answer:?}");
    }
}

#[test]
fn what_another_user_owes_or_the_same_one_at_another_server_does_not_hold_a_sign_out_up() {
    let elsewhere =
        ReminderBook { server: Some("https://other.example".to_owned()), ..owes(Owed::Clear(mine(SOON))) };
    for book in [owes(Owed::Clear(of("bob@example.com", SOON))), elsewhere, nothing()] {
        let mut agent = with(FoundReminder::Missing, book);
        let (revocation, effects) = agent.sign_out();
        assert_eq!(only_net(effects).1, NetJob::Revoke(revocation));
    }
}
