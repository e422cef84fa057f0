//! The api-server is told of what was set or cleared here.

use super::*;

#[test]
fn a_reminder_is_set_in_book_then_file_then_server() {
    let mut agent = with(FoundReminder::Missing, nothing());
    assert_eq!(agent.request(1, ReminderRequest::Reminder), [answers(1, None)]);

    let reminder = mine(START_WALL + 7 * DAY);
    let (op, job) = only_job(agent.request(2, ReminderRequest::SetReminder { when: When::InDays(7) }));
    let book = owes_set(&reminder);
    assert_eq!(job, ReminderJob::Put { book: book.clone(), reminder: Some(reminder.clone()) });
    assert!(agent.must_drain());
    let effects = agent.written(op);
    let pending = shown(&reminder, false, Upstream::Pending);
    let [set, answer, OfReminder(ReminderEffect::Call(call, job))] = &effects[..] else {
        panic!("{effects:?}")
    };
    assert_eq!(*set, notify(ReminderNotice::Set(pending.clone())));
    assert_eq!(*answer, answers(2, Some(pending)));
    assert_eq!(*job, tell_set(&reminder, &session(0)));
    assert!(!agent.must_drain());

    let (op, job) = only_job(agent.server_says(*call, ReminderAnswer::Accepted));
    let known =
        ReminderBook { upstream: Some(reminder.clone()), server: Some(SERVER.to_owned()), ..nothing() };
    assert_eq!(job, ReminderJob::Note(known.clone()));
    assert_eq!(agent.written(op), []);
    let shown = shown(&reminder, false, Upstream::Told);
    assert_eq!(agent.request(3, ReminderRequest::Reminder), [answers(3, Some(shown))]);

    let (op, job) = only_job(agent.request(4, ReminderRequest::ClearReminder));
    let book = ReminderBook { owed: Some(Owed::Clear(reminder)), ..known };
    assert_eq!(job, ReminderJob::Put { book, reminder: None });
    let effects = agent.written(op);
    let [cleared, answer, OfReminder(ReminderEffect::Call(call, ReminderCall { due_at: None, .. }))] =
        &effects[..]
    else {
        panic!("{effects:?}")
    };
    assert_eq!((cleared, answer), (&notify(ReminderNotice::Cleared), &answers(4, None)));
    let (_, job) = only_job(agent.server_says(*call, ReminderAnswer::Accepted));
    assert_eq!(job, ReminderJob::Note(ReminderBook { server: Some(SERVER.to_owned()), ..nothing() }));
    assert_eq!(agent.request(5, ReminderRequest::ClearReminder), [], "the book is being written");
}

#[test]
fn after_a_crash_the_file_decides_what_is_owed() {
    let (first, second) = (mine(SOON), mine(SOON + 1));
    let before = Some(Owed::Set(first.clone()));
    let book = ReminderBook { before: before.clone(), ..owes_set(&second) };
    let (_, effects) = start(there(&first), book.clone());
    assert_eq!(only_call(effects).1, tell_set(&first, &session(0)));
    let (_, effects) = start(there(&second), book.clone());
    assert_eq!(only_call(effects).1, tell_set(&second, &session(0)));
    let (_, effects) = start(FoundReminder::Missing, book);
    assert_eq!(effects, [], "another program has removed it");

    let book = ReminderBook { before, ..owes(Owed::Clear(first.clone())) };
    let (_, effects) = start(there(&first), book.clone());
    assert_eq!(only_call(effects).1, tell_set(&first, &session(0)));
    let (_, effects) = start(FoundReminder::Missing, book.clone());
    assert!(matches!(only_call(effects).1, ReminderCall { due_at: None, .. }));
    let (_, effects) = start(there(&second), book);
    assert_eq!(effects, [], "another program has set one, and has told of it");
}

#[test]
fn the_server_is_told_again_until_it_knows() {
    let mut agent = with(FoundReminder::Missing, nothing());
    let at = START_WALL + DAY;
    let (reminder, book) = (mine(at), owes_set(&mine(at)));
    let mut call = agent.set_and_tell(at);
    let net = trouble(NetErrorKind::Timeout);
    for failure in 1..=3 {
        let effects = agent.server_says(call, ReminderAnswer::Net(net.clone()));
        let untold = notify(ReminderNotice::Untold(Untold::Yet(net.clone())));
        assert_eq!(effects, if failure == 1 { vec![untold] } else { vec![] });
        assert!((400..=4_000).contains(&agent.idle_ms()), "{} ms", agent.idle_ms());
        let idle = agent.idle_ms();
        call = only_call(agent.sleep(idle)).0;
    }
    assert_eq!(agent.server_says(call, ReminderAnswer::Limited(900)), []);
    for _ in 0..29 {
        assert_eq!(agent.live(30_000, &there(&reminder), &book), []);
    }
    let again = agent.live(120_000, &there(&reminder), &book);
    let (_, job) = only_call(again);
    assert_eq!(job, tell_set(&reminder, &session(0)));
}

