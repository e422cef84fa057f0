//! A code by email: address, code, tokens. Three tries at the address, five at the code, again only when refused.

use crate::error::{Error, NetError, NetErrorKind, Rejected};
use crate::login::next_step::{NextStep, Prompt};
use crate::login_job::{LoginAnswer, LoginCall};
use everkey_proto::Secret;
use everkey_proto::reply::{CodeSent, Field};

const EMAIL_TRIES: u8 = 3;
const CODE_TRIES: u8 = 5;

#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) enum Otp {
    AskEmail {
        tries: u8,
    },
    /// `before` if a code was sent already, which goes on to work if no other comes.
    Requesting {
        email: String,
        tries: u8,
        before: Option<(CodeSent, u8)>,
    },
    AskCode {
        sent: CodeSent,
        tries: u8,
    },
    /// `before` if a code was sent to another address, which goes on to work if this one can't be tried.
    Verifying {
        sent: CodeSent,
        tries: u8,
        before: Option<(CodeSent, u8)>,
    },
    Over,
}

impl Otp {
    pub fn begin() -> (Self, NextStep) {
        (Self::AskEmail { tries: EMAIL_TRIES }, ask(Field::Email, EMAIL_TRIES, None, None))
    }

    pub fn question(&self) -> Option<Prompt> {
        let field = |field, tries, sent| Some(Prompt::Field { field, tries, again: None, sent });
        match self {
            Self::AskEmail { tries } => field(Field::Email, *tries, None),
            Self::AskCode { sent, tries } => field(Field::Code, *tries, Some(sent.clone())),
            Self::Requesting { .. } | Self::Verifying { .. } | Self::Over => None,
        }
    }

    pub fn answer(&mut self, text: Secret) -> Option<NextStep> {
        let typed = text.expose().trim();
        if let Some((email, code)) = code_for(typed) {
            return self.verify_for(email, code);
        }
        match self.clone() {
            Self::AskEmail { tries } if looks_like_email(typed) => {
                Some(self.request(typed.to_owned(), tries, None))
            }
            Self::AskEmail { tries } => Some(self.email_again(tries)),
            // No code looks like this: another one is wanted.
            Self::AskCode { sent, tries } if looks_like_email(typed) => {
                Some(self.request(typed.to_owned(), EMAIL_TRIES, Some((sent, tries))))
            }
            Self::AskCode { sent, tries } => {
                let Some(code) = looks_like_code(typed) else { return Some(self.code_again(sent, tries)) };
                Some(self.verify(sent, tries, None, code))
            }
            Self::Requesting { .. } | Self::Verifying { .. } | Self::Over => None,
        }
    }

    pub fn resume(&mut self, answer: LoginAnswer) -> NextStep {
        match (self.clone(), answer) {
            (Self::Requesting { email, .. }, LoginAnswer::CodeSent { expires_in, resend_available_in }) => {
                self.ask_code(CodeSent { to: email, expires_in, resend_available_in }, CODE_TRIES, None)
            }
            (Self::Requesting { before: Some((sent, tries)), .. }, answer) => {
                self.ask_code(sent, tries, Some(error(answer)))
            }
            (Self::Requesting { tries, .. }, LoginAnswer::Rejected(Rejected::Email)) => {
                self.email_again(tries)
            }
            (Self::Verifying { .. }, LoginAnswer::Granted(tokens)) => {
                *self = Self::Over;
                NextStep::Finish(Box::new(tokens), None)
            }
            (Self::Verifying { sent, tries, .. }, LoginAnswer::Rejected(Rejected::Code)) => {
                self.code_again(sent, tries)
            }
            (Self::Verifying { before: Some((sent, tries)), .. }, answer) => {
                self.ask_code(sent, tries, Some(error(answer)))
            }
            (_, answer) => self.fail(error(answer)),
        }
    }

    fn request(&mut self, email: String, tries: u8, before: Option<(CodeSent, u8)>) -> NextStep {
        *self = Self::Requesting { email: email.clone(), tries, before };
        NextStep::Call(LoginCall::RequestCode { email })
    }

    /// A code with its address is tried for that address, whichever one was asked about.
    fn verify_for(&mut self, email: &str, code: Secret) -> Option<NextStep> {
        let given = CodeSent { to: email.to_owned(), expires_in: None, resend_available_in: None };
        let (sent, tries, before) = match self.clone() {
            Self::AskEmail { .. } => (given, CODE_TRIES, None),
            Self::AskCode { sent, tries } if sent.to.eq_ignore_ascii_case(email) => (sent, tries, None),
            Self::AskCode { sent, tries } => (given, tries, Some((sent, tries))),
            Self::Requesting { .. } | Self::Verifying { .. } | Self::Over => return None,
        };
        Some(self.verify(sent, tries, before, code))
    }

