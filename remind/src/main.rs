//! everkey-remind: takes one errand of the agent on stdin, does it, and ends when the command has ended.
//! It shows a notification on the desktop and runs the command that the person configured.
#![deny(unsafe_code)]

mod command;
mod configured;
mod inherited;
mod log;
mod notification;

use anyhow::{Context, Result};
use everkey_proto::errand::{Errand, READY};
use serde_json::{Map, Value};
use std::io::{self, Read, Write};
use std::process::ExitCode;

/// No errand is longer, in bytes.
const CAP: u64 = 256 * 1024;

fn main() -> ExitCode {
    let arguments: Vec<_> = std::env::args_os().skip(1).collect();
    let as_configured = match arguments.as_slice() {
        [] => false,
        [only] if only == "--configured" => true,
        _ => {
            let _ = writeln!(io::stderr(), "everkey-remind is started by everkeyd and takes no arguments.");
            return ExitCode::from(2);
        }
    };
    if let Err(e) = everkey_guard::memory::close() {
        let _ = writeln!(io::stderr(), "everkey-remind: can't close this process to others: {e}");
        return ExitCode::FAILURE;
    }
    // Nothing that some starter of the agent left open is the command's to hold on to.
    inherited::close();
    // What ends the agent's group or terminal shall not end a command that runs; a leader of a group has its own already.
    let _ = rustix::process::setsid();
    log::start();
    match run(as_configured) {
        Ok(()) => ExitCode::SUCCESS,
        Err(e) => {
            tracing::warn!(error = format!("{e:#}"), "can't tell that a reminder is due");
            ExitCode::FAILURE
        }
    }
}

fn run(as_configured: bool) -> Result<()> {
    let mut ready = io::stdout();
    ready.write_all(READY).and_then(|()| ready.flush()).context("nobody listens")?;
    let mut bytes = Vec::new();
    io::stdin().take(CAP).read_to_end(&mut bytes)?;
    if bytes.is_empty() {
        // Whoever started this has waited for too long and has found another way.
        return Ok(());
    }
    let errand = read_errand(&bytes).context("stdin holds no errand")?;
    let errand = if as_configured { configured::reworded(errand)? } else { errand };
    let runtime = tokio::runtime::Builder::new_current_thread().enable_all().build()?;
    // Side by side: a bus that does not answer must not keep the command waiting.
    runtime.block_on(async { tokio::join!(command::run(&errand), notification::show(&errand)) });
    runtime.shutdown_background();
    Ok(())
}

/// For serde a list of its values would do as well as an object.
fn read_errand(bytes: &[u8]) -> serde_json::Result<Errand> {
    let object: Map<String, Value> = serde_json::from_slice(bytes)?;
    serde_json::from_value(object.into())
}
