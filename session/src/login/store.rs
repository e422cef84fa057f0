//! The end of a sign-in: pinned, written, read again where writing failed, and only then reported.

use crate::context::Context;
use crate::effect::Outbox;
use crate::error::{StoreKind, StoreTrouble};
use crate::jobs::{Found, Replaced, StoreJob};
use crate::login::flow::{Flow, Stage};
use crate::login::machine::{Login, Outcome};
use crate::notice::Notice;
use crate::registration::{At, Registration};
use crate::rotation::ArrivedSession;
use crate::session::Holder;
use crate::sidecar::{Pin, Sidecar};
use crate::time::Boot;
use crate::token_response::Grant;
use everkey_proto::Secret;

impl Login {
    /// Stores what was granted; `fixed` is what the session file holds beside the session. The pin is made durable
    /// first and counts once the file holds its token, so that a crash in between can't send one server's token to
    /// another.
    pub fn store(
        &mut self,
        cx: &Context,
        asked: Boot,
        grant: Grant,
        registration: Option<Box<Registration>>,
        fixed: Option<Secret>,
        out: &mut Outbox,
    ) -> Vec<Outcome> {
        let Some(flow) = &mut self.flow else { return Vec::new() };
        let holder = Holder {
            user: grant.user.clone(),
            about: grant.about.clone(),
            server: Some(flow.server.clone()),
            registration: registration.map(|known| *known),
            fixed,
        };
        let arrived = Box::new(ArrivedSession::granted(cx.now, asked, grant, holder));
        let pin = Pin {
            fingerprint: arrived.session.fingerprint(),
            server: flow.server.clone(),
            capability: arrived.capability,
            lifetime_secs: arrived.lifetime_secs,
            scheme: Some(flow.machine.scheme()),
            user: arrived.session.holder.user.clone(),
            about: arrived.session.holder.about.clone(),
        };
        let sidecar = Sidecar { pending: Some(pin.clone()), ..cx.sidecar.clone() };
        flow.stage = Stage::Pinning(out.store(StoreJob::Remember(sidecar)), arrived);
        vec![Outcome::Pending(pin)]
    }

    pub(super) fn pinned(&mut self, result: Result<(), StoreTrouble>, out: &mut Outbox) -> Vec<Outcome> {
        let Some(flow @ Flow { stage: Stage::Pinning(..), .. }) = &mut self.flow else { return Vec::new() };
        let Stage::Pinning(_, arrived) = std::mem::replace(&mut flow.stage, Stage::Prompting) else {
            return Vec::new();
        };
        match result {
            Ok(()) => {
                let session = arrived.session.clone();
                let op = out.store(StoreJob::Replace { parent: None, session });
                flow.stage = Stage::Writing(op, arrived);
                Vec::new()
            }
            Err(why) => vec![not_stored(flow, arrived, why)],
        }
    }

    pub(super) fn replaced(
        &mut self,
        cx: &Context,
        result: Result<Replaced, StoreTrouble>,
        out: &mut Outbox,
    ) -> Vec<Outcome> {
        let Some(flow @ Flow { stage: Stage::Writing(..), .. }) = &mut self.flow else { return Vec::new() };
        let Stage::Writing(_, arrived) = std::mem::replace(&mut flow.stage, Stage::Prompting) else {
            return Vec::new();
        };
        match result {
            Ok(Replaced::Done) => vec![Outcome::SignedIn(arrived, flow.server.clone())],
            // With no parent given there is nothing to give way to; if it happens, the file is another's.
            Ok(Replaced::GaveWay(found)) => {
                let path = cx.facts.settings.session_file.clone();
                let why = StoreTrouble { path, kind: StoreKind::Damaged };
                vec![not_stored(flow, arrived, why), Outcome::Observed(*found)]
            }
            Err(why) => {
                let op = out.store(StoreJob::Look);
                flow.stage = Stage::Checking(op, arrived, why);
                Vec::new()
            }
        }
    }

    /// What the file holds after a failed write decides: the old session must not be lost to a sign-in that failed,
    /// nor the new one be revoked while it is the file's.
    pub(super) fn checked(&mut self, found: Found, out: &mut Outbox) -> Vec<Outcome> {
        let Some(flow @ Flow { stage: Stage::Checking(..), .. }) = &mut self.flow else {
            return Vec::new();
        };
        let Stage::Checking(_, arrived, why) = std::mem::replace(&mut flow.stage, Stage::Prompting) else {
            return Vec::new();
        };
        match found {
            Found::Session { session, .. } if session.fingerprint() == arrived.session.fingerprint() => {
                out.notify(Notice::StoreFailed(why));
                vec![Outcome::SignedIn(arrived, flow.server.clone())]
            }
            Found::Session { .. } | Found::Missing | Found::Damaged(_) | Found::Unusable(_) => {
                vec![not_stored(flow, arrived, why)]
            }
        }
    }
}

/// Nothing has changed here; the session that nobody can keep is taken back.
fn not_stored(flow: &Flow, arrived: Box<ArrivedSession>, why: StoreTrouble) -> Outcome {
    let registration = arrived.session.holder.registration.clone();
    Outcome::NotStored(At { server: flow.server.clone(), registration }, arrived, why)
}
