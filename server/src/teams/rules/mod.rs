//! What is allowed in teams.

pub mod manifest;
pub mod media_type;
pub mod permission;
pub mod retention;
pub mod share;