    fn verify(
        &mut self,
        sent: CodeSent,
        tries: u8,
        before: Option<(CodeSent, u8)>,
        code: Secret,
    ) -> NextStep {
        let email = sent.to.clone();
        *self = Self::Verifying { sent, tries, before };
        NextStep::Call(LoginCall::VerifyCode { email, code })
    }

    fn ask_code(&mut self, sent: CodeSent, tries: u8, again: Option<Error>) -> NextStep {
        *self = Self::AskCode { sent: sent.clone(), tries };
        ask(Field::Code, tries, again, Some(sent))
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

    fn code_again(&mut self, sent: CodeSent, tries: u8) -> NextStep {
        match tries.saturating_sub(1) {
            0 => self.fail(Error::Rejected(Rejected::Code)),
            tries => self.ask_code(sent, tries, Some(Error::Rejected(Rejected::Code))),
        }
    }

    fn fail(&mut self, error: Error) -> NextStep {
        *self = Self::Over;
        NextStep::Fail(error)
    }
}

fn ask(field: Field, tries: u8, again: Option<Error>, sent: Option<CodeSent>) -> NextStep {
    NextStep::Ask(Prompt::Field { field, tries, again, sent })
}

/// What an answer that ends the matter says.
fn error(answer: LoginAnswer) -> Error {
    match answer {
        LoginAnswer::Rejected(rejected) => Error::Rejected(rejected),
        LoginAnswer::Limited(secs) => Error::RateLimited { secs },
        LoginAnswer::Net(error) => Error::Net(error),
        _ => Error::Net(NetError { server: String::new(), kind: NetErrorKind::NotTheContract }),
    }
}

/// Keeps typos from the network; the server decides what an address is.
fn looks_like_email(text: &str) -> bool {
    let parts = text.rsplit_once('@');
    text.len() <= 254
        && parts.is_some_and(|(name, host)| !name.is_empty() && !host.is_empty())
        && !text.chars().any(|c| c.is_control() || c.is_whitespace())
}

/// People paste codes with spaces or a dash in the middle.
fn looks_like_code(text: &str) -> Option<Secret> {
    let code = Secret::new(text.replace([' ', '-'], ""));
    let whole = code.expose().len() == 6 && code.expose().bytes().all(|b| b.is_ascii_digit());
    whole.then_some(code)
}

/// An address and the code that was sent to it.
fn code_for(text: &str) -> Option<(&str, Secret)> {
    let (email, code) = text.split_once(' ')?;
    looks_like_email(email).then_some(email).zip(looks_like_code(code))
}

#[cfg(test)]
mod tests {
    use super::*;

    const SENT: LoginAnswer = LoginAnswer::CodeSent { expires_in: Some(600), resend_available_in: Some(30) };

    #[test]
    fn another_code_can_be_asked_for_and_the_first_goes_on_to_work() {
        let (mut otp, _) = Otp::begin();
        typed(&mut otp, "a@b.c");
        otp.resume(SENT);
        typed(&mut otp, "0");
        let call = NextStep::Call(LoginCall::RequestCode { email: "a@b.c".to_owned() });
        assert_eq!(typed(&mut otp, "a@b.c"), Some(call));
        let NextStep::Ask(Prompt::Field { field: Field::Code, tries: 4, again, sent: Some(sent) }) =
            otp.resume(LoginAnswer::Limited(9))
        else {
            panic!("{otp:?}")
        };
        assert_eq!((again, sent.to.as_str()), (Some(Error::RateLimited { secs: 9 }), "a@b.c"));
        typed(&mut otp, "d@e.f");
        let NextStep::Ask(Prompt::Field { tries: 5, sent: Some(sent), .. }) = otp.resume(SENT) else {
            panic!("{otp:?}")
        };
        assert_eq!((sent.to.as_str(), sent.expires_in), ("d@e.f", Some(600)));
    }

