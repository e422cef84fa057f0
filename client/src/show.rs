//! Printing: colour only on a terminal, server text without anything a terminal would obey.

use crate::args::{Command, Invocation};
use everkey_proto::text::harmless;
use everkey_proto::{Code, Failure};
use jiff::Timestamp;
use serde_json::{Value, json};
use std::fmt::Display;
use std::io::{ErrorKind, Write};
use std::process::ExitCode;

/// A line to standard output. Where it can't be written there is nobody to go on for: a closed pipe ends the program
/// quietly, a full disk with a word.
pub fn out(line: impl Display) {
    let Err(e) = writeln!(anstream::stdout(), "{line}") else { return };
    if e.kind() != ErrorKind::BrokenPipe {
        err(format_args!("Can't write to standard output: {e}."));
    }
    std::process::exit(Code::Storage.exit_code().into());
}

/// A line to standard error, which nobody may be listening to.
pub fn err(line: impl Display) {
    let _ = writeln!(anstream::stderr(), "{line}");
}

/// Prints a failure and returns its exit code. That nobody is signed in is an answer to `whoami`; everywhere else it is
/// an error, since what `token` prints on standard output is used as a token.
pub fn failure(failure: &Failure, invocation: &Invocation) -> ExitCode {
    if invocation.json {
        json(&error(failure));
    } else if matches!(failure.code, Code::NotSignedIn | Code::NeedsLogin) {
        if invocation.command == Command::Whoami {
            out("not signed in");
        } else {
            err("not signed in");
        }
        let reason = failure.message.trim_start_matches("not signed in").trim();
        let reason = reason.trim_start_matches('(').trim_end_matches(')');
        if !reason.is_empty() {
            err(format_args!("{}. {}", plain(reason), plain(&failure.hint)));
        }
    } else {
        err(plain(&failure.message));
        err(plain(&failure.hint));
    }
    ExitCode::from(failure.code.exit_code())
}

/// A failure as a line for programs.
pub fn error(failure: &Failure) -> Value {
    let mut line = json!({
        "type": "error",
        "code": failure.code,
        "message": failure.message,
        "hint": failure.hint,
    });
    if let Some(secs) = failure.retry_after_secs {
        line["retry_after_secs"] = json!(secs);
    }
    line
}

/// One line for programs.
pub fn json(value: &Value) {
    out(escaped(&value.to_string()));
}

/// JSON leaves DEL and the C1 controls as they are, which terminals obey (S01); they only stand inside strings.
fn escaped(json: &str) -> String {
    let escape = |c: char| match c {
        c if c.is_control() => format!("\\u{:04x}", u32::from(c)),
        c => c.to_string(),
    };
    json.chars().map(escape).collect()
}

/// Text without control characters (S01).
pub fn plain(text: &str) -> String {
    harmless(text, usize::MAX)
}

/// When, and how far away that is.
pub fn when(unix_secs: u64) -> String {
    let Ok(at) = i64::try_from(unix_secs).map_err(drop).and_then(|s| Timestamp::from_second(s).map_err(drop))
    else {
        return "never".to_owned();
    };
    let away = at.as_second().saturating_sub(Timestamp::now().as_second());
    let size = match away.unsigned_abs() {
        s @ 0..120 => format!("{s} s"),
        s @ 120..7200 => format!("{} min", s / 60),
        s @ 7200..172_800 => format!("{} h", s / 3600),
        s => format!("{} days", s / 86400),
    };
    let stamp = at.strftime("%Y-%m-%d %H:%M:%S UTC");
    if away >= 0 { format!("in {size} ({stamp})") } else { format!("{size} ago ({stamp})") }
}
