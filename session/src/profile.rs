//! One profile: its state, and the one function that moves it.
//! Transitions only change state and start work; one pass after each event answers, starts and plans what follows.

use crate::answering::Waiting;
use crate::books::Books;
use crate::ending::Abandoned;
use crate::event::{Answer, Ask, Effect, Farewell, Input, Op, Waiter};
use crate::inspecting::Inspection;
use crate::job::{Done, NetJob, StoreJob};
use crate::looking::Look;
use crate::policy::Policy;
use crate::record::{Capability, Fingerprint, Revocation, Session, Sidecar};
use crate::registration::At;
use crate::rotation::SignedIn;
use crate::signing_in::Flow;
use crate::signing_out::{SigningOut, ToRevoke};
use crate::time::{Boot, Moment, ServerClock};
use crate::trouble::{NotOwner, Notice, Out, StoreTrouble, Trouble};
use everkey_proto::place::normal_server;
use everkey_proto::reply::User;
use everkey_proto::{Expect, FlowId, Secret};

/// What a profile is set up with.
#[derive(Debug, Clone)]
pub struct Settings {
    /// The contract of its provider.
    pub policy: Policy,
    /// The server to use where no sign-in has pinned one.
    pub server: String,
    /// The session file, to compare with what a client expects.
    pub session_file: String,
    /// Names this machine, so that a copied home folder is noticed.
    pub machine: String,
    /// Whether a revocation waits until its token was used for the last time; see [`Effect::Farewell`].
    pub announces_revocations: bool,
}

/// One profile's sessions, flows and waiting clients.
pub struct Profile {
    pub(crate) settings: Settings,
    pub(crate) account: Account,
    pub(crate) owner: Result<(), NotOwner>,
    pub(crate) sidecar: Sidecar,
    pub(crate) books: Books,
    pub(crate) look: Look,
    pub(crate) waiting: Vec<Waiting>,
    pub(crate) flow: Option<Flow>,
    /// How the last sign-in ended, for whoever asks for its next step a moment too late.
    pub(crate) ended: Option<(FlowId, Answer)>,
    pub(crate) signing_out: Option<SigningOut>,
    pub(crate) revocations: Vec<ToRevoke>,
    pub(crate) inspections: Vec<Inspection>,
    pub(crate) abandoned: Vec<Abandoned>,
    pub(crate) server_clock: ServerClock,
    /// The journal, or the file it is about, can't be read: nothing may be sent until both can, or until a
    /// sign-in replaces them.
    pub(crate) sealed: Option<StoreTrouble>,
    /// The token of the intent that is sealed in the journal.
    pub(crate) unjudged: Option<Fingerprint>,
    last_op: u64,
    effects: Vec<Effect>,
}

/// What the session file holds, as far as is known.
pub(crate) enum Account {
    /// Not read yet; requests wait.
    Starting(Vec<(Waiter, Expect, Ask)>),
    /// Nobody is signed in.
    Out(Out),
    /// The file can't be used.
    Unusable(StoreTrouble),
    /// A session.
    In(Box<SignedIn>),
}

impl Profile {
    /// A profile that has yet to read its files, and the effect that makes it do so.
    pub fn start(settings: Settings, now: &Moment) -> (Self, Vec<Effect>) {
        let mut profile = Self {
            settings,
            account: Account::Starting(Vec::new()),
            owner: Ok(()),
            sidecar: Sidecar::default(),
            books: Books::default(),
            look: Look::Rest { next: now.boot },
            waiting: Vec::new(),
            flow: None,
            ended: None,
            signing_out: None,
            revocations: Vec::new(),
            inspections: Vec::new(),
            abandoned: Vec::new(),
            server_clock: ServerClock::default(),
            sealed: None,
            unjudged: None,
            last_op: 0,
            effects: Vec::new(),
        };
        profile.read_everything();
        let effects = std::mem::take(&mut profile.effects);
        (profile, effects)
    }

    /// Who is signed in, if anybody is and the server says who.
    pub fn user(&self) -> Option<&User> {
        match &self.account {
            Account::In(held) => held.session.holder.user.as_ref(),
            Account::Starting(_) | Account::Out(_) | Account::Unusable(_) => None,
        }
    }

    /// Unix seconds at which the access token expires, if there is one and somebody says.
    pub fn access_expires_at(&self) -> Option<u64> {
        match &self.account {
            Account::In(held) => held.session.access_expires_at,
            Account::Starting(_) | Account::Out(_) | Account::Unusable(_) => None,
        }
    }

    /// Whether the files were read. Requests wait until they were.
    pub fn is_started(&self) -> bool {
        !matches!(self.account, Account::Starting(_))
    }

    /// The access token that is handed out, while it works.
    pub fn working_access_token(&self, now: &Moment) -> Option<&Secret> {
        match &self.account {
            Account::In(held) => (held.left_ms(now) > 0).then(|| held.handed()),
            Account::Starting(_) | Account::Out(_) | Account::Unusable(_) => None,
        }
    }

    /// Whether this agent may write the files and use their tokens.
    pub fn owner(&self) -> &Result<(), NotOwner> {
        &self.owner
    }