    #[test]
    fn a_code_with_its_address_is_tried_for_it_whatever_was_asked() {
        let verify = |email: &str| {
            NextStep::Call(LoginCall::VerifyCode { email: email.to_owned(), code: Secret::new("123456") })
        };
        let asks = |next, to: &str, left, wrong| {
            let NextStep::Ask(Prompt::Field { field: Field::Code, tries, again, sent: Some(sent) }) = next
            else {
                panic!("{next:?}")
            };
            assert_eq!((sent.to.as_str(), tries, again), (to, left, Some(wrong)));
            sent.expires_in
        };
        let refused = || LoginAnswer::Rejected(Rejected::Code);
        // CallTarget the email question, where no code was asked for.
        let (mut otp, _) = Otp::begin();
        assert_eq!(typed(&mut otp, "a@b.c 123456"), Some(verify("a@b.c")));
        assert_eq!(otp.question(), None);
        assert_eq!(
            otp.clone().resume(LoginAnswer::Limited(9)),
            NextStep::Fail(Error::RateLimited { secs: 9 })
        );
        asks(otp.resume(refused()), "a@b.c", 4, Error::Rejected(Rejected::Code));

        let (mut otp, _) = Otp::begin();
        typed(&mut otp, "a@b.c");
        otp.resume(SENT);
        // For the address that was asked about: as the code alone.
        assert_eq!(typed(&mut otp, " A@b.c 12 34-56"), Some(verify("a@b.c")));
        assert_eq!(asks(otp.resume(refused()), "a@b.c", 4, Error::Rejected(Rejected::Code)), Some(600));
        // For another one: the question comes back where it could not be tried, and moves on where it was refused.
        assert_eq!(typed(&mut otp, "d@e.f 123456"), Some(verify("d@e.f")));
        let limited = Error::RateLimited { secs: 9 };
        assert_eq!(asks(otp.resume(LoginAnswer::Limited(9)), "a@b.c", 4, limited), Some(600));
        typed(&mut otp, "d@e.f 123456");
        assert_eq!(asks(otp.resume(refused()), "d@e.f", 3, Error::Rejected(Rejected::Code)), None);
        // Tries are not won by going from one address to the other.
        typed(&mut otp, "a@b.c 123456");
        asks(otp.resume(refused()), "a@b.c", 2, Error::Rejected(Rejected::Code));
        typed(&mut otp, "a@b.c 123456");
        let tokens = crate::login::schemes::fixtures::grant(None);
        let granted = LoginAnswer::Granted(tokens.clone());
        assert_eq!(otp.resume(granted), NextStep::Finish(Box::new(tokens), None));
        assert_eq!(typed(&mut otp, "a@b.c 123456"), None);
    }

    #[test]
    fn what_is_no_address_with_a_code_is_refused_as_ever() {
        for text in ["a@b.c d", "a@b.c 12345", "a 123456", "a@b.c  x@d.e", "a@b.c d@e.f"] {
            let (mut otp, _) = Otp::begin();
            assert!(
                matches!(typed(&mut otp, text), Some(NextStep::Ask(Prompt::Field { tries: 2, .. }))),
                "{text}"
            );
            typed(&mut otp, "a@b.c");
            otp.resume(SENT);
            assert!(
                matches!(typed(&mut otp, text), Some(NextStep::Ask(Prompt::Field { tries: 4, .. }))),
                "{text}"
            );
        }
    }

    fn typed(otp: &mut Otp, text: &str) -> Option<NextStep> {
        otp.answer(Secret::new(text))
    }

    #[test]
    fn three_bad_addresses_end_it() {
        let (mut otp, _) = Otp::begin();
        assert!(matches!(typed(&mut otp, "no"), Some(NextStep::Ask(Prompt::Field { tries: 2, .. }))));
        assert!(matches!(typed(&mut otp, "a b@c"), Some(NextStep::Ask(Prompt::Field { tries: 1, .. }))));
        assert_eq!(typed(&mut otp, "@"), Some(NextStep::Fail(Error::Rejected(Rejected::Email))));
        assert_eq!(typed(&mut otp, "a@b"), None);
    }

    #[test]
    fn five_refused_codes_end_it_and_other_trouble_ends_it_at_once() {
        let (mut otp, _) = Otp::begin();
        typed(&mut otp, "a@b.c");
        assert!(matches!(
            otp.resume(SENT),
            NextStep::Ask(Prompt::Field { field: Field::Code, tries: 5, .. })
        ));
        for left in (1..5).rev() {
            assert!(matches!(
                typed(&mut otp, "12 34-56"),
                Some(NextStep::Call(LoginCall::VerifyCode { .. }))
            ));
            let next = otp.resume(LoginAnswer::Rejected(Rejected::Code));
            assert!(
                matches!(next, NextStep::Ask(Prompt::Field { field: Field::Code, tries, .. }) if tries == left)
            );
        }
        let mut other = otp.clone();
        typed(&mut otp, "123456");
        assert_eq!(
            otp.resume(LoginAnswer::Rejected(Rejected::Code)),
            NextStep::Fail(Error::Rejected(Rejected::Code))
        );
        typed(&mut other, "123456");
        assert_eq!(other.resume(LoginAnswer::Limited(9)), NextStep::Fail(Error::RateLimited { secs: 9 }));
    }
}
