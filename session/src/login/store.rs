//! The end of a sign-in: pinned, written, read again where writing failed, and only then reported.

use crate::context::MachineContext;
use crate::effect::Outbox;
use crate::endings::SignInSpan;
use crate::error::{StoreError, StoreErrorKind};
use crate::jobs::{FileContent, Replaced, StoreJob};
use crate::login::flow::{Flow, FlowStage};
use crate::login::machine::{Login, LoginOutcome};
use crate::notice::Notice;
use crate::registration::{CallTarget, Registration};
use crate::rotation::ArrivedSession;
use crate::session::Holder;
use crate::sidecar::{Pin, Sidecar};
use crate::time::{Boot, Moment};
use crate::token_response::TokenResponse;
use everkey_proto::Secret;

impl Login {
    /// Stores what was granted; `fixed` is what the session file holds beside the session. The pin is made durable
    /// first and counts once the file holds its token, so that a crash in between can't send one server's token to
    /// another.
    pub fn store(
        &mut self,
        cx: &MachineContext,
        asked: Boot,
        tokens: TokenResponse,
        registration: Option<Box<Registration>>,
        fixed: Option<Secret>,
        out: &mut Outbox,
    ) -> Vec<LoginOutcome> {
        let Some(flow) = &mut self.flow else { return Vec::new() };
        let holder = Holder {
            user: tokens.user.clone(),
            about: tokens.about.clone(),
            server: Some(flow.server.clone()),
            registration: registration.map(|known| *known),
            fixed,
        };
        let arrived = Box::new(ArrivedSession::granted(cx.now, asked, tokens, holder));
        let pin = Pin {
            fingerprint: arrived.session.fingerprint(),
            server: flow.server.clone(),
            capability: arrived.capability,
            lifetime_secs: arrived.lifetime_secs,
            scheme: Some(flow.machine.scheme()),
            user: arrived.session.holder.user.clone(),
            about: arrived.session.holder.about.clone(),
            span: SignInSpan::of_sign_in(&arrived.session, arrived.sign_in_ends_at, cx.now.wall),
        };
        let sidecar = Sidecar { pending: Some(pin.clone()), ..cx.sidecar.clone() };
        flow.stage = FlowStage::Pinning(out.store(StoreJob::WriteSidecar(sidecar)), arrived);
        vec![LoginOutcome::Pending(pin)]
    }

    pub(super) fn stored(
        &mut self,
        now: &Moment,
        result: Result<(), StoreError>,
        out: &mut Outbox,
    ) -> Vec<LoginOutcome> {
        if self.flow.as_ref().is_some_and(|flow| matches!(flow.stage, FlowStage::Keeping(..))) {
            self.kept(now, out);
            return Vec::new();
        }
        self.pinned(result, out)
    }

    fn pinned(&mut self, result: Result<(), StoreError>, out: &mut Outbox) -> Vec<LoginOutcome> {
        let Some(flow @ Flow { stage: FlowStage::Pinning(..), .. }) = &mut self.flow else {
            return Vec::new();
        };
        let FlowStage::Pinning(_, arrived) = std::mem::replace(&mut flow.stage, FlowStage::Prompting) else {
            return Vec::new();
        };
        match result {
            Ok(()) => {
                let session = arrived.session.clone();
                let op = out.store(StoreJob::Replace { parent: None, session });
                flow.stage = FlowStage::Writing(op, arrived);
                Vec::new()
            }
            Err(why) => vec![not_stored(flow, arrived, why)],
        }
    }

    pub(super) fn replaced(
        &mut self,
        cx: &MachineContext,
        result: Result<Replaced, StoreError>,
        out: &mut Outbox,
    ) -> Vec<LoginOutcome> {
        let Some(flow @ Flow { stage: FlowStage::Writing(..), .. }) = &mut self.flow else {
            return Vec::new();
        };
        let FlowStage::Writing(_, arrived) = std::mem::replace(&mut flow.stage, FlowStage::Prompting) else {
            return Vec::new();
        };
        match result {
            Ok(Replaced::Done) => vec![LoginOutcome::SignedIn(arrived, flow.server.clone())],
            // With no parent given there is nothing to give way to; if it happens, the file is another's.
            Ok(Replaced::GaveWay(found)) => {
                let path = cx.facts.settings.session_file.clone();
                let why = StoreError { path, kind: StoreErrorKind::Damaged };
                vec![not_stored(flow, arrived, why), LoginOutcome::Observed(*found)]
            }
            Err(why) => {
                let op = out.store(StoreJob::ReadSession);
                flow.stage = FlowStage::Checking(op, arrived, why);
                Vec::new()
            }
        }
    }

    /// What the file holds after a failed write decides: the old session must not be lost to a sign-in that failed,
    /// nor the new one be revoked while it is the file's.
    pub(super) fn checked(&mut self, found: FileContent, out: &mut Outbox) -> Vec<LoginOutcome> {
        let Some(flow @ Flow { stage: FlowStage::Checking(..), .. }) = &mut self.flow else {
            return Vec::new();
        };
        let FlowStage::Checking(_, arrived, why) = std::mem::replace(&mut flow.stage, FlowStage::Prompting)
        else {
            return Vec::new();
        };
        match found {
            FileContent::Session { session, .. }
                if session.fingerprint() == arrived.session.fingerprint() =>
            {
                out.notify(Notice::StoreFailed(why));
                vec![LoginOutcome::SignedIn(arrived, flow.server.clone())]
            }
            FileContent::Session { .. }
            | FileContent::Missing
            | FileContent::Damaged(_)
            | FileContent::Unusable(_) => {
                vec![not_stored(flow, arrived, why)]
            }
        }
    }
}

/// Nothing has changed here; the session that nobody can keep is taken back.
fn not_stored(flow: &Flow, arrived: Box<ArrivedSession>, why: StoreError) -> LoginOutcome {
    let registration = arrived.session.holder.registration.clone();
    LoginOutcome::NotStored(CallTarget { server: flow.server.clone(), registration }, arrived, why)
}
