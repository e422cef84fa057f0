//! The account that a verb is about: which one, who chose it, and how this program was called.

use crate::cli::older_agent;
use crate::cli::terminal::{output, progress, prompt};
use crate::cli::usage::shared_options::{SharedOptions, TokenOption};
use everkey_client::precedence::{GivenToken, NamedServer, Origin};
use everkey_client::{
    Agent, Failure, Hint, ProfileClient, ResolvedProfile, UserConfiguration, environment, hint_text_with,
    precedence,
};
use everkey_config::{Mistake, ProviderKind};
use everkey_proto::server_url::normal_server;
use everkey_proto::{Code, Expect, request};
use std::ffi::OsStr;
use std::path::Path;

/// The name in the access log.
const NAME: &str = concat!("everkey ", env!("CARGO_PKG_VERSION"));

/// The account that a verb is about.
pub struct Context {
    pub options: SharedOptions,
    pub configuration: UserConfiguration,
    pub profile: ResolvedProfile,
    /// Why that profile.
    pub chosen: Chosen,
}

/// Who chose the profile.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Chosen {
    Option,
    Variable,
    /// The name that this program was called by.
    Link(String),
    /// `default` in `config.toml`
    Configuration,
    Default,
}

impl Context {
    /// Finds out which account is meant.
    pub fn new(options: SharedOptions) -> Result<Self, Failure> {
        let configuration = UserConfiguration::read()?;
        let (name, chosen) = choose(&configuration, options.profile.as_deref());
        let profile = match configuration.profile(name.as_deref()) {
            Ok(profile) => profile.clone(),
            Err(failure) => in_use(&configuration, name.as_deref()).ok_or(failure)?,
        };
        warn(&configuration);
        let context = Self { options, configuration, profile, chosen };
        context.check_server_option()?;
        Ok(context)
    }

    /// One for each account that somebody uses.
    pub fn of_all(options: &SharedOptions) -> Result<Vec<Self>, Failure> {
        let configuration = UserConfiguration::read()?;
        let used = configuration.profiles.iter().filter(|profile| configuration.is_used(profile));
        Ok(used
            .map(|profile| Self {
                options: options.clone(),
                configuration: configuration.clone(),
                profile: profile.clone(),
                chosen: Chosen::Option,
            })
            .collect())
    }

    /// The agent, started if none runs.
    pub fn agent(&self) -> Result<Agent, Failure> {
        let agent = progress::during(progress::AGENT, || Agent::connect_as(NAME))?;
        older_agent::mention(&agent);
        Ok(agent)
    }

    /// Requests about the account.
    pub fn client<'a>(&self, agent: &'a mut Agent) -> ProfileClient<'a> {
        agent.for_profile(&self.profile).expecting(self.expect())
    }

    /// The server option and what it says.
    pub fn server_option(&self) -> Option<(&'static str, &str)> {
        self.options.server.as_ref().map(|(option, server)| (*option, server.as_str()))
    }

    /// The server and session file that options and environment name.
    pub fn expect(&self) -> Expect {
        precedence::expect(&self.profile, self.server_option())
    }

    /// The server that the next sign-in goes to, and who names it, if that is another one than the session's.
    pub fn next_server(&self, of_session: &str) -> Option<NamedServer> {
        let named = precedence::named_servers(&self.profile, self.server_option(), environment::text);
        let first = named.into_iter().next().filter(|named| named.origin != Origin::Default)?;
        (normal_server(&first.server) != normal_server(of_session)).then_some(first)
    }

    /// The token that an option or a variable gives for this one command.
    pub fn given_token(&self) -> Result<Option<GivenToken>, Failure> {
        let tokens = self.given_tokens()?;
        let first = tokens.into_iter().next();
        first.map(|given| Ok(GivenToken { token: prompt::one_line(&given.token)?, ..given })).transpose()
    }

    /// All of them, the one that wins first.
    pub fn given_tokens(&self) -> Result<Vec<GivenToken>, Failure> {
        let option = match &self.options.token {
            Some(_) if !precedence::rules(self.profile.provider).token_flag => {
                let provider = self.profile.provider.as_str();
                return Err(Failure::new(
                    Code::BadRequest,
                    format!("--token does not belong to a profile of {provider}."),
                    "It is for binboi and dot-ai.",
                ));
            }
            Some(TokenOption::Given(token)) => Some(token.clone()),
            Some(TokenOption::StandardInput) => Some(prompt::token()?),
            None => None,
        };
        Ok(precedence::given_tokens(self.profile.provider, option, environment::text))
    }

    /// How this command line would be typed with another word: `everkey login`, `dot-ai auth login`.
    pub fn command(&self, word: &str) -> String {
        typed(&self.chosen, &self.profile, word)
    }

    /// The same for a command that is not under `auth`: `everkey reminder set`, `failproofai reminder set`.
    pub fn plain_command(&self, words: &str) -> String {
        match &self.chosen {
            Chosen::Link(name) => format!("{name} {words}"),
            Chosen::Option => format!("everkey {words} --profile {}", self.profile.name),
            Chosen::Variable | Chosen::Configuration | Chosen::Default => format!("everkey {words}"),
        }
    }

    /// A failure whose hint is a sentence, with commands as they are typed here.
    pub fn reword(&self, mut failure: Failure) -> Failure {
        if let (Hint::OmitServer, Some((option, server))) = (&failure.hint, self.server_option()) {
            let login = self.command("login");
            let hint = format!("Leave out {option}, or run `{login} {option} {server}` to sign in there.");
            return Failure { hint: hint.into(), ..failure };
        }
        failure.hint = worded(&failure.hint, &self.chosen, &self.profile).into();
        failure
    }

    /// The same, and in the words of the account's own tool where it has some for it.
    pub fn reword_as_its_tool(&self, failure: Failure) -> Failure {
        let failure = self.reword(failure);
        match self.profile.provider {
            ProviderKind::Achilles if !self.options.json => unauthenticated(failure, &self.command("login")),
            _ => failure,
        }
    }

    fn check_server_option(&self) -> Result<(), Failure> {
        let Some((option, _)) = self.server_option() else { return Ok(()) };
        let allowed = precedence::rules(self.profile.provider).server_options;
        if allowed.contains(&option.trim_start_matches('-')) {
            return Ok(());
        }
        let hint = match allowed.first() {
            Some(other) => format!("Use --{other}."),
            None => "An oauth profile's server is its `issuer` in config.toml.".to_owned(),
        };
        let provider = self.profile.provider.as_str();
        Err(Failure::new(
            Code::BadRequest,
            format!("{option} does not belong to a profile of {provider}."),
            hint,
        ))
    }
}

