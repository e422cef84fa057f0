//! everkey for programs: who is signed in, and a valid access token, from the one agent that owns the user's sign-ins.
//!
//! Blocking, without a runtime: a request is one small frame over a Unix socket and back. The agent is started if none
//! runs. Nothing here reads or writes a session file; secrets are [`Secret`]s, which print `****`.
//!
//! ```no_run
//! use everkey_client::Agent;
//! use std::time::Duration;
//!
//! # fn main() -> Result<(), everkey_client::Failure> {
//! let mut agent = Agent::connect()?;
//! let mut binboi = agent.profile("binboi")?;
//! match binboi.whoami()? {
//!     Some(user) => println!("{}", user.email),
//!     None => println!("signed in"),
//! }
//! let token = binboi.token(Duration::from_secs(60))?;
//! let header = format!("Authorization: Bearer {}", token.access_token.expose());
//! # let _ = header;
//! # Ok(())
//! # }
//! ```
//!
//! When a server answers 401 to a token that should be valid, [`ProfileClient::better_than`] gets another one, or says
//! why there is none. Ask once; a second 401 is the server's last word.
#![forbid(unsafe_code)]
#![warn(missing_docs)]

mod agent;
mod agent_finder;
mod agent_lock;
pub mod configuration;
mod connection;
pub mod environment;
mod events;
mod hint;
mod lasting_connection;
mod launch;
pub mod precedence;
mod profile_client;
mod user_service;

pub use agent::{Agent, AgentSight};
pub use configuration::UserConfiguration;
pub use connection::unexpected_reply;
pub use events::EventStream;
pub use everkey_config::profile::ResolvedProfile;
pub use everkey_proto::reply::{
    Access, AccessPage, CalledFrom, Code, CodeSent, Event, EventKind, Examination, ExaminedProfile, Failure,
    Field, Hint, InForce, Inspection, LoggedOut, NextWake, ParentProcess, Reach, ReachStep, Reminder, Replay,
    ReplaySource, Revocation, Short, SignInUnderWay, State, Status, Step, Token, Upstream, User, Verdict,
};
pub use everkey_proto::request;
pub use everkey_proto::{Entry, Expect, Fingerprint, FlowId, Secret, SignInMethod, When};
pub use hint::{hint_text, hint_text_with};
pub use profile_client::{ProfileClient, PromptReply, code_or_email, entry_for, is_repeat};
