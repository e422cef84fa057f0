//! What the tests share: a server, a browser, a database for each test, and the people and clients who use them.

pub mod achilles;
pub mod artifacts;
pub mod authorize;
pub mod binboi;
pub mod browser;
pub mod burst;
pub mod device;
pub mod login_from;
pub mod metrics;
pub mod oauth;
pub mod operations;
pub mod program;
pub mod room;
pub mod second_factor;
pub mod server;
pub mod skip;
pub mod smtp;
pub mod team;
pub mod timing;
pub mod wire;
