//! The re-audit reminder of whoever is signed in: what its file holds, what is noted about it, and when it is due.
//! Nothing here counts another user's reminder.

use crate::book::{FoundReminder, ReminderBook, ReminderRecord};
use crate::effect::{ReminderDone, ReminderEffect, ReminderInput, ReminderJob, ReminderNotice};
use crate::facts::SessionFacts;
use crate::state::{Informing, PendingFarewell, PendingRequest, Storing, Work};
use everkey_proto::reply;
use everkey_session::policy::retry_at;
use everkey_session::{Boot, Error, Moment, Op, StoreError, StoreErrorKind, Wake, WakeReason};
use std::collections::VecDeque;

/// The reminder's file is read though nobody said that it changed.
const READ_REMINDER: WakeReason = WakeReason::new("read_reminder");
/// The person is to be notified.
const REMINDER_DUE: WakeReason = WakeReason::new("reminder_due");
/// The book on disk is behind.
const WRITE_REMINDER_BOOK: WakeReason = WakeReason::new("write_reminder_book");
/// The api-server does not know yet what was set or cleared.
const INFORM_SERVER: WakeReason = WakeReason::new("inform_server");

/// How often the file and the wall clock are looked at though nobody said that either changed, in milliseconds.
const EVERY_MS: u64 = 30_000;

/// One profile's reminder.
#[derive(Debug)]
pub struct ReminderMachine {
    /// What the file held when it was last read or written; none before the first look.
    pub(crate) file: Option<FoundReminder>,
    /// A write has failed, perhaps after it took effect: the file decides.
    pub(crate) unsure: bool,
    /// What is noted. Once read under the owner lock, the one in memory counts.
    pub(crate) book: ReminderBook,
    /// Whether the book was read under the owner lock.
    pub(crate) vouched: bool,
    /// Whether this agent owned the files a moment ago.
    owned: bool,
    /// When to write the book, if the one on disk is behind.
    behind: Option<Boot>,
    failures: u32,
    pub(crate) work: Work,
    pub(crate) requests: VecDeque<PendingRequest>,
    pub(crate) informing: Informing,
    pub(crate) farewells: Vec<PendingFarewell>,
    pub(crate) farewells_done: Vec<u64>,
    last_op: u64,
    effects: Vec<ReminderEffect>,
}

impl ReminderMachine {
    /// A reminder that has yet to be read. Its work is numbered after `last_op`.
    pub fn start(last_op: Op) -> Self {
        Self {
            file: None,
            unsure: false,
            book: ReminderBook::default(),
            vouched: false,
            owned: true,
            behind: None,
            failures: 0,
            work: Work::Rest { next: Boot(0) },
            requests: VecDeque::new(),
            informing: Informing::default(),
            farewells: Vec::new(),
            farewells_done: Vec::new(),
            last_op: last_op.0,
            effects: Vec::new(),
        }
    }

    /// Applies one event and returns what to do. Never waits.
    pub fn handle(
        &mut self,
        now: &Moment,
        facts: &SessionFacts<'_>,
        input: ReminderInput,
    ) -> Vec<ReminderEffect> {
        // The last owner may have written the book.
        if facts.owner.is_ok() && !self.owned {
            self.read_soon(now);
        }
        self.owned = facts.owner.is_ok();
        match input {
            ReminderInput::Request(waiter, request) => self.ask(now, waiter, request),
            ReminderInput::Gone(waiter) => self.forget(waiter),
            ReminderInput::Done(op, ReminderDone::Read(found, book)) => {
                self.read_done(now, facts, op, *found, *book);
            }
            ReminderInput::Done(op, ReminderDone::Stored(result)) => self.stored(now, facts, op, result),
            ReminderInput::Done(op, ReminderDone::Informed(answer)) => self.informed(now, op, answer),
            ReminderInput::FileChanged => self.read_soon(now),
            ReminderInput::Farewell(farewell) => self.farewells.push(PendingFarewell::new(now, farewell)),
            ReminderInput::Tick => {}
        }
        self.pass(now, facts);
        std::mem::take(&mut self.effects)
    }

    /// When a [`ReminderInput::Tick`] is wanted at the latest.
    pub fn due(&self, now: &Moment, facts: &SessionFacts<'_>) -> Option<Wake> {
        let rest = self.rest();
        let due = self.untold(facts).map(|r| now.boot.plus_secs(r.next_audit_at.saturating_sub(now.wall)));
        let behind = self.behind.filter(|_| facts.owner.is_ok());
        [
            rest.map(|at| READ_REMINDER.at(at)),
            rest.and(due).map(|at| REMINDER_DUE.at(at)),
            rest.and(behind).map(|at| WRITE_REMINDER_BOOK.at(at)),
            rest.and(self.next_call(facts)).map(|at| INFORM_SERVER.at(at)),
            self.next_farewell(facts).map(|at| INFORM_SERVER.at(at)),
            self.patience().map(|at| WakeReason::CLIENT_PATIENCE.at(at)),
        ]
        .into_iter()
        .flatten()
        .min_by_key(|wake| wake.at)
    }

