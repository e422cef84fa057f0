//! Clients that show, set or clear the reminder: one after the other, each answered exactly once.

use crate::book::{FoundReminder, Owed, ReminderRecord};
use crate::effect::{ReminderEffect, ReminderError, ReminderJob, ReminderNotice, ReminderReply};
use crate::facts::SessionFacts;
use crate::machine::ReminderMachine;
use crate::state::{PendingRequest, Storing, Work};
use everkey_proto::When;
use everkey_proto::request::ReminderRequest;
use everkey_session::{Boot, Error, Moment, StoreError, Waiter};

/// How long a client waits at the most, in milliseconds.
pub(crate) const PATIENCE_MS: u64 = 20_000;

const DAY_SECS: u64 = 86_400;

/// The furthest ahead that a reminder may lie, in days.
const FURTHEST_DAYS: u32 = 365;

impl ReminderMachine {
    /// When the first client's patience ends.
    pub(crate) fn patience(&self) -> Option<Boot> {
        let storing = match &self.work {
            Work::Storing { what: Storing::Put { client, .. }, .. } => client.as_ref(),
            Work::Storing { what: Storing::Due { .. } | Storing::Book, .. } => None,
            Work::Rest { .. } | Work::Reading { .. } => None,
        };
        self.requests.iter().chain(storing).map(|client| client.deadline).min()
    }

    pub(crate) fn ask(&mut self, now: &Moment, waiter: Waiter, request: ReminderRequest) {
        let deadline = now.boot.plus_ms(PATIENCE_MS);
        self.requests.push_back(PendingRequest { waiter, deadline, request });
    }

    pub(crate) fn forget(&mut self, waiter: Waiter) {
        self.requests.retain(|client| client.waiter != waiter);
        if let Work::Storing { what: Storing::Put { client, .. }, .. } = &mut self.work {
            client.take_if(|client| client.waiter == waiter);
        }
    }

    /// Takes the clients in the order in which they came, while nothing is under way.
    pub(crate) fn answer_asks(&mut self, now: &Moment, facts: &SessionFacts<'_>) {
        while self.rest().is_some()
            && !self.is_unread()
            && let Some(client) = self.requests.pop_front()
        {
            match client.request {
                ReminderRequest::Reminder => self.show(now, facts, client.waiter),
                ReminderRequest::SetReminder { when } => self.set(now, facts, client, when),
                ReminderRequest::ClearReminder => self.clear(facts, client),
            }
        }
    }

    fn show(&mut self, now: &Moment, facts: &SessionFacts<'_>, waiter: Waiter) {
        let reply = match (facts.email(), &self.file) {
            (Err(why), _) => Err(why),
            (Ok(_), Some(FoundReminder::Unusable(why))) => Err(Error::Store(why.clone()).into()),
            (Ok(_), Some(_) | None) => Ok(self.reminder(now, facts)),
        };
        self.reply(waiter, reply);
    }

    fn set(&mut self, now: &Moment, facts: &SessionFacts<'_>, client: PendingRequest, when: When) {
        let wanted = facts.writer().and_then(|email| Ok((email, due_at(now, when)?)));
        match wanted {
            Err(why) => self.reply(client.waiter, Err(why)),
            Ok((email, next_audit_at)) => {
                let reminder =
                    ReminderRecord { next_audit_at, user_email: email.to_owned(), set_at: now.wall };
                // The clock may have gone back to when the same one was set before.
                self.book.told.take_if(|told| *told == reminder);
                self.put(facts, client, email, Some(Owed::Set(reminder.clone())), Some(reminder));
            }
        }
    }

