//! What a verb is to the rest of the program: a row in a table.

use super::error::VerbError;
use super::option::{Arguments, OptionText, VerbOption};
use super::word_kind::WordKind;
use std::process::ExitCode;

/// One verb.
pub struct VerbRow {
    pub name: &'static str,
    /// What it does, on one line of a list.
    pub summary: &'static str,
    pub help: fn() -> VerbHelp,
    pub action: Action,
}

/// What becomes of the words behind a verb.
pub enum Action {
    /// They are its arguments.
    Run(fn(Arguments) -> Result<ExitCode, VerbError>),
    /// The same for a verb that is about all verbs.
    RunOnTable(fn(Arguments, &'static [GroupedVerb]) -> Result<ExitCode, VerbError>),
    /// The first of them is one of these verbs.
    Verbs(&'static [VerbRow]),
    /// The first of them is one of these verbs; without one, it is a verb itself and takes options only.
    RunOrVerbs(fn(Arguments) -> Result<ExitCode, VerbError>, &'static [VerbRow]),
}

/// The list that a verb stands in on the general help page.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum VerbGroup {
    /// The verbs that may also follow `auth`.
    SignIn,
    Accounts,
    Watching,
}

/// A verb's own help page, without its title.
pub struct VerbHelp {
    /// Begins with an empty line; `{options}` and `{commands}` stand for the lists.
    pub text: &'static str,
    pub options: Vec<OptionText>,
    /// What the word behind the verb may be.
    pub words: WordKind,
}

impl VerbHelp {
    /// The page of a verb that takes these options.
    pub fn new<A>(text: &'static str, options: &[VerbOption<A>]) -> Self {
        Self { text, options: options.iter().map(VerbOption::text).collect(), words: WordKind::Free }
    }

    /// The page of a verb with verbs of its own.
    pub fn of_verbs(text: &'static str) -> Self {
        Self { text, options: Vec::new(), words: WordKind::Free }
    }

    /// The same with what the word behind the verb may be.
    pub fn taking(self, words: WordKind) -> Self {
        Self { words, ..self }
    }
}

impl VerbRow {
    /// The verbs that may follow this one.
    pub fn verbs(&self) -> &'static [Self] {
        match self.action {
            Action::Run(_) | Action::RunOnTable(_) => &[],
            Action::Verbs(verbs) | Action::RunOrVerbs(_, verbs) => verbs,
        }
    }
}

/// A verb of the general help page.
pub type GroupedVerb = (VerbGroup, VerbRow);
