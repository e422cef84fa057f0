//! A signed-in session and the states of its rotation; `sending.rs`, `keeping.rs` and `ending.rs` move them.

use crate::policy::refresh_ahead_ms;
use crate::profile::{Account, Profile};
use crate::record::{Capability, Grant, Holder, Intent, Over, Session};
use crate::registration::At;
use crate::time::{Boot, Moment};
use crate::trouble::{Notice, Trouble};
use crate::{Op, record::Fingerprint};
use everkey_proto::Secret;

/// A session and how it stands.
pub(crate) struct SignedIn {
    pub session: Session,
    /// When the access token expires, on the boot clock.
    pub expires: Boot,
    /// None if nobody says.
    pub lifetime_secs: Option<u64>,
    /// When to refresh.
    pub due: Boot,
    /// When the last refresh that succeeded was sent, if one was since the agent began.
    pub refreshed: Option<Boot>,
    /// Whether this machine's agent wrote it, so that no other can be ahead.
    pub vetted: bool,
    pub rotation: Rotation,
    pub failures: u32,
    /// When the last try began, or looked at the file once more.
    pub tried: Option<Boot>,
    pub hold: Hold,
    /// What went wrong last, until something goes right.
    pub last: Option<Trouble>,
}

/// What forbids the next try for now.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Hold {
    Free,
    /// Backing off by our own choice; somebody who waits may cut it short.
    Backoff(Boot),
    /// The server, or the protocol, forbids it until then.
    Until(Boot),
}

/// Where the rotation stands. S0 to S6 are the steps of `design/rotation.md`.
#[derive(Debug)]
pub(crate) enum Rotation {
    /// Nothing is under way.
    Rest,
    /// S0: the file is read again.
    Looking(Op, Attempt),
    /// A session written elsewhere: the server is asked whether it has rotated further.
    Vetting(Op),
    /// S1.
    Connecting(Op, Attempt),
    /// S2; the connection is the op's.
    Noting { connection: Op, stored: Op, next: Doubt },
    /// S3 and S4; sent then.
    Sending(Op, Boot, Doubt),
    /// A send is in doubt, or was declined; the key is kept.
    Doubt(Doubt),
    /// In doubt, and the server is asked what it did.
    Probing(Op, Doubt),
    /// Refused: the file is read again before that is believed.
    Rechecking(Op),
    /// Refused, and the file could not be read.
    Unconfirmed,
    /// S5, first half: the outcome goes into the journal.
    Committing(Op, Intent, Fresh),
    /// S5, second half: the file is exchanged.
    Replacing(Op, Intent, Fresh),
    /// S5 failed; the pair is kept in memory and nothing is sent.
    Stuck { committed: bool, intent: Intent, fresh: Fresh },
    /// Never sent again.
    Over(Over),
}

/// A try that has not sent anything yet.
#[derive(Debug, Default)]
pub(crate) struct Attempt {
    /// The intent of an earlier send of the same token.
    pub earlier: Option<Doubt>,
    /// The connection that stands already, when the file is looked at once more because it took long.
    pub connection: Option<Op>,
}

/// An intent whose token may have been sent.
#[derive(Debug, Clone)]
pub(crate) struct Doubt {
    pub intent: Intent,
    /// Whether some send has ended without an answer that proves that it changed nothing.
    pub doubtful: bool,
    /// Since when the server says that another rotation is under way.
    pub rotating_since: Option<Boot>,
    /// When the deadline of every send has passed; on the boot clock, since the wall clock may jump.
    pub closed: Boot,
}

/// A session that has arrived and is not published yet.
#[derive(Debug, Clone)]
pub(crate) struct Fresh {
    pub session: Session,
    pub expires: Boot,
    pub lifetime_secs: Option<u64>,
    pub capability: Capability,
    /// When it was asked for, if this agent asked.
    pub asked: Option<Boot>,
}

