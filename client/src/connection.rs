//! The socket as the client uses it: blocking, binary frames, one request at a time.

use everkey_proto::codec::{self, CodecError};
use everkey_proto::frame::{self, MAGIC, REPLY_CAP, REQUEST_CAP};
use everkey_proto::hello::{AgentHello, ClientHello, HELLO_CAP};
use everkey_proto::request::Call;
use everkey_proto::{Code, Failure, Reply, Request};
use interprocess::local_socket::Stream;
use interprocess::local_socket::prelude::*;
use interprocess::os::unix::uds_local_socket::Stream as UnixStream;
use rustix::fs::{Mode, OFlags};
use rustix::io::retry_on_intr;
use rustix::net::sockopt::{Timeout, set_socket_timeout};
use rustix::net::{AddressFamily, SocketAddrUnix, SocketType};
use std::io::{self, Read, Write};
use std::os::fd::{AsRawFd, OwnedFd};
use std::path::{Path, PathBuf};
use std::time::Duration;

/// How long a client waits.
#[derive(Clone, Copy)]
pub struct Patience {
    hello: Duration,
    reply: Duration,
}

impl Patience {
    /// An agent that is alive says hello in two seconds (D08) and answers every request in 45, the network included.
    pub const FULL: Self = Self { hello: Duration::from_secs(2), reply: Duration::from_secs(45) };

    /// For what an agent says at once or not at all.
    pub const NONE: Self = Self { hello: Duration::from_millis(60), reply: Duration::from_millis(120) };
}

/// The longest path that fits into a socket address everywhere, in bytes.
const ADDRESS_CAP: usize = 100;

/// A connection on which hellos have been exchanged.
pub struct Connection {
    stream: Stream,
    patience: Patience,
    /// The agent's name and version, as it says.
    agent: String,
}

/// Why a request has no answer.
pub enum Unanswered {
    /// It is answered by a failure, or it is not known what became of it.
    Failed(Failure),
    /// The agent is about to end and has done nothing about it.
    NotCarriedOut(Failure),
    /// The connection ended before an answer came.
    HungUp(Failure),
}

impl Unanswered {
    pub fn failure(self) -> Failure {
        match self {
            Self::Failed(failure) | Self::NotCarriedOut(failure) | Self::HungUp(failure) => failure,
        }
    }
}

/// Why there is no connection.
pub enum NoConnection {
    /// Nobody listens there, or it ended before it said hello.
    Nobody,
    /// There is no way to that place, so nothing is known of who listens.
    Unreachable(Failure),
    /// Somebody listens who can't be talked with.
    Unusable(Failure),
}

impl Connection {
    /// Connects and says hello.
    pub fn open(socket: &Path, program: &str, patience: Patience) -> Result<Self, NoConnection> {
        let stream = connect(socket, patience.hello).map_err(|e| match e.kind() {
            io::ErrorKind::NotFound | io::ErrorKind::ConnectionRefused => NoConnection::Nobody,
            io::ErrorKind::WouldBlock => NoConnection::Unusable(silent(socket, &e)),
            _ => NoConnection::Unreachable(broken(socket, &e)),
        })?;
        let ours = stream.peer_creds().ok().and_then(|peer| peer.euid());
        if ours != Some(rustix::process::geteuid().as_raw()) {
            return Err(NoConnection::Unusable(foreign(socket)));
        }
        let mut connection = Self { stream, patience, agent: String::new() };
        match connection.hello(program) {
            Ok(hello) if hello.chosen == 0 => Err(NoConnection::Unusable(versions(&hello))),
            Ok(hello) => Ok(Self { agent: hello.name, ..connection }),
            // It hung up before it said a word: it is dying, or has just died.
            Err(e) if hung_up(&e) => Err(NoConnection::Nobody),
            Err(e) => Err(NoConnection::Unusable(silent(socket, &e))),
        }
    }

