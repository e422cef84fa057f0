//! One program for every target: `EVERKEY_FUZZ_TARGET` names it, libFuzzer's own arguments do the rest.
#![no_main]

use everkey_fuzz::{TARGETS, Target, target};
use std::sync::LazyLock;

static CHOSEN: LazyLock<Target> = LazyLock::new(|| {
    let name = std::env::var("EVERKEY_FUZZ_TARGET").unwrap_or_default();
    target(&name).unwrap_or_else(|| {
        let names: Vec<&str> = TARGETS.iter().map(|(name, _)| *name).collect();
        eprintln!("EVERKEY_FUZZ_TARGET must be one of: {}", names.join(" "));
        std::process::exit(2);
    })
});

libfuzzer_sys::fuzz_target!(|input: &[u8]| CHOSEN(input));
