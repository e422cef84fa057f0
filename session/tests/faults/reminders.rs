//! D19, D20: the reminder is told once, to its own user only, and the api-server hears of it in the end.

use crate::script::*;
use everkey_proto::When;
use everkey_proto::reply::{Reminder as Shown, Upstream};
use everkey_session::event::{Answer, Ask, Effect};
use everkey_session::job::{Done, Found, Loaded, NetJob, ReminderAnswer, StoreJob};
use everkey_session::policy::Policy;
use everkey_session::record::{Capability, Over, Session};
use everkey_session::reminder::{FoundReminder, Owed, Reminder, ReminderBook};
use everkey_session::trouble::{NetKind, NotOwner, Notice, Out, StoreTrouble, Trouble, Untold};
use everkey_session::{Op, Waiter};

const DAY: u64 = 86_400;

/// Ten minutes after the scenario begins.
const SOON: u64 = START_WALL + 600;

fn of(email: &str, at: u64) -> Reminder {
    Reminder { next_audit_at: at, user_email: email.to_owned(), set_at: START_WALL }
}

fn mine(at: u64) -> Reminder {
    of(&user().email, at)
}

fn shown(reminder: &Reminder, due: bool, upstream: Upstream) -> Shown {
    let Reminder { next_audit_at: at, user_email: email, set_at } = reminder.clone();
    Shown { at, email, set_at, due, upstream }
}

fn nothing() -> ReminderBook {
    ReminderBook::default()
}

fn told(reminder: &Reminder) -> ReminderBook {
    ReminderBook { told: Some(reminder.clone()), ..nothing() }
}

/// What is noted when the api-server has yet to be told.
fn owes(owed: Owed) -> ReminderBook {
    ReminderBook { owed: Some(owed), server: Some(SERVER.to_owned()), ..nothing() }
}

fn owes_set(reminder: &Reminder) -> ReminderBook {
    owes(Owed::Set(reminder.clone()))
}

fn set(at: u64) -> Ask {
    Ask::SetReminder { when: When::At(at) }
}

fn fails(waiter: u64, trouble: Trouble) -> Vec<Effect> {
    vec![reply(waiter, Answer::Failed(trouble))]
}

fn answers(waiter: u64, reminder: Option<Shown>) -> Effect {
    reply(waiter, Answer::Reminder(reminder))
}

fn due(reminder: &Reminder, upstream: Upstream) -> Vec<Effect> {
    let shown = shown(reminder, true, upstream);
    vec![Effect::Remind(reminder.clone()), Effect::Tell(Notice::ReminderDue(shown))]
}

/// An agent whose files these are, and what it does once it has read them.
fn start_with(files: Loaded, found: FoundReminder, book: ReminderBook) -> (Agent, Vec<Effect>) {
    let policy = Policy { reminds: true, ..policy() };
    let (mut agent, effects) = Agent::start_with(policy, files);
    let effects = agent.keep_books(effects);
    let effects = agent.read(effects, &found, &book);
    (agent, effects)
}

fn start(found: FoundReminder, book: ReminderBook) -> (Agent, Vec<Effect>) {
    start_with(files(Capability::Rr1), found, book)
}

/// One that has read a file without anything coming of it.
fn with(found: FoundReminder, book: ReminderBook) -> Agent {
    let (agent, effects) = start(found, book);
    assert_eq!(effects, []);
    agent
}

fn there(reminder: &Reminder) -> FoundReminder {
    FoundReminder::There(reminder.clone())
}

impl Agent {
    /// Answers the look at the reminder, which must be among the effects; the rest, and what came of it.
    fn read(&mut self, effects: Vec<Effect>, found: &FoundReminder, book: &ReminderBook) -> Vec<Effect> {
        let (mut rest, mut looks) = (Vec::new(), 0);
        for effect in effects {
            match effect {
                Effect::Store(op, job) if *job == StoreJob::ReadReminder => {
                    looks += 1;
                    let done = Done::ReminderRead(Box::new(found.clone()), Box::new(book.clone()));
                    rest.extend(self.done(op, done));
                }
                other => rest.push(other),
            }
        }
        assert_eq!(looks, 1, "looks at the reminder, beside {rest:?}");
        rest
    }

