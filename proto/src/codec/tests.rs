//! Two builds of a protocol that is made up for this: what the newer one writes, the older one reads, and back.

use super::{CodecError, decode, encode};
use serde::{Deserialize, Serialize};
use std::collections::BTreeMap;

const CAP: usize = 1024;

mod old {
    use super::*;

    #[derive(Debug, PartialEq, Serialize, Deserialize)]
    pub struct Person {
        pub name: String,
    }

    #[derive(Debug, PartialEq, Serialize, Deserialize)]
    pub enum Message {
        Nothing,
        People(Vec<Person>),
        Found { person: Option<Person>, at: u64 },
    }
}

mod new {
    use super::*;

    #[derive(Debug, PartialEq, Serialize, Deserialize)]
    pub struct Person {
        pub name: String,
        #[serde(default)]
        pub age: Option<u32>,
        #[serde(default)]
        pub tags: BTreeMap<String, String>,
    }

    #[derive(Debug, PartialEq, Serialize, Deserialize)]
    pub enum Message {
        Nothing,
        People(Vec<Person>),
        Found {
            person: Option<Person>,
            at: u64,
            #[serde(default)]
            again: bool,
        },
        Lost(String),
    }
}

fn newer(name: &str) -> new::Person {
    new::Person { name: name.into(), age: Some(7), tags: BTreeMap::from([("k".into(), "v".into())]) }
}

fn older(name: &str) -> old::Person {
    old::Person { name: name.into() }
}

#[test]
fn appended_fields_are_passed_over_in_nested_records_and_lists() {
    let list = encode(&new::Message::People(vec![newer("a"), newer("b")]), CAP).unwrap();
    assert_eq!(decode::<old::Message>(&list, CAP), Ok(old::Message::People(vec![older("a"), older("b")])));
    let found = new::Message::Found { person: Some(newer("a")), at: 9, again: true };
    let read = decode::<old::Message>(&encode(&found, CAP).unwrap(), CAP);
    assert_eq!(read, Ok(old::Message::Found { person: Some(older("a")), at: 9 }));
}

#[test]
fn missing_appended_fields_take_their_defaults() {
    let found = old::Message::Found { person: Some(older("a")), at: 9 };
    let person = new::Person { age: None, tags: BTreeMap::new(), ..newer("a") };
    let read = decode::<new::Message>(&encode(&found, CAP).unwrap(), CAP);
    assert_eq!(read, Ok(new::Message::Found { person: Some(person), at: 9, again: false }));
}

#[test]
fn a_missing_field_without_a_default_is_refused() {
    // `Found` with its person, and without its time.
    assert_eq!(decode::<old::Message>(&[2, 0, 1, 0, 0, 0, 0], CAP), Err(CodecError::Malformed));
}

#[test]
fn an_unknown_variant_is_named() {
    let lost = encode(&new::Message::Lost("x".into()), CAP).unwrap();
    let unknown = CodecError::Unknown { name: "Message", number: 3 };
    assert_eq!(decode::<old::Message>(&lost, CAP), Err(unknown));
    assert_eq!(unknown.to_string(), "this build knows no Message number 3");
}

#[test]
fn a_unit_variant_may_get_fields() {
    assert_eq!(decode::<old::Message>(&[0, 0, 2, 0, 0, 0, 9, 9], CAP), Ok(old::Message::Nothing));
}

#[test]
fn lengths_are_believed_only_within_their_record() {
    let whole = encode(&old::Message::People(vec![older("ab")]), CAP).unwrap();
    assert_eq!(whole, [1, 0, 14, 0, 0, 0, 1, 0, 0, 0, 6, 0, 0, 0, 2, 0, 0, 0, b'a', b'b']);
    for (at, bigger) in [(2, 15), (6, 2), (10, 7), (14, 3), (17, 1)] {
        let mut odd = whole.clone();
        odd[at] = bigger;
        assert_eq!(decode::<old::Message>(&odd, CAP), Err(CodecError::Malformed), "{at}");
    }
    assert_eq!(encode(&old::Message::People(vec![older("ab")]), whole.len() - 1), Err(CodecError::TooLong));
    assert_eq!(decode::<old::Message>(&whole, whole.len() - 1), Err(CodecError::Malformed));
}

#[test]
fn records_are_nested_sixteen_deep_at_most() {
    #[derive(Debug, PartialEq, Serialize, Deserialize)]
    struct Chain(Link);

    #[derive(Debug, PartialEq, Serialize, Deserialize)]
    struct Link {
        next: Option<Box<Chain>>,
    }

    let chain = |length| {
        (0..length).fold(Chain(Link { next: None }), |next, _| Chain(Link { next: Some(Box::new(next)) }))
    };
    for (length, is_read) in [(15, true), (16, false)] {
        let bytes = encode(&chain(length), CAP).unwrap();
        assert_eq!(decode::<Chain>(&bytes, CAP).is_ok(), is_read, "{length}");
    }
}
