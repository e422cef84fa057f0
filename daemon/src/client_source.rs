//! Looks up the configured OAuth client for each request that needs it, so that a corrected file counts for the next try.

use crate::configuration::Configuration;
use crate::configured_client::ConfiguredClient;
use anyhow::{Result, anyhow};
use everkey_session::{NetError, NetErrorKind, Registration};
use tokio::task::spawn_blocking;

/// Where a profile's client is looked up.
#[derive(Clone)]
pub struct ClientSource {
    pub configuration: Configuration,
    pub profile: String,
    /// As it was met last, for when config.toml can't be read: what is wrong with that must not end a session.
    pub known: Option<ConfiguredClient>,
}

impl ClientSource {
    /// Puts the client of today into a registration of a configured one; one that the server registered by itself
    /// keeps what the server gave.
    pub async fn update(
        &self,
        server: &str,
        registration: Option<&mut Registration>,
    ) -> Result<(), NetError> {
        let Some(registration) = registration else { return Ok(()) };
        let (source, mut updated) = (self.clone(), registration.clone());
        let work = spawn_blocking(move || source.look_up(&mut updated).map(|()| updated));
        match work.await.map_err(|e| anyhow!(e)).flatten() {
            Ok(updated) => {
                *registration = updated;
                Ok(())
            }
            Err(why) => {
                let kind = NetErrorKind::ClientUnusable(format!("{why:#}"));
                Err(NetError { server: server.to_owned(), kind })
            }
        }
    }

    fn look_up(self, registration: &mut Registration) -> Result<()> {
        let configured = self.configuration.client_of(&self.profile).unwrap_or_else(|e| {
            tracing::warn!(profile = self.profile, error = format!("{e:#}"), "can't look up the client");
            self.known
        });
        match configured.filter(|client| registration.is_configured(&client.id)) {
            Some(client) => client.put_into(registration),
            None => Ok(()),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use everkey_proto::Secret;
    use everkey_session::{AuthMethod, Endpoints};
    use std::path::Path;

    const ISSUER: &str = "https://id.example";

    /// A profile `mine` of this client, with these lines.
    fn source(root: &Path, lines: &str) -> ClientSource {
        let text = format!("[profiles.mine]\nprovider = \"oauth\"\nissuer = \"{ISSUER}\"\n{lines}");
        std::fs::write(root.join("config.toml"), text).unwrap();
        let configuration = Configuration::in_folder(root);
        ClientSource { configuration, profile: "mine".into(), known: None }
    }

    fn with_secret(root: &Path) -> ClientSource {
        let file = root.join("secret");
        source(root, &format!("client_id = \"me\"\nclient_secret_file = \"{}\"\n", file.display()))
    }

    fn at(issuer: &str) -> Endpoints {
        Endpoints { issuer: issuer.into(), token: format!("{issuer}/token"), ..Endpoints::default() }
    }

    async fn updated(source: &ClientSource, mut known: Registration) -> Result<Registration, String> {
        match source.update(ISSUER, Some(&mut known)).await {
            Ok(()) => Ok(known),
            Err(NetError { kind: NetErrorKind::ClientUnusable(why), .. }) => Err(why),
            Err(other) => panic!("{other:?}"),
        }
    }

    #[tokio::test]
    async fn a_corrected_secret_file_counts_at_once() {
        let root = tempfile::tempdir().unwrap();
        let source = with_secret(root.path());
        let known = || Registration::configured("me", &at(ISSUER));
        let why = updated(&source, known()).await.unwrap_err();
        assert!(why.contains("secret") && why.contains("No such file"), "{why}");
        for (text, secret) in [("one\n", "one"), ("two", "two")] {
            std::fs::write(root.path().join("secret"), text).unwrap();
            let now = updated(&source, known()).await.unwrap();
            assert_eq!(now.client_secret, Some(Secret::new(secret)));
            assert_eq!(now.auth, AuthMethod::ClientSecretBasic);
        }
        std::fs::write(root.path().join("secret"), "\n").unwrap();
        assert!(updated(&source, known()).await.unwrap_err().contains("is empty"));
    }

    #[tokio::test]
    async fn a_changed_configuration_counts_at_once() {
        let root = tempfile::tempdir().unwrap();
        let old = Registration::configured("me", &at(ISSUER));
        let now = updated(&source(root.path(), "client_id = \"you\"\n"), old.clone()).await.unwrap();
        assert_eq!((now.client_id.as_str(), now.auth), ("you", AuthMethod::None));
        // Written before sessions said whether their client is configured.
        std::fs::write(root.path().join("secret"), "new").unwrap();
        let kept = Registration { configured: false, client_secret: Some(Secret::new("old")), ..old };
        let now = updated(&with_secret(root.path()), kept).await.unwrap();
        assert_eq!(now.client_secret, Some(Secret::new("new")));
    }

    #[tokio::test]
    async fn a_client_that_was_registered_keeps_what_it_got() {
        let root = tempfile::tempdir().unwrap();
        let secret = Some(Secret::new("given"));
        let given = Registration {
            client_id: "dyn".into(),
            client_secret: secret,
            endpoints: at(ISSUER),
            ..Registration::default()
        };
        assert_eq!(updated(&with_secret(root.path()), given.clone()).await, Ok(given.clone()));
        assert_eq!(updated(&source(root.path(), ""), given.clone()).await, Ok(given));
    }

    #[tokio::test]
    async fn no_other_server_gets_the_secret() {
        let root = tempfile::tempdir().unwrap();
        std::fs::write(root.path().join("secret"), "shh").unwrap();
        let elsewhere = Registration::configured("me", &at("https://other.example"));
        let why = updated(&with_secret(root.path()), elsewhere.clone()).await.unwrap_err();
        assert!(why.contains("another server"), "{why}");
        let public = source(root.path(), "client_id = \"me\"\n");
        assert_eq!(updated(&public, elsewhere.clone()).await, Ok(elsewhere), "it has no secret");
    }

    #[tokio::test]
    async fn a_broken_configuration_leaves_the_client_that_is_known() {
        let root = tempfile::tempdir().unwrap();
        std::fs::write(root.path().join("secret"), "shh").unwrap();
        let mut source = with_secret(root.path());
        source.known = source.configuration.client_of("mine").unwrap();
        std::fs::write(root.path().join("config.toml"), "[profiles").unwrap();
        let now = updated(&source, Registration::configured("me", &at(ISSUER))).await.unwrap();
        assert_eq!(now.client_secret, Some(Secret::new("shh")));
    }
}