    /// Time passes; both files are looked at and are as they were.
    fn live(&mut self, ms: u64, found: &FoundReminder, book: &ReminderBook) -> Vec<Effect> {
        let effects = self.sleep(ms);
        let effects = self.read(effects, found, book);
        self.look_at_unchanged_file(effects)
    }

    /// The file changes, and is read.
    fn edited(&mut self, found: &FoundReminder, book: &ReminderBook) -> Vec<Effect> {
        let effects = self.reminder_changed();
        self.read(effects, found, book)
    }

    fn written(&mut self, op: Op) -> Vec<Effect> {
        self.done(op, Done::ReminderStored(Ok(())))
    }

    fn unwritten(&mut self, op: Op) -> Vec<Effect> {
        self.done(op, Done::ReminderStored(Err(io_error())))
    }

    /// Sets one and has it stored; the call to the api-server, which is under way then.
    fn set_and_tell(&mut self, at: u64) -> Op {
        let (op, _) = only_store(self.ask(7, set(at)));
        let mut effects = self.written(op);
        assert_eq!(effects.len(), 3, "{effects:?}");
        only_net(effects.split_off(2)).0
    }

    fn server_says(&mut self, op: Op, answer: ReminderAnswer) -> Vec<Effect> {
        self.done(op, Done::ReminderTold(answer))
    }
}

fn tell_set(reminder: &Reminder, session: &Session) -> NetJob {
    let due_at = Some(reminder.next_audit_at);
    NetJob::TellReminder { at: home(), access: session.access.clone(), due_at }
}

#[test]
fn a_reminder_is_set_in_the_book_then_in_the_file_then_at_the_server() {
    let mut agent = with(FoundReminder::Missing, nothing());
    assert_eq!(agent.ask(1, Ask::Reminder), [answers(1, None)]);

    let reminder = mine(START_WALL + 7 * DAY);
    let (op, job) = only_store(agent.ask(2, Ask::SetReminder { when: When::InDays(7) }));
    let book = owes_set(&reminder);
    assert_eq!(job, StoreJob::PutReminder { book: book.clone(), reminder: Some(reminder.clone()) });
    assert!(agent.must_drain());
    let effects = agent.written(op);
    let pending = shown(&reminder, false, Upstream::Pending);
    let [set, answer, Effect::Net(call, job)] = &effects[..] else { panic!("{effects:?}") };
    assert_eq!(*set, Effect::Tell(Notice::ReminderSet(pending.clone())));
    assert_eq!(*answer, answers(2, Some(pending)));
    assert_eq!(*job, tell_set(&reminder, &session(0)));
    assert!(!agent.must_drain());

    let (op, job) = only_store(agent.server_says(*call, ReminderAnswer::Accepted));
    let known =
        ReminderBook { upstream: Some(reminder.clone()), server: Some(SERVER.to_owned()), ..nothing() };
    assert_eq!(job, StoreJob::NoteReminder(known.clone()));
    assert_eq!(agent.written(op), []);
    let shown = shown(&reminder, false, Upstream::Told);
    assert_eq!(agent.ask(3, Ask::Reminder), [answers(3, Some(shown))]);

    let (op, job) = only_store(agent.ask(4, Ask::ClearReminder));
    let book = ReminderBook { owed: Some(Owed::Clear(reminder)), ..known };
    assert_eq!(job, StoreJob::PutReminder { book, reminder: None });
    let effects = agent.written(op);
    let [cleared, answer, Effect::Net(call, NetJob::TellReminder { due_at: None, .. })] = &effects[..] else {
        panic!("{effects:?}")
    };
    assert_eq!((cleared, answer), (&Effect::Tell(Notice::ReminderCleared), &answers(4, None)));
    let (_, job) = only_store(agent.server_says(*call, ReminderAnswer::Accepted));
    assert_eq!(job, StoreJob::NoteReminder(ReminderBook { server: Some(SERVER.to_owned()), ..nothing() }));
    assert_eq!(agent.ask(5, Ask::ClearReminder), [], "the book is being written");
}

