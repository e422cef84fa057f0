//! Sign-outs of somebody who still owes the api-server something: it is informed with the old token before that is revoked.

use super::*;

impl Agent {
    /// Signs out; what is done once the session file is gone.
    fn sign_out(&mut self) -> (PendingRevocation, Vec<ProfileEffect>) {
        let (erase, job) = only_store(self.ask(50, SessionRequest::Logout));
        let StoreJob::Erase { revocation: Some(revocation), .. } = job else { panic!("{job:?}") };
        let effects = self.done(erase, JobResult::Erased(Ok(())));
        let effects = self.look_at_missing_file(effects);
        let mut effects = self.keep_books(effects);
        let out = effects.remove(0);
        let gone = OfSession(Effect::Notify(Notice::SignedOut(SignedOutReason::NoFile)));
        assert_eq!(out, gone, "gone here, whatever is owed");
        (revocation, effects)
    }

    /// Time passes until what is next on the way to the server.
    fn next_on_the_way(&mut self) -> ProfileEffect {
        for _ in 0..10 {
            let idle = self.idle_ms();
            let effects = self.sleep(idle);
            if let Some(effect) = self.on_the_way(effects) {
                return effect;
            }
        }
        panic!("nothing is sent")
    }

    /// Ten seconds pass after these effects.
    fn sleep_on(&mut self, mut effects: Vec<ProfileEffect>) -> Vec<ProfileEffect> {
        effects.extend(self.sleep(10_000));
        effects
    }

    /// What is next on the way, if it informs the server.
    fn next_call(&mut self) -> (Op, ReminderCall) {
        match self.next_on_the_way() {
            OfReminder(ReminderEffect::Call(op, call)) => (op, call),
            other => panic!("{other:?} instead of a call"),
        }
    }

    /// What goes to the server; looks are answered: nothing has changed.
    fn on_the_way(&mut self, effects: Vec<ProfileEffect>) -> Option<ProfileEffect> {
        let reads = |effect: &ProfileEffect| matches!(effect, OfReminder(ReminderEffect::Store(_, job)) if **job == ReminderJob::Read);
        let mut effects = effects;
        if effects.iter().any(reads) {
            effects = self.read(effects, &FoundReminder::Missing, &nothing());
        }
        effects = self.look_at_missing_file(effects);
        effects.retain(|effect| {
            matches!(effect, OfSession(Effect::Net(..)) | OfReminder(ReminderEffect::Call(..)))
        });
        effects.pop()
    }
}

/// One who has just cleared a reminder, of which the server knows; the call about that is under way.
fn cleared() -> (Agent, Op) {
    let reminder = mine(START_WALL + DAY);
    let known =
        ReminderBook { upstream: Some(reminder.clone()), server: Some(SERVER.to_owned()), ..nothing() };
    let mut agent = with(there(&reminder), known);
    let (op, _) = only_job(agent.request(1, ReminderRequest::ClearReminder));
    let mut effects = agent.written(op);
    assert_eq!(effects.len(), 3, "{effects:?}");
    let (call, job) = only_call(effects.split_off(2));
    assert_eq!(job, tell_clear(&session(0)));
    (agent, call)
}

fn tell_clear(session: &Session) -> ReminderCall {
    ReminderCall { at: home(), access: session.access.clone(), due_at: None }
}

fn offline() -> ReminderAnswer {
    ReminderAnswer::Net(trouble(NetErrorKind::Connect("refused".to_owned())))
}

fn is_revocation(effect: &ProfileEffect, revocation: &PendingRevocation) -> bool {
    matches!(effect, OfSession(Effect::Net(_, NetJob::Revoke(sent))) if sent == revocation)
}

fn notes_nothing_owed(job: &ReminderJob) -> bool {
    matches!(job, ReminderJob::Note(ReminderBook { owed: None, before: None, .. }))
}

#[test]
fn a_recent_clear_is_sent_before_the_session_is_revoked() {
    let (mut agent, call) = cleared();
    let (revocation, effects) = agent.sign_out();
    assert_eq!(effects, [], "the call comes first");
    let effects = agent.server_says(call, ReminderAnswer::Accepted);
    let [OfReminder(ReminderEffect::Store(_, noted)), OfSession(Effect::Net(revoke, job))] = &effects[..]
    else {
        panic!("{effects:?}")
    };
    assert_eq!(*job, NetJob::Revoke(revocation));
    assert!(notes_nothing_owed(noted), "{noted:?}");
    let effects = agent.done(*revoke, JobResult::Revoked(RevokeAnswer::Confirmed));
    let gone = ProfileReply::LoggedOut(everkey_proto::reply::Revocation::Revoked);
    let answered = OfSession(Effect::Reply(Waiter(50), Box::new(gone)));
    assert!(effects.contains(&answered), "{effects:?}");
}

