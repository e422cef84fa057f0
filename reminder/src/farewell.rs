//! Before a session's token is revoked, it is used once more: to inform the api-server of a reminder that it does not
//! know yet. The session itself is gone already, and its revocation waits.

use crate::book::Owed;
use crate::effect::ReminderAnswer;
use crate::facts::SessionFacts;
use crate::machine::ReminderMachine;
use crate::state::InformHold;
use everkey_session::policy::slow_retry_at;
use everkey_session::{Boot, Farewell, Moment, NetErrorKind};

/// After so many failures of a server that can be reached, the session is revoked all the same.
const TRIES: u32 = 3;

/// The longest that a revocation waits because the server asks to, in milliseconds.
const LONGEST_WAIT_MS: u64 = 60_000;

/// What is to be done about one.
enum Step {
    Call(Owed),
    Wait(Boot),
    Done,
}

impl ReminderMachine {
    /// When the next one can go on; none while all of them wait for something else than time.
    pub(crate) fn next_farewell(&self, facts: &SessionFacts<'_>) -> Option<Boot> {
        let next = self.farewells.iter().map(|pending| pending.next).min();
        next.filter(|_| self.may_say_farewells(facts))
    }

    /// Whether it is known what is owed, and no call about it is under way.
    fn may_say_farewells(&self, facts: &SessionFacts<'_>) -> bool {
        let known = self.file.is_some() && self.rest().is_some();
        known && facts.owner.is_ok() && !self.informing.is_calling()
    }

    pub(crate) fn say_farewells(&mut self, now: &Moment, facts: &SessionFacts<'_>) {
        for mut pending in std::mem::take(&mut self.farewells) {
            if !self.may_say_farewells(facts) || pending.next > now.boot {
                self.farewells.push(pending);
                continue;
            }
            let Farewell { revocation, at, access, .. } = &pending.farewell;
            match self.farewell_step(now, facts, &pending.farewell) {
                Step::Call(owed) => self.call(at.clone(), access.clone(), owed, Some(*revocation)),
                Step::Wait(until) => pending.next = until,
                Step::Done => {
                    self.farewells_done.push(*revocation);
                    continue;
                }
            }
            self.farewells.push(pending);
        }
    }

    /// Calls if something is owed and the token may be good for it.
    fn farewell_step(&self, now: &Moment, facts: &SessionFacts<'_>, farewell: &Farewell) -> Step {
        let Farewell { at, access, expires_at, user, .. } = farewell;
        let fit = *expires_at > now.wall && !self.informing.was_refused(access);
        // Whoever has signed in again informs the server themselves.
        let away = facts.email().ok() != Some(user);
        let may = self.vouched && !self.is_unread() && self.is_owed_at(at);
        let owed = self.book.owed.as_ref().filter(|owed| owed.email() == user);
        let Some(owed) = owed.filter(|_| fit && away && may) else { return Step::Done };
        match self.informing.hold {
            InformHold::Until(until) if until > now.boot.plus_ms(LONGEST_WAIT_MS) => Step::Done,
            InformHold::Until(until) if until > now.boot => Step::Wait(until),
            InformHold::Free | InformHold::Backoff(_) | InformHold::Until(_) => Step::Call(owed.clone()),
        }
    }

    /// What the server says to a call that goes before this revocation.
    pub(crate) fn farewell_answered(&mut self, now: &Moment, revocation: u64, answer: &ReminderAnswer) {
        let may_reach = match answer {
            ReminderAnswer::Accepted | ReminderAnswer::Refused | ReminderAnswer::Unauthorized => return,
            ReminderAnswer::Limited(_) => true,
            ReminderAnswer::Net(net) => !matches!(net.kind, NetErrorKind::Connect(_)),
        };
        let mut pending = self.farewells.iter_mut();
        let Some(pending) = pending.find(|pending| pending.farewell.revocation == revocation) else { return };
        pending.failures = pending.failures.saturating_add(1);
        pending.next = slow_retry_at(now, pending.failures);
        if may_reach && pending.failures >= TRIES {
            self.farewells.retain(|pending| pending.farewell.revocation != revocation);
            self.farewells_done.push(revocation);
        }
    }
}
