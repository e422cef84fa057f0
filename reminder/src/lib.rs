//! What the agent does about the re-audit reminder, as a pure function: one event in, effects out.
//! Deliberately absent: I/O, clocks, randomness, async. They come in with the events.
#![forbid(unsafe_code)]
#![deny(clippy::disallowed_types, clippy::disallowed_methods)]
// Few of them exist at a time, so boxes would only be noise.
#![allow(clippy::large_enum_variant)]

pub mod book;
pub mod effect;

mod ask;
mod facts;
mod farewell;
mod inform;
mod machine;
mod profile_machines;
mod state;

pub use book::{FoundReminder, Owed, ReminderBook, ReminderRecord};
pub use effect::{
    ReminderAnswer, ReminderCall, ReminderDone, ReminderEffect, ReminderError, ReminderInput, ReminderJob,
    ReminderNotice, ReminderReply, Untold,
};
pub use facts::SessionFacts;
pub use machine::ReminderMachine;
pub use profile_machines::{ProfileEffect, ProfileInput, ProfileMachines};
