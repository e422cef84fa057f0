//! HTTP plumbing that every kind of route shares: bodies, bearers, errors, headers, layers.

pub mod bearer;
pub mod body;
pub mod client;
pub mod error;
pub mod health;
pub mod layers;
pub mod metrics;
pub mod openapi;
pub mod retry;
pub mod router;
pub mod serve;
