//! A damaged session file is read once more, a second later, before it is set aside: some tools write in place.

use crate::effect::Outbox;
use crate::input::Op;
use crate::jobs::StoreJob;
use crate::session_file::observe::{Considered, Observer, ObserverStage};
use crate::time::Moment;

/// How long a damaged file is given to become whole, in milliseconds.
const SUSPECT_MS: u64 = 1_000;

impl Observer {
    /// The content is not a session.
    pub fn damaged(&mut self, now: &Moment, digest: u64, before: &Considered, out: &mut Outbox) {
        self.stage = if before.suspect == Some(digest) {
            ObserverStage::SettingAside(out.store(StoreJob::SetAside(digest)))
        } else {
            ObserverStage::Suspecting { digest, next: now.boot.plus_ms(SUSPECT_MS) }
        };
    }

    /// Whether a damaged file is being moved out of the way.
    pub fn is_setting_aside(&self) -> bool {
        matches!(self.stage, ObserverStage::SettingAside(_))
    }

    /// Whether this op moved the file out of the way; the file is read at a regular time from now on.
    pub fn set_aside(&mut self, now: &Moment, op: Op) -> bool {
        let mine = matches!(self.stage, ObserverStage::SettingAside(mine) if mine == op);
        if mine {
            self.rest(now);
        }
        mine
    }
}
