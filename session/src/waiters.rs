//! Clients that wait for a token or a refresh: each is answered exactly once, by its own deadline.

use crate::context::{Demand, MachineContext};
use crate::effect::Outbox;
use crate::error::{Error, NetErrorKind, StoreError};
use crate::input::Waiter;
use crate::policy::{LONGEST_RETRY_AFTER_SECS, Renewal};
use crate::reply::ProfileReply;
use crate::rotation::Rotation;
use crate::session::Fingerprint;
use crate::session_file::FileState;
use crate::time::{Boot, Moment, Wake, WakeReason};
use everkey_proto::Expect;
use everkey_proto::reply::Short;
use everkey_proto::request::SessionRequest;

/// How long a client waits for a token at the most, in milliseconds.
const PATIENCE_MS: u64 = 20_000;

#[derive(Debug, Default)]
pub(crate) struct Waiters {
    waiting: Vec<Waiting>,
    /// Requests that came before the files were read.
    early: Vec<(Waiter, Expect, SessionRequest)>,
}

#[derive(Debug)]
struct Waiting {
    waiter: Waiter,
    deadline: Boot,
    want: Want,
}

/// What a client waits for.
#[derive(Debug)]
pub(crate) enum Want {
    /// A token valid for so many milliseconds; `asked` if the client named a number. Never the one that a server
    /// has refused, should it come back.
    Token { min_ms: u64, asked: bool, refused: Option<Fingerprint> },
    /// A refresh later than this one; `force` until it has been begun.
    Refresh { after: Option<Boot>, force: bool },
}

impl Waiters {
    pub fn due(&self) -> Option<Wake> {
        self.waiting.iter().map(|one| one.deadline).min().map(|at| WakeReason::CLIENT_PATIENCE.at(at))
    }

    /// What they want of this rotation.
    pub fn demand(&self, now: &Moment, rotation: &Rotation) -> Demand {
        Demand {
            wanted: self.waiting.iter().any(|one| one.wants_refresh(now, rotation)),
            forced: self.waiting.iter().any(|one| one.is_forced(rotation)),
            refused: self.waiting.iter().any(|one| !one.may_have(rotation)),
        }
    }

    /// A forced refresh has been begun.
    pub fn force_is_used(&mut self) {
        for waiting in &mut self.waiting {
            if let Want::Refresh { force, .. } = &mut waiting.want {
                *force = false;
            }
        }
    }

    pub fn wait(&mut self, now: &Moment, waiter: Waiter, want: Want, rotation: &mut Rotation) {
        let waiting = Waiting { waiter, deadline: now.boot.plus_ms(PATIENCE_MS), want };
        if waiting.wants_refresh(now, rotation) {
            rotation.shorten_backoff(now);
        }
        self.waiting.push(waiting);
    }

    /// Keeps a request until the files were read.
    pub fn wait_for_files(&mut self, waiter: Waiter, expect: Expect, ask: SessionRequest) {
        self.early.push((waiter, expect, ask));
    }

    pub fn take_early(&mut self) -> Vec<(Waiter, Expect, SessionRequest)> {
        std::mem::take(&mut self.early)
    }

    pub fn forget(&mut self, waiter: Waiter) {
        self.waiting.retain(|one| one.waiter != waiter);
        self.early.retain(|(one, ..)| *one != waiter);
    }

    /// Answers everyone who can be answered now, and everyone whose time is up.
    pub fn answer(
        &mut self,
        cx: &MachineContext,
        seal: Option<&StoreError>,
        file: &FileState,
        out: &mut Outbox,
    ) {
        self.waiting.retain(|waiting| match waiting.answer(cx, seal, file) {
            Some(answer) => {
                out.reply(waiting.waiter, answer);
                false
            }
            None => true,
        });
    }

    /// A try has failed: those who can't wait for the next one get the next best answer.
    pub fn fail(&mut self, now: &Moment, why: &Error, rotation: &Rotation, out: &mut Outbox) {
        let next = rotation.held_until().max(now.boot);
        let (hopeless, why) = match why {
            Error::Net(net) => match net.kind {
                NetErrorKind::Limited(secs) => {
                    (false, Error::RateLimited { secs: secs.min(LONGEST_RETRY_AFTER_SECS) })
                }
                NetErrorKind::Connect(_)
                | NetErrorKind::ClientRefused(_)
                | NetErrorKind::ClientUnusable(_) => (true, why.clone()),
                _ => (false, why.clone()),
            },
            _ => (true, why.clone()),
        };
        self.waiting.retain(|one| {
            let fails = one.wants_refresh(now, rotation)
                && (hopeless || next > one.deadline || one.has_second_best(now, rotation));
            if fails {
                out.reply(one.waiter, one.second_best(now, rotation, why.clone()));
            }
            !fails
        });
    }

