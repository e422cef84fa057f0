//! The rows of `tests/FAULTS.md` that the pure core alone must hold, one scenario each.
#![forbid(unsafe_code)]
#![allow(clippy::panic)] // the helpers of a test are one too

mod accounts;
mod callers;
mod clients;
mod configured;
mod credentials_grant;
mod damaged;
mod ended;
mod endings;
mod farewell;
mod files;
mod fixtures;
mod flows;
mod identities;
mod kept;
mod logout;
mod network;
mod pages;
mod people;
mod refused;
mod repeats;
mod script;
mod time;
mod unrotated;
mod wakes;
