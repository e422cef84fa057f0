//! Revocations to be confirmed by their servers, and calls whose tokens, if any still arrive, nobody will use.

use crate::context::MachineContext;
use crate::effect::{Farewell, Outbox};
use crate::error::{Error, NetError, NetErrorKind, Rejected};
use crate::input::Op;
use crate::jobs::{NetJob, RevokeAnswer, StoreJob};
use crate::notice::Notice;
use crate::policy::{Discovery, retry_after, slow_retry_at};
use crate::registration::{CallTarget, Registration};
use crate::reply::ProfileReply;
use crate::revocation::{PendingRevocation, REVOCATION_KEPT_SECS};
use crate::rotation::ArrivedSession;
use crate::session::{Fingerprint, Holder, Session};
use crate::time::{Boot, Moment, Wake, WakeReason};
use crate::token_response::TokenResponse;
use everkey_proto::reply;

#[derive(Debug, Default)]
pub(crate) struct Revocations {
    queue: Vec<Queued>,
    abandoned: Vec<Abandoned>,
}

/// A revocation to be confirmed by its server.
#[derive(Debug)]
struct Queued {
    revocation: PendingRevocation,
    next: Boot,
    calling: Option<Op>,
    failures: u32,
    announcement: Announcement,
}

/// What has become of the [`Farewell`] before a revocation.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Announcement {
    /// It has yet to be said; profiles that don't announce revocations leave it at that.
    Due,
    /// It was said, and the revocation waits.
    Waiting,
    Done,
}

/// A call whose session is not wanted any more; its answer is discarded.
#[derive(Debug)]
struct Abandoned {
    op: Op,
    at: CallTarget,
    /// Whether a session that still arrives is to be revoked.
    revoke: bool,
}

impl Revocations {
    pub fn count(&self) -> usize {
        self.queue.len()
    }

    /// Whether one is about the session with this token.
    pub fn is_queued(&self, token: Fingerprint) -> bool {
        let of = |one: &PendingRevocation| Fingerprint::of(one.refresh.as_ref().unwrap_or(&one.access));
        self.queue.iter().any(|queued| of(&queued.revocation) == token)
    }

    /// Those that the disk holds.
    pub fn load(&mut self, now: &Moment, revocations: Vec<PendingRevocation>) {
        for revocation in revocations {
            if self.queue.iter().all(|queued| queued.revocation.id != revocation.id) {
                self.push(now, revocation);
            }
        }
    }

    /// Remembers one that another job writes down.
    pub fn push(&mut self, now: &Moment, revocation: PendingRevocation) {
        let announcement = Announcement::Due;
        self.queue.push(Queued { revocation, next: now.boot, calling: None, failures: 0, announcement });
    }

    /// Has the server asked to forget a session that nobody will use.
    pub fn queue(&mut self, cx: &MachineContext, at: CallTarget, session: &Session, out: &mut Outbox) {
        if can_revoke(cx, at.registration.as_ref()) {
            let revocation = revocation_of(cx, at, session, out);
            out.store(StoreJob::QueueRevocation(revocation.clone()));
            self.push(cx.now, revocation);
        }
    }

    /// When the next one is to be sent; `erasing` waits until its local session is gone.
    pub fn due(&self, is_owner: bool, erasing: Option<u64>) -> Option<Wake> {
        self.queue
            .iter()
            .filter(|one| is_owner && one.calling.is_none() && Some(one.revocation.id) != erasing)
            .filter(|one| one.announcement != Announcement::Waiting)
            .map(|one| WakeReason::REVOKE.at(one.next))
            .min_by_key(|wake| wake.at)
    }

    pub fn send_if_due(&mut self, cx: &MachineContext, erasing: Option<u64>, out: &mut Outbox) {
        if cx.facts.owner.is_err() {
            return;
        }
        for index in (0..self.queue.len()).rev() {
            let due = &mut self.queue[index];
            let id = due.revocation.id;
            if due.calling.is_some() || due.next > cx.now.boot || Some(id) == erasing {
                continue;
            }
            if due.revocation.until <= cx.now.wall {
                self.queue.remove(index);
                out.store(StoreJob::DropRevocation(id));
                out.notify(Notice::RevocationDropped);
                continue;
            }
            if due.announcement == Announcement::Waiting {
                continue;
            }
            if let Some(farewell) = due.farewell(cx) {
                due.announcement = Announcement::Waiting;
                out.announce(farewell);
                continue;
            }
            due.calling = Some(out.net(NetJob::Revoke(due.revocation.clone())));
        }
    }

    pub fn farewell_done(&mut self, id: u64) {
        let waiting = self.queue.iter_mut().find(|one| one.revocation.id == id);
        waiting.into_iter().for_each(|one| one.announcement = Announcement::Done);
    }