    /// Applies one event and returns what to do. Never waits.
    pub fn handle(&mut self, now: &Moment, input: Input) -> Vec<Effect> {
        match input {
            Input::Ask { waiter, expect, ask } => self.ask(now, waiter, expect, ask),
            Input::Gone(waiter) => self.gone(waiter),
            Input::Done(op, done) => self.done(now, op, done),
            Input::Callback { waiter, listener, query } => self.came_back(now, waiter, listener, &query),
            Input::FileChanged => self.look_soon(now),
            Input::FarewellDone(revocation) => self.farewell_done(revocation),
            Input::Tick => {}
        }
        self.pass(now);
        std::mem::take(&mut self.effects)
    }

    /// When a [`Input::Tick`] is wanted at the latest.
    pub fn next_wake(&self, now: &Moment) -> Option<Boot> {
        [
            self.waiting.iter().map(|w| w.deadline).min(),
            self.refresh_at(now),
            self.look_at(),
            self.books_at(),
            self.revoke_at(),
            self.flow.as_ref().and_then(Flow::next),
            self.expires_at(),
            self.signing_out.as_ref().and_then(SigningOut::until),
        ]
        .into_iter()
        .flatten()
        .min()
    }

    /// Whether work is under way that a shutdown should wait for: a refresh token sent, an outcome not stored.
    pub fn must_drain(&self) -> bool {
        let rotating = match &self.account {
            Account::In(held) => held.rotation.must_drain(),
            Account::Starting(_) | Account::Out(_) | Account::Unusable(_) => false,
        };
        rotating
            || self.books.is_under_way()
            || self.flow.as_ref().is_some_and(Flow::is_storing)
            || self.signing_out.as_ref().is_some_and(SigningOut::is_erasing)
            || !self.abandoned.is_empty()
    }

    fn ask(&mut self, now: &Moment, waiter: Waiter, expect: Expect, ask: Ask) {
        if let Account::Starting(early) = &mut self.account {
            early.push((waiter, expect, ask));
            return;
        }
        if let Err(trouble) = self.check_expected(&expect, ask.is_bound_to_server()) {
            return self.reply(waiter, Answer::Failed(trouble));
        }
        match ask {
            Ask::Whoami => self.whoami(waiter),
            Ask::Status => self.status(now, waiter),
            Ask::Token { min_validity_secs } => self.want_token(now, waiter, min_validity_secs),
            Ask::Better { than } => self.want_better(now, waiter, than),
            Ask::Refresh { force } => self.want_refresh(now, waiter, force),
            Ask::Login { scheme } => self.begin_flow(now, waiter, expect.server, scheme),
            Ask::Wait { flow } => self.wait_for_flow(now, waiter, flow),
            Ask::Inspect { token } => self.inspect(waiter, expect.server, token),
            Ask::Answer { flow, text } => self.answer_flow(now, waiter, flow, text),
            Ask::Cancel { flow } => self.cancel_flow(now, waiter, flow),
            Ask::Logout => self.sign_out(waiter),
        }
    }

    /// A caller that counts on another file than the agent uses is told so; one that counts on another server only
    /// if the request is `bound` to the session's server.
    pub fn check_expected(&self, expect: &Expect, bound: bool) -> Result<(), Trouble> {
        if let Some(client) = expect.session_file.as_ref().filter(|file| **file != self.settings.session_file)
        {
            let agent = self.settings.session_file.clone();
            return Err(Trouble::OtherFile { agent, client: client.clone() });
        }
        // A token that somebody wrote into the file by hand was never bound to a server.
        let signed_in = matches!(&self.account, Account::In(held) if !held.session.is_only_fixed());
        match &expect.server {
            Some(client) if bound && signed_in && normal_server(client) != self.server() => {
                Err(Trouble::OtherServer { agent: self.server().to_owned(), client: client.clone() })
            }
            Some(_) | None => Ok(()),
        }
    }

    /// The server that tokens of the session in the file may be sent to: the one that they came from. For a session
    /// that another program wrote, the one that its file names.
    pub fn server(&self) -> &str {
        match &self.account {
            Account::In(held) => self.server_of(&held.session),
            Account::Starting(_) | Account::Out(_) | Account::Unusable(_) => self.usual_server(),
        }
    }

    fn server_of<'a>(&'a self, session: &'a Session) -> &'a str {
        let ours = self.sidecar.pin.as_ref().is_some_and(|pin| pin.fingerprint == session.fingerprint());
        let named = session.holder.server.as_ref().filter(|_| !ours);
        named.map_or_else(|| self.usual_server(), String::as_str)
    }

    /// The server of a session that does not name its own.
    fn usual_server(&self) -> &str {
        self.sidecar.pin.as_ref().map_or(&self.settings.server, |pin| &pin.server)
    }

    /// What the server of the session in the file promises; what another one promised says nothing about it.
    pub(crate) fn capability(&self) -> Capability {
        let pin = self.sidecar.pin.as_ref().filter(|pin| pin.server == self.server());
        pin.map(|pin| pin.capability).unwrap_or_default()
    }

