//! What the environment and the configuration say: places, accounts, TLS. Every variable that the agent reads is read
//! here or in `logging.rs`.

use crate::broker::Account;
use crate::http::base_url;
use crate::provider;
use crate::store::Store;
use anyhow::{Context, Result, anyhow, bail};
use everkey_proto::achilles::AchillesConfig;
use everkey_proto::config::{Config, OauthEndpoints, OauthProfile};
use everkey_proto::place::{Places, normal_server};
use everkey_proto::profile::{Profile, profiles, resolve};
use everkey_proto::text::harmless;
use everkey_proto::{Code, Failure, Secret};
use everkey_session::Settings;
use everkey_session::policy::{Discovery, OauthClient, Policy};
use everkey_session::record::hex;
use everkey_session::registration::Endpoints;
use sha2::{Digest, Sha256};
use std::path::{Path, PathBuf};

/// The least time between automatic refreshes of one session, in milliseconds.
const GAP_MS: u64 = 30_000;

/// Where everything is.
pub fn places() -> Result<Places> {
    let uid = rustix::process::geteuid().as_raw();
    Ok(Places::find(path, |dir| dir.is_dir(), uid)?)
}

/// What accounts are made of. The configuration is read anew whenever one is looked for.
#[derive(Clone)]
pub struct Setup {
    places: Places,
    /// failproofai's server, from the environment.
    server: Option<String>,
    auth_dir: Option<PathBuf>,
    gap_ms: u64,
    /// For how many seconds dot-ai's tokens shall work, if not as long as usual.
    dot_ai_ttl_secs: Option<u64>,
    machine: String,
    /// Whether a service manager started this process, or what it descends from.
    pub is_service: bool,
}

impl Setup {
    /// Reads the environment, and the configuration once, so that what is wrong with it is told at the start.
    pub fn read(places: &Places) -> Result<Self> {
        let auth_dir = path("FAILPROOFAI_AUTH_DIR");
        if auth_dir.as_ref().is_some_and(|dir| dir.is_relative()) {
            bail!("FAILPROOFAI_AUTH_DIR must be an absolute path");
        }
        let named = text("FAILPROOF_API_URL").or_else(|| text("FAILPROOFAI_API_URL"));
        let server = named.map(|server| base_url(&server)).transpose();
        let server = server.map_err(|why| anyhow!("FAILPROOF_API_URL: {why}"))?;
        let setup = Self {
            places: places.clone(),
            server,
            auth_dir,
            gap_ms: gap_ms()?,
            dot_ai_ttl_secs: dot_ai_ttl_secs(),
            machine: machine(),
            is_service: ["INVOCATION_ID", "NOTIFY_SOCKET"].into_iter().any(|name| text(name).is_some()),
        };
        setup.configured()?;
        Ok(setup)
    }

    /// Of a folder that holds nothing.
    #[cfg(test)]
    pub fn in_folder(root: &Path) -> Self {
        let var = |name: &str| (name == "EVERKEY_HOME").then(|| root.to_owned());
        let places = Places::find(var, |_| false, 0).unwrap();
        let (gap_ms, machine) = (GAP_MS, String::new());
        let is_service = false;
        Self { places, server: None, auth_dir: None, gap_ms, dot_ai_ttl_secs: None, machine, is_service }
    }

    /// The accounts that have something to look after: a session file, or what everkey keeps beside one.
    pub fn begun(&self) -> Result<Vec<Account>> {
        let (default, profiles) = self.configured().map(|found| found.named(None))?;
        let mut begun = Vec::new();
        for profile in profiles {
            let name = profile.name.clone();
            match self.account(profile) {
                Ok(account) if name == default || account.store.is_begun() => begun.push(account),
                Ok(_) => {}
                // One that can't be used is no reason to leave the others alone.
                Err(e) => tracing::warn!(profile = name, error = format!("{e:#}"), "can't look after it"),
            }
        }
        Ok(begun)
    }

