//! everkey-server: the self-hosted api-server that issues the tokens.
//!
//! `rules` decides, `db` remembers, `actions` joins the two in one transaction each, and the route folders only
//! translate wire shapes; `teams` has all of these for workspaces. Nothing here knows the agent.
#![forbid(unsafe_code)]
// A public item is documented where there is something to say.

pub mod achilles;
pub mod actions;
pub mod admin;
pub mod app;
pub mod artifacts;
pub mod binboi;
pub mod cli;
pub mod command_error;
pub mod commands;
pub mod counted;
pub mod db;
pub mod digest;
pub mod duration;
pub mod failproofai;
pub mod http;
pub mod jobs;
pub mod keys;
pub mod limits;
pub mod mail;
pub mod metrics;
pub mod oauth;
pub mod pages;
pub mod router;
pub mod rules;
pub mod secret;
pub mod teams;
pub mod time;
pub mod tokens;
