//! `everkey answer FLOW`: answers, from another terminal, the question that a sign-in asked last.

use crate::cli::context::Context;
use crate::cli::terminal::progress;
use crate::cli::terminal::prompt::{self, Echo};
use crate::cli::terminal_login::{LoginOptions, TerminalLogin};
use crate::cli::usage::error::{UsageError, VerbError};
use crate::cli::usage::option::{Arguments, VerbOption};
use crate::cli::usage::shared_rows as rows;
use crate::cli::usage::verb::VerbHelp;
use everkey_client::request::Answer;
use everkey_client::{Entry, Failure, FlowId, SignInMethod, code_or_email};
use everkey_proto::Code;
use std::process::ExitCode;

const OPTIONS: &[VerbOption<()>] = &[rows::profile(), rows::json(), rows::server()];

pub fn help() -> VerbHelp {
    VerbHelp::new(
        "
  everkey answer 7
  echo 123456 | everkey answer 7

Usage: everkey answer FLOW [OPTIONS]

FLOW is the number that `everkey login --json` prints as \"flow\". The answer is
typed unseen, or comes as a line of standard input. Without a number:

  everkey login --continue

Options:
{options}
",
        OPTIONS,
    )
}

pub fn run(arguments: Arguments) -> Result<ExitCode, VerbError> {
    let parsed = arguments.read(OPTIONS)?;
    let flow = parsed.word("FLOW")?.parse().map(FlowId).map_err(|_| {
        UsageError::Sentence("`answer` takes the number that `login --json` printed as \"flow\"".to_owned())
    })?;
    let context = Context::new(parsed.shared)?;
    Ok(answer(&context, flow).map_err(|failure| context.reword(failure))?)
}

fn answer(context: &Context, flow: FlowId) -> Result<ExitCode, Failure> {
    let text = prompt::ask_for_address("Answer (not shown): ", Echo::Hidden)?.ok_or_else(|| {
        Failure::new(
            Code::BadRequest,
            "There was no answer on standard input.",
            "Type it, or pipe one line: echo 123456 | everkey auth answer FLOW",
        )
    })?;
    let mut agent = context.agent()?;
    let mut client = context.client(&mut agent);
    let asks_code = context.profile.provider.schemes().contains(&SignInMethod::Otp);
    let entry = if asks_code { code_or_email(text) } else { Entry::Text(text) };
    let step = progress::during(progress::SERVER, || client.call(Answer { flow, entry }))?;
    TerminalLogin::new(context, client, LoginOptions::default()).follow(step)
}
