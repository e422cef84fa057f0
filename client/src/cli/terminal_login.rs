//! A sign-in in the terminal: goes through its steps; what is typed, shown and opened happens here.

use crate::cli::context::Context;
use crate::cli::render::{self, login as words};
use crate::cli::terminal::prompt::{self, Echo};
use crate::cli::terminal::stdin_or_step::{LineOrStep, StdinOrStep};
use crate::cli::terminal::{browser, dates, output, qr};
use everkey_client::request::{Answer, Cancel, Login};
use everkey_client::{
    Agent, Entry, Failure, Field, FlowId, ProfileClient, Secret, SignInMethod, Step, User, code_or_email,
    hint_text, is_repeat,
};
use everkey_config::ProviderKind;
use everkey_proto::Code;
use serde_json::json;
use std::io::{self, IsTerminal};
use std::process::ExitCode;
use tempfile::NamedTempFile;

/// What the command line says of a sign-in.
#[derive(Default)]
pub struct LoginOptions {
    pub scheme: Option<SignInMethod>,
    pub no_browser: bool,
    /// The token to answer with, where one is asked for.
    pub token: Option<Secret>,
    /// The flow may have been begun by another command, so that its first question is in the middle of it.
    pub may_join: bool,
}

/// A sign-in as this terminal sees it.
pub struct TerminalLogin<'a> {
    context: &'a Context,
    client: ProfileClient<'a>,
    options: LoginOptions,
    /// The step that was shown last.
    shown: Option<Step>,
    listening: bool,
    stdin_or_step: StdinOrStep,
    /// The file that the browser was opened on.
    page: Option<NamedTempFile>,
}

impl<'a> TerminalLogin<'a> {
    pub fn new(context: &'a Context, client: ProfileClient<'a>, options: LoginOptions) -> Self {
        let stdin_or_step = StdinOrStep::new();
        Self { context, client, options, shown: None, listening: false, stdin_or_step, page: None }
    }

    /// Goes through the steps to the end.
    pub fn follow(mut self, mut step: Step) -> Result<ExitCode, Failure> {
        loop {
            // While it waits, the agent repeats itself.
            let news = !self.shown.as_ref().is_some_and(|shown| is_repeat(shown, &step));
            let next = match &step {
                Step::Done { user, already } => {
                    drop(self.page.take());
                    done(self.context, user.as_ref(), *already);
                    return Ok(ExitCode::SUCCESS);
                }
                Step::Ask { flow, field, again, .. } => self.answer(&step, *flow, *field, again.as_ref())?,
                Step::Show { flow, .. } => {
                    if news {
                        self.show_code(&step);
                    }
                    self.client.wait(*flow)?
                }
                Step::Open { flow, .. } => {
                    if news {
                        self.open_page(*flow, &step);
                    }
                    self.client.wait(*flow)?
                }
            };
            self.shown = Some(step);
            step = next;
        }
    }

    fn answer(
        &mut self,
        step: &Step,
        flow: FlowId,
        field: Field,
        again: Option<&Failure>,
    ) -> Result<Step, Failure> {
        let json = self.context.options.json;
        let joined = std::mem::take(&mut self.options.may_join) && field == Field::Code;
        if joined && !json && !wants_to_go_on()? {
            self.client.call(Cancel { flow })?;
            return self.client.call(Login { scheme: self.options.scheme });
        }
        if field == Field::Token {
            if let Some(text) = self.options.token.take() {
                return self.client.call(Answer { flow, entry: Entry::Text(text) });
            }
            let asking_helps = self.context.options.token.is_none() && (json || io::stdin().is_terminal());
            if let Some(again) = again.filter(|_| !asking_helps) {
                self.client.call(Cancel { flow })?;
                return Err(again.clone());
            }
        }
        let text = if json {
            ask_in_json(flow, field, again);
            match self.stdin_or_step.next(&self.context.profile, &self.context.expect(), step) {
                LineOrStep::Line(line) => line?.map(|line| prompt::unwrap_json(&line)),
                LineOrStep::Step(next) => return next,
            }
        } else {
            question(field, again)?
        };
        let text = text.ok_or_else(|| input_ended(flow, field, again))?;
        let entry = match field {
            Field::Email => Entry::Text(text),
            Field::Code => code_or_email(text),
            Field::Token => Entry::Text(prompt::one_line(&text)?),
        };
        self.client.call(Answer { flow, entry })
    }

    fn show_code(&self, step: &Step) {
        let Step::Show { flow, url, complete_url, user_code, expires_at } = step else { return };
        if self.context.options.json {
            let mut line = json!({
                "type": "show", "flow": flow, "url": url, "user_code": user_code, "expires_at": expires_at,
            });
            if let Some(complete) = complete_url {
                line["complete_url"] = json!(complete);
            }
            return output::json(&line);
        }
        let address = complete_url.as_ref().unwrap_or(url);
        let code = words::DeviceCodeText {
            url: output::plain(url),
            user_code: output::plain(user_code),
            expires: dates::local_time(*expires_at, "%-I:%M:%S %p"),
            qr: everkey_proto::server_url::check(address).ok().and_then(|()| qr::for_terminal(address)),
        };
        output::line(match self.context.profile.provider {
            ProviderKind::Achilles => render::achilles::device_code(&code),
            _ => words::device_code(&code),
        });
    }

