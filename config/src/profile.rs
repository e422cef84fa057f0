//! Every profile there is: the built-in ones, achilles' own, and those of `config.toml`.

use crate::achilles::AchillesConfig;
use crate::file::{Config, OauthProfile, ProfileConfig};
use crate::names::is_plain_name;
use crate::network::NetworkSettings;
use crate::paths::Places;
use crate::provider::ProviderKind;
use crate::replay::ReplaySettings;
use everkey_proto::server_url::normal_server;
use everkey_proto::{DEFAULT_PROFILE, SignInMethod};
use std::path::{Path, PathBuf};

/// A named account.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct ResolvedProfile {
    /// Its name, `achilles/NAME` for achilles' own.
    pub name: String,
    /// What its server speaks.
    pub provider: ProviderKind,
    /// The server that is configured; none means the provider's default. For oauth it is the issuer, if there is one.
    pub server: Option<String>,
    /// The session file, a full path.
    pub session_file: PathBuf,
    /// How to sign in, if not the provider's first way.
    pub scheme: Option<SignInMethod>,
    /// How many seconds before its expiry a token is refreshed at the latest, if not as the provider has it.
    pub margin_secs: Option<u64>,
    /// What the server does with refresh tokens that come twice, as far as the profile says.
    pub replay: ReplaySettings,
    /// What lies between the agent and the server, as far as the profile says.
    pub network: NetworkSettings,
    /// What only oauth has.
    pub oauth: Option<OauthProfile>,
    /// Whether it is there without `config.toml`.
    pub built_in: bool,
}

impl ResolvedProfile {
    /// One that is there without `config.toml`, and of which nothing else is said.
    pub fn built_in(name: &str, provider: ProviderKind, session_file: PathBuf) -> Self {
        Self {
            name: name.to_owned(),
            provider,
            server: None,
            session_file,
            scheme: None,
            margin_secs: None,
            replay: ReplaySettings::default(),
            network: NetworkSettings::default(),
            oauth: None,
            built_in: true,
        }
    }

    /// Whether `config.toml` says something of it. One that is merely built in is only there to be used.
    pub fn is_configured(&self, config: &Config) -> bool {
        let name = if self.name == "achilles/default" { "achilles" } else { &self.name };
        !self.built_in || config.profiles.contains_key(name)
    }

    /// The server as far as it is known without discovery.
    pub fn server(&self) -> Option<&str> {
        self.server.as_deref().or(self.provider.default_server())
    }
}

/// All profiles that can be used, sorted by name. `[profiles.achilles]` sets the server and file of `achilles/default`.
pub fn profiles(
    places: &Places,
    config: &Config,
    achilles: Option<&AchillesConfig>,
    failproofai_auth_dir: Option<PathBuf>,
) -> Vec<ResolvedProfile> {
    let home = &places.home;
    let auth_dir_named = failproofai_auth_dir.is_some();
    let mut all = vec![
        ResolvedProfile::built_in(
            "failproofai",
            ProviderKind::Failproofai,
            places.failproofai_session(failproofai_auth_dir),
        ),
        ResolvedProfile::built_in("binboi", ProviderKind::Binboi, home.join(".binboi/config.json")),
        ResolvedProfile::built_in(
            "dot-ai",
            ProviderKind::DotAi,
            home.join(".config/dot-ai/credentials.json"),
        ),
        ResolvedProfile::built_in(
            "achilles/default",
            ProviderKind::Achilles,
            home.join(".achilles/auth.json"),
        ),
    ];
    for (name, theirs) in achilles.into_iter().flat_map(|config| &config.profiles) {
        let server = theirs.server_url.as_deref().map(normal_server);
        let server = server.filter(|server| !server.is_empty());
        if name == "default" {
            all[3].server = server;
        } else if is_plain_name(name) {
            let file = home.join(format!(".achilles/auth-{name}.json"));
            all.push(ResolvedProfile {
                server,
                ..ResolvedProfile::built_in(&format!("achilles/{name}"), ProviderKind::Achilles, file)
            });
        }
    }
    for (name, said) in &config.profiles {
        let canonical = if name == "achilles" { "achilles/default" } else { name };
        let at = all.iter().position(|profile| profile.name == canonical);
        let session_file = said.session_file.as_deref().map(|path| expand(home, path));
        match at {
            Some(at) => {
                let profile = &mut all[at];
                profile.server = said.server.clone().or(profile.server.take());
                profile.scheme = said.scheme;
                profile.margin_secs = said.margin_secs;
                profile.replay = said.replay.clone();
                profile.network = network(home, said);
                // FAILPROOFAI_AUTH_DIR names the folder outright, whatever a file says.
                if let Some(file) = session_file.filter(|_| !(auth_dir_named && name == "failproofai")) {
                    profile.session_file = file;
                }
            }
            None => all.push(configured(places, name, said, session_file)),
        }
    }
    all.retain(|profile| config.mistake_in(&profile.name).is_none());
    all.sort_by(|a, b| a.name.cmp(&b.name));
    all
}

