//! What proves something: login codes, refresh tokens and their RR-1 successors, access tokens.

pub mod access;
pub mod code;
mod hs256;
pub mod refresh;
