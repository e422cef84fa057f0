//! everkeyd, the agent: one per user, the only process that refreshes or writes session files.
#![forbid(unsafe_code)]

use std::alloc::System;
use zeroizing_alloc::ZeroAlloc;

/// Clears what it frees, so that no token outlives its use in a buffer of some library.
#[global_allocator]
static CLEARING: ZeroAlloc<System> = ZeroAlloc(System);

fn main() -> std::process::ExitCode {
    everkey_daemon::startup::main()
}