    /// A server has answered; which revocation, and what it means for whoever signed out.
    pub fn answered(
        &mut self,
        now: &Moment,
        op: Op,
        answer: &RevokeAnswer,
        out: &mut Outbox,
    ) -> Option<(u64, ProfileReply)> {
        let index = self.queue.iter().position(|one| one.calling == Some(op))?;
        let one = &mut self.queue[index];
        let id = one.revocation.id;
        let good = one.revocation.access_expires_at.is_none_or(|at| at > now.wall);
        let outcome = match answer {
            RevokeAnswer::Net(error) => {
                one.has_failed(now, Some(&error.kind));
                return Some((id, unusable(error)));
            }
            RevokeAnswer::Declined(code) => {
                one.has_failed(now, None);
                return Some((id, ProfileReply::Unconfirmed(Error::Rejected(Rejected::Other(code.clone())))));
            }
            RevokeAnswer::Confirmed => reply::Revocation::Revoked,
            // A refusal of a credential that is still good means that the session is gone already.
            RevokeAnswer::Refused if good => reply::Revocation::Revoked,
            RevokeAnswer::Refused => reply::Revocation::NotConfirmed,
            RevokeAnswer::NoRoute => reply::Revocation::Impossible,
        };
        self.queue.remove(index);
        out.store(StoreJob::DropRevocation(id));
        let revoked = outcome == reply::Revocation::Revoked;
        out.notify(if revoked { Notice::Revoked } else { Notice::RevocationDropped });
        Some((id, ProfileReply::LoggedOut(outcome)))
    }

    /// The answer to this call is not wanted any more; `revoke` if a session that still arrives is to be revoked.
    pub fn abandon(&mut self, op: Op, at: CallTarget, revoke: bool) {
        self.abandoned.push(Abandoned { op, at, revoke });
    }

    /// Whether the answer to an abandoned call may still arrive.
    pub fn has_abandoned(&self) -> bool {
        !self.abandoned.is_empty()
    }

    /// Whether this answer was abandoned; tokens that it brings are revoked, if they are to be.
    pub fn take_abandoned(
        &mut self,
        cx: &MachineContext,
        op: Op,
        tokens: Option<&TokenResponse>,
        out: &mut Outbox,
    ) -> bool {
        let Some(index) = self.abandoned.iter().position(|one| one.op == op) else { return false };
        let Abandoned { at, revoke, .. } = self.abandoned.remove(index);
        if let Some(tokens) = tokens.filter(|_| revoke) {
            self.take_back(cx, at, tokens.clone(), out);
        }
        true
    }

    /// Has the server asked to forget tokens that nobody will use.
    pub fn take_back(
        &mut self,
        cx: &MachineContext,
        at: CallTarget,
        tokens: TokenResponse,
        out: &mut Outbox,
    ) {
        let arrived = ArrivedSession::granted(cx.now, cx.now.boot, tokens, Holder::default());
        self.queue(cx, at, &arrived.session, out);
    }
}

/// Whether the server can be asked to revoke. Where endpoints are at the usual paths, only the server itself knows.
pub(crate) fn can_revoke(cx: &MachineContext, registration: Option<&Registration>) -> bool {
    let endpoint = registration.is_none_or(|known| known.endpoints.revocation.is_some());
    let oauth = cx.policy().oauth.as_ref();
    let says_itself = oauth.is_some_and(|oauth| matches!(oauth.discovery, Discovery::UsualPaths));
    cx.policy().revokes && (endpoint || says_itself)
}

/// The revocation of a session whose calls go to `at`.
pub(crate) fn revocation_of(
    cx: &MachineContext,
    at: CallTarget,
    session: &Session,
    out: &Outbox,
) -> PendingRevocation {
    let [a, b, c, d, e, f, ..] = cx.now.random("revocation");
    PendingRevocation {
        // Several may be made in one event.
        id: u64::from_le_bytes([a, b, c, d, e, f, 0, 0]) ^ out.last_op(),
        at,
        access: session.access.clone(),
        access_expires_at: session.access_expires_at,
        refresh: session.refresh.clone(),
        until: cx.now.wall.saturating_add(REVOCATION_KEPT_SECS),
        user: session.holder.user.as_ref().map(|user| user.email.clone()),
    }
}

impl Queued {
    /// What is announced before it; none if that need not be, or was done.
    fn farewell(&self, cx: &MachineContext) -> Option<Farewell> {
        let announces = cx.facts.settings.announces_revocations && self.announcement == Announcement::Due;
        let PendingRevocation { id, at, access, access_expires_at, until, user, .. } = &self.revocation;
        let user = user.clone().filter(|_| announces)?;
        let expires_at = access_expires_at.map_or(*until, |at| at.min(*until));
        Some(Farewell { revocation: *id, at: at.clone(), access: access.clone(), expires_at, user })
    }

    fn has_failed(&mut self, now: &Moment, kind: Option<&NetErrorKind>) {
        self.calling = None;
        self.failures = self.failures.saturating_add(1);
        let next = slow_retry_at(now, self.failures);
        self.next = match kind {
            Some(NetErrorKind::Limited(secs)) => next.max(retry_after(now, *secs)),
            Some(_) | None => next,
        };
    }
}

/// What whoever signed out learns of an answer that says nothing of the session.
fn unusable(error: &NetError) -> ProfileReply {
    match error.kind {
        NetErrorKind::Connect(_) | NetErrorKind::Timeout | NetErrorKind::Broken => {
            ProfileReply::LoggedOut(reply::Revocation::Queued)
        }
        NetErrorKind::Status(..)
        | NetErrorKind::Cut
        | NetErrorKind::ClientRefused(_)
        | NetErrorKind::NotTheContract(_)
        | NetErrorKind::Redirect
        | NetErrorKind::OtherSession
        | NetErrorKind::Rotating
        | NetErrorKind::Late
        | NetErrorKind::Limited(_)
        | NetErrorKind::ClientUnusable(_) => ProfileReply::Unconfirmed(Error::Net(error.clone())),
    }
}
