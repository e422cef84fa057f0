//! HTTP plumbing that every kind of route shares: bodies, bearers, errors, headers, layers.

mod action_error;
pub mod bearer;
pub mod body;
pub mod client;
pub mod crowd;
pub mod error;
pub mod first_party;
pub mod health;
pub mod layers;
pub mod metrics;
pub mod openapi;
pub mod path_ids;
pub mod refresh_retry;
pub mod security_txt;
pub mod serve;
