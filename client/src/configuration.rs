//! Which profiles there are: `config.toml` and achilles' `config.json`, read once.

use crate::environment;
use everkey_config::achilles::AchillesConfig;
use everkey_config::file::Config;
use everkey_config::paths::Places;
use everkey_config::profile::{ResolvedProfile, profiles, resolve};
use everkey_config::{Mistake, is_built_in};
use everkey_guard::file;
use everkey_proto::reply::Hint;
use everkey_proto::{Code, DEFAULT_PROFILE, Failure};
use std::path::{Path, PathBuf};

/// The configuration as it was when [`UserConfiguration::read`] read it.
#[derive(Debug, Clone)]
pub struct UserConfiguration {
    /// The folders, the socket and `config.toml`.
    pub places: Places,
    /// What `config.toml` says, with its mistakes; everything is unset where there is no such file.
    pub config: Config,
    /// achilles' own configuration, if there is one that can be read.
    pub achilles: Option<AchillesConfig>,
    /// Every profile that can be used, built in or configured; achilles' own are named `achilles/NAME`.
    pub profiles: Vec<ResolvedProfile>,
    achilles_error: Option<Failure>,
}

impl UserConfiguration {
    /// Reads both files. A mistake in `config.toml` is an error only of the profile that it touches.
    ///
    /// # Errors
    /// [`Code::Storage`] where there is no place for such files.
    pub fn read() -> Result<Self, Failure> {
        let places = environment::places()?;
        let config = match file::read_trusted(&places.config) {
            Ok(text) => text.map(|text| Config::read(&text)).unwrap_or_default(),
            Err(why) => Config::unreadable(&why.to_string()),
        };
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
    /// [`Code::UnknownProfile`], naming those there are; [`Code::Storage`], naming file and line, where `config.toml` has
    /// a mistake in it.
    pub fn profile(&self, name: Option<&str>) -> Result<&ResolvedProfile, Failure> {
        if let Some(mistake) = self.config.default_mistake().filter(|_| name.is_none()) {
            return Err(self.mistaken(mistake));
        }
        let name = resolve(name, &self.config, self.achilles.as_ref());
        if let Some(failure) = self.achilles_error.as_ref().filter(|_| name.starts_with("achilles/")) {
            return Err(failure.clone());
        }
        if let Some(mistake) = self.config.mistake_in(&name) {
            return Err(self.mistaken(mistake));
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

    /// Whether somebody uses a profile: it is configured, or has a session file. The others are only there to be used.
    pub fn is_used(&self, profile: &ResolvedProfile) -> bool {
        profile.is_configured(&self.config) || profile.session_file.symlink_metadata().is_ok()
    }

    /// Whether a name means a profile; the alias `achilles` does, and one that a mistake keeps from being used.
    pub fn knows(&self, name: &str) -> bool {
        let name = resolve(Some(name), &self.config, self.achilles.as_ref());
        name.starts_with("achilles/")
            || is_built_in(&name)
            || self.profiles.iter().any(|profile| profile.name == name)
            || self.config.mistakes.iter().any(|mistake| !mistake.is_of_file() && mistake.stops(&name))
    }

    /// What is wrong with `config.toml` and what comes of it, in one line; none if nothing is.
    pub fn warning(&self) -> Option<String> {
        let [first, others @ ..] = self.config.mistakes.as_slice() else { return None };
        let others = match others.len() {
            0 => String::new(),
            1 => " There is another mistake in it.".to_owned(),
            more => format!(" There are {more} more mistakes in it."),
        };
        let error = first.error.in_file(&self.places.config);
        Some(format!("warning: {error} {}{others}", first.consequence()))
    }

    /// The error for what this mistake touches.
    pub fn mistaken(&self, mistake: &Mistake) -> Failure {
        let hint = match mistake.error.line {
            0 => "Look at the file and its folder, then try again.",
            _ => "Mend that line and try again; nothing was changed.",
        };
        Failure::new(Code::Storage, mistake.error.in_file(&self.places.config), hint)
    }
}

/// The path of achilles' own configuration: `~/.achilles/config.json`.
pub fn achilles_file(places: &Places) -> PathBuf {
    places.home.join(".achilles/config.json")
}

/// The text of a file of configuration, `None` where there is no file.
///
/// # Errors
/// [`Code::Storage`] where there is one that can't be read as UTF-8, or that others may write.
pub fn text_of(path: &Path) -> Result<Option<String>, Failure> {
    match file::read_trusted(path) {
        Ok(text) => Ok(text.map(|text| text.as_str().to_owned())),
        Err(why) => Err(Failure::new(
            Code::Storage,
            format!("Can't read {}: {why}.", path.display()),
            "Look at the file and its folder, then try again.",
        )),
    }
}

fn achilles(places: &Places) -> Result<Option<AchillesConfig>, Failure> {
    let path = achilles_file(places);
    let Some(text) = text_of(&path)? else { return Ok(None) };
    AchillesConfig::parse(text.as_bytes()).map(Some).map_err(|_| {
        Failure::new(
            Code::Storage,
            format!("{} is not a JSON object.", path.display()),
            "Mend it, or move it away; nothing was changed.",
        )
    })
}
