//! The states of a rotation, each with what it knows.

use crate::error::{EndReason, NetError};
use crate::input::Op;
use crate::journal::{Capability, Intent};
use crate::session::{Holder, Session};
use crate::time::{Boot, Moment};
use crate::token_response::{TokenResponse, lifetime};

/// Where the rotation stands.
#[derive(Debug)]
pub(crate) enum RotationState {
    /// Nothing is under way.
    Idle,
    /// A try is under way.
    Attempt(RotationAttempt),
    /// A token has been sent, and the answer does not say whether the server has rotated.
    InDoubt(Doubt),
    /// The same, and the server is asked which generation it has reached.
    CheckingDoubt(Op, Doubt),
    /// The server refused the token. The file is read again before that is believed; none while it can't be read.
    Refused(Option<Op>, Refusal),
    /// A successor has arrived and is not durable in the session file yet.
    UnstoredSuccessor(StoreStep, Intent, ArrivedSession),
    /// The token is never sent again.
    Ended(EndReason),
}

/// A try, from reading the file to the server's answer.
#[derive(Debug)]
pub(crate) enum RotationAttempt {
    /// S0: the session file is read again. The connection may stand already: after a slow connect the file is read
    /// once more.
    ReadingFile { op: Op, connection: Option<Op>, earlier: Option<Doubt> },
    /// A session written elsewhere: the server is asked whether it has rotated further.
    CheckingGeneration(Op),
    /// S1: the connection is made.
    Connecting { op: Op, earlier: Option<Doubt> },
    /// S2: the intent is made durable.
    WritingIntent { connection: Op, stored: Op, doubt: Doubt },
    /// S3 and S4: the token was sent then; the answer is awaited.
    Sending { op: Op, asked: Boot, doubt: Doubt },
}

/// How far storing a successor has come.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum StoreStep {
    /// S5, first half: the outcome goes into the journal.
    Committing(Op),
    /// S5, second half: the file is exchanged.
    Replacing(Op),
    /// S5 failed; the successor is kept in memory and nothing is sent.
    Waiting { committed: bool },
}

/// A refusal that is not believed yet.
#[derive(Debug)]
pub(crate) struct Refusal {
    /// Why the session is over, if the refusal is believed.
    pub why: EndReason,
    /// What the server says, where it says more than that.
    pub said: Option<NetError>,
}

/// An intent whose token may have been sent.
#[derive(Debug, Clone)]
pub(crate) struct Doubt {
    pub intent: Intent,
    /// Whether some send has ended without an answer that proves that it changed nothing.
    pub doubtful: bool,
    /// Whether the first send was carried out by the server, though its answer was lost.
    pub cut: bool,
    /// Since when the server says that another rotation is under way.
    pub rotating_since: Option<Boot>,
    /// When the deadline of every send has passed; on the boot clock, since the wall clock may jump.
    pub closed: Boot,
}

/// A session that has arrived and is not published yet.
#[derive(Debug, Clone)]
pub(crate) struct ArrivedSession {
    pub session: Session,
    pub expires: Boot,
    pub lifetime_secs: Option<u64>,
    pub capability: Capability,
    /// When it was asked for, if this agent asked.
    pub asked: Option<Boot>,
    /// When the whole authorization ends, in unix seconds, if the server said so.
    pub sign_in_ends_at: Option<u64>,
    /// Whether it may have expired already, so that it is refreshed at once.
    pub stale: bool,
}

impl Doubt {
    pub fn new(intent: Intent, doubtful: bool, closed: Boot) -> Self {
        Self { intent, doubtful, cut: false, rotating_since: None, closed }
    }
}

impl RotationState {
    /// Whether a token may be on its way, or an outcome is not stored yet.
    pub fn must_drain(&self) -> bool {
        match self {
            Self::Attempt(RotationAttempt::WritingIntent { .. } | RotationAttempt::Sending { .. }) => true,
            Self::Refused(check, _) => check.is_some(),
            Self::UnstoredSuccessor(..) => true,
            Self::Idle | Self::Attempt(_) | Self::InDoubt(_) | Self::CheckingDoubt(..) | Self::Ended(_) => {
                false
            }
        }
    }

