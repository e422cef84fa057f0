//! The rows of `tests/FAULTS.md` that the pure core alone must hold, one scenario each.
#![forbid(unsafe_code)]
#![allow(missing_docs, clippy::panic)]

#[path = "faults/accounts.rs"]
mod accounts;
#[path = "faults/damaged.rs"]
mod damaged;
#[path = "faults/farewell.rs"]
mod farewell;
#[path = "faults/files.rs"]
mod files;
#[path = "faults/fixtures.rs"]
mod fixtures;
#[path = "faults/flows.rs"]
mod flows;
#[path = "faults/identities.rs"]
mod identities;
#[path = "faults/kept.rs"]
mod kept;
#[path = "faults/network.rs"]
mod network;
#[path = "faults/pages.rs"]
mod pages;
#[path = "faults/people.rs"]
mod people;
#[path = "faults/refused.rs"]
mod refused;
#[path = "faults/script.rs"]
mod script;
#[path = "faults/time.rs"]
mod time;
#[path = "faults/unrotated.rs"]
mod unrotated;
