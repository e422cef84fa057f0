//! The queries of teams.

pub mod invitations;
pub mod reports;
pub mod shares;
pub mod workspaces;
