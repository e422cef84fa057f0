//! What an OAuth server knows a client as, and where its tokens may go.

use everkey_proto::Secret;
use serde::{Deserialize, Serialize};

/// A client as its OAuth server knows it, and the only addresses that its tokens may go to (RFC 7591, RFC 8414).
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct Registration {
    pub client_id: String,
    /// Its secret, if it has one and the server gave it; that of a configured client stays in its own file.
    pub client_secret: Option<Secret>,
    /// How it proves who it is.
    pub auth: AuthMethod,
    /// Where the server's endpoints are.
    pub endpoints: Endpoints,
    /// Whether the client is the one that is configured, so that id and secret are looked up for each request.
    #[serde(default)]
    pub configured: bool,
    /// What its grant was asked to be good for, and each refresh is again (RFC 8707).
    #[serde(default)]
    pub resources: Vec<String>,
    /// Unix seconds at which a secret that the server gave lapses, if it does.
    #[serde(default)]
    pub secret_expires_at: Option<u64>,
    /// What the server calls the key that signs its assertions; the key is in the secret's place.
    #[serde(default)]
    pub key_id: Option<String>,
}

impl Registration {
    /// The configured client of this id. Who sends its requests adds the secret.
    pub fn configured(client_id: &str, endpoints: &Endpoints) -> Self {
        let (client_id, endpoints) = (client_id.to_owned(), endpoints.clone());
        Self { client_id, endpoints, configured: true, ..Self::default() }
    }

    /// Whether it is the client that is configured with this id, now or when it signed in.
    pub fn is_configured(&self, client_id: &str) -> bool {
        self.configured || self.client_id == client_id
    }

    /// As the client is configured now.
    pub fn set_client(&mut self, client_id: String, credential: Option<ClientCredential>) {
        let ways = &self.endpoints.client_auth;
        let (secret, key_id, is_key) = match credential {
            None => (None, None, false),
            Some(ClientCredential::Secret(secret)) => (Some(secret), None, false),
            Some(ClientCredential::PrivateKey(pem, key_id)) => (Some(pem), key_id, true),
        };
        self.auth = match &secret {
            None => AuthMethod::None,
            Some(_) if is_key => AuthMethod::PrivateKeyJwt,
            // RFC 8414: where nothing is said, it is Basic.
            Some(_) if ways.is_empty() || ways.contains(&AuthMethod::ClientSecretBasic) => {
                AuthMethod::ClientSecretBasic
            }
            Some(_) => AuthMethod::ClientSecretPost,
        };
        (self.client_id, self.client_secret, self.key_id) = (client_id, secret, key_id);
    }
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
    /// By an assertion that its private key signs (RFC 7523 section 2.2).
    PrivateKeyJwt,
}

/// What a configured client proves itself by.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum ClientCredential {
    Secret(Secret),
    /// A private key as PEM, and what the server calls it.
    PrivateKey(Secret, Option<String>),
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

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_client_secret_is_sent_as_the_server_accepts_it() {
        use AuthMethod::{ClientSecretBasic, ClientSecretPost, None as Nothing};
        let cases = [
            (Some("shh"), vec![], ClientSecretBasic),
            (Some("shh"), vec![ClientSecretPost, ClientSecretBasic], ClientSecretBasic),
            (Some("shh"), vec![ClientSecretPost], ClientSecretPost),
            (None, vec![], Nothing),
            (None, vec![ClientSecretBasic], Nothing),
        ];
        for (secret, client_auth, expected) in cases {
            let endpoints = Endpoints { client_auth, ..Endpoints::default() };
            let mut known = Registration::configured("me", &endpoints);
            assert_eq!((known.auth, &known.client_secret), (Nothing, &None), "nothing is kept");
            known.set_client("me".to_owned(), secret.map(|text| ClientCredential::Secret(Secret::new(text))));
            assert_eq!((known.auth, known.client_secret), (expected, secret.map(Secret::new)));
        }
    }
}
