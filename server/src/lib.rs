//! everkey-server: the self-hosted api-server that issues the tokens.
//!
//! `rules` decides, `db` remembers, `actions` joins the two in one transaction each, and the route
//! folders (`failproofai`, later others) only translate wire shapes. Nothing here knows the agent.
#![forbid(unsafe_code)]

pub mod digest;
pub mod duration;
pub mod keys;
pub mod limits;
pub mod rules;
pub mod secret;
pub mod time;
pub mod tokens;
pub mod trouble;
