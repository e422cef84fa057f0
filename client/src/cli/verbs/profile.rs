//! `everkey profile list|show|add|use|remove`

use super::agent;
use crate::cli::args::ProfileVerb;
use crate::cli::config_file::ConfigFile;
use crate::cli::options::Options;
use crate::cli::show;
use everkey_client::setup::Setup;
use everkey_client::{Failure, Profile, environment};
use everkey_proto::config::OauthEndpoints;
use everkey_proto::{Code, ProviderKind};
use serde_json::{Value, json};
use std::path::Path;
use std::process::ExitCode;

pub fn run(verb: &ProfileVerb, options: &Options) -> Result<ExitCode, Failure> {
    let setup = Setup::read()?;
    match verb {
        ProfileVerb::List => list(&setup, options),
        ProfileVerb::Show(name) => show_one(&setup, name.as_deref(), options),
        ProfileVerb::Add(name) => add(&setup, name, options),
        ProfileVerb::Use(name) => use_it(&setup, name, options),
        ProfileVerb::Remove(name) => remove(&setup, name, options),
    }?;
    Ok(ExitCode::SUCCESS)
}

/// The name of the profile that a bare command means.
fn in_use(setup: &Setup, options: &Options) -> Option<String> {
    let name = options.profile.clone().or_else(environment::profile);
    setup.profile(name.as_deref()).ok().map(|profile| profile.name.clone())
}

fn list(setup: &Setup, options: &Options) -> Result<(), Failure> {
    let used = in_use(setup, options);
    let is_used = |profile: &Profile| Some(&profile.name) == used.as_ref();
    if options.json {
        let profiles = setup.profiles.iter().map(|profile| line(profile, is_used(profile)));
        show::json(&json!({ "profiles": profiles.collect::<Vec<_>>() }));
        return Ok(());
    }
    let width = setup.profiles.iter().map(|profile| profile.name.chars().count()).max().unwrap_or(0);
    for profile in &setup.profiles {
        let mark = if is_used(profile) { '*' } else { ' ' };
        let (name, server) = (show::plain(&profile.name), show::plain(&server(profile)));
        let there = if profile.session_file.exists() { "" } else { "  (no session)" };
        show::out(format_args!("{mark} {name:<width$}  {:<11}  {server}{there}", profile.provider.word()));
    }
    Ok(())
}

fn server(profile: &Profile) -> String {
    match (profile.server(), &profile.oauth) {
        (Some(server), _) => server.to_owned(),
        (None, Some(oauth)) => match &oauth.endpoints {
            OauthEndpoints::Issuer(issuer) => issuer.clone(),
            OauthEndpoints::Explicit(endpoints) => endpoints.token.clone(),
        },
        (None, None) => String::new(),
    }
}

fn line(profile: &Profile, used: bool) -> Value {
    json!({
        "name": profile.name,
        "provider": profile.provider.word(),
        "server": server(profile),
        "session_file": profile.session_file,
        "scheme": profile.scheme.unwrap_or_else(|| first_scheme(profile.provider)),
        "built_in": profile.built_in,
        "in_use": used,
        "client_id": profile.oauth.as_ref().and_then(|oauth| oauth.client_id.clone()),
        "scope": profile.oauth.as_ref().and_then(|oauth| oauth.scope.clone()),
    })
}

fn first_scheme(provider: ProviderKind) -> everkey_client::Scheme {
    provider.schemes().first().copied().unwrap_or(everkey_client::Scheme::Token)
}

