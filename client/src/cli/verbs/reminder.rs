//! `everkey reminder set|get|clear`: the re-audit reminder of whoever is signed in.

use crate::cli::args::ReminderVerb;
use crate::cli::context::Context;
use crate::cli::{moment, show};
use everkey_client::{Failure, Reminder, Upstream, When};
use serde_json::json;
use std::process::ExitCode;

/// When nothing is said.
const IN_DAYS: u32 = 7;

pub fn run(context: &Context, verb: ReminderVerb) -> Result<ExitCode, Failure> {
    let mut agent = context.agent()?;
    let mut account = context.account(&mut agent);
    let reminder = match verb {
        ReminderVerb::Set => {
            let when = context.options().when.unwrap_or(When::InDays(IN_DAYS));
            Some(account.set_reminder(when)?)
        }
        ReminderVerb::Get => account.reminder()?,
        ReminderVerb::Clear => {
            account.clear_reminder()?;
            None
        }
    };
    if context.json() {
        show::json(&json!({ "reminder": reminder }));
        return Ok(ExitCode::SUCCESS);
    }
    match (verb, &reminder) {
        (ReminderVerb::Set, Some(reminder)) => {
            show::out(format_args!("Reminder set for {}.", moment::shown(reminder.at)));
            match reminder.upstream {
                Upstream::Told => {}
                // It was set a moment ago.
                Upstream::Pending => show::out("The api-server is being told."),
                Upstream::Unknown => show::out(upstream(reminder.upstream)),
            }
        }
        (ReminderVerb::Get, Some(reminder)) => print(context, reminder),
        (ReminderVerb::Clear, _) => show::out("Reminder cleared."),
        (ReminderVerb::Set | ReminderVerb::Get, None) => {
            show::out("No reminder is set.");
            show::err(format_args!("`{}` sets one.", context.plain_command("reminder set")));
        }
    }
    Ok(ExitCode::SUCCESS)
}

fn print(context: &Context, reminder: &Reminder) {
    show::out(line(reminder));
    if reminder.due {
        show::out(what_to_do(context));
    }
    show::out(upstream(reminder.upstream));
}

/// When a reminder is due, in a line.
pub fn line(reminder: &Reminder) -> String {
    let when = moment::shown(reminder.at);
    if reminder.due { format!("due since {when}: time for another audit") } else { when }
}

/// What to do about a reminder that is due.
pub fn what_to_do(context: &Context) -> String {
    let (set, clear) = (context.plain_command("reminder set"), context.plain_command("reminder clear"));
    format!("Then `{set}` sets the next one, and `{clear}` ends it.")
}

fn upstream(upstream: Upstream) -> &'static str {
    match upstream {
        Upstream::Told => "The api-server knows it.",
        Upstream::Pending => "The api-server does not know it yet; it is told as soon as it can be reached.",
        Upstream::Unknown => "Another program set it, and may or may not have told the api-server.",
    }
}
