//! Printing: colour only on a terminal, server text without anything a terminal would obey.

use super::{dates, key_by_key};
use everkey_client::{Step, User, hint_text};
use everkey_proto::text::harmless;
use everkey_proto::{Code, Failure};
use serde_json::{Value, json};
use signal_hook::consts::SIGPIPE;
use signal_hook::low_level::emulate_default_handler;
use std::fmt::Display;
use std::io::{ErrorKind, Write};
use std::process::ExitCode;

/// A line to standard output. Where it can't be written there is nobody to go on for: a full disk ends the program with
/// a message, a reader who has read enough as it ends every other program, by SIGPIPE.
pub fn line(line: impl Display) {
    let Err(e) = writeln!(anstream::stdout(), "{line}") else { return };
    key_by_key::put_back();
    if e.kind() == ErrorKind::BrokenPipe {
        let _ = emulate_default_handler(SIGPIPE);
    }
    error_line(unwritable(&e).message);
    std::process::exit(Code::Storage.exit_code().into());
}

/// The error for standard output that can't be written.
pub fn unwritable(e: &std::io::Error) -> Failure {
    Failure::new(
        Code::Storage,
        format!("Can't write to standard output: {e}."),
        "Free some space where it goes.",
    )
}

/// A line to standard error, which nobody may be listening to.
pub fn error_line(line: impl Display) {
    let _ = writeln!(anstream::stderr(), "{line}");
}

/// Prints a failure and returns its exit code. That nobody is signed in is an error where it is not the question, since
/// what `token` prints on standard output is used as a token.
pub fn failure(failure: &Failure, json: bool) -> ExitCode {
    if json {
        self::json(&failure_json(failure));
    } else if is_nobody(failure) {
        error_line(NOBODY);
        reason(failure);
    } else {
        error_line(message(failure));
        let hint = hint_text(&failure.hint);
        if !hint.is_empty() {
            error_line(plain(&hint));
        }
    }
    ExitCode::from(failure.code.exit_code())
}

/// What happened; where it is to be waited, until when.
pub fn message(failure: &Failure) -> String {
    let until = failure.retry_after_secs.map(|secs| format!(" That is until {}.", dates::clock_in(secs)));
    plain(&failure.message) + &until.unwrap_or_default()
}

/// The same where who is signed in was the question: that nobody is, is an answer.
pub fn nobody(failure: &Failure) -> ExitCode {
    if !is_nobody(failure) {
        return self::failure(failure, false);
    }
    line(NOBODY);
    reason(failure);
    ExitCode::from(failure.code.exit_code())
}

/// What the agent's message begins with where nobody is signed in.
pub const NOBODY: &str = "not signed in";

/// A session that works but can't be refreshed needs a sign-in, too, though somebody is signed in.
fn is_nobody(failure: &Failure) -> bool {
    let signed_out = matches!(failure.code, Code::NotSignedIn | Code::NeedsLogin);
    signed_out && failure.message.starts_with(NOBODY)
}

fn reason(failure: &Failure) {
    let reason = failure.message.trim_start_matches(NOBODY).trim();
    let reason = reason.trim_start_matches('(').trim_end_matches(')');
    let hint = plain(&hint_text(&failure.hint));
    if reason.is_empty() {
        error_line(hint);
    } else {
        error_line(format_args!("{}. {hint}", plain(reason.trim_end_matches('.'))));
    }
}

/// Says, where a token is handed out or shown, that its session has ended, though the token works on.
pub fn session_ended(why: &str, expires_at: Option<u64>, login: &str) {
    let works = expires_at.map_or_else(
        || "until the server refuses it".to_owned(),
        |at| format!("until it expires, {}", dates::local(at)),
    );
    error_line(format_args!("warning: {}. The access token works {works}; run `{login}`.", plain(why)));
}

/// A failure as a line for programs.
pub fn failure_json(failure: &Failure) -> Value {
    let mut json = json!({
        "type": "error",
        "code": failure.code,
        "message": failure.message,
        "hint": hint_text(&failure.hint),
    });
    if let Some(secs) = failure.retry_after_secs {
        json["retry_after_secs"] = serde_json::json!(secs);
    }
    if let Some(other) = &failure.under_way {
        json["under_way"] = serde_json::json!(other);
    }
    json
}

/// A question of a sign-in as a line for programs.
pub fn json_step(step: &Step) {
    let Step::Ask { flow, field, tries, again, sent } = step else { return };
    let mut line = json!({ "type": "ask", "flow": flow, "field": field, "tries": tries });
    if let Some(again) = again {
        line["again"] = failure_json(again);
    }
    if let Some(sent) = sent {
        line["sent"] = json!(sent);
    }
    json(&line);
}

/// One line for programs.
pub fn json(value: &Value) {
    line(escaped(&value.to_string()));
}

/// A message of the wire as one line for programs, its fields in their order.
pub fn json_line(message: &impl serde::Serialize) -> String {
    escaped(String::from_utf8_lossy(&everkey_proto::json::write(message)).trim_end())
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

/// `EMAIL (ID)`, or the id alone.
pub fn user(user: &User) -> String {
    let (email, id) = (plain(&user.email), plain(&user.id));
    match (email.is_empty(), id.is_empty()) {
        (false, true) => email,
        (false, false) => format!("{email} ({id})"),
        (true, _) => format!("({id})"),
    }
}

/// The word for where a value comes from.
pub fn origin(origin: &everkey_client::precedence::Origin) -> String {
    use everkey_client::precedence::Origin;
    match origin {
        Origin::Option(name) => (*name).to_owned(),
        Origin::Variable(name) => (*name).to_owned(),
        Origin::Configuration => "the configuration".to_owned(),
        Origin::SignIn => "the sign-in".to_owned(),
        Origin::SessionFile(field) => format!("{field} in the session file"),
        Origin::Default => "the default".to_owned(),
        Origin::Agent => "the agent (its environment, or the last sign-in)".to_owned(),
    }
}