#[test]
fn a_refused_reminder_is_not_resent_but_stays_stored() {
    let mut agent = with(FoundReminder::Missing, nothing());
    let call = agent.set_and_tell(START_WALL + DAY);
    let effects = agent.server_says(call, ReminderAnswer::Refused);
    let [refused, OfReminder(ReminderEffect::Store(op, job))] = &effects[..] else { panic!("{effects:?}") };
    assert_eq!(*refused, notify(ReminderNotice::Untold(Untold::Refused)));
    assert_eq!(**job, ReminderJob::Note(ReminderBook { server: Some(SERVER.to_owned()), ..nothing() }));
    assert_eq!(agent.written(*op), []);
    let unknown = shown(&mine(START_WALL + DAY), false, Upstream::Unknown);
    assert_eq!(agent.request(1, ReminderRequest::Reminder), [answers(1, Some(unknown))]);
}

#[test]
fn only_a_new_token_is_sent_after_a_rejected_one() {
    let mut agent = with(FoundReminder::Missing, nothing());
    let at = START_WALL + DAY;
    let call = agent.set_and_tell(at);
    assert_eq!(agent.server_says(call, ReminderAnswer::Unauthorized), []);
    let (found, book) = (there(&mine(at)), owes_set(&mine(at)));
    for _ in 0..10 {
        assert_eq!(agent.live(30_000, &found, &book), []);
    }
    let effects = agent.ask(1, SessionRequest::Refresh { force: false });
    let effects = agent.refresh(effects, grant(1));
    let file = agent.file.clone();
    let told = effects.iter().find_map(|effect| match effect {
        OfReminder(ReminderEffect::Call(_, job @ ReminderCall { .. })) => Some(job.clone()),
        _ => None,
    });
    assert_eq!(told, Some(tell_set(&mine(at), &file)));
}

#[test]
fn what_is_owed_waits_for_its_user_at_its_server() {
    let reminder = mine(START_WALL + DAY);
    let (mut agent, effects) = start_with(no_files(), there(&reminder), owes_set(&reminder));
    assert_eq!(effects, []);
    let effects = agent.sign_in_elsewhere();
    let effects = agent.keep_books(effects);
    let tells = |effect: &ProfileEffect| matches!(effect, OfReminder(ReminderEffect::Call(..)));
    assert!(!effects.iter().any(tells), "another server: {effects:?}");
    let (_, effects) =
        start(there(&of("bob@example.com", SOON)), owes(Owed::Clear(of("bob@example.com", 1))));
    assert_eq!(effects, [], "another user");
    let (_, effects) = start(there(&reminder), owes_set(&reminder));
    assert_eq!(only_call(effects).1, tell_set(&reminder, &session(0)));
}

#[test]
fn a_late_answer_does_not_settle_a_newer_reminder() {
    let mut agent = with(FoundReminder::Missing, nothing());
    let (first, second) = (START_WALL + DAY, START_WALL + 2 * DAY);
    let call = agent.set_and_tell(first);
    let (op, job) = only_job(agent.request(1, set(second)));
    let book = ReminderBook { before: Some(Owed::Set(mine(first))), ..owes_set(&mine(second)) };
    assert_eq!(job, ReminderJob::Put { book, reminder: Some(mine(second)) });
    assert_eq!(agent.written(op).len(), 2, "one call at a time");
    let effects = agent.server_says(call, ReminderAnswer::Accepted);
    let [OfReminder(ReminderEffect::Store(op, job))] = &effects[..] else { panic!("{effects:?}") };
    let book = ReminderBook { upstream: Some(mine(first)), ..owes_set(&mine(second)) };
    assert_eq!(**job, ReminderJob::Note(book));
    assert_eq!(only_call(agent.written(*op)).1, tell_set(&mine(second), &session(0)));
}

#[test]
fn a_new_reminder_skips_a_backoff_but_honours_retry_after() {
    for (answer, waits) in
        [(ReminderAnswer::Net(trouble(NetErrorKind::Timeout)), false), (ReminderAnswer::Limited(60), true)]
    {
        let mut agent = with(FoundReminder::Missing, nothing());
        let call = agent.set_and_tell(START_WALL + DAY);
        agent.server_says(call, answer);
        let (op, _) = only_job(agent.request(1, set(START_WALL + 2 * DAY)));
        let effects = agent.written(op);
        let calls = effects.iter().any(|effect| matches!(effect, OfReminder(ReminderEffect::Call(..))));
        assert_eq!(calls, !waits, "{effects:?}");
    }
}
