//! The sign-in machine: what comes in, what it reports, and when it wants to be woken. `store.rs` is its last part.

use crate::context::MachineContext;
use crate::effect::Outbox;
use crate::error::{Error, ListenError, Rejected, StoreError};
use crate::input::{Op, Waiter};
use crate::jobs::{FileContent, NetJob, Replaced};
use crate::kept_clients::ClientNews;
use crate::kept_sign_in::KeptSignIn;
use crate::login::flow::{Flow, FlowStage};
use crate::login::next_step::NextStep;
use crate::login_call::LoginAnswer;
use crate::registration::{CallTarget, Registration};
use crate::reply::ProfileReply;
use crate::rotation::ArrivedSession;
use crate::sidecar::Pin;
use crate::time::{Boot, Moment, Wake};
use crate::token_response::TokenResponse;
use everkey_proto::request::UnderWay;
use everkey_proto::{Entry, FlowId, Secret, SignInMethod};

/// How long whoever waits for the next step is kept waiting, in milliseconds.
const PATIENCE_MS: u64 = 20_000;

#[derive(Default)]
pub(crate) struct Login {
    pub(super) flow: Option<Flow>,
    /// How the last sign-in ended, for whoever asks for its next step a moment too late.
    pub(super) ended: Option<(FlowId, ProfileReply)>,
    /// Where browsers came back to in it.
    ended_listener: Option<Op>,
}

/// What happens to a sign-in.
pub(crate) enum LoginEvent {
    /// Somebody wants one; `under_way` says what becomes of the one that is under way.
    Begin {
        waiter: Waiter,
        server: String,
        scheme: SignInMethod,
        under_way: Option<UnderWay>,
    },
    /// The agent itself asks for a session that takes nobody.
    Ask {
        server: String,
        scheme: SignInMethod,
    },
    /// Somebody answers its question.
    Answer {
        waiter: Waiter,
        flow: FlowId,
        entry: Entry,
    },
    /// Somebody waits for its next step.
    Wait {
        waiter: Waiter,
        flow: FlowId,
    },
    /// Somebody ends it for everybody.
    Cancel {
        waiter: Waiter,
        flow: FlowId,
    },
    /// Somebody gives it up for themselves.
    Leave {
        waiter: Waiter,
        flow: FlowId,
    },
    /// A browser came back. It is answered like anybody who waits: once the sign-in has ended.
    Callback {
        waiter: Waiter,
        listener: Op,
        query: Secret,
    },
    Listening(Op, Result<u16, ListenError>),
    Answered(Op, LoginAnswer),
    /// The disk keeps the sign-in, or the side-car has noted what is to come.
    Stored(Result<(), StoreError>),
    Replaced(Result<Replaced, StoreError>),
    /// The file was read after writing it failed.
    Checked(FileContent),
    /// An earlier life of the agent has kept a sign-in.
    Kept(Box<KeptSignIn>),
    /// The time given by `due` may have come.
    Due,
}

/// What a sign-in reports to its profile.
pub(crate) enum LoginOutcome {
    /// Tokens have arrived, asked for then; the profile says what else the session file holds and has them stored.
    Granted { asked: Boot, tokens: Box<TokenResponse>, registration: Option<Box<Registration>> },
    /// The side-car is to remember this sign-in until the file holds its token.
    Pending(Pin),
    /// The session file holds the session.
    SignedIn(Box<ArrivedSession>, String),
    /// The session could not be stored: the server is to forget it.
    NotStored(CallTarget, Box<ArrivedSession>, StoreError),
    /// What the session file holds instead.
    Observed(FileContent),
    /// Tokens have arrived that nobody wants any more.
    TakeBack(CallTarget, Box<TokenResponse>),
    /// The answer to this call is not wanted any more.
    Abandoned(Op, CallTarget),
    /// What the next sign-in is to know of this one's OAuth client.
    Client(ClientNews),
    /// It has failed, and whoever waited knows.
    Failed(Error),
}

impl Login {
    pub fn handle(&mut self, cx: &MachineContext, event: LoginEvent, out: &mut Outbox) -> Vec<LoginOutcome> {
        match event {
            LoginEvent::Begin { waiter, server, scheme, under_way } => {
                self.want(cx, waiter, server, scheme, under_way, out)
            }
            LoginEvent::Ask { server, scheme } => self.ask(cx, server, scheme, out),
            LoginEvent::Answer { waiter, flow, entry } => self.answer(cx.now, waiter, flow, entry, out),
            LoginEvent::Wait { waiter, flow } => {
                self.wait(cx.now, waiter, flow, out);
                Vec::new()
            }
            LoginEvent::Cancel { waiter, flow } => self.cancel(waiter, flow, out),
            LoginEvent::Leave { waiter, flow } => self.leave(waiter, flow, out),
            LoginEvent::Callback { waiter, listener, query } => {
                self.called_back(cx.now, waiter, listener, &query, out)
            }
            LoginEvent::Listening(op, port) => self.listening(cx.now, op, port, out),
            LoginEvent::Answered(op, answer) => self.answered(cx.now, op, answer, out),
            LoginEvent::Stored(result) => self.stored(cx.now, result, out),
            LoginEvent::Replaced(result) => self.replaced(cx, result, out),
            LoginEvent::Checked(found) => self.checked(found, out),
            LoginEvent::Kept(kept) => {
                self.resume(cx, *kept, out);
                Vec::new()
            }
            LoginEvent::Due => self.wake(cx.now, out),
        }
    }

