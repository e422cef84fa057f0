//! One connection: hello, then requests and replies, binary frames or JSON lines by its first byte.
//! A frame has 5 s to arrive or leave; no input is echoed.

use super::agent_handle::AgentHandle;
use super::follow;
use super::stream::{
    End, FRAME_TIME, RequestReader, WireForm, enclose, in_time, nonsense, read_frame, read_line,
};
use crate::agent_failures;
use crate::broker::{self, Caller, ClientRequest};
use crate::events::Follower;
use crate::raw_fd;
use everkey_listen::Guest;
use everkey_proto::codec::{self, CodecError};
use everkey_proto::frame::{MAGIC, REQUEST_CAP};
use everkey_proto::hello::{AgentHello, ClientHello, HELLO_CAP};
use everkey_proto::json::{self, AgentHelloLine, LineError};
use everkey_proto::request::AgentRequest;
use everkey_proto::{Reply, Request};
use interprocess::local_socket::tokio::Stream;
use std::os::fd::AsFd;
use std::sync::Arc;
use std::time::Duration;
use tokio::io::{AsyncBufReadExt, AsyncReadExt, AsyncWriteExt, BufReader};
use tokio::sync::{OwnedSemaphorePermit, oneshot};
use tokio::time::timeout;

/// How long a connection may be idle between requests.
const IDLE_TIME: Duration = Duration::from_secs(300);

/// What the agent calls itself.
fn name() -> String {
    #[cfg(feature = "test-hooks")]
    if let Some(version) = crate::test_hooks::version() {
        return format!("everkeyd {version}");
    }
    concat!("everkeyd ", env!("CARGO_PKG_VERSION")).to_owned()
}

/// What comes of a request.
enum Next {
    Reply(Reply),
    /// Events, from now on.
    Follow(Follower, OwnedSemaphorePermit),
}

/// Serves one connection until it ends or has to give way.
pub async fn serve(stream: Stream, pid: i32, guest: Guest, agent: AgentHandle) {
    let outcome = tokio::select! {
        outcome = talk(&stream, pid, &guest, agent) => outcome,
        () = guest.gives_way() => Err(nonsense("gave way to a newer one")),
    };
    match outcome {
        Ok(()) | Err(End::Quiet) => {}
        Err(End::Nonsense(why)) => tracing::debug!(pid, why, "closed a connection that made no sense"),
        Err(End::Io(e)) => tracing::debug!(pid, error = %e, "a connection broke"),
    }
}

async fn talk(stream: &Stream, pid: i32, guest: &Guest, agent: AgentHandle) -> Result<(), End> {
    let mut reader = BufReader::new(stream);
    match timeout(FRAME_TIME, reader.fill_buf()).await {
        Ok(Ok([b'{', ..])) => lines(&mut reader, stream, pid, guest, agent).await,
        Ok(Ok([])) => Err(End::Quiet),
        Ok(Ok(_)) => frames(&mut reader, stream, pid, guest, agent).await,
        Ok(Err(e)) => Err(End::Io(e)),
        Err(_late) => Err(End::Quiet),
    }
}

async fn frames(
    reader: &mut RequestReader<'_>,
    stream: &Stream,
    pid: i32,
    guest: &Guest,
    mut agent: AgentHandle,
) -> Result<(), End> {
    let mut writer = stream;
    let mut magic = [0; MAGIC.len()];
    in_time(reader.read_exact(&mut magic)).await?;
    if magic != MAGIC {
        return Err(nonsense("neither EVK1 nor JSON"));
    }
    let hello = read_frame(reader, HELLO_CAP).await?;
    let hello = ClientHello::decode(&hello).map_err(|_| nonsense("not a hello"))?;
    let mut caller = Caller::new(pid, &hello.name);
    let answer = AgentHello::answer(&hello, name());
    in_time(writer.write_all(&enclose(&answer.encode())?)).await?;
    if answer.chosen == 0 {
        return Ok(());
    }
    while await_request(reader, &mut agent).await? {
        let body = read_frame(reader, REQUEST_CAP).await?;
        let busy = guest.busy();
        let next = match codec::decode_request(&body) {
            Ok(request) => ask(request, stream, &mut caller, &agent).await,
            // The frame is whole, so the next one can be read.
            Err(e @ CodecError::Unknown { .. }) => Next::Reply(agent_failures::bad_request(e.to_string())),
            Err(e) => {
                in_time(
                    writer.write_all(&WireForm::Frames.bytes(agent_failures::bad_request(e.to_string()))?),
                )
                .await?;
                return Err(nonsense("not a request"));
            }
        };
        match next {
            Next::Reply(reply) => in_time(writer.write_all(&WireForm::Frames.bytes(reply)?)).await?,
            Next::Follow(follower, _slot) => {
                guest.stay();
                return follow::follow(reader, stream, WireForm::Frames, follower, agent).await;
            }
        }
        drop(busy);
    }
    Ok(())
}

