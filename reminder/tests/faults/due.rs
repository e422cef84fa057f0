//! Told once, when it is due, to its own user only.

use super::*;

#[test]
fn d19_a_new_owner_reads_what_the_last_one_noted() {
    let reminder = mine(START_WALL);
    let held = Loaded { owner: Err(NotOwner::Held), ..files(Capability::Rr1) };
    let (mut agent, _) = start_with(held, there(&reminder), nothing());
    let effects = agent.live(30_000, &there(&reminder), &nothing());
    let (op, job) = only_store(effects);
    assert_eq!(job, StoreJob::Load, "the lock may be free by now");
    let effects = agent.done(op, JobResult::Loaded(Box::new(files(Capability::Rr1))));
    let effects = agent.keep_books(effects);
    assert_eq!(agent.read(effects, &there(&reminder), &told(&reminder)), []);
}

#[test]
fn d20_another_users_reminder_is_neither_shown_nor_fired_nor_cleared() {
    let bobs = of("bob@example.com", START_WALL);
    let mut agent = with(there(&bobs), owes_set(&bobs));
    assert_eq!(agent.request(1, ReminderRequest::Reminder), [answers(1, None)]);
    assert_eq!(agent.request(2, ReminderRequest::ClearReminder), [answers(2, None)]);
    let effects = agent.ask(3, SessionRequest::Status);
    assert!(matches!(&effects[..], [ProfileEffect::Status(Waiter(3), _, None)]), "{effects:?}");
    assert_eq!(agent.live(HOUR / 2, &there(&bobs), &owes_set(&bobs)), []);
    // Emails are compared as they are written.
    let shouted = of("ANN@example.com", START_WALL);
    assert_eq!(agent.edited(&there(&shouted), &nothing()), []);
    // There is one file, and who sets has it.
    let (op, job) = only_job(agent.request(4, set(START_WALL + DAY)));
    let ReminderJob::Put { reminder: Some(reminder), .. } = job else { panic!("{job:?}") };
    assert_eq!(reminder.user_email, user().email);
    assert_eq!(agent.written(op).len(), 3);
}

#[test]
fn d20_a_reminder_due_during_sign_out_waits_for_its_user() {
    let reminder = mine(SOON);
    let mut agent = with(there(&reminder), nothing());
    let (note, _) = only_job(agent.live(600_000, &there(&reminder), &nothing()));
    let effects = agent.file_changed();
    agent.look_at_missing_file(effects);
    let effects = agent.written(note);
    let [OfReminder(ReminderEffect::Store(op, job))] = &effects[..] else {
        panic!("{effects:?} though nobody is there")
    };
    assert_eq!(**job, ReminderJob::Note(nothing()), "it is not told any more");
    assert_eq!(agent.written(*op), []);
    let effects = agent.file_changed();
    let effects = agent.look_at_unchanged_file(effects);
    let [OfSession(Effect::Notify(Notice::Adopted)), .., OfReminder(ReminderEffect::Store(note, job))] =
        &effects[..]
    else {
        panic!("{effects:?}")
    };
    assert_eq!(**job, ReminderJob::Note(told(&reminder)));
    assert_eq!(agent.written(*note), due(&reminder, Upstream::Unknown));
}

#[test]
fn d19_a_reminder_due_while_the_agent_was_down_fires_once() {
    let reminder = mine(START_WALL - DAY);
    let (mut agent, effects) = start(there(&reminder), nothing());
    let (op, job) = only_job(effects);
    assert_eq!(job, ReminderJob::Note(told(&reminder)), "noted first");
    assert_eq!(agent.written(op), due(&reminder, Upstream::Unknown));
    assert_eq!(agent.live(HOUR / 2, &there(&reminder), &told(&reminder)), []);
    let shown = shown(&reminder, true, Upstream::Unknown);
    assert_eq!(agent.request(1, ReminderRequest::Reminder), [answers(1, Some(shown))], "it stays");

    let (_, effects) = start(there(&reminder), told(&reminder));
    assert_eq!(effects, [], "the next start");
    let other = ReminderRecord { set_at: START_WALL - 1, ..reminder };
    let (_, effects) = start(there(&other), told(&mine(START_WALL - DAY)));
    assert_eq!(only_job(effects).1, ReminderJob::Note(told(&other)), "another reminder");
}

