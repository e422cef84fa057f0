//! One connection: hello, then requests and replies, binary frames or JSON lines by its first byte.
//! A frame has 5 s to arrive or leave; nothing is allocated before its length is known to be within the cap; no input is echoed.

use crate::broker::ClientRequest;
use crate::events::{EventLog, Follower};
use crate::following;
use everkey_proto::codec::{self, CodecError};
use everkey_proto::frame::{self, MAGIC, REQUEST_CAP};
use everkey_proto::hello::{AgentHello, ClientHello, HELLO_CAP};
use everkey_proto::json::{self, AgentHelloLine, NotALine, ReplyLine};
use everkey_proto::{Code, Failure, Reply, Request, Verb};
use interprocess::local_socket::tokio::Stream;
use std::io;
use std::sync::Arc;
use std::time::Duration;
use tokio::io::{AsyncBufReadExt, AsyncReadExt, AsyncWriteExt, BufReader};
use tokio::sync::{OwnedSemaphorePermit, Semaphore, mpsc, oneshot, watch};
use tokio::time::timeout;

/// How long a frame, and the hello, may take to arrive, and a reply to be taken.
const FRAME_TIME: Duration = Duration::from_secs(5);

/// How long a connection may be idle between requests.
const IDLE_TIME: Duration = Duration::from_secs(300);

const NAME: &str = concat!("everkeyd ", env!("CARGO_PKG_VERSION"));

/// The reading half.
pub type Reader<'a> = BufReader<&'a Stream>;

/// What a connection needs of the agent.
#[derive(Clone)]
pub struct Door {
    /// Where requests go.
    pub inbox: mpsc::Sender<ClientRequest>,
    /// Becomes true when the agent shuts down.
    pub closing: watch::Receiver<bool>,
    /// What can be followed.
    pub happenings: EventLog,
    /// Places for those who follow: fewer than there are for connections, so that others still get in.
    pub followers: Arc<Semaphore>,
}

/// How replies are written.
#[derive(Clone, Copy)]
pub enum Wire {
    /// As frames.
    Frames,
    /// As lines of JSON.
    Lines,
}

impl Wire {
    /// A reply as it goes out.
    pub fn bytes(self, reply: Reply) -> Result<Vec<u8>, End> {
        match self {
            Self::Frames => enclose(&codec::encode_reply(&reply).map_err(|e| nonsense(&e.to_string()))?),
            Self::Lines => Ok(json::write(&ReplyLine::from(reply))),
        }
    }
}

/// What comes of a request.
enum Next {
    Reply(Reply),
    /// Events, from now on.
    Follow(Follower, OwnedSemaphorePermit),
}

/// Why a connection ends; never told in detail to whoever caused it.
pub enum End {
    /// The client hung up, was idle too long, or the agent closes.
    Quiet,
    /// What came is no request; said once, then closed.
    Nonsense(String),
    /// It broke.
    Io(io::Error),
}

impl From<io::Error> for End {
    fn from(e: io::Error) -> Self {
        Self::Io(e)
    }
}

/// Serves one connection until it ends.
pub async fn serve(stream: Stream, pid: i32, door: Door) {
    let mut reader = BufReader::new(&stream);
    let outcome = match timeout(FRAME_TIME, reader.fill_buf()).await {
        Ok(Ok([b'{', ..])) => lines(&mut reader, &stream, pid, door).await,
        Ok(Ok([])) => Err(End::Quiet),
        Ok(Ok(_)) => frames(&mut reader, &stream, pid, door).await,
        Ok(Err(e)) => Err(End::Io(e)),
        Err(_late) => Err(End::Quiet),
    };
    match outcome {
        Ok(()) | Err(End::Quiet) => {}
        Err(End::Nonsense(why)) => tracing::debug!(pid, why, "closed a connection that made no sense"),
        Err(End::Io(e)) => tracing::debug!(pid, error = %e, "a connection broke"),
    }
}

async fn frames(reader: &mut Reader<'_>, stream: &Stream, pid: i32, mut door: Door) -> Result<(), End> {
    let mut writer = stream;
    let mut magic = [0; MAGIC.len()];
    in_time(reader.read_exact(&mut magic)).await?;
    if magic != MAGIC {
        return Err(nonsense("neither EVK1 nor JSON"));
    }
    let hello = read_frame(reader, HELLO_CAP).await?;
    let hello = ClientHello::decode(&hello).map_err(|_| nonsense("not a hello"))?;
    let answer = AgentHello::answer(&hello, NAME);
    in_time(writer.write_all(&enclose(&answer.encode())?)).await?;
    if answer.chosen == 0 {
        return Ok(());
    }
    while await_request(reader, &mut door).await? {
        let body = read_frame(reader, REQUEST_CAP).await?;
        let next = match codec::decode_request(&body) {
            Ok(request) => ask(request, pid, &door).await,
            // The frame is whole, so the next one can be read.
            Err(e @ CodecError::Unknown { .. }) => Next::Reply(bad_request(e.to_string())),
            Err(e) => {
                in_time(writer.write_all(&Wire::Frames.bytes(bad_request(e.to_string()))?)).await?;
                return Err(nonsense("not a request"));
            }
        };
        match next {
            Next::Reply(reply) => in_time(writer.write_all(&Wire::Frames.bytes(reply)?)).await?,
            Next::Follow(follower, _place) => {
                return following::follow(reader, stream, Wire::Frames, follower, door).await;
            }
        }
    }
    Ok(())
}