    fn gone(&mut self, waiter: Waiter) {
        self.waiting.retain(|w| w.waiter != waiter);
        if let Account::Starting(early) = &mut self.account {
            early.retain(|(w, ..)| *w != waiter);
        }
        if let Some(flow) = &mut self.flow {
            flow.forget(waiter);
        }
        self.inspections.retain(|inspection| inspection.waiter != waiter);
        if let Some(signing_out) = &mut self.signing_out {
            signing_out.waiters.retain(|w| *w != waiter);
        }
    }

    /// Each completion goes to the one part that started the work; nobody's is a leftover and is dropped.
    fn done(&mut self, now: &Moment, op: Op, done: Done) {
        match done {
            Done::Loaded(loaded) if self.look.owns(op) => self.loaded(now, *loaded),
            // Read before something else was found out, so older than what is known.
            Done::Loaded(_) => {}
            Done::Looked(found) if self.look.owns(op) => self.looked(now, *found),
            Done::Looked(found) if self.flow.as_ref().is_some_and(|flow| flow.owns(op)) => {
                self.sign_in_checked(now, *found);
            }
            Done::Looked(found) => self.looked_before_use(now, op, *found),
            Done::SetAside(result) => self.set_aside(now, op, result),
            Done::Connected(result) => self.connected(now, op, result),
            Done::Answered(answer, server_time) => self.answered(now, op, *answer, server_time),
            Done::Probed(probe, server_time) => self.probed(now, op, probe, server_time),
            Done::Replaced(result) => self.replaced(now, op, result),
            Done::Stored(result) => self.stored(now, op, result),
            Done::Erased(result) => self.erased(now, op, result),
            Done::LoginAnswered(answer) => self.login_answered(now, op, *answer),
            Done::Revoked(answer) => self.revoked(now, op, answer),
            Done::Identified(identity) => self.identified(op, identity),
            Done::Listening(port) => self.listening(now, op, port),
        }
    }

    fn stored(&mut self, now: &Moment, op: Op, result: Result<(), StoreTrouble>) {
        if self.books.owns(op) {
            self.books_stored(now, result);
        } else if self.flow.as_ref().is_some_and(|flow| flow.owns(op)) {
            self.sign_in_remembered(now, result);
        } else {
            self.rotation_stored(now, op, result);
        }
    }

    /// Re-establishes what must hold after every event.
    fn pass(&mut self, now: &Moment) {
        self.wake_flow(now);
        self.expire_flow(now);
        self.end_if_expired(now);
        self.expire_sign_out(now);
        self.erase_if_wanted(now);
        self.answer_waiting(now);
        self.start_refresh_if_due(now);
        // What the step found out may leave somebody without hope.
        self.answer_waiting(now);
        self.look_if_due(now);
        self.settle_if_due(now);
        self.revoke_if_due(now);
    }

    /// Requests that came before the files were read.
    pub(crate) fn replay_early(&mut self, now: &Moment, early: Vec<(Waiter, Expect, Ask)>) {
        for (waiter, expect, ask) in early {
            self.ask(now, waiter, expect, ask);
        }
    }

    pub(crate) fn store(&mut self, job: StoreJob) -> Op {
        let op = self.next_op();
        self.effects.push(Effect::Store(op, Box::new(job)));
        op
    }

    pub(crate) fn net(&mut self, job: NetJob) -> Op {
        let op = self.next_op();
        self.effects.push(Effect::Net(op, job));
        op
    }

    /// Sends on the connection that `op` opened.
    pub(crate) fn net_on(&mut self, op: Op, job: NetJob) {
        self.effects.push(Effect::Net(op, job));
    }

    pub(crate) fn cancel(&mut self, op: Op) {
        self.effects.push(Effect::Cancel(op));
    }

    pub(crate) fn reply(&mut self, waiter: Waiter, answer: Answer) {
        self.effects.push(Effect::Reply(waiter, Box::new(answer)));
    }

    /// Announces a revocation.
    pub(crate) fn say_farewell(&mut self, farewell: Farewell) {
        self.effects.push(Effect::Farewell(farewell));
    }

    pub(crate) fn tell(&mut self, notice: Notice) {
        self.effects.push(Effect::Tell(notice));
    }

    pub(crate) fn revocation(&self, now: &Moment, session: &Session) -> Revocation {
        let [a, b, c, d, e, f, ..] = now.random("revocation");
        let server = match &self.account {
            // It is this account's session, or the successor of it.
            Account::In(_) => self.server(),
            Account::Starting(_) | Account::Out(_) | Account::Unusable(_) => self.server_of(session),
        };
        Revocation {
            id: u64::from_le_bytes([a, b, c, d, e, f, 0, 0]) ^ self.last_op,
            at: At { server: server.to_owned(), registration: session.holder.registration.clone() },
            access: session.access.clone(),
            access_expires_at: session.access_expires_at,
            refresh: session.refresh.clone(),
            until: now.wall.saturating_add(crate::record::REVOCATION_KEPT_SECS),
            user: session.holder.user.as_ref().map(|user| user.email.clone()),
        }
    }

    fn next_op(&mut self) -> Op {
        self.last_op += 1;
        Op(self.last_op)
    }
}