    /// Whether a shutdown should wait for a write.
    pub fn must_drain(&self) -> bool {
        matches!(self.work, Work::Storing { .. })
    }

    /// Whether the file was looked at.
    pub fn is_read(&self) -> bool {
        self.file.is_some()
    }

    /// The reminder of whoever is signed in, as it is shown.
    pub fn reminder(&self, now: &Moment, facts: &SessionFacts<'_>) -> Option<reply::Reminder> {
        let mine = self.my_reminder(facts)?;
        Some(self.shown(now, mine))
    }

    /// The revocations that have waited for nothing more since this was last asked.
    pub fn take_farewells_done(&mut self) -> Vec<u64> {
        std::mem::take(&mut self.farewells_done)
    }

    /// One step of whatever is due.
    fn pass(&mut self, now: &Moment, facts: &SessionFacts<'_>) {
        self.say_farewells(now, facts);
        self.expire_asks(now);
        if self.rest().is_some_and(|next| next <= now.boot) {
            return self.read(facts);
        }
        self.answer_asks(now, facts);
        self.fire_if_due(now, facts);
        self.note_if_behind(now, facts);
        self.inform_if_owed(now, facts);
    }

    /// Somebody says that the file may have changed, or its book is another's no more.
    pub(crate) fn read_soon(&mut self, now: &Moment) {
        match &mut self.work {
            Work::Rest { next } => *next = now.boot,
            Work::Reading { again, .. } | Work::Storing { again, .. } => *again = true,
        }
    }

    /// Whether nothing is known that could be answered.
    pub(crate) fn is_unread(&self) -> bool {
        self.file.is_none() || self.unsure
    }

    pub(crate) fn rest(&self) -> Option<Boot> {
        match self.work {
            Work::Rest { next } => Some(next),
            Work::Reading { .. } | Work::Storing { .. } => None,
        }
    }

    /// The book is to be written soon.
    pub(crate) fn must_note(&mut self) {
        self.behind = Some(Boot(0));
    }

    pub(crate) fn shown(&self, now: &Moment, reminder: &ReminderRecord) -> reply::Reminder {
        reply::Reminder {
            at: reminder.next_audit_at,
            email: reminder.user_email.clone(),
            set_at: reminder.set_at,
            due: reminder.next_audit_at <= now.wall,
            upstream: self.book.upstream_of(reminder),
        }
    }

    /// The reminder in the file, if it is of whoever is signed in (D20).
    pub(crate) fn my_reminder(&self, facts: &SessionFacts<'_>) -> Option<&ReminderRecord> {
        match &self.file {
            Some(FoundReminder::There(reminder)) => Some(reminder).filter(|found| is_mine(facts, found)),
            Some(FoundReminder::Missing | FoundReminder::Garbage | FoundReminder::Unusable(_)) | None => None,
        }
    }

    fn read(&mut self, facts: &SessionFacts<'_>) {
        let op = self.store(ReminderJob::Read);
        self.work = Work::Reading { op, owner: facts.owner.is_ok(), again: false };
    }

    fn read_done(
        &mut self,
        now: &Moment,
        facts: &SessionFacts<'_>,
        op: Op,
        found: FoundReminder,
        book: ReminderBook,
    ) {
        let (owner, again) = match self.work {
            Work::Reading { op: mine, owner, again } if mine == op => (owner, again),
            Work::Reading { .. } | Work::Rest { .. } | Work::Storing { .. } => return,
        };
        self.work = Work::Rest { next: next_look(now, again) };
        if !self.vouched {
            self.book = book;
            self.behind = None;
        }
        if let FoundReminder::Unusable(why) = found {
            return self.unreadable(now, facts, why);
        }
        self.vouched |= owner;
        self.unsure = false;
        self.book.believe(&found);
        self.learn(now, facts, found);
    }

    fn unreadable(&mut self, now: &Moment, facts: &SessionFacts<'_>, why: StoreError) {
        if self.is_unread() {
            for PendingRequest { waiter, .. } in std::mem::take(&mut self.requests) {
                self.reply(waiter, Err(Error::Store(why.clone()).into()));
            }
        }
        if self.unsure {
            self.work = Work::Rest { next: retry_at(now, 1) };
        }
        // It could not be read this time; what it held a moment ago still counts until it is seen to have changed.
        let passing = matches!(why.kind, StoreErrorKind::Os(_)) && self.file.is_some();
        let found = FoundReminder::Unusable(why.clone());
        if !passing && self.file.as_ref() != Some(&found) {
            self.notify(ReminderNotice::StoreFailed(why));
            self.learn(now, facts, found);
        }
    }

