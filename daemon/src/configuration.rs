//! The profiles that are configured, each with what its core and its files start from.

use crate::configured_client::ConfiguredClient;
use crate::environment::Environment;
use crate::http::base_url;
use crate::provider::{self, Descriptor};
use crate::store::state_files::{StateFiles, parse_sidecar};
use crate::store::{self, ProfileStore};
use anyhow::{Result, anyhow, bail};
use everkey_config::Mistake;
use everkey_config::achilles::AchillesConfig;
use everkey_config::file::{Config, ConfiguredRedirect, OauthEndpoints, OauthProfile};
use everkey_config::network::NetworkSettings;
use everkey_config::paths::Places;
use everkey_config::profile::{ResolvedProfile, profiles, resolve};
use everkey_config::replay::ReplaySettings;
use everkey_guard::file;
use everkey_proto::reply::Hint;
use everkey_proto::server_url::normal_server;
use everkey_proto::text::harmless;
use everkey_proto::{Code, Failure, SignInMethod};
use everkey_session::policy::{CallbackAddress, CallbackPort, Discovery, OauthClient, Policy, Renewal};
use everkey_session::{Endpoints, ReplayKnowledge, Settings};
use std::path::{Path, PathBuf};
use std::sync::{Arc, Mutex, PoisonError};

pub struct ConfiguredProfile {
    pub name: String,
    pub provider: &'static Descriptor,
    pub session_file: PathBuf,
    pub settings: Settings,
    pub store: ProfileStore,
    /// The OAuth client that config.toml names, if it does.
    pub client: Option<ConfiguredClient>,
    /// What config.toml puts between here and its server.
    pub network: NetworkSettings,
}

impl ConfiguredProfile {
    /// What would keep its client from proving who it is.
    pub fn check_client(&self) -> Result<(), Failure> {
        match &self.client {
            Some(client) => client.credential().map(drop).map_err(|e| unusable(format!("{e:#}."))),
            None => Ok(()),
        }
    }
}

/// Where the requests of a profile go.
pub struct KnownServer {
    pub profile: String,
    pub session_file: PathBuf,
    pub server: String,
    pub network: NetworkSettings,
}

/// Why a profile can't be used as it is configured.
pub struct Unusable {
    pub failure: Failure,
    /// Whether nobody can say what config.toml means, so that a profile in use goes on as it is.
    pub file_is_unreadable: bool,
}

/// Where profiles are found. The files are read anew whenever one is looked for.
#[derive(Clone)]
pub struct Configuration {
    places: Places,
    pub environment: Environment,
    /// What is wrong with config.toml, as it was logged last.
    logged: Arc<Mutex<String>>,
}

impl Configuration {
    pub fn new(places: &Places, environment: Environment) -> Self {
        Self { places: places.clone(), environment, logged: Arc::default() }
    }

    /// Of a folder that holds nothing.
    #[cfg(test)]
    pub fn in_folder(root: &Path) -> Self {
        let var = |name: &str| (name == "EVERKEY_HOME").then(|| root.to_owned());
        Self::new(&Places::find(var, |_| None, 0).unwrap(), Environment::empty())
    }

    /// The file that a user writes.
    pub fn file(&self) -> &Path {
        &self.places.config
    }

    /// The profiles that have something to look after: a session file, or what everkey keeps beside one.
    pub fn in_use(&self) -> Vec<ConfiguredProfile> {
        let (default, profiles) = self.files().named(None);
        let mut in_use = Vec::new();
        for profile in profiles {
            let name = profile.name.clone();
            match self.profile(profile) {
                Ok(profile) if name == default || profile.store.is_in_use() => in_use.push(profile),
                Ok(_) => {}
                // One that can't be used is no reason to leave the others alone.
                Err(e) => tracing::warn!(profile = name, error = format!("{e:#}"), "can't look after it"),
            }
        }
        in_use
    }

    /// The profile of this name, or the default one; with the session file that the caller counts on, if that can be
    /// another one.
    pub fn find(
        &self,
        name: Option<&str>,
        session_file: Option<&str>,
    ) -> Result<ConfiguredProfile, Unusable> {
        let files = self.files();
        if let Some(mistake) = files.config.default_mistake().filter(|_| name.is_none()) {
            return Err(self.mistaken(mistake));
        }
        let mistakes = files.config.mistakes.clone();
        let (name, profiles) = files.named(name);
        if let Some(mistake) = mistakes.iter().find(|mistake| mistake.stops(&name)) {
            return Err(self.mistaken(mistake));
        }
        let names: Vec<_> = profiles.iter().map(|profile| profile.name.clone()).collect();
        let profile = profiles.into_iter().find(|profile| profile.name == name);
        let mut profile = profile.ok_or_else(|| no_such_profile(&name, &names))?;
        if let Some(file) = session_file.map(Path::new).filter(|file| may_be_elsewhere(&profile.name, file)) {
            file.clone_into(&mut profile.session_file);
        }
        self.profile(profile).map_err(|e| unusable(format!("{e:#}.")).into())
    }

