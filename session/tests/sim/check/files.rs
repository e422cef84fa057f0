//! What the agent writes and removes: nothing is lost, nothing comes back, and what was signed out stays out.

use super::{Checks, Rule};
use crate::disk::{Content, Disk, Step};
use crate::server::Server;
use everkey_session::{Fingerprint, Journal, PendingRevocation, Session, Sidecar};
use std::collections::BTreeSet;

impl Checks {
    /// Another program has written this session, or it was there at the start.
    pub fn written_by_other(&mut self, session: &Session) {
        self.durable.insert(session.access.expose().to_owned());
    }

    /// Only the wall time in the file tells how long it is still valid.
    pub fn brought_by_other(&mut self, session: &Session) {
        self.arrived.remove(session.access.expose());
    }

    /// A thief had it first.
    pub fn issued_to_thief(&mut self, access: &str) {
        self.stolen.insert(access.to_owned());
    }

    pub fn vouch(&mut self, session: &Session) {
        self.vouched.extend(session.refresh.as_ref().map(|refresh| refresh.expose().to_owned()));
    }

    /// A sign-out begins; of what the agent knows it promises that the server will hear.
    pub fn erasing(&mut self, revocation: Option<&PendingRevocation>, server: &Server) {
        let family = revocation.and_then(|known| server.family_id(known.refresh.as_ref()?.expose()));
        self.leaving.extend(family);
        self.parting = revocation.map(|known| known.access.expose().to_owned());
        self.given_up.extend(family);
    }

    /// The local session is gone, or could not be removed.
    pub fn erased(&mut self, gone: bool) {
        let (leaving, parting) = (std::mem::take(&mut self.leaving), self.parting.take());
        self.doomed.retain(|family| !leaving.contains(family));
        if gone {
            self.ended.extend(leaving);
            parting.into_iter().for_each(|access| self.signed_out(access));
        }
    }

    /// At the end: a sign-out that the server has not heard of is still queued.
    pub fn sign_outs_are_not_forgotten(&mut self, disk: &Disk, server: &Server) {
        let queued: BTreeSet<usize> = disk
            .revocations
            .durable
            .values()
            .filter_map(|revocation| server.family_id(revocation.refresh.as_ref()?.expose()))
            .collect();
        let forgotten = self
            .ended
            .iter()
            .find(|family| !server.families[**family].revoked && !queued.contains(family))
            .copied();
        self.require(forgotten.is_none(), Rule::SignOut, || format!("sign-in {forgotten:?} lives on"));
    }

    /// At the end: what was durably signed out is not in the file.
    pub fn sign_outs_are_complete(&mut self, disk: &Disk, server: &Server) {
        let family = disk.refresh().and_then(|refresh| server.family_id(refresh.expose()));
        let doomed = family.is_some_and(|family| self.doomed.contains(&family));
        self.require(!doomed, Rule::SignOut, || format!("sign-in {family:?} is still in the file"));
    }

    /// A sign-in that has become the session, and a sign-out that begins, raise the epoch.
    fn before_books(&mut self, new: &Sidecar, disk: &Disk) {
        let Some(old) = &disk.sidecar.seen else { return };
        let signs_in = old.pending.is_some() && new.pin == old.pending && old.pin != old.pending;
        let signs_out = old.signing_out.is_none() && new.signing_out.is_some();
        self.require(!(signs_in || signs_out) || new.epoch > old.epoch, Rule::I6, || {
            format!("the epoch is {} and was {}", new.epoch, old.epoch)
        });
    }

    /// A step of the disk is about to be done.
    pub fn before_step(&mut self, step: &Step, disk: &Disk, server: &Server) {
        match step {
            Step::ReadFile => self.refused = self.refused.map(|_| true),
            Step::PutFile(parent, session) => self.before_exchange(*parent, session, disk, server),
            Step::PutSidecar(sidecar) => self.before_books(sidecar, disk),
            Step::PutJournal(journal) => self.before_forgetting(journal, disk),
            Step::ReadAll
            | Step::ReadReminder
            | Step::PutBook(_)
            | Step::PutReminder(_)
            | Step::SyncReminder
            | Step::WriteTemporary
            | Step::SetAside(_)
            | Step::AppendOutcome(_)
            | Step::SyncJournal
            | Step::RemoveFile
            | Step::SyncFolder
            | Step::PutRevocation(_)
            | Step::DropRevocation(_)
            | Step::SyncState => {}
        }
    }

    fn before_exchange(
        &mut self,
        parent: Option<Fingerprint>,
        session: &Session,
        disk: &Disk,
        server: &Server,
    ) {
        let access = session.access.expose();
        let family = server.family_of_access(access);
        let ended = family.is_some_and(|family| self.ended.contains(&family));
        self.require(!ended, Rule::I6, || format!("{access} was signed out"));
        self.vouch(session);
        match &disk.journal.seen {
            Journal::Outcome(intent, outcome) if outcome.refresh == session.refresh => {
                // Where the server leaves the token as it is, it has not been replaced.
                let stays = intent.parent == session.fingerprint();
                if !stays && (parent.is_none() || parent == disk.print()) {
                    self.superseded.insert(intent.parent);
                }
            }
            // A sign-in replaces nothing that could be lost, so it counts once it is in the file.
            Journal::Outcome(..) | Journal::Intent(_) | Journal::Empty if parent.is_none() => {
                self.written_by_other(session);
            }
            Journal::Outcome(..) | Journal::Intent(_) | Journal::Empty => {}
        }
        let Some(old) = disk.session().filter(|old| parent == Some(old.fingerprint())) else { return };
        if old.access == session.access {
            return;
        }
        let kept =
            matches!(&disk.journal.durable, Journal::Outcome(_, outcome) if outcome.access == session.access);
        self.require(kept, Rule::I4, || format!("{access} is not in the journal yet"));
        let same = family == server.family_of_access(old.access.expose()) && family.is_some();
        self.require(same, Rule::Foreign, || format!("{access} takes the place of {:?}", old.holder.user));
    }

    /// The journal tells that a token was sent until the side-car durably says so, or the file is gone.
    fn before_forgetting(&mut self, next: &Journal, disk: &Disk) {
        let (Journal::Intent(intent) | Journal::Outcome(intent, _)) = &disk.journal.durable else { return };
        let kept = match next {
            Journal::Empty => false,
            Journal::Intent(next) | Journal::Outcome(next, _) => next.parent == intent.parent,
        };
        let spent = disk.sidecar.durable.as_ref().is_some_and(|s| s.is_spent(intent.parent).is_some());
        // Nobody need know that a token was sent that the server leaves as it is, once the file shows what came of it.
        let stays = match &disk.journal.durable {
            Journal::Outcome(intent, outcome) => {
                outcome.fingerprint() == intent.parent && self.durable.contains(outcome.access.expose())
            }
            Journal::Intent(_) | Journal::Empty => false,
        };
        self.require(kept || spent || stays || disk.file.durable.is_none(), Rule::I4, || {
            format!("nothing but the journal tells that {:?} was sent", intent.parent)
        });
    }

    pub fn after_step(&mut self, disk: &Disk) {
        if disk.sidecar.durable.as_ref().is_some_and(|sidecar| sidecar.signing_out.is_some()) {
            self.doomed.extend(&self.leaving);
        }
        if let Some(Content::Session(session)) = &disk.file.durable
            && !self.durable.contains(session.access.expose())
        {
            self.durable.insert(session.access.expose().to_owned());
        }
    }
}
