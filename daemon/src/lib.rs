//! The agent's parts. `main.rs` only starts them; the parts that read what others wrote are public for the fuzzers.
#![deny(unsafe_code)]

mod acceptor;
mod access_log;
mod agent_failures;
mod agent_lock;
mod broker;
mod callback_listener;
mod caller_process;
mod client_assertion;
mod client_source;
mod clock;
mod configuration;
mod configured_client;
mod conn;
mod detach;
mod environment;
mod events;
mod examine;
pub mod http;
mod inhibitor;
mod issuers;
mod json_object;
mod logging;
mod lookout;
pub mod messages;
mod net_jobs;
mod parking;
mod program_file;
pub mod provider;
mod raw_fd;
mod refused_answers;
mod remind;
mod service_manager;
mod sleep_delay;
mod socket;
pub mod startup;
pub mod store;
#[cfg(feature = "test-hooks")]
mod test_hooks;
mod tls;
mod watch;
