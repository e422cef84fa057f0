//! The reminder's file, as the original tool and anybody else may have left it, and everkey's own book about it.

use super::{fields, object, opens_object, same};
use crate::{measure, reach};
use everkey_daemon::store::reminder::{parse, render};
use everkey_reminder::{ReminderBook, ReminderRecord};
use serde_json::Value;

/// What everkey writes; everything else in the file is somebody else's.
const OURS: &[&str] = &["next_audit_at", "user_email", "set_at"];

/// `~/.failproofai/next-audit.json`: it is what the object says, and is read as it was written.
pub fn file(input: &[u8]) {
    let Some(reminder) = measure::tree(input.len(), || parse(input)) else { return written_over(input) };
    reach::deep();
    assert!(opens_object(input), "a reminder that is no object was read");
    if let Some(file) = object(input) {
        assert_eq!(file.get("user_email").and_then(Value::as_str), Some(reminder.user_email.as_str()));
        for (name, read) in [("next_audit_at", reminder.next_audit_at), ("set_at", reminder.set_at)] {
            let said = file.get(name).and_then(Value::as_f64);
            // A number with a fraction counts without it, and one this large has none.
            assert!(said.is_some_and(|said| said.floor() == read as f64), "{name} is {said:?}, not {read}");
        }
    }
    let again = written(input, &reminder);
    assert_eq!(parse(&again).as_ref(), Some(&reminder), "not read as it was written");
    assert_eq!(written(&again, &reminder), again, "written again it differs");
    strangers(input, &again, true);
    written_over(input);

    let next = ReminderRecord { next_audit_at: 4_000_000_000, set_at: 3_900_000_000, ..reminder };
    let later = written(input, &next);
    assert_eq!(parse(&later).as_ref(), Some(&next), "the next one is not read as it was written");
    strangers(input, &later, true);
}

/// Another user's reminder takes the place of anything, and nothing of it stays.
fn written_over(input: &[u8]) {
    let other = ReminderRecord { next_audit_at: 4, user_email: "nobody else's".to_owned(), set_at: 3 };
    let written = written(input, &other);
    assert_eq!(parse(&written).as_ref(), Some(&other), "one can't be read from what it wrote");
    let same_user = parse(input).is_some_and(|old| old.user_email == other.user_email);
    strangers(input, &written, same_user);
}

fn written(old: &[u8], reminder: &ReminderRecord) -> Vec<u8> {
    render(Some(old), reminder).unwrap_or_default()
}

/// What else the object holds stays byte for byte, if it is of the same user.
fn strangers(old: &[u8], new: &[u8], kept: bool) {
    let new = fields(&String::from_utf8_lossy(new));
    if kept && let Ok(text) = std::str::from_utf8(old) {
        same(&fields(text), &new, OURS);
    } else if !kept {
        assert_eq!(new.len(), OURS.len(), "something of another user's stays");
    }
}

/// The book: nothing is lost by writing it again.
pub fn book(input: &[u8]) {
    let Ok(book) = measure::json(input.len(), || serde_json::from_slice::<ReminderBook>(input)) else {
        return;
    };
    reach::deep();
    let again = serde_json::to_vec(&book).unwrap_or_default();
    assert_eq!(serde_json::from_slice(&again).ok(), Some(book), "not read as it was written");
}
