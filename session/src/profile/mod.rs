//! One profile: it routes each event to the machine that it is for, puts the machines' work in order, and answers.
//! After each event one pass answers, starts and plans what follows from the new state.

mod changes;
mod configured;
mod credentials_grant;
mod endings;
mod erasing;
mod requests;
mod results;

use crate::context::{Demand, MachineContext, ProfileFacts};
use crate::credentials_grant::CredentialsGrant;
use crate::effect::{Effect, Outbox};
use crate::error::{NotOwner, SignedOutReason};
use crate::input::{Input, Waiter};
use crate::inspections::Inspections;
use crate::kept_clients::KeptClients;
use crate::login::{Login, LoginEvent};
use crate::logout::{Revocations, SignOut};
use crate::notice::Notice;
use crate::policy::Settings;
use crate::registration::CallTarget;
use crate::rotation::{Rotation, RotationEvent};
use crate::session_file::{FileState, Observer, Seal};
use crate::sidecar_keeper::SidecarKeeper;
use crate::time::{Boot, Moment, ServerClock, Wake};
use crate::waiters::Waiters;
use everkey_proto::Secret;
use everkey_proto::reply::User;

/// One profile's sessions, sign-ins and waiting clients.
pub struct Profile {
    facts: ProfileFacts,
    outbox: Outbox,
    /// What the session file holds, with the rotation of the session in it.
    file: FileState,
    observer: Observer,
    seal: Seal,
    sidecar: SidecarKeeper,
    waiters: Waiters,
    login: Login,
    credentials_grant: CredentialsGrant,
    sign_out: SignOut,
    revocations: Revocations,
    inspections: Inspections,
}

/// What of a profile a machine may read while another part of the profile changes.
macro_rules! context {
    ($profile:ident, $now:expr) => {{
        let may_store = $profile.may_store();
        MachineContext {
            now: $now,
            facts: &$profile.facts,
            sidecar: $profile.sidecar.data(),
            may_send: may_store && $profile.seal.why().is_none() && !$profile.sidecar.is_behind(),
            may_store,
            demand: $profile.demand($now),
        }
    }};
}
pub(crate) use context;

impl Profile {
    /// A profile that has yet to read its files, and the effect that makes it do so.
    pub fn start(settings: Settings, now: &Moment) -> (Self, Vec<Effect>) {
        let mut profile = Self {
            facts: ProfileFacts {
                settings,
                owner: Ok(()),
                unpinned_server: None,
                server_clock: ServerClock::default(),
                clients: KeptClients::default(),
            },
            outbox: Outbox::default(),
            file: FileState::Unread,
            observer: Observer::new(now),
            seal: Seal::default(),
            sidecar: SidecarKeeper::default(),
            waiters: Waiters::default(),
            login: Login::default(),
            credentials_grant: CredentialsGrant::default(),
            sign_out: SignOut::default(),
            revocations: Revocations::default(),
            inspections: Inspections::default(),
        };
        profile.observer.read(true, &mut profile.outbox);
        let effects = profile.outbox.take();
        (profile, effects)
    }

    /// Applies one event and returns what to do. Never waits.
    pub fn handle(&mut self, now: &Moment, input: Input) -> Vec<Effect> {
        match input {
            Input::Request { waiter, expect, request } => self.request(now, waiter, expect, request),
            Input::Gone(waiter) => self.forget(waiter),
            Input::Done(op, done) => self.done(now, op, done),
            Input::Callback { waiter, listener, query } => {
                self.sign_in(now, LoginEvent::Callback { waiter, listener, query });
            }
            Input::Configured(settings) => self.configured(now, *settings),
            Input::ClientChanged => self.client_changed(now),
            Input::FileChanged => self.observer.read_soon(now),
            Input::FarewellDone(revocation) => self.revocations.farewell_done(revocation),
            Input::Tick => {}
        }
        self.pass(now);
        self.outbox.take()
    }

    /// When a [`Input::Tick`] is wanted at the latest, and why.
    pub fn due(&self, now: &Moment) -> Option<Wake> {
        let cx = context!(self, now);
        let is_owner = self.facts.owner.is_ok();
        [
            self.waiters.due(),
            self.file.rotation().and_then(|rotation| rotation.due(&cx)),
            self.observer.due(),
            self.sidecar.due(is_owner),
            self.revocations.due(is_owner, self.sign_out.erasing()),
            self.login.due(),
            self.credentials_grant_due(now),
            self.sign_out.due(),
            self.ending_due(now).filter(|_| is_owner),
        ]
        .into_iter()
        .flatten()
        .filter(|wake| wake.at != Boot::NEVER)
        .min_by_key(|wake| wake.at)
    }

    /// Whether work is under way that a shutdown should wait for: a refresh token sent, an outcome not stored.
    pub fn must_drain(&self) -> bool {
        self.file.rotation().is_some_and(Rotation::must_drain)
            || self.sidecar.is_writing()
            || self.login.is_storing()
            || self.sign_out.is_erasing()
            || self.revocations.has_abandoned()
    }

    /// Whether the files were read. Requests wait until they were.
    pub fn is_started(&self) -> bool {
        !matches!(self.file, FileState::Unread)
    }

    /// Who is signed in, if anybody is and the server says who.
    pub fn user(&self) -> Option<&User> {
        self.file.rotation().and_then(|rotation| rotation.session().holder.user.as_ref())
    }

