//! `everkey status`: everything there is to show; exit 1 when nobody is signed in.

use crate::cli::context::Context;
use crate::cli::render;
use crate::cli::terminal::{dates, output};
use crate::cli::usage::error::VerbError;
use crate::cli::usage::option::{Arguments, VerbOption};
use crate::cli::usage::shared_rows as rows;
use crate::cli::usage::verb::VerbHelp;
use anstyle::{AnsiColor, Style};
use everkey_client::precedence::GivenToken;
use everkey_client::{Failure, Inspection, Replay, ReplaySource, SignInMethod, State, Status, Verdict};
use everkey_config::ProviderKind;
use everkey_proto::Code;
use serde_json::{Value, json};
use std::process::ExitCode;
use std::time::SystemTime;

const OPTIONS: &[VerbOption<()>] =
    &[rows::profile(), rows::json(), rows::token(), rows::server(), rows::api(), rows::server_url()];

pub fn help() -> VerbHelp {
    VerbHelp::new(
        "
  everkey status
  everkey status --profile achilles
  everkey status --json | jq .access_expires_at

Usage: everkey status [OPTIONS]

Shows server, user, masked token, expiry, session file, state and reminder.
Exit 1 where nobody is signed in. For achilles and for a token given with
--token or a variable, the server is asked; for the rest, only the agent.

Options:
{options}
",
        OPTIONS,
    )
}

pub fn run(arguments: Arguments) -> Result<ExitCode, VerbError> {
    let context = Context::new(arguments.read_options(OPTIONS)?.shared)?;
    Ok(status(&context).map_err(|failure| context.reword(failure))?)
}

fn status(context: &Context) -> Result<ExitCode, Failure> {
    let given = context.given_token()?;
    let mut agent = context.agent()?;
    let mut client = context.client(&mut agent);
    let mut status = client.status()?;
    if let Some(server) = context.expect().server.filter(|_| given.is_some()) {
        // A token from outside is shown to the server that was named with it, not to the session's.
        status.server = server;
    }
    let mut signed_in = given.is_some() || is_signed_in(&status);
    // Only achilles' status goes to the server by itself; a token from outside nobody else knows anything of.
    let inspected = match (&given, context.profile.provider) {
        (Some(given), _) => Some(client.inspect(Some(given.token.clone()))),
        (None, ProviderKind::Achilles) if signed_in => Some(client.inspect(None)),
        (None, _) => None,
    };
    if context.options.json {
        output::json(&line(&status, given.as_ref(), inspected.as_ref()));
    } else {
        match context.profile.provider {
            ProviderKind::Achilles => {
                output::line(render::achilles::status(
                    &status,
                    inspected.as_ref(),
                    &context.command("login"),
                ));
            }
            ProviderKind::DotAi => {
                let now =
                    SystemTime::now().duration_since(SystemTime::UNIX_EPOCH).map_or(0, |now| now.as_secs());
                let given = given.as_ref().map(|given| render::dot_ai::Given {
                    masked: given.token.masked(),
                    source: output::origin(&given.origin),
                    verdict: inspected.as_ref().map(verdict),
                });
                signed_in = render::dot_ai::is_signed_in(&status, given.as_ref(), now);
                output::line(render::dot_ai::status(&status, given.as_ref(), now, &context.command("login")));
            }
            ProviderKind::Failproofai | ProviderKind::Binboi | ProviderKind::Oauth => {
                print(context, &status, given.is_some());
                if let Some(given) = &given {
                    let verdict = inspected.as_ref().map(verdict).unwrap_or_default();
                    let from = output::origin(&given.origin);
                    row("Used", &format!("{} from {from}: {verdict}", given.token.masked()));
                }
            }
        }
    }
    if status.token_served && given.is_none() && !context.options.json {
        let why = status.reason.as_deref().unwrap_or_default();
        output::session_ended(why, status.access_expires_at, &context.command("login"));
    }
    let refused = matches!(inspected, Some(Ok(Inspection { verdict: Verdict::Refused, .. })));
    if refused || status.token_refused && given.is_none() {
        return Ok(ExitCode::from(Code::Refused.exit_code()));
    }
    Ok(if signed_in { ExitCode::SUCCESS } else { ExitCode::from(Code::NotSignedIn.exit_code()) })
}

fn is_signed_in(status: &Status) -> bool {
    match status.state {
        State::NeedsLogin => status.token_served,
        State::SignedOut => false,
        State::Valid | State::Refreshing | State::Offline | State::Uncertain | State::ReadOnly => true,
    }
}

