//! The events of the agent for whoever follows: the last ones, and a channel that never waits for its readers.

use crate::messages;
use everkey_proto::reply::{Event, EventKind};
use everkey_reminder::ReminderNotice;
use everkey_session::{Error, Notice, Profile};
use std::collections::{BTreeMap, VecDeque};
use std::sync::{Arc, Mutex, PoisonError};
use tokio::sync::broadcast::{self, error::RecvError};

/// How many events are remembered.
const KEPT: usize = 500;

/// How many events a reader may be behind, besides what the socket holds.
const MAX_LAG: usize = 512;

/// The events of this agent's life. The lock is held for a push or a copy, and makes what a follower gets of the past
/// end where its present begins.
#[derive(Clone)]
pub struct EventLog(Arc<Mutex<Recorded>>);

struct Recorded {
    last: u64,
    past: VecDeque<Arc<Event>>,
    live: broadcast::Sender<Arc<Event>>,
    /// The trouble that each profile is in, so that trouble which lasts is one event.
    lasting: BTreeMap<String, EventKind>,
}

pub struct Follower {
    /// What was before, the oldest first.
    pub past: Vec<Arc<Event>>,
    live: broadcast::Receiver<Arc<Event>>,
}

/// So many events were missed, because they were not read in time.
pub struct Missed(pub u64);

impl EventLog {
    pub fn new() -> Self {
        let (live, _) = broadcast::channel(MAX_LAG);
        let recorded = Recorded { last: 0, past: VecDeque::new(), live, lasting: BTreeMap::new() };
        Self(Arc::new(Mutex::new(recorded)))
    }

    /// For everybody who follows, at this time in unix seconds. Never waits.
    pub fn record(&self, at: u64, profile: &str, what: EventKind) {
        let mut recorded = self.0.lock().unwrap_or_else(PoisonError::into_inner);
        if !recorded.is_news(profile, &what) {
            return;
        }
        recorded.last += 1;
        let event = Arc::new(Event { id: recorded.last, at, profile: profile.to_owned(), what });
        if recorded.past.len() == KEPT {
            recorded.past.pop_front();
        }
        recorded.past.push_back(Arc::clone(&event));
        // Nobody may be following.
        let _ = recorded.live.send(event);
    }

    /// Unix seconds of a profile's last refresh, as far as is remembered.
    pub fn last_refresh(&self, profile: &str) -> Option<u64> {
        let recorded = self.0.lock().unwrap_or_else(PoisonError::into_inner);
        let is_refresh = |event: &&Arc<Event>| {
            event.profile == profile && matches!(event.what, EventKind::Refreshed { .. })
        };
        recorded.past.iter().rev().find(is_refresh).map(|event| event.at)
    }

    /// Follows from now on; with what is remembered if `past`.
    pub fn follow(&self, past: bool) -> Follower {
        let recorded = self.0.lock().unwrap_or_else(PoisonError::into_inner);
        let past = if past { recorded.past.iter().cloned().collect() } else { Vec::new() };
        Follower { past, live: recorded.live.subscribe() }
    }
}

impl Recorded {
    fn is_news(&mut self, profile: &str, what: &EventKind) -> bool {
        match what {
            EventKind::Offline { .. } | EventKind::FileTrouble { .. } => {
                self.lasting.insert(profile.to_owned(), what.clone()).as_ref() != Some(what)
            }
            EventKind::SignedIn { .. }
            | EventKind::SignedOut { .. }
            | EventKind::Refreshed { .. }
            | EventKind::NeedsLogin { .. }
            | EventKind::Adopted { .. } => {
                self.lasting.remove(profile);
                true
            }
            EventKind::Handed { .. }
            | EventKind::ReminderSet { .. }
            | EventKind::ReminderCleared
            | EventKind::ReminderDue { .. }
            | EventKind::SignInAhead { .. } => true,
        }
    }
}

impl Follower {
    /// Waits for the next event; none when there will be no more.
    pub async fn next(&mut self) -> Option<Result<Arc<Event>, Missed>> {
        match self.live.recv().await {
            Ok(event) => Some(Ok(event)),
            Err(RecvError::Lagged(missed)) => Some(Err(Missed(missed))),
            Err(RecvError::Closed) => None,
        }
    }
}

