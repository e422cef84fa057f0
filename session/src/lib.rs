//! What the agent does, as a pure function: one event in, effects out.
//! Deliberately absent: I/O, clocks, randomness, async. They come in with the events.
#![forbid(unsafe_code)]
#![deny(clippy::disallowed_types, clippy::disallowed_methods)]
// Few of them exist at a time, so boxes would only be noise.
#![allow(clippy::large_enum_variant)]

pub mod event;
pub mod job;
pub mod policy;
pub mod record;
pub mod registration;
pub mod time;
pub mod trouble;

mod answering;
mod books;
mod ending;
mod inspecting;
mod keeping;
mod looking;
mod profile;
mod recovery;
mod rotation;
mod scheme;
mod sending;
mod signing_in;
mod signing_out;

pub use event::{Answer, Ask, Effect, Farewell, Input, Op, Waiter};
pub use job::{Done, NetJob, StoreJob};
pub use profile::{Profile, Settings};
pub use time::{Boot, Moment};
