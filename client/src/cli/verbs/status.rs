//! `everkey status`: everything there is to show; exit 1 when nobody is signed in.

use crate::cli::context::Context;
use crate::cli::every_account;
use crate::cli::render;
use crate::cli::terminal::{dates, output, progress};
use crate::cli::usage::error::VerbError;
use crate::cli::usage::option::{Arguments, VerbOption};
use crate::cli::usage::shared_rows as rows;
use crate::cli::usage::verb::VerbHelp;
use crate::cli::verbs::status_short;
use anstyle::{AnsiColor, Style};
use everkey_client::precedence::{GivenToken, NamedServer};
use everkey_client::request::Reminder;
use everkey_client::{
    Failure, InForce, Inspection, ProfileClient, Replay, ReplaySource, SignInMethod, State, Status, Verdict,
    hint_text,
};
use everkey_config::ProviderKind;
use everkey_proto::Code;
use serde_json::{Value, json};
use std::process::ExitCode;
use std::time::SystemTime;

#[derive(Default)]
struct Args {
    all: bool,
    short: bool,
}

const OPTIONS: &[VerbOption<Args>] = &[
    rows::profile(),
    VerbOption::flag("all", "every account in use, one after another", |args| args.all = true),
    VerbOption::flag("short", "who is signed in, for a shell's prompt", |args| args.short = true),
    rows::json(),
    rows::token(),
    rows::server(),
    rows::api(),
    rows::server_url(),
];

pub fn help() -> VerbHelp {
    VerbHelp::new(
        "
  everkey status
  everkey status --profile achilles
  everkey status --all
  everkey status --json | jq .access_expires_at
  PS1='$(everkey status --short) '$PS1

Usage: everkey status [OPTIONS]

Shows server, user, masked token, expiry, session file, state and reminder; and
the proxy and the certificates in force, with who says so, where there are some.
Exit 1 where nobody is signed in, with --all in one of them; 7 where the session
file can't be used. For achilles and for a token given with --token or a
variable, the server is asked; for the rest, only the agent.
achilles: exit 4 where the backend does not answer within 3 seconds, 5 where
it refuses the token.

--short prints one word or two, at once or not at all: it starts no agent, waits
for none, and says nothing where nobody is signed in (exit 1) or no agent runs
(exit 3).

Options:
{options}
",
        OPTIONS,
    )
}

