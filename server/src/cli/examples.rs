//! The example at the end of each help page. A test parses them all.

use clap::{Command, CommandFactory as _};

use crate::cli::command::ServerCli;

/// Command lines without the program's name; each belongs to the longest command that it begins with.
const EXAMPLES: [&str; 30] = [
    "serve",
    "migrate",
    "backup before-upgrade.db",
    "events --json",
    "users list",
    "users show ada@example.com",
    "users disable ada@example.com",
    "users enable ada@example.com",
    "users set-plan ada@example.com pro",
    "users set-platform-role ada@example.com admin",
    "users set-name ada@example.com 'Ada Lovelace'",
    "users set-achilles-role ada@example.com analyst",
    "users sign-out ada@example.com --tokens",
    "users files",
    "users delete-reports ada@example.com",
    "users reset-second-factor ada@example.com",
    "sign-up show",
    "sign-up set listed",
    "sign-up allow example.com ada@example.org",
    "sign-up forbid example.com",
    "clients list",
    "clients allow-introspection CLIENT_ID",
    "clients forbid-introspection CLIENT_ID",
    "sessions",
    "sessions end SESSION_ID",
    "limits --limits limits.toml",
    "limits lift codes_per_email ada@example.com",
    "keys list",
    "keys rotate --refresh-ttl 30d",
    "serve --public-url https://auth.example.com --mail smtps://mail.example.com",
];

/// The definition of the command line, with its examples.
pub fn command_line() -> Command {
    with_examples(ServerCli::command(), "")
}

fn with_examples(command: Command, path: &str) -> Command {
    let lines: Vec<String> = EXAMPLES
        .iter()
        .filter(|example| belongs(example, path, &command))
        .map(|example| format!("  everkey-server {example}"))
        .collect();
    let example = format!("Example:\n{}", lines.join("\n"));
    let below = |own: Option<String>| own.map_or(example.clone(), |own| format!("{own}\n\n{example}"));
    let (short, long) = (command.get_after_help(), command.get_after_long_help());
    let short = short.map(ToString::to_string);
    let long = long.map(ToString::to_string).or_else(|| short.clone());
    command.after_help(below(short)).after_long_help(below(long)).mut_subcommands(|inner| {
        let path = format!("{path}{} ", inner.get_name());
        with_examples(inner, &path)
    })
}

/// A command that only has others below it shows theirs.
fn belongs(example: &str, path: &str, command: &Command) -> bool {
    let example = format!("{example} ");
    let Some(rest) = example.strip_prefix(path) else { return false };
    let goes_on = command.get_subcommands().any(|inner| rest.starts_with(&format!("{} ", inner.get_name())));
    !goes_on
        || (command.is_subcommand_required_set() && !path.is_empty())
        || (path.is_empty() && rest == "serve ")
}

#[cfg(test)]
mod tests {
    use clap::FromArgMatches as _;

    use super::*;

    #[test]
    fn every_example_is_a_command_line_that_works() {
        for example in EXAMPLES {
            let words = example.replace("'Ada Lovelace'", "Ada");
            let words = std::iter::once("everkey-server").chain(words.split(' '));
            let read = command_line()
                .try_get_matches_from(words)
                .and_then(|found| ServerCli::from_arg_matches(&found));
            assert!(read.is_ok(), "{example}: {read:?}");
        }
    }

    #[test]
    fn every_help_page_has_an_example() {
        fn look(command: &mut Command, path: &str) {
            for page in [command.render_help(), command.render_long_help()] {
                let page = page.to_string();
                assert!(page.contains(&format!("Example:\n  everkey-server {path}")), "{path}: {page}");
            }
            for inner in command.get_subcommands_mut().filter(|inner| inner.get_name() != "help") {
                let path = format!("{path} {}", inner.get_name());
                look(inner, &path);
            }
        }
        let mut all = command_line();
        all.build();
        for page in [all.render_help(), all.render_long_help()] {
            assert!(page.to_string().contains("Example:\n  everkey-server serve"), "{page}");
        }
        for inner in all.get_subcommands_mut() {
            let name = inner.get_name().to_owned();
            look(inner, &name);
        }
    }
}