    /// The account of this name, or the default one.
    pub fn find(&self, name: Option<&str>) -> Result<Account, Failure> {
        let configured = self.configured().map_err(|e| unusable(&e))?;
        let (name, profiles) = configured.named(name);
        let names: Vec<_> = profiles.iter().map(|profile| profile.name.clone()).collect();
        let profile = profiles.into_iter().find(|profile| profile.name == name);
        let profile = profile.ok_or_else(|| no_such_profile(&name, &names))?;
        self.account(profile).map_err(|e| unusable(&e))
    }

    /// The program with its arguments that a due reminder runs, as it is configured now.
    pub fn reminder_command(&self) -> Result<Option<Vec<String>>> {
        Ok(self.configured()?.config.reminder_command)
    }

    fn configured(&self) -> Result<Configured> {
        let config = match read(&self.places.config)? {
            Some(text) => {
                Config::parse(&text).map_err(|e| anyhow!("{}: {e}", self.places.config.display()))?
            }
            None => Config::default(),
        };
        // Another program's file: what is wrong with it is no reason to serve nobody.
        let achilles = read(&self.places.home.join(".achilles/config.json")).ok().flatten();
        let achilles = achilles.and_then(|text| AchillesConfig::parse(text.as_bytes()).ok());
        let profiles = profiles(&self.places, &config, achilles.as_ref(), self.auth_dir.clone());
        Ok(Configured { config, achilles, profiles })
    }

    fn account(&self, profile: Profile) -> Result<Account> {
        let provider = provider::descriptor(profile.provider);
        let named = (profile.name == everkey_proto::DEFAULT_PROFILE).then(|| self.server.clone()).flatten();
        let configured = named.or(profile.server.clone());
        let in_file =
            || provider.session_file.server?(read(&profile.session_file).ok().flatten()?.as_bytes());
        let server = configured.or_else(in_file).or_else(|| profile.server().map(str::to_owned));
        let server = server.or_else(|| token_origin(profile.oauth.as_ref()?)).unwrap_or_default();
        let server = if provider.tool_names_server {
            base_url(&server).map_err(|why| anyhow!("{}: {why}", profile.name))?
        } else {
            server
        };
        // An issuer's last slash counts only for the issuer.
        let server = normal_server(&server);
        let policy = provider.policy(self.gap_ms);
        let policy = match (&profile.oauth, policy.oauth.clone()) {
            (Some(oauth), _) => Policy { oauth: Some(client(oauth)?), ..policy },
            (None, Some(usual)) => {
                // Only a server that can be asked for a lifetime has a usual one.
                let wished = self.dot_ai_ttl_secs.filter(|_| usual.lifetime_secs.is_some());
                let lifetime_secs = wished.or(usual.lifetime_secs);
                Policy { oauth: Some(OauthClient { lifetime_secs, ..usual }), ..policy }
            }
            (None, None) => policy,
        };
        let mut schemes = policy.schemes.clone();
        // The one that is configured comes first.
        schemes.sort_by_key(|scheme| Some(*scheme) != profile.scheme);
        let session_file = profile.session_file;
        let settings = Settings {
            policy: Policy { schemes, ..policy },
            server,
            session_file: session_file.to_string_lossy().into_owned(),
            machine: self.machine.clone(),
        };
        let store =
            Store::new(&provider.session_file, &profile.name, session_file.clone(), &self.places.state);
        Ok(Account { name: profile.name, provider, session_file, settings, store })
    }
}

/// What the files say.
struct Configured {
    config: Config,
    achilles: Option<AchillesConfig>,
    profiles: Vec<Profile>,
}

impl Configured {
    /// The name of the profile that is meant by `name`, and all that there are.
    fn named(self, name: Option<&str>) -> (String, Vec<Profile>) {
        (resolve(name, &self.config, self.achilles.as_ref()), self.profiles)
    }
}

/// An OAuth client as it is configured.
fn client(oauth: &OauthProfile) -> Result<OauthClient> {
    let secret = match &oauth.client_secret_file {
        Some(file) => Some(secret(Path::new(file))?),
        None => None,
    };
    let (issuer, discovery) = match &oauth.endpoints {
        OauthEndpoints::Issuer(issuer) => (issuer.clone(), Discovery::Metadata),
        OauthEndpoints::Explicit(given) => (
            String::new(),
            Discovery::Given(Endpoints {
                token: given.token.clone(),
                authorization: given.authorization.clone(),
                device_authorization: given.device_authorization.clone(),
                registration: given.registration.clone(),
                revocation: given.revocation.clone(),
                userinfo: given.userinfo.clone(),
                ..Endpoints::default()
            }),
        ),
    };
    let client = oauth.client_id.clone().map(|id| (id, secret));
    Ok(OauthClient { issuer, discovery, client, scope: oauth.scope.clone(), lifetime_secs: None })
}

