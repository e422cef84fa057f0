//! What OAuth clients can do: register, prove who they are, bring codes, look at and revoke their tokens.

pub mod approve;
pub mod authenticate;
pub mod grant;
pub mod introspect;
pub mod redeem;
pub mod register;
pub mod revoke;

/// Why an OAuth client does not get what it asks for, in the terms of RFC 6749 section 5.2.
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
pub enum Fault {
    /// `invalid_client`: there is no such client, or this is not it; which one is not told.
    #[error("The client is unknown, or did not prove who it is as it registered.")]
    InvalidClient,
    /// `unauthorized_client`: it did not register for this.
    #[error("The client did not register for this grant.")]
    UnauthorizedClient,
    /// `invalid_scope`.
    #[error("The scope is malformed, or more than was granted.")]
    InvalidScope,
}