fn configured(
    places: &Places,
    name: &str,
    said: &ProfileConfig,
    session_file: Option<PathBuf>,
) -> ResolvedProfile {
    let oauth = said.oauth.clone().map(|mut oauth| {
        for file in [&mut oauth.client_secret_file, &mut oauth.private_key_file] {
            let path = file.take();
            *file = path.map(|path| expand(&places.home, &path).to_string_lossy().into_owned());
        }
        oauth
    });
    ResolvedProfile {
        name: name.to_owned(),
        provider: said.provider,
        server: said.server.clone(),
        session_file: session_file
            .unwrap_or_else(|| places.state.join("sessions").join(format!("{name}.json"))),
        scheme: said.scheme,
        margin_secs: said.margin_secs,
        replay: said.replay.clone(),
        network: network(&places.home, said),
        oauth,
        built_in: false,
    }
}

fn network(home: &Path, said: &ProfileConfig) -> NetworkSettings {
    let ca_file = said.network.ca_file.as_ref();
    let ca_file = ca_file.map(|file| expand(home, file).to_string_lossy().into_owned());
    NetworkSettings { ca_file, ..said.network.clone() }
}

/// The name of the profile that is meant: none is the default one, `achilles` is the one that achilles has in use.
pub fn resolve(name: Option<&str>, config: &Config, achilles: Option<&AchillesConfig>) -> String {
    match name.or(config.default.as_deref()).unwrap_or(DEFAULT_PROFILE) {
        "achilles" => format!("achilles/{}", achilles.map_or("default", AchillesConfig::active)),
        name => name.to_owned(),
    }
}

/// `~/` is the home folder.
fn expand(home: &Path, path: &str) -> PathBuf {
    path.strip_prefix("~/").map_or_else(|| PathBuf::from(path), |rest| home.join(rest))
}

#[cfg(test)]
mod tests {
    use super::*;

    fn places() -> Places {
        let var = |name: &str| (name == "EVERKEY_HOME").then(|| PathBuf::from("/e"));
        Places::find(var, |_| None, 7).unwrap()
    }

    fn names(profiles: &[ResolvedProfile]) -> Vec<&str> {
        profiles.iter().map(|p| p.name.as_str()).collect()
    }

    fn find<'p>(profiles: &'p [ResolvedProfile], name: &str) -> &'p ResolvedProfile {
        profiles.iter().find(|p| p.name == name).unwrap()
    }

    #[test]
    fn the_built_in_ones_are_always_there() {
        let all = profiles(&places(), &Config::default(), None, None);
        assert_eq!(names(&all), ["achilles/default", "binboi", "dot-ai", "failproofai"]);
        assert_eq!(find(&all, "dot-ai").session_file, Path::new("/e/home/.config/dot-ai/credentials.json"));
        assert_eq!(find(&all, "achilles/default").server(), Some("http://localhost:3000"));
        let all = profiles(&places(), &Config::default(), None, Some("/a".into()));
        assert_eq!(find(&all, "failproofai").session_file, Path::new("/a/auth.json"));
    }

    #[test]
    fn achilles_profiles_are_listed_except_those_with_unsafe_names() {
        let json =
            br#"{"active_profile":"production","profiles":{"default":{"server_url":"http://localhost:4/"},
            "production":{"server_url":"https://p"},"../x":{},"a/b":{},"a\u001bb":{},"..":{},"":{}}}"#;
        let achilles = AchillesConfig::parse(json).unwrap();
        let all = profiles(&places(), &Config::default(), Some(&achilles), None);
        assert_eq!(
            names(&all),
            ["achilles/default", "achilles/production", "binboi", "dot-ai", "failproofai"]
        );
        assert_eq!(find(&all, "achilles/default").server(), Some("http://localhost:4"));
        let production = find(&all, "achilles/production");
        assert_eq!(production.session_file, Path::new("/e/home/.achilles/auth-production.json"));
        assert_eq!(resolve(Some("achilles"), &Config::default(), Some(&achilles)), "achilles/production");
        assert_eq!(resolve(Some("achilles"), &Config::default(), None), "achilles/default");
    }

    #[test]
    fn configuration_adds_profiles_and_moves_built_in_ones() {
        let config = Config::parse(
            "default = \"work\"\n[profiles.work]\nprovider = \"oauth\"\nissuer = \"https://i\"\nclient_id = \"c\"\n\
             client_secret_file = \"~/s\"\n[profiles.binboi]\nprovider = \"binboi\"\nserver = \"https://b\"\n\
             session_file = \"~/b.json\"\nca_file = \"~/c.pem\"\n[profiles.achilles]\nprovider = \"achilles\"\nserver = \"https://a\"\n",
        )
        .unwrap();
        let all = profiles(&places(), &config, None, None);
        assert_eq!(names(&all), ["achilles/default", "binboi", "dot-ai", "failproofai", "work"]);
        let work = find(&all, "work");
        assert_eq!(work.session_file, Path::new("/e/state/sessions/work.json"));
        assert_eq!(work.oauth.as_ref().unwrap().client_secret_file.as_deref(), Some("/e/home/s"));
        assert_eq!((work.server(), work.built_in), (Some("https://i"), false));
        let binboi = find(&all, "binboi");
        assert_eq!(binboi.session_file, Path::new("/e/home/b.json"));
        assert_eq!(binboi.network.ca_file.as_deref(), Some("/e/home/c.pem"));
        assert_eq!((binboi.server(), binboi.built_in), (Some("https://b"), true));
        assert_eq!(find(&all, "achilles/default").server(), Some("https://a"));
        assert_eq!(resolve(None, &config, None), "work");
        assert_eq!(resolve(None, &Config::default(), None), "failproofai");
    }
}
