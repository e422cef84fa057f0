//! Sign-ins under way: one a profile, outliving connections; a second caller joins.

mod storing;

use crate::Op;
use crate::ending::Abandoned;
use crate::event::{Answer, Waiter};
use crate::job::{LoginAnswer, NetJob};
use crate::profile::{Account, Profile};
use crate::registration::At;
use crate::rotation::Fresh;
use crate::scheme::{Machine, Move, Question};
use crate::time::{Boot, Moment};
use crate::trouble::{Rejected, StoreTrouble, Trouble};
use everkey_proto::place::normal_server;
use everkey_proto::{FlowId, Scheme, Secret};

/// How long whoever waits for the next step is kept waiting, in milliseconds.
const PATIENCE_MS: u64 = 20_000;

/// A sign-in under way.
pub(crate) struct Flow {
    pub id: FlowId,
    pub until: Boot,
    /// Who waits for its next step.
    waiters: Vec<Waiting>,
    server: String,
    machine: Machine,
    /// Where browsers come back to.
    listener: Option<Op>,
    stage: Stage,
}

/// Who waits for a step of a flow.
struct Waiting {
    waiter: Waiter,
    /// When the step that is known already will do; none means that only another one does.
    until: Option<Boot>,
}

enum Stage {
    Asking,
    /// The server is asked, since then.
    Calling(Op, Boot),
    /// A port is being opened.
    Listening(Op),
    /// Woken then.
    Sleeping(Boot),
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
            Stage::Asking | Stage::Sleeping(_) => false,
            Stage::Calling(mine, _)
            | Stage::Listening(mine)
            | Stage::Remembering(mine, _)
            | Stage::Writing(mine, _)
            | Stage::Checking(mine, ..) => *mine == op,
        }
    }

    /// Whether tokens have arrived and are being written.
    pub fn is_storing(&self) -> bool {
        match self.stage {
            Stage::Asking | Stage::Calling(..) | Stage::Listening(_) | Stage::Sleeping(_) => false,
            Stage::Remembering(..) | Stage::Writing(..) | Stage::Checking(..) => true,
        }
    }

    /// When something is to happen though nobody says anything.
    pub fn next(&self) -> Option<Boot> {
        if self.is_storing() {
            return None;
        }
        let wake = match self.stage {
            Stage::Sleeping(wake) => Some(wake),
            Stage::Asking
            | Stage::Calling(..)
            | Stage::Listening(_)
            | Stage::Remembering(..)
            | Stage::Writing(..)
            | Stage::Checking(..) => None,
        };
        let patience =
            self.machine.question().and_then(|_| self.waiters.iter().filter_map(|w| w.until).min());
        [Some(self.until), wake, patience].into_iter().flatten().min()
    }

    pub fn forget(&mut self, waiter: Waiter) {
        self.waiters.retain(|w| w.waiter != waiter);
    }
}

