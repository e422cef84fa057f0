//! Sign-ins under way: one a profile, outliving connections; a second caller joins.

use crate::Op;
use crate::ending::Abandoned;
use crate::event::{Answer, Found, LoginAnswer, NetJob, Replaced, StoreJob, Waiter};
use crate::profile::{Account, Profile};
use crate::record::{Grant, Pin};
use crate::rotation::{Fresh, SignedIn};
use crate::scheme::{Machine, Move};
use crate::time::{Boot, Moment};
use crate::trouble::{NetKind, NetTrouble, Notice, StoreKind, StoreTrouble, Trouble};
use everkey_proto::place::normal_server;
use everkey_proto::{FlowId, Secret};

/// How long a sign-in may take, in seconds.
const FLOW_SECS: u64 = 600;

/// A sign-in under way.
pub(crate) struct Flow {
    pub id: FlowId,
    pub until: Boot,
    /// Who waits for its next step.
    pub waiters: Vec<Waiter>,
    server: String,
    machine: Machine,
    stage: Stage,
}

enum Stage {
    Asking,
    /// The server is asked, since then.
    Calling(Op, Boot),
    /// The side-car is told what is to come.
    Remembering(Op, Box<Fresh>),
    /// The session file is written.
    Writing(Op, Box<Fresh>),
    /// Writing has failed; the file is read to see how far it got.
    Checking(Op, Box<Fresh>, StoreTrouble),
}

impl Flow {
    pub fn owns(&self, op: Op) -> bool {
        match &self.stage {
            Stage::Asking => false,
            Stage::Calling(mine, _)
            | Stage::Remembering(mine, _)
            | Stage::Writing(mine, _)
            | Stage::Checking(mine, ..) => *mine == op,
        }
    }

    /// Whether tokens have arrived and are being written.
    pub fn is_storing(&self) -> bool {
        match self.stage {
            Stage::Asking | Stage::Calling(..) => false,
            Stage::Remembering(..) | Stage::Writing(..) | Stage::Checking(..) => true,
        }
    }
}

impl Profile {
    pub(crate) fn begin_flow(&mut self, now: &Moment, waiter: Waiter, server: Option<String>) {
        if let Err(why) = &self.owner {
            return self.reply(waiter, Answer::Failed(Trouble::NotOwner(why.clone())));
        }
        if let Account::Unusable(why) = &self.account {
            return self.reply(waiter, Answer::Failed(Trouble::Store(why.clone())));
        }
        let server = server.map_or_else(|| self.server().to_owned(), |server| normal_server(&server));
        if let Account::In(held) = &self.account {
            let lapsed = held.over().is_some() || held.session.refresh_expires_at <= now.wall;
            if !lapsed && server == self.server() {
                let user = held.session.user.clone();
                return self.reply(waiter, Answer::SignedIn { user, already: true });
            }
        }
        match &mut self.flow {
            // A sign-in at another server is another sign-in; the person who begins it means that one.
            Some(flow) if flow.server == server || flow.is_storing() => {
                let question = flow.machine.question();
                flow.waiters.push(waiter);
                if let Some(question) = question {
                    self.advance(now, question);
                }
            }
            Some(_) | None => {
                if let Some(flow) = self.flow.take() {
                    self.end_flow(flow, Trouble::FlowGone);
                }
                let (machine, first) = Machine::begin(self.settings.policy.scheme);
                let [a, b, c, d, e, f, ..] = now.random("flow");
                self.flow = Some(Flow {
                    // 48 bits: every language's numbers hold it exactly.
                    id: FlowId(u64::from_le_bytes([a, b, c, d, e, f, 0, 0])),
                    until: now.boot.plus_secs(FLOW_SECS),
                    waiters: vec![waiter],
                    server,
                    machine,
                    stage: Stage::Asking,
                });
                self.advance(now, first);
            }
        }
    }

