//! The options: what each takes, and which commands it belongs to.

use super::args::{AgentVerb, Command, ProfileVerb, ReminderVerb, scheme};
use super::moment;
use everkey_proto::{Scheme, Secret, When};
use lexopt::{Parser, ValueExt};
use std::path::PathBuf;

/// What was given.
#[derive(Debug, Default)]
pub struct Options {
    /// `--json`
    pub json: bool,
    /// `--profile`
    pub profile: Option<String>,
    /// The option that names the server, and what it says.
    pub server: Option<(&'static str, String)>,
    /// `--token`
    pub token: Option<TokenOption>,
    /// `--scheme`
    pub scheme: Option<Scheme>,
    /// `--no-browser`
    pub no_browser: bool,
    /// `--explain`
    pub explain: bool,
    /// `--force`
    pub force: bool,
    /// `--refused -`
    pub refused: bool,
    /// `--min-validity`, in seconds
    pub min_validity: Option<u32>,
    /// `--in-days` or `--at`
    pub when: Option<When>,
    /// `--past`
    pub past: bool,
    /// `--dir`
    pub dir: Option<PathBuf>,
    /// What a new profile is made of: keys of `config.toml` with their values.
    pub keys: Vec<(&'static str, String)>,
}

/// Where the token is to be taken from.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum TokenOption {
    /// `--token T`
    Given(Secret),
    /// `--token -`
    StandardInput,
}

/// An option and the commands it belongs to; none means all.
const OPTIONS: &[(&str, &[&str])] = &[
    ("json", &[]),
    ("profile", &[]),
    ("server", &["login", "logout", "whoami", "status", "token", "refresh", "answer", "profile add"]),
    ("api", &["login", "logout", "whoami", "status", "token"]),
    ("server-url", &["login", "logout", "whoami", "status", "token"]),
    ("token", &["login", "whoami", "status", "token"]),
    ("scheme", &["login", "profile add"]),
    ("no-browser", &["login", "dashboard"]),
    ("explain", &["whoami"]),
    ("force", &["refresh", "profile remove"]),
    ("refused", &["token"]),
    ("min-validity", &["token"]),
    ("in-days", &["reminder set"]),
    ("at", &["reminder set"]),
    ("past", &["events"]),
    ("dir", &["link", "unlink"]),
    ("provider", &["profile add"]),
    ("issuer", &["profile add"]),
    ("client-id", &["profile add"]),
    ("client-secret-file", &["profile add"]),
    ("scope", &["profile add"]),
    ("session-file", &["profile add"]),
];

/// An error if an option does not belong to the command.
pub fn belongs(option: &str, command: &Command) -> Result<(), lexopt::Error> {
    if option == "profile" && *command == Command::Dashboard {
        return Err("--profile does not belong to `dashboard`, which shows every account".into());
    }
    let commands = OPTIONS.iter().find(|(name, _)| *name == option).map_or(&[][..], |(_, commands)| commands);
    if commands.is_empty() || commands.contains(&word(command)) {
        return Ok(());
    }
    let commands: Vec<String> = commands.iter().map(|word| format!("`{word}`")).collect();
    Err(format!("--{option} belongs to {}", commands.join(", ")).into())
}

impl Options {
    /// Takes an option with its value; returns its name.
    pub fn take(&mut self, name: &str, parser: &mut Parser) -> Result<&'static str, lexopt::Error> {
        let Some((name, _)) = OPTIONS.iter().find(|(known, _)| *known == name) else {
            return Err(lexopt::Error::UnexpectedOption(format!("--{name}")));
        };
        match *name {
            "json" => self.json = true,
            "no-browser" => self.no_browser = true,
            "explain" => self.explain = true,
            "force" => self.force = true,
            "past" => self.past = true,
            name => self.take_value(name, parser.value()?.string()?)?,
        }
        Ok(name)
    }

