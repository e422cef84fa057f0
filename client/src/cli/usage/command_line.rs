//! The process's arguments, split into words and options. Options may stand before the verb, so this asks the table of
//! verbs which of them take a value.

use super::option::Arguments;
use super::verb::GroupedVerb;
use lexopt::{Arg, Parser, ValueExt};

/// What was typed.
#[derive(Default)]
pub struct CommandLine {
    pub words: Vec<String>,
    pub options: Vec<(String, String)>,
    pub help: bool,
    pub version: bool,
}

impl CommandLine {
    /// The error is the sentence for the user.
    pub fn read(mut parser: Parser, table: &[GroupedVerb]) -> Result<Self, String> {
        let mut line = Self::default();
        // `auth --login` is what failproofai's own tool takes.
        let mut dashed_verbs = Vec::new();
        while let Some(arg) = parser.next().map_err(|e| e.to_string())? {
            let name = match arg {
                Arg::Short('h') | Arg::Long("help") => {
                    line.help = true;
                    continue;
                }
                Arg::Short('V') | Arg::Long("version") => {
                    line.version = true;
                    continue;
                }
                Arg::Long(verb @ ("login" | "logout" | "whoami")) => {
                    dashed_verbs.push(verb.to_owned());
                    continue;
                }
                Arg::Value(word) => {
                    line.words.push(word.string().map_err(|e| e.to_string())?);
                    continue;
                }
                Arg::Short(letter) => spelled_out(table, letter),
                Arg::Long(name) => name.to_owned(),
            };
            let value = match takes_value(table, &name) {
                Some(true) => parser.value().and_then(ValueExt::string).map_err(|e| e.to_string())?,
                Some(false) => String::new(),
                None => {
                    parser.optional_value();
                    String::new()
                }
            };
            line.options.push((name, value));
        }
        line.words.extend(dashed_verbs);
        Ok(line)
    }

    /// An option that no verb has.
    pub fn unknown_option(&self, table: &[GroupedVerb]) -> Option<&str> {
        let mut names = self.options.iter().map(|(name, _)| name.as_str());
        names.find(|name| takes_value(table, name).is_none())
    }

    pub fn wants_json(&self) -> bool {
        self.options.iter().any(|(name, _)| name == "json")
    }

    /// What stands behind a verb of so many words.
    pub fn arguments(self, verb_words: usize) -> Arguments {
        Arguments { words: self.words.into_iter().skip(verb_words).collect(), options: self.options }
    }
}

/// The name of the option that a letter stands for; the letter with its dash where it stands for none.
fn spelled_out(table: &[GroupedVerb], letter: char) -> String {
    let rows = table.iter().flat_map(|(_, row)| std::iter::once(row).chain(row.verbs()));
    let mut options = rows.flat_map(|row| (row.help)().options);
    let option = options.find(|option| option.short == Some(letter));
    option.map_or_else(|| format!("-{letter}"), |option| option.name.to_owned())
}

/// Whether an option takes a value; `None` where no verb has it.
fn takes_value(table: &[GroupedVerb], name: &str) -> Option<bool> {
    let rows = table.iter().flat_map(|(_, row)| std::iter::once(row).chain(row.verbs()));
    let mut options = rows.flat_map(|row| (row.help)().options);
    options.find(|option| option.name == name).map(|option| option.value.is_some())
}
