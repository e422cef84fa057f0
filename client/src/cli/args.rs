//! The command line, read with lexopt: words first, then which options go with them.

use super::help;
use super::options::{Options, belongs};
use everkey_proto::{FlowId, Scheme};
use lexopt::{Arg, Parser, ValueExt};

/// What was asked for.
#[derive(Debug)]
pub struct Invocation {
    /// The command.
    pub command: Command,
    /// What goes with it.
    pub options: Options,
}

/// The commands.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Command {
    /// A help page.
    Help(&'static str),
    /// The version.
    Version,
    /// Sign in.
    Login,
    /// Answer a sign-in begun elsewhere.
    Answer(FlowId),
    /// Who is signed in.
    Whoami,
    /// Everything to show.
    Status,
    /// An access token.
    Token,
    /// Refresh now.
    Refresh,
    /// Sign out.
    Logout,
    /// The re-audit reminder.
    Reminder(ReminderVerb),
    /// What happens.
    Events,
    /// The page in the browser.
    Dashboard,
    /// The agent's life.
    Agent(AgentVerb),
    /// The accounts.
    Profile(ProfileVerb),
    /// Make a link of that name.
    Link(String),
    /// Take it away.
    Unlink(String),
    /// achilles' own configuration.
    Config(ConfigVerb),
}

/// `everkey reminder ...`
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum ReminderVerb {
    /// Set it, in place of the one there is.
    Set,
    /// What it is.
    Get,
    /// Away with it.
    Clear,
}

/// `everkey agent ...`
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum AgentVerb {
    /// Start it if none runs.
    Start,
    /// Have it drain and exit.
    Stop,
    /// What it is.
    Status,
    /// Its log.
    Logs,
}

/// `everkey profile ...`
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum ProfileVerb {
    /// All of them.
    List,
    /// One of them; none is the one in use.
    Show(Option<String>),
    /// A new one.
    Add(String),
    /// The default from now on.
    Use(String),
    /// Away with it.
    Remove(String),
}

/// `achilles config ...`
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum ConfigVerb {
    /// Another profile of achilles.
    Use(String),
    /// achilles' profiles.
    List,
    /// The server of the profile in use.
    GetServer,
    /// Another server for it.
    SetServer(String),
}

/// Reads the process's arguments; the error is the sentence for the user.
pub fn parse() -> Result<Invocation, String> {
    read(Parser::from_env()).map_err(|e| e.to_string())
}

/// Whether `--json` is among the arguments, which a usage error must know too.
pub fn wants_json() -> bool {
    std::env::args_os().skip(1).take_while(|arg| arg != "--").any(|arg| arg == "--json")
}

#[derive(Default)]
struct Seen {
    words: Vec<String>,
    aliases: Vec<&'static str>,
    help: bool,
    version: bool,
}

fn read(mut parser: Parser) -> Result<Invocation, lexopt::Error> {
    let mut seen = Seen::default();
    let mut options = Options::default();
    let mut given: Vec<&'static str> = Vec::new();
    while let Some(arg) = parser.next()? {
        match arg {
            Arg::Short('h') | Arg::Long("help") => seen.help = true,
            Arg::Short('V') | Arg::Long("version") => seen.version = true,
            Arg::Long("login") => seen.aliases.push("login"),
            Arg::Long("logout") => seen.aliases.push("logout"),
            Arg::Long("whoami") => seen.aliases.push("whoami"),
            Arg::Short('p') => given.push(options.take("profile", &mut parser)?),
            Arg::Long(name) => {
                let name = name.to_owned();
                given.push(options.take(&name, &mut parser)?);
            }
            Arg::Value(word) => seen.words.push(word.string()?),
            Arg::Short(_) => return Err(arg.unexpected()),
        }
    }
    let command = command(&seen)?;
    if !matches!(command, Command::Help(_) | Command::Version) {
        given.iter().try_for_each(|option| belongs(option, &command))?;
        options.check(&command)?;
    }
    Ok(Invocation { command, options })
}

