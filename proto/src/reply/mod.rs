//! What the agent answers: a type for each reply, and what they are made of.

mod agent;
mod event;
mod examination;
mod failure;
mod hint;
mod kinds;
mod reminder;
mod session;
mod sign_in;
mod status;
mod under_way;

pub use agent::{Access, AccessPage, AgentInfo, CalledFrom, ParentProcess};
pub use event::{Event, EventKind};
pub use examination::{Examination, ExaminedProfile, Reach, ReachStep};
pub use failure::{Code, Failure, ServerAnswer};
pub use hint::Hint;
pub use kinds::Reply;
pub use reminder::{Reminder, Upstream};
pub use session::{Inspection, LoggedOut, Refreshed, Revocation, Short, Token, User, Verdict};
pub use sign_in::{CodeSent, Field, Step};
pub use status::{InForce, NextWake, Replay, ReplaySource, State, Status};
pub use under_way::SignInUnderWay;
