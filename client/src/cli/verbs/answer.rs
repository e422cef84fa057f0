//! `everkey auth answer FLOW`: answers, from another terminal, the question that a sign-in asked last.

use super::login::{Joined, SignIn};
use crate::cli::context::Context;
use crate::cli::input::{self, Echo};
use everkey_client::{Failure, FlowId};
use everkey_proto::{Code, Verb};
use std::process::ExitCode;

pub fn run(context: &Context, flow: FlowId) -> Result<ExitCode, Failure> {
    let text = input::answer("Answer: ", Echo::Hidden)?.ok_or_else(|| {
        Failure::new(
            Code::BadRequest,
            "There was no answer on standard input.",
            "Type it, or pipe one line: echo 123456 | everkey auth answer FLOW",
        )
    })?;
    let mut agent = context.agent()?;
    let mut account = context.account(&mut agent);
    let step = account.step(Verb::Answer { flow, text })?;
    SignIn::new(context, account, None, Joined::No).follow(step)
}
