//! A code by email: address, code, tokens. Three tries at the address, five at the code, again only when refused.

use crate::error::{Error, NetError, NetErrorKind, Rejected};
use crate::login::next_step::{NextStep, Prompt};
use crate::login_call::{LoginAnswer, LoginCall};
use everkey_proto::reply::{CodeSent, Field};
use everkey_proto::{Entry, Secret, pasted};

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

    pub fn answer(&mut self, entry: Entry) -> Option<NextStep> {
        match (self.clone(), entry) {
            (Self::AskEmail { tries }, Entry::Text(text)) => Some(self.email(text.expose(), tries)),
            (Self::AskEmail { tries }, Entry::Email(email)) => Some(self.email(&email, tries)),
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
                    Some((given, code)) if given.to.eq_ignore_ascii_case(&sent.to) => {
                        self.verify(sent, tries, None, code)
                    }
                    Some((given, code)) => self.verify(given, tries, Some((sent, tries)), code),
                    None => self.no_code(sent, tries),
                })
            }
            (Self::Requesting { .. } | Self::Verifying { .. } | Self::Over, _) => None,
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

    fn email(&mut self, typed: &str, tries: u8) -> NextStep {
        match looks_like_email(typed) {
            Some(email) => self.request(email, tries, None),
            None => self.email_again(tries),
        }
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

    /// What can't be the code costs no try: nobody has asked the server.
    fn no_code(&mut self, sent: CodeSent, tries: u8) -> NextStep {
        self.ask_code(sent, tries, Some(Error::Rejected(Rejected::NoCode)))
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
fn looks_like_email(text: &str) -> Option<String> {
    let text = pasted::address(text);
    let parts = text.rsplit_once('@');
    let whole = text.len() <= 254
        && parts.is_some_and(|(name, host)| !name.is_empty() && !host.is_empty())
        && !text.chars().any(|c| c.is_control() || c.is_whitespace());
    whole.then_some(text)
}

/// A code and the address that it was sent to, of which nothing else is known.
fn code_for(email: &str, code: &Secret) -> Option<(CodeSent, Secret)> {
    let to = looks_like_email(email)?;
    Some((CodeSent { to, expires_in: None, resend_available_in: None }, pasted::code(code.expose())?))
}

#[cfg(test)]
mod tests {
    use super::*;

    const SENT: LoginAnswer = LoginAnswer::CodeSent { expires_in: Some(600), resend_available_in: Some(30) };

    #[test]
    fn another_code_may_be_requested_while_the_first_still_works() {
        let (mut otp, _) = Otp::begin();
        typed(&mut otp, "a@b.c");
        otp.resume(SENT);
        typed(&mut otp, "000000");
        otp.resume(LoginAnswer::Rejected(Rejected::Code));
        let call = NextStep::Call(LoginCall::RequestCode { email: "a@b.c".to_owned() });
        assert_eq!(asked_for(&mut otp, "a@b.c"), Some(call));
        let NextStep::Ask(Prompt::Field { field: Field::Code, tries: 4, again, sent: Some(sent) }) =
            otp.resume(LoginAnswer::Limited(9))
        else {
            panic!("{otp:?}")
        };
        assert_eq!((again, sent.to.as_str()), (Some(Error::RateLimited { secs: 9 }), "a@b.c"));
        asked_for(&mut otp, "d@e.f");
        let NextStep::Ask(Prompt::Field { tries: 5, sent: Some(sent), .. }) = otp.resume(SENT) else {
            panic!("{otp:?}")
        };
        assert_eq!((sent.to.as_str(), sent.expires_in), ("d@e.f", Some(600)));
    }

    #[test]
    fn a_code_with_its_address_is_tried_whatever_was_asked() {
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
        // At the email question, where no code was asked for.
        let (mut otp, _) = Otp::begin();
        assert_eq!(code_of(&mut otp, "a@b.c", "123456"), Some(verify("a@b.c")));
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
        assert_eq!(code_of(&mut otp, "A@b.c", "12 34-56"), Some(verify("a@b.c")));
        assert_eq!(asks(otp.resume(refused()), "a@b.c", 4, Error::Rejected(Rejected::Code)), Some(600));
        // For another one: the question comes back where it could not be tried, and moves on where it was refused.
        assert_eq!(code_of(&mut otp, "d@e.f", "123456"), Some(verify("d@e.f")));
        let limited = Error::RateLimited { secs: 9 };
        assert_eq!(asks(otp.resume(LoginAnswer::Limited(9)), "a@b.c", 4, limited), Some(600));
        code_of(&mut otp, "d@e.f", "123456");
        assert_eq!(asks(otp.resume(refused()), "d@e.f", 3, Error::Rejected(Rejected::Code)), None);
        // Tries are not won by going from one address to the other.
        code_of(&mut otp, "a@b.c", "123456");
        asks(otp.resume(refused()), "a@b.c", 2, Error::Rejected(Rejected::Code));
        code_of(&mut otp, "a@b.c", "123456");
        let tokens = crate::login::schemes::fixtures::grant(None);
        let granted = LoginAnswer::Granted(tokens.clone());
        assert_eq!(otp.resume(granted), NextStep::Finish(Box::new(tokens), None));
        assert_eq!(code_of(&mut otp, "a@b.c", "123456"), None);
    }

    #[test]
    fn malformed_pairs_of_address_and_code_are_refused() {
        let pair = |email: &str, code: &str| Entry::Code { email: email.to_owned(), code: Secret::new(code) };
        let text = |text: &str| Entry::Text(Secret::new(text));
        for entry in [
            text("a@b.c 123456"),
            pair("a@b.c", "d"),
            pair("a@b.c", "12345"),
            pair("a", "123456"),
            pair("a@b.c", "d@e.f"),
            pair("a@b.c x", "123456"),
        ] {
            let (mut otp, _) = Otp::begin();
            let next = otp.answer(entry.clone());
            assert!(matches!(next, Some(NextStep::Ask(Prompt::Field { tries: 2, .. }))), "{entry:?}");
            typed(&mut otp, "a@b.c");
            otp.resume(SENT);
            let next = otp.answer(entry.clone());
            // The server was not asked.
            assert!(matches!(next, Some(NextStep::Ask(Prompt::Field { tries: 5, .. }))), "{entry:?}");
        }
    }

    #[test]
    fn what_cant_be_the_code_costs_no_try() {
        let (mut otp, _) = Otp::begin();
        typed(&mut otp, "a@b.c");
        otp.resume(SENT);
        for text in ["", " ", "12", "1234567", "nonsense", "x", "y", "z"] {
            let Some(NextStep::Ask(Prompt::Field { tries: 5, again, .. })) = typed(&mut otp, text) else {
                panic!("{text:?}: {otp:?}")
            };
            assert_eq!(again, Some(Error::Rejected(Rejected::NoCode)), "{text:?}");
        }
        for text in ["123 456", "Code: 123456", "\u{1b}[200~123456\u{1b}[201~"] {
            let next = typed(&mut otp.clone(), text);
            let code = Secret::new("123456");
            let call = LoginCall::VerifyCode { email: "a@b.c".to_owned(), code };
            assert_eq!(next, Some(NextStep::Call(call)), "{text:?}");
        }
    }

    #[test]
    fn an_invalid_address_costs_no_try_at_the_code() {
        let (mut otp, _) = Otp::begin();
        typed(&mut otp, "a@b.c");
        otp.resume(SENT);
        let Some(NextStep::Ask(Prompt::Field { field: Field::Code, tries: 5, again, .. })) =
            asked_for(&mut otp, "a b@c")
        else {
            panic!("{otp:?}")
        };
        assert_eq!(again, Some(Error::Rejected(Rejected::Email)));
    }

    fn typed(otp: &mut Otp, text: &str) -> Option<NextStep> {
        otp.answer(Entry::Text(Secret::new(text)))
    }

    fn asked_for(otp: &mut Otp, email: &str) -> Option<NextStep> {
        otp.answer(Entry::Email(email.to_owned()))
    }

    fn code_of(otp: &mut Otp, email: &str, code: &str) -> Option<NextStep> {
        otp.answer(Entry::Code { email: email.to_owned(), code: Secret::new(code) })
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
    fn five_refused_codes_or_one_other_error_end_the_login() {
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
