//! Mail as files: one `.eml` a message, complete from the moment it is visible, named in order of time.

use std::io::{self, Write as _};
use std::path::Path;
use std::sync::atomic::{AtomicU32, Ordering};

use crate::time::Timestamp;

/// Tells messages of the same millisecond apart, in order.
static COUNT: AtomicU32 = AtomicU32::new(0);

/// The name of the next message's file, fixed in width so that names sort as they were made.
pub(super) fn next_name(at: Timestamp) -> String {
    let count = COUNT.fetch_add(1, Ordering::Relaxed) % 1_000_000;
    format!("{:015}-{count:06}-{:08x}.eml", at.millis().max(0), std::process::id())
}

/// Writes a message (0600): under another name first, then renamed.
pub(super) fn write(folder: &Path, name: &str, message: &[u8]) -> io::Result<()> {
    let mut temp = tempfile::Builder::new().prefix(".writing-").tempfile_in(folder)?;
    temp.write_all(message)?;
    temp.persist(folder.join(name)).map_err(|error| error.error)?;
    Ok(())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn names_sort_by_time_and_then_by_order() {
        let names: Vec<String> =
            [5, 5, 9, 1_700_000_000_000].map(|millis| next_name(Timestamp::from_millis(millis))).into();
        assert!(names.is_sorted(), "{names:?}");
        assert!(names.iter().all(|name| name.len() == names[0].len()));
    }
}
