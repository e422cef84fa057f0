//! What a command line asks for: a verb with its arguments, or a page to print.

use super::command_line::CommandLine;
use super::error::{UsageError, VerbError};
use super::help;
use super::option::Arguments;
use super::verb::{Action, GroupedVerb, VerbGroup, VerbRow};
use serde_json::json;
use std::process::ExitCode;

/// What to do.
pub enum Task {
    /// Nothing was typed.
    Begin,
    /// A help page or the version.
    Print(String),
    Run {
        /// The rows of the verb's words: `agent`, `stop`.
        path: Vec<&'static VerbRow>,
        run: Box<dyn FnOnce(Arguments) -> Result<ExitCode, VerbError>>,
        arguments: Arguments,
    },
}

/// A usage error, and the verb as far as it was understood.
pub struct WrongUsage {
    pub error: UsageError,
    pub path: Vec<&'static VerbRow>,
}

/// Finds the verb. `VERB --help`, `VERB help` and `help VERB` mean its page.
pub fn task(mut line: CommandLine, table: &'static [GroupedVerb]) -> Result<Task, WrongUsage> {
    if line.version {
        let version = env!("CARGO_PKG_VERSION");
        return Ok(Task::Print(if line.wants_json() {
            json!({ "program": "everkey", "version": version }).to_string()
        } else {
            format!("everkey {version}")
        }));
    }
    let mut help = line.help || take_first(&mut line.words, "help");
    let in_auth = take_first(&mut line.words, "auth");
    // With more words before it, `help` is somebody's name.
    if line.words.len() < 3 && line.words.last().is_some_and(|word| word == "help") {
        line.words.pop();
        help = true;
    }
    if line.words.is_empty() {
        return without_verb(&line, table, in_auth, help);
    }
    let path = path(&line.words, table, in_auth, help)?;
    match path.last().map(|row| &row.action) {
        Some(Action::Run(run) | Action::RunOrVerbs(run, _)) if !help => {
            let arguments = line.arguments(path.len());
            Ok(Task::Run { path, run: Box::new(*run), arguments })
        }
        Some(Action::RunOnTable(run)) if !help => {
            let (arguments, run) = (line.arguments(path.len()), *run);
            Ok(Task::Run { path, run: Box::new(move |arguments| run(arguments, table)), arguments })
        }
        _ => Ok(Task::Print(help::of_verb(&path))),
    }
}

fn take_first(words: &mut Vec<String>, word: &str) -> bool {
    let there = words.first().is_some_and(|first| first == word);
    if there {
        words.remove(0);
    }
    there
}

fn without_verb(
    line: &CommandLine,
    table: &'static [GroupedVerb],
    in_auth: bool,
    help: bool,
) -> Result<Task, WrongUsage> {
    let wrong = |error| Err(WrongUsage { error, path: Vec::new() });
    if help {
        return Ok(Task::Print(if in_auth { help::of_auth(table) } else { help::general(table) }));
    }
    if let Some(unknown) = line.unknown_option(table) {
        return wrong(UsageError::UnknownOption(unknown.to_owned()));
    }
    if in_auth {
        let verbs = table.iter().filter(|(group, _)| *group == VerbGroup::SignIn);
        let verbs: Vec<_> = verbs.map(|(_, row)| row.name).collect();
        return wrong(UsageError::Sentence(format!("`auth` takes one of: {}", verbs.join(", "))));
    }
    Ok(if line.options.is_empty() { Task::Begin } else { Task::Print(help::general(table)) })
}

/// The rows that the words lead to.
fn path(
    words: &[String],
    table: &'static [GroupedVerb],
    in_auth: bool,
    help: bool,
) -> Result<Vec<&'static VerbRow>, WrongUsage> {
    let mut path: Vec<&'static VerbRow> = Vec::new();
    for word in words {
        let row = match path.last() {
            None => top_verb(word, table, in_auth).map_err(|error| WrongUsage { error, path: Vec::new() })?,
            Some(row) => match &row.action {
                Action::Run(_) | Action::RunOnTable(_) => break,
                Action::Verbs(verbs) | Action::RunOrVerbs(_, verbs) => match verbs
                    .iter()
                    .find(|verb| verb.name == word)
                {
                    Some(verb) => verb,
                    None => return Err(WrongUsage { error: UsageError::UnknownVerb(word.clone()), path }),
                },
            },
        };
        path.push(row);
    }
    match path.last().map(|row| &row.action) {
        Some(Action::Verbs(_)) if !help => Err(WrongUsage { error: UsageError::MissingVerb, path }),
        _ => Ok(path),
    }
}

fn top_verb(
    word: &str,
    table: &'static [GroupedVerb],
    in_auth: bool,
) -> Result<&'static VerbRow, UsageError> {
    match table.iter().find(|(_, row)| row.name == word) {
        Some((group, _)) if in_auth && *group != VerbGroup::SignIn => {
            Err(UsageError::Sentence(format!("`{word}` does not follow `auth`: run `everkey {word}`")))
        }
        Some((_, row)) => Ok(row),
        None => Err(UsageError::UnknownVerb(word.to_owned())),
    }
}
