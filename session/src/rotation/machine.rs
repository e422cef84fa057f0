//! The machine: what it owns, what comes in, what it reports, and when it wants to be woken.
//! `send.rs`, `answer.rs`, `commit.rs`, `end.rs` and `adopt.rs` move it.

use crate::context::MachineContext;
use crate::effect::Outbox;
use crate::error::{EndReason, Error, NetError, NetErrorKind, StoreError};
use crate::input::Op;
use crate::jobs::{FileContent, ProbeAnswer, RefreshAnswer, Replaced};
use crate::policy::{Policy, refresh_gap_ms};
use crate::registration::CallTarget;
use crate::rotation::plan::due;
use crate::rotation::state::{ArrivedSession, RotationState, StoreStep};
use crate::session::{Fingerprint, Session};
use crate::time::{Boot, Moment, Wake, WakeReason};
use everkey_proto::ReplayRule;
use everkey_proto::reply::{self, User};
use std::collections::BTreeMap;

/// A session, and how the rotation of its tokens stands.
pub(crate) struct Rotation {
    pub(super) session: Session,
    /// When the access token expires, on the boot clock.
    pub(super) expires: Boot,
    /// None if nobody says.
    pub(super) lifetime_secs: Option<u64>,
    /// When to refresh.
    pub(super) refresh_due: Boot,
    /// When the last refresh that succeeded was sent, if one was since the agent began.
    pub(super) refreshed: Option<Boot>,
    /// Whether this machine's agent wrote it, so that no other can be ahead.
    pub(super) vetted: bool,
    pub(super) state: RotationState,
    pub(super) failures: u32,
    /// When the last try began, or read the file once more.
    pub(super) tried: Option<Boot>,
    pub(super) hold: Hold,
    /// What went wrong last, until something goes right.
    pub(super) last: Option<Error>,
    /// A token that was handed out and that a server has refused.
    pub(super) refused: Option<Fingerprint>,
}

/// What forbids the next try for now.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Hold {
    Free,
    /// Backing off by our own choice; somebody who waits may cut it short.
    Backoff(Boot),
    /// The server, or the protocol, forbids it until then.
    Until(Boot),
    /// Until then a repeat may cost a session that still works.
    Silence(Boot),
}

impl Hold {
    pub fn until(self) -> Boot {
        match self {
            Self::Free => Boot(0),
            Self::Backoff(until) | Self::Until(until) | Self::Silence(until) => until,
        }
    }
}

/// What happens to a rotation.
pub(crate) enum RotationEvent {
    /// The time given by `due` may have come.
    Due,
    FileRead(Op, FileContent),
    Connected(Op, Result<(), NetError>),
    Answered(Op, RefreshAnswer),
    Probed(Op, ProbeAnswer),
    Stored(Op, Result<(), StoreError>),
    Replaced(Op, Result<Replaced, StoreError>),
    /// A damaged session file is out of the way.
    FileSetAside,
}

/// What a rotation reports to its profile.
#[derive(Debug)]
pub(crate) enum RotationOutcome {
    /// The file holds something else than the session whose turn it was.
    Observed(FileContent),
    /// A try has failed; those who can't wait for the next one are to be answered.
    Failed(Error),
    /// This token must never be sent again.
    Spend { token: Fingerprint, until: u64 },
    /// The side-car has to be written, though nothing in it changed: the journal is done with.
    JournalDone,
    /// The session is over for good.
    Ended { token: Fingerprint, until: u64, why: EndReason },
    /// What an answer has shown about this server's way with tokens that come twice.
    Learnt(String, ReplayRule),
    /// A successor is in the file: what holds for it from now on.
    Published(Box<ArrivedSession>, String),
    /// The server is to forget a session that nobody will use.
    Revoke(CallTarget, Box<Session>),
    /// The answer to this send is not wanted any more.
    Abandoned { op: Op, at: CallTarget, revoke: bool },
}

impl Rotation {
    /// A session at rest.
    pub fn new(now: &Moment, arrived: ArrivedSession, policy: &Policy) -> Self {
        Self {
            refresh_due: due(now, &arrived.session, arrived.expires, arrived.lifetime_secs, policy),
            session: arrived.session,
            expires: arrived.expires,
            lifetime_secs: arrived.lifetime_secs,
            refreshed: None,
            vetted: false,
            state: RotationState::Idle,
            failures: 0,
            tried: None,
            hold: Hold::Free,
            last: None,
            refused: None,
        }
    }

    /// A session that was signed in to just now.
    pub fn signed_in(now: &Moment, arrived: ArrivedSession, policy: &Policy) -> Self {
        Self { vetted: true, ..Self::new(now, arrived, policy) }
    }