/// As achilles' document shows it.
fn unauthenticated(failure: Failure, login: &str) -> Failure {
    let Some(reason) = failure.message.strip_prefix("not signed in") else { return failure };
    Failure {
        message: format!("✗ Authentication required{reason}"),
        hint: format!("Run {login} to authenticate.").into(),
        ..failure
    }
}

/// Says what is wrong with `config.toml` beside what is asked for.
pub fn warn(configuration: &UserConfiguration) {
    if let Some(warning) = configuration.warning() {
        output::error_line(output::plain(&warning));
    }
}

/// What an agent that runs knows of a profile, where a `config.toml` that can't be read says nothing of it.
fn in_use(configuration: &UserConfiguration, name: Option<&str>) -> Option<ResolvedProfile> {
    let name = name.filter(|name| configuration.config.mistake_in(name).is_some_and(Mistake::is_of_file))?;
    let mut agent = Agent::find().ok().flatten()?;
    let status = agent.call_about(Some(name.to_owned()), Expect::default(), request::Status).ok()?;
    let provider = status.provider.parse().ok()?;
    let known = ResolvedProfile::built_in(name, provider, status.session_file.into());
    Some(ResolvedProfile { server: Some(status.server), built_in: false, ..known })
}

/// `--profile`, then `EVERKEY_PROFILE`, then the program's name, then the configuration's default.
pub fn choose(configuration: &UserConfiguration, option: Option<&str>) -> (Option<String>, Chosen) {
    if let Some(name) = option {
        return (Some(name.to_owned()), Chosen::Option);
    }
    if let Some(name) = environment::profile() {
        return (Some(name), Chosen::Variable);
    }
    if let Some(name) = called_by().filter(|name| name != "everkey" && configuration.knows(name)) {
        return (Some(name.clone()), Chosen::Link(name));
    }
    match &configuration.config.default {
        None if configuration.config.default_mistake().is_some() => (None, Chosen::Configuration),
        Some(name) => (Some(name.clone()), Chosen::Configuration),
        None => (None, Chosen::Default),
    }
}

fn typed(chosen: &Chosen, profile: &ResolvedProfile, word: &str) -> String {
    match chosen {
        Chosen::Link(name) => {
            let auth = matches!(profile.provider, ProviderKind::DotAi | ProviderKind::Failproofai);
            format!("{name} {}{word}", if auth { "auth " } else { "" })
        }
        Chosen::Option => format!("everkey {word} --profile {}", profile.name),
        Chosen::Variable | Chosen::Configuration | Chosen::Default => format!("everkey {word}"),
    }
}

fn worded(hint: &Hint, chosen: &Chosen, profile: &ResolvedProfile) -> String {
    hint_text_with(hint, |word| typed(chosen, profile, word), Some(profile.provider))
}

/// The name that this program was called by, a link's perhaps.
fn called_by() -> Option<String> {
    let path = std::env::args_os().next()?;
    Path::new(&path).file_name().and_then(OsStr::to_str).map(str::to_owned)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn hints_name_the_program_that_was_called() {
        let profile =
            |provider: ProviderKind| ResolvedProfile::built_in(provider.as_str(), provider, "/s".into());
        let said = |chosen, provider| worded(&Hint::Login, &chosen, &profile(provider));
        let link = |name: &str| Chosen::Link(name.to_owned());
        assert_eq!(said(link("achilles"), ProviderKind::Achilles), "Run `achilles login`.");
        assert_eq!(said(link("dot-ai"), ProviderKind::DotAi), "Run `dot-ai auth login`.");
        assert_eq!(said(link("failproofai"), ProviderKind::Failproofai), "Run `failproofai auth login`.");
        assert_eq!(said(Chosen::Option, ProviderKind::Binboi), "Run `everkey login --profile binboi`.");
        assert_eq!(said(Chosen::Variable, ProviderKind::Binboi), "Run `everkey login`.");
    }

    #[test]
    fn achilles_has_its_own_words_for_nobody() {
        let said = |message: &str| {
            let failure = Failure::new(Code::NotSignedIn, message, Hint::Login);
            let Failure { message, hint, .. } = unauthenticated(failure, "achilles login");
            (message, hint_text_with(&hint, str::to_owned, None))
        };
        let run = "Run achilles login to authenticate.".to_owned();
        assert_eq!(said("not signed in"), ("✗ Authentication required".to_owned(), run.clone()));
        let reason = "not signed in (the api-server has ended the session)";
        let words = "✗ Authentication required (the api-server has ended the session)";
        assert_eq!(said(reason), (words.to_owned(), run));
        assert_eq!(said("The disk is full.").0, "The disk is full.");
    }
}
