//! Which profiles there are: `config.toml` and achilles' `config.json`, read once.

use crate::environment;
use everkey_config::achilles::AchillesConfig;
use everkey_config::file::Config;
use everkey_config::paths::Places;
use everkey_config::profile::{ResolvedProfile, profiles, resolve};
use everkey_proto::reply::Hint;
use everkey_proto::{Code, DEFAULT_PROFILE, Failure};
use std::io;
use std::path::{Path, PathBuf};

/// The configuration as it was when [`UserConfiguration::read`] read it.
#[derive(Debug, Clone)]
pub struct UserConfiguration {
    /// The folders, the socket and `config.toml`.
    pub places: Places,
    /// What `config.toml` says; everything is unset where there is no such file.
    pub config: Config,
    /// achilles' own configuration, if there is one that can be read.
    pub achilles: Option<AchillesConfig>,
    /// Every profile, built in or configured; achilles' own are named `achilles/NAME`.
    pub profiles: Vec<ResolvedProfile>,
    achilles_error: Option<Failure>,
}

impl UserConfiguration {
    /// Reads both files.
    ///
    /// # Errors
    /// [`Code::Storage`], naming file and line, where `config.toml` can't be read or has a mistake.
    pub fn read() -> Result<Self, Failure> {
        let places = environment::places()?;
        let text = text_of(&places.config)?.unwrap_or_default();
        let config = parse(&places.config, &text)?;
        let (achilles, achilles_error) = match achilles(&places) {
            Ok(achilles) => (achilles, None),
            Err(failure) => (None, Some(failure)),
        };
        let profiles = profiles(&places, &config, achilles.as_ref(), environment::auth_dir());
        Ok(Self { places, config, achilles, profiles, achilles_error })
    }

    /// The profile of that name; none means the default one, `achilles` the one that achilles has in use.
    ///
    /// # Errors
    /// [`Code::UnknownProfile`], naming those there are.
    pub fn profile(&self, name: Option<&str>) -> Result<&ResolvedProfile, Failure> {
        let name = resolve(name, &self.config, self.achilles.as_ref());
        if let Some(failure) = self.achilles_error.as_ref().filter(|_| name.starts_with("achilles/")) {
            return Err(failure.clone());
        }
        self.profiles.iter().find(|profile| profile.name == name).ok_or_else(|| {
            let mut known: Vec<&str> = self.profiles.iter().map(|profile| profile.name.as_str()).collect();
            known.sort_by_key(|name| *name != DEFAULT_PROFILE);
            Failure::new(
                Code::UnknownProfile,
                format!("There is no profile {name:?}."),
                Hint::AddProfile { known: known.into_iter().map(str::to_owned).collect() },
            )
        })
    }

    /// Whether a name means a profile; the alias `achilles` does.
    pub fn knows(&self, name: &str) -> bool {
        let name = resolve(Some(name), &self.config, self.achilles.as_ref());
        name.starts_with("achilles/") || self.profiles.iter().any(|profile| profile.name == name)
    }
}

/// Parses the text of a `config.toml`.
///
/// # Errors
/// [`Code::Storage`] for a mistake, with `file`, line and column in the message.
pub fn parse(file: &Path, text: &str) -> Result<Config, Failure> {
    Config::parse(text).map_err(|e| {
        Failure::new(
            Code::Storage,
            format!("{}:{}:{}: {}", file.display(), e.line, e.column, e.message),
            "Mend that line and try again; nothing was changed.",
        )
    })
}

/// The path of achilles' own configuration: `~/.achilles/config.json`.
pub fn achilles_file(places: &Places) -> PathBuf {
    places.home.join(".achilles/config.json")
}

/// The text of a file, `None` where there is no file.
///
/// # Errors
/// [`Code::Storage`] where there is one that can't be read as UTF-8.
pub fn text_of(file: &Path) -> Result<Option<String>, Failure> {
    // A FIFO would keep the reader waiting.
    let read = || match std::fs::metadata(file)?.is_file() {
        true => std::fs::read_to_string(file),
        false => Err(io::Error::other("it is not a plain file")),
    };
    match read() {
        Ok(text) => Ok(Some(text)),
        Err(e) if matches!(e.kind(), io::ErrorKind::NotFound | io::ErrorKind::NotADirectory) => Ok(None),
        Err(e) => Err(Failure::new(
            Code::Storage,
            format!("Can't read {}: {e}.", file.display()),
            "Look at the file and its folder, then try again.",
        )),
    }
}

fn achilles(places: &Places) -> Result<Option<AchillesConfig>, Failure> {
    let file = achilles_file(places);
    let Some(text) = text_of(&file)? else { return Ok(None) };
    AchillesConfig::parse(text.as_bytes()).map(Some).map_err(|_| {
        Failure::new(
            Code::Storage,
            format!("{} is not a JSON object.", file.display()),
            "Mend it, or move it away; nothing was changed.",
        )
    })
}
