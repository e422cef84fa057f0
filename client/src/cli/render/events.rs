//! What has happened, in words.

use crate::cli::render::callers;
use crate::cli::terminal::{dates, output};
use anstyle::{AnsiColor, Style};
use everkey_client::{Event, EventKind, User};
use std::fmt::Write;

/// One event as one line.
pub fn line(event: &Event) -> String {
    let (colour, text) = words(event);
    let style = Style::new().fg_color(colour.map(Into::into));
    let time = dates::moment(event.at);
    format!("{time}  {:<12}  {style}{}{style:#}", output::plain(&event.profile), output::plain(&text))
}

fn words(event: &Event) -> (Option<AnsiColor>, String) {
    let (green, yellow, red) = (Some(AnsiColor::Green), Some(AnsiColor::Yellow), Some(AnsiColor::Red));
    match &event.what {
        EventKind::SignedIn { user } => (green, format!("signed in{}", as_whom(user.as_ref()))),
        EventKind::SignedOut { why } if why == "signed out" => (yellow, why.clone()),
        EventKind::SignedOut { why } => (yellow, format!("signed out: {why}")),
        EventKind::Refreshed { access_expires_at: None } => (None, "refreshed".to_owned()),
        EventKind::Refreshed { access_expires_at: Some(at) } => {
            (None, format!("refreshed; the access token is good until {}", dates::moment(*at)))
        }
        EventKind::Offline { why } => (yellow, format!("offline, trying again: {why}")),
        EventKind::NeedsLogin { why } => (red, format!("needs a new sign-in: {why}")),
        EventKind::Adopted { user } => {
            (None, format!("took over a session that another program wrote{}", as_whom(user.as_ref())))
        }
        EventKind::FileTrouble { why } => (red, format!("file trouble: {why}")),
        EventKind::Handed { pid, program, client, from } => {
            let whom = callers::whom(*pid, program.as_deref(), from.as_ref(), client.as_deref());
            (None, format!("token handed to {whom}"))
        }
        EventKind::ReminderSet { reminder } => {
            (None, format!("reminder set for {}", dates::local_as_of(reminder.at, event.at)))
        }
        EventKind::ReminderCleared => (None, "reminder cleared".to_owned()),
        EventKind::SignInAhead { why, by: None } => (yellow, format!("a sign-in may be needed: {why}")),
        EventKind::SignInAhead { why, by: Some(by) } => {
            let by = dates::local_as_of(*by, event.at);
            (yellow, format!("a sign-in may be needed by {by}: {why}"))
        }
        EventKind::ReminderDue { reminder } => (
            yellow,
            format!(
                "reminder due: time for another audit (set on {})",
                dates::local_as_of(reminder.set_at, event.at)
            ),
        ),
    }
}

fn as_whom(user: Option<&User>) -> String {
    let mut text = String::new();
    if let Some(user) = user {
        let _ = write!(text, " as {}", output::user(user));
    }
    text
}

#[cfg(test)]
mod tests {
    use super::*;
    use everkey_client::Reminder;

    #[test]
    fn the_time_to_a_reminder_counts_from_the_event() {
        let at = 1_700_000_000;
        let email = "a@b.c".to_owned();
        let upstream = everkey_client::Upstream::Told;
        let reminder = Reminder { at: at + 14, email, set_at: at, due: false, upstream };
        let said = |at, what| line(&Event { id: 1, at, profile: "p".to_owned(), what });
        let set = said(at, EventKind::ReminderSet { reminder: reminder.clone() });
        assert!(set.contains("(in 14 s)"), "{set}");
        let due = said(at + 14, EventKind::ReminderDue { reminder });
        assert!(due.contains("(14 s ago)"), "{due}");
    }

    #[test]
    fn s01_nothing_of_an_event_is_obeyed_by_a_terminal() {
        let event = |what| Event { id: 1, at: 0, profile: "p\u{1b}[2J".to_owned(), what };
        for what in [
            EventKind::Offline { why: "a\u{1b}]0;b\u{7}\nc".to_owned() },
            EventKind::Handed { pid: 1, program: Some("/x\r\u{9b}2J".to_owned()), client: None, from: None },
        ] {
            let line = line(&event(what));
            let bare = anstream::adapter::strip_str(&line).to_string();
            assert!(!bare.contains(char::is_control), "{bare:?}");
        }
    }
}