pub fn run(arguments: Arguments) -> Result<ExitCode, VerbError> {
    let parsed = arguments.read_options(OPTIONS)?;
    if parsed.own.short {
        return status_short::run(&parsed.shared, parsed.own.all);
    }
    if parsed.own.all {
        return every_account::run(parsed.shared, status);
    }
    let context = Context::new(parsed.shared)?;
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
    // Why there is no session may be a file in its place: then nobody knows who is signed in, and `token` fails with it.
    let in_the_way = match status.state {
        State::SignedOut if given.is_none() => client.whoami().err().filter(|why| why.code == Code::Storage),
        State::SignedOut
        | State::Valid
        | State::Refreshing
        | State::Offline
        | State::Uncertain
        | State::NeedsLogin
        | State::ReadOnly => None,
    };
    let mut signed_in = given.is_some() || is_signed_in(&status);
    // Only achilles' status goes to the server by itself; a token from outside nobody else knows anything of.
    let inspected = match (&given, context.profile.provider) {
        (Some(given), _) => Some(Some(given.token.clone())),
        (None, ProviderKind::Achilles) if signed_in => Some(None),
        (None, _) => None,
    };
    let inspected = inspected.map(|token| progress::during(progress::SERVER, || client.inspect(token)));
    if context.options.json {
        let next = context.next_server(&status.server);
        output::json(&line(&status, next.as_ref(), given.as_ref(), inspected.as_ref()));
    } else {
        match context.profile.provider {
            ProviderKind::Achilles => {
                output::line(render::achilles::status(
                    &status,
                    inspected.as_ref(),
                    &context.command("login"),
                ));
                if let Some(next) = context.next_server(&status.server) {
                    output::line(format_args!("The next login goes to {}.", output::plain(&next.server)));
                }
                network_rows(&status);
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
                network_rows(&status);
            }
            ProviderKind::Failproofai | ProviderKind::Binboi | ProviderKind::Oauth => {
                let shown = Shown { given: given.is_some(), in_the_way: in_the_way.is_some() };
                print(context, &status, &shown);
                if let Some(why) = no_reminder(&mut client, &status) {
                    row("Reminder", &format!("{} {}", why.message, hint_text(&why.hint)));
                }
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
    match inspected {
        Some(Ok(Inspection { verdict: Verdict::Refused, .. })) => {
            return Ok(ExitCode::from(Code::Refused.exit_code()));
        }
        // Its status is about the backend.
        Some(Err(failure)) if context.profile.provider == ProviderKind::Achilles => {
            return Ok(ExitCode::from(failure.code.exit_code()));
        }
        Some(_) | None => {}
    }
    if status.token_refused && given.is_none() {
        return Ok(ExitCode::from(Code::Refused.exit_code()));
    }
    if let Some(why) = in_the_way {
        if !context.options.json {
            output::failure(&why, false);
        }
        return Ok(ExitCode::from(why.code.exit_code()));
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
    next: Option<&NamedServer>,
    given: Option<&GivenToken>,
    inspected: Option<&Result<Inspection, Failure>>,
) -> Value {
    let mut line = serde_json::to_value(status).unwrap_or_default();
    if let Some(next) = next {
        line["next_server"] = json!({ "server": next.server, "source": output::origin(&next.origin) });
    }
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

/// What keeps a reminder from being shown: whoever is signed in has none, or something stands in its place.
fn no_reminder(client: &mut ProfileClient<'_>, status: &Status) -> Option<Failure> {
    let keeps_one = status.provider == ProviderKind::Failproofai.as_str() && is_signed_in(status);
    let asked = (keeps_one && status.reminder.is_none()).then(|| client.call(Reminder));
    asked?.err().filter(|why| why.code == Code::Storage)
}

/// What is known beside the status.
struct Shown {
    /// A token from outside is used.
    given: bool,
    /// Something stands in the session file's place.
    in_the_way: bool,
}

fn print(context: &Context, status: &Status, shown: &Shown) {
    row("Profile", &status.profile);
    row("Server", &status.server);
    if let Some(next) = context.next_server(&status.server) {
        row("", &format!("the next sign-in goes to {}, from {}", next.server, output::origin(&next.origin)));
    }
    network_rows(status);
    match &status.user {
        Some(user) => row("User", &output::user(user)),
        None if is_signed_in(status) => row("User", "this server does not say who"),
        None if shown.in_the_way => row("User", "not known; the session file can't be used"),
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
        row("Expires", &dates::local(at));
    }
    if let Some(at) = status.next_refresh_at {
        row("Refresh", &dates::local(at));
    }
    if let Some(at) = status.refresh_expires_at {
        row("Session", &format!("ends {}", dates::local(at)));
    }
    row("File", &status.session_file);
    let (word, colour) = match status.state {
        State::SignedOut if shown.in_the_way => ("unusable file", AnsiColor::Red),
        any => state(any),
    };
    let style = Style::new().fg_color(Some(colour.into()));
    output::line(format_args!("{:<10} {style}{word}{style:#}", "State"));
    let reasons = [&status.reason, &status.last_error].into_iter().flatten();
    // The table says already that nobody is signed in, and what stands in the file's place is told below it.
    let reasons = reasons.filter(|why| !shown.in_the_way && why.as_str() != output::NOBODY);
    let mut told = None;
    for reason in reasons {
        if told.replace(reason) != Some(reason) {
            row("", reason);
        }
    }
    if let Some(by) = status.sign_in_by {
        row("Sign in", &format!("may be needed by {}", dates::local(by)));
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
    if !is_signed_in(status) && !shown.given && !shown.in_the_way {
        output::error_line(format_args!("Run `{}` to sign in.", context.command("login")));
    }
}

/// What lies between the agent and the server, where anything does.
fn network_rows(status: &Status) {
    let shown = |of: &InForce| match &*of.origin {
        "profile" => format!("{}, from the profile", of.value),
        variable => format!("{}, from {variable} of the agent", of.value),
    };
    if let Some(proxy) = &status.proxy {
        row("Proxy", &shown(proxy));
    }
    for certificates in &status.certificates {
        row("Trusts", &shown(certificates));
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
            format!("seen {times}, last on {}", dates::local(*at))
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

/// A state in words, and its colour.
pub fn state(state: State) -> (&'static str, AnsiColor) {
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
