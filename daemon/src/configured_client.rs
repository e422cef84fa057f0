//! The OAuth client that config.toml names, and its secret, which neither the core nor a session file holds.

use anyhow::{Context, Result, bail};
use everkey_config::file::{OauthEndpoints, OauthProfile};
use everkey_proto::Secret;
use everkey_proto::server_url::normal_server;
use everkey_session::{Endpoints, Registration};
use std::path::PathBuf;

/// A client as config.toml names it.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct ConfiguredClient {
    pub id: String,
    secret_file: Option<PathBuf>,
    endpoints: OauthEndpoints,
}

impl ConfiguredClient {
    /// The profile's, if it names one.
    pub fn of(oauth: &OauthProfile) -> Option<Self> {
        let secret_file = oauth.client_secret_file.as_ref().map(PathBuf::from);
        Some(Self { id: oauth.client_id.clone()?, secret_file, endpoints: oauth.endpoints.clone() })
    }

    /// Its secret, as the file has it now.
    pub fn secret(&self) -> Result<Option<Secret>> {
        let Some(file) = &self.secret_file else { return Ok(None) };
        let text = std::fs::read_to_string(file).with_context(|| format!("can't read {}", file.display()))?;
        let secret = Secret::new(Secret::new(text).expose().trim());
        if secret.is_empty() {
            bail!("{} is empty", file.display());
        }
        Ok(Some(secret))
    }

    /// Whether these are the endpoints of the server that it is configured for: nobody else gets its secret.
    fn is_at(&self, endpoints: &Endpoints) -> bool {
        match &self.endpoints {
            OauthEndpoints::Issuer(issuer) => normal_server(issuer) == normal_server(&endpoints.issuer),
            OauthEndpoints::Explicit(given) => given.token == endpoints.token,
        }
    }

    /// Puts id and secret into a registration of the configured client.
    pub fn put_into(self, registration: &mut Registration) -> Result<()> {
        if self.is_at(&registration.endpoints) {
            let secret = self.secret()?;
            registration.set_client(self.id, secret);
        } else if self.secret_file.is_some() {
            bail!("config.toml names another server now; sign out and in");
        }
        Ok(())
    }
}