#[test]
fn a_reminder_lies_ahead_and_at_most_a_year() {
    let mut agent = with(FoundReminder::Missing, nothing());
    let year = START_WALL + 365 * DAY;
    for at in [0, START_WALL - 1, START_WALL, year + 1, u64::MAX] {
        assert_eq!(agent.ask(1, set(at)), fails(1, Trouble::ReminderOutOfRange), "{at}");
    }
    let days = |days| Ask::SetReminder { when: When::InDays(days) };
    for (ask, at) in [
        (set(START_WALL + 1), START_WALL + 1),
        (set(year), year),
        (days(0), START_WALL + DAY),
        (days(365), year),
        (days(u32::MAX), year),
    ] {
        let mut agent = with(FoundReminder::Missing, nothing());
        let (_, job) = only_store(agent.ask(1, ask));
        assert!(matches!(&job, StoreJob::PutReminder { reminder: Some(r), .. } if *r == mine(at)), "{job:?}");
    }
}

#[test]
fn only_an_active_session_has_a_reminder() {
    let verbs = || [Ask::Reminder, set(SOON), Ask::ClearReminder];
    let (mut agent, effects) = start_with(no_files(), there(&mine(SOON)), nothing());
    assert_eq!(effects, []);
    for ask in verbs() {
        assert_eq!(agent.ask(1, ask), fails(1, Trouble::NotSignedIn(Out::NoFile)));
    }
    let mut spent = files(Capability::Rr1);
    let spend = |sidecar: &mut everkey_session::record::Sidecar| {
        sidecar.spend(session(0).fingerprint(), u64::MAX, Over::Refused, 0);
    };
    spent.sidecar.iter_mut().for_each(spend);
    let (mut agent, _) = start_with(spent, there(&mine(START_WALL)), nothing());
    for ask in verbs() {
        assert_eq!(agent.ask(1, ask), fails(1, Trouble::NeedsLogin(Over::Refused)));
    }
    let mut agent = Agent::signed_in(Capability::Rr1);
    for ask in verbs() {
        assert_eq!(agent.ask(1, ask), fails(1, Trouble::NoReminders), "of another provider");
    }
}

#[test]
fn whoever_does_not_own_the_files_shows_and_leaves_the_rest_to_the_owner() {
    let due_already = mine(START_WALL);
    let files = Loaded { owner: Err(NotOwner::Held), ..files(Capability::Rr1) };
    let (mut agent, effects) = start_with(files, there(&due_already), owes_set(&due_already));
    assert_eq!(effects, [], "not told, neither to the person nor to the api-server");
    let pending = shown(&due_already, true, Upstream::Pending);
    assert_eq!(agent.ask(1, Ask::Reminder), [answers(1, Some(pending))]);
    for ask in [set(SOON), Ask::ClearReminder] {
        assert_eq!(agent.ask(2, ask), fails(2, Trouble::NotOwner(NotOwner::Held)));
    }
}

#[test]
fn d19_the_next_owner_of_the_files_reads_what_the_last_one_noted() {
    let reminder = mine(START_WALL);
    let held = Loaded { owner: Err(NotOwner::Held), ..files(Capability::Rr1) };
    let (mut agent, _) = start_with(held, there(&reminder), nothing());
    let effects = agent.live(30_000, &there(&reminder), &nothing());
    let (op, job) = only_store(effects);
    assert_eq!(job, StoreJob::Load, "the lock may be free by now");
    let effects = agent.done(op, Done::Loaded(Box::new(files(Capability::Rr1))));
    let effects = agent.keep_books(effects);
    assert_eq!(agent.read(effects, &there(&reminder), &told(&reminder)), []);
}

