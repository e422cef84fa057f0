//! OAuth's decisions: scopes, redirect addresses, PKCE, and what a client may register.

pub mod client;
pub mod code;
pub mod pkce;
pub mod redirect;
pub mod request;
pub mod scope;
