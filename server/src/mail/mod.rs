//! Mail: left in an outbox by the request, carried by a task of its own.

pub mod carrier;
mod folder;
mod letter;
pub mod message;
mod outbox;
pub mod route;

pub use letter::{Mail, MailContent, MailNotice};
pub use outbox::{MailOutbox, MailQueue, OutboxSlot, outbox};