#[test]
fn d20_another_users_reminder_is_neither_shown_nor_fired_nor_cleared() {
    let bobs = of("bob@example.com", START_WALL);
    let mut agent = with(there(&bobs), owes_set(&bobs));
    assert_eq!(agent.ask(1, Ask::Reminder), [answers(1, None)]);
    assert_eq!(agent.ask(2, Ask::ClearReminder), [answers(2, None)]);
    let Effect::Reply(_, answer) = &agent.ask(3, Ask::Status)[0] else { panic!() };
    assert!(matches!(&**answer, Answer::Status(view) if view.reminder.is_none()), "{answer:?}");
    assert_eq!(agent.live(HOUR / 2, &there(&bobs), &owes_set(&bobs)), []);
    // Emails are compared as they are written.
    let shouted = of("ANN@example.com", START_WALL);
    assert_eq!(agent.edited(&there(&shouted), &nothing()), []);
    // There is one file, and who sets has it.
    let (op, job) = only_store(agent.ask(4, set(START_WALL + DAY)));
    let StoreJob::PutReminder { reminder: Some(reminder), .. } = job else { panic!("{job:?}") };
    assert_eq!(reminder.user_email, user().email);
    assert_eq!(agent.written(op).len(), 3);
}

#[test]
fn d20_a_reminder_noted_as_told_while_its_user_signs_out_is_told_when_they_are_back() {
    let reminder = mine(SOON);
    let mut agent = with(there(&reminder), nothing());
    let (note, _) = only_store(agent.live(600_000, &there(&reminder), &nothing()));
    let effects = agent.file_changed();
    agent.look_at_missing_file(effects);
    let effects = agent.written(note);
    let [Effect::Store(op, job)] = &effects[..] else { panic!("{effects:?} though nobody is there") };
    assert_eq!(**job, StoreJob::NoteReminder(nothing()), "it is not told any more");
    assert_eq!(agent.written(*op), []);
    let effects = agent.file_changed();
    let effects = agent.look_at_unchanged_file(effects);
    let [Effect::Tell(Notice::Adopted), .., Effect::Store(note, job)] = &effects[..] else {
        panic!("{effects:?}")
    };
    assert_eq!(**job, StoreJob::NoteReminder(told(&reminder)));
    assert_eq!(agent.written(*note), due(&reminder, Upstream::Unknown));
}

#[test]
fn d19_a_reminder_that_fell_due_while_the_agent_was_down_is_told_once_at_the_start() {
    let reminder = mine(START_WALL - DAY);
    let (mut agent, effects) = start(there(&reminder), nothing());
    let (op, job) = only_store(effects);
    assert_eq!(job, StoreJob::NoteReminder(told(&reminder)), "noted first");
    assert_eq!(agent.written(op), due(&reminder, Upstream::Unknown));
    assert_eq!(agent.live(HOUR / 2, &there(&reminder), &told(&reminder)), []);
    let shown = shown(&reminder, true, Upstream::Unknown);
    assert_eq!(agent.ask(1, Ask::Reminder), [answers(1, Some(shown))], "it stays");

    let (_, effects) = start(there(&reminder), told(&reminder));
    assert_eq!(effects, [], "the next start");
    let other = Reminder { set_at: START_WALL - 1, ..reminder };
    let (_, effects) = start(there(&other), told(&mine(START_WALL - DAY)));
    assert_eq!(only_store(effects).1, StoreJob::NoteReminder(told(&other)), "another reminder");
}

#[test]
fn d19_a_reminder_that_fell_due_while_the_machine_slept_is_told_once_on_wake() {
    let reminder = mine(SOON);
    let mut agent = with(there(&reminder), nothing());
    assert_eq!(agent.live(599_000, &there(&reminder), &nothing()), []);
    assert!(agent.idle_ms() <= 1_000, "woken for it");
    let (op, job) = only_store(agent.live(HOUR / 4, &there(&reminder), &nothing()));
    assert_eq!(job, StoreJob::NoteReminder(told(&reminder)));
    assert_eq!(agent.reminder_changed(), [], "one job at a time");
    let effects = agent.written(op);
    let effects = agent.read(effects, &there(&reminder), &told(&reminder));
    assert_eq!(effects, due(&reminder, Upstream::Unknown));
}

