//! What can be done in teams.

mod access;
pub mod error;
pub mod files;
pub mod invitations;
pub mod members;
pub mod reports;
pub mod shares;
pub mod workspaces;
