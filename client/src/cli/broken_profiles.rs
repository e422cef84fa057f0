//! The profiles that a mistake in `config.toml` keeps from being used, and the warning about it.

use crate::cli::context::warn;
use everkey_client::{Failure, UserConfiguration};
use everkey_config::file::ConfigError;
use everkey_config::{Mistake, Touched};
use serde_json::{Value, json};

/// What there is, with a word on what is wrong in it.
pub fn read_configuration() -> Result<UserConfiguration, Failure> {
    let configuration = UserConfiguration::read()?;
    warn(&configuration);
    Ok(configuration)
}

/// The profiles that a mistake in `config.toml` keeps from being used.
pub fn broken_profiles(configuration: &UserConfiguration) -> Vec<(&str, &Mistake)> {
    let named = configuration.config.mistakes.iter().flat_map(|mistake| match &mistake.touches {
        Touched::Profile(name) => vec![(name.as_str(), mistake)],
        Touched::File { built_in, .. } => built_in.iter().map(|name| (*name, mistake)).collect(),
        Touched::Default | Touched::Reminder | Touched::Nothing => Vec::new(),
    });
    named.collect()
}

pub fn broken_line(name: &str, mistake: &Mistake) -> Value {
    let ConfigError { line, column, message, .. } = &mistake.error;
    json!({ "name": name, "in_use": false, "error": { "line": line, "column": column, "message": message } })
}
