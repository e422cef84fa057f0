//! `achilles config use|list|get|set`: the part of achilles' own configuration that says who signs in where.

use crate::cli::config_file;
use crate::cli::context::Context;
use crate::cli::terminal::output;
use crate::cli::usage::error::{UsageError, VerbError};
use crate::cli::usage::option::{Arguments, ParsedArguments, VerbOption};
use crate::cli::usage::shared_options::SharedOptions;
use crate::cli::usage::shared_rows as rows;
use crate::cli::usage::verb::Action::Run;
use crate::cli::usage::verb::{VerbHelp, VerbRow};
use crate::cli::usage::word_kind::WordKind;
use everkey_client::{Failure, ResolvedProfile, configuration};
use everkey_config::ProviderKind;
use everkey_config::achilles::{NotAchillesConfig, set_active_profile, set_server_url};
use everkey_proto::{Code, server_url};
use serde_json::json;
use std::process::ExitCode;

#[rustfmt::skip]
pub const VERBS: &[VerbRow] = &[
    VerbRow { name: "list", summary: "list achilles' profiles; * marks the one in use", help: help_list, action: Run(list) },
    VerbRow { name: "use", summary: "make a profile the one in use", help: help_use, action: Run(use_profile) },
    VerbRow { name: "get", summary: "print the server of the one in use", help: help_get, action: Run(get) },
    VerbRow { name: "set", summary: "change the server of the one in use", help: help_set, action: Run(set) },
];

/// The only key of achilles' configuration that can be read and written here.
const KEY: &str = "server_url";

const OPTIONS: &[VerbOption<()>] =
    &[rows::json(), rows::profile_as("an account of achilles, where this is not called as `achilles`")];

pub fn help() -> VerbHelp {
    VerbHelp::of_verbs(
        "
  achilles config list
  achilles config use production
  achilles config set server_url https://achilles.example.com

Usage: achilles config COMMAND [OPTIONS]
       everkey config COMMAND -p achilles [OPTIONS]

Commands:
{commands}

They are kept in ~/.achilles/config.json, which achilles reads, too.
everkey's own accounts are under `everkey profile`.
",
    )
}

fn help_list() -> VerbHelp {
    VerbHelp::new(
        "
  achilles config list

Usage: achilles config list [OPTIONS]
       everkey config list -p achilles [OPTIONS]

Options:
{options}
",
        OPTIONS,
    )
}

fn help_use() -> VerbHelp {
    VerbHelp::new(
        "
  achilles config use production

Usage: achilles config use PROFILE [OPTIONS]
       everkey config use PROFILE -p achilles [OPTIONS]

Options:
{options}
",
        OPTIONS,
    )
    .taking(WordKind::AchillesProfile)
}

fn help_get() -> VerbHelp {
    VerbHelp::new(
        "
  achilles config get server_url

Usage: achilles config get server_url [OPTIONS]
       everkey config get server_url -p achilles [OPTIONS]

Options:
{options}
",
        OPTIONS,
    )
    .taking(WordKind::OneOf(|| vec![KEY]))
}

fn help_set() -> VerbHelp {
    VerbHelp::new(
        "
  achilles config set server_url https://achilles.example.com

Usage: achilles config set server_url URL [OPTIONS]
       everkey config set server_url URL -p achilles [OPTIONS]

Options:
{options}

A session stays with the server it was made at: sign in again afterwards.
",
        OPTIONS,
    )
    .taking(WordKind::OneOf(|| vec![KEY]))
}

fn list(arguments: Arguments) -> Result<ExitCode, VerbError> {
    with_context(arguments.read_options(OPTIONS)?.shared, print_list)
}

fn use_profile(arguments: Arguments) -> Result<ExitCode, VerbError> {
    let parsed = arguments.read(OPTIONS)?;
    let name = parsed.word("PROFILE")?.to_owned();
    with_context(parsed.shared, |context| set_active(context, &name))
}

fn get(arguments: Arguments) -> Result<ExitCode, VerbError> {
    let parsed = arguments.read(OPTIONS)?;
    match parsed.words.as_slice() {
        [key] if key == KEY => with_context(parsed.shared, print_server),
        _ => Err(wrong_key(&parsed, "`config get` takes `server_url`")),
    }
}

fn set(arguments: Arguments) -> Result<ExitCode, VerbError> {
    let mut parsed = arguments.read(OPTIONS)?;
    match parsed.words.as_mut_slice() {
        [key, url] if key == KEY => {
            let url = std::mem::take(url);
            with_context(parsed.shared, |context| set_server(context, &url))
        }
        _ => Err(wrong_key(&parsed, "`config set` takes `server_url URL`")),
    }
}

fn wrong_key(parsed: &ParsedArguments<()>, sentence: &str) -> VerbError {
    UsageError::Sentence(match parsed.words.first() {
        Some(key) if key != KEY => format!("{sentence}, and no other key"),
        _ => sentence.to_owned(),
    })
    .into()
}

