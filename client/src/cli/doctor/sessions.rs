//! How each session stands, as the agent says.

use super::checked::Checked;
use super::finding::{Finding, FindingKind};
use crate::cli::terminal::{dates, output};
use crate::cli::verbs::status;
use everkey_client::{ReplaySource, State, Status};

/// Adds rows for the session, and what is wrong with it. `last_refresh` is in unix seconds.
pub fn check(status: &Status, last_refresh: Option<u64>, checked: &mut Checked) {
    let (word, _) = status::state(status.state);
    let user = status.user.as_ref().map(|user| format!(", {}", output::user(user))).unwrap_or_default();
    checked.row("", format!("{word}{user}"));
    let last = last_refresh.map_or_else(|| "none since the agent started".to_owned(), dates::local);
    checked.row("", format!("last refresh: {last}"));
    if let Some(next) = status.next_refresh_at {
        checked.row("", format!("next refresh: {}", dates::local(next)));
    }
    if let Some(next) = &status.next_wake {
        checked.row("", format!("next step: {}, {}", next.reason.replace('_', " "), dates::local(next.at)));
    }
    if let Some(error) = &status.last_error {
        checked.row("", format!("last error: {error}"));
    }
    checked.findings.extend(standing(status));
    checked.findings.extend(ahead(status));
}

fn standing(status: &Status) -> Option<Finding> {
    let name = &status.profile;
    let why = status.reason.as_ref().or(status.last_error.as_ref()).filter(|why| *why != output::NOBODY);
    let why = why.map(|why| format!(": {}", why.trim_end_matches('.'))).unwrap_or_default();
    let login = format!("Run `everkey login --profile {name}`.");
    let (kind, what, to_do) = match status.state {
        State::Valid | State::Refreshing => return None,
        State::SignedOut => (FindingKind::NotSignedIn, format!("Nobody is signed in to {name}{why}."), login),
        State::NeedsLogin => {
            (FindingKind::SessionEnded, format!("The session of {name} is over{why}."), login)
        }
        State::Offline => (
            FindingKind::Offline,
            format!("The last refresh of {name} failed{why}."),
            "It is tried again within a minute; the session is kept.".to_owned(),
        ),
        State::Uncertain => (
            FindingKind::InDoubt,
            format!("Whether the last refresh of {name} was carried out is not known{why}."),
            "The agent finds out by itself; the access token is served meanwhile.".to_owned(),
        ),
        State::ReadOnly => (
            FindingKind::ReadOnlySession,
            format!("The session of {name} is only read here{why}."),
            "Mend what is said of its lock or folder; the agent looks again by itself.".to_owned(),
        ),
    };
    Some(kind.of(name, what, to_do))
}

/// What is worth knowing before it happens.
fn ahead(status: &Status) -> Vec<Finding> {
    let name = &status.profile;
    let mut found = Vec::new();
    if let Some(by) = status.sign_in_by.filter(|_| status.state != State::NeedsLogin) {
        let what = format!("{name} may need a sign-in by {}.", dates::local(by));
        let login = format!("Run `everkey login --profile {name}` when it suits you.");
        found.push(FindingKind::SignInAhead.of(name, what, login));
    }
    if status.pending_revocations > 0 {
        let what = format!(
            "{} sign-out(s) of {name} are not confirmed by the server yet.",
            status.pending_revocations
        );
        found.push(FindingKind::SignOutPending.of(name, what, "Nothing: the agent goes on for seven days."));
    }
    if status.replay.as_ref().is_some_and(|replay| replay.source == ReplaySource::Nobody) {
        let what =
            format!("Nobody says what the server of {name} does with a refresh token that comes twice.");
        let to_do =
            "If its operator knows, write `replay` into the profile (docs/rotation.md, \"Replay rules\").";
        found.push(FindingKind::ReplayUnknown.of(name, what, to_do));
    }
    found
}
