//! The kill loop and its kin: every system call of a refresh, killed or failed, against the real binaries.
//! A short selection by default; all of it with `EVERKEY_FAULT=all` (`./dev fault`).
#![forbid(unsafe_code)]
#![allow(clippy::unwrap_used, clippy::expect_used, clippy::panic)]

mod errors;
mod kills;
mod lane;
mod outsider;
mod reader;
mod run;
mod strace;
mod table;
mod trace;

mod compare;
mod disk;
mod network;
mod server;
