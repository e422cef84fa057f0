//! `config.toml` as tables whose keys are taken one by one, so that what is wrong has a line, a column and a name.
//! serde's errors know a column but not the nearest key, so the parsed table is walked instead.

use everkey_proto::text::harmless;
use std::path::Path;
use toml::Spanned;
use toml::de::{DeTable, DeValue};

/// What is wrong with a `config.toml`, and where.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[error("line {line}, column {column}: {message}")]
pub struct ConfigError {
    /// From 1; 0 where the file as a whole can't be read.
    pub line: usize,
    /// From 1, in characters.
    pub column: usize,
    /// The key it is about, if it is about one.
    pub key: Option<String>,
    /// One line for people.
    pub message: String,
}

impl ConfigError {
    /// The file, the place and what is wrong there as compilers write it, to the end of the sentence.
    pub fn in_file(&self, file: &Path) -> String {
        let place = match self.line {
            0 => file.display().to_string(),
            line => format!("{}:{line}:{}", file.display(), self.column),
        };
        let end = if self.message.ends_with(['.', '?']) { "" } else { "." };
        format!("{place}: {}{end}", self.message)
    }
}

/// Where something stands in the text.
#[derive(Clone, Copy)]
pub(crate) struct Spot(usize);

/// Makes errors about one text.
#[derive(Clone, Copy)]
pub(crate) struct Source<'t>(pub &'t str);

impl Source<'_> {
    pub(crate) fn error(&self, at: Spot, key: Option<&str>, message: impl Into<String>) -> ConfigError {
        let before = self.0.get(..at.0.min(self.0.len())).unwrap_or_default();
        let line_start = before.rfind('\n').map_or(0, |i| i + 1);
        ConfigError {
            line: before.matches('\n').count() + 1,
            column: before[line_start..].chars().count() + 1,
            key: key.map(str::to_owned),
            // Keys are quoted as they were written, and may hold anything (S01).
            message: harmless(&message.into(), usize::MAX),
        }
    }

    /// The table at the top.
    pub(crate) fn parse(&self) -> Result<Table<'_>, ConfigError> {
        let parsed = DeTable::parse(self.0).map_err(|e| {
            let at = Spot(e.span().map_or(0, |span| span.start));
            // The parser's message may have lines of its own.
            self.error(at, None, e.message().lines().collect::<Vec<_>>().join(", "))
        })?;
        Ok(Table::new(*self, String::new(), parsed.into_inner(), Spot(0)))
    }
}

/// A table whose keys are taken out; what is left at the end nobody knows.
pub(crate) struct Table<'t> {
    source: Source<'t>,
    path: String,
    at: Spot,
    entries: Vec<(String, Spot, Spanned<DeValue<'t>>)>,
    known: Vec<&'static str>,
}

/// A value with where it stands.
pub(crate) struct At<T> {
    pub value: T,
    pub at: Spot,
}

impl<'t> Table<'t> {
    fn new(source: Source<'t>, path: String, table: DeTable<'t>, at: Spot) -> Self {
        let entries = table.into_iter().map(|(key, value)| {
            let spot = Spot(key.span().start);
            (key.into_inner().into_owned(), spot, value)
        });
        Self { source, path, at, entries: entries.collect(), known: Vec::new() }
    }

    /// Where the table begins.
    pub(crate) fn at(&self) -> Spot {
        self.at
    }