/// Runs a verb for an account of achilles.
fn with_context(
    options: SharedOptions,
    verb: impl FnOnce(&Context) -> Result<(), Failure>,
) -> Result<ExitCode, VerbError> {
    let context = Context::new(options)?;
    if context.profile.provider != ProviderKind::Achilles {
        return Err(Failure::new(
            Code::BadRequest,
            "`config` belongs to achilles; everkey's own accounts are under `profile`.",
            "Try `everkey profile --help`, or `everkey --profile achilles config list`.",
        )
        .into());
    }
    verb(&context).map_err(|failure| context.reword(failure))?;
    Ok(ExitCode::SUCCESS)
}

/// achilles' own name of a profile of its own.
fn own_name(profile: &ResolvedProfile) -> Option<&str> {
    profile.name.strip_prefix("achilles/")
}

fn active(context: &Context) -> &str {
    context.configuration.achilles.as_ref().map_or("default", |achilles| achilles.active())
}

fn set_active(context: &Context, name: &str) -> Result<(), Failure> {
    let mut names = context.configuration.profiles.iter().filter_map(own_name);
    if !names.any(|known| known == name) {
        let names: Vec<&str> = context.configuration.profiles.iter().filter_map(own_name).collect();
        let file = configuration::achilles_file(&context.configuration.places);
        return Err(Failure::new(
            Code::UnknownProfile,
            format!("achilles has no profile {name:?}."),
            format!("There is: {}. They are in {}.", names.join(", "), file.display()),
        ));
    }
    edit(context, |text| set_active_profile(text, name))?;
    if context.options.json {
        output::json(&json!({ "active_profile": name }));
    } else {
        output::line(format_args!("✓ Switched to profile {}.", output::plain(name)));
    }
    Ok(())
}

fn print_list(context: &Context) -> Result<(), Failure> {
    let profiles: Vec<(&str, &ResolvedProfile)> = context
        .configuration
        .profiles
        .iter()
        .filter_map(|profile| Some((own_name(profile)?, profile)))
        .collect();
    let active = active(context);
    let label = |name: &str| {
        let theirs = context.configuration.achilles.as_ref().and_then(|achilles| achilles.profiles.get(name));
        theirs.and_then(|theirs| theirs.label.clone())
    };
    if context.options.json {
        let profiles = profiles.iter().map(|(name, profile)| {
            json!({ "name": name, "server_url": profile.server(), "label": label(name), "active": *name == active })
        });
        output::json(&json!({ "profiles": profiles.collect::<Vec<_>>() }));
        return Ok(());
    }
    let width = profiles.iter().map(|(name, _)| name.chars().count()).max().unwrap_or(0);
    for (name, profile) in profiles {
        let mark = if name == active { '*' } else { ' ' };
        let server = output::plain(profile.server().unwrap_or_default());
        let label = label(name).map(|label| format!("  {}", output::plain(&label))).unwrap_or_default();
        output::line(format_args!("{mark} {name:<width$}  {server}{label}"));
    }
    Ok(())
}

fn print_server(context: &Context) -> Result<(), Failure> {
    let server = context.profile.server().unwrap_or_default();
    if context.options.json {
        output::json(&json!({ "server_url": server }));
    } else {
        output::line(output::plain(server));
    }
    Ok(())
}

fn set_server(context: &Context, url: &str) -> Result<(), Failure> {
    let refuse = |message: String, hint: &str| Err(Failure::new(Code::BadRequest, message, hint));
    let url = &server_url::completed(url);
    if let Err(e) = server_url::check_server(url) {
        return refuse(format!("{e}."), "Nothing was changed.");
    }
    let Some(name) = own_name(&context.profile) else {
        return refuse(
            format!("{:?} is not one of achilles' own profiles.", context.profile.name),
            "Change its `server` in everkey's config.toml.",
        );
    };
    if name == "default"
        && context.configuration.config.profiles.get("achilles").is_some_and(|own| own.server.is_some())
    {
        return refuse(
            "everkey's config.toml names another server for achilles, and it comes first.".to_owned(),
            "Change it there, or run `everkey profile remove achilles` first.",
        );
    }
    edit(context, |text| set_server_url(text, name, url))?;
    if context.options.json {
        output::json(&json!({ "server_url": url }));
    } else {
        output::line(format_args!("✓ server_url of {name} is {}.", output::plain(url)));
        if context.profile.session_file.exists() {
            let login = context.command("login");
            output::line(format_args!(
                "Its session stays with the server it was made at; run `{login}` to sign in there."
            ));
        }
    }
    Ok(())
}

fn edit(
    context: &Context,
    change: impl FnOnce(Option<&str>) -> Result<String, NotAchillesConfig>,
) -> Result<(), Failure> {
    let file = configuration::achilles_file(&context.configuration.places);
    let text = configuration::text_of(&file)?;
    let text = change(text.as_deref()).map_err(|e| {
        Failure::new(Code::Storage, format!("{}: {e}.", file.display()), "Mend it; nothing was changed.")
    })?;
    config_file::write(&file, &text)
}
