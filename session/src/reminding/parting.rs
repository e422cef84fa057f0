//! What the api-server is still to be told when its user signs out: with the token of the session that ends, before that
//! is revoked there. Here the session has gone already.

use crate::job::{NetJob, ReminderAnswer};
use crate::profile::Profile;
use crate::record::{Fingerprint, Revocation};
use crate::rotation::Hold;
use crate::signing_out::ToRevoke;
use crate::time::Moment;
use crate::trouble::NetKind;

/// After so many failures of a server that can be reached, the session is revoked all the same.
const TRIES: u32 = 3;

/// The longest that a revocation waits because the server asks to, in milliseconds.
const LONGEST_WAIT_MS: u64 = 60_000;

impl Profile {
    /// Whether a revocation waits: for it to be known what is owed, or for a call about it that is under way.
    pub(crate) fn is_to_speak_first(&self, due: &ToRevoke) -> bool {
        let reminding = &self.reminding;
        let unknown = reminding.file.is_none() || reminding.rest().is_none();
        let may = self.settings.policy.reminds && !due.speechless && due.revocation.user.is_some();
        may && (unknown || reminding.telling.call.is_some())
    }

    /// Tells what its user owes, if that is known and its token may be good for it. False if there is nothing to wait for.
    pub(crate) fn speak_before_revoking(&mut self, now: &Moment, index: usize) -> bool {
        let (due, reminding) = (&self.revocations[index], &self.reminding);
        let Revocation { id, at, access, access_expires_at, user: Some(user), .. } = &due.revocation else {
            return false;
        };
        let print = Fingerprint::of(access);
        let here = reminding.book.server.as_deref().is_none_or(|server| server == at.server);
        let fit = access_expires_at.is_none_or(|at| at > now.wall);
        let fit = fit && !due.speechless && reminding.telling.refused != Some(print);
        // Whoever has signed in again tells it themselves.
        let away = self.reminder_user().ok() != Some(user);
        let may = self.settings.policy.reminds && reminding.vouched && !reminding.is_unread();
        let owed = reminding.book.owed.as_ref().filter(|owed| owed.email() == user);
        let Some(owed) = owed.filter(|_| here && fit && away && may).cloned() else { return false };
        if let Hold::Until(until) = reminding.telling.hold
            && until > now.boot
        {
            let waits = until <= now.boot.plus_ms(LONGEST_WAIT_MS);
            if waits {
                self.revocations[index].next = until;
            }
            return waits;
        }
        let (id, at, access) = (*id, at.clone(), access.clone());
        let op = self.net(NetJob::TellReminder { at, access, due_at: owed.due_at() });
        self.reminding.telling.begin(op, owed, print, Some(id));
        true
    }

    /// What the server says to a call that goes before this revocation.
    pub(super) fn has_spoken(&mut self, now: &Moment, revocation: u64, answer: &ReminderAnswer) {
        let Some(due) = self.revocations.iter_mut().find(|due| due.revocation.id == revocation) else {
            return;
        };
        let may_reach = match answer {
            ReminderAnswer::Accepted | ReminderAnswer::Refused | ReminderAnswer::Unauthorized => return,
            ReminderAnswer::Limited(_) => true,
            ReminderAnswer::Net(net) => !matches!(net.kind, NetKind::Connect(_)),
        };
        due.has_failed(now);
        if may_reach && due.failures >= TRIES {
            due.speechless = true;
            due.next = now.boot;
        }
    }
}
