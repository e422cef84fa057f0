//! The command that the person configured: no shell, nothing to read, nowhere to write but where it likes.

use everkey_proto::errand::{Errand, environment};
use everkey_proto::text::harmless;
use std::path::PathBuf;
use std::process::Stdio;
use tokio::process::Command;

/// Runs it to its end; that it can't be run or fails is a line in the log.
pub async fn run(errand: &Errand) {
    let Errand::Reminder { at, email, command: configured } = errand else { return };
    let Some((program, arguments)) = configured.as_deref().and_then(<[_]>::split_first) else { return };
    let mut command = Command::new(program);
    command.args(arguments).env_clear().envs(environment(std::env::vars_os()));
    command.env("EVERKEY_REMINDER_AT", at.to_string());
    command.env("EVERKEY_REMINDER_EMAIL", harmless(email, 254));
    command.stdin(Stdio::null()).stdout(Stdio::null()).stderr(Stdio::null());
    let home = std::env::var_os("HOME").map(PathBuf::from).filter(|home| home.is_dir());
    command.current_dir(home.unwrap_or_else(|| "/".into()));
    let ended = match command.spawn() {
        Ok(mut running) => running.wait().await,
        Err(e) => Err(e),
    };
    match ended {
        Ok(status) if status.success() => {}
        Ok(status) => tracing::warn!(program, %status, "the reminder's command failed"),
        Err(e) => tracing::warn!(program, error = %e, "can't run the reminder's command"),
    }
}
