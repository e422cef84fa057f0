//! Clients that ask for what is known, and clients that wait for a token: each answered exactly once.

use crate::event::{Answer, View, Waiter};
use crate::policy::LONGEST_RETRY_AFTER_SECS;
use crate::profile::{Account, Profile};
use crate::record::Fingerprint;
use crate::rotation::{Hold, Rotation, SignedIn};
use crate::time::{Boot, Moment};
use crate::trouble::{NetKind, Trouble};
use everkey_proto::reply::{Short, State};
use everkey_proto::{Scheme, Secret};

/// How long a client waits for a token at the most, in milliseconds.
const PATIENCE_MS: u64 = 20_000;

/// A client that waits for a refresh.
#[derive(Debug)]
pub(crate) struct Waiting {
    pub waiter: Waiter,
    pub deadline: Boot,
    want: Want,
}

#[derive(Debug)]
enum Want {
    /// A token valid for so many milliseconds; `asked` if the client named a number. Never the one that a server
    /// has refused, should it come back.
    Token { min_ms: u64, asked: bool, refused: Option<Fingerprint> },
    /// A refresh later than this one; `force` until it has been begun.
    Refresh { after: Option<Boot>, force: bool },
}

impl Waiting {
    /// Whether only a refresh will do.
    pub fn wants_refresh(&self, now: &Moment, held: &SignedIn) -> bool {
        match self.want {
            Want::Token { min_ms, .. } => held.left_ms(now) < min_ms.max(1) || !self.may_have(held),
            Want::Refresh { after, .. } => held.refreshed == after,
        }
    }

    /// Whether it insists on a refresh though one was just now.
    pub fn is_forced(&self, held: &SignedIn) -> bool {
        matches!(self.want, Want::Refresh { after, force: true } if held.refreshed == after)
    }

    /// Whether a token that is still valid would do for want of a better one.
    fn has_second_best(&self, now: &Moment, held: &SignedIn) -> bool {
        matches!(self.want, Want::Token { .. }) && held.left_ms(now) > 0 && self.may_have(held)
    }

    /// Whether the token is not the one that was refused.
    fn may_have(&self, held: &SignedIn) -> bool {
        match self.want {
            Want::Token { refused: Some(refused), .. } => Fingerprint::of(&held.session.access) != refused,
            Want::Token { refused: None, .. } | Want::Refresh { .. } => true,
        }
    }

    pub fn force_is_used(&mut self) {
        if let Want::Refresh { force, .. } = &mut self.want {
            *force = false;
        }
    }
}

impl Profile {
    pub(crate) fn whoami(&mut self, waiter: Waiter) {
        let answer = match (self.why_not_signed_in(), self.user()) {
            (Some(why), _) => Answer::Failed(why),
            (None, None) if self.settings.policy.identifies => return self.find_out_who(waiter),
            (None, user) => Answer::Whoami(user.cloned()),
        };
        self.reply(waiter, answer);
    }

    /// Why nobody has an active session; none if somebody has.
    pub fn why_not_signed_in(&self) -> Option<Trouble> {
        match &self.account {
            // A token that never changes is good though the session beside it is over.
            Account::In(held) => {
                held.over().filter(|_| held.session.holder.fixed.is_none()).map(Trouble::NeedsLogin)
            }
            Account::Out(why) => Some(Trouble::NotSignedIn(why.clone())),
            Account::Unusable(why) => Some(Trouble::Store(why.clone())),
            Account::Starting(_) => Some(Trouble::Timeout),
        }
    }

    pub(crate) fn status(&mut self, now: &Moment, waiter: Waiter) {
        let held = match &self.account {
            Account::In(held) => Some(held),
            Account::Starting(_) | Account::Out(_) | Account::Unusable(_) => None,
        };
        let (state, reason) = self.state();
        let view = View {
            server: self.server().to_owned(),
            state,
            reason,
            user: held.and_then(|held| held.session.holder.user.clone()),
            scheme: self.scheme(),
            masked: held
                .filter(|held| !held.session.is_only_fixed())
                .map(|held| held.session.access.masked()),
            access_expires_at: held.and_then(|held| held.session.access_expires_at),
            refresh_expires_at: held.and_then(|held| held.session.refresh_expires_at),
            next_refresh_at: self.refresh_at(now).map(|at| now.wall_at(at.max(now.boot))),
            last_error: held.and_then(|held| held.last.clone()),
            about: held.map(|held| held.session.holder.about.clone()).unwrap_or_default(),
            masked_fixed: held.and_then(|held| held.session.holder.fixed.as_ref()).map(Secret::masked),
            pending_revocations: u32::try_from(self.revocations.len()).unwrap_or(u32::MAX),
        };
        self.reply(waiter, Answer::Status(view));
    }

