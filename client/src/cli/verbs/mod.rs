//! One file a command.

pub mod agent;
pub mod answer;
pub mod config;
pub mod dashboard;
pub mod events;
pub mod explain;
pub mod link;
pub mod login;
pub mod logout;
pub mod profile;
pub mod refresh;
pub mod reminder;
pub mod status;
pub mod token;
pub mod whoami;
