//! Finds the agent, or starts it.

use crate::agent_lock;
use crate::connection::{Connection, NoConnection, Patience};
use crate::launch;
use everkey_config::paths::Places;
use everkey_proto::{Code, Failure};
use std::time::{Duration, Instant};

/// How long an agent may take to start, an older one's last work included.
pub const START_TIME: Duration = Duration::from_secs(12);

/// The pause before the next try to start one.
pub const RETRY_PAUSE: Duration = Duration::from_millis(50);

/// Connects to the agent; where none runs, starts one.
pub fn find_or_start(places: &Places, program: &str) -> Result<Connection, Failure> {
    let (begun, deadline) = (Instant::now(), Instant::now() + START_TIME);
    let mut found = open(places, program, Patience::FULL);
    loop {
        match found {
            Ok(connection) => return Ok(connection),
            Err(NoConnection::Unusable(failure) | NoConnection::Unreachable(failure)) => {
                return Err(failure);
            }
            Err(NoConnection::Nobody) if Instant::now() < deadline => {
                elsewhere(places, program).map_or(Ok(()), Err)?;
                launch::start_agent(places, begun.elapsed())?;
            }
            Err(NoConnection::Nobody) => {
                let nobody = format!("Nobody answers at {}", places.socket.display());
                return Err(launch::not_started(&nobody));
            }
        }
        found = open(places, program, Patience::FULL);
        if let Err(NoConnection::Nobody) = found {
            // An older agent that is dying or draining still holds the lock, so no new one could start.
            std::thread::sleep(RETRY_PAUSE);
        }
    }
}

/// Connects to an agent that runs already; none where none does.
pub fn find(places: &Places, program: &str) -> Result<Option<Connection>, Failure> {
    let deadline = Instant::now() + START_TIME;
    loop {
        match open(places, program, Patience::FULL) {
            Ok(connection) => return Ok(Some(connection)),
            Err(NoConnection::Nobody) if !agent_lock::is_held(places) => return Ok(None),
            Err(NoConnection::Nobody) if Instant::now() < deadline => {
                elsewhere(places, program).map_or(Ok(()), Err)?;
                // A socket that is not there yet can't be waited for.
                std::thread::sleep(RETRY_PAUSE);
            }
            Err(NoConnection::Nobody) => return Err(hidden(places)),
            Err(NoConnection::Unusable(failure) | NoConnection::Unreachable(failure)) => {
                return Err(failure);
            }
        }
    }
}

/// A connection to an agent that runs already. The lock says whether one does, the path in it only where: as long as
/// nobody holds the lock, what is wrong with that path is no reason not to start one.
pub fn open(places: &Places, program: &str, patience: Patience) -> Result<Connection, NoConnection> {
    let mut in_the_way = None;
    // Whoever holds the lock has written down where it listens, whatever environment it was started in (D02).
    let hint = agent_lock::recorded(places).filter(|socket| !places.socket_named && *socket != places.socket);
    if let Some(socket) = hint {
        match Connection::open(&socket, program, patience) {
            Ok(connection) => return Ok(connection),
            Err(NoConnection::Nobody) => {}
            Err(NoConnection::Unusable(failure) | NoConnection::Unreachable(failure)) => {
                in_the_way = Some(failure);
            }
        }
    }
    match Connection::open(&places.socket, program, patience) {
        Err(NoConnection::Unreachable(failure)) => in_the_way = in_the_way.or(Some(failure)),
        Err(NoConnection::Nobody) => {}
        found => return found,
    }
    let in_the_way = in_the_way.filter(|_| agent_lock::is_held(places));
    Err(in_the_way.map_or(NoConnection::Nobody, NoConnection::Unreachable))
}

/// The error for an agent that lives and listens nowhere.
fn hidden(places: &Places) -> Failure {
    Failure::new(
        Code::NoAgent,
        format!("An agent runs, as it holds {}, but it can't be reached.", places.agent_lock().display()),
        "Kill the everkeyd process; the next command starts another. Your sessions are safe.",
    )
}

/// The error where an agent runs, but not at the socket that this caller names: no second one can be started.
pub fn elsewhere(places: &Places, program: &str) -> Option<Failure> {
    let socket =
        agent_lock::recorded(places).filter(|socket| places.socket_named && *socket != places.socket)?;
    Connection::open(&socket, program, Patience::FULL).ok()?;
    Some(Failure::new(
        Code::NoAgent,
        format!("Nobody answers at {}; your agent is at {}.", places.socket.display(), socket.display()),
        "Unset EVERKEY_SOCKET, or run `everkey agent stop` without it.",
    ))
}
