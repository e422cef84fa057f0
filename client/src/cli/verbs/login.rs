//! `everkey auth login`: goes through the sign-in's steps; what is typed, shown and opened happens here.

use crate::cli::context::Context;
use crate::cli::ears::{Ears, Heard};
use crate::cli::input::{self, Echo};
use crate::cli::options::TokenOption;
use crate::cli::render::{self, login as words};
use crate::cli::{browser, qr, show};
use everkey_client::sources::{self, Origin};
use everkey_client::{
    Account, Agent, Failure, Field, FlowId, Scheme, Secret, Step, User, environment, is_repeat,
};
use everkey_proto::{Code, ProviderKind, Verb};
use serde_json::json;
use std::io::{self, IsTerminal};
use std::process::ExitCode;
use tempfile::NamedTempFile;

/// Whether the flow may have been begun by somebody else.
#[derive(Clone, Copy, PartialEq, Eq)]
pub enum Joined {
    /// Its first question may be in the middle of it.
    Perhaps,
    /// It goes on from here.
    No,
}

pub fn run(context: &Context) -> Result<ExitCode, Failure> {
    let scheme = scheme(context)?;
    let token = match &context.options().token {
        Some(TokenOption::Given(token)) => {
            show::err(
                "warning: other users can see a token on the command line; `--token -` reads it from stdin",
            );
            Some(input::one_line(token)?)
        }
        Some(TokenOption::StandardInput) => Some(input::token()?),
        None => None,
    };
    let mut agent = context.agent()?;
    let mut expect = context.expect();
    if expect.server.is_none() && context.profile.provider == ProviderKind::Achilles {
        // Its own tool may have changed the server since the agent has read its configuration.
        expect.server = configured_server(context);
    }
    let mut account = context.account(&mut agent).expecting(expect);
    if !context.json() {
        say_where(context, &mut account);
    }
    let step = account.step(Verb::Login { scheme })?;
    SignIn::new(context, account, token, Joined::Perhaps).follow(step)
}

/// The scheme that the options ask for, if the provider has it.
fn scheme(context: &Context) -> Result<Option<Scheme>, Failure> {
    let options = context.options();
    let scheme = options.scheme.or(options.token.as_ref().map(|_| Scheme::Token));
    let offered = context.profile.provider.schemes();
    let Some(unknown) = scheme.filter(|scheme| !offered.contains(scheme)) else { return Ok(scheme) };
    let words: Vec<&str> = offered.iter().map(|scheme| scheme.word()).collect();
    let hint = match (context.profile.provider, unknown) {
        (ProviderKind::DotAi, Scheme::Token) => {
            "Set DOT_AI_AUTH_TOKEN, or put the token into the file as auth_token.".to_owned()
        }
        _ => "Leave out --scheme and --token.".to_owned(),
    };
    let message = format!("{} signs in by {}.", context.profile.provider.word(), words.join(" or "));
    Err(Failure::new(Code::BadRequest, message, hint))
}

fn configured_server(context: &Context) -> Option<String> {
    let named = sources::named_servers(&context.profile, None, environment::text);
    named.into_iter().find(|named| named.origin == Origin::Configuration).map(|named| named.server)
}

/// A person should see which server is about to be told: the agent may have been started with another one.
fn say_where(context: &Context, account: &mut Account<'_>) {
    let named = context.expect().server.or_else(|| match context.profile.provider {
        ProviderKind::Achilles => configured_server(context),
        _ => None,
    });
    let Some(server) = named.or_else(|| account.status().ok().map(|status| status.server)) else { return };
    match context.profile.provider {
        ProviderKind::Achilles => show::out(format_args!("Authenticating with {}", show::plain(&server))),
        _ => show::err(format_args!("Signing in at {}", show::plain(&server))),
    }
}

/// A sign-in as this terminal sees it.
pub struct SignIn<'a> {
    context: &'a Context,
    account: Account<'a>,
    token: Option<Secret>,
    joined: Joined,
    told: Option<Step>,
    listening: bool,
    ears: Ears,
    page: Option<NamedTempFile>,
}

impl<'a> SignIn<'a> {
    /// One that begins with the next step.
    pub fn new(context: &'a Context, account: Account<'a>, token: Option<Secret>, joined: Joined) -> Self {
        Self { context, account, token, joined, told: None, listening: false, ears: Ears::new(), page: None }
    }

    /// Goes through the steps to the end.
    pub fn follow(mut self, mut step: Step) -> Result<ExitCode, Failure> {
        loop {
            // While it waits, the agent repeats itself.
            let news = !self.told.as_ref().is_some_and(|told| is_repeat(told, &step));
            let next = match &step {
                Step::Done { user, already } => {
                    drop(self.page.take());
                    done(self.context, user.as_ref(), *already);
                    return Ok(ExitCode::SUCCESS);
                }
                Step::Ask { flow, field, again, .. } => self.asked(&step, *flow, *field, again.as_ref())?,
                Step::Show { flow, .. } => {
                    if news {
                        self.shown(&step);
                    }
                    self.account.wait(*flow)?
                }
                Step::Open { flow, .. } => {
                    if news {
                        self.opened(*flow, &step);
                    }
                    self.account.wait(*flow)?
                }
            };
            self.told = Some(step);
            step = next;
        }
    }

