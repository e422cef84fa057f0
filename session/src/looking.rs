//! Looks at the session file outside a refresh: what another program wrote is adopted, what it removed is gone,
//! and what is damaged is set aside, but only after a second look.

use crate::Op;
use crate::job::{Found, StoreJob};
use crate::policy::{LONGEST_RETRY_AFTER_SECS, Renewal, retry_at};
use crate::profile::{Account, Profile};
use crate::record::{Capability, Fingerprint, Over, Session};
use crate::rotation::{Fresh, Hold, Rotation, SignedIn};
use crate::time::{Boot, Moment};
use crate::trouble::{Notice, Out, StoreKind, StoreTrouble, Trouble};

/// How often the file is looked at though nobody said that it changed, in milliseconds.
const EVERY_MS: u64 = 30_000;

/// How long a damaged file is given to become whole, in milliseconds.
const SUSPECT_MS: u64 = 1_000;

/// The look at the file.
#[derive(Debug)]
pub(crate) enum Look {
    /// The next one is then.
    Rest { next: Boot },
    /// One is under way, of the session file or of everything; `suspect` is the damaged content seen before.
    Under { op: Op, suspect: Option<u64>, again: bool },
    /// The content was damaged; looked at again then.
    Suspect { digest: u64, next: Boot },
    /// It is being moved out of the way.
    SettingAside(Op),
}

impl Look {
    pub fn owns(&self, op: Op) -> bool {
        matches!(self, Self::Under { op: mine, .. } if *mine == op)
    }
}

impl Profile {
    pub(crate) fn look_at(&self) -> Option<Boot> {
        match self.look {
            Look::Rest { next } | Look::Suspect { next, .. } => Some(next),
            Look::Under { .. } | Look::SettingAside(_) => None,
        }
    }

    /// Somebody says that the file may have changed.
    pub(crate) fn look_soon(&mut self, now: &Moment) {
        match &mut self.look {
            Look::Rest { next } => *next = now.boot,
            // A change while a look is under way may be one that it missed.
            Look::Under { again, .. } => *again = true,
            Look::Suspect { .. } | Look::SettingAside(_) => {}
        }
    }

    pub(crate) fn look_if_due(&mut self, now: &Moment) {
        if self.look_at().is_none_or(|at| at > now.boot) {
            return;
        }
        // The lock may be free by now, the journal readable.
        let everything = self.owner.is_err() || self.sealed.is_some();
        self.look_with(if everything { StoreJob::Load } else { StoreJob::Look });
    }

    pub(crate) fn read_everything(&mut self) {
        self.look_with(StoreJob::Load);
    }

    fn look_with(&mut self, job: StoreJob) {
        let suspect = match self.look {
            Look::Suspect { digest, .. } => Some(digest),
            Look::Rest { .. } | Look::Under { .. } | Look::SettingAside(_) => None,
        };
        let op = self.store(job);
        self.look = Look::Under { op, suspect, again: false };
    }

    /// What a look found.
    pub(crate) fn looked(&mut self, now: &Moment, found: Found) {
        let rest = self.rest_look(now);
        let suspect = match std::mem::replace(&mut self.look, rest) {
            Look::Under { suspect, again, .. } => {
                if again {
                    self.look = Look::Rest { next: now.boot };
                }
                suspect
            }
            other @ Look::SettingAside(_) => {
                self.look = other;
                return;
            }
            // A look for another purpose; the suspect has not had its time yet.
            Look::Suspect { digest, next } if found == Found::Damaged(digest) => {
                self.look = Look::Suspect { digest, next };
                return;
            }
            Look::Suspect { .. } | Look::Rest { .. } => None,
        };
        // While an outcome is being stored, the exchange itself finds out what is in the file. Only what is damaged
        // has to be moved out of its way.
        let storing = match &self.account {
            Account::In(held) => match &held.rotation {
                Rotation::Committing(..) | Rotation::Replacing(..) => true,
                Rotation::Stuck { .. } => !matches!(found, Found::Damaged(_)),
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
                | Rotation::Over(_) => false,
            },
            Account::Starting(_) | Account::Out(_) | Account::Unusable(_) => false,
        };
        if storing || self.signing_out.as_ref().is_some_and(|out| out.is_erasing()) {
            return;
        }
        match found {
            Found::Session { session, tightened } => {
                if tightened {
                    self.tell(Notice::Tightened);
                }
                self.found_session(now, session);
            }
            Found::Missing => self.found_nothing(now, Out::Removed),
            Found::Damaged(_) if self.owner.is_err() => {
                let path = self.settings.session_file.clone();
                self.found_unusable(now, StoreTrouble { path, kind: StoreKind::Damaged });
            }
            Found::Damaged(digest) if suspect == Some(digest) => {
                let op = self.store(StoreJob::SetAside(digest));
                self.look = Look::SettingAside(op);
            }
            Found::Damaged(digest) => {
                self.look = Look::Suspect { digest, next: now.boot.plus_ms(SUSPECT_MS) };
            }
            Found::Unusable(why) => self.found_unusable(now, why),
        }
    }

