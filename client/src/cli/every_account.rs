//! `--all`: a verb for every account that somebody uses.

use crate::cli::context::Context;
use crate::cli::terminal::output;
use crate::cli::usage::error::{UsageError, VerbError};
use crate::cli::usage::shared_options::SharedOptions;
use everkey_client::Failure;
use everkey_proto::Code;
use std::process::ExitCode;

/// Runs `verb` for each of them, whatever becomes of the others. The first that does not end well says how it ends.
pub fn run(
    options: SharedOptions,
    verb: impl Fn(&Context) -> Result<ExitCode, Failure>,
) -> Result<ExitCode, VerbError> {
    if options.profile.is_some() || options.server.is_some() || options.token.is_some() {
        let sentence = "--all means every account; leave out --profile, --server and --token";
        return Err(UsageError::Sentence(sentence.to_owned()).into());
    }
    let contexts = Context::of_all(&options)?;
    if contexts.is_empty() {
        let hint = "Run `everkey login`; `everkey profile list` shows where else.";
        return Err(Failure::new(Code::NotSignedIn, "not signed in", hint).into());
    }
    let mut ended = ExitCode::SUCCESS;
    for (place, context) in contexts.iter().enumerate() {
        if !options.json {
            let gap = if place == 0 { "" } else { "\n" };
            output::line(format_args!("{gap}{}:", output::plain(&context.profile.name)));
        }
        let code = verb(context).unwrap_or_else(|failure| failed(context, failure));
        if ended == ExitCode::SUCCESS {
            ended = code;
        }
    }
    Ok(ended)
}

fn failed(context: &Context, failure: Failure) -> ExitCode {
    let failure = context.reword(failure);
    if !context.options.json {
        return output::failure(&failure, false);
    }
    let mut line = output::failure_json(&failure);
    line["profile"] = context.profile.name.as_str().into();
    output::json(&line);
    ExitCode::from(failure.code.exit_code())
}
