//! `config.toml`: the profiles beyond the built-in ones, typed. What can't be meant is an error that names its place.
//! No I/O: the text comes in, values come out; paths are as written, `~/` included.

pub use crate::file_text::ConfigError;
use crate::file_text::{At, Source, Table, nearest, path};
use crate::mistakes::{Mistake, Touched};
use crate::names::{BUILT_IN, built_in, is_plain_name, is_word_name};
use crate::network::{self, NetworkSettings};
use crate::provider::ProviderKind;
pub use crate::redirect::ConfiguredRedirect;
use crate::redirect::redirect;
use crate::replay::{self, ReplaySettings};
use crate::resource::resources;
use everkey_proto::SignInMethod;
use everkey_proto::server_url::{self, NotAnAddress};
use std::collections::BTreeMap;

/// Everything that `config.toml` says.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Config {
    /// The profile that is meant where none is named.
    pub default: Option<String>,
    /// The profiles by name.
    pub profiles: BTreeMap<String, ProfileConfig>,
    /// The program with its arguments that the reminder runs.
    pub reminder_command: Option<Vec<String>>,
    /// What can't be meant. What it does not touch is as the file says.
    pub mistakes: Vec<Mistake>,
}

/// One `[profiles.NAME]`.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct ProfileConfig {
    /// What its server speaks.
    pub provider: ProviderKind,
    /// The server; none means the provider's default. For oauth it is the issuer, if there is one.
    pub server: Option<String>,
    /// The session file as written: absolute, or under `~/`.
    pub session_file: Option<String>,
    /// How to sign in, if not the provider's first way.
    pub scheme: Option<SignInMethod>,
    /// How many seconds before its expiry a token is refreshed at the latest, if not as the provider has it.
    pub margin_secs: Option<u64>,
    /// What the server does with refresh tokens that come twice, as far as the profile says.
    pub replay: ReplaySettings,
    /// What lies between the agent and the server, as far as the profile says.
    pub network: NetworkSettings,
    /// What only oauth has; there exactly when the provider is oauth.
    pub oauth: Option<OauthProfile>,
}

/// What an OAuth profile knows of its server and of itself.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct OauthProfile {
    /// Where to go.
    pub endpoints: OauthEndpoints,
    /// The id that the server knows this client by; none means to register.
    pub client_id: Option<String>,
    /// The file that holds the client's secret: as written in a [`ProfileConfig`], a full path in a `ResolvedProfile`.
    pub client_secret_file: Option<String>,
    /// The file that holds the client's private key as PEM (RFC 7523); as the secret's, as written or a full path.
    pub private_key_file: Option<String>,
    /// How the server calls that key (`kid`).
    pub key_id: Option<String>,
    /// What to ask for.
    pub scope: Option<String>,
    /// What the tokens are to be good for (RFC 8707); empty where nobody said.
    pub resources: Vec<String>,
    /// Where browsers come back to.
    pub redirect: ConfiguredRedirect,
}

/// Where an OAuth server's endpoints are.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum OauthEndpoints {
    /// In the metadata of this issuer.
    Issuer(String),
    /// Here.
    Explicit(ExplicitEndpoints),
}

/// Endpoints named one by one; at least one of `authorization` and `device_authorization` is there.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct ExplicitEndpoints {
    /// RFC 6749, section 3.2.
    pub token: String,
    /// RFC 6749, section 3.1.
    pub authorization: Option<String>,
    /// RFC 8628, section 3.1.
    pub device_authorization: Option<String>,
    /// RFC 7009.
    pub revocation: Option<String>,
    /// OpenID Connect Core, section 5.3.
    pub userinfo: Option<String>,
    /// RFC 7591.
    pub registration: Option<String>,
}

impl Config {
    /// Reads the text of a `config.toml`, all of which must be right.
    pub fn parse(text: &str) -> Result<Self, ConfigError> {
        let mut config = Self::read(text);
        if config.mistakes.is_empty() { Ok(config) } else { Err(config.mistakes.remove(0).error) }
    }

    /// Reads the text of a `config.toml`: what is right of it, and what is not.
    pub fn read(text: &str) -> Self {
        let mut config = Self::default();
        let source = Source(text);
        let top = match source.parse() {
            Ok(top) => top,
            Err(error) => {
                config.mistakes.push(Mistake::of_text(text, error));
                return config;
            }
        };
        config.take(source, top);
        config
    }

    /// That of a file that can't be read, for this reason.
    pub fn unreadable(why: &str) -> Self {
        Self { mistakes: vec![Mistake::unreadable(why)], ..Self::default() }
    }

    /// What keeps this profile from being used.
    pub fn mistake_in(&self, profile: &str) -> Option<&Mistake> {
        self.mistakes.iter().find(|mistake| mistake.stops(profile))
    }

    /// What hides which profile is meant where none is named.
    pub fn default_mistake(&self) -> Option<&Mistake> {
        self.mistakes.iter().find(|mistake| mistake.hides_default())
    }

