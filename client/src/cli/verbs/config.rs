//! `achilles config use|list|get|set`: the part of achilles' own configuration that says who signs in where.

use super::agent;
use crate::cli::args::ConfigVerb;
use crate::cli::config_file;
use crate::cli::context::Context;
use crate::cli::show;
use everkey_client::{Failure, Profile, setup};
use everkey_proto::achilles::{NotAchillesConfig, set_active_profile, set_server_url};
use everkey_proto::{Code, ProviderKind, address};
use serde_json::json;
use std::process::ExitCode;

pub fn run(context: &Context, verb: &ConfigVerb) -> Result<ExitCode, Failure> {
    if context.profile.provider != ProviderKind::Achilles {
        return Err(Failure::new(
            Code::BadRequest,
            "`config` belongs to achilles; everkey's own accounts are under `profile`.",
            "Try `everkey profile --help`, or `everkey --profile achilles config list`.",
        ));
    }
    match verb {
        ConfigVerb::Use(name) => use_it(context, name),
        ConfigVerb::List => list(context),
        ConfigVerb::GetServer => get_server(context),
        ConfigVerb::SetServer(url) => set_server(context, url),
    }?;
    Ok(ExitCode::SUCCESS)
}

/// achilles' own name of a profile of its own.
fn own_name(profile: &Profile) -> Option<&str> {
    profile.name.strip_prefix("achilles/")
}

fn active(context: &Context) -> &str {
    context.setup.achilles.as_ref().map_or("default", |achilles| achilles.active())
}

fn use_it(context: &Context, name: &str) -> Result<(), Failure> {
    let mut names = context.setup.profiles.iter().filter_map(own_name);
    if !names.any(|known| known == name) {
        let names: Vec<&str> = context.setup.profiles.iter().filter_map(own_name).collect();
        let file = setup::achilles_file(&context.setup.places);
        return Err(Failure::new(
            Code::UnknownProfile,
            format!("achilles has no profile {name:?}."),
            format!("There is: {}. They are in {}.", names.join(", "), file.display()),
        ));
    }
    edit(context, |text| set_active_profile(text, name))?;
    if context.json() {
        show::json(&json!({ "active_profile": name }));
    } else {
        show::out(format_args!("✓ Switched to profile {}.", show::plain(name)));
    }
    Ok(())
}

fn list(context: &Context) -> Result<(), Failure> {
    let profiles: Vec<(&str, &Profile)> =
        context.setup.profiles.iter().filter_map(|profile| Some((own_name(profile)?, profile))).collect();
    let active = active(context);
    let label = |name: &str| {
        let theirs = context.setup.achilles.as_ref().and_then(|achilles| achilles.profiles.get(name));
        theirs.and_then(|theirs| theirs.label.clone())
    };
    if context.json() {
        let profiles = profiles.iter().map(|(name, profile)| {
            json!({ "name": name, "server_url": profile.server(), "label": label(name), "active": *name == active })
        });
        show::json(&json!({ "profiles": profiles.collect::<Vec<_>>() }));
        return Ok(());
    }
    let width = profiles.iter().map(|(name, _)| name.chars().count()).max().unwrap_or(0);
    for (name, profile) in profiles {
        let mark = if name == active { '*' } else { ' ' };
        let server = show::plain(profile.server().unwrap_or_default());
        let label = label(name).map(|label| format!("  {}", show::plain(&label))).unwrap_or_default();
        show::out(format_args!("{mark} {name:<width$}  {server}{label}"));
    }
    Ok(())
}

fn get_server(context: &Context) -> Result<(), Failure> {
    let server = context.profile.server().unwrap_or_default();
    if context.json() {
        show::json(&json!({ "server_url": server }));
    } else {
        show::out(show::plain(server));
    }
    Ok(())
}

fn set_server(context: &Context, url: &str) -> Result<(), Failure> {
    let refuse = |message: String, hint: &str| Err(Failure::new(Code::BadRequest, message, hint));
    if let Err(e) = address::check_server(url) {
        return refuse(format!("{e}."), "Nothing was changed.");
    }
    let Some(name) = own_name(&context.profile) else {
        return refuse(
            format!("{:?} is not one of achilles' own profiles.", context.profile.name),
            "Change its `server` in everkey's config.toml.",
        );
    };
    if name == "default"
        && context.setup.config.profiles.get("achilles").is_some_and(|own| own.server.is_some())
    {
        return refuse(
            "everkey's config.toml names another server for achilles, and it comes first.".to_owned(),
            "Change it there, or run `everkey profile remove achilles` first.",
        );
    }
    edit(context, |text| set_server_url(text, name, url))?;
    agent::renew()?;
    if context.json() {
        show::json(&json!({ "server_url": url }));
    } else {
        show::out(format_args!("✓ server_url of {name} is {}.", show::plain(url)));
        if context.profile.session_file.exists() {
            let login = context.command("login");
            show::out(format_args!(
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
    let file = setup::achilles_file(&context.setup.places);
    let text = setup::text_of(&file)?;
    let text = change(text.as_deref()).map_err(|e| {
        Failure::new(Code::Storage, format!("{}: {e}.", file.display()), "Mend it; nothing was changed.")
    })?;
    config_file::write(&file, &text)
}
