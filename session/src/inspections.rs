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
    purpose: Purpose,
}

/// What a client wants to know.
#[derive(Debug)]
pub(crate) enum Purpose {
    /// What the server says of the token.
    Inspect,
    /// Who holds the session with this token.
    FindHolder(Fingerprint),
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
        let op = out.net(NetJob::Identify { at, access });
        self.0.push(Inspection { waiter, op, purpose });
    }

    /// Who waits for this answer, and for what.
    pub fn take(&mut self, op: Op) -> Option<(Waiter, Purpose)> {
        let index = self.0.iter().position(|one| one.op == op)?;
        let Inspection { waiter, purpose, .. } = self.0.remove(index);
        Some((waiter, purpose))
    }

    pub fn forget(&mut self, waiter: Waiter) {
        self.0.retain(|one| one.waiter != waiter);
    }
}
