//! A code by email: address, code, tokens. Three tries at the address, five at the code, again only when refused.

use crate::answer_flaw::AnswerFlaw;
use crate::error::{Error, NetError, Rejected};
use crate::login::next_step::{NextStep, Prompt};
use crate::login_call::{LoginAnswer, LoginCall};
use everkey_proto::reply::{CodeSent, Field};
use everkey_proto::{Entry, Secret, pasted};

const EMAIL_TRIES: u8 = 3;
const CODE_TRIES: u8 = 5;
const SECOND_FACTOR_TRIES: u8 = 5;

#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) enum Otp {
    AskEmail {
        tries: u8,
    },
    /// `before` if a code was sent already, which goes on to work if no other comes.
    Requesting {
        email: String,
        tries: u8,
        before: Option<(SentCode, u8)>,
    },
    AskCode {
        sent: SentCode,
        tries: u8,
    },
    /// `before` if a code was sent to another address, which goes on to work if this one can't be tried.
    Verifying {
        guess: Guess,
        before: Option<(SentCode, u8)>,
    },
    /// The code is right, and the account has a second factor.
    AskSecondFactor {
        guess: Guess,
        tries: u8,
    },
    VerifyingSecondFactor {
        guess: Guess,
        tries: u8,
    },
    Over,
}

/// A code that was sent.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct SentCode {
    shown: CodeSent,
    /// What the server calls the request for it, if it does. An agent that does not know it any more tries the code
    /// without.
    request: Option<Secret>,
}

/// A code that was typed.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct Guess {
    sent: SentCode,
    code: Secret,
    /// The tries at the code, this one included.
    tries: u8,
}

impl Otp {
    pub fn begin() -> (Self, NextStep) {
        (Self::AskEmail { tries: EMAIL_TRIES }, ask(Field::Email, EMAIL_TRIES, None, None))
    }

    pub fn question(&self) -> Option<Prompt> {
        let field = |field, tries, sent: Option<&SentCode>| {
            let sent = sent.map(|sent| sent.shown.clone());
            Some(Prompt::Field { field, tries, again: None, sent })
        };
        match self {
            Self::AskEmail { tries } => field(Field::Email, *tries, None),
            Self::AskCode { sent, tries } => field(Field::Code, *tries, Some(sent)),
            Self::AskSecondFactor { guess, tries } => field(Field::SecondFactor, *tries, Some(&guess.sent)),
            Self::Requesting { .. }
            | Self::Verifying { .. }
            | Self::VerifyingSecondFactor { .. }
            | Self::Over => None,
        }
    }

    /// The address that a code was sent to, or is about to be.
    pub fn email(&self) -> Option<&str> {
        match self {
            Self::AskEmail { .. } | Self::Over => None,
            Self::Requesting { email, .. } => Some(email),
            Self::AskCode { sent, .. } => Some(&sent.shown.to),
            Self::Verifying { guess, .. }
            | Self::AskSecondFactor { guess, .. }
            | Self::VerifyingSecondFactor { guess, .. } => Some(&guess.sent.shown.to),
        }
    }