    pub(crate) fn answer_flow(&mut self, now: &Moment, waiter: Waiter, id: FlowId, text: Secret) {
        let Some(flow) = self.flow.as_mut().filter(|flow| flow.id == id) else {
            return self.reply(waiter, Answer::Failed(Trouble::FlowGone));
        };
        flow.waiters.push(waiter);
        if let Some(next) = flow.machine.answer(text) {
            self.advance(now, next);
        }
    }

    pub(crate) fn cancel_flow(&mut self, waiter: Waiter, id: FlowId) {
        match self.flow.take() {
            Some(flow) if flow.id == id && !flow.is_storing() => {
                self.end_flow(flow, Trouble::FlowGone);
                self.reply(waiter, Answer::LoggedOut(everkey_proto::reply::Revocation::NothingToDo));
            }
            other => {
                self.flow = other;
                self.reply(waiter, Answer::Failed(Trouble::FlowGone));
            }
        }
    }

    pub(crate) fn expire_flow(&mut self, now: &Moment) {
        if let Some(flow) = self.flow.take_if(|flow| flow.until <= now.boot && !flow.is_storing()) {
            self.end_flow(flow, Trouble::FlowGone);
        }
    }

    pub(crate) fn login_answered(&mut self, now: &Moment, op: Op, answer: LoginAnswer) {
        if let Some(abandoned) = self.take_abandoned(op) {
            if let LoginAnswer::Granted(grant) = answer {
                self.discard(now, abandoned, grant);
            }
            return;
        }
        let Some(flow) = self.flow.as_mut().filter(|flow| flow.owns(op)) else { return };
        let asked = match std::mem::replace(&mut flow.stage, Stage::Asking) {
            Stage::Calling(_, asked) => asked,
            Stage::Asking | Stage::Remembering(..) | Stage::Writing(..) | Stage::Checking(..) => now.boot,
        };
        match flow.machine.resume(answer) {
            Move::Finish(grant) => self.store_sign_in(now, asked, *grant),
            next @ (Move::Ask { .. } | Move::Call(_) | Move::Fail(_)) => self.advance(now, next),
        }
    }

    fn advance(&mut self, now: &Moment, next: Move) {
        let Some(flow) = &mut self.flow else { return };
        match next {
            Move::Ask { field, tries, again } => {
                let id = flow.id;
                for waiter in std::mem::take(&mut flow.waiters) {
                    self.reply(waiter, Answer::Asked { flow: id, field, tries, again: again.clone() });
                }
            }
            Move::Call(call) => {
                let server = flow.server.clone();
                let op = self.net(NetJob::Login { server, call });
                self.set_stage(Stage::Calling(op, now.boot));
            }
            Move::Finish(grant) => self.store_sign_in(now, now.boot, *grant),
            Move::Fail(trouble) => self.fail_flow(trouble),
        }
    }

    /// The pin is made durable first and counts once the file holds its token, so that a crash in between
    /// can't send one server's token to another.
    fn store_sign_in(&mut self, now: &Moment, asked: Boot, grant: Grant) {
        let Some(flow) = &self.flow else { return };
        let server = flow.server.clone();
        let Some(user) = grant.user.clone() else {
            let kind = NetKind::NotTheContract;
            return self.fail_flow(Trouble::Net(NetTrouble { server, kind }));
        };
        let fresh = Box::new(Fresh::arrived(now, asked, grant, user));
        self.sidecar.pending = Some(Pin {
            fingerprint: fresh.session.fingerprint(),
            server,
            capability: fresh.capability,
            lifetime_secs: fresh.lifetime_secs,
        });
        let op = self.store(StoreJob::Remember(self.sidecar.clone()));
        self.set_stage(Stage::Remembering(op, fresh));
    }

    pub(crate) fn sign_in_remembered(&mut self, now: &Moment, result: Result<(), StoreTrouble>) {
        let Some(Flow { stage: Stage::Remembering(_, fresh), .. }) = &self.flow else { return };
        let fresh = fresh.clone();
        match result {
            Ok(()) => {
                let session = fresh.session.clone();
                let op = self.store(StoreJob::Replace { parent: None, session });
                self.set_stage(Stage::Writing(op, fresh));
            }
            Err(why) => self.sign_in_not_stored(now, &fresh, why),
        }
    }

