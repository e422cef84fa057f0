//! One connection's bytes: frames or lines, each within its limit and its time. Nothing is allocated before its length is known
//! to be within the limit.

use everkey_proto::codec;
use everkey_proto::frame::{self, REQUEST_CAP};
use everkey_proto::json::{self, ReplyLine};
use everkey_proto::reply::Reply;
use interprocess::local_socket::tokio::Stream;
use std::io;
use std::time::Duration;
use tokio::io::{AsyncBufReadExt, AsyncReadExt, BufReader};
use tokio::time::timeout;

/// How long a frame, and the hello, may take to arrive, and a reply to be taken.
pub const FRAME_TIME: Duration = Duration::from_secs(5);

/// The reading half.
pub type RequestReader<'a> = BufReader<&'a Stream>;

/// How replies are written.
#[derive(Clone, Copy)]
pub enum WireForm {
    /// As frames.
    Frames,
    /// As lines of JSON.
    Lines,
}

impl WireForm {
    /// A reply as it goes out.
    pub fn bytes(self, reply: Reply) -> Result<Vec<u8>, End> {
        match self {
            Self::Frames => enclose(&codec::encode_reply(&reply).map_err(|e| nonsense(&e.to_string()))?),
            Self::Lines => Ok(json::write(&ReplyLine::from(reply))),
        }
    }
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

/// The next frame's body.
pub async fn read_frame(reader: &mut RequestReader<'_>, cap: usize) -> Result<Vec<u8>, End> {
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

/// The next line, without its newline.
pub async fn read_line(reader: &mut RequestReader<'_>) -> Result<Vec<u8>, End> {
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

/// A body as a frame of the agent.
pub fn enclose(body: &[u8]) -> Result<Vec<u8>, End> {
    frame::enclose(body, frame::REPLY_CAP).map_err(|e| nonsense(&e.to_string()))
}

/// An end that is put on the log.
pub fn nonsense(why: &str) -> End {
    End::Nonsense(why.to_owned())
}