fn command(seen: &Seen) -> Result<Command, lexopt::Error> {
    let mut words: Vec<&str> = seen.words.iter().map(String::as_str).collect();
    if seen.version {
        return Ok(Command::Version);
    }
    if seen.help || (words.is_empty() && seen.aliases.is_empty()) || words.first() == Some(&"help") {
        return Ok(Command::Help(help::page(&words)));
    }
    let in_auth = words.first() == Some(&"auth");
    if in_auth {
        words.remove(0);
    }
    words.extend(&seen.aliases);
    if words.last() == Some(&"help") && words.len() < 3 {
        return Ok(Command::Help(help::page(&words)));
    }
    let account = match words.as_slice() {
        ["login"] => Some(Command::Login),
        ["logout"] => Some(Command::Logout),
        ["whoami"] => Some(Command::Whoami),
        ["status"] => Some(Command::Status),
        ["token"] => Some(Command::Token),
        ["refresh"] => Some(Command::Refresh),
        ["answer", flow] => Some(Command::Answer(self::flow(flow)?)),
        _ => None,
    };
    match account {
        Some(command) => Ok(command),
        None if in_auth => Err(match words.as_slice() {
            [] => "`auth` takes one of: login, logout, whoami, status, token, refresh".into(),
            words => no_such(words),
        }),
        None => other(&words),
    }
}

/// The commands that are not about one account's sign-in.
fn other(words: &[&str]) -> Result<Command, lexopt::Error> {
    let own = |name: &&str| (*name).to_owned();
    Ok(match words {
        ["agent", "start"] => Command::Agent(AgentVerb::Start),
        ["agent", "stop"] => Command::Agent(AgentVerb::Stop),
        ["agent", "status"] => Command::Agent(AgentVerb::Status),
        ["agent", "logs"] => Command::Agent(AgentVerb::Logs),
        ["profile", "list"] => Command::Profile(ProfileVerb::List),
        ["profile", "show"] => Command::Profile(ProfileVerb::Show(None)),
        ["profile", "show", name] => Command::Profile(ProfileVerb::Show(Some(own(name)))),
        ["profile", "add", name] => Command::Profile(ProfileVerb::Add(own(name))),
        ["profile", "use", name] => Command::Profile(ProfileVerb::Use(own(name))),
        ["profile", "remove", name] => Command::Profile(ProfileVerb::Remove(own(name))),
        ["profile", "add" | "use" | "remove"] => return Err("the name of a profile is missing".into()),
        ["link", name] => Command::Link(own(name)),
        ["unlink", name] => Command::Unlink(own(name)),
        ["link" | "unlink"] => {
            return Err("the name of a profile is missing, as in `everkey link achilles`".into());
        }
        ["config", "use", name] => Command::Config(ConfigVerb::Use(own(name))),
        ["config", "list"] => Command::Config(ConfigVerb::List),
        ["config", "get", "server_url"] => Command::Config(ConfigVerb::GetServer),
        ["config", "set", "server_url", url] => Command::Config(ConfigVerb::SetServer(own(url))),
        ["reminder", "set"] => Command::Reminder(ReminderVerb::Set),
        ["reminder", "get"] => Command::Reminder(ReminderVerb::Get),
        ["reminder", "clear"] => Command::Reminder(ReminderVerb::Clear),
        ["events"] => Command::Events,
        ["dashboard"] => Command::Dashboard,
        ["events", ..] => {
            return Err("`events` takes no more words, only --past, --json and --profile".into());
        }
        ["dashboard", ..] => {
            return Err("`dashboard` takes no more words, only --no-browser and --json".into());
        }
        ["reminder", ..] => {
            return Err("`reminder` takes one of: set [--in-days N | --at TIME], get, clear".into());
        }
        ["agent", ..] => return Err("`agent` takes one of: start, stop, status, logs".into()),
        ["profile", ..] => return Err("`profile` takes one of: list, show, add, use, remove".into()),
        ["config", ..] => {
            return Err("`config` takes one of: use PROFILE, list, get server_url, set server_url URL".into());
        }
        words => return Err(no_such(words)),
    })
}

fn no_such(words: &[&str]) -> lexopt::Error {
    match words {
        ["login" | "logout" | "whoami", "login" | "logout" | "whoami", ..] => "one command at a time".into(),
        [first, rest @ ..] => {
            let first = everkey_proto::text::harmless(first, 40);
            let more = if rest.is_empty() { "" } else { " with these words" };
            format!("there is no command {first:?}{more}").into()
        }
        [] => "there is no command".into(),
    }
}

fn flow(text: &str) -> Result<FlowId, lexopt::Error> {
    let flow = text.parse().map(FlowId);
    flow.map_err(|_| "`answer` takes the number that `login --json` printed as \"flow\"".into())
}

