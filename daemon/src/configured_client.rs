//! The OAuth client that config.toml names, and its secret, which neither the core nor a session file holds.

use crate::client_assertion::SigningKey;
use anyhow::{Context, Result, bail};
use everkey_config::file::{OauthEndpoints, OauthProfile};
use everkey_guard::file;
use everkey_proto::Secret;
use everkey_proto::server_url::normal_server;
use everkey_session::{ClientCredential, Endpoints, Registration};
use rustix::io::Errno;
use std::path::{Path, PathBuf};

/// A client as config.toml names it.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct ConfiguredClient {
    pub id: String,
    secret_file: Option<PathBuf>,
    key_file: Option<PathBuf>,
    key_id: Option<String>,
    endpoints: OauthEndpoints,
}

impl ConfiguredClient {
    /// The profile's, if it names one.
    pub fn of(oauth: &OauthProfile) -> Option<Self> {
        let secret_file = oauth.client_secret_file.as_ref().map(PathBuf::from);
        let key_file = oauth.private_key_file.as_ref().map(PathBuf::from);
        let (id, key_id) = (oauth.client_id.clone()?, oauth.key_id.clone());
        Some(Self { id, secret_file, key_file, key_id, endpoints: oauth.endpoints.clone() })
    }

    /// The file that holds what it proves itself by, if there is one.
    pub fn file(&self) -> Option<&Path> {
        self.key_file.as_deref().or(self.secret_file.as_deref())
    }

    /// What it proves itself by, as the file has it now.
    pub fn credential(&self) -> Result<Option<ClientCredential>> {
        if let Some(file) = &self.key_file {
            let pem = read(file)?;
            // Better now than at the first request.
            SigningKey::from_pem(&pem).with_context(|| file.display().to_string())?;
            return Ok(Some(ClientCredential::PrivateKey(pem, self.key_id.clone())));
        }
        self.secret_file.as_deref().map(read).transpose().map(|secret| secret.map(ClientCredential::Secret))
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
            let credential = self.credential()?;
            registration.set_client(self.id, credential);
        } else if self.secret_file.is_some() || self.key_file.is_some() {
            bail!("config.toml names another server now; sign out and in");
        }
        Ok(())
    }
}

/// The text of a file that holds a secret. Whoever may write there could have another file of this user's sent.
fn read(file: &Path) -> Result<Secret> {
    let text = file::read_trusted(file).with_context(|| format!("can't read {}", file.display()))?;
    let text = text.ok_or(Errno::NOENT).with_context(|| format!("can't read {}", file.display()))?;
    let secret = Secret::new(text.trim());
    if secret.is_empty() {
        bail!("{} is empty", file.display());
    }
    Ok(secret)
}