    /// The account is another one now: whoever waited for the old one's token learns it (N27).
    pub fn account_changed(&mut self, out: &mut Outbox) {
        let waiters = std::mem::take(&mut self.waiting).into_iter().map(|one| one.waiter);
        out.reply_all(waiters, &ProfileReply::Failed(Error::AccountChanged));
    }
}

impl Waiting {
    /// Whether only a refresh will do.
    fn wants_refresh(&self, now: &Moment, rotation: &Rotation) -> bool {
        match self.want {
            Want::Token { min_ms, .. } => rotation.left_ms(now) < min_ms.max(1) || !self.may_have(rotation),
            Want::Refresh { after, .. } => rotation.refreshed() == after,
        }
    }

    /// Whether it insists on a refresh though one was just now.
    fn is_forced(&self, rotation: &Rotation) -> bool {
        matches!(self.want, Want::Refresh { after, force: true } if rotation.refreshed() == after)
    }

    /// Whether a token that is still valid would do for want of a better one.
    fn has_second_best(&self, now: &Moment, rotation: &Rotation) -> bool {
        matches!(self.want, Want::Token { .. }) && rotation.left_ms(now) > 0 && self.may_have(rotation)
    }

    /// Whether the token is none that was refused, as this one or another has reported.
    fn may_have(&self, rotation: &Rotation) -> bool {
        match self.want {
            Want::Token { refused, .. } => {
                !rotation.is_refused() && refused != Some(Fingerprint::of(&rotation.session().access))
            }
            Want::Refresh { .. } => true,
        }
    }

    fn answer(
        &self,
        cx: &MachineContext,
        seal: Option<&StoreError>,
        file: &FileState,
    ) -> Option<ProfileReply> {
        let now = cx.now;
        let rotation = match file {
            FileState::SignedIn(rotation) => rotation,
            FileState::SignedOut(_) => return Some(ProfileReply::Failed(Error::AccountChanged)),
            FileState::Unusable(why) => return Some(ProfileReply::Failed(Error::Store(why.clone()))),
            FileState::Unread => return None,
        };
        if let (Want::Token { .. }, Some(why)) = (&self.want, rotation.withheld(cx)) {
            return Some(ProfileReply::Failed(why));
        }
        if !self.wants_refresh(now, rotation) {
            return Some(match self.want {
                Want::Token { .. } => token(rotation, None),
                Want::Refresh { .. } => ProfileReply::Refreshed(rotation.session().access_ends()),
            });
        }
        let refused = match (rotation.over(), &cx.facts.owner, seal) {
            (Some(over), ..) => Some(Error::NeedsLogin(over)),
            (None, Err(why), _) => Some(Error::NotOwner(why.clone())),
            (None, Ok(()), Some(why)) => Some(Error::Store(why.clone())),
            (None, Ok(()), None) => None,
        };
        if let Some(why) = refused {
            return Some(self.second_best(now, rotation, why));
        }
        // A fresh token that is short all the same is the best there will be for a while.
        let gap_left = rotation.gap_left(now, cx.policy());
        if gap_left.is_some() && self.has_second_best(now, rotation) {
            return Some(self.second_best(now, rotation, Error::Timeout));
        }
        if rotation.session().refresh.is_none() && cx.policy().renewal != Renewal::ClientCredentials {
            return Some(self.second_best(now, rotation, cant_refresh(rotation)));
        }
        let next = rotation.refresh_due(cx).filter(|_| !rotation.is_busy());
        let hopeless = next.is_some_and(|next| next.at > self.deadline);
        (hopeless || self.deadline <= now.boot).then(|| {
            let why = match (rotation.uncertainty(cx), rotation.last_error()) {
                (Some(uncertain), _) => uncertain,
                (None, Some(last)) => last.clone(),
                (None, None) => gap_left.map_or(Error::Timeout, |secs| Error::TooSoon { secs }),
            };
            self.second_best(now, rotation, why)
        })
    }

    /// A token that is still valid, though not for as long as was asked; else why there is none.
    fn second_best(&self, now: &Moment, rotation: &Rotation, why: Error) -> ProfileReply {
        match self.want {
            Want::Token { min_ms, asked, .. } if self.has_second_best(now, rotation) => {
                let whole = rotation.lifetime_secs();
                let never = asked && whole.is_some_and(|secs| min_ms > secs.saturating_mul(1000));
                token(rotation, Some(if never { Short::Lifetime } else { Short::NoRefresh }))
            }
            Want::Token { .. } | Want::Refresh { .. } => ProfileReply::Failed(why),
        }
    }
}

/// The token that is handed out.
pub(crate) fn token(rotation: &Rotation, short: Option<Short>) -> ProfileReply {
    let (access, expires_at) = (rotation.handed().clone(), rotation.handed_until());
    ProfileReply::Token { access, expires_at, short, ended: rotation.ended() }
}

/// Why there is no fresher token.
pub(crate) fn cant_refresh(rotation: &Rotation) -> Error {
    rotation.ended().map_or(Error::CantRefresh, Error::NeedsLogin)
}