    fn open_page(&mut self, flow: FlowId, step: &Step) {
        let Step::Open { url, port, expires_at, .. } = step else { return };
        if self.context.options.json {
            output::json(&json!({
                "type": "open", "flow": flow, "url": url, "port": port,
            }));
            return self.listen(flow);
        }
        let until = dates::local_time(*expires_at, "%H:%M:%S");
        let address = output::plain(url);
        let no_browser = self.options.no_browser;
        if !no_browser {
            self.page = browser::open(url, &self.context.configuration.places.runtime);
        }
        if self.page.is_some() {
            output::line(words::opened(&address, *port, &until));
        } else {
            output::line(words::to_open(&address, *port, &until, !no_browser));
        }
        if no_browser || io::stdin().is_terminal() {
            self.listen(flow);
        }
    }

    /// Passes lines of standard input on as answers, while the sign-in waits for the browser.
    fn listen(&mut self, flow: FlowId) {
        if std::mem::replace(&mut self.listening, true) {
            return;
        }
        let (json, profile, expect) =
            (self.context.options.json, self.context.profile.clone(), self.context.expect());
        std::thread::spawn(move || {
            while let Ok(Some(line)) = prompt::line() {
                let text = prompt::unwrap_json(&line);
                if text.expose().trim().is_empty() {
                    continue;
                }
                let answered = Agent::connect().and_then(|mut agent| {
                    let entry = Entry::Text(text);
                    agent.for_profile(&profile).expecting(expect.clone()).call(Answer { flow, entry })
                });
                match answered {
                    Ok(_) => {}
                    Err(failure) if json => output::json(&output::failure_json(&failure)),
                    Err(failure) => output::error_line(format_args!(
                        "{} {}\nStill waiting.",
                        output::plain(&failure.message),
                        output::plain(&hint_text(&failure.hint))
                    )),
                }
            }
        });
    }
}

fn ask_in_json(flow: FlowId, field: Field, again: Option<&Failure>) {
    let mut line = json!({ "type": "ask", "flow": flow, "field": field });
    if let Some(again) = again {
        line["again"] = output::failure_json(again);
    }
    output::json(&line);
}

fn question(field: Field, again: Option<&Failure>) -> Result<Option<Secret>, Failure> {
    let (prompt, echo) = match field {
        Field::Email => ("Email: ", Echo::Shown),
        Field::Code => ("Code from the email: ", Echo::Hidden),
        Field::Token => ("Token: ", Echo::Hidden),
    };
    match again {
        Some(again) => output::error_line(format_args!("{} Try again.", output::plain(&again.message))),
        None => match field {
            Field::Code => output::error_line("A six-digit code is on its way to you."),
            Field::Token => output::error_line(
                "Paste an access token of that server (its page /dashboard/access-tokens makes one); it is not shown.",
            ),
            Field::Email => {}
        },
    }
    prompt::ask(prompt, echo)
}

fn input_ended(flow: FlowId, field: Field, again: Option<&Failure>) -> Failure {
    match again {
        // Whoever pipes a token in wants to know that it was refused, not that there was only one.
        Some(again) if field == Field::Token => again.clone(),
        _ => Failure::new(
            Code::BadRequest,
            "The input ended before the sign-in was finished.",
            format!("It waits ten minutes for: everkey auth answer {}", flow.0),
        ),
    }
}

/// A sign-in begun elsewhere can be finished here; a script always means a new one.
fn wants_to_go_on() -> Result<bool, Failure> {
    if !io::stdin().is_terminal() {
        return Ok(false);
    }
    output::error_line("A sign-in is under way, and its code has been sent.");
    let answer = prompt::ask("Press Enter to type that code, or n to begin anew: ", Echo::Shown)?;
    Ok(answer.is_some_and(|answer| !answer.expose().trim().eq_ignore_ascii_case("n")))
}

fn done(context: &Context, user: Option<&User>, already: bool) {
    if context.options.json {
        let profile = &context.profile.name;
        return output::json(
            &json!({ "type": "done", "profile": profile, "user": user, "already": already }),
        );
    }
    if context.profile.provider == ProviderKind::Achilles && !already {
        output::line("✓ Logged in successfully!");
    }
    let who = user.map(output::user);
    output::line(match (who, already) {
        (Some(who), false) => format!("Signed in as {who}."),
        (Some(who), true) => format!("Already signed in as {who}."),
        (None, false) => "Signed in; this server does not say who.".to_owned(),
        (None, true) => "Already signed in; this server does not say who.".to_owned(),
    });
    if already {
        output::line(format_args!("To change the account, run `{}` first.", context.command("logout")));
    }
}
