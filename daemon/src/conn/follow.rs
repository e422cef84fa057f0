//! A connection that follows what happens: events go out as they come, however long nothing does.
//! No request is read any more, and nobody waits for a reader.

use super::agent_handle::AgentHandle;
use super::stream::{End, RequestReader, WireForm, in_time, nonsense};
use crate::agent_failures;
use crate::events::Follower;
use everkey_proto::Reply;
use interprocess::local_socket::tokio::Stream;
use std::time::Duration;
use tokio::io::{AsyncBufReadExt, AsyncWriteExt};
use tokio::time::timeout;

/// How many may follow at a time.
pub const MOST_FOLLOWERS: usize = 32;

/// How long a reader may read nothing while something waits for it.
const STALLED: Duration = Duration::from_secs(30);

/// Sends what was and what happens until the reader hangs up, is too slow, or the agent closes.
pub async fn follow(
    reader: &mut RequestReader<'_>,
    stream: &Stream,
    wire: WireForm,
    mut follower: Follower,
    mut agent: AgentHandle,
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
                Some(Err(missed)) => (agent_failures::too_slow(&missed), true),
                None => (agent_failures::stopping(), true),
            },
            _ = agent.closing.wait_for(|closing| *closing) => (agent_failures::stopping(), true),
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

async fn send(mut writer: &Stream, wire: WireForm, reply: Reply) -> Result<(), End> {
    match timeout(STALLED, writer.write_all(&wire.bytes(reply)?)).await {
        Ok(sent) => Ok(sent?),
        Err(_late) => Err(nonsense("follows, but reads nothing")),
    }
}