    /// Applies one event.
    pub fn handle(
        &mut self,
        cx: &MachineContext,
        event: RotationEvent,
        out: &mut Outbox,
    ) -> Vec<RotationOutcome> {
        match event {
            RotationEvent::Due => self.step_if_due(cx, out),
            RotationEvent::FileRead(op, found) => self.file_read(cx, op, found, out),
            RotationEvent::Connected(op, result) => self.connected(cx, op, result, out),
            RotationEvent::Answered(op, answer) => self.answered(cx, op, answer, out),
            RotationEvent::Probed(op, probe) => self.probed(cx, op, probe, out),
            RotationEvent::Stored(op, result) => self.stored(cx, op, result, out),
            RotationEvent::Replaced(op, result) => self.replaced(cx, op, result, out),
            RotationEvent::FileSetAside => self.replace_damaged(out),
        }
    }

    /// When the next step is to be taken; none while one is under way or none is possible.
    pub fn due(&self, cx: &MachineContext) -> Option<Wake> {
        let at = match self.expiry(cx) {
            Some(at) => WakeReason::SESSION_EXPIRY.at(at),
            None => self.refresh_due(cx)?,
        };
        Some(at)
    }

    /// When the next step of a refresh is to be taken.
    pub fn refresh_due(&self, cx: &MachineContext) -> Option<Wake> {
        self.session.refresh.as_ref()?;
        let now = cx.now.boot;
        let wanted = cx.demand.wanted || cx.demand.forced;
        let gap = match self.refreshed {
            Some(at) if !cx.demand.forced => at.plus_ms(self.gap_ms(cx.policy())),
            Some(_) | None => Boot(0),
        };
        // What has been begun is brought to its end, however soon after the last refresh.
        let (may, wake) = match &self.state {
            RotationState::Idle if wanted => (cx.may_send, WakeReason::REFRESH.at(now.max(gap))),
            RotationState::Idle => (cx.may_send, WakeReason::REFRESH.at(self.refresh_due.max(gap))),
            RotationState::InDoubt(_) => (cx.may_send, WakeReason::RESOLVE_DOUBT.at(now)),
            RotationState::Refused(None, _) => (cx.may_send, WakeReason::CONFIRM_REFUSAL.at(now)),
            // To store what has arrived takes less than to send.
            RotationState::UnstoredSuccessor(StoreStep::Waiting { .. }, ..) => {
                (cx.may_store, WakeReason::STORE_SUCCESSOR.at(now))
            }
            RotationState::Attempt(_)
            | RotationState::CheckingDoubt(..)
            | RotationState::Refused(Some(_), _)
            | RotationState::UnstoredSuccessor(..)
            | RotationState::Ended(_) => return None,
        };
        let hold = match self.hold {
            // Nothing is left to lose.
            Hold::Silence(_) if cx.demand.refused => Boot(0),
            hold => hold.until(),
        };
        may.then(|| wake.why.at(wake.at.max(hold)))
    }

    /// When a session that can't be refreshed ends by itself.
    fn expiry(&self, cx: &MachineContext) -> Option<Boot> {
        let ends = !self.is_renewable(cx) && self.over().is_none() && self.expires != Boot::NEVER;
        ends.then_some(self.expires)
    }

    /// A session without a refresh token is over once its access token is. Its file may stay: nothing is ever sent.
    pub fn end_if_expired(&mut self, cx: &MachineContext) -> Option<EndReason> {
        self.expiry(cx).filter(|at| *at <= cx.now.boot)?;
        self.state = RotationState::Ended(EndReason::Expired);
        Some(EndReason::Expired)
    }

    pub fn session(&self) -> &Session {
        &self.session
    }

    /// The server has said whose the session with this token is; false if another one has taken its place.
    pub fn learn_holder(
        &mut self,
        token: Fingerprint,
        user: Option<User>,
        about: BTreeMap<String, String>,
    ) -> bool {
        let same = self.fingerprint() == token;
        if same {
            (self.session.holder.user, self.session.holder.about) = (user, about);
        }
        same
    }

    pub fn fingerprint(&self) -> Fingerprint {
        self.session.fingerprint()
    }

    /// The least time between two automatic refreshes, in milliseconds.
    pub fn gap_ms(&self, policy: &Policy) -> u64 {
        refresh_gap_ms(policy.gap_ms, self.lifetime_secs)
    }

    /// Seconds until it may be refreshed again without being forced; none if it may be.
    pub fn gap_left(&self, now: &Moment, policy: &Policy) -> Option<u64> {
        let again = self.refreshed?.plus_ms(self.gap_ms(policy));
        Some(now.boot.ms_until(again).div_ceil(1000)).filter(|secs| *secs > 0)
    }

    pub fn lifetime_secs(&self) -> Option<u64> {
        self.lifetime_secs
    }

    /// When another access token is wanted, though nobody waits.
    pub fn renewal_due(&self) -> Boot {
        self.refresh_due
    }

    /// From here on it is refreshed so many seconds before it expires.
    pub fn plan_with(&mut self, now: &Moment, policy: &Policy) {
        self.refresh_due = due(now, &self.session, self.expires, self.lifetime_secs, policy);
    }

    /// Another access token was asked for, and is not to be had before then.
    pub fn asked_in_vain(&mut self, cx: &MachineContext, why: &Error, next: Boot) {
        self.refresh_due = self.refresh_due.min(cx.now.boot);
        self.hold = Hold::Until(next);
        self.last = Some(why.clone());
    }

