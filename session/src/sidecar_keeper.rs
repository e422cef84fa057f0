//! Keeps the side-car on disk in step with the one in memory, and clears the journal with it.

use crate::effect::Outbox;
use crate::error::StoreError;
use crate::input::Op;
use crate::jobs::StoreJob;
use crate::notice::Notice;
use crate::policy::retry_at;
use crate::sidecar::Sidecar;
use crate::time::{Boot, Moment, Wake, WakeReason};

/// The side-car in memory, and how far the one on disk is behind it. The journal is cleared with it, once the side-car
/// says all that matters.
#[derive(Debug, Default)]
pub(crate) struct SidecarKeeper {
    data: Sidecar,
    behind: bool,
    writing: Option<Op>,
    retry: Option<Boot>,
    failures: u32,
}

impl SidecarKeeper {
    pub fn data(&self) -> &Sidecar {
        &self.data
    }

    /// What the disk holds. Whatever waited to be written still does.
    pub fn load(&mut self, sidecar: Option<Sidecar>) {
        self.data = sidecar.unwrap_or_default();
    }

    /// The side-car has changed, or the journal is done with.
    pub fn change(&mut self) -> &mut Sidecar {
        self.behind = true;
        &mut self.data
    }

    /// Notes something that a job under way writes anyway.
    pub fn note(&mut self) -> &mut Sidecar {
        &mut self.data
    }

    /// Whether something is not on disk yet. Nothing is sent meanwhile.
    pub fn is_behind(&self) -> bool {
        self.behind || self.writing.is_some()
    }

    pub fn is_writing(&self) -> bool {
        self.writing.is_some()
    }

    pub fn owns(&self, op: Op) -> bool {
        self.writing == Some(op)
    }

    pub fn due(&self, is_owner: bool) -> Option<Wake> {
        let waits = self.behind && self.writing.is_none() && is_owner;
        waits.then(|| WakeReason::WRITE_SIDECAR.at(self.retry.unwrap_or(Boot(0))))
    }

    /// Writes what has changed; the journal stays while something in it must survive a crash.
    pub fn write(&mut self, machine: &str, journal_is_needed: bool, out: &mut Outbox) {
        self.data.machine = Some(machine.to_owned());
        let sidecar = self.data.clone();
        let job = if journal_is_needed { StoreJob::WriteSidecar(sidecar) } else { StoreJob::Settle(sidecar) };
        self.writing = Some(out.store(job));
        (self.behind, self.retry) = (false, None);
    }

    pub fn written(&mut self, now: &Moment, result: Result<(), StoreError>, out: &mut Outbox) {
        self.writing = None;
        match result {
            Ok(()) => self.failures = 0,
            Err(why) => {
                self.failures = self.failures.saturating_add(1);
                (self.behind, self.retry) = (true, Some(retry_at(now, self.failures)));
                out.notify(Notice::StoreFailed(why));
            }
        }
    }
}
