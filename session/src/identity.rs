//! Whose a token is, as its server says.

use crate::error::NetError;
use everkey_proto::reply::User;
use std::collections::BTreeMap;

/// What a server says of a token.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Identity {
    Accepted {
        /// Whose it is, if it says so.
        user: Option<User>,
        /// What else it says about them.
        about: BTreeMap<String, String>,
    },
    /// It does not accept it.
    Refused,
    /// It answers, but has no way to say.
    Untold,
    /// It asks to wait so many seconds.
    Limited(u64),
    /// No usable answer.
    Net(NetError),
}
