//! The dashboard's program.
#![forbid(unsafe_code)]

use std::alloc::System;
use zeroizing_alloc::ZeroAlloc;

/// Buffers of HTTP hold what is pasted in the browser, and no `Secret` wipes them.
#[global_allocator]
static CLEARING: ZeroAlloc<System> = ZeroAlloc(System);

fn main() -> std::process::ExitCode {
    everkey_dashboard::run()
}
