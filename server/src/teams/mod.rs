//! Teams: workspaces with their members and invitations, reports with their files, and links that share one report. All of it is here:
//! what is allowed (`rules`), the queries (`db`), what can be done (`actions`), and the wire (`routes`).

pub mod actions;
pub mod db;
mod routes;
pub mod rules;

pub use routes::{routes, transfers};
