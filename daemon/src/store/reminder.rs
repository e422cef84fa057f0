//! `next-audit.json` beside the session file, and everkey's own book about it in the state folder.

use super::durable::{self, unusable};
use super::session_file::{self, Content};
use crate::json_object;
use crate::provider::Quantity;
use everkey_reminder::{FoundReminder, ReminderBook, ReminderRecord};
use everkey_session::{FileKind, StoreError, StoreErrorKind};
use serde::Deserialize;
use serde_json::value::RawValue;
use serde_json::{Number, json};
use std::collections::BTreeMap;
use std::io;
use std::path::{Path, PathBuf};

/// The last second of the year 9999: what is later was not meant as unix seconds.
const LATEST: u64 = 253_402_300_799;

/// The reminder that belongs to a session file.
pub fn beside(session_file: &Path) -> PathBuf {
    session_file.with_file_name("next-audit.json")
}

/// The reminder's file and the book about it.
pub struct ReminderFiles {
    file: PathBuf,
    book: PathBuf,
}

impl ReminderFiles {
    /// Those of a session file, with the book at `book`.
    pub fn of(session_file: &Path, book: PathBuf) -> Self {
        Self { file: beside(session_file), book }
    }

    /// Removes what a crash left half-written. Only the lock holder may.
    pub fn clear_temps(&self) {
        durable::clear_temps(&self.file);
        durable::clear_temps(&self.book);
    }

    /// The file as it stands; the same files are refused as for sessions, and a mode that lets others read is mended.
    pub fn find(&self) -> FoundReminder {
        match session_file::read(&self.file) {
            Ok(Content::Missing) => FoundReminder::Missing,
            Ok(Content::Bytes(bytes, tightened)) => {
                if tightened {
                    tracing::warn!(file = %self.file.display(), "was readable by others; its mode is 0600 now");
                }
                parse(&bytes).map_or(FoundReminder::Garbage, FoundReminder::There)
            }
            Err(kind) => FoundReminder::Unusable(unusable(&self.file, kind)),
        }
    }

    /// The book; one that can't be read counts as empty, since the worst of it is to tell something twice.
    pub fn book(&self) -> ReminderBook {
        let read = match session_file::read(&self.book) {
            Ok(Content::Missing) => return ReminderBook::default(),
            Ok(Content::Bytes(bytes, _)) => json_object::read(&bytes),
            Err(_) => None,
        };
        read.unwrap_or_else(|| {
            tracing::warn!(file = %self.book.display(), "can't be read and counts as empty");
            ReminderBook::default()
        })
    }

    /// Makes the book durable.
    pub fn note(&self, book: &ReminderBook) -> Result<(), StoreError> {
        let write = || {
            self.book.parent().map_or(Ok(()), durable::make_private_dir)?;
            durable::replace(&self.book, &serde_json::to_vec_pretty(book)?)
        };
        write().map_err(|e| wrong(&self.book, &e))
    }

    /// Makes the book durable, then the file: replaced whole, or removed.
    pub fn put(&self, book: &ReminderBook, reminder: Option<&ReminderRecord>) -> Result<(), StoreError> {
        self.note(book)?;
        let done = match reminder {
            Some(reminder) => {
                let old = match session_file::read(&self.file) {
                    Ok(Content::Bytes(bytes, _)) => Some(bytes),
                    // What can't be read is replaced; nothing of it can be kept.
                    Ok(Content::Missing) | Err(_) => None,
                };
                render(old.as_ref().map(|bytes| bytes.as_slice()), reminder)
                    .and_then(|bytes| durable::replace(&self.file, &bytes))
            }
            None => durable::remove(&self.file),
        };
        done.map_err(|e| wrong(&self.file, &e))
    }
}

/// The reminder in a file's bytes; none if they are not one. Other tools may write times with a fraction.
pub fn parse(bytes: &[u8]) -> Option<ReminderRecord> {
    #[derive(Deserialize)]
    struct Written {
        next_audit_at: Number,
        user_email: String,
        set_at: Number,
    }
    let written: Written = json_object::read(bytes)?;
    Some(ReminderRecord {
        next_audit_at: seconds(&written.next_audit_at)?,
        user_email: written.user_email,
        set_at: seconds(&written.set_at)?,
    })
}

