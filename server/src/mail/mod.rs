//! Mail: left in an outbox by the request, carried by a task of its own.

pub mod carrier;
mod folder;
mod letter;
pub mod message;
mod notice;
mod outbox;
pub mod route;

pub use letter::{AlarmNotice, Letter, Mail, MailContent, MailNotice, Origin};
pub use notice::harmless;
pub use outbox::{MailOutbox, MailQueue, OutboxSlot, outbox};
