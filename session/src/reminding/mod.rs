//! The re-audit reminder of whoever is signed in: what its file holds, what is noted about it, and when it is told.
//! `asking.rs` answers clients; `telling.rs` tells the api-server, `parting.rs` after a sign-out. Nothing here counts another user's reminder.

mod asking;
mod parting;
mod telling;

use crate::Op;
use crate::event::{Answer, Waiter};
use crate::job::StoreJob;
use crate::policy::retry_at;
use crate::profile::{Account, Profile};
use crate::reminder::{FoundReminder, Owed, Reminder, ReminderBook};
use crate::time::{Boot, Moment};
use crate::trouble::{Notice, StoreKind, StoreTrouble, Trouble};
use asking::Asked;
use everkey_proto::reply;
use std::collections::VecDeque;
use telling::Telling;

/// How often the file and the wall clock are looked at though nobody said that either changed, in milliseconds.
const EVERY_MS: u64 = 30_000;

/// Where the reminder stands.
#[derive(Debug)]
pub(crate) struct Reminding {
    /// What the file held when it was last read or written; none before the first look.
    file: Option<FoundReminder>,
    /// A write has failed, perhaps after it took effect: the file decides.
    unsure: bool,
    /// What is noted. Once read under the owner lock, the one in memory counts.
    book: ReminderBook,
    /// Whether the book was read under the owner lock.
    vouched: bool,
    /// When to write the book, if the one on disk is behind.
    behind: Option<Boot>,
    failures: u32,
    work: Work,
    asked: VecDeque<Asked>,
    telling: Telling,
}

/// The one job on the reminder's files.
#[derive(Debug)]
enum Work {
    /// None; the next look is then.
    Rest { next: Boot },
    /// A look, begun under the owner lock or not; `again` if the file changed meanwhile.
    Reading { op: Op, owner: bool, again: bool },
    /// The book, and perhaps the file, are being written.
    Storing { op: Op, what: Storing, again: bool },
}

#[derive(Debug)]
enum Storing {
    /// The reminder is set, or removed, for somebody who may still wait.
    Put { asked: Option<Asked>, email: String, reminder: Option<Reminder> },
    /// It is due: noted as told, in the place of the one before, so that it is told once.
    Due { reminder: Reminder, before: Option<Reminder> },
    /// The book alone.
    Book,
}

impl Default for Reminding {
    fn default() -> Self {
        Self {
            file: None,
            unsure: false,
            book: ReminderBook::default(),
            vouched: false,
            behind: None,
            failures: 0,
            work: Work::Rest { next: Boot(0) },
            asked: VecDeque::new(),
            telling: Telling::default(),
        }
    }
}

impl Reminding {
    /// Whether a shutdown should wait for a write.
    pub fn is_storing(&self) -> bool {
        matches!(self.work, Work::Storing { .. })
    }

    pub fn forget(&mut self, waiter: Waiter) {
        self.asked.retain(|asked| asked.waiter != waiter);
        if let Work::Storing { what: Storing::Put { asked, .. }, .. } = &mut self.work {
            asked.take_if(|asked| asked.waiter == waiter);
        }
    }

    /// Whether nothing is known that could be answered.
    fn is_unread(&self) -> bool {
        self.file.is_none() || self.unsure
    }

    /// The one that the file holds.
    fn found(&self) -> Option<&Reminder> {
        match &self.file {
            Some(FoundReminder::There(reminder)) => Some(reminder),
            Some(FoundReminder::Missing | FoundReminder::Garbage | FoundReminder::Unusable(_)) | None => None,
        }
    }

    fn rest(&self) -> Option<Boot> {
        match self.work {
            Work::Rest { next } => Some(next),
            Work::Reading { .. } | Work::Storing { .. } => None,
        }
    }

    /// The book is to be written soon.
    fn must_note(&mut self) {
        self.behind = Some(Boot(0));
    }
}

impl Profile {
    /// Somebody says that the reminder's file may have changed, or its book is another's no more.
    pub(crate) fn read_reminder_soon(&mut self, now: &Moment) {
        match &mut self.reminding.work {
            Work::Rest { next } => *next = now.boot,
            Work::Reading { again, .. } | Work::Storing { again, .. } => *again = true,
        }
    }

    /// When something is to be done about the reminder at the latest.
    pub(crate) fn remind_at(&self, now: &Moment) -> Option<Boot> {
        let reminding = &self.reminding;
        if !self.settings.policy.reminds || matches!(self.account, Account::Starting(_)) {
            return None;
        }
        let rest = reminding.rest();
        let due = self.untold().map(|r| now.boot.plus_secs(r.next_audit_at.saturating_sub(now.wall)));
        let behind = reminding.behind.filter(|_| self.owner.is_ok());
        let tell = self.next_telling(now);
        [rest, rest.and(due), rest.and(behind), rest.and(tell), reminding.patience()]
            .into_iter()
            .flatten()
            .min()
    }