    fn asked(
        &mut self,
        step: &Step,
        flow: FlowId,
        field: Field,
        again: Option<&Failure>,
    ) -> Result<Step, Failure> {
        let json = self.context.json();
        let middle = self.joined == Joined::Perhaps && field == Field::Code;
        self.joined = Joined::No;
        if middle && !json && !wants_to_go_on()? {
            self.account.ask(Verb::Cancel { flow })?;
            return self.account.step(Verb::Login { scheme: self.context.options().scheme });
        }
        if field == Field::Token {
            if let Some(text) = self.token.take() {
                return self.account.step(Verb::Answer { flow, text });
            }
            let asking_helps = self.context.options().token.is_none() && (json || io::stdin().is_terminal());
            if let Some(again) = again.filter(|_| !asking_helps) {
                self.account.ask(Verb::Cancel { flow })?;
                return Err(again.clone());
            }
        }
        let text = if json {
            ask_in_json(flow, field, again);
            match self.ears.hear(&self.context.profile, &self.context.expect(), step) {
                Heard::Line(line) => line?.map(|line| input::unwrapped(&line)),
                Heard::Step(next) => return next,
            }
        } else {
            question(field, again)?
        };
        let text = text.ok_or_else(|| input_ended(flow, field, again))?;
        let text = if field == Field::Token { input::one_line(&text)? } else { text };
        self.account.step(Verb::Answer { flow, text })
    }

    fn shown(&self, step: &Step) {
        let Step::Show { flow, url, complete_url, user_code, expires_at } = step else { return };
        if self.context.json() {
            let mut line = json!({
                "type": "show", "flow": flow, "url": url, "user_code": user_code, "expires_at": expires_at,
            });
            if let Some(complete) = complete_url {
                line["complete_url"] = json!(complete);
            }
            return show::json(&line);
        }
        let address = complete_url.as_ref().unwrap_or(url);
        let shown = words::Shown {
            url: show::plain(url),
            user_code: show::plain(user_code),
            expires: show::local_time(*expires_at, "%-I:%M:%S %p"),
            qr: everkey_proto::address::check(address).ok().and_then(|()| qr::for_terminal(address)),
        };
        show::out(match self.context.profile.provider {
            ProviderKind::Achilles => render::achilles::shown(&shown),
            _ => words::shown(&shown),
        });
    }

    fn opened(&mut self, flow: FlowId, step: &Step) {
        let Step::Open { url, port, expires_at, .. } = step else { return };
        if self.context.json() {
            show::json(&json!({
                "type": "open", "flow": flow, "url": url, "port": port,
            }));
            return self.listen(flow);
        }
        let until = show::local_time(*expires_at, "%H:%M:%S");
        let address = show::plain(url);
        let no_browser = self.context.options().no_browser;
        if !no_browser {
            self.page = browser::open(url, &self.context.setup.places.runtime);
        }
        if self.page.is_some() {
            show::out(words::opened(&address, *port, &until));
        } else {
            show::out(words::to_open(&address, *port, &until, !no_browser));
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
            (self.context.json(), self.context.profile.clone(), self.context.expect());
        std::thread::spawn(move || {
            while let Ok(Some(line)) = input::line() {
                let text = input::unwrapped(&line);
                if text.expose().trim().is_empty() {
                    continue;
                }
                let told = Agent::connect().and_then(|mut agent| {
                    agent.account_of(&profile).expecting(expect.clone()).ask(Verb::Answer { flow, text })
                });
                match told {
                    Ok(_) => {}
                    Err(failure) if json => show::json(&show::error(&failure)),
                    Err(failure) => show::err(format_args!(
                        "{} {}\nStill waiting.",
                        show::plain(&failure.message),
                        show::plain(&failure.hint)
                    )),
                }
            }
        });
    }
}

fn ask_in_json(flow: FlowId, field: Field, again: Option<&Failure>) {
    let mut line = json!({ "type": "ask", "flow": flow, "field": field });
    if let Some(again) = again {
        line["again"] = show::error(again);
    }
    show::json(&line);
}

fn question(field: Field, again: Option<&Failure>) -> Result<Option<Secret>, Failure> {
    let (prompt, echo) = match field {
        Field::Email => ("Email: ", Echo::Shown),
        Field::Code => ("Code from the email: ", Echo::Hidden),
        Field::Token => ("Token: ", Echo::Hidden),
    };
    match again {
        Some(again) => show::err(format_args!("{} Try again.", show::plain(&again.message))),
        None => match field {
            Field::Code => show::err("A six-digit code is on its way to you."),
            Field::Token => show::err("Paste an access token from the dashboard; it is not shown."),
            Field::Email => {}
        },
    }
    input::answer(prompt, echo)
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
    show::err("A sign-in is under way, and its code has been sent.");
    let answer = input::answer("Press Enter to type that code, or n to begin anew: ", Echo::Shown)?;
    Ok(answer.is_some_and(|answer| !answer.expose().trim().eq_ignore_ascii_case("n")))
}

fn done(context: &Context, user: Option<&User>, already: bool) {
    if context.json() {
        let profile = &context.profile.name;
        return show::json(&json!({ "type": "done", "profile": profile, "user": user, "already": already }));
    }
    if context.profile.provider == ProviderKind::Achilles && !already {
        show::out("✓ Logged in successfully!");
    }
    let who = user.map(show::user);
    show::out(match (who, already) {
        (Some(who), false) => format!("Signed in as {who}."),
        (Some(who), true) => format!("Already signed in as {who}."),
        (None, false) => "Signed in; this server does not say who.".to_owned(),
        (None, true) => "Already signed in; this server does not say who.".to_owned(),
    });
    if already {
        show::out(format_args!("To change the account, run `{}` first.", context.command("logout")));
    }
}