    fn take(&mut self, key: &'static str) -> Option<At<Spanned<DeValue<'t>>>> {
        self.known.push(key);
        let place = self.entries.iter().position(|(name, ..)| name == key)?;
        let (_, at, value) = self.entries.remove(place);
        Some(At { value, at })
    }

    fn wrong(&self, at: Spot, key: &str, wants: &str, is: &DeValue<'_>) -> ConfigError {
        let message = format!("`{}{key}` takes {wants}, not {}", self.path, a(is.type_str()));
        self.source.error(at, Some(key), message)
    }

    /// A text, which may not be empty.
    pub(crate) fn text(&mut self, key: &'static str) -> Result<Option<At<String>>, ConfigError> {
        let Some(At { value, at }) = self.take(key) else { return Ok(None) };
        match value.into_inner() {
            DeValue::String(text) if text.trim().is_empty() || text.contains(char::is_control) => {
                let message = format!("`{}{key}` takes a text of one line", self.path);
                Err(self.source.error(at, Some(key), message))
            }
            DeValue::String(text) => Ok(Some(At { value: text.into_owned(), at })),
            other => Err(self.wrong(at, key, "a text in quotes", &other)),
        }
    }

    /// A port.
    pub(crate) fn port(&mut self, key: &'static str) -> Result<Option<u16>, ConfigError> {
        let Some(At { value, at }) = self.take(key) else { return Ok(None) };
        let port = match value.get_ref() {
            DeValue::Integer(number) => u16::from_str_radix(number.as_str(), number.radix()).ok(),
            other => return Err(self.wrong(at, key, "a number", other)),
        };
        if let Some(port) = port.filter(|port| *port > 0) {
            return Ok(Some(port));
        }
        let message = format!("`{}{key}` takes a port, a number from 1 to 65535", self.path);
        Err(self.source.error(at, Some(key), message))
    }

    /// A number of seconds, at most a year.
    pub(crate) fn secs(&mut self, key: &'static str) -> Result<Option<u64>, ConfigError> {
        let Some(At { value, at }) = self.take(key) else { return Ok(None) };
        let secs = match value.get_ref() {
            DeValue::Integer(number) => u64::from_str_radix(number.as_str(), number.radix()).ok(),
            other => return Err(self.wrong(at, key, "a number of seconds", other)),
        };
        if let Some(secs) = secs.filter(|secs| *secs <= 31_536_000) {
            return Ok(Some(secs));
        }
        let message = format!("`{}{key}` takes a number of seconds, from 0 to a year", self.path);
        Err(self.source.error(at, Some(key), message))
    }

    /// A text, or a list of texts.
    pub(crate) fn one_or_more(&mut self, key: &'static str) -> Result<Option<At<Vec<String>>>, ConfigError> {
        let Some(At { value, at }) = self.take(key) else { return Ok(None) };
        let values = match value.into_inner() {
            DeValue::Array(items) => items.into_iter().map(Spanned::into_inner).collect(),
            one => vec![one],
        };
        let texts = values.into_iter().map(|value| match value {
            DeValue::String(text) => Ok(text.into_owned()),
            other => Err(self.wrong(at, key, "a text in quotes, or a list of them", &other)),
        });
        Ok(Some(At { value: texts.collect::<Result<_, _>>()?, at }))
    }

    /// A list of texts.
    pub(crate) fn texts(&mut self, key: &'static str) -> Result<Option<Vec<String>>, ConfigError> {
        const WANTS: &str = "a list of texts, [\"program\", \"argument\"]";
        let Some(At { value, at }) = self.take(key) else { return Ok(None) };
        let items = match value.into_inner() {
            DeValue::Array(items) => items,
            other => return Err(self.wrong(at, key, WANTS, &other)),
        };
        let texts = items.into_iter().map(|item| match item.into_inner() {
            DeValue::String(text) => Ok(text.into_owned()),
            other => Err(self.wrong(at, key, WANTS, &other)),
        });
        texts.collect::<Result<_, _>>().map(Some)
    }

    /// A list of whole numbers.
    pub(crate) fn numbers(&mut self, key: &'static str) -> Result<Option<At<Vec<i64>>>, ConfigError> {
        const WANTS: &str = "a list of whole numbers, [503]";
        let Some(At { value, at }) = self.take(key) else { return Ok(None) };
        let items = match value.into_inner() {
            DeValue::Array(items) => items,
            other => return Err(self.wrong(at, key, WANTS, &other)),
        };
        let numbers = items.into_iter().map(|item| match item.into_inner() {
            DeValue::Integer(number) if number.radix() == 10 => {
                number.as_str().parse().map_err(|_| self.wrong(at, key, WANTS, &DeValue::Integer(number)))
            }
            other => Err(self.wrong(at, key, WANTS, &other)),
        });
        let value = numbers.collect::<Result<_, _>>()?;
        Ok(Some(At { value, at }))
    }

    /// A table inside.
    pub(crate) fn table(&mut self, key: &'static str) -> Result<Option<Self>, ConfigError> {
        let Some(At { value, at }) = self.take(key) else { return Ok(None) };
        self.inner(key, at, value).map(Some)
    }

    fn inner(&self, key: &str, at: Spot, value: Spanned<DeValue<'t>>) -> Result<Self, ConfigError> {
        match value.into_inner() {
            DeValue::Table(table) => Ok(Self::new(self.source, format!("{}{key}.", self.path), table, at)),
            other => Err(self.wrong(at, key, "a table", &other)),
        }
    }

    /// Every entry by its name, as a table or as what is wrong with it.
    pub(crate) fn tables(mut self) -> Vec<(String, Result<Self, ConfigError>)> {
        let entries = std::mem::take(&mut self.entries);
        let tables = entries.into_iter().map(|(name, at, value)| {
            let table = self.inner(&name, at, value);
            (name, table)
        });
        tables.collect()
    }

    /// An error if a key is left that was not asked for.
    pub(crate) fn end(self) -> Result<(), ConfigError> {
        let Some((key, at, _)) = self.entries.first() else { return Ok(()) };
        let near = nearest(key, &self.known);
        let message = format!("`{}{key}` is no key that everkey knows; {near}", self.path);
        Err(self.source.error(*at, Some(key), message))
    }
}

/// A file as it is written: a full path, or one under `~/`.
pub(crate) fn path(
    source: Source<'_>,
    table: &mut Table<'_>,
    key: &'static str,
) -> Result<Option<String>, ConfigError> {
    let Some(At { value, at }) = table.text(key)? else { return Ok(None) };
    let clean = !value.ends_with('/') && !value.split('/').any(|part| part == "..");
    if clean && (value.starts_with('/') || value.starts_with("~/")) {
        return Ok(Some(value));
    }
    let message = format!("`{key}` takes a full path to a file, from / or ~/ on and without `..`");
    Err(source.error(at, Some(key), message))
}

/// "did you mean ...?" where something is near, else all there are.
pub(crate) fn nearest(word: &str, known: &[&str]) -> String {
    let quoted = |words: &[&str]| words.iter().map(|w| format!("`{w}`")).collect::<Vec<_>>();
    let limit = (word.chars().count() / 3).max(2);
    let mut near: Vec<(usize, &str)> =
        known.iter().map(|k| (distance(word, k), *k)).filter(|(d, _)| *d <= limit).collect();
    near.sort_unstable();
    near.truncate(2);
    let near: Vec<&str> = near.into_iter().map(|(_, word)| word).collect();
    if near.is_empty() {
        format!("there are {}", quoted(known).join(", "))
    } else {
        format!("did you mean {}?", quoted(&near).join(" or "))
    }
}

/// How many letters must change (Levenshtein).
fn distance(a: &str, b: &str) -> usize {
    let b: Vec<char> = b.chars().collect();
    let mut row: Vec<usize> = (0..=b.len()).collect();
    for (i, x) in a.chars().take(64).enumerate() {
        let mut diagonal = row[0];
        row[0] = i + 1;
        for (j, y) in b.iter().enumerate() {
            let changed = diagonal + usize::from(x != *y);
            diagonal = row[j + 1];
            row[j + 1] = changed.min(diagonal + 1).min(row[j] + 1);
        }
    }
    row[b.len()]
}

fn a(kind: &str) -> String {
    let article = if kind.starts_with(['a', 'e', 'i', 'o', 'u']) { "an" } else { "a" };
    format!("{article} {kind}")
}
