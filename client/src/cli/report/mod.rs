//! Reports: a folder that a person can read first, and its way into a workspace of the api-server.

pub mod api;
pub mod bundle;
pub mod upload;
