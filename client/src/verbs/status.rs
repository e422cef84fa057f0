//! `everkey auth status`: everything there is to show; exit 1 when nobody is signed in.

use crate::args::Invocation;
use crate::{agent, show};
use anstyle::{AnsiColor, Style};
use everkey_proto::reply::{State, Status};
use everkey_proto::{Code, Failure, Reply, Scheme, Verb};
use std::process::ExitCode;

pub fn run(invocation: &Invocation) -> Result<ExitCode, Failure> {
    let Reply::Status(status) = agent::ask(&mut agent::connect()?, invocation, Verb::Status)? else {
        return Err(agent::beside_the_point());
    };
    if invocation.json {
        show::json(&serde_json::to_value(&status).unwrap_or_default());
    } else {
        print(&status);
    }
    let signed_in = match status.state {
        State::SignedOut | State::NeedsLogin => false,
        State::Valid | State::Refreshing | State::Offline | State::Uncertain | State::ReadOnly => true,
    };
    Ok(if signed_in { ExitCode::SUCCESS } else { ExitCode::from(Code::NotSignedIn.exit_code()) })
}

fn print(status: &Status) {
    line("Profile", &status.profile);
    line("Server", &status.server);
    match &status.user {
        Some(user) => line("User", &format!("{} ({})", user.email, user.id)),
        None => line("User", "nobody is signed in"),
    }
    if status.user.is_some() {
        line("Signed in", scheme(status.scheme));
    }
    if let Some(masked) = &status.masked_token {
        line("Token", masked);
    }
    if let Some(at) = status.access_expires_at {
        line("Expires", &show::when(at));
    }
    if let Some(at) = status.next_refresh_at {
        line("Refresh", &show::when(at));
    }
    if let Some(at) = status.refresh_expires_at {
        line("Session", &format!("ends {}", show::when(at)));
    }
    line("File", &status.session_file);
    let (word, colour) = state(status.state);
    let style = Style::new().fg_color(Some(colour.into()));
    show::out(format_args!("{:<10} {style}{word}{style:#}", "State"));
    let reason = status.reason.as_ref().or(status.last_error.as_ref());
    if let Some(reason) = reason.filter(|_| status.state != State::SignedOut || status.user.is_some()) {
        line("", reason);
    }
    if status.pending_revocations > 0 {
        line("Sign-outs", &format!("{} not confirmed by the api-server yet", status.pending_revocations));
    }
    if matches!(status.state, State::SignedOut | State::NeedsLogin) {
        line("", "Run `everkey auth login` to sign in.");
    }
}

fn line(name: &str, value: &str) {
    show::out(format_args!("{name:<10} {}", show::plain(value)));
}

fn scheme(scheme: Scheme) -> &'static str {
    match scheme {
        Scheme::Otp => "with a code by email",
    }
}

fn state(state: State) -> (&'static str, AnsiColor) {
    match state {
        State::SignedOut => ("signed out", AnsiColor::Yellow),
        State::Valid => ("valid", AnsiColor::Green),
        State::Refreshing => ("refreshing", AnsiColor::Green),
        State::Offline => ("offline; trying again", AnsiColor::Yellow),
        State::Uncertain => ("uncertain; finding out", AnsiColor::Yellow),
        State::NeedsLogin => ("needs a new sign-in", AnsiColor::Red),
        State::ReadOnly => ("read only", AnsiColor::Yellow),
    }
}
