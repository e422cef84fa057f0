//! Sign-outs: the local session goes first and at once, then the server is asked to revoke it, for seven days if need
//! be (RFC 7009).

mod revocations;
mod sign_out;

pub(crate) use revocations::{Revocations, can_revoke, revocation_of};
pub(crate) use sign_out::SignOut;