fn line(
    status: &Status,
    given: Option<&GivenToken>,
    inspected: Option<&Result<Inspection, Failure>>,
) -> Value {
    let mut line = serde_json::to_value(status).unwrap_or_default();
    let inspected = inspected.map(|inspected| match inspected {
        Ok(inspection) => json!(inspection),
        Err(failure) => output::failure_json(failure),
    });
    match (given, inspected) {
        (Some(given), inspected) => {
            line["given_token"] = json!({ "source": output::origin(&given.origin), "masked": given.token.masked(), "said": inspected });
        }
        (None, Some(inspected)) => line["backend"] = inspected,
        (None, None) => {}
    }
    line
}

/// What the server said of a token, in a word or two.
fn verdict(inspected: &Result<Inspection, Failure>) -> String {
    match inspected {
        Ok(Inspection { verdict: Verdict::Accepted, .. }) => "Valid".to_owned(),
        Ok(Inspection { verdict: Verdict::Refused, .. }) => "REFUSED by the server".to_owned(),
        Ok(Inspection { verdict: Verdict::Untold, .. }) => {
            "not checked; this server has no way to say".to_owned()
        }
        Err(failure) => format!("not checked: {}", output::plain(&failure.message)),
    }
}

fn print(context: &Context, status: &Status, given: bool) {
    row("Profile", &status.profile);
    row("Server", &status.server);
    match &status.user {
        Some(user) => row("User", &output::user(user)),
        None if is_signed_in(status) => row("User", "this server does not say who"),
        None => row("User", "nobody is signed in"),
    }
    for (key, name) in
        [("name", "Name"), ("org", "Org"), ("role", "Role"), ("plan", "Plan"), ("prefix", "Prefix")]
    {
        if let Some(text) = status.about.get(key).filter(|text| !text.is_empty()) {
            row(name, text);
        }
    }
    if is_signed_in(status) || status.user.is_some() {
        row("Signed in", scheme(status.scheme));
    }
    if let Some(masked) = &status.masked_token {
        row("Token", masked);
    }
    if let Some(masked) = &status.masked_static_token {
        row("Static", masked);
    }
    if let Some(at) = status.access_expires_at {
        row("Expires", &dates::utc(at));
    }
    if let Some(at) = status.next_refresh_at {
        row("Refresh", &dates::utc(at));
    }
    if let Some(at) = status.refresh_expires_at {
        row("Session", &format!("ends {}", dates::utc(at)));
    }
    row("File", &status.session_file);
    let (word, colour) = state(status.state);
    let style = Style::new().fg_color(Some(colour.into()));
    output::line(format_args!("{:<10} {style}{word}{style:#}", "State"));
    let reasons = [&status.reason, &status.last_error].into_iter().flatten();
    let reasons = reasons.filter(|_| status.state != State::SignedOut || status.user.is_some());
    let mut told = None;
    for reason in reasons {
        if told.replace(reason) != Some(reason) {
            row("", reason);
        }
    }
    if let Some(by) = status.sign_in_by {
        row("Sign in", &format!("may be needed {}", dates::utc(by)));
    }
    if let Some(replay) = status.replay.as_ref().filter(|replay| replay.source != ReplaySource::Nobody) {
        row("Repeats", &repeats(replay));
    }
    if status.pending_revocations > 0 {
        row("Sign-outs", &format!("{} not confirmed by the api-server yet", status.pending_revocations));
    }
    if let Some(reminder) = &status.reminder {
        row("Reminder", &render::reminder::line(reminder));
        if reminder.due {
            row("", &render::reminder::what_to_do(context));
        }
    }
    if !is_signed_in(status) && !given {
        row("", &format!("Run `{}` to sign in.", context.command("login")));
    }
}

/// What the server does with a refresh token that comes twice, and who says so.
fn repeats(replay: &Replay) -> String {
    let source = match &replay.source {
        ReplaySource::Profile => "as the profile says".to_owned(),
        ReplaySource::Server => "as the server's answers say".to_owned(),
        ReplaySource::Table { date } => format!("known since {date}"),
        ReplaySource::Learnt { at, count } => {
            let times = if *count == 1 { "once".to_owned() } else { format!("{count} times") };
            format!("seen {times}, last on {}", dates::utc(*at))
        }
        ReplaySource::Nobody => "nobody says".to_owned(),
    };
    format!("{}, {source}", replay.rule)
}

/// One line of the table.
fn row(name: &str, value: &str) {
    output::line(format_args!("{name:<10} {}", output::plain(value)));
}

fn scheme(scheme: SignInMethod) -> &'static str {
    match scheme {
        SignInMethod::Otp => "with a code by email",
        SignInMethod::Device => "with a code approved on another device",
        SignInMethod::Browser => "in the browser",
        SignInMethod::Token => "with a pasted token",
        SignInMethod::Client => "with the client's own credentials",
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
