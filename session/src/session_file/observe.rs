//! Reads the session file outside a refresh: at regular times, and when somebody says that it changed. What is damaged
//! is left to `damaged.rs`.

use crate::effect::Outbox;
use crate::input::Op;
use crate::jobs::{FileContent, StoreJob};
use crate::policy::retry_at;
use crate::time::{Boot, Moment, Wake, WakeReason};

/// How often the file is read though nobody said that it changed, in milliseconds.
const EVERY_MS: u64 = 30_000;

/// When the file is read.
#[derive(Debug)]
pub(crate) struct Observer {
    pub(super) stage: ObserverStage,
}

#[derive(Debug)]
pub(super) enum ObserverStage {
    /// Read again then.
    Resting { next: Boot },
    /// The session file, or everything, is being read; `suspect` is the damaged content seen before.
    Reading { op: Op, suspect: Option<u64>, again: bool },
    /// The content was damaged; read again then.
    Suspecting { digest: u64, next: Boot },
    /// It is being moved out of the way.
    SettingAside(Op),
}

/// A content of the file that counts now, with the damaged content that was seen before it.
pub(crate) struct Considered {
    pub suspect: Option<u64>,
}

impl Observer {
    pub fn new(now: &Moment) -> Self {
        Self { stage: ObserverStage::Resting { next: now.boot } }
    }

    /// Whether this op reads the file for the observer.
    pub fn owns(&self, op: Op) -> bool {
        matches!(self.stage, ObserverStage::Reading { op: mine, .. } if mine == op)
    }

    pub fn due(&self) -> Option<Wake> {
        match self.stage {
            ObserverStage::Resting { next } => Some(WakeReason::READ_SESSION_FILE.at(next)),
            ObserverStage::Suspecting { next, .. } => Some(WakeReason::CONFIRM_DAMAGE.at(next)),
            ObserverStage::Reading { .. } | ObserverStage::SettingAside(_) => None,
        }
    }

    /// Somebody says that the file may have changed.
    pub fn read_soon(&mut self, now: &Moment) {
        match &mut self.stage {
            ObserverStage::Resting { next } => *next = now.boot,
            // A change while the file is being read may be one that was missed.
            ObserverStage::Reading { again, .. } => *again = true,
            ObserverStage::Suspecting { .. } | ObserverStage::SettingAside(_) => {}
        }
    }

    /// A session that can't be refreshed because of a file is tried again soon.
    pub fn retry_soon(&mut self, now: &Moment) {
        self.stage = ObserverStage::Resting { next: retry_at(now, 1) };
    }

    /// Reads the session file, or everything: the lock may be free by now, the journal readable.
    pub fn read(&mut self, everything: bool, out: &mut Outbox) {
        let suspect = match self.stage {
            ObserverStage::Suspecting { digest, .. } => Some(digest),
            ObserverStage::Resting { .. }
            | ObserverStage::Reading { .. }
            | ObserverStage::SettingAside(_) => None,
        };
        let op = out.store(if everything { StoreJob::Load } else { StoreJob::ReadSession });
        self.stage = ObserverStage::Reading { op, suspect, again: false };
    }

    /// The file was read, for the observer or for another purpose; none if what it holds does not count now.
    pub fn observed(&mut self, now: &Moment, found: &FileContent) -> Option<Considered> {
        let suspect = match self.stage {
            ObserverStage::Reading { suspect, again, .. } => {
                self.rest(now);
                if again {
                    self.read_soon(now);
                }
                suspect
            }
            ObserverStage::SettingAside(_) => return None,
            // Read for another purpose; the suspect has not had its time yet.
            ObserverStage::Suspecting { digest, .. } if *found == FileContent::Damaged(digest) => {
                return None;
            }
            ObserverStage::Suspecting { .. } | ObserverStage::Resting { .. } => {
                self.rest(now);
                None
            }
        };
        Some(Considered { suspect })
    }

    /// The next time is a regular one.
    pub fn rest(&mut self, now: &Moment) {
        self.stage = ObserverStage::Resting { next: now.boot.plus_ms(EVERY_MS) };
    }
}
