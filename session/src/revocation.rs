//! A revocation (RFC 7009) that a server has yet to confirm, as it is kept.

use crate::registration::CallTarget;
use everkey_proto::Secret;
use serde::{Deserialize, Serialize};

/// A sign-out that the server has yet to confirm; kept in a 0600 file for seven days.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct PendingRevocation {
    /// Names it.
    pub id: u64,
    /// The server that issued the tokens.
    #[serde(flatten)]
    pub at: CallTarget,
    /// The access token, for servers that want it.
    pub access: Secret,
    /// Unix seconds at which the access token expires, if somebody says.
    pub access_expires_at: Option<u64>,
    /// The refresh token to revoke, if there is one.
    pub refresh: Option<Secret>,
    /// Unix seconds after which it is given up.
    pub until: u64,
    /// Whose session it is, by email address, if the server says.
    #[serde(default)]
    pub user: Option<String>,
}

/// How long an unconfirmed sign-out is retried, in seconds.
pub const REVOCATION_KEPT_SECS: u64 = 7 * 86400;