/// What a notice about a profile means to a person; none if it is for the log only.
pub fn of_notice(notice: &Notice, profile: &Profile) -> Option<EventKind> {
    let user = || profile.user().cloned();
    let why = |error: Error| messages::failure(&error).message;
    Some(match notice {
        Notice::SignedIn => EventKind::SignedIn { user: user() },
        Notice::Refreshed => EventKind::Refreshed { access_expires_at: profile.access_expires_at() },
        Notice::Adopted => EventKind::Adopted { user: user() },
        Notice::SignedOut(out) => EventKind::SignedOut { why: messages::why_out(out) },
        Notice::Ended(over) => EventKind::NeedsLogin { why: messages::why_ended(*over).to_owned() },
        Notice::RefreshFailed(net) => EventKind::Offline { why: why(Error::Net(net.clone())) },
        Notice::SignInAhead { by, why } => EventKind::SignInAhead { why: messages::why_ahead(*why), by: *by },
        Notice::StoreFailed(store) => EventKind::FileTrouble { why: why(Error::Store(store.clone())) },
        Notice::Tightened
        | Notice::SetAside(_)
        | Notice::GaveWay
        | Notice::Recovered
        | Notice::Alarm
        | Notice::Revoked
        | Notice::RevocationDropped => return None,
    })
}

/// The same for a notice about a reminder.
pub fn of_reminder_notice(notice: &ReminderNotice) -> Option<EventKind> {
    Some(match notice {
        ReminderNotice::Set(reminder) => EventKind::ReminderSet { reminder: reminder.clone() },
        ReminderNotice::Cleared => EventKind::ReminderCleared,
        ReminderNotice::Due(reminder) => EventKind::ReminderDue { reminder: reminder.clone() },
        ReminderNotice::StoreFailed(store) => {
            EventKind::FileTrouble { why: messages::failure(&Error::Store(store.clone())).message }
        }
        ReminderNotice::Untold(_) => return None,
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    fn ids(follower: &Follower) -> Vec<u64> {
        follower.past.iter().map(|event| event.id).collect()
    }

    fn offline(why: &str) -> EventKind {
        EventKind::Offline { why: why.to_owned() }
    }

    #[test]
    fn the_last_500_are_remembered() {
        let events = EventLog::new();
        for at in 1..=503 {
            events.record(at, "p", EventKind::ReminderCleared);
        }
        assert_eq!(ids(&events.follow(true)), (4..=503).collect::<Vec<_>>());
        assert!(ids(&events.follow(false)).is_empty());
    }

    #[test]
    fn lasting_problems_are_recorded_once_per_profile_until_they_change() {
        let events = EventLog::new();
        let handed = || EventKind::Handed { pid: 1, program: None, client: None, from: None };
        for (profile, what) in [
            ("p", offline("a")),
            ("p", offline("a")),
            ("p", handed()),
            ("p", offline("a")),
            ("q", offline("a")),
            ("p", offline("b")),
            ("p", EventKind::Refreshed { access_expires_at: None }),
            ("p", offline("b")),
        ] {
            events.record(1, profile, what);
        }
        let past = events.follow(true).past;
        let told: Vec<_> = past.iter().map(|event| (event.profile.as_str(), event.what.clone())).collect();
        let expected = [
            ("p", offline("a")),
            ("p", handed()),
            ("q", offline("a")),
            ("p", offline("b")),
            ("p", EventKind::Refreshed { access_expires_at: None }),
            ("p", offline("b")),
        ];
        assert_eq!(told, expected);
    }

    #[tokio::test]
    async fn slow_followers_delay_nobody_and_learn_how_much_they_missed() {
        let events = EventLog::new();
        let mut follower = events.follow(false);
        for at in 0..(MAX_LAG as u64 + 7) {
            events.record(at, "p", EventKind::ReminderCleared);
        }
        assert!(matches!(follower.next().await, Some(Err(Missed(7)))));
    }
}