    pub(crate) fn set_aside(&mut self, now: &Moment, op: Op, result: Result<Option<String>, StoreTrouble>) {
        if !matches!(self.look, Look::SettingAside(mine) if mine == op) {
            return;
        }
        self.look = self.rest_look(now);
        let stuck =
            matches!(&self.account, Account::In(held) if matches!(held.rotation, Rotation::Stuck { .. }));
        match result {
            Ok(Some(name)) => {
                self.tell(Notice::SetAside(name.clone()));
                if stuck {
                    self.keep_in_the_gap();
                } else {
                    self.found_nothing(now, Out::SetAside(name));
                }
            }
            Ok(None) => self.look = Look::Rest { next: now.boot },
            Err(why) if stuck => self.tell(Notice::StoreFailed(why)),
            Err(why) => self.found_unusable(now, why),
        }
    }

    /// Whether a damaged file is being moved out of the way.
    pub(crate) fn is_setting_aside(&self) -> bool {
        matches!(self.look, Look::SettingAside(_))
    }

    fn found_session(&mut self, now: &Moment, session: Session) {
        match &mut self.account {
            Account::In(held) if held.fingerprint() == session.fingerprint() => {
                if matches!(held.last, Some(Trouble::Store(_))) && held.hold == Hold::Free {
                    held.last = None;
                }
                held.session.holder.fixed.clone_from(&session.holder.fixed);
                // The same session with another access token, or another end of it: whoever wrote it had a reason.
                let ends = |session: &Session| (session.access_expires_at, session.refresh_expires_at);
                if session.access != held.session.access || ends(&session) != ends(&held.session) {
                    let holder = held.session.holder.clone().or(session.holder.clone());
                    let session = Session { holder, ..session };
                    let fresh = Fresh::read(now, session, None, Capability::None);
                    let SignedIn { session, expires, lifetime_secs, due, .. } =
                        SignedIn::new(now, fresh, self.settings.policy.margin_secs);
                    (held.session, held.expires) = (session, expires);
                    (held.lifetime_secs, held.due) = (lifetime_secs, due);
                    if held.over() == Some(Over::Expired) {
                        held.rotation = Rotation::Rest;
                    }
                    self.reconsider();
                }
            }
            Account::In(_) | Account::Starting(_) | Account::Out(_) | Account::Unusable(_) => {
                self.adopt(now, session)
            }
        }
    }

    /// Takes over a session that another program wrote.
    pub(crate) fn adopt(&mut self, now: &Moment, mut session: Session) {
        if matches!(&self.account, Account::In(held) if is_another_user(&held.session, &session)) {
            self.tell_account_changed();
        }
        self.leave(now, Some(&session));
        self.promote_pending(session.fingerprint());
        if !matches!(self.account, Account::In(_)) {
            self.spend_unless(now, session.fingerprint());
        }
        let started = !matches!(self.account, Account::Starting(_));
        let pin = self.sidecar.pin.as_ref();
        let capability = pin.map(|pin| pin.capability).unwrap_or_default();
        let ours = pin.is_some_and(|pin| pin.fingerprint == session.fingerprint());
        let same_machine = self.sidecar.machine.as_ref().is_none_or(|m| *m == self.settings.machine);
        let lifetime = pin.filter(|_| ours).and_then(|pin| pin.lifetime_secs);
        if let Some(pin) = pin.filter(|_| ours && session.holder.user.is_none()) {
            session.holder.user.clone_from(&pin.user);
            session.holder.about.clone_from(&pin.about);
        }
        let spent = self.sidecar.is_spent(session.fingerprint());
        let fresh = Fresh::read(now, session, lifetime, capability);
        let mut held = SignedIn::new(now, fresh, self.settings.policy.margin_secs);
        // A token of ours that comes back after another program had the file may have been used by that program.
        held.vetted = ours && same_machine && !started;
        if let Some(over) = spent {
            held.rotation = Rotation::Over(over);
        }
        self.enter(now, Account::In(Box::new(held)));
        if started || !ours {
            self.tell(Notice::Adopted);
        }
        if let Some(over) = spent {
            self.tell(Notice::Ended(over));
        }
    }