impl Profile {
    pub(crate) fn begin_flow(
        &mut self,
        now: &Moment,
        waiter: Waiter,
        server: Option<String>,
        scheme: Option<Scheme>,
    ) {
        let offered = &self.settings.policy.schemes;
        let Some(scheme) =
            scheme.map_or(offered.first(), |scheme| offered.iter().find(|one| **one == scheme))
        else {
            return self.reply(waiter, Answer::Failed(Trouble::NoSuchScheme(offered.clone())));
        };
        let scheme = *scheme;
        if let Err(why) = &self.owner {
            return self.reply(waiter, Answer::Failed(Trouble::NotOwner(why.clone())));
        }
        if let Account::Unusable(why) = &self.account {
            return self.reply(waiter, Answer::Failed(Trouble::Store(why.clone())));
        }
        let server = server.map_or_else(|| self.server().to_owned(), |server| normal_server(&server));
        if let Account::In(held) = &self.account {
            let session = &held.session;
            let ended = session.refresh_expires_at.is_some_and(|at| at <= now.wall);
            // A pasted token is meant to replace the one that is there.
            let again = held.over().is_some() || ended || session.is_only_fixed() || scheme == Scheme::Token;
            if !again && server == self.server() {
                let user = session.holder.user.clone();
                return self.reply(waiter, Answer::SignedIn { user, already: true });
            }
        }
        match &mut self.flow {
            // A sign-in at another server is another sign-in; the person who begins it means that one.
            Some(flow) if flow.is_storing() || flow.server == server && flow.machine.scheme() == scheme => {
                let question = flow.machine.question();
                flow.waiters.push(Waiting { waiter, until: None });
                if let Some(question) = question {
                    self.put(now, &question);
                }
            }
            Some(_) | None => {
                if let Some(flow) = self.flow.take() {
                    self.end_flow(now, flow, Trouble::FlowGone);
                }
                let oauth = self.settings.policy.oauth.as_ref();
                let (machine, first) = Machine::begin(now, scheme, &server, oauth);
                let [a, b, c, d, e, f, ..] = now.random("flow");
                self.flow = Some(Flow {
                    // 48 bits: every language's numbers hold it exactly.
                    id: FlowId(u64::from_le_bytes([a, b, c, d, e, f, 0, 0])),
                    until: now.boot.plus_secs(machine.patience_secs()),
                    waiters: vec![Waiting { waiter, until: None }],
                    server,
                    machine,
                    listener: None,
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
        flow.waiters.push(Waiting { waiter, until: None });
        match flow.machine.answer(text) {
            Some(Move::Stray) => self.turn_away(waiter),
            Some(next) => self.advance(now, next),
            None => {}
        }
    }

    /// A browser came back. It is answered like anybody who waits: once the sign-in has ended.
    pub(crate) fn came_back(&mut self, now: &Moment, waiter: Waiter, listener: Op, query: &Secret) {
        let Some(flow) = self.flow.as_mut().filter(|flow| flow.listener == Some(listener)) else {
            return self.reply(waiter, Answer::Failed(Trouble::FlowGone));
        };
        flow.waiters.push(Waiting { waiter, until: None });
        match flow.machine.came_back(query) {
            Move::Stray => self.turn_away(waiter),
            next => self.advance(now, next),
        }
    }

    fn turn_away(&mut self, waiter: Waiter) {
        if let Some(flow) = &mut self.flow {
            flow.forget(waiter);
        }
        self.reply(waiter, Answer::Failed(Trouble::Rejected(Rejected::Stray)));
    }

    /// The next step: somebody else may answer, or the world.
    pub(crate) fn wait_for_flow(&mut self, now: &Moment, waiter: Waiter, id: FlowId) {
        let Some(flow) = self.flow.as_mut().filter(|flow| flow.id == id) else {
            let how = self.ended.clone().filter(|(ended, _)| *ended == id).map(|(_, how)| how);
            return self.reply(waiter, how.unwrap_or(Answer::Failed(Trouble::FlowGone)));
        };
        flow.waiters.push(Waiting { waiter, until: Some(now.boot.plus_ms(PATIENCE_MS)) });
    }

    /// Wakes the scheme when it asked for it, and repeats the step to who has waited long enough for another.
    pub(crate) fn wake_flow(&mut self, now: &Moment) {
        let Some(flow) = &mut self.flow else { return };
        if matches!(flow.stage, Stage::Sleeping(wake) if wake <= now.boot) {
            flow.stage = Stage::Asking;
            if let Some(next) = flow.machine.wake(now) {
                self.advance(now, next);
            }
        }
        let Some(flow) = &mut self.flow else { return };
        let Some(question) = flow.machine.question() else { return };
        let (id, until) = (flow.id, now.wall_at(flow.until));
        let patient = |w: &Waiting| w.until.is_none_or(|until| until > now.boot);
        let (staying, told): (Vec<_>, Vec<_>) =
            std::mem::take(&mut flow.waiters).into_iter().partition(patient);
        flow.waiters = staying;
        for Waiting { waiter, .. } in told {
            self.reply(waiter, asked(id, until, &question));
        }
    }

    pub(crate) fn listening(&mut self, now: &Moment, op: Op, port: Result<u16, String>) {
        let Some(flow) = self.flow.as_mut().filter(|flow| flow.owns(op)) else { return };
        flow.stage = Stage::Asking;
        match port {
            Ok(port) => {
                if let Some(next) = flow.machine.listening(port) {
                    self.advance(now, next);
                }
            }
            Err(why) => self.fail_flow(now, Trouble::CantListen(why)),
        }
    }

    pub(crate) fn cancel_flow(&mut self, now: &Moment, waiter: Waiter, id: FlowId) {
        match self.flow.take() {
            Some(flow) if flow.id == id && !flow.is_storing() => {
                self.end_flow(now, flow, Trouble::FlowGone);
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
            self.end_flow(now, flow, Trouble::FlowGone);
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
            Stage::Asking
            | Stage::Listening(_)
            | Stage::Sleeping(_)
            | Stage::Remembering(..)
            | Stage::Writing(..)
            | Stage::Checking(..) => now.boot,
        };
        match flow.machine.resume(now, answer) {
            Move::Finish(grant, registration) => self.store_sign_in(now, asked, *grant, registration),
            next => self.advance(now, next),
        }
    }

    fn advance(&mut self, now: &Moment, next: Move) {
        let Some(flow) = &mut self.flow else { return };
        match next {
            Move::Ask(question) => self.put(now, &question),
            Move::Sleep { secs, show } => {
                self.set_stage(Stage::Sleeping(now.boot.plus_secs(secs)));
                if let Some(question) = show {
                    self.put(now, &question);
                }
            }
            Move::Listen => {
                let op = self.net(NetJob::Listen);
                if let Some(flow) = &mut self.flow {
                    flow.listener = Some(op);
                }
                self.set_stage(Stage::Listening(op));
            }
            // Nobody said anything that could be.
            Move::Stray => {}
            Move::Call(call) => {
                let server = flow.server.clone();
                let op = self.net(NetJob::Login { server, call });
                self.set_stage(Stage::Calling(op, now.boot));
            }
            Move::Finish(grant, registration) => self.store_sign_in(now, now.boot, *grant, registration),
            Move::Fail(trouble) => self.fail_flow(now, trouble),
        }
    }

    /// Everybody who waits is asked.
    fn put(&mut self, now: &Moment, question: &Question) {
        let Some(flow) = &mut self.flow else { return };
        let (id, until) = (flow.id, now.wall_at(flow.until));
        for Waiting { waiter, .. } in std::mem::take(&mut flow.waiters) {
            self.reply(waiter, asked(id, until, question));
        }
    }

    fn fail_flow(&mut self, now: &Moment, trouble: Trouble) {
        if let Some(flow) = self.flow.take() {
            self.end_flow(now, flow, trouble);
        }
    }

    /// Tokens that have arrived, or still arrive, are taken back.
    fn end_flow(&mut self, now: &Moment, flow: Flow, trouble: Trouble) {
        self.stop_listening(&flow);
        let at = At { server: flow.server, registration: flow.machine.registration().cloned() };
        if let Some(grant) = flow.machine.tokens() {
            self.take_back(now, at.clone(), grant.clone());
        }
        match flow.stage {
            Stage::Calling(op, _) => self.abandoned.push(Abandoned::to_revoke(op, at)),
            Stage::Asking
            | Stage::Listening(_)
            | Stage::Sleeping(_)
            | Stage::Remembering(..)
            | Stage::Writing(..)
            | Stage::Checking(..) => {}
        }
        let how = Answer::Failed(trouble);
        for Waiting { waiter, .. } in flow.waiters {
            self.reply(waiter, how.clone());
        }
        self.ended = Some((flow.id, how));
    }

    fn stop_listening(&mut self, flow: &Flow) {
        if let Some(listener) = flow.listener {
            self.cancel(listener);
        }
    }

    fn set_stage(&mut self, stage: Stage) {
        if let Some(flow) = &mut self.flow {
            flow.stage = stage;
        }
    }
}

/// The question as it is answered to whoever waits; `until` is when the flow ends, in unix seconds.
fn asked(flow: FlowId, until: u64, question: &Question) -> Answer {
    match question.clone() {
        Question::Field { field, tries, again, sent } => Answer::Asked { flow, field, tries, again, sent },
        Question::Show(shown) => Answer::Shown { flow, shown },
        Question::Open(page) => Answer::Opened { flow, page, expires_at: until },
    }
}
