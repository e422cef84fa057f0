//! What other programs, a bad disk and people do to the file.

use super::*;

#[test]
fn d19_a_change_while_the_file_is_read_is_read_again() {
    let mut agent = with(FoundReminder::Missing, nothing());
    let look = agent.reminder_changed();
    assert_eq!(agent.reminder_changed(), []);
    let again = agent.read(look, &FoundReminder::Garbage, &nothing());
    let set = notify(ReminderNotice::Set(shown(&mine(SOON), false, Upstream::Unknown)));
    assert_eq!(agent.read(again, &there(&mine(SOON)), &nothing()), [set]);
}

#[test]
fn changes_by_other_programs_are_reported_to_followers() {
    let mut agent = with(there(&mine(SOON)), nothing());
    let set = |r: &ReminderRecord| vec![notify(ReminderNotice::Set(shown(r, false, Upstream::Unknown)))];
    let cleared = || vec![notify(ReminderNotice::Cleared)];
    assert_eq!(agent.edited(&there(&mine(SOON)), &nothing()), []);
    assert_eq!(agent.edited(&there(&mine(SOON + 1)), &nothing()), set(&mine(SOON + 1)));
    assert_eq!(agent.edited(&FoundReminder::Garbage, &nothing()), cleared());
    assert_eq!(agent.edited(&FoundReminder::Missing, &nothing()), []);
    assert_eq!(agent.edited(&there(&mine(SOON)), &nothing()), set(&mine(SOON)));
    assert_eq!(agent.edited(&there(&of("bob@example.com", SOON)), &nothing()), cleared());
    assert_eq!(agent.edited(&there(&of("bob@example.com", SOON + 1)), &nothing()), []);
    assert_eq!(agent.edited(&FoundReminder::Missing, &nothing()), []);
}

#[test]
fn read_errors_keep_the_reminder_but_a_symlink_clears_it() {
    let reminder = mine(SOON);
    let mut agent = with(there(&reminder), nothing());
    assert_eq!(agent.edited(&FoundReminder::Unusable(io_error()), &nothing()), []);
    let known = shown(&reminder, false, Upstream::Unknown);
    assert_eq!(agent.request(1, ReminderRequest::Reminder), [answers(1, Some(known))]);
    let kind = everkey_session::StoreErrorKind::Symlink;
    let link = StoreError { path: "/next-audit.json".to_owned(), kind };
    let effects = agent.edited(&FoundReminder::Unusable(link.clone()), &nothing());
    let failed = notify(ReminderNotice::StoreFailed(link.clone()));
    assert_eq!(effects, [failed, notify(ReminderNotice::Cleared)]);
    assert_eq!(agent.request(2, ReminderRequest::Reminder), fails(2, Error::Store(link)));
}

#[test]
fn clearing_garbage_informs_only_a_server_that_knew_a_reminder() {
    let mut agent = with(FoundReminder::Garbage, nothing());
    assert_eq!(agent.request(1, ReminderRequest::Reminder), [answers(1, None)]);
    let (op, job) = only_job(agent.request(2, ReminderRequest::ClearReminder));
    assert_eq!(job, ReminderJob::Put { book: nothing(), reminder: None });
    assert_eq!(agent.written(op), [answers(2, None)]);

    let upstream = Some(mine(SOON));
    let mut agent = with(FoundReminder::Garbage, ReminderBook { upstream, ..nothing() });
    let (op, _) = only_job(agent.request(2, ReminderRequest::ClearReminder));
    let effects = agent.written(op);
    assert!(matches!(
        &effects[..],
        [_, OfReminder(ReminderEffect::Call(_, ReminderCall { due_at: None, .. }))]
    ));
}

#[test]
fn a_reminder_that_can_not_be_stored_changes_nothing() {
    let old = mine(SOON);
    let upstream = Some(old.clone());
    let book = ReminderBook { upstream, ..nothing() };
    let mut agent = with(there(&old), book.clone());
    let (op, _) = only_job(agent.request(1, set(START_WALL + DAY)));
    let effects = agent.unwritten(op);
    let failed = notify(ReminderNotice::StoreFailed(io_error()));
    let refused = fails(1, Error::Store(io_error())).remove(0);
    assert_eq!(effects[..2], [failed, refused]);
    assert_eq!(agent.request(2, ReminderRequest::Reminder), [], "the file decides");
    let effects = agent.read(effects[2..].to_vec(), &there(&old), &book);
    let told = shown(&old, false, Upstream::Told);
    assert_eq!(effects, [answers(2, Some(told))], "and nobody is told of the other");
    let (_, job) = only_job(agent.sleep(1_000));
    let settled = ReminderBook { server: Some(SERVER.to_owned()), ..book };
    assert_eq!(job, ReminderJob::Note(settled), "in case that the book was written");
}

#[test]
fn a_reminder_whose_write_failed_after_it_took_effect_counts() {
    let mut agent = with(FoundReminder::Missing, nothing());
    let (op, job) = only_job(agent.request(1, set(SOON)));
    let ReminderJob::Put { book, reminder: Some(reminder) } = job else { panic!("{job:?}") };
    let effects = agent.unwritten(op);
    let effects = agent.read(effects, &there(&reminder), &book);
    let pending = shown(&reminder, false, Upstream::Pending);
    let [_, _, set, OfReminder(ReminderEffect::Call(_, job))] = &effects[..] else { panic!("{effects:?}") };
    assert_eq!(*set, notify(ReminderNotice::Set(pending)));
    assert_eq!(*job, tell_set(&reminder, &session(0)));
}

#[test]
fn after_a_failed_write_nothing_is_answered_from_memory() {
    let old = mine(SOON);
    let mut agent = with(there(&old), nothing());
    let (op, _) = only_job(agent.request(1, set(START_WALL + DAY)));
    let effects = agent.unwritten(op);
    assert_eq!(agent.request(2, ReminderRequest::Reminder), []);
    let unreadable = FoundReminder::Unusable(io_error());
    let effects = agent.read(effects[2..].to_vec(), &unreadable, &nothing());
    assert_eq!(effects, fails(2, Error::Store(io_error())));
    assert_eq!(agent.request(3, ReminderRequest::Reminder), [], "looked at again soon");
    let effects = agent.sleep(1_000);
    let effects = agent.read(effects, &there(&old), &nothing());
    assert_eq!(effects[0], answers(3, Some(shown(&old, false, Upstream::Unknown))));
}
