//! OAuth's decisions: scopes, redirect addresses, PKCE, and what a client may register.

pub mod scope;
