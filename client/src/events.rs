//! The events of an agent, as an iterator.

use crate::connection::{Connection, unexpected_reply};
use everkey_proto::reply::Event;
use everkey_proto::{Failure, Reply};

/// What happens, from `Agent::follow`. The iterator ends when the agent ends, or when it drops
/// a reader that is too slow; the last item is the error that says which. Dropping the iterator ends the connection.
pub struct EventStream {
    connection: Connection,
    ended: bool,
}

impl EventStream {
    pub(crate) fn new(connection: Connection) -> Self {
        Self { connection, ended: false }
    }
}

impl Iterator for EventStream {
    type Item = Result<Event, Failure>;

    /// Blocks until the next event.
    fn next(&mut self) -> Option<Self::Item> {
        if self.ended {
            return None;
        }
        let event = match self.connection.next() {
            Ok(Reply::Event(event)) => Ok(event),
            Ok(_) => Err(unexpected_reply()),
            Err(failure) => Err(failure),
        };
        self.ended = event.is_err();
        Some(event)
    }
}
