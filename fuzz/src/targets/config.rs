//! Configuration, as people and the original tools write it.

use super::answers::harmless;
use super::server_url::for_tokens;
use super::{Fields, fields, object, opens_object, same};
use crate::{measure, reach};
use everkey_config::ProviderKind;
use everkey_config::achilles::{AchillesConfig, set_active_profile, set_server_url};
use everkey_config::file::{Config, OauthEndpoints, ProfileConfig};
use serde_json::{Map, Value};

/// `config.toml`: what is read sends tokens only where they may go, and what is not read is said in one line.
pub fn profiles(input: &[u8]) {
    let text = String::from_utf8_lossy(input);
    // The library keeps what it has read as tokens, events and a tree, all at once.
    let config = match measure::within(512 * text.len(), || Config::parse(&text)) {
        Ok(config) => config,
        Err(e) => {
            assert!(e.line >= 1 && e.line <= text.matches('\n').count() + 1, "line {}", e.line);
            assert!(e.column >= 1 && e.column <= text.chars().count() + 1, "column {}", e.column);
            return one_line(&e.message);
        }
    };
    reach::deep();
    let known = |name: &str| {
        config.profiles.contains_key(name)
            || name.starts_with("achilles/")
            || name.parse::<ProviderKind>().is_ok_and(|kind| kind != ProviderKind::Oauth)
    };
    assert!(config.default.as_deref().is_none_or(known), "the default is no profile");
    for (name, profile) in &config.profiles {
        let plain = |b: u8| b.is_ascii_alphanumeric() || b"._-".contains(&b);
        assert!((1..=64).contains(&name.len()) && name.bytes().all(plain), "a profile named {name:?}");
        meant(profile);
    }
}

fn meant(profile: &ProfileConfig) {
    assert_eq!(profile.oauth.is_some(), profile.provider == ProviderKind::Oauth);
    assert!(profile.scheme.is_none_or(|scheme| profile.provider.schemes().contains(&scheme)));
    assert!(profile.server.as_deref().is_none_or(for_tokens), "{:?} is not for tokens", profile.server);
    let oauth = profile.oauth.as_ref();
    if let Some(oauth) = oauth {
        let explicit = match &oauth.endpoints {
            OauthEndpoints::Issuer(issuer) => {
                assert_eq!(profile.server.as_ref(), Some(issuer));
                Vec::new()
            }
            OauthEndpoints::Explicit(all) => {
                assert!(
                    all.authorization.is_some() || all.device_authorization.is_some(),
                    "no way to sign in"
                );
                let others = [&all.authorization, &all.device_authorization, &all.revocation, &all.userinfo];
                others.into_iter().chain([&all.registration]).flatten().chain([&all.token]).collect()
            }
        };
        for url in explicit {
            // A fragment never leaves this machine.
            let sent = url.split('#').next().unwrap_or_default();
            assert!(for_tokens(sent), "{url:?} is not for tokens");
        }
    }
    if let Some(path) = oauth.and_then(|oauth| oauth.redirect.path.as_ref()) {
        let odd = |part: &str| part == "." || part == "..";
        assert!(path.starts_with('/') && !path.split('/').any(odd), "{path:?} is not sent back as it is");
        assert!(!path.contains(['?', '#', '%', ' ']) && path.is_ascii(), "{path:?} is no plain path");
    }
    for resource in oauth.iter().flat_map(|oauth| &oauth.resources) {
        assert!(resource.contains(':') && !resource.contains('#'), "{resource:?} is no absolute URI");
    }
    let secret_file = oauth.and_then(|oauth| oauth.client_secret_file.as_ref());
    for path in profile.session_file.iter().chain(secret_file) {
        assert!(path.starts_with('/') || path.starts_with("~/"), "{path:?} is somewhere else each time");
        assert!(path.split('/').all(|part| part != ".."), "{path:?} leads up");
    }
}

/// S01, as far as it goes for what people wrote themselves: it may be long, but a terminal obeys none of it.
fn one_line(message: &str) {
    assert!(!message.is_empty(), "nothing is said");
    assert!(!message.contains(|c: char| c.is_control()), "S01: {message:?}");
    if message.chars().count() <= 300 {
        harmless(message);
    }
}

/// `~/.achilles/config.json`: what is read is what it says; a value that is set is the only thing that changes.
pub fn of_achilles(input: &[u8]) {
    let read_before = measure::tree(input.len(), || AchillesConfig::parse(input));
    let text = std::str::from_utf8(input).unwrap_or_default();
    let (Ok(before), true) = (&read_before, opens_object(text.as_bytes())) else {
        assert!(read_before.is_err(), "what is no object was read");
        assert!(serde_json::from_str::<Fields>(text).is_err(), "an object was not read");
        return;
    };
    reach::deep();
    if let Some(file) = object(input) {
        as_told(&file, before);
    }
    let (name, url) = ("some \"new\" one", "https://new.example");
    if let Ok(set) = set_active_profile(Some(text), name) {
        let after = read(&set);
        assert_eq!((after.active(), &after.profiles), (name, &before.profiles), "more than the name changed");
        same(&fields(text), &fields(&set), &["active_profile"]);
    }
    for name in before.profiles.keys().map(String::as_str).take(3).chain([name]) {
        let Ok(set) = set_server_url(Some(text), name, url) else { continue };
        let mut after = read(&set);
        assert_eq!(after.active_profile, before.active_profile, "another profile is in use");
        let server = after.profiles.get_mut(name).and_then(|profile| profile.server_url.take());
        assert_eq!(server.as_deref(), Some(url), "it is not set");
        let mut others = before.profiles.clone();
        others.entry(name.to_owned()).or_default().server_url = None;
        assert_eq!(after.profiles, others, "more than a server changed");
        same(&fields(text), &fields(&set), &["profiles"]);
        let profiles = |text: &str| inside(&fields(text), "profiles");
        same(&profiles(text), &profiles(&set), &[name]);
        let profile = |text: &str| inside(&profiles(text), name);
        same(&profile(text), &profile(&set), &["server_url"]);
    }
}

fn as_told(file: &Map<String, Value>, config: &AchillesConfig) {
    let text = |value: Option<&Value>| value.and_then(Value::as_str).map(str::to_owned);
    assert_eq!(config.active_profile, text(file.get("active_profile")));
    let profiles = file.get("profiles").and_then(Value::as_object).cloned().unwrap_or_default();
    assert!(config.profiles.keys().eq(profiles.keys()), "other profiles than the file's");
    for (name, profile) in &config.profiles {
        let said = &profiles[name];
        assert_eq!(
            (&profile.server_url, &profile.label),
            (&text(said.get("server_url")), &text(said.get("label")))
        );
    }
}

fn read(text: &str) -> AchillesConfig {
    let read = AchillesConfig::parse(text.as_bytes());
    read.unwrap_or_else(|e| unreachable!("{e}, once a value is set: {text:?}"))
}

fn inside(outer: &Fields, name: &str) -> Fields {
    outer.get(name).map(|value| fields(value.get())).unwrap_or_default()
}
