//! The re-audit page: the reminder there is, and setting another.

use super::clock::{Clock, ShownTime};
use super::standing::Tone;
use crate::agent::Look;
use askama::Template;
use everkey_client::{ResolvedProfile, Status};
use everkey_proto::DEFAULT_PROFILE;
use everkey_proto::reply::{Reminder, State, Upstream};

/// The page's live region.
#[derive(Debug, Template)]
#[template(path = "audit.html")]
pub struct Audit {
    who: Option<String>,
    session: Session,
    reminder: Option<Shown>,
    first_day: String,
    last_day: String,
    presets: [u32; 3],
}

/// Whether somebody could set a reminder now.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Session {
    /// They could.
    In,
    /// They would sign in first.
    Out,
    /// They were signed in, and would sign in again first.
    Over,
}

/// The reminder there is.
#[derive(Debug)]
struct Shown {
    at: ShownTime,
    set: ShownTime,
    email: String,
    due: bool,
    /// How much of the time is over, in percent.
    over: u64,
    tone: Tone,
    upstream: &'static str,
    /// Whether that may change any moment, without an event.
    unsettled: bool,
}

impl Audit {
    /// The reminder of whoever is signed in to failproofai.
    pub fn new(look: &Look, clock: &Clock) -> Self {
        let status = find(look).and_then(|(_, status)| status.as_ref().ok());
        let session = match status.map(|status| status.state) {
            None | Some(State::SignedOut) => Session::Out,
            Some(State::NeedsLogin) if status.is_some_and(|status| status.token_served) => Session::In,
            Some(State::NeedsLogin) => Session::Over,
            Some(State::Valid | State::Refreshing | State::Offline | State::Uncertain | State::ReadOnly) => {
                Session::In
            }
        };
        let user = status.and_then(|status| status.user.as_ref());
        Self {
            who: user.map(|user| user.email.clone()).filter(|_| session != Session::Out),
            session,
            reminder: status.and_then(|status| status.reminder.as_ref()).map(|it| Shown::new(it, clock)),
            first_day: clock.date_field(1),
            last_day: clock.last_date_field(365),
            presets: [7, 14, 30],
        }
    }
}

type Entry = (ResolvedProfile, Result<Status, everkey_client::Failure>);

/// The contract's routes are about the profile of this name, whatever the default one is.
fn find(look: &Look) -> Option<&Entry> {
    let is_it = |entry: &&Entry| entry.0.name == DEFAULT_PROFILE;
    look.profiles.iter().find(is_it)
}

impl Shown {
    fn new(reminder: &Reminder, clock: &Clock) -> Self {
        let upstream = match reminder.upstream {
            Upstream::Told => "The api-server knows and writes to you as well.",
            Upstream::Pending => "The api-server does not know yet; it is told again until it does.",
            Upstream::Unknown => "Another program set it; whether the api-server knows can't be said.",
        };
        let tone = match (reminder.due, reminder.upstream) {
            (true, _) => Tone::Warn,
            (false, Upstream::Pending) => Tone::Busy,
            (false, Upstream::Told | Upstream::Unknown) => Tone::Good,
        };
        Self {
            at: clock.when(reminder.at),
            set: clock.when(reminder.set_at),
            email: reminder.email.clone(),
            due: reminder.due,
            over: over(reminder, clock),
            tone,
            upstream,
            unsettled: reminder.upstream == Upstream::Pending,
        }
    }
}

fn over(reminder: &Reminder, clock: &Clock) -> u64 {
    let whole = reminder.at.saturating_sub(reminder.set_at).max(1);
    (clock.now().saturating_sub(reminder.set_at).saturating_mul(100) / whole).min(100)
}

#[cfg(test)]
mod tests {
    use super::super::samples::{NOON, ada, clock, fresh, look, profile, reminder};
    use super::*;
    use everkey_config::ProviderKind;

    fn page(status: Status) -> String {
        let look = look(vec![(profile("failproofai", ProviderKind::Failproofai), Ok(status))]);
        Audit::new(&look, &clock()).render().unwrap()
    }

    #[test]
    fn a_reminder_says_when_and_who_knows() {
        let html = page(Status { reminder: Some(reminder()), ..ada() });
        for words in ["27 November 2026", "6 days", "The api-server knows", "Clear", "Change it"] {
            assert!(html.contains(words), "no {words:?} in {html}");
        }
        let pending = Reminder { upstream: Upstream::Pending, ..reminder() };
        assert!(page(Status { reminder: Some(pending), ..ada() }).contains("told again until it does"));
    }

    #[test]
    fn a_due_reminder_says_so() {
        let due = Reminder { at: NOON - 3600, due: true, ..reminder() };
        let html = page(Status { reminder: Some(due), ..ada() });
        for words in ["Your re-audit is due", "60 min", "class=\"reminder warn\"", "Set the next one"] {
            assert!(html.contains(words), "no {words:?} in {html}");
        }
    }

    #[test]
    fn without_a_reminder_or_a_session_it_says_that() {
        assert!(page(ada()).contains("No reminder is set"));
        let html = Audit::new(&fresh(), &clock()).render().unwrap();
        assert!(html.contains("data-session=\"out\"") && html.contains("sign in first"), "{html}");
        assert!(html.contains("min=\"2026-11-22\"") && html.contains("max=\"2027-11-21\""), "{html}");
        // Whose reminder the file holds is nobody's business until somebody is signed in.
        let over = page(Status { state: State::NeedsLogin, ..ada() });
        assert!(over.contains("data-session=\"over\""), "{over}");
        for html in [html, over] {
            assert!(html.contains("Sign in to see your reminder") && !html.contains("No reminder"), "{html}");
        }
    }
}
