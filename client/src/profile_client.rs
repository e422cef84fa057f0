//! Requests about one profile.

use crate::connection::unexpected_reply;
use crate::lasting_connection::LastingConnection;
use everkey_proto::pasted;
use everkey_proto::reply::{CodeSent, Field, Inspection, LoggedOut, Reminder, Status, Step, Token, User};
use everkey_proto::request::{
    self, Answer, Better, ClearReminder, Inspect, Leave, Login, Logout, ProfileCall, SetReminder, UnderWay,
    Wait, Whoami,
};
use everkey_proto::{Entry, Expect, Failure, Fingerprint, FlowId, Request, Secret, SignInMethod, When};
use std::time::Duration;

/// Requests about one profile, through the connection of an `Agent`.
pub struct ProfileClient<'a> {
    connection: &'a mut LastingConnection,
    name: String,
    expect: Expect,
}

/// What the callback of [`ProfileClient::login`] answers to a [`Step`].
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum PromptReply {
    /// To [`Step::Ask`]: what was typed. To [`Step::Open`]: the address that a browser elsewhere ended at.
    Enter(Entry),
    /// To [`Step::Show`] and [`Step::Open`]: the page or code has been shown; wait until the person has used it.
    Wait,
    /// To any step: give the sign-in up. It goes on for others who have joined it.
    Cancel,
}

impl<'a> ProfileClient<'a> {
    pub(crate) fn new(connection: &'a mut LastingConnection, name: String, expect: Expect) -> Self {
        Self { connection, name, expect }
    }

    /// The profile's full name: `achilles/production` where `achilles` was asked for.
    pub fn name(&self) -> &str {
        &self.name
    }

    /// Expects this server: requests fail with `Mismatch` where the profile is signed in elsewhere, and a sign-in
    /// goes there.
    #[must_use]
    pub fn at(mut self, server: &str) -> Self {
        self.expect.server = Some(server.to_owned());
        self
    }

    /// Expects exactly this server and session file, in place of what the environment says.
    #[must_use]
    pub fn expecting(mut self, expect: Expect) -> Self {
        self.expect = expect;
        self
    }

    /// Who is signed in; `None` where somebody is and the server does not say who. Answered without the network.
    ///
    /// # Errors
    /// `NotSignedIn`, `NeedsLogin`, and whatever keeps the agent from answering.
    pub fn whoami(&mut self) -> Result<Option<User>, Failure> {
        self.call(Whoami)
    }

    /// Server, user, state and expiry, no secrets; also where nobody is signed in.
    ///
    /// # Errors
    /// Whatever keeps the agent from answering.
    pub fn status(&mut self) -> Result<Status, Failure> {
        self.call(request::Status)
    }

    /// A valid access token, good for at least `min_validity` (whole seconds); [`Token::short`] says why where it is
    /// good for less.
    ///
    /// # Errors
    /// `NotSignedIn` and `NeedsLogin`: a person must sign in. `Offline`, `Timeout`: try again later.
    pub fn token(&mut self, min_validity: Duration) -> Result<Token, Failure> {
        let min_validity_secs = u32::try_from(min_validity.as_secs()).unwrap_or(u32::MAX);
        self.call(request::Token { min_validity_secs })
    }

    /// Another access token than this one, to which a server has answered 401 though it should be valid.
    ///
    /// # Errors
    /// As [`ProfileClient::token`]; `Refused` where there is no better one.
    pub fn better_than(&mut self, refused: &Secret) -> Result<Token, Failure> {
        self.call(Better { than: Fingerprint::of(&Secret::new(refused.expose().trim())) })
    }

    /// Asks the server whose a token is: this one, which is stored nowhere, or with `None` the session's own.
    ///
    /// # Errors
    /// `NotSignedIn` where there is neither; `Offline` where the server can't be reached.
    pub fn inspect(&mut self, token: Option<Secret>) -> Result<Inspection, Failure> {
        self.call(Inspect { token })
    }

    /// The re-audit reminder of whoever is signed in; `None` where none is set. Answered without the network.
    ///
    /// # Errors
    /// `NotSignedIn` and `NeedsLogin`; `BadRequest` where this provider has no reminders.
    pub fn reminder(&mut self) -> Result<Option<Reminder>, Failure> {
        self.call(request::Reminder)
    }

    /// Sets the reminder, in place of the one there is. It is kept here before the api-server is told, which goes on until
    /// it is done ([`Reminder::upstream`]).
    ///
    /// # Errors
    /// As [`ProfileClient::reminder`]; `BadRequest` for a time that is past or more than 365 days ahead; `Storage`.
    pub fn set_reminder(&mut self, when: When) -> Result<Reminder, Failure> {
        self.call(SetReminder { when })?.ok_or_else(unexpected_reply)
    }

    /// Clears the reminder; that there was none is no error.
    ///
    /// # Errors
    /// As [`ProfileClient::reminder`]; `Storage`.
    pub fn clear_reminder(&mut self) -> Result<(), Failure> {
        match self.call(ClearReminder)? {
            None => Ok(()),
            Some(_) => Err(unexpected_reply()),
        }
    }

    /// Signs out. The local session is gone whatever the network says; returns what the server knows of it.
    ///
    /// # Errors
    /// `Storage`, and whatever keeps the agent from answering.
    pub fn logout(&mut self) -> Result<LoggedOut, Failure> {
        self.call(Logout)
    }

