//! A token made elsewhere and pasted: the server is asked first, and only what it accepts is kept.

use crate::error::{Error, Rejected};
use crate::identity::Identity;
use crate::journal::Capability;
use crate::login::next_step::{NextStep, Prompt};
use crate::login::oauth_client as client;
use crate::login_call::{LoginAnswer, LoginCall};
use crate::session::Claims;
use crate::token_response::TokenResponse;
use everkey_proto::reply::Field;
use everkey_proto::{Secret, pasted};

/// How often it may be pasted.
const TRIES: u8 = 3;

/// No token is longer, in bytes.
const LONGEST: usize = 8192;

/// Where it stands.
#[derive(Debug)]
pub(crate) struct PastedToken {
    server: String,
    stage: Stage,
}

#[derive(Debug)]
enum Stage {
    Asking { tries: u8, again: Option<Error> },
    Checking { tries: u8, token: Secret },
    Over,
}

impl PastedToken {
    pub fn begin(server: &str) -> (Self, NextStep) {
        let mut token = Self { server: server.to_owned(), stage: Stage::Over };
        let first = token.ask(TRIES, None);
        (token, first)
    }

    pub fn answer(&mut self, text: &Secret) -> Option<NextStep> {
        let Stage::Asking { tries, .. } = self.stage else { return None };
        let token = match pasted::token(text.expose()) {
            Ok(token) if token.expose().len() <= LONGEST => token,
            Ok(_) => return Some(self.again(tries, Rejected::Token)),
            Err(why) => return Some(self.again(tries, Rejected::NoToken(why))),
        };
        self.stage = Stage::Checking { tries, token: token.clone() };
        Some(NextStep::Call(LoginCall::Identify { registration: None, access: token }))
    }

    pub fn resume(&mut self, answer: LoginAnswer) -> NextStep {
        match (std::mem::replace(&mut self.stage, Stage::Over), answer) {
            (Stage::Checking { token, .. }, LoginAnswer::Identified(Identity::Accepted { user, about })) => {
                let tokens = TokenResponse {
                    access: token,
                    access_expires_in: None,
                    refresh: None,
                    refresh_expires_in: None,
                    sign_in_expires_in: None,
                    user,
                    about,
                    claims: Claims::default(),
                    capability: Capability::None,
                };
                NextStep::Finish(Box::new(tokens), None)
            }
            (Stage::Checking { tries, .. }, LoginAnswer::Identified(Identity::Refused)) => {
                self.again(tries, Rejected::Token)
            }
            (_, LoginAnswer::Identified(Identity::Limited(secs)) | LoginAnswer::Limited(secs)) => {
                NextStep::Fail(Error::RateLimited { secs })
            }
            (_, LoginAnswer::Identified(Identity::Net(net)) | LoginAnswer::Net(net)) => {
                NextStep::Fail(Error::Net(net))
            }
            (_, LoginAnswer::Rejected(rejected)) => NextStep::Fail(Error::Rejected(rejected)),
            (Stage::Asking { .. } | Stage::Checking { .. } | Stage::Over, _) => {
                client::no_answer(&self.server)
            }
        }
    }

    pub fn question(&self) -> Option<Prompt> {
        match &self.stage {
            Stage::Asking { tries, again } => {
                Some(Prompt::Field { field: Field::Token, tries: *tries, again: again.clone(), sent: None })
            }
            Stage::Checking { .. } | Stage::Over => None,
        }
    }

    fn again(&mut self, tries: u8, why: Rejected) -> NextStep {
        let why = Error::Rejected(why);
        match tries.saturating_sub(1) {
            0 => {
                self.stage = Stage::Over;
                NextStep::Fail(why)
            }
            tries => self.ask(tries, Some(why)),
        }
    }

    fn ask(&mut self, tries: u8, again: Option<Error>) -> NextStep {
        self.stage = Stage::Asking { tries, again: again.clone() };
        NextStep::Ask(Prompt::Field { field: Field::Token, tries, again, sent: None })
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use std::collections::BTreeMap;

    fn identity(identity: Identity) -> LoginAnswer {
        LoginAnswer::Identified(identity)
    }

    #[test]
    fn an_accepted_token_is_kept_and_never_expires() {
        let (mut token, _) = PastedToken::begin("http://s");
        let Some(NextStep::Call(LoginCall::Identify { access, .. })) = token.answer(&Secret::new(" pat_1\n"))
        else {
            panic!("the server is asked first")
        };
        assert_eq!(access, Secret::new("pat_1"));
        let accepted = Identity::Accepted { user: None, about: BTreeMap::new() };
        let NextStep::Finish(tokens, None) = token.resume(identity(accepted)) else { panic!("it is kept") };
        assert_eq!((tokens.access, tokens.access_expires_in, tokens.refresh), (access, None, None));
    }

    #[test]
    fn a_malformed_token_is_asked_for_again_and_never_sent() {
        let (mut token, _) = PastedToken::begin("http://s");
        for bad in ["pat\nx", "pat x", "", "pät"] {
            let next = token.answer(&Secret::new(bad));
            assert!(!matches!(next, Some(NextStep::Call(_))), "{bad:?}: {next:?}");
        }
        assert_eq!(token.answer(&Secret::new("pat_1")), None, "three tries are enough");
    }

    #[test]
    fn an_invisible_character_is_the_reason_of_the_refusal() {
        let (mut token, _) = PastedToken::begin("http://s");
        let Some(NextStep::Ask(Prompt::Field { again, .. })) = token.answer(&Secret::new("pat\u{200b}_1"))
        else {
            panic!("{token:?}")
        };
        let why = pasted::NoToken::Invisible('\u{200b}');
        assert_eq!(again, Some(Error::Rejected(Rejected::NoToken(why))));
    }

    #[test]
    fn a_refusal_asks_for_another_token_but_silence_is_final() {
        let (mut token, _) = PastedToken::begin("http://s");
        token.answer(&Secret::new("pat_1"));
        let again = token.resume(identity(Identity::Refused));
        assert!(matches!(again, NextStep::Ask(Prompt::Field { tries: 2, again: Some(_), .. })), "{again:?}");
        token.answer(&Secret::new("pat_2"));
        assert_eq!(token.resume(identity(Identity::Untold)), client::no_answer("http://s"));
    }
}