#[test]
fn d19_the_wall_clock_counts_and_is_looked_at_every_half_minute() {
    let reminder = mine(START_WALL + 30 * DAY);
    let mut agent = with(there(&reminder), nothing());
    agent.jump_wall(31 * 86_400);
    assert!(agent.idle_ms() <= 30_000);
    let (op, _) = only_store(agent.live(30_000, &there(&reminder), &nothing()));
    assert_eq!(agent.written(op), due(&reminder, Upstream::Unknown));
    agent.jump_wall(-31 * 86_400);
    agent.jump_wall(31 * 86_400);
    assert_eq!(agent.live(30_000, &there(&reminder), &told(&reminder)), [], "once all the same");
}

#[test]
fn d19_a_reminder_is_told_once_in_this_life_though_the_disk_is_full() {
    let reminder = mine(START_WALL);
    let (mut agent, effects) = start(there(&reminder), nothing());
    let (op, _) = only_store(effects);
    let mut expected = vec![Effect::Tell(Notice::StoreFailed(io_error()))];
    expected.extend(due(&reminder, Upstream::Unknown));
    assert_eq!(agent.unwritten(op), expected);
    let (op, job) = only_store(agent.sleep(1_000));
    assert_eq!(job, StoreJob::NoteReminder(told(&reminder)), "the note is tried again");
    assert_eq!(agent.unwritten(op), [Effect::Tell(Notice::StoreFailed(io_error()))]);
    let effects = agent.live(30_000, &there(&reminder), &nothing());
    let (op, _) = only_store(effects);
    assert_eq!(agent.written(op), []);
    assert_eq!(agent.live(30_000, &there(&reminder), &nothing()), []);
}

#[test]
fn d19_a_reminder_that_fell_due_while_nobody_was_signed_in_is_told_when_its_user_is_back() {
    let reminder = mine(START_WALL);
    let (mut agent, effects) = start_with(no_files(), there(&reminder), nothing());
    assert_eq!(effects, []);
    let effects = agent.sign_in_elsewhere();
    let effects = agent.keep_books(effects);
    let [.., Effect::Store(note, job)] = &effects[..] else { panic!("{effects:?}") };
    assert_eq!(**job, StoreJob::NoteReminder(told(&reminder)));
    assert_eq!(agent.written(*note), due(&reminder, Upstream::Unknown));
}

#[test]
fn d19_a_change_while_the_file_is_read_is_read_again() {
    let mut agent = with(FoundReminder::Missing, nothing());
    let look = agent.reminder_changed();
    assert_eq!(agent.reminder_changed(), []);
    let again = agent.read(look, &FoundReminder::Garbage, &nothing());
    let set = Effect::Tell(Notice::ReminderSet(shown(&mine(SOON), false, Upstream::Unknown)));
    assert_eq!(agent.read(again, &there(&mine(SOON)), &nothing()), [set]);
}

