//! The harness of the end-to-end tests: real binaries in a world of their own, and a network that fails on command.
//! Deliberately absent: fixed sleeps, absolute timings, and anything shared between two worlds.
#![forbid(unsafe_code)]
// A harness reports by panicking: that is how a test fails.
#![allow(clippy::unwrap_used, clippy::expect_used, clippy::panic)]

pub mod account;
pub mod between;
pub mod binaries;
pub mod browser;
pub mod cli;
pub mod dashboard;
pub mod desktop;
pub mod disk;
pub mod gate;
pub mod http;
pub mod lines;
pub mod managed;
pub mod manager;
pub mod othertool;
pub mod person;
pub mod process;
pub mod proxy;
pub mod python;
pub mod server;
pub mod setup;
pub mod skip;
pub mod terminal;
pub mod wait;
pub mod world;

pub use account::Account;
pub use dashboard::{Dashboard, Tab};
pub use gate::Gate;
pub use person::{Approval, Person, Phone};
pub use proxy::{Canned, Fault};
pub use setup::Setup;
pub use terminal::Terminal;
pub use wait::{eventually, until};
pub use world::World;

/// The refresh route, the one that everything turns on.
pub const REFRESH: &str = "/v0/auth/token/refresh";

/// Who signs in, where nothing else is said.
pub const ADA: &str = "ada@example.com";
