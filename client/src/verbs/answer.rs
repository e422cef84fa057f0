//! `everkey auth answer FLOW`: answers, from another terminal, the question that a sign-in asked last.

use super::login;
use crate::agent;
use crate::args::Invocation;
use everkey_proto::{Code, Failure, FlowId, Verb};
use std::process::ExitCode;

pub fn run(invocation: &Invocation, flow: FlowId) -> Result<ExitCode, Failure> {
    let text = login::read_answer("Answer: ", login::Echo::Hidden)?.ok_or_else(|| Failure {
        code: Code::BadRequest,
        message: "There was no answer on standard input.".to_owned(),
        hint: "Type it, or pipe one line: echo 123456 | everkey auth answer FLOW".to_owned(),
        retry_after_secs: None,
    })?;
    let mut connection = agent::connect()?;
    let reply = agent::ask(&mut connection, invocation, Verb::Answer { flow, text })?;
    login::follow(invocation, &mut connection, reply, login::Joined::No)
}
