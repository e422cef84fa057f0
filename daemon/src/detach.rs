//! Going into the background: the one module that knows daemonize (unmaintained, RUSTSEC-2025-0069).
//! The parent returns only when the agent answers, or with the reason why it does not.

use anyhow::{Context, Result, bail};
use daemonize::{Daemonize, Outcome};
use std::fs::File;
use std::io::{PipeReader, PipeWriter, Read, Write};

/// Where the agent reports that it answers, or why it won't.
pub struct Readiness(Option<PipeWriter>);

const READY: &str = "ready";

/// How a second agent begins to say that it is one; whoever started it has the agent that it wants.
pub const ALREADY_RUNNING: &str = "everkeyd is already running";

/// Forks. In the parent this never returns: it exits with the child's verdict.
/// Must be called before any thread exists.
pub fn detach(log: File) -> Result<Readiness> {
    let (reader, writer) = std::io::pipe().context("can't make a pipe")?;
    let errors = log.try_clone().context("can't open the log")?;
    match Daemonize::new().working_directory("/").umask(0o077).stdout(log).stderr(errors).execute() {
        Outcome::Parent(parent) => {
            parent.context("can't fork")?;
            drop(writer);
            std::process::exit(report(reader));
        }
        Outcome::Child(child) => {
            child.context("can't detach")?;
            Ok(Readiness(Some(writer)))
        }
    }
}

impl Readiness {
    /// For an agent that stays in the foreground.
    pub fn nobody_waits() -> Self {
        Self(None)
    }

    pub fn ready(self) {
        self.say(READY);
    }

    pub fn failed(self, why: &str) {
        self.say(why);
    }

    fn say(self, what: &str) {
        if let Some(mut writer) = self.0 {
            let _ = writer.write_all(what.as_bytes());
        }
    }
}

fn report(mut reader: PipeReader) -> i32 {
    let mut message = String::new();
    match read_to_end(&mut reader, &mut message) {
        Ok(()) if message == READY => 0,
        Ok(()) if message.starts_with(ALREADY_RUNNING) => {
            println!("{message}");
            0
        }
        Ok(()) => {
            eprintln!(
                "everkeyd: {}",
                if message.is_empty() { "the agent died while starting" } else { &message }
            );
            1
        }
        Err(e) => {
            eprintln!("everkeyd: {e}");
            1
        }
    }
}

fn read_to_end(reader: &mut PipeReader, message: &mut String) -> Result<()> {
    if reader.read_to_string(message).is_err() {
        bail!("can't read what the agent reports");
    }
    Ok(())
}