#[test]
fn an_offline_clear_is_sent_later_with_the_old_token() {
    let (mut agent, call) = cleared();
    agent.server_says(call, offline());
    let (revocation, effects) = agent.sign_out();
    let (mut call, job) = only_call(effects);
    assert_eq!(job, tell_clear(&session(0)));
    for _ in 0..6 {
        agent.server_says(call, offline());
        let next = agent.next_call();
        assert_eq!(next.1, tell_clear(&session(0)), "it can't be reached, so nothing is gained by going on");
        call = next.0;
    }
    let effects = agent.server_says(call, ReminderAnswer::Accepted);
    assert!(
        matches!(&effects[..], [OfReminder(ReminderEffect::Store(_, noted)), revoke]
        if is_revocation(revoke, &revocation) && notes_nothing_owed(noted)),
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
    let (call, job) = only_call(effects);
    assert_eq!(job, tell_clear(&session(0)));
    let effects = agent.server_says(call, ReminderAnswer::Accepted);
    assert!(effects.iter().any(|effect| is_revocation(effect, &revocation)), "{effects:?}");
}

#[test]
fn a_session_is_revoked_even_if_the_clear_is_rejected() {
    for (answer, tries) in [
        (ReminderAnswer::Unauthorized, 1),
        (ReminderAnswer::Refused, 1),
        (ReminderAnswer::Net(trouble(NetErrorKind::Status(500, None))), 3),
        (ReminderAnswer::Limited(900), 1),
    ] {
        let (mut agent, call) = cleared();
        agent.server_says(call, offline());
        let (revocation, effects) = agent.sign_out();
        let (mut call, _) = only_call(effects);
        for _ in 1..tries {
            assert_eq!(agent.server_says(call, answer.clone()), []);
            call = agent.next_call().0;
        }
        let effects = agent.server_says(call, answer.clone());
        let next = agent.on_the_way(effects).unwrap_or_else(|| agent.next_on_the_way());
        assert!(is_revocation(&next, &revocation), "{next:?} after {answer:?}");
    }
}

#[test]
fn a_clear_for_another_account_does_not_delay_sign_out() {
    let elsewhere =
        ReminderBook { server: Some("https://other.example".to_owned()), ..owes(Owed::Clear(mine(SOON))) };
    for book in [owes(Owed::Clear(of("bob@example.com", SOON))), elsewhere, nothing()] {
        let mut agent = with(FoundReminder::Missing, book);
        let (revocation, effects) = agent.sign_out();
        assert_eq!(only_net(effects).1, NetJob::Revoke(revocation));
    }
}

#[test]
fn after_another_sign_in_the_clear_uses_the_new_token() {
    let (mut agent, call) = cleared();
    agent.server_says(call, offline());
    let (revocation, effects) = agent.sign_out();
    let (call, _) = only_call(effects);
    let effects = agent.file_changed();
    agent.look_at(effects, &found(&session(1)));
    let effects = agent.server_says(call, ReminderAnswer::Net(trouble(NetErrorKind::Timeout)));
    let effects = agent.sleep_on(effects);
    assert!(effects.iter().any(|effect| is_revocation(effect, &revocation)), "{effects:?}");
    let calls = |effect: &ProfileEffect| matches!(effect, OfReminder(ReminderEffect::Call(_, call)) if call.access == session(1).access);
    assert!(effects.iter().any(calls), "{effects:?}");
}

#[test]
fn an_expired_revocation_is_dropped_without_waiting_for_the_clear() {
    let (mut agent, call) = cleared();
    agent.server_says(call, offline());
    let (_, effects) = agent.sign_out();
    let (call, _) = only_call(effects);
    agent.jump_wall(8 * 86_400);
    let effects = agent.sleep(1_000);
    let dropped = OfSession(Effect::Notify(Notice::RevocationDropped));
    assert!(effects.contains(&dropped), "{effects:?}");
    let effects = agent.server_says(call, offline());
    let effects = agent.sleep_on(effects);
    let sends = |effect: &ProfileEffect| {
        matches!(effect, OfSession(Effect::Net(..)) | OfReminder(ReminderEffect::Call(..)))
    };
    assert!(!effects.iter().any(sends), "{effects:?}");
}