    fn take(&mut self, source: Source<'_>, mut top: Table<'_>) {
        let default = top.text("default");
        let default = self.right(Touched::Default, default).flatten();
        let tables = top.table("profiles");
        let tables = self.right(Touched::Nothing, tables).flatten();
        let tables = tables.map(Table::tables).unwrap_or_default();
        let names: Vec<String> = tables.iter().map(|(name, _)| name.clone()).collect();
        for (name, table) in tables {
            let read = table.and_then(|table| profile(source, &name, table));
            if let Some(read) = self.right(Touched::Profile(name.clone()), read) {
                self.profiles.insert(name, read);
            }
        }
        let command = top.table("reminder").and_then(reminder_command);
        self.reminder_command = self.right(Touched::Reminder, command).flatten();
        let end = top.end();
        self.right(Touched::Nothing, end);
        if let Some(default) = default {
            let known = default_is_known(source, &default, &names);
            self.default = self.right(Touched::Default, known).map(|()| default.value);
        }
    }

    /// What was read; what is wrong with it is noted.
    fn right<T>(&mut self, touches: Touched, read: Result<T, ConfigError>) -> Option<T> {
        match read {
            Ok(read) => Some(read),
            Err(error) => {
                self.mistakes.push(Mistake { touches, error });
                None
            }
        }
    }
}

fn reminder_command(table: Option<Table<'_>>) -> Result<Option<Vec<String>>, ConfigError> {
    let Some(mut reminder) = table else { return Ok(None) };
    let command = reminder.texts("command")?;
    reminder.end()?;
    Ok(command)
}

fn default_is_known(source: Source<'_>, default: &At<String>, names: &[String]) -> Result<(), ConfigError> {
    let At { value, at } = default;
    let of_achilles = value.strip_prefix("achilles/").is_some_and(is_plain_name);
    if of_achilles || built_in(value).is_some() || names.contains(value) {
        return Ok(());
    }
    let mut names: Vec<&str> = names.iter().map(String::as_str).collect();
    names.sort_unstable();
    let known: Vec<&str> = names.into_iter().chain(BUILT_IN).collect();
    let message = format!("`default`: there is no profile {value:?}; {}", nearest(value, &known));
    Err(source.error(*at, Some("default"), message))
}

fn profile(source: Source<'_>, name: &str, mut table: Table<'_>) -> Result<ProfileConfig, ConfigError> {
    let at = table.at();
    let fail = |message: String| Err(source.error(at, Some(name), message));
    if !is_word_name(name) {
        return fail(format!(
            "{name:?} can't be a profile's name: that is 1 to 64 of the letters A-Z a-z 0-9 . _ -, \
             and begins with a letter or digit"
        ));
    }
    let Some(provider) = table.text("provider")? else {
        return fail(format!("profile {name:?} has no `provider`; there are {}", providers().join(", ")));
    };
    let Ok(kind) = provider.value.parse::<ProviderKind>() else {
        let message = format!(
            "`provider`: there is no {:?}; {}",
            provider.value,
            nearest(&provider.value, &providers())
        );
        return Err(source.error(provider.at, Some("provider"), message));
    };
    if built_in(name).is_some_and(|own| own != kind) {
        let message =
            format!("`provider`: the name {name:?} is built in with provider {name:?}; take another name");
        return Err(source.error(provider.at, Some("provider"), message));
    }
    let session_file = path(source, &mut table, "session_file")?;
    let scheme = scheme(source, &mut table, kind)?;
    let margin_secs = table.secs("margin_secs")?;
    let replay = replay::read(source, &mut table)?;
    let network = network::read(source, &mut table)?;
    let (server, oauth) = match kind {
        ProviderKind::Oauth => {
            let oauth = oauth(source, name, &mut table, scheme)?;
            let server = match &oauth.endpoints {
                OauthEndpoints::Issuer(issuer) => Some(issuer.clone()),
                OauthEndpoints::Explicit(_) => None,
            };
            (server, Some(oauth))
        }
        ProviderKind::Failproofai | ProviderKind::Achilles | ProviderKind::Binboi | ProviderKind::DotAi => {
            let server = url(source, &mut table, "server", server_url::check_server)?;
            (server.map(|s| s.trim_end_matches('/').to_owned()), None)
        }
    };
    table.end()?;
    Ok(ProfileConfig { provider: kind, server, session_file, scheme, margin_secs, replay, network, oauth })
}

