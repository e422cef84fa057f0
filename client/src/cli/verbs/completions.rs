//! `everkey completions SHELL`: the script that has a shell complete everkey's commands, and what that script asks. It
//! asks no agent.

use crate::cli::terminal::output;
use crate::cli::usage::completion::{self, Offer, Offered};
use crate::cli::usage::error::{UsageError, VerbError};
use crate::cli::usage::option::{Arguments, VerbOption};
use crate::cli::usage::verb::{GroupedVerb, VerbHelp};
use crate::cli::usage::word_kind::WordKind;
use everkey_client::UserConfiguration;
use std::process::ExitCode;

#[derive(Clone, Copy, PartialEq, Eq)]
enum Shell {
    Bash,
    Zsh,
    Fish,
}

impl Shell {
    const ALL: [Self; 3] = [Self::Bash, Self::Zsh, Self::Fish];

    fn name(self) -> &'static str {
        match self {
            Self::Bash => "bash",
            Self::Zsh => "zsh",
            Self::Fish => "fish",
        }
    }

    fn script(self) -> &'static str {
        match self {
            Self::Bash => include_str!("../../../shell/everkey.bash"),
            Self::Zsh => include_str!("../../../shell/_everkey"),
            Self::Fish => include_str!("../../../shell/everkey.fish"),
        }
    }

    /// The words as this shell splits them, put together again: bash takes `=` for a word.
    fn joined(self, words: &[String]) -> Vec<String> {
        let between = |word: &&String| self != Self::Bash || *word != "=";
        words.iter().filter(between).cloned().collect()
    }

    /// One line of what is offered; none for a word that this shell would obey instead of taking it.
    fn line(self, offered: &Offered) -> Option<String> {
        let Offered { word, help } = offered;
        match self {
            Self::Bash => {
                let plain = |c: char| c.is_alphanumeric() || "-_./=:@+".contains(c);
                word.chars().all(plain).then(|| word.clone())
            }
            Self::Zsh => Some(format!("{}:{help}", word.replace('\\', "\\\\").replace(':', "\\:"))),
            Self::Fish => Some(format!("{word}\t{help}")),
        }
    }
}

const OPTIONS: &[VerbOption<()>] = &[];

pub fn help() -> VerbHelp {
    VerbHelp::new(
        "
  source <(everkey completions bash)
  everkey completions fish > ~/.config/fish/completions/everkey.fish

Usage: everkey completions bash|zsh|fish
       everkey completions bash|zsh|fish -- WORD ...

Prints the script that has the shell complete commands, options, files and the
names of your accounts. `./dev install` and the Debian package put it in place;
by hand, bash reads it from ~/.local/share/bash-completion/completions/everkey,
zsh from a file _everkey in a folder of its fpath.

The script asks everkey what can come next, with the words of the line, the last
as far as it is typed: one line says words, files or folders, the others are the
words. No agent is asked or started.
",
        OPTIONS,
    )
    .taking(WordKind::OneOf(|| Shell::ALL.iter().map(|shell| shell.name()).collect()))
}

pub fn run(arguments: Arguments, table: &'static [GroupedVerb]) -> Result<ExitCode, VerbError> {
    let parsed = arguments.read(OPTIONS)?;
    let Some((name, line)) = parsed.words.split_first() else {
        return Err(UsageError::MissingWord("a shell: bash, zsh or fish").into());
    };
    let Some(shell) = Shell::ALL.into_iter().find(|shell| shell.name() == name) else {
        return Err(UsageError::Sentence("there are completions for bash, zsh and fish".to_owned()).into());
    };
    match line {
        [] => output::line(shell.script().trim_end()),
        [_program, words @ ..] => print(shell, &completion::offer(&shell.joined(words), table, &names)),
    }
    Ok(ExitCode::SUCCESS)
}

fn print(shell: Shell, offer: &Offer) {
    match offer {
        Offer::Files => output::line("files"),
        Offer::Folders => output::line("folders"),
        Offer::Words(words) => {
            output::line("words");
            words.iter().filter_map(|word| shell.line(word)).for_each(output::line);
        }
    }
}

/// The names of profiles, as far as the configuration can be read.
fn names(kind: WordKind) -> Vec<String> {
    let Ok(configuration) = UserConfiguration::read() else { return Vec::new() };
    let names = configuration.profiles.into_iter().map(|profile| profile.name);
    match kind {
        WordKind::AchillesProfile => {
            names.filter_map(|name| name.strip_prefix("achilles/").map(str::to_owned)).collect()
        }
        WordKind::Profile => names.chain(["achilles".to_owned()]).collect(),
        WordKind::Free | WordKind::File | WordKind::Folder | WordKind::Verb | WordKind::OneOf(_) => {
            Vec::new()
        }
    }
}
