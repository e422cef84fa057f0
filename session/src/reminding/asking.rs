//! Clients that show, set or clear the reminder: one after the other, each answered exactly once.

use super::{Reminding, Storing, Work};
use crate::event::{Answer, Waiter};
use crate::job::StoreJob;
use crate::profile::Profile;
use crate::reminder::{FoundReminder, Owed, Reminder};
use crate::time::{Boot, Moment};
use crate::trouble::{Notice, StoreTrouble, Trouble};
use everkey_proto::When;

/// How long a client waits at the most, in milliseconds.
const PATIENCE_MS: u64 = 20_000;

const DAY_SECS: u64 = 86_400;

/// The furthest ahead that a reminder may lie, in days.
const FURTHEST_DAYS: u32 = 365;

/// A client that waits.
#[derive(Debug)]
pub(super) struct Asked {
    pub waiter: Waiter,
    deadline: Boot,
    want: Want,
}

#[derive(Debug)]
enum Want {
    /// Everything, once the reminder was read.
    Status,
    Show,
    Set(When),
    Clear,
}

impl Reminding {
    /// When the first client's patience ends.
    pub(super) fn patience(&self) -> Option<Boot> {
        let storing = match &self.work {
            Work::Storing { what: Storing::Put { asked, .. }, .. } => asked.as_ref(),
            Work::Storing { what: Storing::Due { .. } | Storing::Book, .. } => None,
            Work::Rest { .. } | Work::Reading { .. } => None,
        };
        self.asked.iter().chain(storing).map(|asked| asked.deadline).min()
    }
}

impl Profile {
    pub(crate) fn show_reminder(&mut self, now: &Moment, waiter: Waiter) {
        self.ask_for_reminder(now, waiter, Want::Show);
    }

    pub(crate) fn set_reminder(&mut self, now: &Moment, waiter: Waiter, when: When) {
        self.ask_for_reminder(now, waiter, Want::Set(when));
    }

    pub(crate) fn clear_reminder(&mut self, now: &Moment, waiter: Waiter) {
        self.ask_for_reminder(now, waiter, Want::Clear);
    }

    /// Everything there is to show; waits for the first look at the reminder, which is part of it.
    pub(crate) fn status_with_reminder(&mut self, now: &Moment, waiter: Waiter) {
        if self.settings.policy.reminds && self.reminding.file.is_none() {
            self.ask_for_reminder(now, waiter, Want::Status);
        } else {
            self.status(now, waiter);
        }
    }

    fn ask_for_reminder(&mut self, now: &Moment, waiter: Waiter, want: Want) {
        if !self.settings.policy.reminds {
            return self.reply(waiter, Answer::Failed(Trouble::NoReminders));
        }
        let deadline = now.boot.plus_ms(PATIENCE_MS);
        self.reminding.asked.push_back(Asked { waiter, deadline, want });
    }

    /// Takes the clients in the order in which they came, while nothing is under way.
    pub(super) fn answer_reminder_asks(&mut self, now: &Moment) {
        while self.reminding.rest().is_some()
            && !self.reminding.is_unread()
            && let Some(asked) = self.reminding.asked.pop_front()
        {
            match asked.want {
                Want::Status => self.status(now, asked.waiter),
                Want::Show => self.show_now(now, asked.waiter),
                Want::Set(when) => self.set_now(now, asked, when),
                Want::Clear => self.clear_now(asked),
            }
        }
    }

    fn show_now(&mut self, now: &Moment, waiter: Waiter) {
        let answer = match (self.reminder_user(), &self.reminding.file) {
            (Err(why), _) => Answer::Failed(why),
            (Ok(_), Some(FoundReminder::Unusable(why))) => Answer::Failed(Trouble::Store(why.clone())),
            (Ok(_), Some(_) | None) => Answer::Reminder(self.reminder(now)),
        };
        self.reply(waiter, answer);
    }

    /// Whoever is signed in, if this agent may write for them.
    fn reminder_writer(&self) -> Result<String, Trouble> {
        let email = self.reminder_user()?.to_owned();
        self.owner.clone().map_err(Trouble::NotOwner)?;
        Ok(email)
    }

    fn set_now(&mut self, now: &Moment, asked: Asked, when: When) {
        let wanted = self.reminder_writer().and_then(|email| Ok((email, due_at(now, when)?)));
        match wanted {
            Err(why) => self.reply(asked.waiter, Answer::Failed(why)),
            Ok((email, next_audit_at)) => {
                let set_at = now.wall;
                let reminder = Reminder { next_audit_at, user_email: email.clone(), set_at };
                // The clock may have gone back to when the same one was set before.
                self.reminding.book.told.take_if(|told| *told == reminder);
                self.put_reminder(asked, email, Some(Owed::Set(reminder.clone())), Some(reminder));
            }
        }
    }

