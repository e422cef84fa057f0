//! A message to send, before it is written.

use std::time::Duration;

use crate::rules::email::Email;
use crate::time::Timestamp;
use crate::tokens::code::LoginCode;

/// A message to send.
#[derive(Clone, Debug)]
pub struct Mail {
    /// The recipient's pseudonym, for logs.
    pub name: String,
    /// The recipient.
    pub to: Email,
    pub content: MailContent,
    /// When it was written.
    pub at: Timestamp,
}

/// What a message says.
#[derive(Clone, Debug)]
pub enum MailContent {
    /// It brings a login code.
    Code {
        code: LoginCode,
        /// How long it works.
        works_for: Duration,
    },
    /// It says that the address has no account, and can't have one.
    NoAccount {
        /// The server's public address.
        site: String,
    },
    /// It tells of something that happened to the account.
    Notice(MailNotice),
    /// It reminds of an audit that is due.
    Reminder {
        /// When it fell due.
        due_at: Timestamp,
    },
}

/// Something that an account's owner must hear of.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum MailNotice {
    /// A second factor was turned on.
    SecondFactorOn,
    /// The second factor was turned off.
    SecondFactorOff,
    RecoveryCodeUsed,
}