fn oauth(
    source: Source<'_>,
    name: &str,
    table: &mut Table<'_>,
    scheme: Option<SignInMethod>,
) -> Result<OauthProfile, ConfigError> {
    let at = table.at();
    let fail = |message: &str| Err(source.error(at, Some(name), format!("profile {name:?} {message}")));
    let issuer = url(source, table, "issuer", server_url::check_server)?;
    let mut endpoint = |key| url(source, table, key, server_url::check);
    let token = endpoint("token_endpoint")?;
    let authorization = endpoint("authorization_endpoint")?;
    let device_authorization = endpoint("device_authorization_endpoint")?;
    let revocation = endpoint("revocation_endpoint")?;
    let userinfo = endpoint("userinfo_endpoint")?;
    let registration = endpoint("registration_endpoint")?;
    let any_explicit = [&token, &authorization, &device_authorization, &revocation, &userinfo, &registration]
        .iter()
        .any(|e| e.is_some());
    let client_id = table.text("client_id")?.map(|id| id.value);
    let client_secret_file = path(source, table, "client_secret_file")?;
    let private_key_file = path(source, table, "private_key_file")?;
    let key_id = table.text("key_id")?.map(|id| id.value);
    let is_machine = scheme == Some(SignInMethod::Client);
    let scope = table.text("scope")?.map(|scope| scope.value);
    let resources = resources(source, table)?;
    let redirect = redirect(source, table)?;

    let endpoints = match (issuer, token) {
        (Some(_), _) if any_explicit => {
            return fail(
                "has an `issuer` and endpoints of its own; the issuer says where they are, so keep one",
            );
        }
        (Some(issuer), _) => OauthEndpoints::Issuer(issuer),
        (None, None) => return fail("needs an `issuer`, or a `token_endpoint` and what goes with it"),
        (None, Some(_)) if authorization.is_none() && device_authorization.is_none() && !is_machine => {
            return fail("needs an `authorization_endpoint` or a `device_authorization_endpoint`");
        }
        (None, Some(_)) if scheme == Some(SignInMethod::Device) && device_authorization.is_none() => {
            return fail("has the scheme \"device\", but no `device_authorization_endpoint`");
        }
        (None, Some(_)) if scheme == Some(SignInMethod::Browser) && authorization.is_none() => {
            return fail("has the scheme \"browser\", but no `authorization_endpoint`");
        }
        (None, Some(_)) if authorization.is_none() && redirect != ConfiguredRedirect::default() => {
            return fail("has a redirect address, but no `authorization_endpoint`");
        }
        (None, Some(_)) if client_id.is_none() && registration.is_none() => {
            return fail("needs a `client_id`, or a `registration_endpoint` to get one from");
        }
        (None, Some(token)) => OauthEndpoints::Explicit(ExplicitEndpoints {
            token,
            authorization,
            device_authorization,
            revocation,
            userinfo,
            registration,
        }),
    };
    let oauth = OauthProfile {
        endpoints,
        client_id,
        client_secret_file,
        private_key_file,
        key_id,
        scope,
        resources,
        redirect,
    };
    match wrong_proof(&oauth, is_machine) {
        Some(message) => fail(message),
        None => Ok(oauth),
    }
}

/// What is wrong with the way in which the client proves that it is itself, if anything.
fn wrong_proof(oauth: &OauthProfile, is_machine: bool) -> Option<&'static str> {
    let (id, secret, key) = (&oauth.client_id, &oauth.client_secret_file, &oauth.private_key_file);
    match (id, secret, key) {
        (_, Some(_), Some(_)) => {
            Some("has a `client_secret_file` and a `private_key_file`; a client proves itself by one")
        }
        (_, _, None) if oauth.key_id.is_some() => Some("has a `key_id`, but no `private_key_file`"),
        (None, Some(_), None) => Some("has a `client_secret_file`, but no `client_id`"),
        (None, None, Some(_)) => Some("has a `private_key_file`, but no `client_id`"),
        (_, None, None) if is_machine => Some(
            "has the scheme \"client\", so it needs a `client_id` with a `client_secret_file` or a `private_key_file`",
        ),
        _ => None,
    }
}

fn scheme(
    source: Source<'_>,
    table: &mut Table<'_>,
    provider: ProviderKind,
) -> Result<Option<SignInMethod>, ConfigError> {
    let Some(At { value, at }) = table.text("scheme")? else { return Ok(None) };
    if let Some(scheme) = value.parse::<SignInMethod>().ok().filter(|scheme| provider.allows(*scheme)) {
        return Ok(Some(scheme));
    }
    let allowed = SignInMethod::ALL.into_iter().filter(|way| provider.allows(*way));
    let words: Vec<&str> = allowed.map(SignInMethod::as_str).collect();
    let message =
        format!("`scheme`: {} signs in by {}, not by {value:?}", provider.as_str(), words.join(" or "));
    Err(source.error(at, Some("scheme"), message))
}

fn url(
    source: Source<'_>,
    table: &mut Table<'_>,
    key: &'static str,
    check: fn(&str) -> Result<(), NotAnAddress>,
) -> Result<Option<String>, ConfigError> {
    let Some(At { value, at }) = table.text(key)? else { return Ok(None) };
    let value = server_url::completed(&value);
    match check(&value) {
        Ok(()) => Ok(Some(value)),
        Err(e) => Err(source.error(at, Some(key), format!("`{key}`: {e}"))),
    }
}

fn providers() -> Vec<&'static str> {
    ProviderKind::ALL.iter().map(|kind| kind.as_str()).collect()
}

#[cfg(test)]
#[path = "file_tests.rs"]
mod tests;
