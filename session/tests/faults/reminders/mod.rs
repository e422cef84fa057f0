//! D19, D20: the reminder is told once, to its own user only, and the api-server hears of it in the end.

mod clients;
mod due;
mod file;
mod parting;
mod server;

use crate::script::*;
use everkey_proto::When;
use everkey_proto::reply::{Reminder as Shown, Upstream};
use everkey_session::event::{Answer, Ask, Effect};
use everkey_session::job::{Done, Found, Loaded, NetJob, ReminderAnswer, RevokeAnswer, StoreJob};
use everkey_session::policy::Policy;
use everkey_session::record::{Capability, Over, Revocation, Session};
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