    /// Whether the token may have been sent and its outcome is open.
    pub fn is_open(&self) -> bool {
        match self {
            Self::Attempt(attempt) => attempt.doubt().is_some(),
            Self::InDoubt(_) | Self::CheckingDoubt(..) | Self::Refused(..) | Self::UnstoredSuccessor(..) => {
                true
            }
            Self::Idle | Self::Ended(_) => false,
        }
    }

    /// Whether some send has ended without an answer that proves that it changed nothing.
    pub fn is_doubtful(&self) -> bool {
        match self {
            Self::InDoubt(doubt) => doubt.doubtful,
            Self::CheckingDoubt(..) => true,
            Self::Attempt(attempt) => attempt.doubt().is_some_and(|doubt| doubt.doubtful),
            Self::Idle | Self::Refused(..) | Self::UnstoredSuccessor(..) | Self::Ended(_) => false,
        }
    }

    /// Whether work is under way right now.
    pub fn is_busy(&self) -> bool {
        match self {
            Self::Attempt(_) | Self::CheckingDoubt(..) => true,
            Self::Refused(check, _) => check.is_some(),
            Self::UnstoredSuccessor(step, ..) => !matches!(step, StoreStep::Waiting { .. }),
            Self::Idle | Self::InDoubt(_) | Self::Ended(_) => false,
        }
    }
}

impl RotationAttempt {
    /// The intent under which the token may have been sent, by this try or an earlier one.
    fn doubt(&self) -> Option<&Doubt> {
        match self {
            Self::ReadingFile { earlier, .. } | Self::Connecting { earlier, .. } => earlier.as_ref(),
            Self::CheckingGeneration(_) => None,
            Self::WritingIntent { doubt, .. } | Self::Sending { doubt, .. } => Some(doubt),
        }
    }
}

impl ArrivedSession {
    /// What a token response makes for `holder`. Its lifetime counts from the question: the answer may have waited in
    /// a socket while the machine slept.
    pub fn granted(now: &Moment, asked: Boot, tokens: TokenResponse, holder: Holder) -> Self {
        let lifetime_secs = tokens.access_lifetime();
        let ends = lifetime(tokens.sign_in_expires_in);
        let ends = ends.map(|secs| now.wall_at(asked).saturating_add(secs));
        Self {
            expires: lifetime_secs.map_or(Boot::NEVER, |secs| asked.plus_secs(secs)),
            lifetime_secs,
            capability: tokens.capability,
            session: tokens.into_session(holder, now.wall_at(asked)),
            asked: Some(asked),
            sign_in_ends_at: ends,
            stale: false,
        }
    }

    /// The same if its tokens may be so old already.
    pub fn aged(mut self, now: &Moment, age_ms: u64) -> Self {
        if age_ms > 0 && self.expires != Boot::NEVER {
            self.expires = self.expires.minus_ms(age_ms);
            self.stale = self.expires <= now.boot;
            let ends = self.session.access_expires_at.map(|at| at.saturating_sub(age_ms / 1000));
            self.session.access_expires_at = ends.map(|at| at.max(now.wall));
        }
        self
    }

    /// A session read from a file or journal: only the wall clock knows how long it is still valid.
    pub fn read(now: &Moment, session: Session, lifetime_secs: Option<u64>, capability: Capability) -> Self {
        let left = session.access_expires_at.map(|at| at.saturating_sub(now.wall));
        let lifetime_secs = left.map(|left| lifetime_secs.unwrap_or(left.max(1)));
        let expires = left.zip(lifetime_secs).map(|(left, whole)| now.boot.plus_secs(left.min(whole)));
        let expires = expires.unwrap_or(Boot::NEVER);
        Self { expires, lifetime_secs, capability, session, asked: None, sign_in_ends_at: None, stale: false }
    }
}