    pub(crate) fn sign_in_replaced(&mut self, now: &Moment, result: Result<Replaced, StoreTrouble>) {
        let Some(Flow { stage: Stage::Writing(_, fresh), .. }) = &self.flow else { return };
        let fresh = fresh.clone();
        match result {
            Ok(Replaced::Done) => self.signed_in(now, fresh),
            // With no parent given there is nothing to give way to; if it happens, the file is another's.
            Ok(Replaced::GaveWay(found)) => {
                let path = self.settings.session_file.clone();
                self.sign_in_not_stored(now, &fresh, StoreTrouble { path, kind: StoreKind::Damaged });
                self.looked(now, *found);
            }
            Err(why) => {
                let op = self.store(StoreJob::Look);
                self.set_stage(Stage::Checking(op, fresh, why));
            }
        }
    }

    /// What the file holds after a failed write decides: the old session must not be lost to a sign-in that failed,
    /// nor the new one be revoked while it is the file's.
    pub(crate) fn sign_in_checked(&mut self, now: &Moment, found: Found) {
        let Some(Flow { stage: Stage::Checking(_, fresh, why), .. }) = &self.flow else { return };
        let (fresh, why) = (fresh.clone(), why.clone());
        match found {
            Found::Session { session, .. } if session.fingerprint() == fresh.session.fingerprint() => {
                self.tell(Notice::StoreFailed(why));
                self.signed_in(now, fresh);
            }
            Found::Session { .. } | Found::Missing | Found::Damaged(_) | Found::Unusable(_) => {
                self.sign_in_not_stored(now, &fresh, why);
            }
        }
    }

    fn signed_in(&mut self, now: &Moment, fresh: Box<Fresh>) {
        let Some(server) = self.flow.as_ref().map(|flow| flow.server.clone()) else { return };
        self.leave(now, None);
        self.close_unjudged(now);
        self.tell_account_changed();
        self.sidecar.epoch = self.sidecar.epoch.saturating_add(1);
        self.sidecar.signing_out = None;
        self.sidecar.pending = None;
        self.pin_to(&fresh, server);
        self.books.must_write();
        let user = fresh.session.user.clone();
        let mut held = SignedIn::new(now, *fresh, self.settings.policy.margin_secs);
        held.vetted = true;
        self.account = Account::In(Box::new(held));
        self.tell(Notice::SignedIn);
        if let Some(flow) = self.flow.take() {
            for waiter in flow.waiters {
                self.reply(waiter, Answer::SignedIn { user: user.clone(), already: false });
            }
        }
    }

    /// Nothing has changed here; the session that nobody can keep is taken back.
    fn sign_in_not_stored(&mut self, now: &Moment, fresh: &Fresh, why: StoreTrouble) {
        let server = self.flow.as_ref().map(|flow| flow.server.clone()).unwrap_or_default();
        let revocation = crate::record::Revocation { server, ..self.revocation(now, &fresh.session) };
        self.queue_revocation(now, revocation);
        self.sidecar.pending = None;
        self.books.must_write();
        self.tell(Notice::StoreFailed(why.clone()));
        self.fail_flow(Trouble::Store(why));
    }

    fn fail_flow(&mut self, trouble: Trouble) {
        if let Some(flow) = self.flow.take() {
            self.end_flow(flow, trouble);
        }
    }

    fn end_flow(&mut self, flow: Flow, trouble: Trouble) {
        match flow.stage {
            Stage::Calling(op, _) => self.abandoned.push(Abandoned::to_revoke(op, flow.server)),
            Stage::Asking | Stage::Remembering(..) | Stage::Writing(..) | Stage::Checking(..) => {}
        }
        for waiter in flow.waiters {
            self.reply(waiter, Answer::Failed(trouble.clone()));
        }
    }

    fn set_stage(&mut self, stage: Stage) {
        if let Some(flow) = &mut self.flow {
            flow.stage = stage;
        }
    }
}
