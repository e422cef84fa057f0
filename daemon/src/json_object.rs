//! JSON objects, of servers and of files.

use everkey_session::AnswerFlaw;
use serde::de::{DeserializeOwned, IgnoredAny};

/// The bytes as an object of this shape.
pub fn read<T: DeserializeOwned>(bytes: &[u8]) -> Option<T> {
    parse(bytes).ok()
}

/// The bytes as an object of this shape, or what is wrong with them. For serde a list of a struct's values would do as
/// well, and `["unauthorized"]` would pass for a server's refusal.
pub fn parse<T: DeserializeOwned>(bytes: &[u8]) -> Result<T, AnswerFlaw> {
    let text = unmarked(bytes);
    match text.trim_ascii_start().first() {
        Some(b'{') => serde_json::from_slice(text).map_err(|error| match error.is_data() {
            true => flaw::<T>(text),
            false => AnswerFlaw::Damaged,
        }),
        None => Err(AnswerFlaw::Empty),
        Some(_) if serde_json::from_slice::<IgnoredAny>(text).is_ok() => Err(AnswerFlaw::NoObject),
        Some(b'[') => Err(AnswerFlaw::Damaged),
        Some(_) => Err(AnswerFlaw::NotJson),
    }
}

/// Without the mark that some write before UTF-8, though RFC 8259 section 8.1 has none.
pub fn unmarked(bytes: &[u8]) -> &[u8] {
    bytes.strip_prefix(b"\xef\xbb\xbf").unwrap_or(bytes)
}

/// Which field of an object is not of this shape. Serde's own words would repeat what is in it.
fn flaw<T: DeserializeOwned>(text: &[u8]) -> AnswerFlaw {
    let reader = &mut serde_json::Deserializer::from_slice(text);
    let Err(error) = serde_path_to_error::deserialize::<_, T>(reader) else { return AnswerFlaw::Damaged };
    let within = error.path().to_string();
    let words = error.inner().to_string();
    let named = |what: &str| words.strip_prefix(what).and_then(|rest| rest.split('`').nth(1));
    let inside = |name: &str| match &*within {
        "." => name.to_owned(),
        path => format!("{path}.{name}"),
    };
    match (named("missing field "), named("duplicate field ")) {
        (Some(name), _) => AnswerFlaw::Missing(inside(name)),
        (None, Some(name)) => AnswerFlaw::Unfit(inside(name), "it is there twice"),
        (None, None) => AnswerFlaw::WrongKind(within),
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use everkey_proto::reply::User;
    use serde::Deserialize;
    use serde_json::value::RawValue;

    #[test]
    fn a_list_is_no_object() {
        assert!(read::<User>(br#" {"id":"u","email":"e"}"#).is_some());
        assert!(read::<User>(br#"["u","e"]"#).is_none());
        assert!(read::<User>(b"").is_none());
    }

    #[test]
    fn a_byte_order_mark_is_passed_over() {
        assert!(read::<User>("\u{feff}{\"id\":\"u\",\"email\":\"e\"}".as_bytes()).is_some());
        assert!(read::<User>("\u{feff}\u{feff}{\"id\":\"u\",\"email\":\"e\"}".as_bytes()).is_none());
    }

    #[derive(Debug, Deserialize)]
    struct Shape {
        #[allow(dead_code)] // only its shape is read
        user: User,
        #[allow(dead_code)] // only its shape is read
        raw: Option<Box<RawValue>>,
    }

    #[test]
    fn what_is_wrong_is_named_without_what_was_in_it() {
        let flaw = |text: &str| parse::<Shape>(text.as_bytes()).unwrap_err();
        for (text, wrong) in [
            ("", AnswerFlaw::Empty),
            (" \n", AnswerFlaw::Empty),
            ("<html>hunter2", AnswerFlaw::NotJson),
            ("hunter2", AnswerFlaw::NotJson),
            (r#"["hunter2"]"#, AnswerFlaw::NoObject),
            (r#""hunter2""#, AnswerFlaw::NoObject),
            ("null", AnswerFlaw::NoObject),
            (r#"{"user":{"id":"hunter2"#, AnswerFlaw::Damaged),
            (r#"["hunter2""#, AnswerFlaw::Damaged),
            (r#"{"user":{"id":"u","email":"e"}} hunter2"#, AnswerFlaw::Damaged),
            ("{}", AnswerFlaw::Missing("user".into())),
            (r#"{"raw":{"x":["hunter2"]}}"#, AnswerFlaw::Missing("user".into())),
            (r#"{"user":"hunter2"}"#, AnswerFlaw::WrongKind("user".into())),
            (r#"{"user":{"id":"hunter2"}}"#, AnswerFlaw::Missing("user.email".into())),
            (r#"{"raw":1,"user":{"id":["hunter2"],"email":"e"}}"#, AnswerFlaw::WrongKind("user.id".into())),
            (r#"{"user":null}"#, AnswerFlaw::WrongKind("user".into())),
            (r#"{"user":{"id":"a","id":"b","email":""}}"#, AnswerFlaw::unfit("user.id", "it is there twice")),
        ] {
            assert_eq!(flaw(text), wrong, "{text}");
        }
    }
}