impl Fresh {
    /// What a grant for `holder` makes. Its lifetime counts from the question: the answer may have waited in a socket
    /// while the machine slept.
    pub fn arrived(now: &Moment, asked: Boot, grant: Grant, holder: Holder) -> Self {
        let lifetime_secs = grant.access_lifetime();
        Self {
            expires: lifetime_secs.map_or(Boot::NEVER, |secs| asked.plus_secs(secs)),
            lifetime_secs,
            capability: grant.capability,
            session: grant.into_session(holder, now.wall_at(asked)),
            asked: Some(asked),
        }
    }

    /// A session read from a file or journal: only the wall clock knows how long it is still valid.
    pub fn read(now: &Moment, session: Session, lifetime_secs: Option<u64>, capability: Capability) -> Self {
        let left = session.access_expires_at.map(|at| at.saturating_sub(now.wall));
        let lifetime_secs = left.map(|left| lifetime_secs.unwrap_or(left.max(1)));
        let expires = left.zip(lifetime_secs).map(|(left, whole)| now.boot.plus_secs(left.min(whole)));
        let expires = expires.unwrap_or(Boot::NEVER);
        Self { expires, lifetime_secs, capability, session, asked: None }
    }
}

impl SignedIn {
    /// A session at rest.
    pub fn new(now: &Moment, fresh: Fresh, margin_secs: u64) -> Self {
        let ahead = |lifetime| refresh_ahead_ms(lifetime, margin_secs, now.random_permille("jitter"));
        let due = fresh.lifetime_secs.map_or(Boot::NEVER, |secs| fresh.expires.minus_ms(ahead(secs)));
        Self {
            session: fresh.session,
            expires: fresh.expires,
            lifetime_secs: fresh.lifetime_secs,
            due,
            refreshed: None,
            vetted: false,
            rotation: Rotation::Rest,
            failures: 0,
            tried: None,
            hold: Hold::Free,
            last: None,
        }
    }

    pub fn fingerprint(&self) -> Fingerprint {
        self.session.fingerprint()
    }

    /// The token that is handed out: one that never changes comes first.
    pub fn handed(&self) -> &Secret {
        self.session.holder.fixed.as_ref().unwrap_or(&self.session.access)
    }

    /// Unix seconds until which the token that is handed out is good, if somebody says.
    pub fn handed_until(&self) -> Option<u64> {
        self.session.access_expires_at.filter(|_| self.session.holder.fixed.is_none())
    }

    /// Milliseconds for which the access token is still valid.
    pub fn left_ms(&self, now: &Moment) -> u64 {
        if self.expires == Boot::NEVER { u64::MAX } else { now.boot.ms_until(self.expires) }
    }

    pub fn over(&self) -> Option<Over> {
        match self.rotation {
            Rotation::Over(over) => Some(over),
            Rotation::Rest
            | Rotation::Looking(..)
            | Rotation::Vetting(_)
            | Rotation::Connecting(..)
            | Rotation::Noting { .. }
            | Rotation::Sending(..)
            | Rotation::Doubt(_)
            | Rotation::Probing(..)
            | Rotation::Rechecking(..)
            | Rotation::Unconfirmed
            | Rotation::Committing(..)
            | Rotation::Replacing(..)
            | Rotation::Stuck { .. } => None,
        }
    }

    fn held_until(&self) -> Boot {
        match self.hold {
            Hold::Free => Boot(0),
            Hold::Backoff(until) | Hold::Until(until) => until,
        }
    }
}

impl Rotation {
    /// Whether a token may be on its way, or an outcome is not stored yet.
    pub fn must_drain(&self) -> bool {
        match self {
            Self::Noting { .. }
            | Self::Sending(..)
            | Self::Rechecking(..)
            | Self::Committing(..)
            | Self::Replacing(..)
            | Self::Stuck { .. } => true,
            Self::Rest
            | Self::Looking(..)
            | Self::Vetting(_)
            | Self::Connecting(..)
            | Self::Doubt(_)
            | Self::Probing(..)
            | Self::Unconfirmed
            | Self::Over(_) => false,
        }
    }

