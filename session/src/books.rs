//! Keeps the side-car on disk in step with the one in memory, and clears the journal once it says all that matters.

use crate::Op;
use crate::job::StoreJob;
use crate::policy::retry_at;
use crate::profile::{Account, Profile};
use crate::record::Pin;
use crate::rotation::Fresh;
use crate::time::{Boot, Moment};
use crate::trouble::{Notice, StoreTrouble};

/// Whether the disk is behind.
#[derive(Debug, Default)]
pub(crate) struct Books {
    behind: bool,
    writing: Option<Op>,
    retry: Option<Boot>,
    failures: u32,
}

impl Books {
    /// The side-car has changed, or the journal is done with.
    pub fn must_write(&mut self) {
        self.behind = true;
    }

    /// Whether something is not on disk yet. Nothing is sent meanwhile.
    pub fn is_behind(&self) -> bool {
        self.behind || self.writing.is_some()
    }

    pub fn is_under_way(&self) -> bool {
        self.writing.is_some()
    }

    pub fn owns(&self, op: Op) -> bool {
        self.writing == Some(op)
    }
}

impl Profile {
    pub(crate) fn books_at(&self) -> Option<Boot> {
        let waits = self.books.behind && self.books.writing.is_none() && self.owner.is_ok();
        waits.then(|| self.books.retry.unwrap_or(Boot(0)))
    }

    pub(crate) fn settle_if_due(&mut self, now: &Moment) {
        if self.books_at().is_none_or(|at| at > now.boot) {
            return;
        }
        self.sidecar.machine = Some(self.settings.machine.clone());
        let sidecar = self.sidecar.clone();
        let op = self.store(if self.journal_is_needed() {
            StoreJob::Remember(sidecar)
        } else {
            StoreJob::Settle(sidecar)
        });
        self.books = Books { behind: false, writing: Some(op), retry: None, failures: self.books.failures };
    }

    pub(crate) fn books_stored(&mut self, now: &Moment, result: Result<(), StoreTrouble>) {
        self.books.writing = None;
        match result {
            Ok(()) => self.books.failures = 0,
            Err(why) => {
                let failures = self.books.failures.saturating_add(1);
                let retry = Some(retry_at(now, failures));
                self.books = Books { behind: true, writing: None, retry, failures };
                self.tell(Notice::StoreFailed(why));
            }
        }
    }

    /// Remembers that everkey itself wrote this session, and what holds for it.
    pub(crate) fn pin_to(&mut self, fresh: &Fresh, server: String) {
        self.sidecar.pin = Some(Pin {
            fingerprint: fresh.session.fingerprint(),
            server,
            capability: fresh.capability,
            lifetime_secs: fresh.lifetime_secs,
            scheme: self.sidecar.pin.as_ref().and_then(|pin| pin.scheme),
            user: fresh.session.holder.user.clone(),
            about: fresh.session.holder.about.clone(),
        });
        self.sealed = None;
    }

    /// Whether the journal holds something that a crash must still find. The intent of a session that is over stays
    /// as long as its file: should the side-car be lost, it still tells that the token was sent.
    fn journal_is_needed(&self) -> bool {
        let held = match &self.account {
            Account::In(held) => held.rotation.is_open() || held.over().is_some(),
            Account::Starting(_) | Account::Out(_) | Account::Unusable(_) => false,
        };
        held || self.sealed.is_some()
    }
}
