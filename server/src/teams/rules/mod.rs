//! What is allowed in teams.

pub mod permission;
pub mod share;
