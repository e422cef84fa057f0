//! `everkey profile list|show|add|use|remove`

use crate::cli::broken_profiles::{broken_line, broken_profiles, read_configuration};
use crate::cli::config_file::ConfigFile;
use crate::cli::restart::restart_agent;
use crate::cli::server_in_force::ServerInForce;
use crate::cli::standing;
use crate::cli::terminal::output;
use crate::cli::usage::error::{UsageError, VerbError};
use crate::cli::usage::option::{Arguments, VerbOption};
use crate::cli::usage::shared_rows as rows;
use crate::cli::usage::verb::Action::Run;
use crate::cli::usage::verb::{VerbHelp, VerbRow};
use crate::cli::usage::word_kind::WordKind;
use crate::cli::verbs::profile_add::{self, NAME, print_done};
use everkey_client::{Agent, Failure, ResolvedProfile, UserConfiguration, environment};
use everkey_config::{ProviderKind, is_built_in};
use everkey_proto::Code;
use serde_json::{Value, json};
use std::process::ExitCode;

#[rustfmt::skip]
pub const VERBS: &[VerbRow] = &[
    VerbRow { name: "list", summary: "all accounts with user, state and expiry; * is in use", help: help_list, action: Run(list) },
    VerbRow { name: "show", summary: "show what an account is made of", help: help_show, action: Run(show) },
    VerbRow { name: "add", summary: "add an account, for a server or OAuth issuer of your own", help: profile_add::help, action: Run(profile_add::add) },
    VerbRow { name: "use", summary: "make an account the one in use", help: help_use, action: Run(use_profile) },
    VerbRow { name: "remove", summary: "remove an account; log out first, or --force", help: help_remove, action: Run(remove) },
];

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
    .taking(WordKind::Profile)
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
    .taking(WordKind::Profile)
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
    .taking(WordKind::Profile)
}

/// The name of the profile that a bare command means.
fn in_use(configuration: &UserConfiguration, option: Option<&str>) -> Option<String> {
    let name = option.map(str::to_owned).or_else(environment::profile);
    configuration.profile(name.as_deref()).ok().map(|profile| profile.name.clone())
}

fn list(arguments: Arguments) -> Result<ExitCode, VerbError> {
    let options = arguments.read_options(LIST_OPTIONS)?.shared;
    let configuration = read_configuration()?;
    let used = in_use(&configuration, options.profile.as_deref());
    let is_used = |profile: &ResolvedProfile| Some(&profile.name) == used.as_ref();
    let broken = broken_profiles(&configuration);
    let standings = standing::of_all(&configuration);
    let mut agent = Agent::find().ok().flatten();
    let of = |profile| ServerInForce::of(profile, agent.as_mut());
    let servers: Vec<ServerInForce> = configuration.profiles.iter().map(of).collect();
    let profiles = configuration.profiles.iter().zip(&servers).zip(standings);
    if options.json {
        let profiles = profiles.map(|((profile, server), standing)| {
            let mut line = line(profile, server, is_used(profile));
            standing.add_to(&mut line);
            line
        });
        let broken = broken.iter().map(|(name, mistake)| broken_line(name, mistake));
        output::json(&json!({ "profiles": profiles.chain(broken).collect::<Vec<_>>() }));
        return Ok(ExitCode::SUCCESS);
    }
    let names = configuration.profiles.iter().map(|profile| profile.name.as_str());
    let names = names.chain(broken.iter().map(|(name, _)| *name));
    let width = names.map(|name| name.chars().count()).max().unwrap_or(0);
    let longest = servers.iter().map(|server| server.shown().chars().count()).max().unwrap_or(0);
    for ((profile, server), standing) in profiles {
        let mark = if is_used(profile) { '*' } else { ' ' };
        let (name, server) = (output::plain(&profile.name), output::plain(&server.shown()));
        output::line(format_args!(
            "{mark} {name:<width$}  {:<11}  {server:<longest$}  {}",
            profile.provider.as_str(),
            standing.text()
        ));
    }
    for (name, mistake) in broken {
        let error = output::plain(&mistake.error.in_file(&configuration.places.config));
        output::line(format_args!("! {:<width$}  can't be used: {error}", output::plain(name)));
    }
    Ok(ExitCode::SUCCESS)
}

fn line(profile: &ResolvedProfile, server: &ServerInForce, used: bool) -> Value {
    let next = server.next.as_ref();
    json!({
        "name": profile.name,
        "provider": profile.provider.as_str(),
        "server": server.server,
        "next_server": next.map(|next| json!({ "server": next.server, "source": output::origin(&next.origin) })),
        "session_file": profile.session_file,
        "scheme": profile.scheme.unwrap_or_else(|| first_scheme(profile.provider)),
        "built_in": profile.built_in,
        "in_use": used,
        "client_id": profile.oauth.as_ref().and_then(|oauth| oauth.client_id.clone()),
        "scope": profile.oauth.as_ref().and_then(|oauth| oauth.scope.clone()),
        "ca_file": profile.network.ca_file,
        "proxy": profile.network.shown_proxy(),
        "no_proxy": profile.network.no_proxy,
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
    let configuration = read_configuration()?;
    let used = in_use(&configuration, options.profile.as_deref());
    let name = parsed.words.first().or(used.as_ref());
    let profile = configuration.profile(name.map(String::as_str))?;
    let is_used = used.as_deref() == Some(&profile.name);
    let server = ServerInForce::of(profile, Agent::connect().ok().as_mut());
    if options.json {
        output::json(&line(profile, &server, is_used));
        return Ok(ExitCode::SUCCESS);
    }
    let row = |name: &str, text: &str| output::line(format_args!("{name:<14} {}", output::plain(text)));
    row("Profile", &profile.name);
    row("Provider", profile.provider.as_str());
    row("Server", &server.shown());
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
    let network = &profile.network;
    let rows = [
        ("Trusts", network.ca_file.clone()),
        ("Proxy", network.shown_proxy()),
        ("No proxy for", network.no_proxy.clone()),
    ];
    for (name, text) in rows {
        text.iter().for_each(|text| row(name, text));
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

fn use_profile(arguments: Arguments) -> Result<ExitCode, VerbError> {
    let parsed = arguments.read(OPTIONS)?;
    let name = parsed.word(NAME)?;
    let configuration = read_configuration()?;
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
    let configuration = read_configuration()?;
    let is_broken = broken_profiles(&configuration).iter().any(|(broken, _)| *broken == name);
    if !configuration.config.profiles.contains_key(name) && !is_broken {
        configuration.profile(Some(name))?;
        return Err(Failure::new(
            Code::BadRequest,
            format!("{name:?} is built in; there is nothing to remove."),
            "To sign out, run `everkey logout --profile NAME`.",
        )
        .into());
    }
    let profile = configuration.profile(Some(name)).ok().filter(|profile| !profile.built_in);
    if let Some(profile) = profile.filter(|profile| profile.session_file.exists() && !parsed.own.force) {
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
    // An agent looks after an account until it ends; a built-in one stays.
    let restarted = !is_built_in(name) && restart_agent()?.is_some();
    print_done(&parsed.shared, "removed", name, restarted, "");
    Ok(ExitCode::SUCCESS)
}