    pub fn due(&self) -> Option<Wake> {
        self.flow.as_ref().and_then(Flow::due)
    }

    pub fn owns(&self, op: Op) -> bool {
        self.flow.as_ref().is_some_and(|flow| flow.owns(op))
    }

    pub fn is_under_way(&self) -> bool {
        self.flow.is_some()
    }

    /// Whether tokens have arrived and are being written.
    pub fn is_storing(&self) -> bool {
        self.flow.as_ref().is_some_and(Flow::is_storing)
    }

    pub fn forget(&mut self, waiter: Waiter) {
        if let Some(flow) = &mut self.flow {
            flow.forget(waiter);
        }
    }

    /// How the last sign-in ended counts no more.
    pub fn forget_last(&mut self) {
        self.ended = None;
    }

    /// The sign-in has ended well, and everybody who waits learns it.
    pub fn finish(&mut self, how: ProfileReply, out: &mut Outbox) {
        if let Some(flow) = self.flow.take() {
            flow.close(out);
            self.ended_listener = flow.listener;
            out.reply_all(flow.waiters.into_iter().map(|one| one.waiter), &how);
            self.ended = Some((flow.id, how));
        }
    }

    /// The sign-in has failed. Tokens that have arrived, or still arrive, are taken back.
    pub fn fail(&mut self, why: Error, out: &mut Outbox) -> Vec<LoginOutcome> {
        let Some(flow) = self.flow.take() else { return Vec::new() };
        flow.close(out);
        self.ended_listener = flow.listener;
        let mut outcomes = Vec::new();
        if let Some(tokens) = flow.machine.tokens() {
            outcomes.push(LoginOutcome::TakeBack(flow.target(), Box::new(tokens.clone())));
        }
        if let FlowStage::Calling(op, _) = flow.stage {
            outcomes.push(LoginOutcome::Abandoned(op, flow.target()));
        }
        outcomes.extend(flow.machine.given_up().map(LoginOutcome::Client));
        outcomes.push(LoginOutcome::Failed(why.clone()));
        let how = ProfileReply::Failed(why);
        out.reply_all(flow.waiters.into_iter().map(|one| one.waiter), &how);
        self.ended = Some((flow.id, how));
        outcomes
    }

    /// How a sign-in ended, as far as that is known.
    fn ending_of(&self, id: FlowId) -> ProfileReply {
        let how = self.ended.clone().filter(|(ended, _)| *ended == id).map(|(_, how)| how);
        how.unwrap_or(ProfileReply::Failed(Error::FlowGone))
    }

    fn answer(
        &mut self,
        now: &Moment,
        waiter: Waiter,
        id: FlowId,
        entry: Entry,
        out: &mut Outbox,
    ) -> Vec<LoginOutcome> {
        let Some(flow) = self.flow.as_mut().filter(|flow| flow.id == id) else {
            // What was typed went nowhere, also if the sign-in has ended well.
            let failed = |how: &ProfileReply| matches!(how, ProfileReply::Failed(_));
            let how = Some(self.ending_of(id)).filter(failed);
            out.reply(waiter, how.unwrap_or(ProfileReply::Failed(Error::FlowGone)));
            return Vec::new();
        };
        flow.wait(waiter, None);
        let next = flow.machine.answer(entry);
        let news = flow.machine.take_news().map(LoginOutcome::Client);
        let outcomes = match next {
            Some(NextStep::Stray) => self.turn_away(waiter, out),
            Some(next) => self.advance(now, next, out),
            None => Vec::new(),
        };
        news.into_iter().chain(outcomes).collect()
    }

    fn called_back(
        &mut self,
        now: &Moment,
        waiter: Waiter,
        listener: Op,
        query: &Secret,
        out: &mut Outbox,
    ) -> Vec<LoginOutcome> {
        let Some(flow) = self.flow.as_mut().filter(|flow| flow.listener == Some(listener)) else {
            let how = self.ended.clone().filter(|_| self.ended_listener == Some(listener));
            out.reply(waiter, how.map_or(ProfileReply::Failed(Error::FlowGone), |(_, how)| how));
            return Vec::new();
        };
        flow.wait(waiter, None);
        if flow.is_storing() {
            return Vec::new();
        }
        let next = flow.machine.came_back(query);
        let news = flow.machine.take_news().map(LoginOutcome::Client);
        let outcomes = match next {
            NextStep::Stray => self.turn_away(waiter, out),
            next => self.advance(now, next, out),
        };
        news.into_iter().chain(outcomes).collect()
    }