    pub fn answer(&mut self, entry: Entry) -> Option<NextStep> {
        match (self.clone(), entry) {
            (Self::AskEmail { tries }, Entry::Text(text)) => Some(self.take_email(text.expose(), tries)),
            (Self::AskEmail { tries }, Entry::Email(email)) => Some(self.take_email(&email, tries)),
            (Self::AskEmail { tries }, Entry::Code { email, code }) => Some(match code_for(&email, &code) {
                Some((sent, code)) => self.verify(sent, CODE_TRIES, None, code),
                None => self.email_again(tries),
            }),
            (Self::AskCode { sent, tries }, Entry::Text(text)) => Some(match pasted::code(text.expose()) {
                Some(code) => self.verify(sent, tries, None, code),
                None => self.no_code(sent, tries),
            }),
            // Another code is wanted.
            (Self::AskCode { sent, tries }, Entry::Email(email)) => Some(match looks_like_email(&email) {
                Some(email) => self.request(email, EMAIL_TRIES, Some((sent, tries))),
                None => self.ask_code(sent, tries, Some(Error::Rejected(Rejected::Email))),
            }),
            (Self::AskCode { sent, tries }, Entry::Code { email, code }) => {
                Some(match code_for(&email, &code) {
                    Some((given, code)) if given.shown.to.eq_ignore_ascii_case(&sent.shown.to) => {
                        self.verify(sent, tries, None, code)
                    }
                    Some((given, code)) => self.verify(given, tries, Some((sent, tries)), code),
                    None => self.no_code(sent, tries),
                })
            }
            (Self::AskSecondFactor { guess, tries }, Entry::Text(text)) => {
                Some(match pasted::second_factor(text.expose()) {
                    Some(answer) => self.verify_second_factor(guess, tries, answer),
                    None => {
                        let why = Error::Rejected(Rejected::NoSecondFactor);
                        self.ask_second_factor(guess, tries, Some(why))
                    }
                })
            }
            // Another code is wanted, or another one was sent.
            (Self::AskSecondFactor { guess, .. }, entry @ (Entry::Email(_) | Entry::Code { .. })) => {
                *self = Self::AskCode { sent: guess.sent, tries: guess.tries };
                self.answer(entry)
            }
            (
                Self::Requesting { .. }
                | Self::Verifying { .. }
                | Self::VerifyingSecondFactor { .. }
                | Self::Over,
                _,
            ) => None,
        }
    }

    pub fn resume(&mut self, answer: LoginAnswer) -> NextStep {
        match (self.clone(), answer) {
            (
                Self::Requesting { email, .. },
                LoginAnswer::CodeSent { expires_in, resend_available_in, request_id },
            ) => {
                let shown = CodeSent { to: email, expires_in, resend_available_in };
                self.ask_code(SentCode { shown, request: request_id }, CODE_TRIES, None)
            }
            (Self::Requesting { before: Some((sent, tries)), .. }, answer) => {
                self.ask_code(sent, tries, Some(error(answer)))
            }
            (Self::Requesting { tries, .. }, LoginAnswer::Rejected(Rejected::Email)) => {
                self.email_again(tries)
            }
            (
                Self::Verifying { guess, .. } | Self::VerifyingSecondFactor { guess, .. },
                LoginAnswer::Rejected(Rejected::Code),
            ) => self.code_again(guess.sent, guess.tries),
            (Self::Verifying { guess, .. }, LoginAnswer::SecondFactorAsked) => {
                self.ask_second_factor(guess, SECOND_FACTOR_TRIES, None)
            }
            (
                Self::VerifyingSecondFactor { guess, tries },
                LoginAnswer::SecondFactorAsked | LoginAnswer::Rejected(Rejected::SecondFactor),
            ) => self.second_factor_again(guess, tries),
            (Self::Verifying { .. } | Self::VerifyingSecondFactor { .. }, LoginAnswer::Granted(tokens)) => {
                *self = Self::Over;
                NextStep::Finish(Box::new(tokens), None)
            }
            (Self::Verifying { before: Some((sent, tries)), .. }, answer) => {
                self.ask_code(sent, tries, Some(error(answer)))
            }
            (_, answer) => self.fail(error(answer)),
        }
    }

    fn request(&mut self, email: String, tries: u8, before: Option<(SentCode, u8)>) -> NextStep {
        *self = Self::Requesting { email: email.clone(), tries, before };
        NextStep::Call(LoginCall::RequestCode { email })
    }

    fn take_email(&mut self, typed: &str, tries: u8) -> NextStep {
        match looks_like_email(typed) {
            Some(email) => self.request(email, tries, None),
            None => self.email_again(tries),
        }
    }

    fn verify(
        &mut self,
        sent: SentCode,
        tries: u8,
        before: Option<(SentCode, u8)>,
        code: Secret,
    ) -> NextStep {
        let (email, request_id) = (sent.shown.to.clone(), sent.request.clone());
        *self = Self::Verifying { guess: Guess { sent, code: code.clone(), tries }, before };
        NextStep::Call(LoginCall::VerifyCode { email, code, request_id, second_factor: None })
    }

