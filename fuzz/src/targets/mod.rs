//! The targets, a file for each kind of reader.

pub mod answers;
pub mod callback;
pub mod config;
pub mod hello;
pub mod jwt;
pub mod lines;
pub mod messages;
pub mod of_achilles;
pub mod of_oauth;
pub mod redact;
pub mod reminder;
pub mod server_text;
pub mod server_url;
pub mod session_file;
pub mod store;
pub mod streams;
pub mod waits;

use everkey_proto::Secret;
use serde_json::value::RawValue;
use serde_json::{Map, Value};
use std::collections::BTreeMap;

/// An object's fields as they are written.
type Fields = BTreeMap<String, Box<RawValue>>;

/// The bytes as a JSON object, read without any of everkey's code. A value that can't be represented, as `1e999`,
/// counts as null: a reader that does not need it passes over it.
fn object(bytes: &[u8]) -> Option<Map<String, Value>> {
    let fields: Fields = serde_json::from_str(unmarked(&String::from_utf8_lossy(bytes))).ok()?;
    let read = |value: &RawValue| {
        let inside = || object(value.get().as_bytes()).map_or(Value::Null, Value::Object);
        serde_json::from_str(value.get()).unwrap_or_else(|_| inside())
    };
    Some(fields.into_iter().map(|(name, value)| (name, read(&value))).collect())
}

/// The fields of an object; none of anything else.
fn fields(text: &str) -> Fields {
    serde_json::from_str(unmarked(text)).unwrap_or_default()
}

/// Without the byte order mark that some write first.
fn unmarked(text: &str) -> &str {
    text.strip_prefix('\u{feff}').unwrap_or(text)
}

/// Every field but `ours` is in the new file byte for byte.
fn same(old: &Fields, new: &Fields, ours: &[&str]) {
    for (name, value) in old.iter().filter(|(name, _)| !ours.contains(&name.as_str())) {
        let kept = new.get(name).map(|value| value.get());
        assert_eq!(kept, Some(value.get()), "the unknown field {name:?} was not kept");
    }
}

/// Whether the text is an object, or at least begins like one.
fn opens_object(bytes: &[u8]) -> bool {
    unmarked(&String::from_utf8_lossy(bytes)).trim_ascii_start().starts_with('{')
}

/// Whether a token can stand in a header; read without any of everkey's code.
fn sendable(token: &Secret) -> bool {
    !token.is_empty() && token.expose().bytes().all(|b| b.is_ascii_graphic())
}

/// A text without its digits: a sentence may tell numbers, and nothing else of what it was made from.
fn sentence(said: impl ToString) -> String {
    said.to_string().chars().filter(|c| !c.is_ascii_digit()).collect()
}
