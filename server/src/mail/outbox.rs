//! Where requests leave mail. Leaving it never waits.

use tokio::sync::mpsc;

use crate::mail::letter::Mail;

/// How many messages may wait. More would be older than they are useful when their turn comes.
const WAITING: usize = 1024;

/// Where requests leave mail.
#[derive(Clone, Debug)]
pub struct MailOutbox(mpsc::Sender<Mail>);

/// A place in the outbox.
#[derive(Debug)]
pub struct OutboxSlot(mpsc::OwnedPermit<Mail>);

/// What waits in the outbox; it ends once every [`MailOutbox`] is gone and it is empty.
pub type MailQueue = mpsc::Receiver<Mail>;

/// An outbox and its other end.
pub fn outbox() -> (MailOutbox, MailQueue) {
    let (sender, waiting) = mpsc::channel(WAITING);
    (MailOutbox(sender), waiting)
}

impl MailOutbox {
    /// How many messages wait.
    pub fn waiting(&self) -> usize {
        self.0.max_capacity() - self.0.capacity()
    }

    /// Takes a place, or `None` if there is none left.
    pub fn reserve(&self) -> Option<OutboxSlot> {
        self.0.clone().try_reserve_owned().ok().map(OutboxSlot)
    }
}

impl OutboxSlot {
    /// Leaves a message. Never waits.
    pub fn send(self, mail: Mail) {
        self.0.send(mail);
    }
}
