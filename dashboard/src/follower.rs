//! Follows the agent for all tabs, from one thread. Finds it again when it comes back; never starts it.

use crate::agent;
use crate::app::App;
use everkey_client::{Code, Failure};
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
        let before = heard.newest;
        let why = follow(app, &mut heard);
        let reachable = !matches!(why.code, Code::NoAgent | Code::Version);
        app.feed().agent(reachable, Some(&why.message));
        // An agent that has told something was well.
        pause = if heard.newest == before { (pause * 2).min(PAUSES.1) } else { PAUSES.0 };
        thread::park_timeout(pause);
    }
}

/// The newest event heard of, and from which life of the agent.
struct Heard {
    life: u32,
    newest: u64,
}

/// Follows it to the end, and says why that came.
fn follow(app: &App, heard: &mut Heard) -> Failure {
    let began = now();
    let (life, events) = match agent::follow() {
        Ok(following) => following,
        Err(failure) => return failure,
    };
    app.feed().agent(true, None);
    if life != heard.life {
        *heard = Heard { life, newest: 0 };
    }
    for event in events {
        match event {
            Ok(event) if event.id > heard.newest => {
                heard.newest = event.id;
                let before = event.at < began;
                app.feed().happened(life, event, before);
            }
            Ok(_) => {}
            Err(failure) => return failure,
        }
    }
    Failure::new(Code::NoAgent, "The agent ended.", "Any everkey command starts it again.")
}

fn now() -> u64 {
    SystemTime::now().duration_since(UNIX_EPOCH).map_or(0, |since| since.as_secs())
}
