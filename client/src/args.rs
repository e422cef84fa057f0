//! The command line, read with lexopt.

use crate::help;
use everkey_proto::FlowId;
use lexopt::{Arg, Parser, ValueExt};
use std::fmt::Write;

/// What was asked for.
pub struct Invocation {
    /// The command.
    pub command: Command,
    /// `--json`.
    pub json: bool,
    /// `--profile`.
    pub profile: Option<String>,
    /// `--server`.
    pub server: Option<String>,
}

/// The commands.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Command {
    /// A help page.
    Help(String),
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
    Token {
        /// Seconds; 0 when not given.
        min_validity_secs: u32,
    },
    /// Another access token than the refused one on standard input.
    Better,
    /// Refresh now.
    Refresh {
        /// Even if the last was just now.
        force: bool,
    },
    /// Sign out.
    Logout,
    /// The agent's life.
    Agent(AgentVerb),
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

/// Reads the process's arguments; the error is the sentence for the user.
pub fn parse() -> Result<Invocation, String> {
    read(Parser::from_env()).map_err(|e| e.to_string())
}

#[derive(Default)]
struct Seen {
    words: Vec<String>,
    aliases: Vec<&'static str>,
    help: bool,
    version: bool,
    json: bool,
    force: bool,
    refused: bool,
    min_validity: Option<u32>,
    profile: Option<String>,
    server: Option<String>,
}

fn read(mut parser: Parser) -> Result<Invocation, lexopt::Error> {
    let mut seen = Seen::default();
    while let Some(arg) = parser.next()? {
        match arg {
            Arg::Short('h') | Arg::Long("help") => seen.help = true,
            Arg::Short('V') | Arg::Long("version") => seen.version = true,
            Arg::Long("json") => seen.json = true,
            Arg::Long("force") => seen.force = true,
            Arg::Long("refused") => match parser.value()?.string()?.as_str() {
                "-" => seen.refused = true,
                _ => return Err(
                    "--refused takes `-`: the token comes on standard input, where no other program sees it"
                        .into(),
                ),
            },
            Arg::Long("login") => seen.aliases.push("login"),
            Arg::Long("logout") => seen.aliases.push("logout"),
            Arg::Long("whoami") => seen.aliases.push("whoami"),
            Arg::Short('p') | Arg::Long("profile") => seen.profile = Some(parser.value()?.string()?),
            Arg::Long("server") => seen.server = Some(parser.value()?.string()?),
            Arg::Long("min-validity") => seen.min_validity = Some(seconds(&parser.value()?.string()?)?),
            Arg::Value(word) => seen.words.push(word.string()?),
            Arg::Short(_) | Arg::Long(_) => return Err(arg.unexpected()),
        }
    }
    let command = command(&seen)?;
    let token = matches!(command, Command::Token { .. } | Command::Help(_));
    if seen.refused && !matches!(command, Command::Better | Command::Help(_)) {
        return Err("--refused belongs to `token`".into());
    }
    if seen.min_validity.is_some() && !token {
        return Err("--min-validity belongs to `token`".into());
    }
    if seen.force && !matches!(command, Command::Refresh { .. } | Command::Help(_)) {
        return Err("--force belongs to `refresh`".into());
    }
    Ok(Invocation { command, json: seen.json, profile: seen.profile, server: seen.server })
}

fn command(seen: &Seen) -> Result<Command, lexopt::Error> {
    let mut words: Vec<&str> = seen.words.iter().map(String::as_str).collect();
    if seen.version {
        return Ok(Command::Version);
    }
    if seen.help || (words.is_empty() && seen.aliases.is_empty()) || words.contains(&"help") {
        let page = if words.contains(&"agent") { help::AGENT } else { help::MAIN };
        return Ok(Command::Help(page.to_owned()));
    }
    let in_auth = words.first() == Some(&"auth");
    if in_auth {
        words.remove(0);
    }
    words.extend(&seen.aliases);
    let min_validity_secs = seen.min_validity.unwrap_or(0);
    match words.as_slice() {
        ["login"] => Ok(Command::Login),
        ["logout"] => Ok(Command::Logout),
        ["whoami"] => Ok(Command::Whoami),
        ["status"] => Ok(Command::Status),
        ["token"] if seen.refused && seen.min_validity.is_some() => {
            Err("--refused and --min-validity don't go together".into())
        }
        ["token"] if seen.refused => Ok(Command::Better),
        ["token"] => Ok(Command::Token { min_validity_secs }),
        ["refresh"] => Ok(Command::Refresh { force: seen.force }),
        ["answer", flow] => match flow.parse() {
            Ok(flow) => Ok(Command::Answer(FlowId(flow))),
            Err(_) => Err("`answer` takes the number that `login --json` printed as \"flow\"".into()),
        },
        ["agent", "start"] if !in_auth => Ok(Command::Agent(AgentVerb::Start)),
        ["agent", "stop"] if !in_auth => Ok(Command::Agent(AgentVerb::Stop)),
        ["agent", "status"] if !in_auth => Ok(Command::Agent(AgentVerb::Status)),
        ["agent", "logs"] if !in_auth => Ok(Command::Agent(AgentVerb::Logs)),
        ["agent"] if !in_auth => Err("`agent` takes one of: start, stop, status, logs".into()),
        [] => Err("`auth` takes one of: login, logout, whoami, status, token, refresh".into()),
        ["login" | "logout" | "whoami", "login" | "logout" | "whoami", ..] => {
            Err("one command at a time".into())
        }
        [first, ..] => {
            let mut said = format!("there is no command {first:?}");
            if words.len() > 1 {
                let _ = write!(said, " with these words");
            }
            Err(said.into())
        }
    }
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

#[cfg(test)]
mod tests {
    use super::*;

    fn parsed(line: &str) -> Result<Command, String> {
        read(Parser::from_args(line.split_whitespace())).map(|i| i.command).map_err(|e| e.to_string())
    }

    #[test]
    fn every_form_of_a_command_means_the_same() {
        for line in ["auth login", "login", "auth --login", "--login"] {
            assert_eq!(parsed(line), Ok(Command::Login), "{line}");
        }
        assert_eq!(parsed("auth whoami --json"), Ok(Command::Whoami));
        assert_eq!(parsed("token --min-validity=5m"), Ok(Command::Token { min_validity_secs: 300 }));
        assert_eq!(parsed("agent stop"), Ok(Command::Agent(AgentVerb::Stop)));
        for line in ["", "help", "help login", "auth help", "login --help"] {
            assert_eq!(parsed(line), Ok(Command::Help(help::MAIN.to_owned())), "{line}");
        }
        for line in ["help agent", "agent help", "agent --help"] {
            assert_eq!(parsed(line), Ok(Command::Help(help::AGENT.to_owned())), "{line}");
        }
    }

    #[test]
    fn misuse_is_told() {
        for line in [
            "auth --login --logout",
            "login logout",
            "auth",
            "frob",
            "login extra",
            "--frob",
            "auth agent stop",
            "whoami --force",
            "login --min-validity 5",
            "token --min-validity x",
            "token --min-validity 99999999h",
            "answer x",
            "whoami --refused -",
            "token --refused secret",
            "token --refused - --min-validity 5",
        ] {
            assert!(parsed(line).is_err(), "{line}");
        }
    }
}