    /// Sends a request and waits for its reply; a reply that says what failed, or belongs to another request, is an error.
    pub fn ask<C: Call>(&mut self, request: &Request) -> Result<C::Reply, Unanswered> {
        let long = |_| Unanswered::Failed(too_long());
        let body = codec::encode_request(request).map_err(long)?;
        let framed = frame::enclose(&body, REQUEST_CAP).map_err(|_| Unanswered::Failed(too_long()))?;
        let body = self.stream.write_all(&framed).and_then(|()| {
            self.stream.set_recv_timeout(Some(self.patience.reply))?;
            self.read_frame(REPLY_CAP)
        });
        let body = body.map_err(|e| match hung_up(&e) {
            true => Unanswered::HungUp(lost(&e)),
            false => Unanswered::Failed(lost(&e)),
        })?;
        match codec::decode_reply(&body).map_err(unreadable).map_err(Unanswered::Failed)? {
            // Only an agent that is about to end is busy and says when to come back.
            Reply::Failed(failure) if failure.code == Code::Busy && failure.retry_after_secs.is_some() => {
                Err(Unanswered::NotCarriedOut(failure))
            }
            Reply::Failed(failure) => Err(Unanswered::Failed(failure)),
            reply => C::answer(reply).ok_or_else(|| Unanswered::Failed(unexpected_reply())),
        }
    }

    /// What the agent calls itself.
    pub fn agent(&self) -> &str {
        &self.agent
    }

    /// Waits for the next reply to what was asked before, however long it takes. One of a kind that only a newer build
    /// knows is passed over.
    pub fn next(&mut self) -> Result<Reply, Failure> {
        loop {
            let read = self.stream.set_recv_timeout(None).and_then(|()| self.read_frame(REPLY_CAP));
            let body = read.map_err(|e| if hung_up(&e) { ended() } else { lost(&e) })?;
            match codec::decode_reply(&body) {
                Err(CodecError::Unknown { .. }) => {}
                reply => return succeeded(reply.map_err(unreadable)?),
            }
        }
    }

    fn hello(&mut self, program: &str) -> io::Result<AgentHello> {
        self.stream.set_recv_timeout(Some(self.patience.hello))?;
        self.stream.set_send_timeout(Some(self.patience.hello))?;
        let hello = ClientHello::new(program).encode();
        let hello = frame::enclose(&hello, HELLO_CAP).map_err(io::Error::other)?;
        self.stream.write_all(&[MAGIC.as_slice(), &hello].concat())?;
        AgentHello::decode(&self.read_frame(HELLO_CAP)?).map_err(io::Error::other)
    }

    fn read_frame(&mut self, cap: usize) -> io::Result<Vec<u8>> {
        let mut header = [0; 4];
        self.stream.read_exact(&mut header)?;
        let len = frame::body_len(header, cap).map_err(io::Error::other)?;
        let mut body = vec![0; len];
        self.stream.read_exact(&mut body)?;
        Ok(body)
    }
}

/// The error for a reply of another kind than the request's.
pub fn unexpected_reply() -> Failure {
    Failure::new(
        Code::Version,
        "The agent's answer does not fit the question.",
        "Run `everkey agent stop` so that the next command starts a fresh one.",
    )
}

/// Where nobody takes the callers that wait there already, a connection would wait without an end (`WouldBlock` ends it).
fn connect(socket: &Path, patience: Duration) -> io::Result<Stream> {
    let (address, _dir) = short_address(socket)?;
    let stream = new_socket()?;
    set_socket_timeout(&stream, Timeout::Send, Some(patience))?;
    let address = SocketAddrUnix::new(&address)?;
    retry_on_intr(|| rustix::net::connect(&stream, &address))?;
    Ok(UnixStream::from(stream).into())
}

#[cfg(target_os = "linux")]
fn new_socket() -> rustix::io::Result<OwnedFd> {
    use rustix::net::{SocketFlags, socket_with};
    socket_with(AddressFamily::UNIX, SocketType::STREAM, SocketFlags::CLOEXEC, None)
}

#[cfg(not(target_os = "linux"))]
fn new_socket() -> rustix::io::Result<OwnedFd> {
    let stream = rustix::net::socket(AddressFamily::UNIX, SocketType::STREAM, None)?;
    rustix::io::fcntl_setfd(&stream, rustix::io::FdFlags::CLOEXEC)?;
    Ok(stream)
}

