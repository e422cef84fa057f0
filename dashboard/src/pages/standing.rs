//! How a session stands, in words.

use super::clock::{Clock, ShownTime};
use everkey_proto::SignInMethod;
use everkey_proto::reply::{State, Status};

/// How much it wants of the person; shown as a shape and a colour beside the words.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Tone {
    /// Nothing: it works.
    Good,
    /// Nothing: it is being worked on.
    Busy,
    /// Nothing yet, but it may come to that.
    Warn,
    /// A person is needed.
    Bad,
    /// Nothing is there.
    Quiet,
}

impl Tone {
    /// The class that the style sheet knows.
    pub fn class(self) -> &'static str {
        match self {
            Self::Good => "good",
            Self::Busy => "busy",
            Self::Warn => "warn",
            Self::Bad => "bad",
            Self::Quiet => "quiet",
        }
    }
}

/// A sentence that may have a time in the middle that counts down.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Phrase {
    /// What comes first.
    pub before: String,
    /// How far away something is.
    pub away: Option<ShownTime>,
    /// What comes last.
    pub after: String,
}

impl Phrase {
    fn plain(text: impl Into<String>) -> Self {
        Self { before: text.into(), away: None, after: String::new() }
    }

    fn counting(before: &str, away: ShownTime, after: &str) -> Self {
        Self { before: before.to_owned(), away: Some(away), after: after.to_owned() }
    }
}

/// The tone of a state.
pub fn tone(status: &Status) -> Tone {
    match status.state {
        State::SignedOut => Tone::Quiet,
        State::Valid => Tone::Good,
        State::Refreshing => Tone::Busy,
        State::Offline | State::Uncertain | State::ReadOnly => Tone::Warn,
        State::NeedsLogin if status.token_served => Tone::Warn,
        State::NeedsLogin => Tone::Bad,
    }
}

/// A state in one to three sentences.
pub fn phrases(status: &Status, clock: &Clock) -> Vec<Phrase> {
    let next = status.next_refresh_at.map(|at| clock.when(at));
    match status.state {
        State::SignedOut => vec![match reason(status) {
            Some(reason) => Phrase::plain(format!("Nobody is signed in: {reason}")),
            None => Phrase::plain(format!("Nobody is signed in to {} yet.", status.profile)),
        }],
        State::Valid => vec![match (next, status.access_expires_at) {
            (Some(next), _) if next.past => Phrase::plain("Signed in, about to refresh."),
            (Some(next), _) => Phrase::counting("Signed in, refreshes by itself in ", next, "."),
            (None, Some(at)) => {
                Phrase::counting("Signed in. A new sign-in is needed in ", clock.when(at), ".")
            }
            (None, None) => Phrase::plain("Signed in. This token does not expire by itself."),
        }],
        State::Refreshing => vec![Phrase::plain("Signed in, refreshing now.")],
        State::Offline => {
            let again = match next {
                Some(next) if next.past => Phrase::plain("Can't reach the server; trying again now."),
                Some(next) if next.unix < clock.now() + 120 => {
                    Phrase::counting("Can't reach the server; trying again in ", next, ".")
                }
                Some(next) => Phrase::plain(format!("Can't reach the server; trying again {}.", next.near)),
                None => Phrase::plain("Can't reach the server."),
            };
            [Some(again), still(status, clock)].into_iter().flatten().collect()
        }
        State::Uncertain => {
            let lost = "A refresh was sent and its answer got lost; finding out what became of it.";
            [Some(Phrase::plain(lost)), still(status, clock)].into_iter().flatten().collect()
        }
        State::NeedsLogin => {
            let why = reason(status).unwrap_or_else(|| "the session has ended.".to_owned());
            let works = still(status, clock).filter(|_| status.token_served);
            [Some(Phrase::plain(format!("Needs a new sign-in: {why}"))), works]
                .into_iter()
                .flatten()
                .collect()
        }
        State::ReadOnly => {
            let why = reason(status);
            vec![Phrase::plain(why.unwrap_or_else(|| "Another agent owns this session file.".to_owned()))]
        }
    }
}