/// The file's bytes for a reminder. What else an object of the same user holds is kept as it is written.
pub fn render(old: Option<&[u8]>, reminder: &ReminderRecord) -> io::Result<Vec<u8>> {
    let same_user = |bytes: &&[u8]| parse(bytes).is_some_and(|old| old.user_email == reminder.user_email);
    let others = old.filter(same_user).and_then(json_object::read::<BTreeMap<String, Box<RawValue>>>);
    let mut fields = others.unwrap_or_default();
    let ReminderRecord { next_audit_at, user_email, set_at } = reminder;
    for (name, value) in [
        ("next_audit_at", json!(next_audit_at)),
        ("user_email", json!(user_email)),
        ("set_at", json!(set_at)),
    ] {
        fields.insert(name.to_owned(), serde_json::value::to_raw_value(&value)?);
    }
    Ok(serde_json::to_vec_pretty(&fields)?)
}

fn seconds(number: &Number) -> Option<u64> {
    let secs = Quantity::of_text(&number.to_string()).whole()?;
    u64::try_from(secs).ok().filter(|secs| *secs <= LATEST)
}

fn wrong(path: &Path, e: &io::Error) -> StoreError {
    let kind = match e.kind() {
        io::ErrorKind::IsADirectory => StoreErrorKind::NotAFile(FileKind::Folder),
        _ => StoreErrorKind::Os(e.to_string()),
    };
    unusable(path, kind)
}

#[cfg(test)]
mod tests {
    use super::*;
    use everkey_reminder::Owed;
    use std::os::unix::fs::{PermissionsExt, symlink};

    fn reminder(at: u64) -> ReminderRecord {
        ReminderRecord { next_audit_at: at, user_email: "a@b.c".into(), set_at: 7 }
    }

    fn files(dir: &Path) -> ReminderFiles {
        ReminderFiles::of(&dir.join("auth.json"), dir.join("state/reminders/p.json"))
    }

    fn mode(path: &Path) -> u32 {
        std::fs::symlink_metadata(path).unwrap().permissions().mode() & 0o7777
    }

    #[test]
    fn a_reminder_has_three_fields_and_may_have_fractional_times() {
        let whole = r#"{"next_audit_at": 1735689600, "user_email": "a@b.c", "set_at": 7}"#;
        assert_eq!(parse(whole.as_bytes()), Some(reminder(1_735_689_600)));
        let float = r#"{"next_audit_at": 1.7356896005e9, "user_email": "a@b.c", "set_at": 7.9, "x": [1]}"#;
        assert_eq!(parse(float.as_bytes()), Some(reminder(1_735_689_600)));
        for garbage in [
            "",
            "null",
            "[1735689600, \"a@b.c\", 7]",
            "{",
            r#"{"next_audit_at": -1, "user_email": "a@b.c", "set_at": 7}"#,
            r#"{"next_audit_at": 1735689600000, "user_email": "a@b.c", "set_at": 7}"#,
            r#"{"next_audit_at": 1e300, "user_email": "a@b.c", "set_at": 7}"#,
            r#"{"next_audit_at": "soon", "user_email": "a@b.c", "set_at": 7}"#,
            r#"{"next_audit_at": 1, "user_email": null, "set_at": 7}"#,
            r#"{"next_audit_at": 1, "user_email": "a@b.c"}"#,
            r#"{"next_audit_at": 1, "next_audit_at": 2, "user_email": "a@b.c", "set_at": 7}"#,
        ] {
            assert_eq!(parse(garbage.as_bytes()), None, "{garbage}");
        }
    }

    #[test]
    fn a_reminder_is_stored_privately_and_removed_completely() {
        let dir = tempfile::tempdir().unwrap();
        let files = files(dir.path());
        assert_eq!((files.find(), files.book()), (FoundReminder::Missing, ReminderBook::default()));
        let book = ReminderBook { owed: Some(Owed::Set(reminder(9))), ..ReminderBook::default() };
        files.put(&book, Some(&reminder(9))).unwrap();
        assert_eq!((files.find(), files.book()), (FoundReminder::There(reminder(9)), book));
        assert_eq!((mode(&files.file), mode(&files.book)), (0o600, 0o600));
        assert_eq!(mode(files.book.parent().unwrap()), 0o700);
        files.put(&ReminderBook::default(), None).unwrap();
        files.put(&ReminderBook::default(), None).unwrap();
        assert_eq!((files.find(), files.book()), (FoundReminder::Missing, ReminderBook::default()));
        assert_eq!(std::fs::read_dir(dir.path()).unwrap().count(), 1, "only the state folder is left");
    }