    /// It was asked for then, and is there.
    pub fn asked_for(&mut self, asked: Option<Boot>) {
        self.refreshed = asked;
    }

    pub fn refreshed(&self) -> Option<Boot> {
        self.refreshed
    }

    /// What went wrong last, until something goes right.
    pub fn last_error(&self) -> Option<&Error> {
        self.last.as_ref()
    }

    /// The next try is not before.
    pub fn held_until(&self) -> Boot {
        self.hold.until()
    }

    /// Why the session is over, if it is.
    pub fn over(&self) -> Option<EndReason> {
        match self.state {
            RotationState::Ended(over) => Some(over),
            RotationState::Idle
            | RotationState::Attempt(_)
            | RotationState::InDoubt(_)
            | RotationState::CheckingDoubt(..)
            | RotationState::Refused(..)
            | RotationState::UnstoredSuccessor(..) => None,
        }
    }

    /// Whether a token may be on its way, or an outcome is not stored yet.
    pub fn must_drain(&self) -> bool {
        self.state.must_drain()
    }

    /// Whether work is under way right now.
    pub fn is_busy(&self) -> bool {
        self.state.is_busy()
    }

    /// Whether nobody knows if the session still stands: a send is in doubt, or its token or client was refused.
    pub fn is_questionable(&self) -> bool {
        let refused = matches!(self.state, RotationState::Refused(..));
        let client = match &self.last {
            Some(Error::Net(net)) => matches!(net.kind, NetErrorKind::ClientRefused(_)),
            Some(Error::Rejected(_)) => true,
            _ => false,
        };
        self.state.is_doubtful() || refused || client
    }

    /// Whether the journal holds something about this session that a crash must still find. The intent of a session
    /// that is over stays as long as its file: should the side-car be lost, it still says that the token was sent.
    pub fn needs_journal(&self) -> bool {
        self.state.is_open() || self.over().is_some()
    }

    /// Whether what is found in the file is left to the exchange that is under way. Only what is damaged has to be
    /// moved out of the way of one that waits.
    pub fn decides_about(&self, found: &FileContent) -> bool {
        match &self.state {
            RotationState::UnstoredSuccessor(StoreStep::Committing(_) | StoreStep::Replacing(_), ..) => true,
            RotationState::UnstoredSuccessor(StoreStep::Waiting { .. }, ..) => {
                !matches!(found, FileContent::Damaged(_))
            }
            RotationState::Idle
            | RotationState::Attempt(_)
            | RotationState::InDoubt(_)
            | RotationState::CheckingDoubt(..)
            | RotationState::Refused(..)
            | RotationState::Ended(_) => false,
        }
    }

    /// Whether a successor waits in memory for the file to be usable.
    pub fn holds_unstored(&self) -> bool {
        matches!(self.state, RotationState::UnstoredSuccessor(StoreStep::Waiting { .. }, ..))
    }

    /// The newest session that is known: a successor that has arrived, else this one.
    pub fn newest(&self) -> &Session {
        match &self.state {
            RotationState::UnstoredSuccessor(_, _, arrived) => &arrived.session,
            RotationState::Idle
            | RotationState::Attempt(_)
            | RotationState::InDoubt(_)
            | RotationState::CheckingDoubt(..)
            | RotationState::Refused(..)
            | RotationState::Ended(_) => &self.session,
        }
    }

    /// How it stands, and why, for whoever shows it.
    pub fn standing(&self, cx: &MachineContext) -> (reply::State, Option<Error>) {
        if let Some(uncertain) = self.uncertainty(cx) {
            return (reply::State::Uncertain, Some(uncertain));
        }
        match &self.state {
            state if state.is_busy() => (reply::State::Refreshing, None),
            _ if self.last.is_some() => (reply::State::Offline, self.last.clone()),
            _ => (reply::State::Valid, None),
        }
    }

    /// Somebody waits now: a second after the last try is soon enough.
    pub fn shorten_backoff(&mut self, now: &Moment) {
        if let Hold::Backoff(until) = self.hold {
            let soon = self.tried.map_or(now.boot, |tried| tried.plus_secs(1));
            self.hold = Hold::Backoff(until.min(soon.max(now.boot)));
        }
    }

    /// The OAuth client may have been mended: what waits for that need not wait any longer.
    pub fn client_changed(&mut self, now: &Moment) {
        let waits = matches!(&self.last, Some(Error::Net(net)) if net.is_about_the_client());
        if waits && matches!(self.hold, Hold::Backoff(_)) {
            self.hold = Hold::Backoff(now.boot);
        }
    }

    /// The file could not be read this time; what it held a moment ago still counts until it is seen to have changed.
    /// Reports whether this is news.
    pub fn file_unreadable(&mut self, why: &StoreError) -> bool {
        let error = Some(Error::Store(why.clone()));
        let news = self.last != error;
        self.last = error;
        news
    }

    pub(super) fn take_state(&mut self) -> RotationState {
        std::mem::replace(&mut self.state, RotationState::Idle)
    }
}
