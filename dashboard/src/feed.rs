//! What happens, told to every tab: the last events for those that come later, a bounded queue for each, and the end
//! for one that does not read.

use crate::listen::Hangup;
use everkey_client::Event;
use everkey_proto::Reply;
use everkey_proto::json::ReplyLine;
use serde_json::json;
use std::collections::VecDeque;
use std::sync::{Mutex, MutexGuard, OnceLock, PoisonError};
use std::thread::Thread;
use tokio::sync::mpsc::{Receiver, Sender, channel};

/// How many events are kept for tabs to come.
const PAST: usize = 200;

/// How many messages a tab may be behind, beside those it begins with.
const BEHIND: usize = 64;

/// Tabs at a time.
const TABS: usize = 32;

/// What kind of message it is; its word is the name of the server-sent event.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Kind {
    /// The agent has come or gone.
    Agent,
    /// An event of before.
    Past,
    /// An event of now.
    Happened,
}

impl Kind {
    /// The name of the server-sent event.
    pub fn as_str(self) -> &'static str {
        match self {
            Self::Agent => "agent",
            Self::Past => "past",
            Self::Happened => "happened",
        }
    }
}

/// A message for a tab.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Told {
    pub kind: Kind,
    /// `LIFE.ID`: the agent's process and the event's number; none for messages that are no events.
    pub id: Option<String>,
    /// One line of JSON.
    pub data: String,
}

/// What happens, for every tab.
#[derive(Default)]
pub struct Feed {
    state: Mutex<State>,
    follower: OnceLock<Thread>,
}

#[derive(Default)]
struct State {
    agent: Option<Told>,
    past: VecDeque<(u32, Event)>,
    tabs: Vec<Tab>,
}

struct Tab {
    queue: Sender<Told>,
    hangup: Hangup,
}

impl Feed {
    /// Joins a tab: how the agent stands and what was before come first. None where there are too many.
    pub fn join(&self, hangup: Hangup) -> Option<Receiver<Told>> {
        let mut state = self.state();
        state.tabs.retain(|tab| !tab.queue.is_closed());
        if state.tabs.len() >= TABS {
            return None;
        }
        let (queue, messages) = channel(1 + PAST + BEHIND);
        let past = state.past.iter().map(|(life, event)| told(Kind::Past, *life, event));
        for told in state.agent.clone().into_iter().chain(past) {
            let _ = queue.try_send(told);
        }
        state.tabs.push(Tab { queue, hangup });
        Some(messages)
    }

    /// The last events, the oldest first.
    pub fn recent(&self) -> Vec<Event> {
        self.state().past.iter().map(|(_, event)| event.clone()).collect()
    }

    /// Tells an event, which was `before` the agent was followed or not.
    pub fn happened(&self, life: u32, event: Event, before: bool) {
        let kind = if before { Kind::Past } else { Kind::Happened };
        let mut state = self.state();
        state.tell(&told(kind, life, &event));
        if state.past.len() >= PAST {
            state.past.pop_front();
        }
        state.past.push_back((life, event));
    }

    /// Tells the version of the agent if it can be reached, and what is wrong, if that is news.
    pub fn agent(&self, version: Option<&str>, message: Option<&str>) {
        let data =
            json!({ "reachable": version.is_some(), "version": version, "message": message }).to_string();
        let told = Told { kind: Kind::Agent, id: None, data };
        let mut state = self.state();
        if state.agent.as_ref() != Some(&told) {
            state.tell(&told);
            state.agent = Some(told);
        }
    }

    /// Names the thread that follows the agent.
    pub fn followed_by(&self, thread: Thread) {
        let _ = self.follower.set(thread);
    }

    /// Has it look at once whether the agent is there.
    pub fn wake(&self) {
        if let Some(follower) = self.follower.get() {
            follower.unpark();
        }
    }

    fn state(&self) -> MutexGuard<'_, State> {
        self.state.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

impl State {
    fn tell(&mut self, told: &Told) {
        self.tabs.retain(|tab| {
            let kept = tab.queue.try_send(told.clone()).is_ok();
            if !kept {
                tab.hangup.now();
            }
            kept
        });
    }
}

fn told(kind: Kind, life: u32, event: &Event) -> Told {
    let line = ReplyLine::from(Reply::Event(event.clone()));
    // What comes from the wire can be written to it again.
    let data = serde_json::to_string(&line).unwrap_or_else(|_| "{}".to_owned());
    Told { kind, id: Some(format!("{life}.{}", event.id)), data }
}

#[cfg(test)]
mod tests {
    use super::*;
    use everkey_client::EventKind;

    fn event(id: u64) -> Event {
        Event { id, at: 1, profile: "p".to_owned(), what: EventKind::ReminderCleared }
    }

    fn words(tab: &mut Receiver<Told>) -> Vec<String> {
        let mut words = Vec::new();
        while let Ok(told) = tab.try_recv() {
            words.push(format!("{} {}", told.kind.as_str(), told.id.unwrap_or_default()));
        }
        words
    }

    #[test]
    fn tabs_hear_of_now_and_later_ones_of_before() {
        let feed = Feed::default();
        feed.agent(Some("0.1.0"), None);
        let mut one = feed.join(Hangup::default()).unwrap();
        feed.happened(9, event(1), true);
        feed.happened(9, event(2), false);
        feed.agent(Some("0.1.0"), None);
        feed.agent(None, Some("gone"));
        let mut two = feed.join(Hangup::default()).unwrap();
        assert_eq!(words(&mut one), ["agent ", "past 9.1", "happened 9.2", "agent "]);
        assert_eq!(words(&mut two), ["agent ", "past 9.1", "past 9.2"]);
    }

    #[test]
    fn whoever_does_not_read_is_dropped_and_disturbs_nobody() {
        let feed = Feed::default();
        let mut slow = feed.join(Hangup::default()).unwrap();
        let mut quick = feed.join(Hangup::default()).unwrap();
        let most = u64::try_from(1 + PAST + BEHIND).unwrap();
        for id in 0..most + 5 {
            feed.happened(9, event(id), false);
            assert_eq!(quick.try_recv().unwrap().id, Some(format!("9.{id}")));
        }
        assert_eq!(words(&mut slow).len(), 1 + PAST + BEHIND);
        assert!(slow.is_closed() && !quick.is_closed());
        let late = words(&mut feed.join(Hangup::default()).unwrap());
        assert_eq!((late.len(), late[0].as_str()), (PAST, "past 9.70"));
    }

    #[test]
    fn tabs_are_counted_and_those_that_left_are_not() {
        let feed = Feed::default();
        let mut tabs: Vec<_> = (0..TABS).map(|_| feed.join(Hangup::default()).unwrap()).collect();
        assert!(feed.join(Hangup::default()).is_none());
        tabs.pop();
        assert!(feed.join(Hangup::default()).is_some());
    }
}
