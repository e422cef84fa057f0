//! Keeps a sign-in by device code on disk while its code is shown, and goes on with it in the agent's next life.

use crate::context::MachineContext;
use crate::effect::Outbox;
use crate::input::Op;
use crate::jobs::StoreJob;
use crate::kept_sign_in::KeptSignIn;
use crate::login::flow::{Flow, FlowStage};
use crate::login::machine::Login;
use crate::login::method_machine::MethodMachine;
use crate::login::schemes::device::Device;
use crate::time::Moment;

impl Flow {
    /// The sign-in is kept from just before its code is shown until it ends; none if it is kept already, or can't be.
    pub(super) fn keep(&mut self, out: &mut Outbox) -> Option<Op> {
        let kept = match &self.machine {
            MethodMachine::Device(device) => device.kept(self.id, self.started_at),
            MethodMachine::Otp(_)
            | MethodMachine::Browser(_)
            | MethodMachine::Token(_)
            | MethodMachine::Client(_) => None,
        }?;
        let before = std::mem::replace(&mut self.is_kept, true);
        (!before).then(|| out.store(StoreJob::KeepSignIn(Some(Box::new(kept)))))
    }
}

impl Login {
    /// The disk has it, or can't: the code is shown either way.
    pub(super) fn kept(&mut self, now: &Moment, out: &mut Outbox) {
        let Some(flow) = &mut self.flow else { return };
        if let FlowStage::Keeping(_, wake) = flow.stage {
            flow.stage = FlowStage::Sleeping(wake);
            if let Some(question) = flow.machine.question() {
                flow.prompt_all(now, &question, out);
            }
        }
    }

    /// Goes on with what an earlier life of the agent has kept, unless its code has lapsed.
    pub fn resume(&mut self, cx: &MachineContext, kept: KeptSignIn, out: &mut Outbox) {
        let left_secs = kept.shown.expires_at.saturating_sub(cx.now.wall);
        if self.flow.is_some() {
            return;
        }
        if left_secs == 0 {
            out.store(StoreJob::KeepSignIn(None));
            return;
        }
        let KeptSignIn { flow: id, ref server, started_at, interval, .. } = kept;
        let server = server.clone();
        let device = Device::resume_kept(cx.now, kept, cx.policy().oauth.as_ref());
        let machine = MethodMachine::Device(Box::new(device));
        let wake = cx.now.boot.plus_secs(interval.min(left_secs));
        self.flow = Some(Flow {
            started_at,
            is_kept: true,
            stage: FlowStage::Sleeping(wake),
            ..Flow::new(cx.now, id, server, machine)
        });
    }
}