    /// The servers of the profiles that somebody uses, and of the default one, found without a change to any file.
    pub fn servers(&self) -> Vec<KnownServer> {
        let files = self.files();
        let config = files.config.clone();
        let (default, profiles) = files.named(None);
        let is_used = |profile: &ResolvedProfile| {
            profile.name == default
                || profile.is_configured(&config)
                || profile.session_file.symlink_metadata().is_ok()
        };
        profiles.into_iter().filter(is_used).filter_map(|profile| self.server_of(profile)).collect()
    }

    /// Where its session was pinned, else where a sign-in would go.
    fn server_of(&self, profile: ResolvedProfile) -> Option<KnownServer> {
        let text = |path: &Path| file::read(path).ok().flatten();
        let pinned = || {
            let files = StateFiles::of(&self.places.state, &profile.name, &profile.session_file);
            Some(parse_sidecar(text(files.path())?.as_bytes())?.pin?.server)
        };
        let in_file = || {
            let read = provider::descriptor(profile.provider).session_file.server?;
            read(text(&profile.session_file)?.as_bytes())
        };
        let variable = || {
            let is_default = profile.name == everkey_proto::DEFAULT_PROFILE;
            self.environment.server.clone().filter(|_| is_default)
        };
        let named = pinned().or_else(|| profile.server.clone()).or_else(variable).or_else(in_file);
        let named = named.or_else(|| token_origin(profile.oauth.as_ref()?));
        let server = normal_server(&named.or_else(|| profile.server().map(str::to_owned))?);
        let ResolvedProfile { name, session_file, network, .. } = profile;
        Some(KnownServer { profile: name, session_file, server, network })
    }

    fn mistaken(&self, mistake: &Mistake) -> Unusable {
        let failure = unusable(mistake.error.in_file(&self.places.config));
        Unusable { failure, file_is_unreadable: mistake.is_of_file() }
    }

    /// The OAuth client that a profile names now, if it does.
    pub fn client_of(&self, profile: &str) -> Result<Option<ConfiguredClient>> {
        let files = self.files();
        if let Some(mistake) = files.config.mistake_in(profile) {
            bail!("{}", mistake.error.in_file(&self.places.config));
        }
        let profile = files.profiles.into_iter().find(|one| one.name == profile);
        let profile = profile.ok_or_else(|| anyhow!("config.toml has it no more"))?;
        Ok(profile.oauth.as_ref().and_then(ConfiguredClient::of))
    }

    /// The program with its arguments that a due reminder runs, as it is configured now.
    pub fn reminder_command(&self) -> Result<Option<Vec<String>>> {
        let config = self.files().config;
        match config.mistakes.iter().find(|mistake| mistake.hides_command()) {
            Some(mistake) => bail!("{}", mistake.error.in_file(&self.places.config)),
            None => Ok(config.reminder_command),
        }
    }

    fn files(&self) -> ConfigurationFiles {
        let config = match file::read_trusted(&self.places.config) {
            Ok(text) => text.map(|text| Config::read(&text)).unwrap_or_default(),
            Err(why) => Config::unreadable(&why.to_string()),
        };
        self.log(&config.mistakes);
        // Another program's file: what is wrong with it is no reason to serve nobody.
        let achilles = file::read_trusted(&self.places.home.join(".achilles/config.json")).ok().flatten();
        let achilles = achilles.and_then(|text| AchillesConfig::parse(text.as_bytes()).ok());
        let profiles = profiles(&self.places, &config, achilles.as_ref(), self.environment.auth_dir.clone());
        ConfigurationFiles { config, achilles, profiles }
    }

    /// What is wrong with config.toml, once.
    fn log(&self, mistakes: &[Mistake]) {
        let mut logged = self.logged.lock().unwrap_or_else(PoisonError::into_inner);
        let now = mistakes.iter().map(|mistake| mistake.error.in_file(&self.places.config) + "\n").collect();
        if std::mem::replace(&mut *logged, now) == *logged {
            return;
        }
        for mistake in mistakes {
            let (error, then) = (mistake.error.in_file(&self.places.config), mistake.consequence());
            tracing::warn!(error, then, "a mistake in the configuration");
        }
    }

