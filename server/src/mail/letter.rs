//! A message to send, before it is written.

use std::time::Duration;

use crate::db::made_by_session::MadeBySession;
use crate::rules::email::Email;
use crate::rules::role::Role;
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
    Notice(Box<Letter>),
    /// It reminds of an audit that is due.
    Reminder {
        /// When it fell due.
        due_at: Timestamp,
    },
}

/// What a letter about an account says.
#[derive(Clone, Debug)]
pub struct Letter {
    pub notice: MailNotice,
    /// Where it came from.
    pub origin: LetterOrigin,
    /// Whether further ones of its kind are withheld for a while.
    pub is_last: bool,
    /// The server's public address, where something can be done about it.
    pub site: String,
}

/// Who did something, as far as the network tells.
#[derive(Clone, Debug)]
pub struct LetterOrigin {
    pub network: String,
    /// What the program calls itself; may be empty.
    pub program: String,
}

/// Something that an account's owner must hear of.
#[derive(Clone, Debug)]
pub enum MailNotice {
    /// A second factor was turned on.
    SecondFactorOn,
    /// The second factor was turned off.
    SecondFactorOff,
    RecoveryCodeUsed,
    RecoveryCodesRenewed,
    /// Somebody signed in from a network or with a program that is new.
    SignedIn {
        what: String,
    },
    /// A personal access token was made.
    TokenMade {
        name: String,
        /// The part of it that may be shown.
        prefix: String,
        expires_at: Option<Timestamp>,
    },
    /// Somebody was invited into a workspace.
    Invited {
        email: String,
        role: Role,
    },
    /// A member of a workspace was given a higher role.
    RoleRaised {
        email: String,
        role: Role,
    },
    /// A token came twice, and what may be in two hands has ended.
    Alarm(AlarmNotice),
}

/// What an alarm was about.
#[derive(Clone, Debug)]
pub struct AlarmNotice {
    /// What the session is.
    pub session: String,
    /// The app that has it, by its client's id; `None` of the user's own tools and browsers.
    pub app: Option<String>,
    pub began_at: Timestamp,
    pub began_from: Option<String>,
    /// From where one of its tokens was last seen before that.
    pub seen_from: Option<String>,
    /// Whether every session of the account has ended, or this one.
    pub everywhere: bool,
    /// What ended with it.
    pub made: MadeBySession,
}

impl MailNotice {
    /// The kind that a day's letters are counted by.
    pub fn kind(&self) -> &'static str {
        match self {
            Self::SecondFactorOn => "second_factor_on",
            Self::SecondFactorOff => "second_factor_off",
            Self::RecoveryCodeUsed => "recovery_code_used",
            Self::RecoveryCodesRenewed => "recovery_codes_renewed",
            Self::SignedIn { .. } => "sign_in",
            Self::TokenMade { .. } => "token",
            Self::Invited { .. } => "invitation",
            Self::RoleRaised { .. } => "role",
            Self::Alarm(_) => "alarm",
        }
    }
}
