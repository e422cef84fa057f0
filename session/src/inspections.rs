//! Asks a server to whom a token belongs: the session's own token, where its file does not say, or one that a caller
//! brought and that is kept nowhere.

use crate::effect::Outbox;
use crate::input::{Op, Waiter};
use crate::jobs::NetJob;
use crate::registration::CallTarget;
use crate::session::Fingerprint;
use everkey_proto::Secret;

#[derive(Debug, Default)]
pub(crate) struct Inspections(Vec<Inspection>);

#[derive(Debug)]
struct Inspection {
    waiter: Waiter,
    op: Op,
    about: Inspected,
    purpose: Purpose,
}

/// Which token the server was asked about.
#[derive(Debug)]
pub(crate) struct Inspected {
    pub token: Fingerprint,
    pub server: String,
}

/// What a client wants to know.
#[derive(Debug)]
pub(crate) enum Purpose {
    /// What the server says of the token.
    Inspect,
    /// Who holds the session with this token.
    FindHolder(Fingerprint),
    /// This access token, for so many seconds: the server has refused it, though that may have been its own fault.
    HandOut(Fingerprint, u64),
}

impl Inspections {
    pub fn begin(
        &mut self,
        waiter: Waiter,
        at: CallTarget,
        access: Secret,
        purpose: Purpose,
        out: &mut Outbox,
    ) {
        let about = Inspected { token: Fingerprint::of(&access), server: at.server.clone() };
        let op = out.net(NetJob::Identify { at, access });
        self.0.push(Inspection { waiter, op, about, purpose });
    }

    /// Who waits for this answer, what it is about, and for what.
    pub fn take(&mut self, op: Op) -> Option<(Waiter, Inspected, Purpose)> {
        let index = self.0.iter().position(|one| one.op == op)?;
        let Inspection { waiter, about, purpose, .. } = self.0.remove(index);
        Some((waiter, about, purpose))
    }

    pub fn forget(&mut self, waiter: Waiter) {
        self.0.retain(|one| one.waiter != waiter);
    }
}
