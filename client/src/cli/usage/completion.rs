//! What can stand at the end of a command line: the verbs, options and values of the same table that the parser reads.

use super::option::OptionText;
use super::verb::{GroupedVerb, VerbGroup, VerbRow};
use super::word_kind::WordKind;

/// What a shell offers.
#[derive(Debug, PartialEq, Eq)]
pub enum Offer {
    Words(Vec<Offered>),
    Files,
    Folders,
}

/// A word, and what help says of it.
#[derive(Debug, PartialEq, Eq)]
pub struct Offered {
    pub word: String,
    pub help: &'static str,
}

/// Where names of profiles come from.
pub type Names<'a> = &'a dyn Fn(WordKind) -> Vec<String>;

/// What fits behind `words`, the last of which is being typed; the program's name is not among them.
pub fn offer(words: &[String], table: &'static [GroupedVerb], names: Names<'_>) -> Offer {
    let Some((typed, before)) = words.split_last() else { return Offer::Words(Vec::new()) };
    let line = Line::read(before, table);
    if let Some(option) = line.waiting {
        return values(option.kind, "", typed, table, names);
    }
    if let Some((name, value)) = typed.strip_prefix("--").and_then(|option| option.split_once('=')) {
        let option = line.options().into_iter().find(|option| option.name == name && option.value.is_some());
        return option.map_or(Offer::Words(Vec::new()), |option| {
            values(option.kind, &format!("--{name}="), value, table, names)
        });
    }
    if typed.starts_with('-') && !line.only_words {
        return starting_with(typed, line.dashed());
    }
    match line.kind() {
        Some(kind) => values(kind, "", typed, table, names),
        None => starting_with(typed, line.verbs()),
    }
}

/// The words before the one that is typed.
struct Line {
    table: &'static [GroupedVerb],
    path: Vec<&'static VerbRow>,
    in_auth: bool,
    help: bool,
    /// `--` was typed.
    only_words: bool,
    /// Words behind the verb.
    arguments: usize,
    /// The option whose value comes next.
    waiting: Option<OptionText>,
    /// Something that no verb has.
    lost: bool,
}

impl Line {
    fn read(words: &[String], table: &'static [GroupedVerb]) -> Self {
        let mut line = Self {
            table,
            path: Vec::new(),
            in_auth: false,
            help: false,
            only_words: false,
            arguments: 0,
            waiting: None,
            lost: false,
        };
        words.iter().for_each(|word| line.push(word));
        line
    }

    fn push(&mut self, word: &str) {
        if self.waiting.take().is_some() {
            return;
        }
        match word {
            "--" => self.only_words = true,
            option if option.starts_with('-') && !self.only_words => self.waiting = self.waits_for(option),
            "help" if self.path.is_empty() && !self.in_auth => self.help = true,
            "auth" if self.path.is_empty() && !self.in_auth => self.in_auth = true,
            word => match self.rows().into_iter().find(|row| row.name == word) {
                Some(row) => self.path.push(row),
                None if self.rows().is_empty() => self.arguments += 1,
                None => self.lost = true,
            },
        }
    }

    /// The option, if its value is the next word. One that stands before its verb may be any verb's.
    fn waits_for(&self, word: &str) -> Option<OptionText> {
        let every = self.table.iter().flat_map(|(_, row)| std::iter::once(row).chain(row.verbs()));
        let mut every = every.flat_map(|row| (row.help)().options).filter(|option| option.value.is_some());
        match word.strip_prefix("--") {
            Some(name) => every.find(|option| option.name == name),
            None => {
                let letter = word.chars().nth(1).filter(|_| word.chars().count() == 2);
                every.find(|option| option.short.is_some() && option.short == letter)
            }
        }
    }

    /// The verbs that may come next.
    fn rows(&self) -> Vec<&'static VerbRow> {
        match self.path.last() {
            Some(row) => row.verbs().iter().collect(),
            None => {
                let fits = |group| !self.in_auth || group == VerbGroup::SignIn;
                self.table.iter().filter(|(group, _)| fits(*group)).map(|(_, row)| row).collect()
            }
        }
    }

    fn verbs(&self) -> Vec<Offered> {
        if self.lost {
            return Vec::new();
        }
        let verbs = self.rows().into_iter().map(|row| (row.name, row.summary));
        let first = self.path.is_empty() && !self.in_auth && !self.help;
        let more = [("auth", "sign in and out"), ("help", "what a command does")];
        let more = more.into_iter().filter(|_| first);
        verbs.chain(more).map(|(word, help)| Offered { word: word.to_owned(), help }).collect()
    }

    /// What the next word is to the verb; none where a verb comes next.
    fn kind(&self) -> Option<WordKind> {
        let row = self.path.last().filter(|row| row.verbs().is_empty())?;
        let kind = (row.help)().words;
        Some(if self.arguments == 0 && !self.help { kind } else { WordKind::Free })
    }

    fn options(&self) -> Vec<OptionText> {
        if let Some(row) = self.path.last() {
            return (row.help)().options;
        }
        // Before the verb only what most verbs take is worth offering.
        let login = self.table.iter().flat_map(|(_, row)| (row.help)().options);
        let mut shared: Vec<OptionText> = Vec::new();
        for option in login.filter(|option| matches!(option.name, "profile" | "server" | "json")) {
            if !shared.iter().any(|known| known.name == option.name) {
                shared.push(option);
            }
        }
        shared
    }

    fn dashed(&self) -> Vec<Offered> {
        let options = self.options().into_iter().map(|option| (option.name, option.help));
        let everywhere = [("help", "what it does, with examples")];
        let version = [("version", "the version")].into_iter().filter(|_| self.path.is_empty());
        let all = options.chain(everywhere).chain(version);
        all.map(|(name, help)| Offered { word: format!("--{name}"), help }).collect()
    }
}

