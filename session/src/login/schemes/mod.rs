//! The ways to sign in, each a small pure machine that asks for its next step.

pub(super) mod browser;
pub(super) mod client_credentials;
pub(super) mod device;
#[cfg(test)]
mod fixtures;
#[cfg(test)]
mod kept_client_tests;
pub(super) mod otp;
pub(super) mod token;