fn show_one(setup: &Setup, name: Option<&str>, options: &Options) -> Result<(), Failure> {
    let used = in_use(setup, options);
    let profile = setup.profile(name.or(used.as_deref()))?;
    let is_used = used.as_deref() == Some(&profile.name);
    if options.json {
        show::json(&line(profile, is_used));
        return Ok(());
    }
    let row = |name: &str, text: &str| show::out(format_args!("{name:<14} {}", show::plain(text)));
    row("Profile", &profile.name);
    row("Provider", profile.provider.word());
    row("Server", &server(profile));
    row("Signs in by", profile.scheme.unwrap_or_else(|| first_scheme(profile.provider)).word());
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
        &if setup.config.profiles.contains_key(&profile.name) || !profile.built_in {
            setup.places.config.to_string_lossy().into_owned()
        } else {
            format!("nowhere, it is built in; {} can change it", setup.places.config.display())
        },
    );
    if is_used {
        row("In use", "yes");
    }
    Ok(())
}

fn add(setup: &Setup, name: &str, options: &Options) -> Result<(), Failure> {
    if setup.config.profiles.contains_key(name) {
        return Err(Failure::new(
            Code::BadRequest,
            format!("There is already a profile {name:?} in {}.", setup.places.config.display()),
            "Take another name, or remove that one first: `everkey profile remove`.",
        ));
    }
    let alters = setup.knows(name);
    let mut keys: Vec<(&'static str, String)> = Vec::new();
    for (key, text) in &options.keys {
        let text = match *key {
            "session_file" | "client_secret_file" => absolute(text)?,
            _ => text.clone(),
        };
        keys.push((key, text));
    }
    if let Some((_, server)) = &options.server {
        keys.push(("server", server.clone()));
    }
    if let Some(scheme) = options.scheme {
        keys.push(("scheme", scheme.word().to_owned()));
    }
    let mut file = ConfigFile::open(&setup.places.config)?;
    file.add(name, &keys)?;
    file.save()?;
    let renewed = alters && agent::renew()?;
    say(options, "added", name, renewed, &format!("Sign in with: everkey login --profile {name}"));
    Ok(())
}

/// A path as the shell gave it, from / or ~/ on.
fn absolute(path: &str) -> Result<String, Failure> {
    if path.starts_with("~/") {
        return Ok(path.to_owned());
    }
    let path =
        std::path::absolute(Path::new(path)).ok().and_then(|path| path.into_os_string().into_string().ok());
    path.ok_or_else(|| {
        Failure::new(Code::BadRequest, "That is no path that can be kept.", "Write it in UTF-8.")
    })
}

fn use_it(setup: &Setup, name: &str, options: &Options) -> Result<(), Failure> {
    setup.profile(Some(name))?;
    let mut file = ConfigFile::open(&setup.places.config)?;
    file.set_default(name);
    file.save()?;
    let hint = match environment::profile() {
        Some(other) if other != name => {
            format!("EVERKEY_PROFILE={} still comes first in this terminal.", show::plain(&other))
        }
        _ => String::new(),
    };
    say(options, "in use", name, false, &hint);
    Ok(())
}

fn remove(setup: &Setup, name: &str, options: &Options) -> Result<(), Failure> {
    let profile = setup.profile(Some(name))?;
    if !setup.config.profiles.contains_key(name) {
        return Err(Failure::new(
            Code::BadRequest,
            format!("{name:?} is built in; there is nothing to remove."),
            "To sign out, run `everkey logout --profile NAME`.",
        ));
    }
    if profile.session_file.exists() && !profile.built_in && !options.force {
        return Err(Failure::new(
            Code::BadRequest,
            format!("{name:?} still has its session in {}.", profile.session_file.display()),
            format!("Run `everkey logout --profile {name}` first, or add --force to leave the file behind."),
        ));
    }
    let mut file = ConfigFile::open(&setup.places.config)?;
    file.remove(name);
    file.save()?;
    let renewed = agent::renew()?;
    say(options, "removed", name, renewed, "");
    Ok(())
}

fn say(options: &Options, done: &str, name: &str, renewed: bool, hint: &str) {
    if options.json {
        return show::json(&json!({ "profile": name, "done": done, "agent_started_anew": renewed }));
    }
    show::out(format_args!("Profile {} is {done}.", show::plain(name)));
    if !hint.is_empty() {
        show::out(hint);
    }
}
