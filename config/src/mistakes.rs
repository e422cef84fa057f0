//! What is wrong in a `config.toml`, and what can't be used because of it. Everything else goes on.

use crate::file_text::ConfigError;
use crate::names::{BUILT_IN, is_built_in};

/// Something that can't be meant.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Mistake {
    /// What can't be used because of it.
    pub touches: Touched,
    /// What is wrong, and where.
    pub error: ConfigError,
}

/// What a mistake makes unusable.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Touched {
    /// The profile of this name.
    Profile(String),
    /// Commands that name no profile.
    Default,
    /// The command of the reminder.
    Reminder,
    /// Nothing: a key that nobody reads.
    Nothing,
    /// The file as a whole: its own profiles, and what else its text mentions.
    File {
        /// The built-in profiles that it may change.
        built_in: Vec<&'static str>,
        /// Whether it may say which profile is meant where none is named.
        default: bool,
    },
}

impl Mistake {
    /// Of a text that is no TOML.
    pub(crate) fn of_text(text: &str, error: ConfigError) -> Self {
        let built_in = BUILT_IN.into_iter().filter(|name| has_key(text, name)).collect();
        Self { touches: Touched::File { built_in, default: has_key(text, "default") }, error }
    }

    /// Of a file that can't be read, for this reason. It may say anything.
    pub fn unreadable(why: &str) -> Self {
        let error =
            ConfigError { line: 0, column: 0, key: None, message: format!("it can't be read: {why}") };
        Self { touches: Touched::File { built_in: BUILT_IN.to_vec(), default: true }, error }
    }

    /// Whether this profile can't be used because of it.
    pub fn stops(&self, profile: &str) -> bool {
        let table = if profile == "achilles/default" { "achilles" } else { profile };
        match &self.touches {
            Touched::Profile(name) => name == table,
            Touched::File { built_in, .. } => !is_built_in(profile) || built_in.contains(&table),
            Touched::Default | Touched::Reminder | Touched::Nothing => false,
        }
    }

    /// Whether it hides which profile is meant where none is named.
    pub fn hides_default(&self) -> bool {
        match &self.touches {
            Touched::Default => true,
            Touched::File { default, .. } => *default,
            Touched::Profile(_) | Touched::Reminder | Touched::Nothing => false,
        }
    }

    /// Whether it hides which command the reminder runs.
    pub fn hides_command(&self) -> bool {
        self.is_of_file() || self.touches == Touched::Reminder
    }

    /// Whether the file as a whole says nothing.
    pub fn is_of_file(&self) -> bool {
        matches!(self.touches, Touched::File { .. })
    }

    /// What it stops, in a sentence.
    pub fn consequence(&self) -> String {
        match &self.touches {
            Touched::Profile(name) => format!("Only the profile {name:?} is stopped by it."),
            Touched::Default => "Only commands that name no profile are stopped by it.".to_owned(),
            Touched::Reminder => "Only the reminder's command is stopped by it.".to_owned(),
            Touched::Nothing => "It is passed over.".to_owned(),
            Touched::File { .. } => {
                "Accounts that are open go on, and built-in ones that the file does not mention.".to_owned()
            }
        }
    }
}

/// Whether a text that can't be parsed may give this key a value, or a table this name.
fn has_key(text: &str, key: &str) -> bool {
    let is_part = |c: char| c.is_ascii_alphanumeric() || matches!(c, '_' | '-');
    text.match_indices(key).any(|(at, _)| {
        let after = text[at + key.len()..].trim_start_matches(['"', '\'']).trim_start_matches([' ', '\t']);
        !text[..at].ends_with(is_part) && after.starts_with(['.', ']', '='])
    })
}

#[cfg(test)]
mod tests {
    use crate::file::Config;

    fn stopped(text: &str) -> Vec<&'static str> {
        let config = Config::read(text);
        let names = ["failproofai", "achilles/default", "binboi", "dot-ai", "work", "good"];
        names.into_iter().filter(|name| config.mistake_in(name).is_some()).collect()
    }

    #[test]
    fn a_mistake_stops_only_what_it_touches() {
        let good = "[profiles.good]\nprovider = \"binboi\"\n";
        for (mistake, stops) in [
            ("[profiles.work]\nprovider = \"github\"\n", "work"),
            ("[profiles.work]\nprovider = \"binboi\"\nsever = \"https://x\"\n", "work"),
            ("[profiles.binboi]\nprovider = \"binboi\"\nserver = \"http://x.example\"\n", "binboi"),
            ("[profiles.achilles]\nprovider = \"achilles\"\nserver = 7\n", "achilles/default"),
        ] {
            let config = Config::read(&format!("{good}{mistake}"));
            assert!(config.profiles.contains_key("good"), "{mistake}");
            assert_eq!(stopped(&format!("{good}{mistake}")), [stops], "{mistake}");
        }
        for nobody in ["[reminder]\ncommand = \"x\"\n", "colour = 1\n", "default = \"goood\"\n"] {
            let config = Config::read(&format!("{nobody}{good}"));
            assert_eq!((config.mistakes.len(), stopped(&format!("{nobody}{good}"))), (1, vec![]), "{nobody}");
        }
    }

    #[test]
    fn two_mistakes_are_both_told() {
        let config = Config::read(
            "default = \"b\"\n[profiles.a]\nprovider = 1\n[profiles.b]\n[reminder]\ncommand = 1\n[profiles.c]\n\
             provider = \"binboi\"\n",
        );
        let lines: Vec<_> = config.mistakes.iter().map(|mistake| mistake.error.line).collect();
        assert_eq!(lines, [3, 4, 6]);
        assert!(config.profiles.contains_key("c"));
        // It names a profile that is there and can't be used: that profile's mistake says why.
        assert_eq!(config.default.as_deref(), Some("b"));
    }

    #[test]
    fn no_toml_stops_what_the_text_mentions() {
        assert_eq!(stopped("[profiles.work\nprovider = \"binboi\"\n"), ["work", "good"]);
        assert_eq!(stopped("[profiles.\"binboi\"]\nserver = "), ["binboi", "work", "good"]);
        assert_eq!(stopped("profiles = { dot-ai = { server = }"), ["dot-ai", "work", "good"]);
        assert_eq!(stopped("[profiles]\nachilles.server = ?"), ["achilles/default", "work", "good"]);
        let hides = |text: &str| Config::read(text).default_mistake().is_some();
        assert!(hides("default = binboi") && !hides("<html>") && !hides("provider = \"default\"\n="));
        let unreadable = Config::unreadable("no");
        assert!(unreadable.default_mistake().is_some() && unreadable.mistake_in("binboi").is_some());
    }
}