#[test]
fn d19_a_reminder_due_during_sleep_fires_once_on_wake() {
    let reminder = mine(SOON);
    let mut agent = with(there(&reminder), nothing());
    assert_eq!(agent.live(599_000, &there(&reminder), &nothing()), []);
    assert!(agent.idle_ms() <= 1_000, "woken for it");
    let (op, job) = only_job(agent.live(HOUR / 4, &there(&reminder), &nothing()));
    assert_eq!(job, ReminderJob::Note(told(&reminder)));
    assert_eq!(agent.reminder_changed(), [], "one job at a time");
    let effects = agent.written(op);
    let effects = agent.read(effects, &there(&reminder), &told(&reminder));
    assert_eq!(effects, due(&reminder, Upstream::Unknown));
}

#[test]
fn d19_the_wall_clock_decides_and_is_checked_every_half_minute() {
    let reminder = mine(START_WALL + 30 * DAY);
    let mut agent = with(there(&reminder), nothing());
    agent.jump_wall(31 * 86_400);
    assert!(agent.idle_ms() <= 30_000);
    let (op, _) = only_job(agent.live(30_000, &there(&reminder), &nothing()));
    assert_eq!(agent.written(op), due(&reminder, Upstream::Unknown));
    agent.jump_wall(-31 * 86_400);
    agent.jump_wall(31 * 86_400);
    assert_eq!(agent.live(30_000, &there(&reminder), &told(&reminder)), [], "once all the same");
}

#[test]
fn d19_a_reminder_fires_only_once_though_the_disk_is_full() {
    let reminder = mine(START_WALL);
    let (mut agent, effects) = start(there(&reminder), nothing());
    let (op, _) = only_job(effects);
    let mut expected = vec![notify(ReminderNotice::StoreFailed(io_error()))];
    expected.extend(due(&reminder, Upstream::Unknown));
    assert_eq!(agent.unwritten(op), expected);
    let (op, job) = only_job(agent.sleep(1_000));
    assert_eq!(job, ReminderJob::Note(told(&reminder)), "the note is tried again");
    assert_eq!(agent.unwritten(op), [notify(ReminderNotice::StoreFailed(io_error()))]);
    let effects = agent.live(30_000, &there(&reminder), &nothing());
    let (op, _) = only_job(effects);
    assert_eq!(agent.written(op), []);
    assert_eq!(agent.live(30_000, &there(&reminder), &nothing()), []);
}

#[test]
fn d19_a_reminder_due_while_signed_out_fires_after_sign_in() {
    let reminder = mine(START_WALL);
    let (mut agent, effects) = start_with(no_files(), there(&reminder), nothing());
    assert_eq!(effects, []);
    let effects = agent.sign_in_elsewhere();
    let effects = agent.keep_books(effects);
    let [.., OfReminder(ReminderEffect::Store(note, job))] = &effects[..] else { panic!("{effects:?}") };
    assert_eq!(**job, ReminderJob::Note(told(&reminder)));
    assert_eq!(agent.written(*note), due(&reminder, Upstream::Unknown));
}

#[test]
fn d19_a_reminder_set_again_fires_though_the_clock_went_back() {
    let mut agent = with(FoundReminder::Missing, nothing());
    let reminder = mine(SOON);
    for _ in 0..2 {
        let (op, _) = only_job(agent.request(1, set(SOON)));
        agent.written(op);
        let effects = agent.sleep(600_000);
        let effects = agent.read(effects, &there(&reminder), &owes_set(&reminder));
        let effects = agent.look_at_unchanged_file(effects);
        let (note, _) = only_job(effects);
        assert_eq!(agent.written(note), due(&reminder, Upstream::Pending));
        agent.jump_wall(-600);
    }
}