async fn lines(reader: &mut Reader<'_>, stream: &Stream, pid: i32, mut door: Door) -> Result<(), End> {
    let mut writer = stream;
    let line = read_line(reader).await?;
    let hello = match json::read_hello(&line) {
        Ok(hello) => hello,
        Err(e) => return complain(stream, &e).await,
    };
    let answer = AgentHello::answer(&hello, NAME);
    let common = answer.chosen != 0;
    in_time(writer.write_all(&json::write(&AgentHelloLine::from(answer)))).await?;
    if !common {
        return Ok(());
    }
    while await_request(reader, &mut door).await? {
        let line = read_line(reader).await?;
        let next = match json::read_request(&line) {
            Ok(request) => ask(request, pid, &door).await,
            Err(e @ NotALine::Shape { .. }) => return complain(stream, &e).await,
            Err(e @ (NotALine::Missing(_) | NotALine::Superfluous(_))) => {
                Next::Reply(bad_request(e.to_string()))
            }
        };
        match next {
            Next::Reply(reply) => in_time(writer.write_all(&Wire::Lines.bytes(reply)?)).await?,
            Next::Follow(follower, _place) => {
                return following::follow(reader, stream, Wire::Lines, follower, door).await;
            }
        }
    }
    Ok(())
}

/// Says once what is wrong, then hangs up: after a line that is no message nothing can be trusted to be one.
async fn complain(mut writer: &Stream, e: &NotALine) -> Result<(), End> {
    in_time(writer.write_all(&Wire::Lines.bytes(bad_request(e.to_string()))?)).await?;
    Err(nonsense("not a line"))
}

async fn ask(request: Request, pid: i32, door: &Door) -> Next {
    if let Verb::Events { past } = request.verb {
        return match Arc::clone(&door.followers).try_acquire_owned() {
            Ok(place) => {
                tracing::debug!(pid, past, "follows what happens");
                Next::Follow(door.happenings.follow(past), place)
            }
            Err(_full) => Next::Reply(following::full()),
        };
    }
    let (reply, answer) = oneshot::channel();
    let asked = ClientRequest { request, pid, reply };
    if door.inbox.send(asked).await.is_err() {
        return Next::Reply(closing());
    }
    Next::Reply(answer.await.unwrap_or_else(|_| closing()))
}

/// Waits for the next request's first byte; false when there will be none.
async fn await_request(reader: &mut Reader<'_>, door: &mut Door) -> Result<bool, End> {
    tokio::select! {
        biased;
        more = timeout(IDLE_TIME, reader.fill_buf()) => match more {
            Ok(bytes) => Ok(!bytes?.is_empty()),
            Err(_idle) => Ok(false),
        },
        _ = door.closing.wait_for(|closing| *closing) => Ok(false),
    }
}

async fn read_frame(reader: &mut Reader<'_>, cap: usize) -> Result<Vec<u8>, End> {
    in_time(async {
        let mut header = [0; 4];
        reader.read_exact(&mut header).await?;
        let len = frame::body_len(header, cap).map_err(|e| nonsense(&e.to_string()))?;
        let mut body = vec![0; len];
        reader.read_exact(&mut body).await?;
        Ok::<_, End>(body)
    })
    .await
}

async fn read_line(reader: &mut Reader<'_>) -> Result<Vec<u8>, End> {
    in_time(async {
        let mut line = Vec::new();
        let cap = REQUEST_CAP as u64 + 1;
        reader.take(cap).read_until(b'\n', &mut line).await?;
        match line.pop() {
            Some(b'\n') => Ok(line),
            Some(last) if line.len() < REQUEST_CAP => {
                // The last line of a pipe may lack its newline.
                line.push(last);
                Ok(line)
            }
            Some(_) => Err(nonsense("a line over the limit")),
            None => Err(End::Quiet),
        }
    })
    .await
}

/// The same within the time that a frame has.
pub async fn in_time<T, E: Into<End>>(work: impl Future<Output = Result<T, E>>) -> Result<T, End> {
    match timeout(FRAME_TIME, work).await {
        Ok(done) => done.map_err(Into::into),
        Err(_late) => Err(nonsense("too slow")),
    }
}

fn enclose(body: &[u8]) -> Result<Vec<u8>, End> {
    frame::enclose(body, frame::REPLY_CAP).map_err(|e| nonsense(&e.to_string()))
}

/// An end that is put on the log.
pub fn nonsense(why: &str) -> End {
    End::Nonsense(why.to_owned())
}

fn bad_request(message: String) -> Reply {
    let hint = "See proto/README.md for what may be asked.".to_owned();
    Reply::Failed(Failure { code: Code::BadRequest, message, hint, retry_after_secs: None, answer: None })
}

/// What is answered while the agent shuts down.
pub fn closing() -> Reply {
    Reply::Failed(Failure {
        code: Code::Busy,
        message: "The agent is shutting down.".to_owned(),
        hint: "Try again; the next command starts a new one.".to_owned(),
        retry_after_secs: Some(1),
        answer: None,
    })
}
