//! The verbs: one file each, and one row each in this table.

mod accesses;
mod agent;
mod agent_install;
mod agent_restart;
mod answer;
mod completions;
mod config;
pub mod curl;
mod dashboard;
mod doctor;
mod events;
mod link;
mod login;
mod logout;
mod man;
mod profile;
mod profile_add;
mod redact;
mod refresh;
mod reminder;
mod report;
mod report_share;
mod report_upload;
pub mod status;
mod status_short;
mod token;
mod unlink;
mod whoami;

use crate::cli::usage::verb::Action::{Run, RunOnTable, RunOrVerbs, Verbs};
use crate::cli::usage::verb::VerbGroup::{Accounts, SignIn, Watching};
use crate::cli::usage::verb::{GroupedVerb, VerbRow};

/// In the order of the general help page.
#[rustfmt::skip]
pub static VERBS: &[GroupedVerb] = &[
    (SignIn, VerbRow { name: "login", summary: "sign in, by a code, in the browser or with a token", help: login::help, action: Run(login::run) }),
    (SignIn, VerbRow { name: "whoami", summary: "who is signed in (exit 1: nobody)", help: whoami::help, action: Run(whoami::run) }),
    (SignIn, VerbRow { name: "status", summary: "server, user, token, expiry and state", help: status::help, action: Run(status::run) }),
    (SignIn, VerbRow { name: "token", summary: "print a valid access token, nothing else", help: token::help, action: Run(token::run) }),
    (SignIn, VerbRow { name: "refresh", summary: "refresh the session now", help: refresh::help, action: Run(refresh::run) }),
    (SignIn, VerbRow { name: "logout", summary: "sign out here at once, then at the server", help: logout::help, action: Run(logout::run) }),
    (SignIn, VerbRow { name: "answer", summary: "answer a sign-in that waits in another terminal", help: answer::help, action: Run(answer::run) }),
    (Accounts, VerbRow { name: "profile", summary: "list, show, add, use or remove accounts", help: profile::help, action: Verbs(profile::VERBS) }),
    (Accounts, VerbRow { name: "curl", summary: "ask an account's own server with its token", help: curl::help, action: Run(curl::run) }),
    (Accounts, VerbRow { name: "link", summary: "call everkey by an account's name, as in `achilles login`", help: link::help, action: Run(link::run) }),
    (Accounts, VerbRow { name: "unlink", summary: "remove a link that `everkey link` made", help: unlink::help, action: Run(unlink::run) }),
    (Accounts, VerbRow { name: "config", summary: "achilles' own profiles, as `achilles config` has them", help: config::help, action: Verbs(config::VERBS) }),
    (Watching, VerbRow { name: "dashboard", summary: "sessions, reminder and events in your browser", help: dashboard::help, action: Run(dashboard::run) }),
    (Watching, VerbRow { name: "events", summary: "follow sign-ins, refreshes and tokens handed out", help: events::help, action: Run(events::run) }),
    (Watching, VerbRow { name: "reminder", summary: "set, get or clear the re-audit reminder", help: reminder::help, action: Verbs(reminder::VERBS) }),
    (Watching, VerbRow { name: "doctor", summary: "what is wrong here, and what to do about it", help: doctor::help, action: Run(doctor::run) }),
    (Watching, VerbRow { name: "report", summary: "a folder with all of that for others, without secrets", help: report::help, action: RunOrVerbs(report::run, report::VERBS) }),
    (Watching, VerbRow { name: "redact", summary: "copy text from a pipe without its secrets", help: redact::help, action: Run(redact::run) }),
    (Watching, VerbRow { name: "agent", summary: "start, stop or install the program behind it, see its log", help: agent::help, action: Verbs(agent::VERBS) }),
    (Watching, VerbRow { name: "completions", summary: "what has bash, zsh or fish complete these commands", help: completions::help, action: RunOnTable(completions::run) }),
    (Watching, VerbRow { name: "man", summary: "the manual pages, in the form that man reads", help: man::help, action: RunOnTable(man::run) }),
];
