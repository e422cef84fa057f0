//! Signing in with a code sent by email, for tools and for browsers.

pub mod browser;
pub mod error;
pub mod request_code;
pub mod verify_code;