    /// One step of whatever is due.
    pub(crate) fn remind_if_due(&mut self, now: &Moment) {
        if !self.settings.policy.reminds || matches!(self.account, Account::Starting(_)) {
            return;
        }
        self.expire_reminder_asks(now);
        if self.reminding.rest().is_some_and(|next| next <= now.boot) {
            return self.read_reminder();
        }
        self.answer_reminder_asks(now);
        self.fire_if_due(now);
        self.note_if_behind(now);
        self.tell_if_owed(now);
    }

    /// The reminder of whoever is signed in, as it is shown.
    pub(crate) fn reminder(&self, now: &Moment) -> Option<reply::Reminder> {
        let mine = self.my_reminder()?;
        Some(self.shown(now, mine))
    }

    fn shown(&self, now: &Moment, reminder: &Reminder) -> reply::Reminder {
        reply::Reminder {
            at: reminder.next_audit_at,
            email: reminder.user_email.clone(),
            set_at: reminder.set_at,
            due: reminder.next_audit_at <= now.wall,
            upstream: self.reminding.book.upstream_of(reminder),
        }
    }

    /// The reminder in the file, if it is of whoever is signed in (D20).
    fn my_reminder(&self) -> Option<&Reminder> {
        self.reminding.found().filter(|found| self.is_mine(found))
    }

    fn is_mine(&self, reminder: &Reminder) -> bool {
        self.reminder_user().is_ok_and(|email| email == reminder.user_email)
    }

    /// Whose reminders count: whoever has an active session.
    fn reminder_user(&self) -> Result<&str, Trouble> {
        match self.why_not_signed_in() {
            Some(why) => Err(why),
            None => self.user().map(|user| user.email.as_str()).ok_or(Trouble::NoReminders),
        }
    }

    fn read_reminder(&mut self) {
        let op = self.store(StoreJob::ReadReminder);
        self.reminding.work = Work::Reading { op, owner: self.owner.is_ok(), again: false };
    }

    pub(crate) fn reminder_read(&mut self, now: &Moment, op: Op, found: FoundReminder, book: ReminderBook) {
        let (owner, again) = match self.reminding.work {
            Work::Reading { op: mine, owner, again } if mine == op => (owner, again),
            Work::Reading { .. } | Work::Rest { .. } | Work::Storing { .. } => return,
        };
        self.reminding.work = Work::Rest { next: next_look(now, again) };
        if !self.reminding.vouched {
            self.reminding.book = book;
            self.reminding.behind = None;
        }
        if let FoundReminder::Unusable(why) = found {
            return self.reminder_unreadable(now, why);
        }
        self.reminding.vouched |= owner;
        self.reminding.unsure = false;
        self.reminding.book.believe(&found);
        self.learn_reminder(now, found);
    }

    fn reminder_unreadable(&mut self, now: &Moment, why: StoreTrouble) {
        if self.reminding.is_unread() {
            for Asked { waiter, .. } in std::mem::take(&mut self.reminding.asked) {
                self.reply(waiter, Answer::Failed(Trouble::Store(why.clone())));
            }
        }
        if self.reminding.unsure {
            self.reminding.work = Work::Rest { next: retry_at(now, 1) };
        }
        // It could not be read this time; what it held a moment ago still counts until it is seen to have changed.
        let passing = matches!(why.kind, StoreKind::Os(_)) && self.reminding.file.is_some();
        let found = FoundReminder::Unusable(why.clone());
        if !passing && self.reminding.file.as_ref() != Some(&found) {
            self.tell(Notice::StoreFailed(why));
            self.learn_reminder(now, found);
        }
    }

    /// What the file holds now. Whoever follows hears of a change to the reminder of whoever is signed in.
    fn learn_reminder(&mut self, now: &Moment, found: FoundReminder) {
        let mine_before = self.my_reminder().cloned();
        let first = self.reminding.file.replace(found).is_none();
        let mine = self.my_reminder().cloned();
        if first || mine == mine_before {
            return;
        }
        match mine {
            Some(mine) => self.tell(Notice::ReminderSet(self.shown(now, &mine))),
            None => self.tell(Notice::ReminderCleared),
        }
    }

    /// One of whoever is signed in that this agent is to tell, now or later.
    fn untold(&self) -> Option<&Reminder> {
        let Reminding { book, vouched, unsure, .. } = &self.reminding;
        let may = self.owner.is_ok() && *vouched && !unsure;
        self.my_reminder().filter(|mine| may && book.told.as_ref() != Some(mine))
    }

