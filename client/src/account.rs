//! Questions about one account.

use crate::agent::{Agent, beside_the_point};
use everkey_proto::reply::{Inspection, Reminder, Revocation, Status, Step, Token, User};
use everkey_proto::{Expect, Failure, FlowId, Reply, Request, Scheme, Secret, Verb, When};
use sha2::{Digest, Sha256};
use std::time::Duration;

/// One account, asked through an [`Agent`].
pub struct Account<'a> {
    agent: &'a mut Agent,
    name: String,
    expect: Expect,
}

/// What a prompt callback says to a [`Step`].
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Answer {
    /// To [`Step::Ask`]: what was typed. To [`Step::Open`]: the address that a browser elsewhere ended at.
    Text(Secret),
    /// To [`Step::Show`] and [`Step::Open`]: the person has been told; wait for what they do.
    Wait,
    /// Give the sign-in up.
    Cancel,
}

impl<'a> Account<'a> {
    pub(crate) fn new(agent: &'a mut Agent, name: String, expect: Expect) -> Self {
        Self { agent, name, expect }
    }

    /// Its full name: `achilles/production` where `achilles` was asked for.
    pub fn name(&self) -> &str {
        &self.name
    }

    /// Counts on this server: where the account is signed in elsewhere, that is an error; a sign-in goes there.
    #[must_use]
    pub fn at(mut self, server: &str) -> Self {
        self.expect.server = Some(server.to_owned());
        self
    }

    /// Takes exactly this for granted.
    #[must_use]
    pub fn expecting(mut self, expect: Expect) -> Self {
        self.expect = expect;
        self
    }

    /// Who is signed in; none where the server does not say who.
    ///
    /// # Errors
    /// `NotSignedIn`, `NeedsLogin`, and whatever keeps the agent from answering.
    pub fn whoami(&mut self) -> Result<Option<User>, Failure> {
        match self.ask(Verb::Whoami)? {
            Reply::Whoami(user) => Ok(user),
            _ => Err(beside_the_point()),
        }
    }

    /// Everything there is to show, no secrets; also where nobody is signed in.
    ///
    /// # Errors
    /// Whatever keeps the agent from answering.
    pub fn status(&mut self) -> Result<Status, Failure> {
        match self.ask(Verb::Status)? {
            Reply::Status(status) => Ok(*status),
            _ => Err(beside_the_point()),
        }
    }

    /// A valid access token, for at least `min_validity` where the server gives one that long ([`Token::short`]).
    ///
    /// # Errors
    /// `NotSignedIn` and `NeedsLogin`: a person must sign in. `Offline`, `Timeout`: try again later.
    pub fn token(&mut self, min_validity: Duration) -> Result<Token, Failure> {
        let min_validity_secs = u32::try_from(min_validity.as_secs()).unwrap_or(u32::MAX);
        self.token_by(Verb::Token { min_validity_secs })
    }

    /// Another access token than this one, to which a server has answered 401 though it should be valid.
    ///
    /// # Errors
    /// As [`Account::token`]; `Refused` where there is no better one.
    pub fn better_than(&mut self, refused: &Secret) -> Result<Token, Failure> {
        let digest = Sha256::digest(refused.expose().trim());
        self.token_by(Verb::Better { than: digest.iter().map(|byte| format!("{byte:02x}")).collect() })
    }

    fn token_by(&mut self, verb: Verb) -> Result<Token, Failure> {
        match self.ask(verb)? {
            Reply::Token(token) => Ok(token),
            _ => Err(beside_the_point()),
        }
    }

    /// What the server says of a token: of this one, which is kept nowhere, or of the session's own.
    ///
    /// # Errors
    /// `NotSignedIn` where there is neither; `Offline` where the server can't be reached.
    pub fn inspect(&mut self, token: Option<Secret>) -> Result<Inspection, Failure> {
        match self.ask(Verb::Inspect { token })? {
            Reply::Inspected(inspection) => Ok(inspection),
            _ => Err(beside_the_point()),
        }
    }

    /// The re-audit reminder of whoever is signed in, if there is one. Answered without the network.
    ///
    /// # Errors
    /// `NotSignedIn` and `NeedsLogin`; `BadRequest` where this provider has no reminders.
    pub fn reminder(&mut self) -> Result<Option<Reminder>, Failure> {
        match self.ask(Verb::Reminder)? {
            Reply::Reminder(reminder) => Ok(reminder),
            _ => Err(beside_the_point()),
        }
    }

    /// Sets the reminder, in place of the one there is. It is kept here before the api-server is told, which goes on until
    /// it is done ([`Reminder::upstream`]).
    ///
    /// # Errors
    /// As [`Account::reminder`]; `BadRequest` for a time that is past or more than 365 days ahead; `Storage`.
    pub fn set_reminder(&mut self, when: When) -> Result<Reminder, Failure> {
        match self.ask(Verb::SetReminder { when })? {
            Reply::Reminder(Some(reminder)) => Ok(reminder),
            _ => Err(beside_the_point()),
        }
    }

