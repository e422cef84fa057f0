//! A code by email: address, code, tokens. Three tries at the address, five at the code, again only when refused.

use super::{Move, Question};
use crate::job::{LoginAnswer, LoginCall};
use crate::trouble::{NetKind, NetTrouble, Rejected, Trouble};
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
    Verifying {
        sent: CodeSent,
        tries: u8,
    },
    Over,
}

impl Otp {
    pub fn begin() -> (Self, Move) {
        (Self::AskEmail { tries: EMAIL_TRIES }, ask(Field::Email, EMAIL_TRIES, None, None))
    }

    pub fn question(&self) -> Option<Question> {
        let field = |field, tries, sent| Some(Question::Field { field, tries, again: None, sent });
        match self {
            Self::AskEmail { tries } => field(Field::Email, *tries, None),
            Self::AskCode { sent, tries } => field(Field::Code, *tries, Some(sent.clone())),
            Self::Requesting { .. } | Self::Verifying { .. } | Self::Over => None,
        }
    }

    pub fn answer(&mut self, text: Secret) -> Option<Move> {
        let typed = text.expose().trim();
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
                // People paste codes with spaces or a dash in the middle.
                let code = Secret::new(typed.replace([' ', '-'], ""));
                if code.expose().len() != 6 || !code.expose().bytes().all(|b| b.is_ascii_digit()) {
                    return Some(self.code_again(sent, tries));
                }
                let email = sent.to.clone();
                *self = Self::Verifying { sent, tries };
                Some(Move::Call(LoginCall::VerifyCode { email, code }))
            }
            Self::Requesting { .. } | Self::Verifying { .. } | Self::Over => None,
        }
    }

    pub fn resume(&mut self, answer: LoginAnswer) -> Move {
        match (self.clone(), answer) {
            (Self::Requesting { email, .. }, LoginAnswer::CodeSent { expires_in, resend_available_in }) => {
                self.ask_code(CodeSent { to: email, expires_in, resend_available_in }, CODE_TRIES, None)
            }
            (Self::Requesting { before: Some((sent, tries)), .. }, answer) => {
                self.ask_code(sent, tries, Some(trouble(answer)))
            }
            (Self::Requesting { tries, .. }, LoginAnswer::Rejected(Rejected::Email)) => {
                self.email_again(tries)
            }
            (Self::Verifying { .. }, LoginAnswer::Granted(grant)) => {
                *self = Self::Over;
                Move::Finish(Box::new(grant), None)
            }
            (Self::Verifying { sent, tries }, LoginAnswer::Rejected(Rejected::Code)) => {
                self.code_again(sent, tries)
            }
            (_, answer) => self.fail(trouble(answer)),
        }
    }

    fn request(&mut self, email: String, tries: u8, before: Option<(CodeSent, u8)>) -> Move {
        *self = Self::Requesting { email: email.clone(), tries, before };
        Move::Call(LoginCall::RequestCode { email })
    }

    fn ask_code(&mut self, sent: CodeSent, tries: u8, again: Option<Trouble>) -> Move {
        *self = Self::AskCode { sent: sent.clone(), tries };
        ask(Field::Code, tries, again, Some(sent))
    }

    fn email_again(&mut self, tries: u8) -> Move {
        match tries.saturating_sub(1) {
            0 => self.fail(Trouble::Rejected(Rejected::Email)),
            tries => {
                *self = Self::AskEmail { tries };
                ask(Field::Email, tries, Some(Trouble::Rejected(Rejected::Email)), None)
            }
        }
    }

    fn code_again(&mut self, sent: CodeSent, tries: u8) -> Move {
        match tries.saturating_sub(1) {
            0 => self.fail(Trouble::Rejected(Rejected::Code)),
            tries => self.ask_code(sent, tries, Some(Trouble::Rejected(Rejected::Code))),
        }
    }

    fn fail(&mut self, trouble: Trouble) -> Move {
        *self = Self::Over;
        Move::Fail(trouble)
    }
}

fn ask(field: Field, tries: u8, again: Option<Trouble>, sent: Option<CodeSent>) -> Move {
    Move::Ask(Question::Field { field, tries, again, sent })
}

/// What an answer that ends the matter says.
fn trouble(answer: LoginAnswer) -> Trouble {
    match answer {
        LoginAnswer::Rejected(rejected) => Trouble::Rejected(rejected),
        LoginAnswer::Limited(secs) => Trouble::RateLimited { secs },
        LoginAnswer::Net(trouble) => Trouble::Net(trouble),
        _ => Trouble::Net(NetTrouble { server: String::new(), kind: NetKind::NotTheContract }),
    }
}

/// Keeps typos from the network; the server decides what an address is.
fn looks_like_email(text: &str) -> bool {
    let parts = text.rsplit_once('@');
    text.len() <= 254
        && parts.is_some_and(|(name, host)| !name.is_empty() && !host.is_empty())
        && !text.chars().any(|c| c.is_control() || c.is_whitespace())
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
        let call = Move::Call(LoginCall::RequestCode { email: "a@b.c".to_owned() });
        assert_eq!(typed(&mut otp, "a@b.c"), Some(call));
        let Move::Ask(Question::Field { field: Field::Code, tries: 4, again, sent: Some(sent) }) =
            otp.resume(LoginAnswer::Limited(9))
        else {
            panic!("{otp:?}")
        };
        assert_eq!((again, sent.to.as_str()), (Some(Trouble::RateLimited { secs: 9 }), "a@b.c"));
        typed(&mut otp, "d@e.f");
        let Move::Ask(Question::Field { tries: 5, sent: Some(sent), .. }) = otp.resume(SENT) else {
            panic!("{otp:?}")
        };
        assert_eq!((sent.to.as_str(), sent.expires_in), ("d@e.f", Some(600)));
    }

    fn typed(otp: &mut Otp, text: &str) -> Option<Move> {
        otp.answer(Secret::new(text))
    }

    #[test]
    fn three_bad_addresses_end_it() {
        let (mut otp, _) = Otp::begin();
        assert!(matches!(typed(&mut otp, "no"), Some(Move::Ask(Question::Field { tries: 2, .. }))));
        assert!(matches!(typed(&mut otp, "a b@c"), Some(Move::Ask(Question::Field { tries: 1, .. }))));
        assert_eq!(typed(&mut otp, "@"), Some(Move::Fail(Trouble::Rejected(Rejected::Email))));
        assert_eq!(typed(&mut otp, "a@b"), None);
    }

    #[test]
    fn five_refused_codes_end_it_and_other_trouble_ends_it_at_once() {
        let (mut otp, _) = Otp::begin();
        typed(&mut otp, "a@b.c");
        assert!(matches!(otp.resume(SENT), Move::Ask(Question::Field { field: Field::Code, tries: 5, .. })));
        for left in (1..5).rev() {
            assert!(matches!(typed(&mut otp, "12 34-56"), Some(Move::Call(LoginCall::VerifyCode { .. }))));
            let next = otp.resume(LoginAnswer::Rejected(Rejected::Code));
            assert!(
                matches!(next, Move::Ask(Question::Field { field: Field::Code, tries, .. }) if tries == left)
            );
        }
        let mut other = otp.clone();
        typed(&mut otp, "123456");
        assert_eq!(
            otp.resume(LoginAnswer::Rejected(Rejected::Code)),
            Move::Fail(Trouble::Rejected(Rejected::Code))
        );
        typed(&mut other, "123456");
        assert_eq!(other.resume(LoginAnswer::Limited(9)), Move::Fail(Trouble::RateLimited { secs: 9 }));
    }
}
