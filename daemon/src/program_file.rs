//! Whether the file that this process runs still has its name.

use std::os::unix::ffi::OsStrExt;

/// Whether it was replaced or removed. The kernel says so in the link to it (Linux).
pub fn was_replaced() -> bool {
    std::fs::read_link("/proc/self/exe")
        .is_ok_and(|path| path.as_os_str().as_bytes().ends_with(b" (deleted)"))
}
