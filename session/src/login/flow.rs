//! A sign-in under way: who waits for its next step, and what it waits for itself.

use crate::effect::Outbox;
use crate::error::StoreError;
use crate::input::{Op, Waiter};
use crate::jobs::StoreJob;
use crate::login::method_machine::MethodMachine;
use crate::login::next_step::Prompt;
use crate::registration::CallTarget;
use crate::reply::ProfileReply;
use crate::rotation::ArrivedSession;
use crate::time::{Boot, Moment, Wake, WakeReason};
use everkey_proto::FlowId;
use everkey_proto::reply::SignInUnderWay;

/// A sign-in under way.
pub(crate) struct Flow {
    pub(super) id: FlowId,
    /// Unix seconds at which it began.
    pub(super) started_at: u64,
    /// How many callers began or joined it and have not left.
    pub(super) parties: u32,
    /// When it ends unfinished.
    pub(super) until: Boot,
    /// Who waits for its next step.
    pub(super) waiters: Vec<FlowWaiter>,
    pub(super) server: String,
    pub(super) machine: MethodMachine,
    /// Where browsers come back to.
    pub(super) listener: Option<Op>,
    /// Whether the disk holds it, for the agent's next life.
    pub(super) is_kept: bool,
    pub(super) stage: FlowStage,
}

/// Who waits for a step of a flow.
pub(super) struct FlowWaiter {
    pub waiter: Waiter,
    /// When the step that is known already will do; none means that only another one does.
    pub until: Option<Boot>,
}

pub(super) enum FlowStage {
    /// The person has to act.
    Prompting,
    /// The server is asked, since then.
    Calling(Op, Boot),
    /// A port is being opened.
    Listening(Op),
    /// The disk keeps it for the agent's next life; woken then.
    Keeping(Op, Boot),
    /// Woken then.
    Sleeping(Boot),
    /// The side-car notes what is to come.
    Pinning(Op, Box<ArrivedSession>),
    /// The session file is written.
    Writing(Op, Box<ArrivedSession>),
    /// Writing has failed; the file is read to see how far it got.
    Checking(Op, Box<ArrivedSession>, StoreError),
}

impl Flow {
    /// A flow that begins now.
    pub fn new(now: &Moment, id: FlowId, server: String, machine: MethodMachine) -> Self {
        Self {
            id,
            started_at: now.wall,
            parties: 1,
            until: now.boot.plus_secs(machine.patience_secs()),
            waiters: Vec::new(),
            server,
            machine,
            listener: None,
            is_kept: false,
            stage: FlowStage::Prompting,
        }
    }

    pub fn owns(&self, op: Op) -> bool {
        match &self.stage {
            FlowStage::Prompting | FlowStage::Sleeping(_) => false,
            FlowStage::Calling(mine, _)
            | FlowStage::Listening(mine)
            | FlowStage::Keeping(mine, _)
            | FlowStage::Pinning(mine, _)
            | FlowStage::Writing(mine, _)
            | FlowStage::Checking(mine, ..) => *mine == op,
        }
    }

    /// Whether tokens have arrived and are being written.
    pub fn is_storing(&self) -> bool {
        match self.stage {
            FlowStage::Prompting
            | FlowStage::Calling(..)
            | FlowStage::Listening(_)
            | FlowStage::Keeping(..)
            | FlowStage::Sleeping(_) => false,
            FlowStage::Pinning(..) | FlowStage::Writing(..) | FlowStage::Checking(..) => true,
        }
    }

    /// When something is to happen though nobody says anything.
    pub fn due(&self) -> Option<Wake> {
        if self.is_storing() {
            return None;
        }
        let step = match self.stage {
            FlowStage::Sleeping(wake) => Some(wake),
            FlowStage::Prompting
            | FlowStage::Calling(..)
            | FlowStage::Listening(_)
            | FlowStage::Keeping(..)
            | FlowStage::Pinning(..)
            | FlowStage::Writing(..)
            | FlowStage::Checking(..) => None,
        };
        let patience =
            self.machine.question().and_then(|_| self.waiters.iter().filter_map(|one| one.until).min());
        let step = step.into_iter().chain(patience).min().map(|at| WakeReason::LOGIN_STEP.at(at));
        let expiry = WakeReason::LOGIN_EXPIRY.at(self.until);
        step.into_iter().chain([expiry]).min_by_key(|wake| wake.at)
    }

    pub fn wait(&mut self, waiter: Waiter, until: Option<Boot>) {
        self.waiters.push(FlowWaiter { waiter, until });
    }

    /// Another caller takes part: it is asked what the others are asked.
    pub fn join(&mut self, now: &Moment, waiter: Waiter, out: &mut Outbox) {
        self.parties = self.parties.saturating_add(1);
        self.wait(waiter, None);
        if let Some(question) = self.machine.question() {
            self.prompt_all(now, &question, out);
        }
    }

    /// What another caller is to know of it.
    pub fn describe(&self) -> SignInUnderWay {
        SignInUnderWay {
            flow: self.id,
            scheme: self.machine.scheme(),
            server: self.server.clone(),
            email: self.machine.email().map(str::to_owned),
            started_at: self.started_at,
        }
    }

    pub fn forget(&mut self, waiter: Waiter) {
        self.waiters.retain(|one| one.waiter != waiter);
    }

    /// Everybody who waits is asked.
    pub fn prompt_all(&mut self, now: &Moment, question: &Prompt, out: &mut Outbox) {
        let answer = self.prompt(now, question);
        out.reply_all(std::mem::take(&mut self.waiters).into_iter().map(|one| one.waiter), &answer);
    }

    /// The step is repeated to who has waited long enough for another.
    pub fn prompt_impatient(&mut self, now: &Moment, out: &mut Outbox) {
        let Some(question) = self.machine.question() else { return };
        let patient = |one: &FlowWaiter| one.until.is_none_or(|until| until > now.boot);
        let (staying, leaving): (Vec<_>, Vec<_>) =
            std::mem::take(&mut self.waiters).into_iter().partition(patient);
        self.waiters = staying;
        let answer = self.prompt(now, &question);
        out.reply_all(leaving.into_iter().map(|one| one.waiter), &answer);
    }

    /// It is over: nobody comes back to it any more, in this life of the agent or the next.
    pub fn close(&self, out: &mut Outbox) {
        if self.is_kept {
            out.store(StoreJob::KeepSignIn(None));
        }
        if let Some(listener) = self.listener {
            out.cancel(listener);
        }
    }

    /// Where its calls go.
    pub fn target(&self) -> CallTarget {
        CallTarget { server: self.server.clone(), registration: self.machine.registration().cloned() }
    }

    /// The question as it is answered to whoever waits.
    fn prompt(&self, now: &Moment, question: &Prompt) -> ProfileReply {
        let flow = self.id;
        match question.clone() {
            Prompt::Field { field, tries, again, sent } => {
                ProfileReply::Asked { flow, field, tries, again, sent }
            }
            Prompt::Show(shown) => ProfileReply::Shown { flow, shown },
            Prompt::Open(page) => ProfileReply::Opened { flow, page, expires_at: now.wall_at(self.until) },
        }
    }
}