fn succeeded(reply: Reply) -> Result<Reply, Failure> {
    match reply {
        Reply::Failed(failure) => Err(failure),
        reply => Ok(reply),
    }
}

/// A path too long for a socket address is reached through its opened folder (D06).
fn short_address(path: &Path) -> io::Result<(PathBuf, Option<OwnedFd>)> {
    if path.as_os_str().len() <= ADDRESS_CAP {
        return Ok((path.to_owned(), None));
    }
    let parts = path.parent().zip(path.file_name());
    let (dir, name) = parts.ok_or(io::ErrorKind::InvalidInput)?;
    let dir = rustix::fs::open(dir, OFlags::PATH | OFlags::DIRECTORY | OFlags::CLOEXEC, Mode::empty())?;
    let address = Path::new("/proc/self/fd").join(dir.as_raw_fd().to_string()).join(name);
    Ok((address, Some(dir)))
}

fn failure(code: Code, message: String, hint: &str) -> Failure {
    Failure::new(code, message, hint)
}

fn broken(socket: &Path, e: &io::Error) -> Failure {
    let message = format!("Could not reach the agent at {}: {e}.", socket.display());
    failure(
        Code::NoAgent,
        message,
        "Look at the folder's permissions, or name another socket with EVERKEY_SOCKET.",
    )
}

fn foreign(socket: &Path) -> Failure {
    let message =
        format!("What listens at {} is not your agent but another user's program.", socket.display());
    failure(
        Code::NoAgent,
        message,
        "Nothing was sent to it. Set EVERKEY_SOCKET to a path in a folder of your own.",
    )
}

fn versions(hello: &AgentHello) -> Failure {
    let (program, what) =
        if hello.oldest > everkey_proto::VERSION { ("everkey", "older") } else { ("everkeyd", "newer") };
    let message = format!("This everkey is {what} than what {:?} can talk to.", hello.name);
    failure(Code::Version, message, &format!("Upgrade {program}, then run `everkey agent stop`."))
}

fn hung_up(e: &io::Error) -> bool {
    use io::ErrorKind::{BrokenPipe, ConnectionReset, NotConnected, UnexpectedEof};
    matches!(e.kind(), BrokenPipe | ConnectionReset | NotConnected | UnexpectedEof)
}

fn silent(socket: &Path, e: &io::Error) -> Failure {
    let message = match e.kind() {
        io::ErrorKind::WouldBlock | io::ErrorKind::TimedOut => {
            format!("The agent at {} does not answer; it is stopped or stuck.", socket.display())
        }
        _ => format!("The agent at {} makes no sense ({e}).", socket.display()),
    };
    failure(
        Code::NoAgent,
        message,
        "Try again; if it stays so, kill the everkeyd process. Your sessions are safe.",
    )
}

fn too_long() -> Failure {
    let message = format!("That is too long: a request has room for {} KiB.", REQUEST_CAP / 1024);
    failure(Code::BadRequest, message, "Nothing was sent. Look at what is piped in.")
}

fn ended() -> Failure {
    failure(Code::NoAgent, "The agent has ended.".to_owned(), "Try again; the next command starts a new one.")
}

/// A reply arrived whole, and is none that this build can read.
fn unreadable(e: CodecError) -> Failure {
    match e {
        CodecError::Unknown { .. } => failure(
            Code::Version,
            format!("The agent's reply is newer than this everkey: {e}."),
            "Upgrade everkey, or run `everkey agent stop` so that the next command starts its own agent.",
        ),
        CodecError::Malformed | CodecError::TooLong => lost(&io::Error::other(e)),
    }
}

fn lost(e: &io::Error) -> Failure {
    let message = match e.kind() {
        io::ErrorKind::WouldBlock | io::ErrorKind::TimedOut => "The agent did not answer in time.".to_owned(),
        _ if hung_up(e) => "The agent ended while it was asked.".to_owned(),
        _ => format!("The connection to the agent broke ({e})."),
    };
    failure(
        Code::NoAgent,
        message,
        "Try again (a sign-in has to begin anew); `everkey agent logs` may say more.",
    )
}