    fn clear(&mut self, facts: &SessionFacts<'_>, client: PendingRequest) {
        let email = match facts.writer() {
            Ok(email) => email,
            Err(why) => return self.reply(client.waiter, Err(why)),
        };
        let upstream = self.book.upstream.clone().filter(|known| known.user_email == email);
        let reply = match &self.file {
            Some(FoundReminder::There(mine)) if mine.user_email == email => {
                let owed = Some(Owed::Clear(mine.clone()));
                return self.put(facts, client, email, owed, None);
            }
            // It is nobody's, and whoever clears wants nothing to be there.
            Some(FoundReminder::Garbage) => {
                return self.put(facts, client, email, upstream.map(Owed::Clear), None);
            }
            Some(FoundReminder::Unusable(why)) => Err(Error::Store(why.clone()).into()),
            // Another user's stays.
            Some(FoundReminder::There(_) | FoundReminder::Missing) | None => Ok(None),
        };
        self.reply(client.waiter, reply);
    }

    /// The book first, then the file: the file tells whether what the book owes was done.
    fn put(
        &mut self,
        facts: &SessionFacts<'_>,
        client: PendingRequest,
        email: &str,
        owed: Option<Owed>,
        reminder: Option<ReminderRecord>,
    ) {
        let book = &mut self.book;
        if owed.is_some() {
            book.before = std::mem::replace(&mut book.owed, owed);
            book.server = Some(facts.at.server.clone());
        }
        let job = ReminderJob::Put { book: book.clone(), reminder: reminder.clone() };
        self.write(job, Storing::Put { client: Some(client), email: email.to_owned(), reminder });
    }

    /// The file was written, or it could not be.
    pub(crate) fn put_done(
        &mut self,
        now: &Moment,
        facts: &SessionFacts<'_>,
        client: Option<PendingRequest>,
        email: &str,
        reminder: Option<ReminderRecord>,
        result: Result<(), StoreError>,
    ) {
        let reply = match result {
            Ok(()) => {
                let had = self.my_reminder(facts).is_some();
                self.book.before = None;
                self.informing.hurry();
                self.file = Some(reminder.map_or(FoundReminder::Missing, FoundReminder::There));
                // Somebody else may have signed in meanwhile; theirs it is not (D20).
                match facts.email() {
                    Ok(now_signed_in) if now_signed_in == email => {
                        let set = self.reminder(now, facts);
                        match &set {
                            Some(set) => self.notify(ReminderNotice::Set(set.clone())),
                            None if had => self.notify(ReminderNotice::Cleared),
                            None => {}
                        }
                        Ok(set)
                    }
                    Ok(_) | Err(_) => Err(Error::AccountChanged.into()),
                }
            }
            Err(why) => {
                self.unsure = true;
                self.read_soon(now);
                Err(Error::Store(why).into())
            }
        };
        if let Some(PendingRequest { waiter, .. }) = client {
            self.reply(waiter, reply);
        }
    }

    /// Whose patience is at its end is told so; what is being written goes on.
    pub(crate) fn expire_asks(&mut self, now: &Moment) {
        let late = |client: &mut PendingRequest| client.deadline <= now.boot;
        let storing = match &mut self.work {
            Work::Storing { what: Storing::Put { client, .. }, .. } => client.take_if(late),
            Work::Storing { what: Storing::Due { .. } | Storing::Book, .. } => None,
            Work::Rest { .. } | Work::Reading { .. } => None,
        };
        let mut expired: Vec<PendingRequest> = storing.into_iter().collect();
        // The oldest are first.
        while let Some(client) = self.requests.pop_front_if(late) {
            expired.push(client);
        }
        for PendingRequest { waiter, .. } in expired {
            self.reply(waiter, Err(Error::Timeout.into()));
        }
    }

    pub(crate) fn reply(&mut self, waiter: Waiter, reply: ReminderReply) {
        self.emit(ReminderEffect::Reply(waiter, reply));
    }
}

/// Unix seconds at which it is due.
fn due_at(now: &Moment, when: When) -> Result<u64, ReminderError> {
    let in_days = |days: u32| now.wall.saturating_add(u64::from(days) * DAY_SECS);
    match when {
        When::InDays(days) => Ok(in_days(days.clamp(1, FURTHEST_DAYS))),
        When::At(at) if at > now.wall && at <= in_days(FURTHEST_DAYS) => Ok(at),
        When::At(_) => Err(ReminderError::OutOfRange),
    }
}