    /// The same code once more, with the second factor.
    fn verify_second_factor(&mut self, guess: Guess, tries: u8, answer: Secret) -> NextStep {
        let (email, code) = (guess.sent.shown.to.clone(), guess.code.clone());
        let request_id = guess.sent.request.clone();
        *self = Self::VerifyingSecondFactor { guess, tries };
        NextStep::Call(LoginCall::VerifyCode { email, code, request_id, second_factor: Some(answer) })
    }

    fn ask_code(&mut self, sent: SentCode, tries: u8, again: Option<Error>) -> NextStep {
        *self = Self::AskCode { sent: sent.clone(), tries };
        ask(Field::Code, tries, again, Some(sent))
    }

    fn ask_second_factor(&mut self, guess: Guess, tries: u8, again: Option<Error>) -> NextStep {
        let sent = guess.sent.clone();
        *self = Self::AskSecondFactor { guess, tries };
        ask(Field::SecondFactor, tries, again, Some(sent))
    }

    fn second_factor_again(&mut self, guess: Guess, tries: u8) -> NextStep {
        let why = Error::Rejected(Rejected::SecondFactor);
        match tries.saturating_sub(1) {
            0 => self.fail(why),
            tries => self.ask_second_factor(guess, tries, Some(why)),
        }
    }

    fn email_again(&mut self, tries: u8) -> NextStep {
        match tries.saturating_sub(1) {
            0 => self.fail(Error::Rejected(Rejected::Email)),
            tries => {
                *self = Self::AskEmail { tries };
                ask(Field::Email, tries, Some(Error::Rejected(Rejected::Email)), None)
            }
        }
    }

    fn code_again(&mut self, sent: SentCode, tries: u8) -> NextStep {
        match tries.saturating_sub(1) {
            0 => self.fail(Error::Rejected(Rejected::Code)),
            tries => self.ask_code(sent, tries, Some(Error::Rejected(Rejected::Code))),
        }
    }

    /// What can't be the code costs no try: nobody has asked the server.
    fn no_code(&mut self, sent: SentCode, tries: u8) -> NextStep {
        self.ask_code(sent, tries, Some(Error::Rejected(Rejected::NoCode)))
    }

    fn fail(&mut self, error: Error) -> NextStep {
        *self = Self::Over;
        NextStep::Fail(error)
    }
}

fn ask(field: Field, tries: u8, again: Option<Error>, sent: Option<SentCode>) -> NextStep {
    let sent = sent.map(|sent| sent.shown);
    NextStep::Ask(Prompt::Field { field, tries, again, sent })
}

/// What an answer that ends the matter says.
fn error(answer: LoginAnswer) -> Error {
    match answer {
        LoginAnswer::Rejected(rejected) => Error::Rejected(rejected),
        LoginAnswer::Limited(secs) => Error::RateLimited { secs },
        LoginAnswer::Net(error) => Error::Net(error),
        _ => Error::Net(NetError { server: String::new(), kind: AnswerFlaw::OffTopic.into() }),
    }
}

/// Keeps typos from the network; the server decides what an address is.
fn looks_like_email(text: &str) -> Option<String> {
    let text = pasted::address(text);
    let parts = text.rsplit_once('@');
    let whole = text.len() <= 254
        && parts.is_some_and(|(name, host)| !name.is_empty() && !host.is_empty())
        && !text.chars().any(|c| c.is_control() || c.is_whitespace());
    whole.then_some(text)
}

/// A code and the address that it was sent to, of which nothing else is known.
fn code_for(email: &str, code: &Secret) -> Option<(SentCode, Secret)> {
    let to = looks_like_email(email)?;
    let shown = CodeSent { to, expires_in: None, resend_available_in: None };
    Some((SentCode { shown, request: None }, pasted::code(code.expose())?))
}

#[cfg(test)]
#[path = "otp_tests.rs"]
mod tests;
