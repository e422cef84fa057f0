//! A file that can't be used, in words: the session's, or the reminder's beside it.

use everkey_session::{StoreKind, StoreTrouble};
use std::path::Path;

/// What is wrong with it.
pub fn unusable(store: &StoreTrouble) -> String {
    let path = &store.path;
    match &store.kind {
        StoreKind::Symlink => format!("{path} is a symbolic link, which could point anywhere."),
        StoreKind::HardLink => format!("{path} has a second name somewhere (a hard link)."),
        StoreKind::NotAFile => format!("{path} is not a plain file."),
        StoreKind::Foreign(uid) => format!("{path} belongs to another user (uid {uid})."),
        StoreKind::Damaged => format!("{path} is damaged."),
        StoreKind::Strange => {
            format!("{path} is not as this everkey knows it; perhaps a newer version of its tool wrote it.")
        }
        StoreKind::TooLarge if is_reminder(store) => format!("{path} is far too large for a reminder."),
        StoreKind::TooLarge => format!("{path} is far too large for a session file."),
        StoreKind::Os(why) => format!("{path}: {why}."),
    }
}

/// What to do about it.
pub fn store_hint(store: &StoreTrouble) -> String {
    let reminder = is_reminder(store);
    match store.kind {
        // A folder is not replaced.
        StoreKind::NotAFile if reminder => "Move it away.",
        StoreKind::Symlink | StoreKind::HardLink | StoreKind::Damaged | StoreKind::TooLarge if reminder => {
            "Move it away, or set a new reminder."
        }
        StoreKind::Symlink
        | StoreKind::HardLink
        | StoreKind::NotAFile
        | StoreKind::Damaged
        | StoreKind::TooLarge => {
            "Move it away, or run `everkey auth logout` to remove it; then `everkey auth login`."
        }
        StoreKind::Strange => "Nothing was changed. Upgrade everkey, or move the file away and sign in anew.",
        StoreKind::Foreign(_) if reminder => "Have its owner remove it.",
        StoreKind::Foreign(_) => "Have its owner remove it, then run `everkey auth login`.",
        StoreKind::Os(_) => {
            "Free some space or mend the permissions; nothing was lost, and the agent tries again."
        }
    }
    .to_owned()
}

/// Whether it is the reminder's, which has nothing to do with being signed in.
fn is_reminder(store: &StoreTrouble) -> bool {
    Path::new(&store.path).file_name().is_some_and(|name| name == "next-audit.json")
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn nobody_is_sent_to_sign_out_because_of_a_reminder() {
        let hints = |path: &str| {
            [
                StoreKind::Symlink,
                StoreKind::HardLink,
                StoreKind::NotAFile,
                StoreKind::Foreign(0),
                StoreKind::Damaged,
                StoreKind::TooLarge,
            ]
            .map(|kind| store_hint(&StoreTrouble { path: path.to_owned(), kind }))
        };
        assert!(hints("/h/next-audit.json").iter().all(|hint| !hint.contains("auth log")));
        assert!(hints("/h/auth.json").iter().all(|hint| hint.contains("auth log")));
    }
}
