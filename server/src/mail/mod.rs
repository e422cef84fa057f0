//! Mail: left in an outbox by the request, carried by a task of its own.

pub mod carrier;
mod folder;
pub mod message;
pub mod route;

use std::time::Duration;

use tokio::sync::mpsc;

use crate::rules::email::Email;
use crate::time::Moment;
use crate::tokens::code::LoginCode;

/// How many messages may wait. More would be older than they are useful when their turn comes.
const WAITING: usize = 1024;

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

/// Where requests leave mail.
#[derive(Clone, Debug)]
pub struct Outbox(mpsc::Sender<Mail>);

/// A place in the outbox.
#[derive(Debug)]
pub struct Slot(mpsc::OwnedPermit<Mail>);

/// What waits in the outbox; it ends once every [`Outbox`] is gone and it is empty.
pub type Waiting = mpsc::Receiver<Mail>;

/// An outbox and its other end.
pub fn outbox() -> (Outbox, Waiting) {
    let (sender, waiting) = mpsc::channel(WAITING);
    (Outbox(sender), waiting)
}

impl Outbox {
    /// How many messages wait.
    pub fn waiting(&self) -> usize {
        self.0.max_capacity() - self.0.capacity()
    }

    /// Takes a place, or `None` if there is none left.
    pub fn reserve(&self) -> Option<Slot> {
        self.0.clone().try_reserve_owned().ok().map(Slot)
    }
}

impl Slot {
    /// Leaves a message. Never waits.
    pub fn send(self, mail: Mail) {
        self.0.send(mail);
    }
}
