//! Attacks on the real programs, from outside: what an attacker does, and that it does not work.
//! `./dev attack` runs all of them; `./dev test` leaves out those that are marked as long.
#![forbid(unsafe_code)]
#![allow(clippy::unwrap_used, clippy::expect_used, clippy::panic)]

mod agent;
mod agent_folders;
mod agent_net;
mod agent_servers;
mod artifacts;
mod guessing;
mod server;
mod thief;
