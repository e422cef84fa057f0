//! Notifies systemd (sd_notify): ready, stopping, alive. Nothing of it matters where there is no systemd.

use everkey_session::Boot;
use sd_notify::NotifyState;

pub fn ready() {
    let _ = sd_notify::notify(&[NotifyState::Ready]);
}

pub fn stopping() {
    let _ = sd_notify::notify(&[NotifyState::Stopping]);
}

/// Proof of life from the one task that owns the sessions (D15).
pub struct Watchdog {
    /// Milliseconds between two proofs: half of what systemd allows.
    every_ms: Option<u64>,
    next: Boot,
}

impl Watchdog {
    /// A watchdog as systemd asks for it (`WATCHDOG_USEC`), if it does.
    pub fn new() -> Self {
        let every_ms =
            sd_notify::watchdog_enabled().map(|time| u64::try_from(time.as_millis()).unwrap_or(0) / 2);
        Self { every_ms, next: Boot(0) }
    }

    pub fn alive(&mut self, now: Boot) {
        if let Some(every_ms) = self.every_ms
            && self.next <= now
        {
            let _ = sd_notify::notify(&[NotifyState::Watchdog]);
            self.next = now.plus_ms(every_ms.max(1));
        }
    }

    pub fn next(&self) -> Option<Boot> {
        self.every_ms.map(|_| self.next)
    }
}
