//! A connection that follows what happens: events go out as they come, however long nothing does.
//! No request is read any more, and nobody waits for a reader.

use crate::conn::{Door, End, Reader, Wire, closing, in_time, nonsense};
use crate::events::{Follower, Missed};
use everkey_proto::{Code, Failure, Reply};
use interprocess::local_socket::tokio::Stream;
use std::time::Duration;
use tokio::io::{AsyncBufReadExt, AsyncWriteExt};
use tokio::time::timeout;

/// How many may follow at a time.
pub const MOST: usize = 32;

/// How long a reader may read nothing while something waits for it.
const STALLED: Duration = Duration::from_secs(30);

/// Sends what was and what happens until the reader hangs up, is too slow, or the agent closes.
pub async fn follow(
    reader: &mut Reader<'_>,
    stream: &Stream,
    wire: Wire,
    mut follower: Follower,
    mut door: Door,
) -> Result<(), End> {
    let mut writer = stream;
    in_time(writer.write_all(&wire.bytes(Reply::Following)?)).await?;
    for event in std::mem::take(&mut follower.past) {
        send(stream, wire, Reply::Event(event.as_ref().clone())).await?;
    }
    loop {
        let (reply, last) = tokio::select! {
            biased;
            event = follower.next() => match event {
                Some(Ok(event)) => (Reply::Event(event.as_ref().clone()), false),
                Some(Err(missed)) => (too_slow(&missed), true),
                None => (closing(), true),
            },
            _ = door.closing.wait_for(|closing| *closing) => (closing(), true),
            more = reader.fill_buf() => match more? {
                [] => return Ok(()),
                _ => return Err(nonsense("a request from one who follows")),
            },
        };
        send(stream, wire, reply).await?;
        if last {
            return Ok(());
        }
    }
}

async fn send(mut writer: &Stream, wire: Wire, reply: Reply) -> Result<(), End> {
    match timeout(STALLED, writer.write_all(&wire.bytes(reply)?)).await {
        Ok(sent) => Ok(sent?),
        Err(_late) => Err(nonsense("follows, but reads nothing")),
    }
}

fn too_slow(missed: &Missed) -> Reply {
    let events = if missed.0 == 1 { "event was" } else { "events were" };
    Reply::Failed(Failure::new(
        Code::Busy,
        format!("{} {events} missed, because they were not read in time.", missed.0),
        "Follow again, and read faster; the agent waits for nobody.",
    ))
}

/// What is answered when so many follow already.
pub fn full() -> Reply {
    Reply::Failed(Failure::new(
        Code::Busy,
        format!("{MOST} programs follow what happens already, or as many as there is room for."),
        "End one of them (`everkey events`, dashboards), then try again.",
    ))
}
