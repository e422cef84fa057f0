//! D19, D20: the reminder is told once, to its own user only, and the api-server hears of it in the end.
#![forbid(unsafe_code)]
#![allow(clippy::panic)] // the helpers of a test are one too

mod clients;
mod due;
mod farewell;
mod file;
#[path = "../../../session/tests/faults/fixtures.rs"]
#[allow(dead_code)] // those of the session's own scenarios
mod fixtures;
mod script;
mod server;

use everkey_proto::reply::{Reminder as Shown, Upstream};
use everkey_proto::request::{ReminderRequest, SessionRequest};
use everkey_proto::{Expect, When};
use everkey_reminder::{
    FoundReminder, Owed, ProfileEffect, ReminderAnswer, ReminderBook, ReminderCall, ReminderEffect,
    ReminderError, ReminderJob, ReminderNotice, ReminderRecord, Untold,
};
use everkey_session::{
    Capability, Effect, EndReason, Error, FileContent, JobResult, Loaded, NetErrorKind, NetJob, NotOwner,
    Notice, Op, PendingRevocation, ProfileReply, RevokeAnswer, Session, SignedOutReason, StoreError,
    StoreJob, Waiter,
};
use script::*;

const DAY: u64 = 86_400;

/// Ten minutes after the scenario begins.
const SOON: u64 = START_WALL + 600;

fn of(email: &str, at: u64) -> ReminderRecord {
    ReminderRecord { next_audit_at: at, user_email: email.to_owned(), set_at: START_WALL }
}

fn mine(at: u64) -> ReminderRecord {
    of(&user().email, at)
}

fn shown(reminder: &ReminderRecord, due: bool, upstream: Upstream) -> Shown {
    let ReminderRecord { next_audit_at: at, user_email: email, set_at } = reminder.clone();
    Shown { at, email, set_at, due, upstream }
}

fn nothing() -> ReminderBook {
    ReminderBook::default()
}

fn told(reminder: &ReminderRecord) -> ReminderBook {
    ReminderBook { told: Some(reminder.clone()), ..nothing() }
}

/// What is noted when the api-server has yet to be told.
fn owes(owed: Owed) -> ReminderBook {
    ReminderBook { owed: Some(owed), server: Some(SERVER.to_owned()), ..nothing() }
}

fn owes_set(reminder: &ReminderRecord) -> ReminderBook {
    owes(Owed::Set(reminder.clone()))
}

fn set(at: u64) -> ReminderRequest {
    ReminderRequest::SetReminder { when: When::At(at) }
}

fn refuses(waiter: u64, error: ReminderError) -> Vec<ProfileEffect> {
    vec![OfReminder(ReminderEffect::Reply(Waiter(waiter), Err(error)))]
}

fn fails(waiter: u64, trouble: Error) -> Vec<ProfileEffect> {
    refuses(waiter, ReminderError::Session(trouble))
}

fn answers(waiter: u64, reminder: Option<Shown>) -> ProfileEffect {
    OfReminder(ReminderEffect::Reply(Waiter(waiter), Ok(reminder)))
}

fn notify(notice: ReminderNotice) -> ProfileEffect {
    OfReminder(ReminderEffect::Notify(notice))
}

fn due(reminder: &ReminderRecord, upstream: Upstream) -> Vec<ProfileEffect> {
    let shown = shown(reminder, true, upstream);
    vec![OfReminder(ReminderEffect::Remind(reminder.clone())), notify(ReminderNotice::Due(shown))]
}

/// An agent whose files these are, and what it does once it has read them.
fn start_with(files: Loaded, found: FoundReminder, book: ReminderBook) -> (Agent, Vec<ProfileEffect>) {
    let (mut agent, effects) = Agent::start(true, files);
    let effects = agent.keep_books(effects);
    let effects = agent.read(effects, &found, &book);
    (agent, effects)
}

fn start(found: FoundReminder, book: ReminderBook) -> (Agent, Vec<ProfileEffect>) {
    start_with(files(Capability::Rr1), found, book)
}

/// One that has read a file without anything coming of it.
fn with(found: FoundReminder, book: ReminderBook) -> Agent {
    let (agent, effects) = start(found, book);
    assert_eq!(effects, []);
    agent
}

fn there(reminder: &ReminderRecord) -> FoundReminder {
    FoundReminder::There(reminder.clone())
}

impl Agent {
    /// Sets one and has it stored; the call to the api-server, which is under way then.
    fn set_and_tell(&mut self, at: u64) -> Op {
        let (op, _) = only_job(self.request(7, set(at)));
        let mut effects = self.written(op);
        assert_eq!(effects.len(), 3, "{effects:?}");
        only_call(effects.split_off(2)).0
    }
}

fn tell_set(reminder: &ReminderRecord, session: &Session) -> ReminderCall {
    let due_at = Some(reminder.next_audit_at);
    ReminderCall { at: home(), access: session.access.clone(), due_at }
}
