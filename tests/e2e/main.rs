//! everkey from the outside: the real agent, client and api-server. Names carry the IDs of `tests/FAULTS.md`.
//! One binary for all of it, because links are expensive.
#![forbid(unsafe_code)]
#![allow(clippy::unwrap_used, clippy::expect_used, clippy::panic)]

mod accesses;
mod achilles;
mod answers;
mod binboi;
mod build;
mod callers;
mod canary;
mod cli;
mod clients;
mod configured;
mod contract;
mod crash;
mod curl;
mod dashboard;
mod dashboard_cli;
mod doctor;
mod dot_ai;
mod ended;
mod events;
mod files;
mod habits;
mod hostile;
mod install;
mod life;
mod login;
mod logout;
mod managed;
mod mismatch;
mod network;
mod oauth;
mod oauth_client;
mod oauth_logout;
mod oauth_registered;
mod odd_servers;
mod older_agent;
mod permissions;
mod places;
mod redact;
mod reminder;
mod reminder_cli;
mod review;
mod seeds;
mod service;
mod shells;
mod space;
mod terminal;
mod wire;
