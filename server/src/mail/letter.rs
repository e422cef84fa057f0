//! A message to send, before it is written.

use std::time::Duration;

use crate::rules::email::Email;
use crate::time::Moment;
use crate::tokens::code::LoginCode;

/// A message to send.
#[derive(Clone, Debug)]
pub struct Mail {
    /// The recipient's pseudonym, for logs.
    pub name: String,
    /// The recipient.
    pub to: Email,
    /// What it says.
    pub says: Says,
    /// When it was written.
    pub at: Moment,
}

/// What a message says.
#[derive(Clone, Debug)]
pub enum Says {
    /// It brings a login code.
    Code {
        /// The code.
        code: LoginCode,
        /// How long it works.
        works_for: Duration,
    },
    /// It tells of something that happened to the account.
    Notice(Notice),
    /// It reminds of an audit that is due.
    Reminder {
        /// When it fell due.
        due_at: Moment,
    },
}

/// Something that an account's owner must hear of.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Notice {
    /// A second factor was turned on.
    SecondFactorOn,
    /// The second factor was turned off.
    SecondFactorOff,
    /// A recovery code was used.
    RecoveryCodeUsed,
}