    fn take_value(&mut self, name: &'static str, value: String) -> Result<(), lexopt::Error> {
        match name {
            "profile" => self.profile = Some(value),
            "server" => self.server = Some(("--server", value)),
            "api" => self.server = Some(("--api", value)),
            "server-url" => self.server = Some(("--server-url", value)),
            "token" if value == "-" => self.token = Some(TokenOption::StandardInput),
            "token" => self.token = Some(TokenOption::Given(Secret::new(value))),
            "scheme" => self.scheme = Some(scheme(&value)?),
            "refused" if value == "-" => self.refused = true,
            "refused" => {
                return Err(
                    "--refused takes `-`: the token comes on standard input, where no other program sees it"
                        .into(),
                );
            }
            "min-validity" => self.min_validity = Some(seconds(&value)?),
            "in-days" | "at" if self.when.is_some() => {
                return Err("--in-days and --at don't go together; give one of them once".into());
            }
            "in-days" => self.when = Some(When::InDays(days(&value)?)),
            "at" => self.when = Some(When::At(moment::ahead(&value)?)),
            "dir" => self.dir = Some(PathBuf::from(value)),
            "provider" => self.keys.push(("provider", value)),
            "issuer" => self.keys.push(("issuer", value)),
            "client-id" => self.keys.push(("client_id", value)),
            "client-secret-file" => self.keys.push(("client_secret_file", value)),
            "scope" => self.keys.push(("scope", value)),
            "session-file" => self.keys.push(("session_file", value)),
            name => return Err(lexopt::Error::UnexpectedOption(format!("--{name}"))),
        }
        Ok(())
    }

    /// An error if the options don't go together.
    pub fn check(&self, command: &Command) -> Result<(), lexopt::Error> {
        if self.refused && self.min_validity.is_some() {
            return Err("--refused and --min-validity don't go together".into());
        }
        if self.token.is_some() && self.scheme.is_some_and(|scheme| scheme != Scheme::Token) {
            return Err("--token is the scheme `token`; leave out --scheme".into());
        }
        let provider = self.keys.iter().any(|(key, _)| *key == "provider");
        if matches!(command, Command::Profile(ProfileVerb::Add(_))) && !provider {
            return Err(
                "`profile add` needs --provider: failproofai, achilles, binboi, dot-ai or oauth".into()
            );
        }
        Ok(())
    }
}

/// The command as the table above writes it.
fn word(command: &Command) -> &'static str {
    match command {
        Command::Help(_) => "help",
        Command::Version => "version",
        Command::Login => "login",
        Command::Answer(_) => "answer",
        Command::Whoami => "whoami",
        Command::Status => "status",
        Command::Token => "token",
        Command::Refresh => "refresh",
        Command::Logout => "logout",
        Command::Reminder(ReminderVerb::Set) => "reminder set",
        Command::Reminder(ReminderVerb::Get | ReminderVerb::Clear) => "reminder",
        Command::Events => "events",
        Command::Dashboard => "dashboard",
        Command::Agent(AgentVerb::Start | AgentVerb::Stop | AgentVerb::Status | AgentVerb::Logs) => "agent",
        Command::Profile(ProfileVerb::List) => "profile list",
        Command::Profile(ProfileVerb::Show(_)) => "profile show",
        Command::Profile(ProfileVerb::Add(_)) => "profile add",
        Command::Profile(ProfileVerb::Use(_)) => "profile use",
        Command::Profile(ProfileVerb::Remove(_)) => "profile remove",
        Command::Link(_) => "link",
        Command::Unlink(_) => "unlink",
        Command::Config(_) => "config",
    }
}

/// `1` to `365`.
fn days(text: &str) -> Result<u32, lexopt::Error> {
    text.parse().ok().filter(|days| (1..=365).contains(days)).ok_or_else(|| {
        let shown = everkey_proto::text::harmless(text, 40);
        format!("{shown:?} is no number of days from 1 to 365").into()
    })
}

/// `60`, `60s`, `5m`, `2h`.
fn seconds(text: &str) -> Result<u32, lexopt::Error> {
    let digits = text.trim_end_matches(|c: char| c.is_ascii_alphabetic());
    let factor = match &text[digits.len()..] {
        "" | "s" => Some(1),
        "m" => Some(60),
        "h" => Some(3600),
        _ => None,
    };
    let number: Option<u32> = digits.parse().ok();
    number.zip(factor).and_then(|(n, factor)| n.checked_mul(factor)).ok_or_else(|| {
        let shown = everkey_proto::text::harmless(text, 40);
        format!("{shown:?} is no duration; write 90, 90s, 5m or 1h").into()
    })
}