    /// Notes it first: one that is told twice would be worse than one that a crash at this moment swallows.
    fn fire_if_due(&mut self, now: &Moment) {
        let due = self.untold().filter(|untold| untold.next_audit_at <= now.wall);
        let Some(reminder) = due.filter(|_| self.reminding.rest().is_some()).cloned() else { return };
        let before = self.reminding.book.told.replace(reminder.clone());
        let job = StoreJob::NoteReminder(self.reminding.book.clone());
        self.store_reminder(job, Storing::Due { reminder, before });
    }

    fn note_if_behind(&mut self, now: &Moment) {
        let due = self.reminding.behind.is_some_and(|at| at <= now.boot);
        if due && self.owner.is_ok() && self.reminding.rest().is_some() {
            let job = StoreJob::NoteReminder(self.reminding.book.clone());
            self.store_reminder(job, Storing::Book);
        }
    }

    fn store_reminder(&mut self, job: StoreJob, what: Storing) {
        let op = self.store(job);
        self.reminding.behind = None;
        self.reminding.work = Work::Storing { op, what, again: false };
    }

    pub(crate) fn reminder_stored(&mut self, now: &Moment, op: Op, result: Result<(), StoreTrouble>) {
        let rest = Work::Rest { next: Boot(0) };
        let (what, again) = match std::mem::replace(&mut self.reminding.work, rest) {
            Work::Storing { op: mine, what, again } if mine == op => (what, again),
            other @ (Work::Rest { .. } | Work::Reading { .. } | Work::Storing { .. }) => {
                self.reminding.work = other;
                return;
            }
        };
        self.reminding.work = Work::Rest { next: next_look(now, again) };
        match &result {
            Ok(()) => self.reminding.failures = 0,
            Err(why) => {
                self.reminding.failures = self.reminding.failures.saturating_add(1);
                self.reminding.behind = Some(retry_at(now, self.reminding.failures));
                self.tell(Notice::StoreFailed(why.clone()));
            }
        }
        match what {
            Storing::Put { asked, email, reminder } => {
                self.reminder_put(now, asked, &email, reminder, result)
            }
            Storing::Due { reminder, before } => self.noted_as_told(now, reminder, before),
            Storing::Book => {}
        }
    }

    /// Told although the note could not be written: in this agent's life the book in memory knows.
    fn noted_as_told(&mut self, now: &Moment, reminder: Reminder, before: Option<Reminder>) {
        if self.is_mine(&reminder) {
            let shown = self.shown(now, &reminder);
            self.remind(reminder);
            self.tell(Notice::ReminderDue(shown));
        } else {
            // Whoever it is for has just signed out: told when they are back.
            self.reminding.book.told = before;
            self.reminding.must_note();
        }
    }
}

fn next_look(now: &Moment, again: bool) -> Boot {
    if again { now.boot } else { now.boot.plus_ms(EVERY_MS) }
}

impl ReminderBook {
    /// Whether the api-server knows of a reminder that the file holds.
    fn upstream_of(&self, reminder: &Reminder) -> reply::Upstream {
        if matches!(&self.owed, Some(Owed::Set(owed)) if owed == reminder) {
            reply::Upstream::Pending
        } else if self.upstream.as_ref() == Some(reminder) {
            reply::Upstream::Told
        } else {
            reply::Upstream::Unknown
        }
    }

    /// What is owed for a change that the file does not bear out was never done, or is undone: then what was owed before
    /// it still is, if the file bears that out.
    fn believe(&mut self, found: &FoundReminder) {
        let owed = self.owed.take();
        let before = self.before.take();
        self.owed = owed.into_iter().chain(before).find(|owed| owed.is_borne_out_by(found));
    }
}

impl Owed {
    /// Whose reminder it is about.
    fn email(&self) -> &str {
        match self {
            Self::Set(reminder) | Self::Clear(reminder) => &reminder.user_email,
        }
    }

    /// When the api-server is to remind; none for not at all.
    fn due_at(&self) -> Option<u64> {
        match self {
            Self::Set(reminder) => Some(reminder.next_audit_at),
            Self::Clear(_) => None,
        }
    }

    /// Whether the file looks as if this had been done.
    fn is_borne_out_by(&self, found: &FoundReminder) -> bool {
        match (self, found) {
            (Self::Set(set), FoundReminder::There(found)) => set == found,
            // Another user's reminder in its place says nothing against it.
            (Self::Clear(cleared), FoundReminder::There(found)) => cleared.user_email != found.user_email,
            (Self::Set(_), FoundReminder::Missing | FoundReminder::Garbage) => false,
            // Whoever clears garbage wants no reminder, whether or not it could be removed.
            (Self::Clear(_), FoundReminder::Missing | FoundReminder::Garbage) => true,
            (Self::Set(_) | Self::Clear(_), FoundReminder::Unusable(_)) => false,
        }
    }
}