#[test]
fn what_other_programs_do_to_the_file_is_told_to_whoever_follows() {
    let mut agent = with(there(&mine(SOON)), nothing());
    let set = |r: &Reminder| vec![Effect::Tell(Notice::ReminderSet(shown(r, false, Upstream::Unknown)))];
    let cleared = || vec![Effect::Tell(Notice::ReminderCleared)];
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
fn a_file_that_can_not_be_read_once_still_counts_and_one_that_must_not_be_does_not() {
    let reminder = mine(SOON);
    let mut agent = with(there(&reminder), nothing());
    assert_eq!(agent.edited(&FoundReminder::Unusable(io_error()), &nothing()), []);
    let known = shown(&reminder, false, Upstream::Unknown);
    assert_eq!(agent.ask(1, Ask::Reminder), [answers(1, Some(known))]);
    let kind = everkey_session::trouble::StoreKind::Symlink;
    let link = StoreTrouble { path: "/next-audit.json".to_owned(), kind };
    let effects = agent.edited(&FoundReminder::Unusable(link.clone()), &nothing());
    let failed = Effect::Tell(Notice::StoreFailed(link.clone()));
    assert_eq!(effects, [failed, Effect::Tell(Notice::ReminderCleared)]);
    assert_eq!(agent.ask(2, Ask::Reminder), fails(2, Trouble::Store(link)));
}

#[test]
fn garbage_is_removed_by_who_clears_and_the_server_told_if_it_knew_of_one() {
    let mut agent = with(FoundReminder::Garbage, nothing());
    assert_eq!(agent.ask(1, Ask::Reminder), [answers(1, None)]);
    let (op, job) = only_store(agent.ask(2, Ask::ClearReminder));
    assert_eq!(job, StoreJob::PutReminder { book: nothing(), reminder: None });
    assert_eq!(agent.written(op), [answers(2, None)]);

    let upstream = Some(mine(SOON));
    let mut agent = with(FoundReminder::Garbage, ReminderBook { upstream, ..nothing() });
    let (op, _) = only_store(agent.ask(2, Ask::ClearReminder));
    let effects = agent.written(op);
    assert!(matches!(&effects[..], [_, Effect::Net(_, NetJob::TellReminder { due_at: None, .. })]));
}

#[test]
fn a_reminder_that_can_not_be_stored_changes_nothing() {
    let old = mine(SOON);
    let upstream = Some(old.clone());
    let book = ReminderBook { upstream, ..nothing() };
    let mut agent = with(there(&old), book.clone());
    let (op, _) = only_store(agent.ask(1, set(START_WALL + DAY)));
    let effects = agent.unwritten(op);
    let failed = Effect::Tell(Notice::StoreFailed(io_error()));
    let answer = reply(1, Answer::Failed(Trouble::Store(io_error())));
    assert_eq!(effects[..2], [failed, answer]);
    assert_eq!(agent.ask(2, Ask::Reminder), [], "the file decides");
    let effects = agent.read(effects[2..].to_vec(), &there(&old), &book);
    let told = shown(&old, false, Upstream::Told);
    assert_eq!(effects, [answers(2, Some(told))], "and nobody is told of the other");
    let (_, job) = only_store(agent.sleep(1_000));
    let settled = ReminderBook { server: Some(SERVER.to_owned()), ..book };
    assert_eq!(job, StoreJob::NoteReminder(settled), "in case that the book was written");
}

#[test]
fn a_reminder_whose_write_failed_after_it_took_effect_counts() {
    let mut agent = with(FoundReminder::Missing, nothing());
    let (op, job) = only_store(agent.ask(1, set(SOON)));
    let StoreJob::PutReminder { book, reminder: Some(reminder) } = job else { panic!("{job:?}") };
    let effects = agent.unwritten(op);
    let effects = agent.read(effects, &there(&reminder), &book);
    let pending = shown(&reminder, false, Upstream::Pending);
    let [_, _, set, Effect::Net(_, job)] = &effects[..] else { panic!("{effects:?}") };
    assert_eq!(*set, Effect::Tell(Notice::ReminderSet(pending)));
    assert_eq!(*job, tell_set(&reminder, &session(0)));
}

#[test]
fn what_a_crash_left_undone_is_not_owed_and_what_was_owed_before_still_is() {
    let (first, second) = (mine(SOON), mine(SOON + 1));
    let before = Some(Owed::Set(first.clone()));
    let book = ReminderBook { before: before.clone(), ..owes_set(&second) };
    let (_, effects) = start(there(&first), book.clone());
    assert_eq!(only_net(effects).1, tell_set(&first, &session(0)));
    let (_, effects) = start(there(&second), book.clone());
    assert_eq!(only_net(effects).1, tell_set(&second, &session(0)));
    let (_, effects) = start(FoundReminder::Missing, book);
    assert_eq!(effects, [], "another program has removed it");

    let book = ReminderBook { before, ..owes(Owed::Clear(first.clone())) };
    let (_, effects) = start(there(&first), book.clone());
    assert_eq!(only_net(effects).1, tell_set(&first, &session(0)));
    let (_, effects) = start(FoundReminder::Missing, book.clone());
    assert!(matches!(only_net(effects).1, NetJob::TellReminder { due_at: None, .. }));
    let (_, effects) = start(there(&second), book);
    assert_eq!(effects, [], "another program has set one, and has told of it");
}

#[test]
fn the_server_is_told_again_until_it_knows() {
    let mut agent = with(FoundReminder::Missing, nothing());
    let at = START_WALL + DAY;
    let (reminder, book) = (mine(at), owes_set(&mine(at)));
    let mut call = agent.set_and_tell(at);
    let net = trouble(NetKind::Timeout);
    for failure in 1..=3 {
        let effects = agent.server_says(call, ReminderAnswer::Net(net.clone()));
        let untold = Effect::Tell(Notice::ReminderUntold(Untold::Yet(net.clone())));
        assert_eq!(effects, if failure == 1 { vec![untold] } else { vec![] });
        assert!((400..=4_000).contains(&agent.idle_ms()), "{} ms", agent.idle_ms());
        let idle = agent.idle_ms();
        call = only_net(agent.sleep(idle)).0;
    }
    assert_eq!(agent.server_says(call, ReminderAnswer::Limited(900)), []);
    for _ in 0..29 {
        assert_eq!(agent.live(30_000, &there(&reminder), &book), []);
    }
    let again = agent.live(120_000, &there(&reminder), &book);
    let (_, job) = only_net(again);
    assert_eq!(job, tell_set(&reminder, &session(0)));
}

#[test]
fn a_refused_reminder_is_given_up_and_stays_in_the_file() {
    let mut agent = with(FoundReminder::Missing, nothing());
    let call = agent.set_and_tell(START_WALL + DAY);
    let effects = agent.server_says(call, ReminderAnswer::Refused);
    let [refused, Effect::Store(op, job)] = &effects[..] else { panic!("{effects:?}") };
    assert_eq!(*refused, Effect::Tell(Notice::ReminderUntold(Untold::Refused)));
    assert_eq!(**job, StoreJob::NoteReminder(ReminderBook { server: Some(SERVER.to_owned()), ..nothing() }));
    assert_eq!(agent.written(*op), []);
    let unknown = shown(&mine(START_WALL + DAY), false, Upstream::Unknown);
    assert_eq!(agent.ask(1, Ask::Reminder), [answers(1, Some(unknown))]);
}

#[test]
fn a_token_that_was_not_accepted_is_not_sent_again_and_the_next_one_is() {
    let mut agent = with(FoundReminder::Missing, nothing());
    let at = START_WALL + DAY;
    let call = agent.set_and_tell(at);
    assert_eq!(agent.server_says(call, ReminderAnswer::Unauthorized), []);
    let (found, book) = (there(&mine(at)), owes_set(&mine(at)));
    for _ in 0..10 {
        assert_eq!(agent.live(30_000, &found, &book), []);
    }
    let effects = agent.ask(1, Ask::Refresh { force: false });
    let sent = agent.send(effects);
    let effects = agent.succeed(&sent, grant(1));
    let file = agent.file.clone();
    let told = effects.iter().find_map(|effect| match effect {
        Effect::Net(_, job @ NetJob::TellReminder { .. }) => Some(job.clone()),
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
    let tells = |effect: &Effect| matches!(effect, Effect::Net(_, NetJob::TellReminder { .. }));
    assert!(!effects.iter().any(tells), "another server: {effects:?}");
    let (_, effects) =
        start(there(&of("bob@example.com", SOON)), owes(Owed::Clear(of("bob@example.com", 1))));
    assert_eq!(effects, [], "another user");
    let (_, effects) = start(there(&reminder), owes_set(&reminder));
    assert_eq!(only_net(effects).1, tell_set(&reminder, &session(0)));
}

#[test]
fn the_newest_is_what_is_owed_and_the_servers_word_for_the_last_one_does_not_settle_it() {
    let mut agent = with(FoundReminder::Missing, nothing());
    let (first, second) = (START_WALL + DAY, START_WALL + 2 * DAY);
    let call = agent.set_and_tell(first);
    let (op, job) = only_store(agent.ask(1, set(second)));
    let book = ReminderBook { before: Some(Owed::Set(mine(first))), ..owes_set(&mine(second)) };
    assert_eq!(job, StoreJob::PutReminder { book, reminder: Some(mine(second)) });
    assert_eq!(agent.written(op).len(), 2, "one call at a time");
    let effects = agent.server_says(call, ReminderAnswer::Accepted);
    let [Effect::Store(op, job)] = &effects[..] else { panic!("{effects:?}") };
    let book = ReminderBook { upstream: Some(mine(first)), ..owes_set(&mine(second)) };
    assert_eq!(**job, StoreJob::NoteReminder(book));
    assert_eq!(only_net(agent.written(*op)).1, tell_set(&mine(second), &session(0)));
}

#[test]
fn clients_are_answered_in_order_and_once() {
    let policy = Policy { reminds: true, ..policy() };
    let (mut agent, look) = Agent::start_with(policy, files(Capability::Rr1));
    let (first, second) = (mine(SOON), mine(SOON + 1));
    for (waiter, ask) in [
        (1, Ask::Reminder),
        (2, set(SOON)),
        (3, Ask::Reminder),
        (4, set(SOON + 1)),
        (5, Ask::ClearReminder),
        (6, Ask::Reminder),
    ] {
        assert_eq!(agent.ask(waiter, ask), [], "not read yet");
    }
    agent.gone(5);
    let effects = agent.read(look, &FoundReminder::Missing, &nothing());
    let [answer, Effect::Store(op, _)] = &effects[..] else { panic!("{effects:?}") };
    assert_eq!(*answer, answers(1, None));
    let effects = agent.written(*op);
    let [_, done, shows, Effect::Store(op, _)] = &effects[..] else { panic!("{effects:?}") };
    let pending = |reminder| Some(shown(reminder, false, Upstream::Pending));
    assert_eq!((done, shows), (&answers(2, pending(&first)), &answers(3, pending(&first))));
    agent.gone(4);
    let effects = agent.written(*op);
    let [set, shows, Effect::Net(_, job)] = &effects[..] else { panic!("{effects:?}") };
    assert_eq!(*set, Effect::Tell(Notice::ReminderSet(shown(&second, false, Upstream::Pending))));
    assert_eq!((shows, job), (&answers(6, pending(&second)), &tell_set(&second, &session(0))));
}

#[test]
fn nobody_waits_longer_than_twenty_seconds() {
    let mut agent = with(FoundReminder::Missing, nothing());
    let (op, _) = only_store(agent.ask(1, set(SOON)));
    assert_eq!(agent.ask(2, Ask::Reminder), []);
    assert_eq!(agent.idle_ms(), 20_000);
    let effects = agent.sleep(20_000);
    assert_eq!(effects, [fails(1, Trouble::Timeout), fails(2, Trouble::Timeout)].concat());
    assert!(agent.must_drain(), "the write goes on");
    let effects = agent.written(op);
    let set = Effect::Tell(Notice::ReminderSet(shown(&mine(SOON), false, Upstream::Pending)));
    assert!(!effects.iter().any(|effect| matches!(effect, Effect::Reply(..))), "{effects:?}");
    assert_eq!(effects[0], set);
}

#[test]
fn a_status_asked_for_at_the_start_waits_for_the_reminder() {
    let policy = Policy { reminds: true, ..policy() };
    let (mut agent, look) = Agent::start_with(policy, files(Capability::Rr1));
    assert_eq!(agent.ask(1, Ask::Status), []);
    let effects = agent.read(look, &there(&mine(SOON)), &nothing());
    let [Effect::Reply(Waiter(1), answer)] = &effects[..] else { panic!("{effects:?}") };
    let Answer::Status(view) = &**answer else { panic!("{answer:?}") };
    assert_eq!(view.reminder, Some(shown(&mine(SOON), false, Upstream::Unknown)));
}

#[test]
fn a_reminder_stored_for_somebody_who_has_just_signed_out_is_shown_to_nobody() {
    let mut agent = with(FoundReminder::Missing, nothing());
    let (op, _) = only_store(agent.ask(1, set(SOON)));
    let effects = agent.file_changed();
    agent.look_at(effects, &Found::Missing);
    assert_eq!(agent.written(op), fails(1, Trouble::AccountChanged));
}