    fn clear_now(&mut self, asked: Asked) {
        let email = match self.reminder_writer() {
            Ok(email) => email,
            Err(why) => return self.reply(asked.waiter, Answer::Failed(why)),
        };
        let upstream = self.reminding.book.upstream.clone().filter(|known| known.user_email == email);
        let answer = match &self.reminding.file {
            Some(FoundReminder::There(mine)) if mine.user_email == email => {
                let owed = Some(Owed::Clear(mine.clone()));
                return self.put_reminder(asked, email, owed, None);
            }
            // It is nobody's, and whoever clears wants nothing to be there.
            Some(FoundReminder::Garbage) => {
                return self.put_reminder(asked, email, upstream.map(Owed::Clear), None);
            }
            Some(FoundReminder::Unusable(why)) => Answer::Failed(Trouble::Store(why.clone())),
            // Another user's stays.
            Some(FoundReminder::There(_) | FoundReminder::Missing) | None => Answer::Reminder(None),
        };
        self.reply(asked.waiter, answer);
    }

    /// The book first, then the file: the file tells whether what the book owes was done.
    fn put_reminder(&mut self, asked: Asked, email: String, owed: Option<Owed>, reminder: Option<Reminder>) {
        let server = self.server().to_owned();
        let book = &mut self.reminding.book;
        if owed.is_some() {
            book.before = std::mem::replace(&mut book.owed, owed);
            book.server = Some(server);
        }
        let job = StoreJob::PutReminder { book: book.clone(), reminder: reminder.clone() };
        self.store_reminder(job, Storing::Put { asked: Some(asked), email, reminder });
    }

    /// The file was written, or it could not be.
    pub(super) fn reminder_put(
        &mut self,
        now: &Moment,
        asked: Option<Asked>,
        email: &str,
        reminder: Option<Reminder>,
        result: Result<(), StoreTrouble>,
    ) {
        let answer = match result {
            Ok(()) => {
                let had = self.my_reminder().is_some();
                self.reminding.book.before = None;
                self.reminding.telling.hurry();
                let found = reminder.clone().map_or(FoundReminder::Missing, FoundReminder::There);
                self.reminding.file = Some(found);
                // Somebody else may have signed in meanwhile; theirs it is not (D20).
                match self.reminder_user() {
                    Ok(now_signed_in) if now_signed_in == email => {
                        match self.reminder(now) {
                            Some(set) => self.tell(Notice::ReminderSet(set)),
                            None if had => self.tell(Notice::ReminderCleared),
                            None => {}
                        }
                        Answer::Reminder(self.reminder(now))
                    }
                    Ok(_) | Err(_) => Answer::Failed(Trouble::AccountChanged),
                }
            }
            Err(why) => {
                self.reminding.unsure = true;
                self.read_reminder_soon(now);
                Answer::Failed(Trouble::Store(why))
            }
        };
        if let Some(Asked { waiter, .. }) = asked {
            self.reply(waiter, answer);
        }
    }

    /// Whose patience is at its end is told so; what is being written goes on.
    pub(super) fn expire_reminder_asks(&mut self, now: &Moment) {
        let late = |asked: &mut Asked| asked.deadline <= now.boot;
        let storing = match &mut self.reminding.work {
            Work::Storing { what: Storing::Put { asked, .. }, .. } => asked.take_if(late),
            Work::Storing { what: Storing::Due { .. } | Storing::Book, .. } => None,
            Work::Rest { .. } | Work::Reading { .. } => None,
        };
        let mut expired: Vec<Asked> = storing.into_iter().collect();
        // The oldest are first.
        while let Some(asked) = self.reminding.asked.pop_front_if(late) {
            expired.push(asked);
        }
        for Asked { waiter, want, .. } in expired {
            match want {
                Want::Status => self.status(now, waiter),
                Want::Show | Want::Set(_) | Want::Clear => {
                    self.reply(waiter, Answer::Failed(Trouble::Timeout));
                }
            }
        }
    }
}

/// Unix seconds at which it is due.
fn due_at(now: &Moment, when: When) -> Result<u64, Trouble> {
    let in_days = |days: u32| now.wall.saturating_add(u64::from(days) * DAY_SECS);
    match when {
        When::InDays(days) => Ok(in_days(days.clamp(1, FURTHEST_DAYS))),
        When::At(at) if at > now.wall && at <= in_days(FURTHEST_DAYS) => Ok(at),
        When::At(_) => Err(Trouble::ReminderOutOfRange),
    }
}
