//! Listening on one's own machine, for the agent and the dashboard. Deliberately absent: what is said on a connection, and logs.
#![forbid(unsafe_code)]

mod loopback;
mod peer;
mod room;
mod seldom;
#[cfg(target_os = "linux")]
mod sock_diag;

pub use loopback::Loopback;
pub use peer::Peer;
pub use room::{Busy, Guest, Room};
pub use seldom::Seldom;