    fn profile(&self, profile: ResolvedProfile) -> Result<ConfiguredProfile> {
        let provider = provider::descriptor(profile.provider);
        // Whoever asks from a shell with another variable says so.
        let variable = || {
            let is_default = profile.name == everkey_proto::DEFAULT_PROFILE;
            self.environment.server.clone().filter(|_| is_default)
        };
        let in_file = || provider.session_file.server?(&store::read_own(&profile.session_file)?);
        let token_origin = || token_origin(profile.oauth.as_ref()?);
        let named = profile.server.clone().or_else(variable).or_else(in_file).or_else(token_origin);
        let server_is_named = named.is_some();
        let server = named.or_else(|| profile.server().map(str::to_owned)).unwrap_or_default();
        let server = if provider.tool_names_server {
            base_url(&server).map_err(|why| anyhow!("{}: {why}", profile.name))?
        } else {
            server
        };
        // An issuer's last slash counts only for the issuer.
        let server = normal_server(&server);
        let policy = provider.policy(self.environment.gap_ms);
        let ReplaySettings { rule, not_processed } = profile.replay;
        let replay = ReplayKnowledge { profile: rule, not_processed, ..policy.replay };
        let margin_secs = profile.margin_secs.unwrap_or(policy.margin_secs);
        let policy = Policy { replay, margin_secs, ..policy };
        let policy = match (&profile.oauth, policy.oauth.clone()) {
            (Some(oauth), _) => Policy { oauth: Some(client(oauth)), ..policy },
            (None, Some(usual)) => {
                // Only a server that can be asked for a lifetime has a usual one.
                let wished = self.environment.dot_ai_ttl_secs.filter(|_| usual.lifetime_secs.is_some());
                let lifetime_secs = wished.or(usual.lifetime_secs);
                Policy { oauth: Some(OauthClient { lifetime_secs, ..usual }), ..policy }
            }
            (None, None) => policy,
        };
        let is_machine = profile.scheme == Some(SignInMethod::Client);
        let renewal = if is_machine { Renewal::ClientCredentials } else { policy.renewal };
        let mut schemes = if is_machine { vec![SignInMethod::Client] } else { policy.schemes.clone() };
        // The one that is configured comes first.
        schemes.sort_by_key(|scheme| Some(*scheme) != profile.scheme);
        let session_file = profile.session_file;
        let settings = Settings {
            policy: Policy { schemes, renewal, ..policy },
            server,
            server_is_named,
            session_file: session_file.to_string_lossy().into_owned(),
            machine: self.environment.machine.clone(),
            boot_id: self.environment.boot_id.clone(),
            announces_revocations: false,
        };
        let store = ProfileStore::new(
            &provider.session_file,
            &profile.name,
            session_file.clone(),
            &self.places.state,
        );
        let client = profile.oauth.as_ref().and_then(ConfiguredClient::of);
        let (name, network) = (profile.name, profile.network);
        Ok(ConfiguredProfile { name, provider, session_file, settings, store, client, network })
    }
}

struct ConfigurationFiles {
    config: Config,
    achilles: Option<AchillesConfig>,
    profiles: Vec<ResolvedProfile>,
}

impl ConfigurationFiles {
    /// The name of the profile that is meant by `name`, and all that there are.
    fn named(self, name: Option<&str>) -> (String, Vec<ResolvedProfile>) {
        (resolve(name, &self.config, self.achilles.as_ref()), self.profiles)
    }
}

fn client(oauth: &OauthProfile) -> OauthClient {
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
    OauthClient {
        issuer,
        discovery,
        client_id: oauth.client_id.clone(),
        scope: oauth.scope.clone(),
        resources: oauth.resources.clone(),
        callback: callback(&oauth.redirect),
        ..OauthClient::default()
    }
}

fn callback(redirect: &ConfiguredRedirect) -> CallbackAddress {
    let usual = CallbackAddress::default();
    CallbackAddress {
        localhost: redirect.localhost,
        port: redirect.port.map_or(usual.port, CallbackPort::Only),
        path: redirect.path.clone().unwrap_or(usual.path),
    }
}

/// `FAILPROOFAI_AUTH_DIR` names the folder of one account's session, and each shell may have another.
fn may_be_elsewhere(profile: &str, file: &Path) -> bool {
    let is_plain = !file.components().any(|part| part == std::path::Component::ParentDir);
    profile == everkey_proto::DEFAULT_PROFILE && file.is_absolute() && is_plain && file.ends_with("auth.json")
}

/// A server without an issuer is named by where its tokens come from.
fn token_origin(oauth: &OauthProfile) -> Option<String> {
    let OauthEndpoints::Explicit(given) = &oauth.endpoints else { return None };
    Some(reqwest::Url::parse(&given.token).ok()?.origin().ascii_serialization())
}

fn no_such_profile(name: &str, known: &[String]) -> Failure {
    let message = format!("There is no profile {:?}.", harmless(name, 64));
    Failure::new(Code::UnknownProfile, message, Hint::AddProfile { known: known.to_vec() })
}

fn unusable(message: String) -> Failure {
    let hint = "Mend it and try again; nothing else is stopped by it, and the session is kept.";
    Failure::new(Code::Storage, message, hint)
}

impl From<Failure> for Unusable {
    fn from(failure: Failure) -> Self {
        Self { failure, file_is_unreadable: false }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn binbois_config_file_names_its_server_without_a_session() {
        let dir = tempfile::tempdir().unwrap();
        let file = dir.path().join("home/.binboi/config.json");
        std::fs::create_dir_all(file.parent().unwrap()).unwrap();
        let server = |json: &str| {
            std::fs::write(&file, json).unwrap();
            Configuration::in_folder(dir.path()).find(Some("binboi"), None).map(|found| found.settings.server)
        };
        assert_eq!(server("{}").ok().as_deref(), Some("https://api.binboi.com"));
        let own = r#"{"server_addr":"x:1","api_url":"http://127.0.0.1:9/"}"#;
        assert_eq!(server(own).ok().as_deref(), Some("http://127.0.0.1:9"));
        assert!(server(r#"{"api_url":"http://elsewhere.example"}"#).is_err(), "no token goes there");
    }
}
