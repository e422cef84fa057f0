//! The clocks and the randomness that come in with each event.

use sha2::{Digest, Sha256};

/// A point of `CLOCK_BOOTTIME` in milliseconds: goes on during suspend, never jumps.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub struct Boot(pub u64);

impl Boot {
    /// Later than anything that happens.
    pub const NEVER: Self = Self(u64::MAX);

    /// So many seconds later.
    pub fn plus_secs(self, secs: u64) -> Self {
        self.plus_ms(secs.saturating_mul(1000))
    }

    /// So many milliseconds later.
    pub fn plus_ms(self, ms: u64) -> Self {
        Self(self.0.saturating_add(ms))
    }

    /// So many milliseconds earlier.
    pub fn minus_ms(self, ms: u64) -> Self {
        Self(self.0.saturating_sub(ms))
    }

    /// Milliseconds from here to `later`; 0 if that is past.
    pub fn ms_until(self, later: Self) -> u64 {
        later.0.saturating_sub(self.0)
    }
}

/// When a machine wants to be woken, and why.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Wake {
    /// When, at the latest.
    pub at: Boot,
    pub why: WakeReason,
}

impl Wake {
    /// When, in unix seconds, for whoever shows it; none if it never comes.
    pub fn told(self, now: &Moment) -> Option<u64> {
        told(Some(now.wall_at(self.at.max(now.boot))))
    }
}

/// Unix seconds as they are told: a time that no calendar has is nobody's word.
pub(crate) fn told(at: Option<u64>) -> Option<u64> {
    /// The year 10000.
    const BEYOND: u64 = 253_402_300_800;
    at.filter(|at| *at < BEYOND)
}

/// Why a profile wants to be woken, in one stable word. Shown by `status --json` and in traces, so that an agent that
/// seems stuck can be explained.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct WakeReason(&'static str);

impl WakeReason {
    /// The patience of a client that waits ends.
    pub const CLIENT_PATIENCE: Self = Self("client_patience");
    /// The access token is to be refreshed.
    pub const REFRESH: Self = Self("refresh");
    /// A refresh is in doubt, and its next step is due.
    pub const RESOLVE_DOUBT: Self = Self("resolve_doubt");
    /// The server refused the refresh token; the session file is read before that is believed.
    pub const CONFIRM_REFUSAL: Self = Self("confirm_refusal");
    /// A successor could not be stored and is tried again.
    pub const STORE_SUCCESSOR: Self = Self("store_successor");
    /// An access token that can't be refreshed expires.
    pub const SESSION_EXPIRY: Self = Self("session_expiry");
    /// The session file is read though nobody said that it changed.
    pub const READ_SESSION_FILE: Self = Self("read_session_file");
    /// A damaged session file is read again before it is set aside.
    pub const CONFIRM_DAMAGE: Self = Self("confirm_damage");
    /// The side-car on disk is behind.
    pub const WRITE_SIDECAR: Self = Self("write_sidecar");
    /// A server is to be asked to revoke a session.
    pub const REVOKE: Self = Self("revoke");
    /// The end of a sign-in is to be announced.
    pub const ANNOUNCE_ENDING: Self = Self("announce_ending");
    /// The next step of a sign-in is due.
    pub const LOGIN_STEP: Self = Self("login_step");
    /// A sign-in ends unfinished.
    pub const LOGIN_EXPIRY: Self = Self("login_expiry");

    /// A reason of a machine beside the session.
    pub const fn new(word: &'static str) -> Self {
        Self(word)
    }

    /// A wake-up for this reason.
    pub fn at(self, at: Boot) -> Wake {
        Wake { at, why: self }
    }

    /// The word.
    pub fn as_str(self) -> &'static str {
        self.0
    }
}

/// When a server last told its clock, and what it was; the wall clock may jump meanwhile.
#[derive(Debug, Default)]
pub(crate) struct ServerClock(Option<(Boot, u64)>);

impl ServerClock {
    /// A server may have told.
    pub fn learn(&mut self, now: &Moment, told: Option<u64>) {
        self.0 = told.map(|told| (now.boot, told)).or(self.0);
    }

    /// Whether a server has told.
    pub fn is_known(&self) -> bool {
        self.0.is_some()
    }

    /// Its unix seconds at a point of the boot clock; by our own wall clock if it has not told.
    pub fn at(&self, now: &Moment, then: Boot) -> u64 {
        let known = |(at, clock): (Boot, u64)| clock.saturating_add(at.ms_until(then) / 1000);
        self.0.map_or(now.wall_at(then), known)
    }
}

/// When an event happened, with fresh random bytes for whatever it causes.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Moment {
    /// The boot clock.
    pub boot: Boot,
    /// The wall clock in unix seconds; it may jump.
    pub wall: u64,
    /// 256 random bits, new with every event.
    pub dice: [u8; 32],
}

impl Moment {
    /// 256 random bits for one purpose, independent of those for any other.
    pub fn random(&self, purpose: &str) -> [u8; 32] {
        Sha256::new().chain_update(self.dice).chain_update(purpose).finalize().into()
    }

    /// A random number below 1, in thousandths.
    pub fn random_permille(&self, purpose: &str) -> u64 {
        let [a, b, ..] = self.random(purpose);
        u64::from(u16::from_le_bytes([a, b])) % 1000
    }

    /// The wall clock at a point of the boot clock, if neither jumps.
    pub fn wall_at(&self, boot: Boot) -> u64 {
        match boot.0.checked_sub(self.boot.0) {
            Some(ahead) => self.wall.saturating_add(ahead / 1000),
            None => self.wall.saturating_sub((self.boot.0 - boot.0).div_ceil(1000)),
        }
    }
}
