//! The server from the outside: the real router over a real database and a real TCP port, or the real
//! binary. One binary for all of it, because links are expensive.
#![forbid(unsafe_code)]
#![allow(clippy::unwrap_used, clippy::expect_used, clippy::panic)]

#[path = "../kit/mod.rs"]
mod kit;

mod achilles;
mod admin;
mod artifacts;
mod artifacts_bounds;
mod artifacts_s3;
mod bad_input;
mod behind_nginx;
mod binboi;
mod bounds;
mod bursts;
mod codes;
mod command_line;
mod description;
mod device;
mod guessing;
mod health;
mod hostile;
mod housekeeping;
mod invitations;
mod kept_texts;
mod key_change;
mod letters;
mod limits_command;
mod logout;
mod mail;
mod matrix;
mod metrics;
mod migrations;
mod oauth_authorize;
mod oauth_device_grant;
mod oauth_metadata;
mod oauth_redirects;
mod oauth_refresh;
mod oauth_register;
mod oauth_token;
mod oauth_tokens_seen;
mod operator;
mod outage;
mod own_name;
mod pages_device;
mod pages_errors;
mod pages_sessions;
mod pages_sign_in;
mod pages_tokens;
mod personal_tokens;
mod profile;
mod proxies;
mod refresh;
mod reminders;
mod reminders_mailed;
mod replay;
mod restore;
mod retry;
mod second_factor;
mod second_factor_browsers;
mod second_factor_grants;
mod security_txt;
mod sessions;
mod shares;
mod sign_up;
mod smtp;
mod stop;
mod thief;
mod timing;
mod timing_pages;
mod two_processes;
mod withdrawn;
mod workspaces;
