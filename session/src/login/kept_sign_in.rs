//! A sign-in by device code as it is kept, so that it goes on in the agent's next life.

use crate::context::MachineContext;
use crate::effect::Outbox;
use crate::jobs::StoreJob;
use crate::login::flow::{Flow, FlowStage};
use crate::login::machine::Login;
use crate::login::method_machine::MethodMachine;
use crate::login::schemes::device::Device;
use crate::registration::Registration;
use crate::reply::DeviceInstructions;
use everkey_proto::{FlowId, Secret};
use serde::{Deserialize, Serialize};

/// A sign-in by device code that waits for its approval.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct KeptSignIn {
    /// The flow.
    pub flow: FlowId,
    /// Where the person signs in.
    pub server: String,
    /// Unix seconds at which it began.
    pub started_at: u64,
    /// What an OAuth server knows this client as.
    pub registration: Option<Registration>,
    /// To poll with.
    pub device_code: Secret,
    /// What the person is shown.
    pub shown: DeviceInstructions,
    /// Seconds between two polls.
    pub interval: u64,
}

impl Login {
    /// The sign-in is kept from the moment that its code is shown until it ends.
    pub(super) fn keep(&mut self, out: &mut Outbox) {
        let Some(flow) = &mut self.flow else { return };
        let kept = match &flow.machine {
            MethodMachine::Device(device) => device.kept(flow.id, flow.started_at),
            MethodMachine::Otp(_)
            | MethodMachine::Browser(_)
            | MethodMachine::Token(_)
            | MethodMachine::Client(_) => None,
        };
        if let Some(kept) = kept.filter(|_| !flow.is_kept) {
            flow.is_kept = true;
            out.store(StoreJob::KeepSignIn(Some(Box::new(kept))));
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
        self.flow = Some(Flow {
            id,
            started_at,
            parties: 1,
            until: cx.now.boot.plus_secs(machine.patience_secs()),
            waiters: Vec::new(),
            server,
            machine,
            listener: None,
            is_kept: true,
            stage: FlowStage::Sleeping(cx.now.boot.plus_secs(interval.min(left_secs))),
        });
    }
}
