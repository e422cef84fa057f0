//! What an OAuth server knows a client as, and where its tokens may go.

use everkey_proto::Secret;
use serde::{Deserialize, Serialize};

/// A client as its OAuth server knows it, and the only addresses that its tokens may go to (RFC 7591, RFC 8414).
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Registration {
    pub client_id: String,
    /// Its secret, if it has one.
    pub client_secret: Option<Secret>,
    /// How it proves who it is.
    pub auth: AuthMethod,
    /// Where the server's endpoints are.
    pub endpoints: Endpoints,
}

/// How a client proves who it is at the token endpoint (RFC 6749 section 2.3, RFC 7591 section 2).
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum AuthMethod {
    /// It has no secret and only names itself.
    #[default]
    None,
    /// By HTTP Basic.
    ClientSecretBasic,
    /// In the form.
    ClientSecretPost,
}

/// An OAuth server's endpoints, whole URLs (RFC 8414 section 2).
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct Endpoints {
    /// The issuer, exactly as it names itself.
    pub issuer: String,
    /// Where tokens come from.
    pub token: String,
    /// Where a person agrees in a browser.
    pub authorization: Option<String>,
    /// Where a device begins (RFC 8628).
    pub device_authorization: Option<String>,
    /// Where clients register (RFC 7591).
    pub registration: Option<String>,
    /// Where tokens are revoked (RFC 7009).
    pub revocation: Option<String>,
    /// Where it says who somebody is (OpenID Connect).
    pub userinfo: Option<String>,
    /// Where it says how far a session has rotated, if it is an everkey-server.
    pub session: Option<String>,
    /// Whether it promises to name itself in answers of the authorization endpoint (RFC 9207).
    pub names_itself: bool,
    /// The ways in which clients may prove who they are; empty means that it does not say.
    pub client_auth: Vec<AuthMethod>,
    /// Which scopes there are; empty means that it does not say.
    pub scopes: Vec<String>,
}

/// Where the calls of a session go.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct CallTarget {
    /// The server's base URL, or the issuer.
    pub server: String,
    /// With what an OAuth server knows this client as.
    #[serde(default)]
    pub registration: Option<Registration>,
}
