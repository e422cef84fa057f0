//! The queries of teams.

pub mod files;
pub mod invitations;
pub mod reports;
pub mod shares;
pub mod workspaces;
