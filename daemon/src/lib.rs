//! The agent's parts. `main.rs` only starts them; the parts that read what others wrote are public for the fuzzers.
#![deny(unsafe_code)]
#![allow(missing_docs)]

mod access_log;
mod agent_lock;
mod broker;
mod clock;
mod conn;
mod detach;
mod door;
mod following;
mod happenings;
pub mod http;
pub mod life;
mod listener;
mod logging;
mod net_jobs;
mod object;
mod parking;
pub mod provider;
pub mod remind;
mod service_manager;
mod setup;
mod socket;
pub mod store;
mod system;
mod watch;
pub mod words;
