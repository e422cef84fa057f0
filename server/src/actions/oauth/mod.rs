//! What OAuth clients can do: register, prove who they are, bring codes, look at and revoke their tokens.

pub mod approve;
pub mod authenticate;
pub mod error;
pub mod grant;
pub mod introspect;
pub mod redeem;
pub mod register;
pub mod revoke;