fn values(kind: WordKind, before: &str, typed: &str, table: &[GroupedVerb], names: Names<'_>) -> Offer {
    let words = match kind {
        WordKind::Free => Vec::new(),
        WordKind::File => return Offer::Files,
        WordKind::Folder => return Offer::Folders,
        WordKind::Profile | WordKind::AchillesProfile => names(kind),
        WordKind::Verb => table.iter().map(|(_, row)| row.name.to_owned()).collect(),
        WordKind::OneOf(words) => words().into_iter().map(str::to_owned).collect(),
    };
    let words = words.into_iter().map(|word| Offered { word: format!("{before}{word}"), help: "" });
    starting_with(&format!("{before}{typed}"), words.collect())
}

fn starting_with(typed: &str, mut words: Vec<Offered>) -> Offer {
    words.retain(|offered| offered.word.starts_with(typed));
    Offer::Words(words)
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::cli::verbs::VERBS;

    fn names(kind: WordKind) -> Vec<String> {
        match kind {
            WordKind::Profile => vec!["work".to_owned(), "achilles".to_owned()],
            WordKind::AchillesProfile => vec!["production".to_owned()],
            WordKind::Free | WordKind::File | WordKind::Folder | WordKind::Verb | WordKind::OneOf(_) => {
                Vec::new()
            }
        }
    }

    /// What is offered at the end of a line; its last word may be empty.
    fn offered(line: &str) -> String {
        let words: Vec<String> = line.split(' ').map(str::to_owned).collect();
        match offer(&words, VERBS, &names) {
            Offer::Files => "FILES".to_owned(),
            Offer::Folders => "FOLDERS".to_owned(),
            Offer::Words(words) => {
                words.iter().map(|offered| offered.word.as_str()).collect::<Vec<_>>().join(" ")
            }
        }
    }

    #[test]
    fn verbs_options_and_values_are_offered_where_they_fit() {
        for (line, words) in [
            ("sta", "status"),
            ("auth log", "login logout"),
            ("auth prof", ""),
            ("help un", "unlink"),
            ("profile ", "list show add use remove"),
            ("profile s", "show"),
            ("profile show ", "work achilles"),
            ("profile show work ", ""),
            ("profile --json use w", "work"),
            ("whoami --ex", "--explain"),
            ("whoami --profile ", "work achilles"),
            ("whoami -p w", "work"),
            ("whoami --profile=w", "--profile=work"),
            ("--profile work whoa", "whoami"),
            ("-", "--profile --server --json --help --version"),
            ("profile add x --provider o", "oauth"),
            ("profile add x --provider=o", "--provider=oauth"),
            ("profile add x --scheme ", "browser device"),
            ("profile add x --ca-file ", "FILES"),
            ("profile add x --ca-file=/e", "FILES"),
            ("link --dir ", "FOLDERS"),
            ("config use ", "production"),
            ("config get ", "server_url"),
            ("completions ", "bash zsh fish"),
            ("man tok", "token"),
            ("login --email ", ""),
            ("login -- -", ""),
            ("frob ", ""),
            ("frob --", "--profile --server --json --help --version"),
        ] {
            assert_eq!(offered(line), words, "{line:?}");
        }
        assert!(offered("").ends_with("man auth help"), "{}", offered(""));
    }

    #[test]
    fn everything_that_help_lists_is_offered() {
        for (_, row) in VERBS {
            assert!(offered("").split(' ').any(|word| word == row.name), "{}", row.name);
            for verb in row.verbs() {
                assert_eq!(offered(&format!("{} {}", row.name, verb.name)), verb.name);
            }
            for option in (row.help)().options {
                let words = offered(&format!("{} --{}", row.name, option.name));
                assert!(words.split(' ').any(|word| word == format!("--{}", option.name)), "{words}");
            }
        }
    }
}
