//! `everkey auth login`: shows the flow's questions and passes the answers on.

use crate::args::Invocation;
use crate::wire::Connection;
use crate::{agent, environment, show};
use everkey_proto::reply::{Field, Step, User};
use everkey_proto::{Code, DEFAULT_PROFILE, Failure, FlowId, Reply, Secret, Verb};
use serde::Deserialize;
use serde_json::json;
use std::io::{self, IsTerminal, Write};
use std::process::ExitCode;

/// Whether what is typed may be seen.
#[derive(Clone, Copy, PartialEq, Eq)]
pub enum Echo {
    /// It may.
    Shown,
    /// It is a secret.
    Hidden,
}

/// Whether the flow may have been begun by somebody else.
#[derive(Clone, Copy, PartialEq, Eq)]
pub enum Joined {
    /// Its first question may be in the middle of it.
    Perhaps,
    /// It goes on from here.
    No,
}

pub fn run(invocation: &Invocation) -> Result<ExitCode, Failure> {
    let mut connection = agent::connect()?;
    if !invocation.json {
        say_where(invocation, &mut connection);
    }
    let reply = agent::ask(&mut connection, invocation, Verb::Login { scheme: None })?;
    follow(invocation, &mut connection, reply, Joined::Perhaps)
}

/// A person should see which server is about to get the address: the agent may have been started with another one.
fn say_where(invocation: &Invocation, connection: &mut Connection) {
    let named = environment::expect(invocation.profile.as_deref(), invocation.server.as_deref()).server;
    let server = named.or_else(|| match agent::ask(connection, invocation, Verb::Status) {
        Ok(Reply::Status(status)) => Some(status.server),
        Ok(_) | Err(_) => None,
    });
    if let Some(server) = server {
        eprintln!("Signing in at {}", show::plain(&server));
    }
}

/// Goes through the flow's steps to its end.
pub fn follow(
    invocation: &Invocation,
    connection: &mut Connection,
    mut reply: Reply,
    mut joined: Joined,
) -> Result<ExitCode, Failure> {
    loop {
        reply = match reply {
            Reply::Step(Step::Done { user, already }) => {
                done(invocation, &user, already);
                return Ok(ExitCode::SUCCESS);
            }
            Reply::Step(Step::Ask { flow, field, again, .. }) => {
                let begun_before = joined == Joined::Perhaps && field != Field::Email;
                joined = Joined::No;
                if begun_before && !invocation.json && !wants_to_go_on()? {
                    agent::ask(connection, invocation, Verb::Cancel { flow })?;
                    agent::ask(connection, invocation, Verb::Login { scheme: None })?
                } else {
                    let text = question(invocation, flow, field, again.as_ref())?;
                    agent::ask(connection, invocation, Verb::Answer { flow, text })?
                }
            }
            _ => return Err(agent::beside_the_point()),
        };
    }
}

fn question(
    invocation: &Invocation,
    flow: FlowId,
    field: Field,
    again: Option<&Failure>,
) -> Result<Secret, Failure> {
    let (prompt, echo) = match field {
        Field::Email => ("Email: ", Echo::Shown),
        Field::Code => ("Code from the email: ", Echo::Hidden),
    };
    let answer = if invocation.json {
        let mut line = json!({ "type": "ask", "flow": flow, "field": field });
        if let Some(again) = again {
            line["again"] = show::error(again);
        }
        show::json(&line);
        read_line()?.map(|line| unwrap(&line))
    } else {
        match again {
            Some(again) => show::err(format_args!("{} Try again.", show::plain(&again.message))),
            None if field == Field::Code => show::err("A six-digit code is on its way to you."),
            None => {}
        }
        read_answer(prompt, echo)?
    };
    answer.ok_or_else(|| Failure {
        code: Code::BadRequest,
        message: "The input ended before the sign-in was finished.".to_owned(),
        hint: format!("It waits ten minutes for: everkey auth answer {}", flow.0),
        retry_after_secs: None,
    })
}

/// A sign-in begun elsewhere can be finished here; a script always means a new one.
fn wants_to_go_on() -> Result<bool, Failure> {
    if !io::stdin().is_terminal() {
        return Ok(false);
    }
    show::err("A sign-in is under way, and its code has been sent.");
    let answer = read_answer("Press Enter to type that code, or n to begin anew: ", Echo::Shown)?;
    Ok(answer.is_some_and(|answer| !answer.expose().trim().eq_ignore_ascii_case("n")))
}

/// Prompts on a terminal, reads a plain line from anything else; none at the end of the input.
pub fn read_answer(prompt: &str, echo: Echo) -> Result<Option<Secret>, Failure> {
    if !io::stdin().is_terminal() {
        return read_line();
    }
    let _ = write!(io::stderr(), "{prompt}");
    match echo {
        Echo::Shown => read_line(),
        Echo::Hidden => match rpassword::read_password() {
            Ok(line) => Ok(Some(Secret::new(line))),
            Err(e) if e.kind() == io::ErrorKind::UnexpectedEof => Ok(None),
            Err(e) => Err(unreadable(&e)),
        },
    }
}

/// One line of standard input.
fn read_line() -> Result<Option<Secret>, Failure> {
    let mut line = String::new();
    let read = io::stdin().read_line(&mut line).map_err(|e| unreadable(&e))?;
    let answer = Secret::new(line);
    Ok((read > 0).then(|| Secret::new(answer.expose().trim_end_matches(['\r', '\n']))))
}

/// `{"answer":"..."}` or the bare text.
fn unwrap(line: &Secret) -> Secret {
    #[derive(Deserialize)]
    struct Wrapped {
        answer: Secret,
    }
    serde_json::from_str::<Wrapped>(line.expose()).map_or_else(|_| line.clone(), |wrapped| wrapped.answer)
}

fn done(invocation: &Invocation, user: &User, already: bool) {
    let profile = invocation.profile.as_deref().unwrap_or(DEFAULT_PROFILE);
    let (email, id) = (show::plain(&user.email), show::plain(&user.id));
    match (invocation.json, already) {
        (true, _) => {
            show::json(&json!({ "type": "done", "profile": profile, "user": user, "already": already }))
        }
        (false, false) => show::out(format_args!("Signed in as {email} ({id}).")),
        (false, true) => {
            show::out(format_args!("Already signed in as {email} ({id})."));
            show::out("To change the account, run `everkey auth logout` first.");
        }
    }
}

fn unreadable(e: &io::Error) -> Failure {
    Failure {
        code: Code::BadRequest,
        message: format!("Can't read the answer: {e}."),
        hint: "Run it on a terminal, or pipe one answer a line.".to_owned(),
        retry_after_secs: None,
    }
}