/// A server without an issuer is named by where its tokens come from.
fn token_origin(oauth: &OauthProfile) -> Option<String> {
    let OauthEndpoints::Explicit(given) = &oauth.endpoints else { return None };
    Some(reqwest::Url::parse(&given.token).ok()?.origin().ascii_serialization())
}

fn secret(file: &Path) -> Result<Secret> {
    let text = std::fs::read_to_string(file).with_context(|| format!("can't read {}", file.display()))?;
    Ok(Secret::new(Secret::new(text).expose().trim()))
}

/// A small text file; none if there is none.
fn read(path: &Path) -> Result<Option<String>> {
    match std::fs::read_to_string(path) {
        Ok(text) => Ok(Some(text)),
        Err(e) if e.kind() == std::io::ErrorKind::NotFound => Ok(None),
        Err(e) => Err(e).with_context(|| format!("can't read {}", path.display())),
    }
}

fn no_such_profile(name: &str, known: &[String]) -> Failure {
    Failure {
        code: Code::UnknownProfile,
        message: format!("There is no profile {:?}.", harmless(name, 64)),
        hint: format!("There is: {}. `everkey profile add` adds one.", known.join(", ")),
        retry_after_secs: None,
        answer: None,
    }
}

fn unusable(e: &anyhow::Error) -> Failure {
    Failure {
        code: Code::Storage,
        message: format!("{e:#}."),
        hint: "Mend it and try again; the sessions that are looked after already go on.".to_owned(),
        retry_after_secs: None,
        answer: None,
    }
}

/// The cryptography behind https, once for the whole process.
pub fn tls() -> Result<()> {
    rustls::crypto::ring::default_provider().install_default().map_err(|_| anyhow!("TLS is set up twice"))
}

/// Only tests set this: nobody should refresh more often than every 30 s.
fn gap_ms() -> Result<u64> {
    match text("EVERKEY_TEST_REFRESH_GAP_MS") {
        Some(ms) => ms.parse().context("EVERKEY_TEST_REFRESH_GAP_MS must be a number of milliseconds"),
        None => Ok(GAP_MS),
    }
}

/// dot-ai's own variable; what is no number of seconds counts as not said, and is no reason to serve nobody.
fn dot_ai_ttl_secs() -> Option<u64> {
    text("DOT_AI_TOKEN_TTL_SECONDS")?.trim().parse().ok().filter(|secs| *secs > 0)
}

/// Tells machines apart without naming this one.
fn machine() -> String {
    let id = std::fs::read_to_string("/etc/machine-id").unwrap_or_default();
    hex(&Sha256::digest(format!("everkey {}", id.trim())))[..16].to_owned()
}

fn path(name: &str) -> Option<PathBuf> {
    std::env::var_os(name).filter(|value| !value.is_empty()).map(PathBuf::from)
}

fn text(name: &str) -> Option<String> {
    std::env::var(name).ok().filter(|value| !value.trim().is_empty())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn binbois_own_file_names_its_server_though_nobody_is_signed_in() {
        let dir = tempfile::tempdir().unwrap();
        let file = dir.path().join("home/.binboi/config.json");
        std::fs::create_dir_all(file.parent().unwrap()).unwrap();
        let server = |json: &str| {
            std::fs::write(&file, json).unwrap();
            Setup::in_folder(dir.path()).find(Some("binboi")).map(|account| account.settings.server)
        };
        assert_eq!(server("{}").ok().as_deref(), Some("https://api.binboi.com"));
        let own = r#"{"server_addr":"x:1","api_url":"http://127.0.0.1:9/"}"#;
        assert_eq!(server(own).ok().as_deref(), Some("http://127.0.0.1:9"));
        assert!(server(r#"{"api_url":"http://elsewhere.example"}"#).is_err(), "no token goes there");
    }
}