    /// Signs in, by `scheme` or by the profile's own. `prompt` is called with each new step, never with
    /// [`Step::Done`], and says what to do. Returns who signed in, `None` where the server does not say.
    ///
    /// # Errors
    /// What the server refuses, what `prompt` returns, and `FlowGone` after [`PromptReply::Cancel`]. `InProgress` where
    /// somebody else's sign-in is under way: [`Failure::under_way`] says whose; [`ProfileClient::login_despite`] goes on.
    pub fn login(
        &mut self,
        scheme: Option<SignInMethod>,
        prompt: impl FnMut(&Step) -> Result<PromptReply, Failure>,
    ) -> Result<Option<User>, Failure> {
        self.follow(Login { scheme, under_way: None }, prompt)
    }

    /// The same where a sign-in is under way: joins that one, or begins another in its place.
    ///
    /// # Errors
    /// As [`ProfileClient::login`]; `InProgress` where another one is under way by now.
    pub fn login_despite(
        &mut self,
        under_way: UnderWay,
        scheme: Option<SignInMethod>,
        prompt: impl FnMut(&Step) -> Result<PromptReply, Failure>,
    ) -> Result<Option<User>, Failure> {
        self.follow(Login { scheme, under_way: Some(under_way) }, prompt)
    }

    fn follow(
        &mut self,
        login: Login,
        mut prompt: impl FnMut(&Step) -> Result<PromptReply, Failure>,
    ) -> Result<Option<User>, Failure> {
        let mut step = self.call(login)?;
        let mut told: Option<Step> = None;
        loop {
            let flow = match &step {
                Step::Done { user, .. } => return Ok(user.clone()),
                Step::Ask { flow, .. } | Step::Show { flow, .. } | Step::Open { flow, .. } => *flow,
            };
            // While it waits the agent repeats itself; a question that comes again is a new one.
            let repeated = told.as_ref().is_some_and(|told| is_repeat(told, &step));
            let answer = if repeated { PromptReply::Wait } else { prompt(&step)? };
            told = Some(step);
            step = match answer {
                PromptReply::Enter(entry) => self.call(Answer { flow, entry })?,
                PromptReply::Wait => self.wait(flow)?,
                PromptReply::Cancel => {
                    self.call(Leave { flow })?;
                    return Err(given_up());
                }
            };
        }
    }

    /// The next step of a sign-in, or the same one again after 20 seconds.
    ///
    /// # Errors
    /// What ended the sign-in.
    pub fn wait(&mut self, flow: FlowId) -> Result<Step, Failure> {
        self.call(Wait { flow })
    }

    /// Sends one request about this profile and waits for its reply, at most 45 seconds.
    ///
    /// # Errors
    /// What the agent answers instead, and `NoAgent` where the connection breaks.
    pub fn call<C: ProfileCall>(&mut self, call: C) -> Result<C::Reply, Failure> {
        let (profile, expect) = (Some(self.name.clone()), self.expect.clone());
        self.connection.ask::<C>(&Request::Profile { profile, expect, request: call.into() })
    }
}

/// What was typed where a code is asked for, as an answer: an address asks for another code, to be sent there.
pub fn code_or_email(text: Secret) -> Entry {
    let typed = pasted::address(text.expose());
    let is_email = typed.split_once('@').is_some_and(|(name, host)| !name.is_empty() && !host.is_empty())
        && !typed.contains(char::is_whitespace);
    if is_email { Entry::Email(typed) } else { Entry::Text(text) }
}

/// What was typed for a field, as an answer. A code goes with the address that it was sent to, so that it can't be taken
/// for another person's who has joined the sign-in meanwhile.
pub fn entry_for(field: Field, sent: Option<&CodeSent>, text: Secret) -> Entry {
    match (field, code_or_email(text.clone()), sent) {
        (Field::Email | Field::Code, email @ Entry::Email(_), _) => email,
        (Field::Code, _, Some(sent)) => Entry::Code { email: sent.to.clone(), code: text },
        (Field::Email | Field::Code | Field::SecondFactor | Field::Token, _, _) => Entry::Text(text),
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

    #[test]
    fn an_address_at_the_code_prompt_asks_for_another_code() {
        let typed = |text: &str| code_or_email(Secret::new(text));
        for email in [" a@b.c ", "<a@b.c>\n", "\u{1b}[200~a@b.c\u{1b}[201~"] {
            assert_eq!(typed(email), Entry::Email("a@b.c".to_owned()));
        }
        for code in ["123 456", "a@b.c 123456", "@", ""] {
            assert_eq!(typed(code), Entry::Text(Secret::new(code)));
        }
    }

    #[test]
    fn a_code_goes_with_the_address_it_was_sent_to() {
        let sent = CodeSent { to: "a@b.c".to_owned(), expires_in: None, resend_available_in: None };
        let code = || Secret::new("123456");
        let pair = Entry::Code { email: "a@b.c".to_owned(), code: code() };
        assert_eq!(entry_for(Field::Code, Some(&sent), code()), pair);
        assert_eq!(entry_for(Field::Code, None, code()), Entry::Text(code()));
        assert_eq!(entry_for(Field::SecondFactor, Some(&sent), code()), Entry::Text(code()));
        let email = || Secret::new("d@e.f");
        for field in [Field::Email, Field::Code] {
            assert_eq!(entry_for(field, Some(&sent), email()), Entry::Email("d@e.f".to_owned()));
        }
        assert_eq!(entry_for(Field::Email, None, Secret::new("typo")), Entry::Text(Secret::new("typo")));
    }

    #[test]
    fn an_unchanged_step_is_a_repeat() {
        let open =
            |flow, expires_at| Step::Open { flow: FlowId(flow), url: "u".to_owned(), port: 1, expires_at };
        assert!(is_repeat(&open(1, 10), &open(1, 11)));
        assert!(!is_repeat(&open(1, 10), &open(2, 10)));
        let ask = Step::Ask { flow: FlowId(1), field: Field::Code, tries: 3, again: None, sent: None };
        assert!(!is_repeat(&ask, &ask));
    }
}