    fn turn_away(&mut self, waiter: Waiter, out: &mut Outbox) -> Vec<LoginOutcome> {
        self.forget(waiter);
        out.reply(waiter, ProfileReply::Failed(Error::Rejected(Rejected::Stray)));
        Vec::new()
    }

    /// Waits for the next step: somebody else may answer, or the world.
    fn wait(&mut self, now: &Moment, waiter: Waiter, id: FlowId, out: &mut Outbox) {
        match self.flow.as_mut().filter(|flow| flow.id == id) {
            Some(flow) => flow.wait(waiter, Some(now.boot.plus_ms(PATIENCE_MS))),
            None => out.reply(waiter, self.ending_of(id)),
        }
    }

    /// Wakes the scheme when it asked for it, repeats the step to who has waited long enough, and ends what took too
    /// long.
    fn wake(&mut self, now: &Moment, out: &mut Outbox) -> Vec<LoginOutcome> {
        let mut outcomes = Vec::new();
        let Some(flow) = &mut self.flow else { return outcomes };
        if matches!(flow.stage, FlowStage::Sleeping(wake) if wake <= now.boot) {
            flow.stage = FlowStage::Prompting;
            if let Some(next) = flow.machine.wake(now) {
                outcomes.extend(self.advance(now, next, out));
            }
        }
        if let Some(flow) = &mut self.flow {
            flow.prompt_impatient(now, out);
        }
        if let Some(flow) = self.flow.as_ref().filter(|flow| flow.until <= now.boot && !flow.is_storing()) {
            let secs = flow.machine.patience_secs();
            outcomes.extend(self.fail(Error::Rejected(Rejected::Unfinished { secs }), out));
        }
        outcomes
    }

    fn listening(
        &mut self,
        now: &Moment,
        op: Op,
        port: Result<u16, ListenError>,
        out: &mut Outbox,
    ) -> Vec<LoginOutcome> {
        let Some(flow) = self.flow.as_mut().filter(|flow| flow.owns(op)) else { return Vec::new() };
        flow.stage = FlowStage::Prompting;
        match port.map(|port| flow.machine.listening(port)) {
            Ok(Some(next)) => self.advance(now, next, out),
            Ok(None) => Vec::new(),
            Err(why) => self.fail(Error::CantListen(why), out),
        }
    }

    fn answered(&mut self, now: &Moment, op: Op, answer: LoginAnswer, out: &mut Outbox) -> Vec<LoginOutcome> {
        let Some(flow) = self.flow.as_mut().filter(|flow| flow.owns(op)) else { return Vec::new() };
        let asked = match std::mem::replace(&mut flow.stage, FlowStage::Prompting) {
            FlowStage::Calling(_, asked) => asked,
            FlowStage::Prompting
            | FlowStage::Listening(_)
            | FlowStage::Keeping(..)
            | FlowStage::Sleeping(_)
            | FlowStage::Pinning(..)
            | FlowStage::Writing(..)
            | FlowStage::Checking(..) => now.boot,
        };
        let next = flow.machine.resume(now, answer);
        let news = flow.machine.take_news().map(LoginOutcome::Client);
        let outcomes = match next {
            NextStep::Finish(tokens, registration) => {
                vec![LoginOutcome::Granted { asked, tokens, registration }]
            }
            next => self.advance(now, next, out),
        };
        news.into_iter().chain(outcomes).collect()
    }

    pub(super) fn advance(&mut self, now: &Moment, next: NextStep, out: &mut Outbox) -> Vec<LoginOutcome> {
        let Some(flow) = &mut self.flow else { return Vec::new() };
        match next {
            NextStep::Ask(question) => flow.prompt_all(now, &question, out),
            NextStep::Sleep { secs, show } => {
                let wake = now.boot.plus_secs(secs);
                flow.stage = FlowStage::Sleeping(wake);
                // It is shown once it survives a kill.
                if let Some(op) = flow.keep(out) {
                    flow.stage = FlowStage::Keeping(op, wake);
                } else if let Some(question) = show {
                    flow.prompt_all(now, &question, out);
                }
            }
            NextStep::Listen(callback) => {
                let op = out.net(NetJob::Listen(callback));
                flow.listener = Some(op);
                flow.stage = FlowStage::Listening(op);
            }
            // Nobody said anything that could be, or nothing new.
            NextStep::Stray | NextStep::Wait => {}
            NextStep::Call(call) => {
                let op = out.net(NetJob::Login { server: flow.server.clone(), call });
                flow.stage = FlowStage::Calling(op, now.boot);
            }
            NextStep::Finish(tokens, registration) => {
                return vec![LoginOutcome::Granted { asked: now.boot, tokens, registration }];
            }
            NextStep::Fail(error) => return self.fail(error, out),
        }
        Vec::new()
    }
}
