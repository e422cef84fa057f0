//! The api-server is told of what was set or cleared here, as often as it takes, with a token of whoever did it.

use crate::Op;
use crate::job::{NetJob, ReminderAnswer};
use crate::policy::{retry_after, retry_at};
use crate::profile::{Account, Profile};
use crate::record::Fingerprint;
use crate::reminder::Owed;
use crate::rotation::{Hold, SignedIn};
use crate::time::{Boot, Moment};
use crate::trouble::{Notice, Untold};

/// The way to the api-server.
#[derive(Debug)]
pub(super) struct Telling {
    pub call: Option<Call>,
    pub hold: Hold,
    failures: u32,
    /// The access token that it did not accept: only another one is worth a try.
    pub refused: Option<Fingerprint>,
}

impl Default for Telling {
    fn default() -> Self {
        Self { call: None, hold: Hold::Free, failures: 0, refused: None }
    }
}

/// A call that is under way.
#[derive(Debug)]
pub(super) struct Call {
    op: Op,
    owed: Owed,
    access: Fingerprint,
    /// The revocation that it goes before, if it does.
    before: Option<u64>,
}

impl Telling {
    /// Somebody has just set or cleared a reminder: no backoff of ours is to delay it.
    pub fn hurry(&mut self) {
        self.failures = 0;
        self.hold = match self.hold {
            Hold::Free | Hold::Backoff(_) => Hold::Free,
            Hold::Until(until) => Hold::Until(until),
        };
    }

    pub fn begin(&mut self, op: Op, owed: Owed, access: Fingerprint, before: Option<u64>) {
        self.call = Some(Call { op, owed, access, before });
    }

    fn held_until(&self) -> Boot {
        match self.hold {
            Hold::Free => Boot(0),
            Hold::Backoff(until) | Hold::Until(until) => until,
        }
    }
}

impl Profile {
    /// When the api-server is to be told; none while it can't be.
    pub(super) fn next_telling(&self, now: &Moment) -> Option<Boot> {
        self.to_tell(now).map(|_| self.reminding.telling.held_until())
    }

    /// What is owed, and the session of its user. Only the server at which it was set is told.
    fn to_tell(&self, now: &Moment) -> Option<(&Owed, &SignedIn)> {
        let reminding = &self.reminding;
        let (Account::In(held), Ok(email)) = (&self.account, self.reminder_user()) else { return None };
        let owed = reminding.book.owed.as_ref().filter(|owed| owed.email() == email)?;
        let may = self.owner.is_ok() && reminding.vouched && !reminding.is_unread();
        let here = reminding.book.server.as_deref().is_none_or(|server| server == self.server());
        let fit = held.left_ms(now) > 0 && reminding.telling.refused != Some(Fingerprint::of(held.handed()));
        (may && here && fit && reminding.telling.call.is_none()).then_some((owed, held))
    }

    pub(super) fn tell_if_owed(&mut self, now: &Moment) {
        let due = self.reminding.telling.held_until() <= now.boot && self.reminding.rest().is_some();
        let Some((owed, held)) = self.to_tell(now).filter(|_| due) else { return };
        let (owed, access) = (owed.clone(), held.handed().clone());
        let print = Fingerprint::of(&access);
        let op = self.net(NetJob::TellReminder { at: self.at(), access, due_at: owed.due_at() });
        self.reminding.telling.begin(op, owed, print, None);
    }

    pub(crate) fn reminder_told(&mut self, now: &Moment, op: Op, answer: ReminderAnswer) {
        let telling = &mut self.reminding.telling;
        let Some(Call { owed, access, before, .. }) = telling.call.take_if(|call| call.op == op) else {
            return;
        };
        telling.hold = Hold::Free;
        if let Some(revocation) = before {
            self.has_spoken(now, revocation, &answer);
        }
        let telling = &mut self.reminding.telling;
        match answer {
            ReminderAnswer::Accepted => {
                telling.failures = 0;
                self.reminding.book.upstream = match &owed {
                    Owed::Set(reminder) => Some(reminder.clone()),
                    Owed::Clear(_) => None,
                };
                self.settle_owed(&owed);
            }
            ReminderAnswer::Refused => {
                self.settle_owed(&owed);
                self.tell(Notice::ReminderUntold(Untold::Refused));
            }
            ReminderAnswer::Unauthorized => telling.refused = Some(access),
            ReminderAnswer::Limited(secs) => telling.hold = Hold::Until(retry_after(now, secs)),
            ReminderAnswer::Net(net) => {
                telling.failures = telling.failures.saturating_add(1);
                telling.hold = Hold::Backoff(retry_at(now, telling.failures));
                if telling.failures == 1 {
                    self.tell(Notice::ReminderUntold(Untold::Yet(net)));
                }
            }
        }
    }

    /// It is owed no more; what was set or cleared since still is.
    fn settle_owed(&mut self, done: &Owed) {
        let book = &mut self.reminding.book;
        book.before.take_if(|owed| owed == done);
        book.owed.take_if(|owed| owed == done);
        self.reminding.must_note();
    }
}
