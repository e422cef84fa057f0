//! One file a command.

pub mod agent;
pub mod answer;
pub mod login;
pub mod logout;
pub mod refresh;
pub mod status;
pub mod token;
pub mod whoami;
