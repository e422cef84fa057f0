//! `everkey profile list|show|add|use|remove`

use crate::cli::config_file::ConfigFile;
use crate::cli::restart::restart_agent;
use crate::cli::standing;
use crate::cli::terminal::output;
use crate::cli::usage::error::{UsageError, VerbError};
use crate::cli::usage::option::{Arguments, VerbOption};
use crate::cli::usage::shared_options::SharedOptions;
use crate::cli::usage::shared_rows as rows;
use crate::cli::usage::verb::Action::Run;
use crate::cli::usage::verb::{VerbHelp, VerbRow};
use everkey_client::{Failure, ResolvedProfile, UserConfiguration, environment};
use everkey_config::ProviderKind;
use everkey_config::file::OauthEndpoints;
use everkey_proto::Code;
use serde_json::{Value, json};
use std::process::ExitCode;

#[rustfmt::skip]
pub const VERBS: &[VerbRow] = &[
    VerbRow { name: "list", summary: "all accounts with user, state and expiry; * is in use", help: help_list, action: Run(list) },
    VerbRow { name: "show", summary: "show what an account is made of", help: help_show, action: Run(show) },
    VerbRow { name: "add", summary: "add an account, for a server or OAuth issuer of your own", help: help_add, action: Run(add) },
    VerbRow { name: "use", summary: "make an account the one in use", help: help_use, action: Run(use_profile) },
    VerbRow { name: "remove", summary: "remove an account; log out first, or --force", help: help_remove, action: Run(remove) },
];

/// What `add`, `use` and `remove` need.
const NAME: &str = "the name of a profile";