    /// Clears the reminder; that there was none is no error.
    ///
    /// # Errors
    /// As [`Account::reminder`]; `Storage`.
    pub fn clear_reminder(&mut self) -> Result<(), Failure> {
        match self.ask(Verb::ClearReminder)? {
            Reply::Reminder(None) => Ok(()),
            _ => Err(beside_the_point()),
        }
    }

    /// Signs out: the local session is gone whatever the network says. What the server knows of it is returned.
    ///
    /// # Errors
    /// `Storage`, and whatever keeps the agent from answering.
    pub fn logout(&mut self) -> Result<Revocation, Failure> {
        match self.ask(Verb::Logout)? {
            Reply::LoggedOut(revocation) => Ok(revocation),
            _ => Err(beside_the_point()),
        }
    }

    /// Signs in by the account's own scheme. `prompt` is called with every new step and says what to do; the step it is
    /// called with last is never [`Step::Done`]. Returns who signed in, if the server says so.
    ///
    /// # Errors
    /// What the server refuses, what `prompt` returns, and `FlowGone` after [`Answer::Cancel`].
    pub fn login(
        &mut self,
        scheme: Option<Scheme>,
        mut prompt: impl FnMut(&Step) -> Result<Answer, Failure>,
    ) -> Result<Option<User>, Failure> {
        let mut step = self.step(Verb::Login { scheme })?;
        let mut told: Option<Step> = None;
        loop {
            let flow = match &step {
                Step::Done { user, .. } => return Ok(user.clone()),
                Step::Ask { flow, .. } | Step::Show { flow, .. } | Step::Open { flow, .. } => *flow,
            };
            // While it waits the agent repeats itself; a question that comes again is a new one.
            let repeated = told.as_ref().is_some_and(|told| is_repeat(told, &step));
            let answer = if repeated { Answer::Wait } else { prompt(&step)? };
            told = Some(step);
            step = match answer {
                Answer::Text(text) => self.step(Verb::Answer { flow, text })?,
                Answer::Wait => self.wait(flow)?,
                Answer::Cancel => self.step(Verb::Cancel { flow })?,
            };
        }
    }

    /// The next step of a sign-in, or the same one again after some seconds.
    ///
    /// # Errors
    /// What ended the sign-in.
    pub fn wait(&mut self, flow: FlowId) -> Result<Step, Failure> {
        self.step(Verb::Wait { flow })
    }

    /// One exchange of a sign-in.
    ///
    /// # Errors
    /// What ended the sign-in, or what is wrong with an answer.
    pub fn step(&mut self, verb: Verb) -> Result<Step, Failure> {
        match self.ask(verb)? {
            Reply::Step(step) => Ok(step),
            Reply::LoggedOut(_) => Err(given_up()),
            _ => Err(beside_the_point()),
        }
    }

    /// Asks in the words of the wire.
    ///
    /// # Errors
    /// What the agent refuses.
    pub fn ask(&mut self, verb: Verb) -> Result<Reply, Failure> {
        self.agent.ask(&Request { profile: Some(self.name.clone()), expect: self.expect.clone(), verb })
    }
}

/// Whether a step that waits only says again what the one before it said; a question that comes again is a new one.
/// The time of expiry may differ by a second, as clocks are read anew.
pub fn is_repeat(before: &Step, step: &Step) -> bool {
    match (before, step) {
        (Step::Show { flow, url, user_code, .. }, Step::Show { flow: f, url: u, user_code: code, .. }) => {
            (flow, url, user_code) == (f, u, code)
        }
        (Step::Open { flow, url, .. }, Step::Open { flow: f, url: u, .. }) => (flow, url) == (f, u),
        (Step::Ask { .. } | Step::Done { .. } | Step::Show { .. } | Step::Open { .. }, _) => false,
    }
}

fn given_up() -> Failure {
    Failure::new(everkey_proto::Code::FlowGone, "The sign-in was given up.", "Nothing was changed.")
}

#[cfg(test)]
mod tests {
    use super::*;
    use everkey_proto::reply::Field;

    #[test]
    fn only_news_is_told() {
        let open =
            |flow, expires_at| Step::Open { flow: FlowId(flow), url: "u".to_owned(), port: 1, expires_at };
        assert!(is_repeat(&open(1, 10), &open(1, 11)));
        assert!(!is_repeat(&open(1, 10), &open(2, 10)));
        let ask = Step::Ask { flow: FlowId(1), field: Field::Code, tries: 3, again: None, sent: None };
        assert!(!is_repeat(&ask, &ask));
    }
}
