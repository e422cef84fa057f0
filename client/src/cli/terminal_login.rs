//! A sign-in in the terminal: goes through its steps; what is typed, shown and opened happens here.

use crate::cli::context::Context;
use crate::cli::render::{self, login as words};
use crate::cli::terminal::code_file::CodeFile;
use crate::cli::terminal::prompt::{self, AddressLines, Echo, LineEnd, Typed};
use crate::cli::terminal::stdin_or_step::{LineOrStep, StdinOrStep};
use crate::cli::terminal::step_watch::StepWatch;
use crate::cli::terminal::{browser, dates, key_by_key, output, progress, qr};
use everkey_client::request::{Answer, Leave};
use everkey_client::{
    Agent, Entry, Failure, Field, FlowId, ProfileClient, Secret, Step, User, entry_for, hint_text, is_repeat,
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
    pub no_browser: bool,
    /// The token to answer with, where one is asked for.
    pub token: Option<Secret>,
    /// The same for the email address.
    pub email: Option<String>,
    /// The same for the code.
    pub code_file: Option<CodeFile>,
}

/// Which answers the command line has.
#[derive(Clone, Copy)]
struct Given {
    email: bool,
    code: bool,
}

/// A sign-in as this terminal sees it.
pub struct TerminalLogin<'a> {
    context: &'a Context,
    client: ProfileClient<'a>,
    options: LoginOptions,
    was_given: Given,
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
        let was_given = Given { email: options.email.is_some(), code: options.code_file.is_some() };
        Self { context, client, options, was_given, shown: None, listening: false, stdin_or_step, page: None }
    }

    /// Goes through the steps to the end.
    pub fn follow(mut self, mut step: Step) -> Result<ExitCode, Failure> {
        self.leave_on_ctrl_c(&step);
        loop {
            // While it waits, the agent repeats itself.
            let news = !self.shown.as_ref().is_some_and(|shown| is_repeat(shown, &step));
            let next = match &step {
                Step::Done { user, already } => {
                    drop(self.page.take());
                    done(self.context, user.as_ref(), *already);
                    return Ok(ExitCode::SUCCESS);
                }
                Step::Ask { .. } => self.answer(&step)?,
                Step::Show { flow, .. } => {
                    if news {
                        self.show_code(&step);
                    }
                    self.wait(*flow)?
                }
                Step::Open { flow, .. } => {
                    if news {
                        self.open_page(*flow, &step);
                    }
                    self.wait(*flow)?
                }
            };
            self.shown = Some(step);
            step = next;
        }
    }

    /// Ctrl-C gives the sign-in up, unless somebody else has joined it.
    fn leave_on_ctrl_c(&self, step: &Step) {
        let flow = match step {
            Step::Ask { flow, .. } | Step::Show { flow, .. } | Step::Open { flow, .. } => *flow,
            Step::Done { .. } => return,
        };
        let (profile, expect) = (self.context.profile.clone(), self.context.expect());
        key_by_key::before_ctrl_c(move || {
            if let Ok(Some(mut agent)) = Agent::find() {
                let _ = agent.for_profile(&profile).expecting(expect).call(Leave { flow });
            }
        });
    }

    /// The next step. A sign-in by device code goes on in the agent's next life, and so does this.
    fn wait(&mut self, flow: FlowId) -> Result<Step, Failure> {
        match self.client.wait(flow) {
            Err(failure) if failure.code == Code::NoAgent => {
                let mut agent = self.context.agent()?;
                agent.for_profile(&self.context.profile).expecting(self.context.expect()).wait(flow)
            }
            next => next,
        }
    }

    fn answer(&mut self, step: &Step) -> Result<Step, Failure> {
        let Step::Ask { flow, field, again, sent, .. } = step else { return Ok(step.clone()) };
        let (flow, field) = (*flow, *field);
        let text = match self.given(field)? {
            Some(text) => Some(text),
            None => {
                if let Some(again) = again.as_ref().filter(|_| !self.asking_helps(field)) {
                    return Err(self.given_in_vain(flow, field, again));
                }
                match self.ask(step)? {
                    LineOrStep::Line(line) => line?,
                    LineOrStep::Step(next) => return next,
                }
            }
        };
        let text = text.ok_or_else(|| self.input_ended(field, again.as_ref()))?;
        let at_terminal = !self.context.options.json && io::stdin().is_terminal();
        let text = match field {
            // At a terminal it is asked for again, with the reason.
            Field::Token if !at_terminal => prompt::one_line(&text)?,
            Field::Email | Field::Code | Field::SecondFactor | Field::Token => text,
        };
        let entry = entry_for(field, sent.as_ref(), text);
        progress::during(progress::SERVER, || self.client.call(Answer { flow, entry }))
    }

    /// The answer that the command line has for this question; once.
    fn given(&mut self, field: Field) -> Result<Option<Secret>, Failure> {
        match field {
            Field::Email => Ok(self.options.email.take().map(Secret::new)),
            Field::Code => self.options.code_file.take().map(|file| file.read()).transpose(),
            Field::Token => Ok(self.options.token.take()),
            Field::SecondFactor => Ok(None),
        }
    }

    /// Whether a question that comes again can be answered here: not where the command line had the answer, unless
    /// somebody is there.
    fn asking_helps(&self, field: Field) -> bool {
        let at_hand = self.context.options.json || io::stdin().is_terminal();
        match field {
            Field::Token => self.context.options.token.is_none() && at_hand,
            Field::Email => !self.was_given.email || at_hand,
            Field::Code => !self.was_given.code || at_hand,
            Field::SecondFactor => true,
        }
    }

    /// Why the answer on the command line would not do. A code can be given again; anything else begins anew.
    fn given_in_vain(&mut self, flow: FlowId, field: Field, why: &Failure) -> Failure {
        let mut failure = why.clone();
        if field == Field::Code {
            let again = self.context.command("login --continue");
            failure.hint = format!("Go on with: {again} --code-file FILE").into();
        } else {
            // Whether or not the agent hears of it, this command has ended.
            let _ = self.client.call(Leave { flow });
        }
        failure
    }

    /// Puts the question to whoever is at standard input, until somebody answers it elsewhere.
    fn ask(&mut self, step: &Step) -> Result<LineOrStep, Failure> {
        let expect = self.context.expect();
        if self.context.options.json {
            output::json_step(step);
            return Ok(match self.stdin_or_step.next(&self.context.profile, &expect, step) {
                LineOrStep::Line(line) => {
                    LineOrStep::Line(line.map(|line| line.map(|line| prompt::unwrap_json(&line))))
                }
                step @ LineOrStep::Step(_) => step,
            });
        }
        let watch = StepWatch::begin(&self.context.profile, &expect, step);
        question(step, watch.ok().as_ref())
    }

    fn input_ended(&self, field: Field, again: Option<&Failure>) -> Failure {
        match again {
            // Whoever pipes a token in wants to know that it was refused, not that there was only one.
            Some(again) if field == Field::Token => again.clone(),
            _ => Failure::new(
                Code::BadRequest,
                "The input ended before the sign-in was finished.",
                format!("It waits for ten minutes. Go on with: {}", self.context.command("login --continue")),
            ),
        }
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
            expires: match self.context.profile.provider {
                // As its document has it.
                ProviderKind::Achilles => dates::in_form(*expires_at, "%-I:%M:%S %p"),
                _ => dates::clock(*expires_at),
            },
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
        let until = dates::clock(*expires_at);
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
            let mut addresses = AddressLines::default();
            let mut next = || if json { prompt::ask("", Echo::Shown) } else { addresses.next() };
            while let Ok(Some(line)) = next() {
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

/// Asks on the terminal. Enter alone is no answer there.
fn question(step: &Step, watch: Option<&StepWatch>) -> Result<LineOrStep, Failure> {
    let Step::Ask { field, tries, again, sent, .. } = step else { return Ok(LineOrStep::Line(Ok(None))) };
    match again {
        Some(again) => output::error_line(words::again(*field, again, *tries)),
        None => words::before_question(*field, sent.as_ref()).into_iter().for_each(output::error_line),
    }
    let (prompt, echo, end) = match field {
        Field::Email => ("Email: ", Echo::Shown, LineEnd::Paste),
        Field::Code => ("Code from the email (not shown): ", Echo::Hidden, LineEnd::Enter),
        Field::SecondFactor => {
            ("Code of your app, or a recovery code (not shown): ", Echo::Hidden, LineEnd::Enter)
        }
        Field::Token => ("Token (not shown): ", Echo::Hidden, LineEnd::Enter),
    };
    if !io::stdin().is_terminal() {
        return Ok(LineOrStep::Line(prompt::line()));
    }
    let mut watch = watch;
    loop {
        match prompt::ask_until(prompt, echo, end, watch.map(StepWatch::news))? {
            Typed::Line(text) if text.expose().trim().is_empty() => {}
            Typed::Line(text) => return Ok(LineOrStep::Line(Ok(Some(text)))),
            Typed::End => return Ok(LineOrStep::Line(Ok(None))),
            // Where the agent is gone, the answer starts another.
            Typed::Interrupted => {
                if let Some(next) = watch.take().and_then(StepWatch::step) {
                    return Ok(LineOrStep::Step(next));
                }
            }
        }
    }
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
