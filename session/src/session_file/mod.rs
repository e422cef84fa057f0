//! The session file as other programs, a crash or the last agent left it: what it holds, when it is read, and what a
//! start makes of it.

mod damaged;
mod observe;
mod recover;
mod state;

pub(crate) use observe::Observer;
pub(crate) use recover::{JournalVerdict, Seal, judge};
pub(crate) use state::FileState;
