//! Personal access tokens: made, listed and revoked by the person they belong to, and shown by a tool.
//!
//! Making, listing and revoking run inside the caller's transaction (and so inside its `retry`), which has checked who
//! asks: an access token, or a page's session.

mod check;
mod create;
mod error;
mod list;
mod revoke;

pub use check::{TokenOwner, check};
pub use create::{NewPersonalToken, TokenAsker, TokenCreation, create};
pub use error::PersonalTokenError;
pub use list::{PersonalTokenList, list};
pub use revoke::{TokenRevocation, revoke};
