//! A code by email: address, code, tokens. Three tries at the address, five at the code, again only when refused.

use super::{Move, Question};
use crate::job::{LoginAnswer, LoginCall};
use crate::trouble::{NetKind, NetTrouble, Rejected, Trouble};
use everkey_proto::Secret;
use everkey_proto::reply::Field;

const EMAIL_TRIES: u8 = 3;
const CODE_TRIES: u8 = 5;

#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) enum Otp {
    AskEmail { tries: u8 },
    Requesting { email: String, tries: u8 },
    AskCode { email: String, tries: u8 },
    Verifying { email: String, tries: u8 },
    Over,
}

impl Otp {
    pub fn begin() -> (Self, Move) {
        (Self::AskEmail { tries: EMAIL_TRIES }, ask(Field::Email, EMAIL_TRIES, None))
    }

    pub fn question(&self) -> Option<Question> {
        let field = |field, tries| Some(Question::Field { field, tries, again: None });
        match self {
            Self::AskEmail { tries } => field(Field::Email, *tries),
            Self::AskCode { tries, .. } => field(Field::Code, *tries),
            Self::Requesting { .. } | Self::Verifying { .. } | Self::Over => None,
        }
    }

    pub fn answer(&mut self, text: Secret) -> Option<Move> {
        let typed = text.expose().trim();
        match self.clone() {
            Self::AskEmail { tries } if looks_like_email(typed) => {
                let email = typed.to_owned();
                *self = Self::Requesting { email: email.clone(), tries };
                Some(Move::Call(LoginCall::RequestCode { email }))
            }
            Self::AskEmail { tries } => Some(self.email_again(tries)),
            Self::AskCode { email, tries } => {
                // People paste codes with spaces or a dash in the middle.
                let code = Secret::new(typed.replace([' ', '-'], ""));
                if code.expose().len() != 6 || !code.expose().bytes().all(|b| b.is_ascii_digit()) {
                    return Some(self.code_again(email, tries));
                }
                *self = Self::Verifying { email: email.clone(), tries };
                Some(Move::Call(LoginCall::VerifyCode { email, code }))
            }
            Self::Requesting { .. } | Self::Verifying { .. } | Self::Over => None,
        }
    }

    pub fn resume(&mut self, answer: LoginAnswer) -> Move {
        match (self.clone(), answer) {
            (Self::Requesting { email, .. }, LoginAnswer::CodeSent) => {
                *self = Self::AskCode { email, tries: CODE_TRIES };
                ask(Field::Code, CODE_TRIES, None)
            }
            (Self::Requesting { tries, .. }, LoginAnswer::Rejected(Rejected::Email)) => {
                self.email_again(tries)
            }
            (Self::Verifying { .. }, LoginAnswer::Granted(grant)) => {
                *self = Self::Over;
                Move::Finish(Box::new(grant), None)
            }
            (Self::Verifying { email, tries }, LoginAnswer::Rejected(Rejected::Code)) => {
                self.code_again(email, tries)
            }
            (_, LoginAnswer::Rejected(rejected)) => self.fail(Trouble::Rejected(rejected)),
            (_, LoginAnswer::Limited(secs)) => self.fail(Trouble::RateLimited { secs }),
            (_, LoginAnswer::Net(trouble)) => self.fail(Trouble::Net(trouble)),
            (_, _) => {
                self.fail(Trouble::Net(NetTrouble { server: String::new(), kind: NetKind::NotTheContract }))
            }
        }
    }

    fn email_again(&mut self, tries: u8) -> Move {
        match tries.saturating_sub(1) {
            0 => self.fail(Trouble::Rejected(Rejected::Email)),
            tries => {
                *self = Self::AskEmail { tries };
                ask(Field::Email, tries, Some(Trouble::Rejected(Rejected::Email)))
            }
        }
    }

    fn code_again(&mut self, email: String, tries: u8) -> Move {
        match tries.saturating_sub(1) {
            0 => self.fail(Trouble::Rejected(Rejected::Code)),
            tries => {
                *self = Self::AskCode { email, tries };
                ask(Field::Code, tries, Some(Trouble::Rejected(Rejected::Code)))
            }
        }
    }

    fn fail(&mut self, trouble: Trouble) -> Move {
        *self = Self::Over;
        Move::Fail(trouble)
    }
}

fn ask(field: Field, tries: u8, again: Option<Trouble>) -> Move {
    Move::Ask(Question::Field { field, tries, again })
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
        assert!(matches!(
            otp.resume(LoginAnswer::CodeSent),
            Move::Ask(Question::Field { field: Field::Code, tries: 5, .. })
        ));
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
