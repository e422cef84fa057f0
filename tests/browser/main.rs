//! The dashboard and the api-server as people and foreign programs meet them: every page in a real browser, every
//! described route under a fuzzer, and an OAuth client that others wrote; and the agent as the client of an authorization
//! server that others wrote. One binary for all of it, because links are expensive.
#![forbid(unsafe_code)]
#![allow(clippy::unwrap_used, clippy::expect_used, clippy::panic)]

mod account;
mod consent;
mod dashboard;
mod device;
mod foreign;
mod fuzzed;
mod interop;
mod keyboard;
mod listener;
mod machines;
mod oauth;
mod oauth_bad;
mod oauth_cli;
mod replay;
mod security;
mod share;
mod sign_in;
mod site;
