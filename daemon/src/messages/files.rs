//! A file that can't be used, in words: the session's, or the reminder's beside it.

use everkey_proto::reply::Hint;
use everkey_session::{FileKind, StoreError, StoreErrorKind};
use rustix::io::Errno;
use std::io;
use std::path::Path;

/// What is wrong with it.
pub fn unusable(store: &StoreError) -> String {
    let path = &store.path;
    match &store.kind {
        StoreErrorKind::Symlink => format!("{path} is a symbolic link, which could point anywhere."),
        StoreErrorKind::HardLink => format!("{path} has a second name somewhere (a hard link)."),
        StoreErrorKind::NotAFile(kind) => format!("{path} is not a plain file but {kind}."),
        StoreErrorKind::Foreign(uid) => format!("{path} belongs to another user (uid {uid})."),
        StoreErrorKind::Damaged => format!("{path} is damaged."),
        StoreErrorKind::Strange => {
            format!("{path} is not as this everkey knows it; perhaps a newer version of its tool wrote it.")
        }
        StoreErrorKind::TooLarge if is_reminder(store) => format!("{path} is far too large for a reminder."),
        StoreErrorKind::TooLarge => format!("{path} is far too large for a session file."),
        StoreErrorKind::Os(why) => format!("{path}: {why}."),
    }
}

/// What to do about it.
pub fn store_hint(store: &StoreError) -> Hint {
    let reminder = is_reminder(store);
    match store.kind {
        // A folder is not replaced.
        StoreErrorKind::NotAFile(FileKind::Folder) if reminder => "Move it away.".into(),
        StoreErrorKind::Symlink
        | StoreErrorKind::HardLink
        | StoreErrorKind::NotAFile(_)
        | StoreErrorKind::Damaged
        | StoreErrorKind::TooLarge
            if reminder =>
        {
            "Move it away, or set a new reminder.".into()
        }
        StoreErrorKind::Symlink
        | StoreErrorKind::HardLink
        | StoreErrorKind::NotAFile(_)
        | StoreErrorKind::Damaged
        | StoreErrorKind::TooLarge => Hint::ReplaceSessionFile,
        StoreErrorKind::Strange => {
            "Nothing was changed. Upgrade everkey, or move the file away and sign in anew.".into()
        }
        StoreErrorKind::Foreign(_) if reminder => "Have its owner remove it.".into(),
        StoreErrorKind::Foreign(_) => Hint::HaveSessionFileRemoved,
        StoreErrorKind::Os(ref why) => os_hint(why).into(),
    }
}

/// By what the system says.
fn os_hint(why: &str) -> &'static str {
    let says = |errno: Errno| why == io::Error::from(errno).to_string();
    if says(Errno::MFILE) || says(Errno::NFILE) {
        "Close what holds so many connections or files, or restart the agent; nothing was lost."
    } else if says(Errno::ACCESS) || says(Errno::PERM) {
        "Mend the permissions of that file and its folder; nothing was lost, and the agent tries again."
    } else if says(Errno::NOSPC) || says(Errno::DQUOT) {
        "Free some space; nothing was lost, and the agent tries again."
    } else {
        "Free some space or mend the permissions; nothing was lost, and the agent tries again."
    }
}

/// Whether it is the reminder's, which has nothing to do with being signed in.
fn is_reminder(store: &StoreError) -> bool {
    Path::new(&store.path).file_name().is_some_and(|name| name == "next-audit.json")
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn nobody_is_sent_to_sign_out_because_of_a_reminder() {
        let hints = |path: &str| {
            [
                StoreErrorKind::Symlink,
                StoreErrorKind::HardLink,
                StoreErrorKind::NotAFile(FileKind::Fifo),
                StoreErrorKind::NotAFile(FileKind::Folder),
                StoreErrorKind::Foreign(0),
                StoreErrorKind::Damaged,
                StoreErrorKind::TooLarge,
            ]
            .map(|kind| store_hint(&StoreError { path: path.to_owned(), kind }))
        };
        let signs_out = |hint: &Hint| matches!(hint, Hint::ReplaceSessionFile | Hint::HaveSessionFileRemoved);
        assert!(!hints("/h/next-audit.json").iter().any(signs_out));
        assert!(hints("/h/auth.json").iter().all(signs_out));
    }
}
