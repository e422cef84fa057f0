//! A reminder's command that tells what it was started with.
//!
//! `witness FILE [--stay] [ARG]...`: adds one line of JSON to FILE, all its arguments included. With `--stay` it then
//! goes on until FILE is gone.
#![forbid(unsafe_code)]
#![allow(clippy::unwrap_used)]

use serde_json::json;
use std::collections::BTreeMap;
use std::fs::{self, File};
use std::io::Write;
use std::time::Duration;

fn main() {
    let arguments: Vec<String> = std::env::args().skip(1).collect();
    let environment: BTreeMap<String, String> = std::env::vars().collect();
    let listed: Vec<_> = fs::read_dir("/proc/self/fd").unwrap().flatten().collect();
    let open: BTreeMap<String, String> = listed
        .iter()
        .filter_map(|entry| {
            let target = fs::read_link(entry.path()).ok().filter(|target| !target.starts_with("/proc"))?;
            Some((entry.file_name().into_string().ok()?, target.display().to_string()))
        })
        .collect();
    let seen = json!({
        "pid": std::process::id(),
        "session": rustix::process::getsid(None).unwrap().as_raw_nonzero().get(),
        "folder": std::env::current_dir().unwrap(),
        "arguments": arguments,
        "environment": environment,
        "open": open,
    });
    let file = &arguments[0];
    let mut log = File::options().create(true).append(true).open(file).unwrap();
    log.write_all(format!("{seen}\n").as_bytes()).unwrap();
    while arguments.get(1).is_some_and(|word| word == "--stay") && fs::exists(file).unwrap() {
        std::thread::sleep(Duration::from_millis(20));
    }
}
