//! What has happened, in words.

use crate::cli::{moment, show};
use anstyle::{AnsiColor, Style};
use everkey_client::{Event, Happening, User};
use std::fmt::Write;

/// One event as one line.
pub fn line(event: &Event) -> String {
    let (colour, text) = words(&event.what);
    let style = Style::new().fg_color(colour.map(Into::into));
    let time = show::local_time(event.at, "%Y-%m-%d %H:%M:%S");
    format!("{time}  {:<12}  {style}{}{style:#}", show::plain(&event.profile), show::plain(&text))
}

fn words(what: &Happening) -> (Option<AnsiColor>, String) {
    let (green, yellow, red) = (Some(AnsiColor::Green), Some(AnsiColor::Yellow), Some(AnsiColor::Red));
    match what {
        Happening::SignedIn { user } => (green, format!("signed in{}", as_whom(user.as_ref()))),
        Happening::SignedOut { why } if why == "signed out" => (yellow, why.clone()),
        Happening::SignedOut { why } => (yellow, format!("signed out: {why}")),
        Happening::Refreshed { access_expires_at: None } => (None, "refreshed".to_owned()),
        Happening::Refreshed { access_expires_at: Some(at) } => {
            let until = show::local_time(*at, "%Y-%m-%d %H:%M:%S");
            (None, format!("refreshed; the access token is good until {until}"))
        }
        Happening::Offline { why } => (yellow, format!("offline, trying again: {why}")),
        Happening::NeedsLogin { why } => (red, format!("needs a new sign-in: {why}")),
        Happening::Adopted { user } => {
            (None, format!("took over a session that another program wrote{}", as_whom(user.as_ref())))
        }
        Happening::FileTrouble { why } => (red, format!("file trouble: {why}")),
        Happening::Handed { pid, program } => {
            let program = program.as_deref().unwrap_or("a program that the system does not name");
            (None, format!("token handed to {program} (process {pid})"))
        }
        Happening::ReminderSet { reminder } => {
            (None, format!("reminder set for {}", moment::shown(reminder.at)))
        }
        Happening::ReminderCleared => (None, "reminder cleared".to_owned()),
        Happening::ReminderDue { reminder } => (
            yellow,
            format!("reminder due: time for another audit (set on {})", moment::shown(reminder.set_at)),
        ),
    }
}

fn as_whom(user: Option<&User>) -> String {
    let mut text = String::new();
    if let Some(user) = user {
        let _ = write!(text, " as {}", show::user(user));
    }
    text
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn s01_nothing_of_an_event_is_obeyed_by_a_terminal() {
        let event = |what| Event { id: 1, at: 0, profile: "p\u{1b}[2J".to_owned(), what };
        for what in [
            Happening::Offline { why: "a\u{1b}]0;b\u{7}\nc".to_owned() },
            Happening::Handed { pid: 1, program: Some("/x\r\u{9b}2J".to_owned()) },
        ] {
            let line = line(&event(what));
            let bare = anstream::adapter::strip_str(&line).to_string();
            assert!(!bare.contains(char::is_control), "{bare:?}");
        }
    }
}
