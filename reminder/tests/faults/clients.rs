//! Who may ask, and how they are answered.

use super::*;

#[test]
fn a_reminder_lies_ahead_and_at_most_a_year() {
    let mut agent = with(FoundReminder::Missing, nothing());
    let year = START_WALL + 365 * DAY;
    for at in [0, START_WALL - 1, START_WALL, year + 1, u64::MAX] {
        assert_eq!(agent.request(1, set(at)), refuses(1, ReminderError::OutOfRange), "{at}");
    }
    let days = |days| ReminderRequest::SetReminder { when: When::InDays(days) };
    for (ask, at) in [
        (set(START_WALL + 1), START_WALL + 1),
        (set(year), year),
        (days(0), START_WALL + DAY),
        (days(365), year),
        (days(u32::MAX), year),
    ] {
        let mut agent = with(FoundReminder::Missing, nothing());
        let (_, job) = only_job(agent.request(1, ask));
        assert!(matches!(&job, ReminderJob::Put { reminder: Some(r), .. } if *r == mine(at)), "{job:?}");
    }
}

#[test]
fn only_an_active_session_has_a_reminder() {
    let verbs = || [ReminderRequest::Reminder, set(SOON), ReminderRequest::ClearReminder];
    let (mut agent, effects) = start_with(no_files(), there(&mine(SOON)), nothing());
    assert_eq!(effects, []);
    for ask in verbs() {
        assert_eq!(agent.request(1, ask), fails(1, Error::NotSignedIn(SignedOutReason::NoFile)));
    }
    let mut spent = files(Capability::Rr1);
    let spend = |sidecar: &mut everkey_session::Sidecar| {
        sidecar.spend(session(0).fingerprint(), u64::MAX, EndReason::Refused, 0);
    };
    spent.sidecar.iter_mut().for_each(spend);
    let (mut agent, _) = start_with(spent, there(&mine(START_WALL)), nothing());
    for ask in verbs() {
        assert_eq!(agent.request(1, ask), fails(1, Error::NeedsLogin(EndReason::Refused)));
    }
    let (mut agent, _) = Agent::start(false, files(Capability::Rr1));
    for ask in verbs() {
        assert_eq!(agent.request(1, ask), refuses(1, ReminderError::NoReminders), "of another provider");
    }
}

#[test]
fn a_non_owner_of_the_files_only_shows_the_reminder() {
    let due_already = mine(START_WALL);
    let files = Loaded { owner: Err(NotOwner::Held), ..files(Capability::Rr1) };
    let (mut agent, effects) = start_with(files, there(&due_already), owes_set(&due_already));
    assert_eq!(effects, [], "not told, neither to the person nor to the api-server");
    let pending = shown(&due_already, true, Upstream::Pending);
    assert_eq!(agent.request(1, ReminderRequest::Reminder), [answers(1, Some(pending))]);
    for ask in [set(SOON), ReminderRequest::ClearReminder] {
        assert_eq!(agent.request(2, ask), fails(2, Error::NotOwner(NotOwner::Held)));
    }
}

#[test]
fn clients_are_answered_in_order_and_once() {
    let (mut agent, look) = Agent::start(true, files(Capability::Rr1));
    let (first, second) = (mine(SOON), mine(SOON + 1));
    for (waiter, ask) in [
        (1, ReminderRequest::Reminder),
        (2, set(SOON)),
        (3, ReminderRequest::Reminder),
        (4, set(SOON + 1)),
        (5, ReminderRequest::ClearReminder),
        (6, ReminderRequest::Reminder),
    ] {
        assert_eq!(agent.request(waiter, ask), [], "not read yet");
    }
    agent.gone(5);
    let effects = agent.read(look, &FoundReminder::Missing, &nothing());
    let [answer, OfReminder(ReminderEffect::Store(op, _))] = &effects[..] else { panic!("{effects:?}") };
    assert_eq!(*answer, answers(1, None));
    let effects = agent.written(*op);
    let [_, done, shows, OfReminder(ReminderEffect::Store(op, _))] = &effects[..] else {
        panic!("{effects:?}")
    };
    let pending = |reminder| Some(shown(reminder, false, Upstream::Pending));
    assert_eq!((done, shows), (&answers(2, pending(&first)), &answers(3, pending(&first))));
    agent.gone(4);
    let effects = agent.written(*op);
    let [set, shows, OfReminder(ReminderEffect::Call(_, job))] = &effects[..] else { panic!("{effects:?}") };
    assert_eq!(*set, notify(ReminderNotice::Set(shown(&second, false, Upstream::Pending))));
    assert_eq!((shows, job), (&answers(6, pending(&second)), &tell_set(&second, &session(0))));
}