    /// What the file holds now. Whoever follows hears of a change to the reminder of whoever is signed in.
    fn learn(&mut self, now: &Moment, facts: &SessionFacts<'_>, found: FoundReminder) {
        let mine_before = self.my_reminder(facts).cloned();
        let first = self.file.replace(found).is_none();
        let mine = self.my_reminder(facts).cloned();
        if first || mine == mine_before {
            return;
        }
        match mine {
            Some(mine) => self.notify(ReminderNotice::Set(self.shown(now, &mine))),
            None => self.notify(ReminderNotice::Cleared),
        }
    }

    /// One of whoever is signed in that this agent is to tell, now or later.
    fn untold(&self, facts: &SessionFacts<'_>) -> Option<&ReminderRecord> {
        let may = facts.owner.is_ok() && self.vouched && !self.unsure;
        self.my_reminder(facts).filter(|mine| may && self.book.told.as_ref() != Some(mine))
    }

    /// Notes it first: one that is told twice would be worse than one that a crash at this moment swallows.
    fn fire_if_due(&mut self, now: &Moment, facts: &SessionFacts<'_>) {
        let due = self.untold(facts).filter(|untold| untold.next_audit_at <= now.wall);
        let Some(reminder) = due.filter(|_| self.rest().is_some()).cloned() else { return };
        let before = self.book.told.replace(reminder.clone());
        let job = ReminderJob::Note(self.book.clone());
        self.write(job, Storing::Due { reminder, before });
    }

    fn note_if_behind(&mut self, now: &Moment, facts: &SessionFacts<'_>) {
        let due = self.behind.is_some_and(|at| at <= now.boot);
        if due && facts.owner.is_ok() && self.rest().is_some() {
            let job = ReminderJob::Note(self.book.clone());
            self.write(job, Storing::Book);
        }
    }

    pub(crate) fn write(&mut self, job: ReminderJob, what: Storing) {
        let op = self.store(job);
        self.behind = None;
        self.work = Work::Storing { op, what, again: false };
    }

    fn stored(&mut self, now: &Moment, facts: &SessionFacts<'_>, op: Op, result: Result<(), StoreError>) {
        let rest = Work::Rest { next: Boot(0) };
        let (what, again) = match std::mem::replace(&mut self.work, rest) {
            Work::Storing { op: mine, what, again } if mine == op => (what, again),
            other @ (Work::Rest { .. } | Work::Reading { .. } | Work::Storing { .. }) => {
                self.work = other;
                return;
            }
        };
        self.work = Work::Rest { next: next_look(now, again) };
        match &result {
            Ok(()) => self.failures = 0,
            Err(why) => {
                self.failures = self.failures.saturating_add(1);
                self.behind = Some(retry_at(now, self.failures));
                self.notify(ReminderNotice::StoreFailed(why.clone()));
            }
        }
        match what {
            Storing::Put { client, email, reminder } => {
                self.put_done(now, facts, client, &email, reminder, result);
            }
            Storing::Due { reminder, before } => self.noted_as_told(now, facts, reminder, before),
            Storing::Book => {}
        }
    }

    /// Told although the note could not be written: in this agent's life the book in memory knows.
    fn noted_as_told(
        &mut self,
        now: &Moment,
        facts: &SessionFacts<'_>,
        reminder: ReminderRecord,
        before: Option<ReminderRecord>,
    ) {
        if is_mine(facts, &reminder) {
            let shown = self.shown(now, &reminder);
            self.effects.push(ReminderEffect::Remind(reminder));
            self.notify(ReminderNotice::Due(shown));
        } else {
            // Whoever it is for has just signed out: told when they are back.
            self.book.told = before;
            self.must_note();
        }
    }

    fn store(&mut self, job: ReminderJob) -> Op {
        let op = self.next_op();
        self.effects.push(ReminderEffect::Store(op, Box::new(job)));
        op
    }

    pub(crate) fn next_op(&mut self) -> Op {
        self.last_op += 1;
        Op(self.last_op)
    }

    pub(crate) fn emit(&mut self, effect: ReminderEffect) {
        self.effects.push(effect);
    }

    pub(crate) fn notify(&mut self, notice: ReminderNotice) {
        self.effects.push(ReminderEffect::Notify(notice));
    }
}

fn is_mine(facts: &SessionFacts<'_>, reminder: &ReminderRecord) -> bool {
    facts.email().is_ok_and(|email| email == reminder.user_email)
}

fn next_look(now: &Moment, again: bool) -> Boot {
    if again { now.boot } else { now.boot.plus_ms(EVERY_MS) }
}