/// What a new profile is made of: keys of `config.toml` with their values.
#[derive(Default)]
struct AddArgs {
    keys: Vec<(&'static str, String)>,
}

#[derive(Default)]
struct RemoveArgs {
    force: bool,
}

const OPTIONS: &[VerbOption<()>] = &[rows::json()];

const LIST_OPTIONS: &[VerbOption<()>] =
    &[rows::json(), rows::profile_as("mark this one, as EVERKEY_PROFILE does")];

const SHOW_OPTIONS: &[VerbOption<()>] = &[rows::json(), rows::profile_as("this one, if no NAME is given")];

const REMOVE_OPTIONS: &[VerbOption<RemoveArgs>] = &[
    VerbOption::flag("force", "though it is signed in; its session file stays", |args| args.force = true),
    rows::json(),
];

const ADD_OPTIONS: &[VerbOption<AddArgs>] = &[
    VerbOption::value("provider", "P", "oauth, failproofai, achilles, binboi or dot-ai", |args, provider| {
        args.set("provider", provider)
    }),
    VerbOption::value("server", "URL", "its server (not for oauth)", |args, url| args.set("server", url)),
    VerbOption::value("issuer", "URL", "oauth: the issuer; endpoints are found from there", |args, url| {
        args.set("issuer", url)
    }),
    VerbOption::value("client-id", "ID", "oauth: without it, everkey registers itself", |args, id| {
        args.set("client_id", id)
    }),
    VerbOption::value(
        "client-secret-file",
        "FILE",
        "oauth: a file that holds the client's secret",
        |args, file| args.set("client_secret_file", absolute(&file)?),
    ),
    VerbOption::value("scope", "\"A B\"", "oauth: what to ask for", |args, scope| args.set("scope", scope)),
    VerbOption::value("scheme", "S", "browser or device", |args, scheme| {
        args.set("scheme", rows::parse_scheme(&scheme)?.as_str().to_owned())
    }),
    VerbOption::value(
        "session-file",
        "PATH",
        "where the session is kept, if not in everkey's folder",
        |args, path| args.set("session_file", absolute(&path)?),
    ),
    rows::json(),
];

impl AddArgs {
    /// The last one counts.
    fn set(&mut self, key: &'static str, value: String) -> Result<(), String> {
        self.keys.retain(|(other, _)| *other != key);
        self.keys.push((key, value));
        Ok(())
    }
}

pub fn help() -> VerbHelp {
    VerbHelp::of_verbs(
        "
  everkey profile list
  everkey profile add work --provider oauth --issuer https://id.example.com
  everkey login --profile work

Usage: everkey profile COMMAND [OPTIONS]

Commands:
{commands}

An account is a profile: a server with one sign-in. failproofai, achilles,
binboi and dot-ai are always there.

Two terminals, two accounts: export EVERKEY_PROFILE=work in one of them.
",
    )
}

fn help_list() -> VerbHelp {
    VerbHelp::new(
        "
  everkey profile list

Usage: everkey profile list [OPTIONS]

Options:
{options}
",
        LIST_OPTIONS,
    )
}

fn help_show() -> VerbHelp {
    VerbHelp::new(
        "
  everkey profile show
  everkey profile show binboi

Usage: everkey profile show [NAME] [OPTIONS]

Without NAME it shows the one in use.

Options:
{options}
",
        SHOW_OPTIONS,
    )
}

fn help_add() -> VerbHelp {
    VerbHelp::new(
        "
  everkey profile add work --provider oauth --issuer https://id.example.com
  everkey profile add staging --provider failproofai --server https://api.test

Usage: everkey profile add NAME --provider P [OPTIONS]

Options:
{options}

Profiles are kept in config.toml (`everkey profile show` says where), which you
may edit. There an oauth server without an issuer can be given by its endpoints:
token_endpoint, authorization_endpoint and so on; a client whose registered
address is compared to the letter by redirect_host, redirect_port and
redirect_path; what its tokens are to be good for (RFC 8707) by resource.
",
        ADD_OPTIONS,
    )
}

fn help_use() -> VerbHelp {
    VerbHelp::new(
        "
  everkey profile use work

Usage: everkey profile use NAME [OPTIONS]

Commands without --profile then mean NAME, unless EVERKEY_PROFILE or the name of
a link says otherwise.

Options:
{options}
",
        OPTIONS,
    )
}

fn help_remove() -> VerbHelp {
    VerbHelp::new(
        "
  everkey logout --profile work
  everkey profile remove work

Usage: everkey profile remove NAME [OPTIONS]

Options:
{options}
",
        REMOVE_OPTIONS,
    )
}

/// The name of the profile that a bare command means.
fn in_use(configuration: &UserConfiguration, option: Option<&str>) -> Option<String> {
    let name = option.map(str::to_owned).or_else(environment::profile);
    configuration.profile(name.as_deref()).ok().map(|profile| profile.name.clone())
}

fn list(arguments: Arguments) -> Result<ExitCode, VerbError> {
    let options = arguments.read_options(LIST_OPTIONS)?.shared;
    let configuration = UserConfiguration::read()?;
    let used = in_use(&configuration, options.profile.as_deref());
    let is_used = |profile: &ResolvedProfile| Some(&profile.name) == used.as_ref();
    let profiles = configuration.profiles.iter().zip(standing::of_all(&configuration));
    if options.json {
        let profiles = profiles.map(|(profile, standing)| {
            let mut line = line(profile, is_used(profile));
            standing.add_to(&mut line);
            line
        });
        output::json(&json!({ "profiles": profiles.collect::<Vec<_>>() }));
        return Ok(ExitCode::SUCCESS);
    }
    let width = configuration.profiles.iter().map(|profile| profile.name.chars().count()).max().unwrap_or(0);
    let servers =
        configuration.profiles.iter().map(|profile| server(profile).chars().count()).max().unwrap_or(0);
    for (profile, standing) in profiles {
        let mark = if is_used(profile) { '*' } else { ' ' };
        let (name, server) = (output::plain(&profile.name), output::plain(&server(profile)));
        output::line(format_args!(
            "{mark} {name:<width$}  {:<11}  {server:<servers$}  {}",
            profile.provider.as_str(),
            standing.text()
        ));
    }
    Ok(ExitCode::SUCCESS)
}

fn server(profile: &ResolvedProfile) -> String {
    match (profile.server(), &profile.oauth) {
        (Some(server), _) => server.to_owned(),
        (None, Some(oauth)) => match &oauth.endpoints {
            OauthEndpoints::Issuer(issuer) => issuer.clone(),
            OauthEndpoints::Explicit(endpoints) => endpoints.token.clone(),
        },
        (None, None) => String::new(),
    }
}

fn line(profile: &ResolvedProfile, used: bool) -> Value {
    json!({
        "name": profile.name,
        "provider": profile.provider.as_str(),
        "server": server(profile),
        "session_file": profile.session_file,
        "scheme": profile.scheme.unwrap_or_else(|| first_scheme(profile.provider)),
        "built_in": profile.built_in,
        "in_use": used,
        "client_id": profile.oauth.as_ref().and_then(|oauth| oauth.client_id.clone()),
        "scope": profile.oauth.as_ref().and_then(|oauth| oauth.scope.clone()),
    })
}

fn first_scheme(provider: ProviderKind) -> everkey_client::SignInMethod {
    provider.schemes().first().copied().unwrap_or(everkey_client::SignInMethod::Token)
}

fn show(arguments: Arguments) -> Result<ExitCode, VerbError> {
    let parsed = arguments.read(SHOW_OPTIONS)?;
    if let [_, extra, ..] = parsed.words.as_slice() {
        return Err(UsageError::ExtraWord(extra.clone()).into());
    }
    let options = &parsed.shared;
    let configuration = UserConfiguration::read()?;
    let used = in_use(&configuration, options.profile.as_deref());
    let name = parsed.words.first().or(used.as_ref());
    let profile = configuration.profile(name.map(String::as_str))?;
    let is_used = used.as_deref() == Some(&profile.name);
    if options.json {
        output::json(&line(profile, is_used));
        return Ok(ExitCode::SUCCESS);
    }
    let row = |name: &str, text: &str| output::line(format_args!("{name:<14} {}", output::plain(text)));
    row("Profile", &profile.name);
    row("Provider", profile.provider.as_str());
    row("Server", &server(profile));
    row("Signs in by", profile.scheme.unwrap_or_else(|| first_scheme(profile.provider)).as_str());
    if let Some(oauth) = &profile.oauth {
        row("Client id", oauth.client_id.as_deref().unwrap_or("none; everkey registers itself"));
        if let Some(file) = &oauth.client_secret_file {
            row("Client secret", file);
        }
        if let Some(scope) = &oauth.scope {
            row("Scope", scope);
        }
    }
    row("Session file", &profile.session_file.to_string_lossy());
    row(
        "Configured in",
        &if configuration.config.profiles.contains_key(&profile.name) || !profile.built_in {
            configuration.places.config.to_string_lossy().into_owned()
        } else {
            format!("nowhere, it is built in; {} can change it", configuration.places.config.display())
        },
    );
    if is_used {
        row("In use", "yes");
    }
    Ok(ExitCode::SUCCESS)
}

fn add(arguments: Arguments) -> Result<ExitCode, VerbError> {
    let parsed = arguments.read(ADD_OPTIONS)?;
    let name = parsed.word(NAME)?;
    if !parsed.own.keys.iter().any(|(key, _)| *key == "provider") {
        let sentence = "`profile add` needs --provider: failproofai, achilles, binboi, dot-ai or oauth";
        return Err(UsageError::Sentence(sentence.to_owned()).into());
    }
    let configuration = UserConfiguration::read()?;
    if configuration.config.profiles.contains_key(name) {
        return Err(Failure::new(
            Code::BadRequest,
            format!("There is already a profile {name:?} in {}.", configuration.places.config.display()),
            "Take another name, or remove that one first: `everkey profile remove`.",
        )
        .into());
    }
    let alters = configuration.knows(name);
    let mut file = ConfigFile::open(&configuration.places.config)?;
    file.add(name, &parsed.own.keys)?;
    file.save()?;
    let restarted = alters && restart_agent()?;
    let hint = format!("Sign in with: everkey login --profile {name}");
    print_done(&parsed.shared, "added", name, restarted, &hint);
    Ok(ExitCode::SUCCESS)
}

/// A path as the shell gave it, from / or ~/ on. The error is the sentence for the user.
fn absolute(path: &str) -> Result<String, String> {
    if path.starts_with("~/") {
        return Ok(path.to_owned());
    }
    let path = std::path::absolute(path).ok().and_then(|path| path.into_os_string().into_string().ok());
    path.ok_or_else(|| "that is no path that can be kept; write it in UTF-8".to_owned())
}

fn use_profile(arguments: Arguments) -> Result<ExitCode, VerbError> {
    let parsed = arguments.read(OPTIONS)?;
    let name = parsed.word(NAME)?;
    let configuration = UserConfiguration::read()?;
    configuration.profile(Some(name))?;
    let mut file = ConfigFile::open(&configuration.places.config)?;
    file.set_default(name);
    file.save()?;
    let hint = match environment::profile() {
        Some(other) if other != name => {
            format!("EVERKEY_PROFILE={} still comes first in this terminal.", output::plain(&other))
        }
        _ => String::new(),
    };
    print_done(&parsed.shared, "in use", name, false, &hint);
    Ok(ExitCode::SUCCESS)
}

fn remove(arguments: Arguments) -> Result<ExitCode, VerbError> {
    let parsed = arguments.read(REMOVE_OPTIONS)?;
    let name = parsed.word(NAME)?;
    let configuration = UserConfiguration::read()?;
    let profile = configuration.profile(Some(name))?;
    if !configuration.config.profiles.contains_key(name) {
        return Err(Failure::new(
            Code::BadRequest,
            format!("{name:?} is built in; there is nothing to remove."),
            "To sign out, run `everkey logout --profile NAME`.",
        )
        .into());
    }
    if profile.session_file.exists() && !profile.built_in && !parsed.own.force {
        return Err(Failure::new(
            Code::BadRequest,
            format!("{name:?} still has its session in {}.", profile.session_file.display()),
            format!("Run `everkey logout --profile {name}` first, or add --force to leave the file behind."),
        )
        .into());
    }
    let mut file = ConfigFile::open(&configuration.places.config)?;
    file.remove(name);
    file.save()?;
    let restarted = restart_agent()?;
    print_done(&parsed.shared, "removed", name, restarted, "");
    Ok(ExitCode::SUCCESS)
}

fn print_done(options: &SharedOptions, done: &str, name: &str, restarted: bool, hint: &str) {
    if options.json {
        return output::json(&json!({ "profile": name, "done": done, "agent_started_anew": restarted }));
    }
    output::line(format_args!("Profile {} is {done}.", output::plain(name)));
    if !hint.is_empty() {
        output::line(hint);
    }
}