fn still(status: &Status, clock: &Clock) -> Option<Phrase> {
    let expires = clock.when(status.access_expires_at?);
    Some(if expires.past {
        Phrase::plain("The token has expired meanwhile.")
    } else {
        Phrase::counting("The token still works for ", expires, ".")
    })
}

/// The agent's reason without the `not signed in (...)` that command lines want around it.
fn reason(status: &Status) -> Option<String> {
    let bare = status.reason.as_deref()?.trim();
    let inner = bare.strip_prefix("not signed in").unwrap_or(bare).trim();
    let inner = inner.strip_prefix('(').and_then(|inner| inner.strip_suffix(')')).unwrap_or(inner);
    let inner = inner.trim_end_matches('.');
    (!inner.is_empty()).then(|| format!("{inner}."))
}

/// How somebody signs in.
pub fn way(scheme: SignInMethod) -> &'static str {
    match scheme {
        SignInMethod::Otp => "Code by email",
        SignInMethod::Device => "Device code",
        SignInMethod::Browser => "Browser",
        SignInMethod::Token => "Pasted token",
        SignInMethod::Client => "Client credentials",
    }
}

#[cfg(test)]
mod tests {
    use super::super::samples::{NOON, clock, status};
    use super::*;

    fn said(status: &Status) -> String {
        let say = |phrase: Phrase| {
            let away = phrase.away.map(|when| when.away).unwrap_or_default();
            format!("{}{away}{}", phrase.before, phrase.after)
        };
        phrases(status, &clock()).into_iter().map(say).collect::<Vec<_>>().join(" ")
    }

    #[test]
    fn every_state_has_its_words() {
        let mut it = status("binboi", State::SignedOut);
        assert_eq!(said(&it), "Nobody is signed in to binboi yet.");
        it.reason = Some("not signed in".to_owned());
        assert_eq!(said(&it), "Nobody is signed in to binboi yet.");
        it.reason = Some("not signed in (the session file was removed by another program)".to_owned());
        assert_eq!(said(&it), "Nobody is signed in: the session file was removed by another program.");

        let mut it = status("p", State::Valid);
        it.next_refresh_at = Some(NOON + 41 * 60);
        assert_eq!(said(&it), "Signed in, refreshes by itself in 41 min.");
        it.next_refresh_at = Some(NOON);
        assert_eq!(said(&it), "Signed in, about to refresh.");
        it.next_refresh_at = None;
        it.access_expires_at = Some(NOON + 3 * 86_400);
        assert_eq!(said(&it), "Signed in. A new sign-in is needed in 3 days.");
        it.access_expires_at = None;
        assert_eq!(said(&it), "Signed in. This token does not expire by itself.");

        let mut it = status("p", State::Offline);
        it.next_refresh_at = Some(NOON + 180);
        it.access_expires_at = Some(NOON + 12 * 60);
        let far = "Can't reach the server; trying again at 12:03. The token still works for 12 min.";
        assert_eq!(said(&it), far);
        it.next_refresh_at = Some(NOON + 42);
        assert!(said(&it).starts_with("Can't reach the server; trying again in 42 s."));
        it.access_expires_at = Some(NOON - 1);
        assert!(said(&it).ends_with("The token has expired meanwhile."));

        let mut it = status("p", State::NeedsLogin);
        it.reason = Some("not signed in (the api-server has ended the session)".to_owned());
        assert_eq!(said(&it), "Needs a new sign-in: the api-server has ended the session.");
        it.reason = None;
        assert_eq!(said(&it), "Needs a new sign-in: the session has ended.");
        it.reason = Some("the api-server has ended the session".to_owned());
        (it.access_expires_at, it.token_served) = (Some(NOON + 12 * 60), true);
        let served =
            "Needs a new sign-in: the api-server has ended the session. The token still works for 12 min.";
        assert_eq!(said(&it), served);
    }
}
