//! The second factor: an authenticator app (RFC 6238), and recovery codes for when it is gone.

pub mod browsers;
pub mod check;
pub mod enrol;
pub mod error;
pub mod manage;
pub mod reseal;
mod secrets;
