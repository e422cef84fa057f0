//! The targets, a file for each kind of reader.

pub mod answers;
pub mod hello;
pub mod jwt;
pub mod lines;
pub mod messages;
pub mod server_text;
pub mod server_url;
pub mod session_file;
pub mod store;
pub mod streams;
pub mod waits;

use serde_json::value::RawValue;
use serde_json::{Map, Value};
use std::collections::BTreeMap;

/// An object's fields as they are written.
type Fields = BTreeMap<String, Box<RawValue>>;

/// The bytes as a JSON object, read without any of everkey's code. A value that can't be represented, as `1e999`,
/// counts as null: a reader that does not need it passes over it.
fn object(bytes: &[u8]) -> Option<Map<String, Value>> {
    let fields: Fields = serde_json::from_str(&String::from_utf8_lossy(bytes)).ok()?;
    let read = |value: &RawValue| serde_json::from_str(value.get()).unwrap_or_default();
    Some(fields.into_iter().map(|(name, value)| (name, read(&value))).collect())
}

/// Whether the text is an object, or at least begins like one.
fn opens_object(bytes: &[u8]) -> bool {
    bytes.trim_ascii_start().first() == Some(&b'{')
}

/// A text without its digits: a sentence may tell numbers, and nothing else of what it was made from.
fn sentence(said: impl ToString) -> String {
    said.to_string().chars().filter(|c| !c.is_ascii_digit()).collect()
}