    /// Unix seconds at which the access token expires, if there is one and somebody says.
    pub fn access_expires_at(&self) -> Option<u64> {
        self.file.rotation().and_then(|rotation| rotation.session().access_ends())
    }

    /// The access token that is handed out, while it works.
    pub fn working_access_token(&self, now: &Moment) -> Option<&Secret> {
        let cx = context!(self, now);
        let works =
            |one: &&Rotation| one.left_ms(now) > 0 && !one.is_refused() && one.withheld(&cx).is_none();
        self.file.rotation().filter(works).map(Rotation::handed)
    }

    /// Whether this agent may write the files and use their tokens.
    pub fn owner(&self) -> &Result<(), NotOwner> {
        &self.facts.owner
    }

    /// The server of the session in the file, or the one that a sign-in would use.
    pub fn server(&self) -> &str {
        let pin = self.sidecar.data().pin.as_ref();
        let usual = pin.map_or(self.facts.unpinned_server(), |pin| pin.server.as_str());
        let Some(rotation) = self.file.rotation() else { return usual };
        let ours = pin.is_some_and(|pin| pin.fingerprint == rotation.fingerprint());
        let named = rotation.session().holder.server.as_ref().filter(|_| !ours);
        named.map_or(usual, String::as_str)
    }

    /// Where the calls of the session in the file go.
    pub fn at(&self) -> CallTarget {
        let rotation = self.file.rotation();
        let registration = rotation.and_then(|rotation| rotation.session().holder.registration.clone());
        CallTarget { server: self.server().to_owned(), registration }
    }

    /// Re-establishes what must hold after every event.
    fn pass(&mut self, now: &Moment) {
        self.sign_in(now, LoginEvent::Due);
        self.end_if_expired(now);
        self.sign_out.expire(now, &mut self.outbox);
        self.erase_if_wanted(now);
        self.answer_waiters(now);
        self.refresh_if_due(now);
        self.ask_if_due(now);
        // What the step found out may leave somebody without hope.
        self.answer_waiters(now);
        self.read_file_if_due(now);
        self.announce_ending_if_due(now);
        self.write_sidecar_if_due(now);
        self.revoke_if_due(now);
    }

    fn end_if_expired(&mut self, now: &Moment) {
        let cx = context!(self, now);
        if let Some(why) = self.file.rotation_mut().and_then(|rotation| rotation.end_if_expired(&cx)) {
            self.outbox.notify(Notice::Ended(why));
        }
    }

    fn answer_waiters(&mut self, now: &Moment) {
        let cx = context!(self, now);
        self.waiters.answer(&cx, self.seal.why(), &self.file, &mut self.outbox);
    }

    fn refresh_if_due(&mut self, now: &Moment) {
        let cx = context!(self, now);
        let due = self.file.rotation().and_then(|rotation| rotation.refresh_due(&cx));
        if due.is_some_and(|due| due.at <= now.boot) {
            let forced = cx.demand.forced;
            self.rotate(now, RotationEvent::Due);
            if forced {
                self.waiters.force_is_used();
            }
        }
    }

    fn read_file_if_due(&mut self, now: &Moment) {
        if self.observer.due().is_some_and(|due| due.at <= now.boot) {
            // The lock may be free by now, the journal readable.
            let everything = self.facts.owner.is_err() || self.seal.why().is_some();
            self.observer.read(everything, &mut self.outbox);
        }
    }

    fn write_sidecar_if_due(&mut self, now: &Moment) {
        if self.sidecar.due(self.facts.owner.is_ok()).is_some_and(|due| due.at <= now.boot) {
            let needed =
                self.seal.why().is_some() || self.file.rotation().is_some_and(Rotation::needs_journal);
            self.sidecar.write(&self.facts.settings.machine, needed, &mut self.outbox);
        }
    }

    fn revoke_if_due(&mut self, now: &Moment) {
        let cx = context!(self, now);
        self.revocations.send_if_due(&cx, self.sign_out.erasing(), &mut self.outbox);
    }

    fn forget(&mut self, waiter: Waiter) {
        self.waiters.forget(waiter);
        self.login.forget(waiter);
        self.credentials_grant.forget(waiter);
        self.inspections.forget(waiter);
        self.sign_out.forget(waiter);
    }

    fn demand(&self, now: &Moment) -> Demand {
        let rotation = self.file.rotation();
        rotation.map(|rotation| self.waiters.demand(now, rotation)).unwrap_or_default()
    }

    /// Whether the session file is the rotation's to write.
    fn may_store(&self) -> bool {
        self.facts.owner.is_ok()
            && !self.observer.is_setting_aside()
            && !self.login.is_storing()
            && !self.sign_out.is_erasing()
    }

    /// Changes what the file holds and lets those go on who waited for the first time it was read.
    fn enter(&mut self, now: &Moment, file: FileState) {
        self.file = file;
        self.facts.unpinned_server = None;
        for (waiter, expect, ask) in self.waiters.take_early() {
            self.request(now, waiter, expect, ask);
        }
    }

    /// Nobody is signed in any more, for this reason.
    fn enter_signed_out(&mut self, now: &Moment, why: SignedOutReason) {
        self.enter(now, FileState::SignedOut(why));
    }
}