    /// Whether the token may have been sent and its outcome is open.
    pub fn is_open(&self) -> bool {
        match self {
            Self::Looking(_, attempt) | Self::Connecting(_, attempt) => attempt.earlier.is_some(),
            Self::Rest | Self::Vetting(_) | Self::Over(_) => false,
            Self::Noting { .. }
            | Self::Sending(..)
            | Self::Doubt(_)
            | Self::Probing(..)
            | Self::Rechecking(..)
            | Self::Unconfirmed
            | Self::Committing(..)
            | Self::Replacing(..)
            | Self::Stuck { .. } => true,
        }
    }

    /// Whether work is under way right now.
    pub fn is_busy(&self) -> bool {
        !matches!(self, Self::Rest | Self::Doubt(_) | Self::Unconfirmed | Self::Stuck { .. } | Self::Over(_))
    }
}

impl Profile {
    /// When the next step of a refresh is to be taken; none while one is under way or none is possible.
    pub(crate) fn refresh_at(&self, now: &Moment) -> Option<Boot> {
        let Account::In(held) = &self.account else { return None };
        held.session.refresh.as_ref()?;
        // To store what has arrived takes less than to send.
        let stuck = matches!(held.rotation, Rotation::Stuck { .. });
        let may = if stuck { self.may_store() } else { self.may_refresh() };
        if !may {
            return None;
        }
        let wanted = self.waiting.iter().any(|w| w.wants_refresh(now, held));
        let forced = self.waiting.iter().any(|w| w.is_forced(held));
        let gap = match held.refreshed {
            Some(at) if !forced => at.plus_ms(self.settings.policy.gap_ms),
            Some(_) | None => Boot(0),
        };
        let asked = match &held.rotation {
            Rotation::Rest if wanted || forced => now.boot.max(gap),
            Rotation::Rest => held.due.max(gap),
            // What has been begun is brought to its end, however soon after the last refresh.
            Rotation::Doubt(_) | Rotation::Unconfirmed | Rotation::Stuck { .. } => now.boot,
            Rotation::Looking(..)
            | Rotation::Vetting(_)
            | Rotation::Connecting(..)
            | Rotation::Noting { .. }
            | Rotation::Sending(..)
            | Rotation::Probing(..)
            | Rotation::Rechecking(..)
            | Rotation::Committing(..)
            | Rotation::Replacing(..)
            | Rotation::Over(_) => return None,
        };
        Some(asked.max(held.held_until()))
    }

    /// When a session that can't be refreshed ends by itself.
    pub(crate) fn expires_at(&self) -> Option<Boot> {
        let Account::In(held) = &self.account else { return None };
        let ends = held.session.refresh.is_none() && held.over().is_none() && held.expires != Boot::NEVER;
        ends.then_some(held.expires)
    }

    /// A session without a refresh token is over once its access token is. Its file may stay: nothing is ever sent.
    pub(crate) fn end_if_expired(&mut self, now: &Moment) {
        if self.expires_at().is_some_and(|at| at <= now.boot) {
            self.with_held(|held| held.rotation = Rotation::Over(Over::Expired));
            self.tell(Notice::Ended(Over::Expired));
        }
    }

    /// Where the calls of the session in the file go.
    pub fn at(&self) -> At {
        let registration = match &self.account {
            Account::In(held) => held.session.holder.registration.clone(),
            Account::Starting(_) | Account::Out(_) | Account::Unusable(_) => None,
        };
        At { server: self.server().to_owned(), registration }
    }

    /// Nothing is sent by who does not own the file, nor while the journal is unreadable, the books are behind,
    /// or the file is about to change.
    pub(crate) fn may_refresh(&self) -> bool {
        self.may_store() && self.sealed.is_none() && !self.books.is_behind()
    }

    /// Whether the session file is this rotation's to write.
    fn may_store(&self) -> bool {
        self.owner.is_ok()
            && !self.is_setting_aside()
            && !self.flow.as_ref().is_some_and(|flow| flow.is_storing())
            && !self.signing_out.as_ref().is_some_and(|out| out.is_erasing())
    }
}
