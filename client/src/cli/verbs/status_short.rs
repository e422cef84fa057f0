//! `everkey status --short`: a few words for a shell's prompt, at once or not at all.

use crate::cli::context;
use crate::cli::terminal::output;
use crate::cli::usage::error::{UsageError, VerbError};
use crate::cli::usage::shared_options::SharedOptions;
use everkey_client::{Agent, Failure, State, Status, UserConfiguration};
use everkey_proto::Code;
use everkey_proto::text::harmless;
use std::process::ExitCode;

/// A prompt has no room for more, in letters.
const WIDTH: usize = 60;

pub fn run(options: &SharedOptions, all: bool) -> Result<ExitCode, VerbError> {
    if all || options.json || options.server.is_some() || options.token.is_some() {
        let sentence = "--short goes with --profile only; leave out the others";
        return Err(UsageError::Sentence(sentence.to_owned()).into());
    }
    // Whatever is wrong, a prompt is no place to say it.
    let code = match ask(options.profile.as_deref()) {
        Err(failure) => failure.code,
        Ok(None) => Code::NoAgent,
        Ok(Some(status)) => match text(&status) {
            None => Code::NotSignedIn,
            Some(text) => {
                output::line(harmless(&text, WIDTH));
                return Ok(ExitCode::SUCCESS);
            }
        },
    };
    Ok(ExitCode::from(code.exit_code()))
}

/// What an agent that runs says of the account; none where none runs.
fn ask(profile: Option<&str>) -> Result<Option<Status>, Failure> {
    let Some(mut agent) = Agent::find_at_once()? else { return Ok(None) };
    let configuration = UserConfiguration::read()?;
    let (name, _) = context::choose(&configuration, profile);
    agent.for_profile(configuration.profile(name.as_deref())?).status().map(Some)
}

/// Who is signed in, and how that stands unless all is well; none where nobody is.
fn text(status: &Status) -> Option<String> {
    let user = status.user.as_ref().map(|user| if user.email.is_empty() { &user.id } else { &user.email });
    let who = user.unwrap_or(&status.profile);
    match status.state {
        State::SignedOut => None,
        State::Valid | State::Refreshing => Some(who.clone()),
        State::Offline => Some(format!("{who} (offline)")),
        State::Uncertain => Some(format!("{who} (uncertain)")),
        State::NeedsLogin => Some(format!("{who} (sign in)")),
        State::ReadOnly => Some(format!("{who} (read only)")),
    }
}