    /// How the profile stands, derived from everything else.
    fn state(&self) -> (State, Option<Trouble>) {
        let held = match &self.account {
            Account::In(held) => held,
            Account::Out(why) => return (State::SignedOut, Some(Trouble::NotSignedIn(why.clone()))),
            Account::Unusable(why) => return (State::SignedOut, Some(Trouble::Store(why.clone()))),
            Account::Starting(_) => return (State::SignedOut, None),
        };
        // A token that never changes is still handed out.
        if let Some(over) = held.over().filter(|_| held.session.holder.fixed.is_none()) {
            return (State::NeedsLogin, Some(Trouble::NeedsLogin(over)));
        }
        if let Err(why) = &self.owner {
            return (State::ReadOnly, Some(Trouble::NotOwner(why.clone())));
        }
        if let Some(why) = &self.sealed {
            return (State::ReadOnly, Some(Trouble::Store(why.clone())));
        }
        match &held.rotation {
            Rotation::Doubt(doubt) if doubt.doubtful => (State::Uncertain, held.last.clone()),
            Rotation::Probing(..) => (State::Uncertain, held.last.clone()),
            rotation if rotation.is_busy() => (State::Refreshing, None),
            _ if held.last.is_some() => (State::Offline, held.last.clone()),
            _ => (State::Valid, None),
        }
    }

    pub(crate) fn want_token(&mut self, now: &Moment, waiter: Waiter, min_validity_secs: u64) {
        let Account::In(held) = &self.account else { return self.whoami(waiter) };
        if held.session.holder.fixed.is_some() {
            return self.reply(waiter, token(held, None));
        }
        let (min_ms, asked) = match min_validity_secs {
            0 => (self.sensible_ms(held), false),
            secs => (secs.saturating_mul(1000), true),
        };
        self.wait(now, waiter, Want::Token { min_ms, asked, refused: None });
    }

    /// For how long a token should be valid if nobody says.
    fn sensible_ms(&self, held: &SignedIn) -> u64 {
        let half = held.lifetime_secs.map_or(u64::MAX, |secs| secs.saturating_mul(1000) / 2);
        (self.settings.policy.margin_secs * 1000).min(half)
    }

    pub(crate) fn want_refresh(&mut self, now: &Moment, waiter: Waiter, force: bool) {
        let Account::In(held) = &self.account else { return self.whoami(waiter) };
        if held.session.refresh.is_none() {
            return self.reply(waiter, Answer::Failed(self.cant_refresh(held)));
        }
        let after = held.refreshed;
        match self.too_soon(now) {
            Some(trouble) if !force => self.reply(waiter, Answer::Failed(trouble)),
            Some(_) | None => self.wait(now, waiter, Want::Refresh { after, force }),
        }
    }

    /// A server has refused a token that should be valid. However many callers say so of the same token, it is
    /// refreshed once; a token that has been replaced already needs no refresh at all.
    pub(crate) fn want_better(&mut self, now: &Moment, waiter: Waiter, than: Fingerprint) {
        let Account::In(held) = &self.account else { return self.whoami(waiter) };
        let refused = Fingerprint::of(held.handed()) == than;
        let fixed = held.session.holder.fixed.is_some();
        if refused && (held.session.refresh.is_none() || fixed) {
            return self.reply(waiter, Answer::Failed(self.cant_refresh(held)));
        }
        if fixed {
            return self.reply(waiter, token(held, None));
        }
        let min_ms = self.sensible_ms(held);
        match self.too_soon(now) {
            Some(trouble) if refused => self.reply(waiter, Answer::Failed(trouble)),
            Some(_) | None => {
                self.wait(now, waiter, Want::Token { min_ms, asked: false, refused: Some(than) });
            }
        }
    }

    /// Why there is no fresher token.
    fn cant_refresh(&self, held: &SignedIn) -> Trouble {
        held.over().map_or(Trouble::CantRefresh, Trouble::NeedsLogin)
    }

    /// How the person signs in: as they did, as far as the session tells, else as they would.
    fn scheme(&self) -> Scheme {
        let pin = self.sidecar.pin.as_ref();
        let known = match &self.account {
            Account::In(held) => pin.filter(|pin| pin.fingerprint == held.fingerprint()),
            Account::Starting(_) | Account::Out(_) | Account::Unusable(_) => None,
        };
        let usual = self.settings.policy.schemes.first().copied();
        known.and_then(|pin| pin.scheme).or(usual).unwrap_or(Scheme::Token)
    }

    fn too_soon(&self, now: &Moment) -> Option<Trouble> {
        let Account::In(held) = &self.account else { return None };
        let again = held.refreshed?.plus_ms(self.settings.policy.gap_ms);
        let secs = now.boot.ms_until(again).div_ceil(1000);
        (secs > 0).then_some(Trouble::TooSoon { secs })
    }

    fn wait(&mut self, now: &Moment, waiter: Waiter, want: Want) {
        let waiting = Waiting { waiter, deadline: now.boot.plus_ms(PATIENCE_MS), want };
        if let Account::In(held) = &mut self.account
            && waiting.wants_refresh(now, held)
            && let Hold::Backoff(until) = held.hold
        {
            // Somebody waits now: a second after the last try is soon enough.
            let soon = held.tried.map_or(now.boot, |tried| tried.plus_secs(1));
            held.hold = Hold::Backoff(until.min(soon.max(now.boot)));
        }
        self.waiting.push(waiting);
    }

