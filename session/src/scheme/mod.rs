//! Ways to sign in, each a small pure machine in a closed enum. A new one is a file, a variant, and what the
//! compiler then asks for.

mod otp;

use crate::event::{LoginAnswer, LoginCall};
use crate::record::Grant;
use crate::trouble::Trouble;
use everkey_proto::reply::Field;
use everkey_proto::{Scheme, Secret};

/// Where a sign-in stands within its scheme.
#[derive(Debug)]
pub(crate) enum Machine {
    Otp(otp::Otp),
}

/// What a scheme wants next.
#[derive(Debug, PartialEq, Eq)]
pub(crate) enum Move {
    /// Ask the person.
    Ask { field: Field, tries: u8, again: Option<Trouble> },
    /// Ask the server.
    Call(LoginCall),
    /// The tokens are here.
    Finish(Box<Grant>),
    /// It is over.
    Fail(Trouble),
}

impl Machine {
    /// Begins a sign-in.
    pub fn begin(scheme: Scheme) -> (Self, Move) {
        match scheme {
            Scheme::Otp => {
                let (otp, next) = otp::Otp::begin();
                (Self::Otp(otp), next)
            }
        }
    }

    /// The person answered; none means that nothing was asked, and the caller waits with the others.
    pub fn answer(&mut self, text: Secret) -> Option<Move> {
        match self {
            Self::Otp(otp) => otp.answer(text),
        }
    }

    /// The server answered.
    pub fn resume(&mut self, answer: LoginAnswer) -> Move {
        match self {
            Self::Otp(otp) => otp.resume(answer),
        }
    }

    /// What the person is being asked right now, for somebody who joins.
    pub fn question(&self) -> Option<Move> {
        match self {
            Self::Otp(otp) => otp.question(),
        }
    }
}