    #[test]
    fn unknown_fields_are_kept_only_for_the_same_user() {
        let old =
            br#"{"next_audit_at": 1, "user_email": "a@b.c", "set_at": 2, "note": 1e999, "n": {"a": 1.10}}"#;
        let text = String::from_utf8(render(Some(old), &reminder(9)).unwrap()).unwrap();
        assert!(text.contains("1e999") && text.contains("1.10"), "{text}");
        assert_eq!(parse(text.as_bytes()), Some(reminder(9)));
        let theirs = String::from_utf8(old.to_vec()).unwrap().replace("a@b.c", "b@b.c");
        let text = String::from_utf8(render(Some(theirs.as_bytes()), &reminder(9)).unwrap()).unwrap();
        assert!(!text.contains("note"), "{text}");
        assert_eq!(parse(&render(Some(b"garbage"), &reminder(9)).unwrap()), Some(reminder(9)));
    }

    #[test]
    fn only_plain_files_are_read_and_symlinks_are_replaced() {
        let dir = tempfile::tempdir().unwrap();
        let (files, elsewhere) = (files(dir.path()), dir.path().join("elsewhere"));
        std::fs::write(&elsewhere, r#"{"next_audit_at": 1, "user_email": "a@b.c", "set_at": 2}"#).unwrap();
        let kind = || match files.find() {
            FoundReminder::Unusable(why) => why.kind,
            other => panic!("{other:?}"),
        };
        symlink(&elsewhere, &files.file).unwrap();
        assert_eq!(kind(), StoreErrorKind::Symlink);
        files.put(&ReminderBook::default(), Some(&reminder(9))).unwrap();
        assert_eq!(files.find(), FoundReminder::There(reminder(9)));
        assert!(std::fs::read_to_string(&elsewhere).unwrap().contains(": 1"), "the link was not followed");
        std::fs::remove_file(&files.file).unwrap();
        std::fs::hard_link(&elsewhere, &files.file).unwrap();
        assert_eq!(kind(), StoreErrorKind::HardLink);
        std::fs::remove_file(&files.file).unwrap();
        std::fs::write(&files.file, vec![b' '; 300 * 1024]).unwrap();
        assert_eq!(kind(), StoreErrorKind::TooLarge);
        std::fs::remove_file(&files.file).unwrap();
        std::fs::create_dir(&files.file).unwrap();
        assert_eq!(kind(), StoreErrorKind::NotAFile(FileKind::Folder));
        for reminder in [None, Some(&reminder(9))] {
            let refused = files.put(&ReminderBook::default(), reminder).unwrap_err();
            assert_eq!(refused.kind, StoreErrorKind::NotAFile(FileKind::Folder), "{reminder:?}");
        }
    }

    #[test]
    fn a_mode_that_lets_others_read_is_mended() {
        let dir = tempfile::tempdir().unwrap();
        let files = files(dir.path());
        files.put(&ReminderBook::default(), Some(&reminder(9))).unwrap();
        std::fs::set_permissions(&files.file, std::fs::Permissions::from_mode(0o644)).unwrap();
        assert_eq!(files.find(), FoundReminder::There(reminder(9)));
        assert_eq!(mode(&files.file), 0o600);
    }

    #[test]
    fn a_damaged_book_counts_as_empty_and_is_rewritten() {
        let dir = tempfile::tempdir().unwrap();
        let files = files(dir.path());
        let book = ReminderBook { told: Some(reminder(9)), ..ReminderBook::default() };
        files.note(&book).unwrap();
        std::fs::write(&files.book, "garbage").unwrap();
        assert_eq!(files.book(), ReminderBook::default());
        files.note(&book).unwrap();
        assert_eq!(files.book(), book);
    }
}
