//! The words between everkey's agent and its clients.
//! Frames, hello, requests, replies, stable error codes, `Secret`, and which addresses credentials may go to.
//! Deliberately absent: I/O, clocks, environment access, configuration.
#![forbid(unsafe_code)]
#![warn(missing_docs)]

pub mod codec;
pub mod errand;
pub mod fingerprint;
pub mod frame;
pub mod hello;
pub mod json;
pub mod pasted;
pub mod replay;
pub mod reply;
pub mod request;
pub mod secret;
pub mod server_url;
pub mod text;
mod version;

pub use fingerprint::Fingerprint;
pub use replay::{RepeatedAnswer, ReplayRule};
pub use reply::{Code, Failure, Reply};
pub use request::{DEFAULT_PROFILE, Entry, Expect, FlowId, Request, SignInMethod, When};
pub use secret::Secret;
pub use version::{OLDEST, VERSION};