    /// What everkey wrote last was replaced while nobody looked: whoever did may have used its token.
    fn spend_unless(&mut self, now: &Moment, print: Fingerprint) {
        let Some(last) = self.sidecar.pin.as_ref().map(|pin| pin.fingerprint) else { return };
        let refreshes = self.settings.policy.renewal == Renewal::RefreshToken;
        if last != print && refreshes && self.sidecar.is_spent(last).is_none() {
            let until = now.wall.saturating_add(LONGEST_RETRY_AFTER_SECS * 90);
            self.sidecar.spend(last, until, Over::Restored, now.wall);
            self.books.must_write();
        }
    }

    fn found_nothing(&mut self, now: &Moment, why: Out) {
        match &self.account {
            Account::In(_) => {
                self.leave(now, None);
                self.sidecar.epoch = self.sidecar.epoch.saturating_add(1);
                self.books.must_write();
                self.tell(Notice::SignedOut(why.clone()));
                self.enter(now, Account::Out(why));
            }
            Account::Starting(_) => {
                let why = if why == Out::Removed { Out::NoFile } else { why };
                self.enter(now, Account::Out(why));
            }
            Account::Unusable(_) => self.enter(now, Account::Out(why)),
            // The first reason is the one to show.
            Account::Out(Out::NoFile | Out::Removed) if why != Out::Removed => {
                self.enter(now, Account::Out(why))
            }
            Account::Out(_) => {}
        }
    }

    fn found_unusable(&mut self, now: &Moment, why: StoreTrouble) {
        match &mut self.account {
            Account::Unusable(before) if *before == why => {}
            // It could not be read this time; what it held a moment ago still counts until it is seen to have changed.
            Account::In(held) if matches!(why.kind, StoreKind::Os(_)) => {
                let trouble = Some(Trouble::Store(why.clone()));
                if held.last != trouble {
                    held.last = trouble;
                    self.tell(Notice::StoreFailed(why));
                }
            }
            Account::In(_) | Account::Starting(_) | Account::Out(_) | Account::Unusable(_) => {
                self.leave(now, None);
                self.tell(Notice::StoreFailed(why.clone()));
                self.enter(now, Account::Unusable(why));
            }
        }
    }

    /// The session in memory is not the file's any more. If its token may have been sent, by us or by whoever wrote
    /// a later one of the same session, it is never sent again.
    pub(crate) fn leave(&mut self, now: &Moment, winner: Option<&Session>) {
        let Account::In(held) = &self.account else { return };
        // A token that is only ever read can't be used up.
        if held.session.refresh.is_none() {
            return;
        }
        let (print, until) = (held.fingerprint(), held.session.works_until(now.wall));
        let same = winner.is_some_and(|winner| is_same_session(&held.session, winner));
        let used = held.rotation.is_open() || same;
        let over = held.over().is_some();
        // Within the same session a revocation would sign the winner out.
        self.abandon(!same);
        if used && !over {
            self.sidecar.spend(print, until, Over::Restored, now.wall);
        }
        if used || over {
            self.books.must_write();
        }
    }

    /// Changes the account and lets those go on who waited for the first look.
    pub(crate) fn enter(&mut self, now: &Moment, account: Account) {
        let before = std::mem::replace(&mut self.account, account);
        if let Account::Starting(early) = before {
            self.replay_early(now, early);
        }
    }

    pub(crate) fn rest_look(&self, now: &Moment) -> Look {
        Look::Rest { next: now.boot.plus_ms(EVERY_MS) }
    }

    /// A session that can't be refreshed because of a file is tried again soon.
    pub(crate) fn look_again(&mut self, now: &Moment) {
        self.look = Look::Rest { next: retry_at(now, 1) };
    }
}

/// As far as can be told.
fn is_same_session(one: &Session, other: &Session) -> bool {
    let ids = (&one.claims.session_id, &other.claims.session_id);
    !is_another_user(one, other) && (ids.0 == ids.1 || ids.0.is_none() || ids.1.is_none())
}

/// As far as can be told.
fn is_another_user(one: &Session, other: &Session) -> bool {
    let users = one.holder.user.as_ref().zip(other.holder.user.as_ref());
    users.is_some_and(|(one, other)| one.id != other.id)
}