#[test]
fn nobody_waits_longer_than_twenty_seconds() {
    let mut agent = with(FoundReminder::Missing, nothing());
    let (op, _) = only_job(agent.request(1, set(SOON)));
    assert_eq!(agent.request(2, ReminderRequest::Reminder), []);
    assert_eq!(agent.idle_ms(), 20_000);
    let effects = agent.sleep(20_000);
    assert_eq!(effects, [fails(1, Error::Timeout), fails(2, Error::Timeout)].concat());
    assert!(agent.must_drain(), "the write goes on");
    let effects = agent.written(op);
    let set = notify(ReminderNotice::Set(shown(&mine(SOON), false, Upstream::Pending)));
    assert!(
        !effects.iter().any(|effect| matches!(effect, OfReminder(ReminderEffect::Reply(..)))),
        "{effects:?}"
    );
    assert_eq!(effects[0], set);
}

#[test]
fn a_status_request_at_start_waits_for_the_reminder() {
    let (mut agent, look) = Agent::start(true, files(Capability::Rr1));
    assert_eq!(agent.ask(1, SessionRequest::Status), []);
    let effects = agent.read(look, &there(&mine(SOON)), &nothing());
    let [ProfileEffect::Status(Waiter(1), _, reminder)] = &effects[..] else { panic!("{effects:?}") };
    assert_eq!(*reminder, Some(shown(&mine(SOON), false, Upstream::Unknown)));
}

#[test]
fn a_late_or_unreadable_reminder_does_not_block_the_status() {
    let (mut agent, _) = Agent::start(true, files(Capability::Rr1));
    assert_eq!(agent.ask(1, SessionRequest::Status), []);
    let effects = agent.sleep(20_000);
    assert!(matches!(&effects[..], [ProfileEffect::Status(Waiter(1), _, None)]), "{effects:?}");

    let (mut agent, look) = Agent::start(true, files(Capability::Rr1));
    assert_eq!(agent.ask(1, SessionRequest::Status), []);
    let effects = agent.read(look, &FoundReminder::Unusable(io_error()), &nothing());
    let failed = notify(ReminderNotice::StoreFailed(io_error()));
    assert!(
        matches!(&effects[..], [first, ProfileEffect::Status(Waiter(1), _, None)] if *first == failed),
        "{effects:?}"
    );
}

#[test]
fn whoever_counts_on_another_server_or_file_is_told_so() {
    let mut agent = with(there(&mine(SOON)), nothing());
    let elsewhere = Expect { server: Some("https://other.example".to_owned()), session_file: None };
    let other_server =
        Error::OtherServer { agent: SERVER.to_owned(), client: "https://other.example".to_owned() };
    let effects = agent.request_expecting(1, elsewhere, ReminderRequest::Reminder);
    assert_eq!(effects, fails(1, other_server));
    let other_file = Expect { server: None, session_file: Some("/other".to_owned()) };
    let effects = agent.request_expecting(2, other_file, set(SOON));
    let other_file = Error::OtherFile { agent: "/session".to_owned(), client: "/other".to_owned() };
    assert_eq!(effects, fails(2, other_file));
}

#[test]
fn d20_a_reminder_set_during_a_sign_out_is_not_shown() {
    let mut agent = with(FoundReminder::Missing, nothing());
    let (op, _) = only_job(agent.request(1, set(SOON)));
    let effects = agent.file_changed();
    agent.look_at(effects, &FileContent::Missing);
    assert_eq!(agent.written(op), fails(1, Error::AccountChanged));
}