async fn lines(
    reader: &mut RequestReader<'_>,
    stream: &Stream,
    pid: i32,
    guest: &Guest,
    mut agent: AgentHandle,
) -> Result<(), End> {
    let mut writer = stream;
    let line = read_line(reader).await?;
    let hello = match json::read_hello(&line) {
        Ok(hello) => hello,
        Err(e) => return complain(stream, &e).await,
    };
    let mut caller = Caller::new(pid, &hello.name);
    let answer = AgentHello::answer(&hello, name());
    let common = answer.chosen != 0;
    in_time(writer.write_all(&json::write(&AgentHelloLine::from(answer)))).await?;
    if !common {
        return Ok(());
    }
    while await_request(reader, &mut agent).await? {
        let line = read_line(reader).await?;
        let busy = guest.busy();
        let next = match json::read_request(&line) {
            Ok(request) => ask(request, stream, &mut caller, &agent).await,
            Err(
                e @ (LineError::Shape { .. } | LineError::UnknownWord { .. } | LineError::UnknownRequest),
            ) => {
                return complain(stream, &e).await;
            }
            Err(e @ (LineError::Missing(_) | LineError::Superfluous(_))) => {
                Next::Reply(agent_failures::bad_request(e.to_string()))
            }
        };
        match next {
            Next::Reply(reply) => in_time(writer.write_all(&WireForm::Lines.bytes(reply)?)).await?,
            Next::Follow(follower, _slot) => {
                guest.stay();
                return follow::follow(reader, stream, WireForm::Lines, follower, agent).await;
            }
        }
        drop(busy);
    }
    Ok(())
}

/// Says once what is wrong, then hangs up: after a line that is no message nothing can be trusted to be one.
async fn complain(mut writer: &Stream, e: &LineError) -> Result<(), End> {
    in_time(writer.write_all(&WireForm::Lines.bytes(agent_failures::bad_request(e.to_string()))?)).await?;
    Err(nonsense("not a line"))
}

async fn ask(request: Request, stream: &Stream, caller: &mut Caller, agent: &AgentHandle) -> Next {
    if let Request::Profile { request, .. } = &request
        && broker::hands_out_token(request)
        && caller.process.is_none()
    {
        let Stream::UdSocket(socket) = stream;
        caller.look(raw_fd::peer_process(socket.as_fd())).await;
    }
    if let Request::Agent(AgentRequest::Events { past }) = request {
        return match Arc::clone(&agent.followers).try_acquire_owned() {
            Ok(place) => {
                tracing::debug!(pid = caller.pid, past, "follows what happens");
                Next::Follow(agent.events.follow(past), place)
            }
            Err(_full) => Next::Reply(agent_failures::too_many_followers(follow::MOST_FOLLOWERS)),
        };
    }
    let (reply, answer) = oneshot::channel();
    let asked = ClientRequest { request, caller: caller.clone(), reply };
    if agent.inbox.send(asked).await.is_err() {
        return Next::Reply(agent_failures::stopping());
    }
    Next::Reply(answer.await.unwrap_or_else(|_| agent_failures::stopping()))
}

/// Waits for the next request's first byte; false when there will be none.
async fn await_request(reader: &mut RequestReader<'_>, agent: &mut AgentHandle) -> Result<bool, End> {
    tokio::select! {
        biased;
        more = timeout(IDLE_TIME, reader.fill_buf()) => match more {
            Ok(bytes) => Ok(!bytes?.is_empty()),
            Err(_idle) => Ok(false),
        },
        _ = agent.closing.wait_for(|closing| *closing) => Ok(false),
    }
}
