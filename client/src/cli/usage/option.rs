//! The options of a verb, one row each: how it is written, what help says of it, what it sets.

use super::error::UsageError;
use super::shared_options::SharedOptions;
use super::word_kind::WordKind;

/// One option of a verb whose own arguments are an `A`.
pub struct VerbOption<A> {
    text: OptionText,
    set: Setter<A>,
}

/// An option as help shows it.
#[derive(Debug, Clone, Copy)]
pub struct OptionText {
    /// Without dashes.
    pub name: &'static str,
    pub short: Option<char>,
    /// What stands for the value in help; none for a flag.
    pub value: Option<&'static str>,
    pub help: &'static str,
    /// What the value may be.
    pub kind: WordKind,
}

impl OptionText {
    pub const fn flag(name: &'static str, help: &'static str) -> Self {
        Self { name, short: None, value: None, help, kind: WordKind::Free }
    }

    pub const fn value(name: &'static str, value: &'static str, help: &'static str) -> Self {
        Self { name, short: None, value: Some(value), help, kind: WordKind::Free }
    }
}

enum Setter<A> {
    Flag(fn(&mut A)),
    /// The error is the sentence for the user.
    Value(fn(&mut A, String) -> Result<(), String>),
    Shared(fn(&mut SharedOptions, String)),
}

/// What stands behind the verb on the command line.
pub struct Arguments {
    pub words: Vec<String>,
    /// Names without dashes, in the order given; a flag's value is empty.
    pub options: Vec<(String, String)>,
}

/// The arguments of a verb.
pub struct ParsedArguments<A> {
    pub shared: SharedOptions,
    pub own: A,
    pub words: Vec<String>,
}

impl<A> VerbOption<A> {
    pub const fn flag(name: &'static str, help: &'static str, set: fn(&mut A)) -> Self {
        Self { text: OptionText::flag(name, help), set: Setter::Flag(set) }
    }

    pub const fn value(
        name: &'static str,
        value: &'static str,
        help: &'static str,
        set: fn(&mut A, String) -> Result<(), String>,
    ) -> Self {
        Self { text: OptionText::value(name, value, help), set: Setter::Value(set) }
    }

    /// The same with a single letter that stands for it.
    pub const fn short(self, letter: char) -> Self {
        Self { text: OptionText { short: Some(letter), ..self.text }, set: self.set }
    }

    /// The same with what its value may be.
    pub const fn taking(self, kind: WordKind) -> Self {
        Self { text: OptionText { kind, ..self.text }, set: self.set }
    }

    pub fn text(&self) -> OptionText {
        self.text
    }

    /// An option that sets something of [`SharedOptions`].
    pub const fn shared(text: OptionText, set: fn(&mut SharedOptions, String)) -> Self {
        Self { text, set: Setter::Shared(set) }
    }
}

impl Arguments {
    /// Sets what the options say; the words are left to the verb.
    pub fn read<A: Default>(self, options: &[VerbOption<A>]) -> Result<ParsedArguments<A>, UsageError> {
        let mut parsed =
            ParsedArguments { shared: SharedOptions::default(), own: A::default(), words: self.words };
        for (name, value) in self.options {
            let Some(option) = options.iter().find(|option| option.text.name == name) else {
                return Err(UsageError::UnknownOption(name));
            };
            match option.set {
                Setter::Flag(set) => set(&mut parsed.own),
                Setter::Value(set) => set(&mut parsed.own, value).map_err(UsageError::Sentence)?,
                Setter::Shared(set) => set(&mut parsed.shared, value),
            }
        }
        Ok(parsed)
    }

    /// The same for a verb that takes no words.
    pub fn read_options<A: Default>(
        self,
        options: &[VerbOption<A>],
    ) -> Result<ParsedArguments<A>, UsageError> {
        let parsed = self.read(options)?;
        match parsed.words.first() {
            None => Ok(parsed),
            Some(word) => Err(UsageError::ExtraWord(word.clone())),
        }
    }
}

impl<A> ParsedArguments<A> {
    /// The one word of a verb that takes exactly one; help calls it `name`.
    pub fn word(&self, name: &'static str) -> Result<&str, UsageError> {
        match self.words.as_slice() {
            [] => Err(UsageError::MissingWord(name)),
            [word] => Ok(word),
            [_, extra, ..] => Err(UsageError::ExtraWord(extra.clone())),
        }
    }
}
