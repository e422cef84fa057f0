//! Follows the agent for all tabs, from one thread. Finds it again when it comes back; never starts it.

use crate::agent;
use crate::app::App;
use everkey_client::{Code, Failure};
use everkey_proto::reply::AgentInfo;
use std::io;
use std::thread;
use std::time::{Duration, SystemTime, UNIX_EPOCH};

/// The first pause before another look, and the longest.
const PAUSES: (Duration, Duration) = (Duration::from_millis(100), Duration::from_secs(3));

/// Starts the thread.
///
/// # Errors
/// Where the system has no room for one.
pub fn start(app: App) -> io::Result<()> {
    let feed = app.clone();
    let follower = thread::Builder::new().name("follower".to_owned()).spawn(move || follow_for_ever(&app))?;
    feed.feed().followed_by(follower.thread().clone());
    Ok(())
}

fn follow_for_ever(app: &App) {
    let mut heard = Heard { life: 0, newest: 0 };
    let mut pause = PAUSES.0;
    loop {
        match follow(app, &mut heard) {
            // It may be gone, or have dropped a reader that was too slow: another look tells.
            Followed::Some => pause = PAUSES.0,
            Followed::None(version, why) => {
                app.feed().agent(version.as_deref(), Some(&why.message));
                thread::park_timeout(pause);
                pause = (pause * 2).min(PAUSES.1);
            }
        }
    }
}

/// The newest event heard of, and from which life of the agent.
struct Heard {
    life: u32,
    newest: u64,
}

/// How following went.
enum Followed {
    /// It told something, and then came to its end.
    Some,
    /// It told nothing; the agent's version if it answers at all, and what was wrong.
    None(Option<String>, Failure),
}

fn follow(app: &App, heard: &mut Heard) -> Followed {
    let began = now();
    let (AgentInfo { pid: life, version, .. }, agent) = match agent::alive() {
        Ok(alive) => alive,
        Err(failure) => return Followed::None(None, failure),
    };
    let events = match agent.follow(true) {
        Ok(events) => events,
        Err(failure) => return Followed::None(Some(version), failure),
    };
    app.feed().agent(Some(&version), None);
    if life != heard.life {
        *heard = Heard { life, newest: 0 };
    }
    let before = heard.newest;
    let mut end = Failure::new(Code::NoAgent, "The agent ended.", "Any everkey command starts it again.");
    for event in events {
        match event {
            Ok(event) if event.id > heard.newest => {
                heard.newest = event.id;
                let past = event.at < began;
                app.feed().happened(life, event, past);
            }
            Ok(_) => {}
            Err(failure) => end = failure,
        }
    }
    // One that hangs up without a word each time must not keep this thread busy.
    if heard.newest > before {
        return Followed::Some;
    }
    Followed::None(Some(version).filter(|_| end.code != Code::NoAgent), end)
}

fn now() -> u64 {
    SystemTime::now().duration_since(UNIX_EPOCH).map_or(0, |since| since.as_secs())
}
