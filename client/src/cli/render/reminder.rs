//! A reminder in words.

use crate::cli::context::Context;
use crate::cli::terminal::dates;
use everkey_client::{Reminder, Upstream};

/// When a reminder is due, in a line.
pub fn line(reminder: &Reminder) -> String {
    let when = dates::local(reminder.at);
    if reminder.due { format!("due since {when}: time for another audit") } else { when }
}

/// What to do about a reminder that is due.
pub fn what_to_do(context: &Context) -> String {
    let (set, clear) = (context.plain_command("reminder set"), context.plain_command("reminder clear"));
    format!("Then `{set}` sets the next one, and `{clear}` ends it.")
}

/// Whether the api-server knows it.
pub fn upstream(upstream: Upstream) -> &'static str {
    match upstream {
        Upstream::Told => "The api-server knows it.",
        Upstream::Pending => "The api-server does not know it yet; it is told as soon as it can be reached.",
        Upstream::Unknown => "Another program set it, and may or may not have told the api-server.",
    }
}
