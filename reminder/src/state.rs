//! What the reminder's machine knows: its one job on files, who waits, and the way to the api-server.

use crate::book::{Owed, ReminderRecord};
use everkey_proto::request::ReminderRequest;
use everkey_session::{Boot, Farewell, Fingerprint, Moment, Op, Waiter};

/// The one job on the reminder's files.
#[derive(Debug)]
pub(crate) enum Work {
    /// None; the next look is then.
    Rest { next: Boot },
    /// A look, begun under the owner lock or not; `again` if the file changed meanwhile.
    Reading { op: Op, owner: bool, again: bool },
    /// The book, and perhaps the file, are being written.
    Storing { op: Op, what: Storing, again: bool },
}

/// What is being written.
#[derive(Debug)]
pub(crate) enum Storing {
    /// The reminder is set, or removed, for somebody who may still wait.
    Put { client: Option<PendingRequest>, email: String, reminder: Option<ReminderRecord> },
    /// It is due: noted as told, in the place of the one before, so that it is told once.
    Due { reminder: ReminderRecord, before: Option<ReminderRecord> },
    /// The book alone.
    Book,
}

/// A client that waits.
#[derive(Debug)]
pub(crate) struct PendingRequest {
    pub waiter: Waiter,
    pub deadline: Boot,
    pub request: ReminderRequest,
}

/// The way to the api-server.
#[derive(Debug)]
pub(crate) struct Informing {
    pub call: Option<InformCall>,
    pub hold: InformHold,
    pub failures: u32,
    /// The access token that it did not accept: only another one is worth a try.
    pub refused: Option<Fingerprint>,
}

/// Why the next call waits.
#[derive(Debug, Clone, Copy)]
pub(crate) enum InformHold {
    Free,
    /// The last one failed.
    Backoff(Boot),
    /// The server asked for it.
    Until(Boot),
}

impl Default for Informing {
    fn default() -> Self {
        Self { call: None, hold: InformHold::Free, failures: 0, refused: None }
    }
}

/// A call that is under way.
#[derive(Debug)]
pub(crate) struct InformCall {
    pub op: Op,
    pub owed: Owed,
    pub access: Fingerprint,
    /// The revocation that waits for it, if one does.
    pub farewell: Option<u64>,
}

/// A revocation that waits.
#[derive(Debug)]
pub(crate) struct PendingFarewell {
    pub farewell: Farewell,
    pub next: Boot,
    pub failures: u32,
}

impl PendingFarewell {
    pub fn new(now: &Moment, farewell: Farewell) -> Self {
        Self { farewell, next: now.boot, failures: 0 }
    }
}
