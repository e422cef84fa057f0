//! Printing: colour only on a terminal, server text without anything a terminal would obey.

use everkey_client::User;
use everkey_proto::text::harmless;
use everkey_proto::{Code, Failure};
use jiff::Timestamp;
use jiff::tz::TimeZone;
use serde_json::{Value, json};
use std::fmt::Display;
use std::io::{ErrorKind, Write};
use std::process::ExitCode;

/// A line to standard output. Where it can't be written there is nobody to go on for: a closed pipe ends the program
/// quietly, a full disk with a word.
pub fn out(line: impl Display) {
    let Err(e) = writeln!(anstream::stdout(), "{line}") else { return };
    if e.kind() != ErrorKind::BrokenPipe {
        err(unwritable(&e).message);
    }
    std::process::exit(Code::Storage.exit_code().into());
}

/// That standard output can't be written.
pub fn unwritable(e: &std::io::Error) -> Failure {
    Failure::new(
        Code::Storage,
        format!("Can't write to standard output: {e}."),
        "Free some space where it goes.",
    )
}

/// A line to standard error, which nobody may be listening to.
pub fn err(line: impl Display) {
    let _ = writeln!(anstream::stderr(), "{line}");
}

/// Prints a failure and returns its exit code. That nobody is signed in is an error where it is not the question, since
/// what `token` prints on standard output is used as a token.
pub fn failure(failure: &Failure, json: bool) -> ExitCode {
    if json {
        self::json(&error(failure));
    } else if matches!(failure.code, Code::NotSignedIn | Code::NeedsLogin) {
        err("not signed in");
        why(failure);
    } else {
        err(plain(&failure.message));
        err(plain(&failure.hint));
    }
    ExitCode::from(failure.code.exit_code())
}

/// The same where who is signed in was the question: that nobody is, is an answer.
pub fn nobody(failure: &Failure) -> ExitCode {
    if !matches!(failure.code, Code::NotSignedIn | Code::NeedsLogin) {
        return self::failure(failure, false);
    }
    out("not signed in");
    why(failure);
    ExitCode::from(failure.code.exit_code())
}

fn why(failure: &Failure) {
    let reason = failure.message.trim_start_matches("not signed in").trim();
    let reason = reason.trim_start_matches('(').trim_end_matches(')');
    if !reason.is_empty() {
        err(format_args!("{}. {}", plain(reason.trim_end_matches('.')), plain(&failure.hint)));
    }
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

/// A message of the wire as one line for programs, its fields in their order.
pub fn one_line(message: &impl serde::Serialize) -> String {
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

/// The time of day here, in this form (`strftime`).
pub fn local_time(unix_secs: u64, form: &str) -> String {
    let at = i64::try_from(unix_secs).ok().and_then(|secs| Timestamp::from_second(secs).ok());
    at.map_or_else(|| "never".to_owned(), |at| at.to_zoned(TimeZone::system()).strftime(form).to_string())
}

/// RFC 3339 in UTC.
pub fn rfc3339(unix_secs: u64) -> String {
    let at = i64::try_from(unix_secs).ok().and_then(|secs| Timestamp::from_second(secs).ok());
    at.map_or_else(|| "never".to_owned(), |at| at.strftime("%Y-%m-%dT%H:%M:%SZ").to_string())
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
pub fn origin(origin: &everkey_client::sources::Origin) -> String {
    use everkey_client::sources::Origin;
    match origin {
        Origin::Option(name) => (*name).to_owned(),
        Origin::Variable(name) => (*name).to_owned(),
        Origin::Configuration => "the configuration".to_owned(),
        Origin::SignIn => "the sign-in".to_owned(),
        Origin::SessionFile(field) => format!("{field} in the session file"),
        Origin::Default => "the default".to_owned(),
    }
}
