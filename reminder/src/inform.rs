//! The api-server is informed of what was set or cleared here, as often as it takes, with a token of whoever did it.

use crate::book::Owed;
use crate::effect::{ReminderAnswer, ReminderCall, ReminderEffect, ReminderNotice, Untold};
use crate::facts::SessionFacts;
use crate::machine::ReminderMachine;
use crate::state::{InformCall, InformHold, Informing};
use everkey_proto::Secret;
use everkey_session::policy::{retry_after, retry_at};
use everkey_session::{Boot, CallTarget, Fingerprint, Moment, Op};

impl Informing {
    /// Somebody has just set or cleared a reminder: no backoff of ours is to delay it.
    pub fn hurry(&mut self) {
        self.failures = 0;
        self.hold = match self.hold {
            InformHold::Free | InformHold::Backoff(_) => InformHold::Free,
            InformHold::Until(until) => InformHold::Until(until),
        };
    }

    pub fn is_calling(&self) -> bool {
        self.call.is_some()
    }

    /// Whether the server did not accept this token.
    pub fn was_refused(&self, access: &Secret) -> bool {
        self.refused == Some(Fingerprint::of(access))
    }

    fn held_until(&self) -> Boot {
        match self.hold {
            InformHold::Free => Boot(0),
            InformHold::Backoff(until) | InformHold::Until(until) => until,
        }
    }
}

impl ReminderMachine {
    /// When the api-server is to be informed; none while it can't be.
    pub(crate) fn next_call(&self, facts: &SessionFacts<'_>) -> Option<Boot> {
        self.to_inform(facts).map(|_| self.informing.held_until())
    }

    /// What is owed, and a token of its user. Only the server at which it was set is informed.
    fn to_inform<'a>(&self, facts: &SessionFacts<'a>) -> Option<(&Owed, &'a Secret)> {
        let (access, email) = (facts.access?, facts.email().ok()?);
        let owed = self.book.owed.as_ref().filter(|owed| owed.email() == email)?;
        let may = facts.owner.is_ok() && self.vouched && !self.is_unread();
        let fit = self.is_owed_at(&facts.at) && !self.informing.was_refused(access);
        (may && fit && !self.informing.is_calling()).then_some((owed, access))
    }

    /// Whether it was at this server that the reminder was set or cleared.
    pub(crate) fn is_owed_at(&self, at: &CallTarget) -> bool {
        self.book.server.as_deref().is_none_or(|server| server == at.server)
    }

    pub(crate) fn inform_if_owed(&mut self, now: &Moment, facts: &SessionFacts<'_>) {
        let due = self.informing.held_until() <= now.boot && self.rest().is_some();
        let Some((owed, access)) = self.to_inform(facts).filter(|_| due) else { return };
        let (owed, access) = (owed.clone(), access.clone());
        self.call(facts.at.clone(), access, owed, None);
    }

    pub(crate) fn call(&mut self, at: CallTarget, access: Secret, owed: Owed, farewell: Option<u64>) {
        let op = self.next_op();
        let (print, due_at) = (Fingerprint::of(&access), owed.due_at());
        self.emit(ReminderEffect::Call(op, ReminderCall { at, access, due_at }));
        self.informing.call = Some(InformCall { op, owed, access: print, farewell });
    }

    pub(crate) fn informed(&mut self, now: &Moment, op: Op, answer: ReminderAnswer) {
        let informing = &mut self.informing;
        let Some(InformCall { owed, access, farewell, .. }) = informing.call.take_if(|call| call.op == op)
        else {
            return;
        };
        informing.hold = InformHold::Free;
        if let Some(revocation) = farewell {
            self.farewell_answered(now, revocation, &answer);
        }
        let informing = &mut self.informing;
        match answer {
            ReminderAnswer::Accepted => {
                informing.failures = 0;
                self.book.upstream = match &owed {
                    Owed::Set(reminder) => Some(reminder.clone()),
                    Owed::Clear(_) => None,
                };
                self.settle(&owed);
            }
            ReminderAnswer::Refused => {
                self.settle(&owed);
                self.notify(ReminderNotice::Untold(Untold::Refused));
            }
            ReminderAnswer::Unauthorized => informing.refused = Some(access),
            ReminderAnswer::Limited(secs) => informing.hold = InformHold::Until(retry_after(now, secs)),
            ReminderAnswer::Net(net) => {
                informing.failures = informing.failures.saturating_add(1);
                informing.hold = InformHold::Backoff(retry_at(now, informing.failures));
                if informing.failures == 1 {
                    self.notify(ReminderNotice::Untold(Untold::Yet(net)));
                }
            }
        }
    }

    /// It is owed no more; what was set or cleared since still is.
    fn settle(&mut self, done: &Owed) {
        self.book.before.take_if(|owed| owed == done);
        self.book.owed.take_if(|owed| owed == done);
        self.must_note();
    }
}
