//! The dashboard: a web page on this machine for this user alone, one more client of the agent's socket.
//! Deliberately absent: tokens, session files, decisions about sessions, anything from another host.
#![deny(unsafe_code)]

pub mod agent;
pub mod app;
mod assets;
mod body;
mod cli;
mod feed;
mod follower;
mod gate;
mod link;
mod listen;
mod logging;
mod on_demand;
mod pages;
mod passed_sockets;
pub mod problem;
mod proof;
mod random;
mod remembered;
mod routes;
#[cfg(feature = "test-hooks")]
mod test_hooks;

pub use cli::run;
