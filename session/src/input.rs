//! What comes in: requests of clients, ends of jobs, changed files, the clock.

use crate::jobs::JobResult;
use crate::policy::Settings;
use everkey_proto::request::SessionRequest;
use everkey_proto::{Expect, Secret};

/// Names a client that waits for an answer.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct Waiter(pub u64);

/// Names work that an effect started; its completion carries the same.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct Op(pub u64);

/// One event.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Input {
    /// A client asks.
    Request {
        waiter: Waiter,
        /// What it counts on.
        expect: Expect,
        /// What it asks.
        request: SessionRequest,
    },
    /// A client went away.
    Gone(Waiter),
    /// Work is done.
    Done(Op, JobResult),
    /// A browser came back to the listener that the op opened.
    Callback {
        /// The browser, which waits for a page.
        waiter: Waiter,
        listener: Op,
        /// The query of the address, with the authorization code.
        query: Secret,
    },
    /// The profile is set up in another way now. A session stays bound to the server that it came from.
    Configured(Box<Settings>),
    /// What the OAuth client proves itself by may have changed.
    ClientChanged,
    /// The session file may have changed.
    FileChanged,
    /// What was to be done before this revocation is done; see [`Effect::Farewell`](crate::Effect::Farewell).
    FarewellDone(u64),
    /// The time given by [`Profile::due`](crate::Profile::due) has come.
    Tick,
}