/// A scheme by its word.
pub fn scheme(text: &str) -> Result<Scheme, lexopt::Error> {
    Scheme::parse(text).ok_or_else(|| {
        let shown = everkey_proto::text::harmless(text, 40);
        format!("{shown:?} is no scheme; there are otp, device, browser and token").into()
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    fn invocation(line: &str) -> Result<Invocation, String> {
        read(Parser::from_args(line.split_whitespace())).map_err(|e| e.to_string())
    }

    fn parsed(line: &str) -> Result<Command, String> {
        invocation(line).map(|i| i.command)
    }

    #[test]
    fn every_form_of_a_command_means_the_same() {
        for line in ["auth login", "login", "auth --login", "--login"] {
            assert_eq!(parsed(line), Ok(Command::Login), "{line}");
        }
        assert_eq!(parsed("auth whoami --json"), Ok(Command::Whoami));
        assert_eq!(parsed("agent stop"), Ok(Command::Agent(AgentVerb::Stop)));
        for line in ["", "help", "auth help", "--help", "help auth"] {
            assert_eq!(parsed(line), Ok(Command::Help(help::MAIN)), "{line}");
        }
        for line in ["help agent", "agent help", "agent --help"] {
            assert_eq!(parsed(line), Ok(Command::Help(help::AGENT)), "{line}");
        }
        for line in ["help login", "login --help", "auth login -h", "help auth login"] {
            assert_eq!(parsed(line), Ok(Command::Help(help::LOGIN)), "{line}");
        }
        for (line, page) in [
            ("reminder --help", help::REMINDER),
            ("reminder set -h", help::REMINDER),
            ("help events", help::EVENTS),
            ("dashboard help", help::DASHBOARD),
        ] {
            assert_eq!(parsed(line), Ok(Command::Help(page)), "{line}");
        }
        assert_eq!(
            parsed("profile add help --provider x"),
            Ok(Command::Profile(ProfileVerb::Add("help".into())))
        );
    }

    #[test]
    fn the_seeds_commands_are_read_as_written() {
        for (line, command) in [
            ("config use production", Command::Config(ConfigVerb::Use("production".into()))),
            ("config get server_url", Command::Config(ConfigVerb::GetServer)),
            ("login --token x", Command::Login),
            ("auth login --no-browser", Command::Login),
            ("auth --whoami", Command::Whoami),
            ("reminder set --in-days 3", Command::Reminder(ReminderVerb::Set)),
            ("events --json --past", Command::Events),
            ("dashboard --no-browser", Command::Dashboard),
        ] {
            assert_eq!(parsed(line), Ok(command), "{line}");
        }
        let options = invocation("whoami --server-url http://a --token x").unwrap().options;
        assert_eq!(options.server, Some(("--server-url", "http://a".to_owned())));
        assert!(invocation("profile add w --provider oauth --issuer https://i --scope=a").is_ok());
    }

    #[test]
    fn misuse_is_told() {
        for line in [
            "auth --login --logout",
            "login logout",
            "auth",
            "auth frob",
            "frob",
            "login extra",
            "--frob",
            "auth agent stop",
            "auth profile list",
            "whoami --force",
            "login --min-validity 5",
            "token --min-validity x",
            "token --min-validity 99999999h",
            "answer x",
            "whoami --refused -",
            "token --refused secret",
            "token --refused - --min-validity 5",
            "login --scheme magic",
            "login --token x --scheme device",
            "whoami --scheme otp",
            "profile",
            "profile add",
            "profile add a --server x",
            "profile list --issuer x",
            "link",
            "config set server_url",
            "logout --token x",
            "-x",
            "reminder",
            "reminder frob",
            "reminder set 7",
            "reminder set --in-days 0",
            "reminder set --in-days 366",
            "reminder set --in-days x",
            "reminder set --at soon",
            "reminder set --at 2020-01-01",
            "reminder set --in-days 7 --at 2100-01-01",
            "reminder get --in-days 7",
            "auth reminder get",
            "events now",
            "events --no-browser",
            "whoami --past",
            "dashboard --past",
            "dashboard 80",
            "dashboard -p work",
        ] {
            assert!(parsed(line).is_err(), "{line}");
        }
        assert!(parsed("events extra").unwrap_err().contains("takes no more words, only --past"));
    }
}