    /// Answers everyone who can be answered now, and everyone whose time is up.
    pub(crate) fn answer_waiting(&mut self, now: &Moment) {
        // Decided while all are still waiting: what one may hope for depends on what the others have asked.
        let answers: Vec<_> = self.waiting.iter().map(|waiting| self.answer_to(now, waiting)).collect();
        for (waiting, answer) in std::mem::take(&mut self.waiting).into_iter().zip(answers) {
            match answer {
                Some(answer) => self.reply(waiting.waiter, answer),
                None => self.waiting.push(waiting),
            }
        }
    }

    fn answer_to(&self, now: &Moment, waiting: &Waiting) -> Option<Answer> {
        let held = match &self.account {
            Account::In(held) => held,
            Account::Out(_) => return Some(Answer::Failed(Trouble::AccountChanged)),
            Account::Unusable(why) => return Some(Answer::Failed(Trouble::Store(why.clone()))),
            Account::Starting(_) => return None,
        };
        if !waiting.wants_refresh(now, held) {
            return Some(match waiting.want {
                Want::Token { .. } => token(held, None),
                Want::Refresh { .. } => Answer::Refreshed(held.session.access_expires_at.unwrap_or(u64::MAX)),
            });
        }
        if let Some(over) = held.over() {
            return Some(second_best(now, held, waiting, Trouble::NeedsLogin(over)));
        }
        if let Err(why) = &self.owner {
            return Some(second_best(now, held, waiting, Trouble::NotOwner(why.clone())));
        }
        if let Some(why) = &self.sealed {
            return Some(second_best(now, held, waiting, Trouble::Store(why.clone())));
        }
        // A fresh token that is short all the same is the best there will be for a while.
        let gap_is_on = held.refreshed.is_some_and(|at| at.plus_ms(self.settings.policy.gap_ms) > now.boot);
        if gap_is_on && waiting.has_second_best(now, held) {
            return Some(second_best(now, held, waiting, Trouble::Timeout));
        }
        if held.session.refresh.is_none() {
            return Some(second_best(now, held, waiting, self.cant_refresh(held)));
        }
        let idle = !held.rotation.is_busy();
        let hopeless = idle && self.refresh_at(now).is_some_and(|next| next > waiting.deadline);
        (hopeless || waiting.deadline <= now.boot).then(|| {
            let why = match (&held.rotation, &held.last) {
                (Rotation::Doubt(_) | Rotation::Probing(..), Some(Trouble::Net(last))) => {
                    Trouble::Uncertain(last.clone())
                }
                (_, Some(last)) => last.clone(),
                (_, None) => Trouble::Timeout,
            };
            second_best(now, held, waiting, why)
        })
    }

    /// A try has failed: those who can't wait for the next one get the next best answer.
    pub(crate) fn fail_waiting(&mut self, now: &Moment, trouble: &Trouble) {
        let Account::In(held) = &self.account else { return };
        let next = match held.hold {
            Hold::Free => now.boot,
            Hold::Backoff(until) | Hold::Until(until) => until,
        };
        let hopeless = match trouble {
            Trouble::Net(net) => matches!(net.kind, NetKind::Connect(_)),
            _ => true,
        };
        let trouble = match trouble {
            Trouble::Net(net) => match net.kind {
                NetKind::Limited(secs) => &Trouble::RateLimited { secs: secs.min(LONGEST_RETRY_AFTER_SECS) },
                _ => trouble,
            },
            _ => trouble,
        };
        let (failing, staying): (Vec<_>, Vec<_>) =
            std::mem::take(&mut self.waiting).into_iter().partition(|w| {
                w.wants_refresh(now, held) && (hopeless || next > w.deadline || w.has_second_best(now, held))
            });
        let answers: Vec<_> =
            failing.iter().map(|w| (w.waiter, second_best(now, held, w, trouble.clone()))).collect();
        self.waiting = staying;
        for (waiter, answer) in answers {
            self.reply(waiter, answer);
        }
    }

    /// The account is another one now: whoever waited for the old one's token is told so (N27).
    pub(crate) fn tell_account_changed(&mut self) {
        for waiting in std::mem::take(&mut self.waiting) {
            self.reply(waiting.waiter, Answer::Failed(Trouble::AccountChanged));
        }
    }
}

fn token(held: &SignedIn, short: Option<Short>) -> Answer {
    Answer::Token { access: held.handed().clone(), expires_at: held.handed_until(), short }
}

/// A token that is still valid, though not for as long as was asked; else why there is none.
fn second_best(now: &Moment, held: &SignedIn, waiting: &Waiting, why: Trouble) -> Answer {
    match waiting.want {
        Want::Token { min_ms, asked, .. } if waiting.has_second_best(now, held) => {
            let never = asked && held.lifetime_secs.is_some_and(|secs| min_ms > secs.saturating_mul(1000));
            token(held, Some(if never { Short::Lifetime } else { Short::NoRefresh }))
        }
        Want::Token { .. } | Want::Refresh { .. } => Answer::Failed(why),
    }
}
