//! The socket by hand: JSON lines and raw bytes, with nothing of everkey's own code.

use crate::wait::{PATIENCE, eventually};
use rustix::io::Errno;
use rustix::net::{AddressFamily, SocketAddrUnix, SocketFlags, SocketType, bind, listen, socket_with};
use serde_json::{Value, json};
use std::fs;
use std::io::{BufRead, BufReader, ErrorKind, Read, Write};
use std::os::fd::OwnedFd;
use std::os::unix::fs::PermissionsExt;
use std::os::unix::net::UnixStream;
use std::path::Path;

/// A connection that speaks JSON lines.
pub struct Lines {
    stream: BufReader<UnixStream>,
}

/// A connection, once somebody listens there.
pub fn connect(socket: &Path) -> UnixStream {
    let stream = eventually("the agent's socket", || UnixStream::connect(socket).ok());
    stream.set_read_timeout(Some(PATIENCE)).expect("a timeout can be set");
    stream.set_write_timeout(Some(PATIENCE)).expect("a timeout can be set");
    stream
}

/// Somebody who listens there, takes nobody, and has no room for one more.
pub fn full_backlog(socket: &Path) -> Vec<OwnedFd> {
    let run = socket.parent().expect("a folder");
    fs::create_dir_all(run).expect("a folder of the user");
    fs::set_permissions(run, fs::Permissions::from_mode(0o700)).expect("a folder of the user");
    let address = SocketAddrUnix::new(socket).expect("a short path");
    let new = |flags| socket_with(AddressFamily::UNIX, SocketType::STREAM, flags, None).expect("a socket");
    let listener = new(SocketFlags::CLOEXEC);
    bind(&listener, &address).expect("nobody is there");
    listen(&listener, 0).expect("a listener");
    let mut all = vec![listener];
    loop {
        let one = new(SocketFlags::CLOEXEC | SocketFlags::NONBLOCK);
        match rustix::net::connect(&one, &address) {
            Ok(()) => all.push(one),
            Err(Errno::AGAIN) => return all,
            Err(e) => panic!("{e}"),
        }
    }
}

impl Lines {
    /// Connects and says hello.
    pub fn open(socket: &Path) -> Self {
        let mut lines = Self { stream: BufReader::new(connect(socket)) };
        let hello = lines.ask(&json!({ "hello": { "oldest": 1, "newest": 1, "client": "e2e" } }));
        assert_eq!(hello["hello"]["chosen"], 1, "{hello}");
        lines
    }

    /// Sends a line and reads the next one.
    pub fn ask(&mut self, line: &Value) -> Value {
        self.send(format!("{line}\n").as_bytes());
        let answer = self.read();
        serde_json::from_str(&answer).unwrap_or_else(|e| panic!("{answer:?} is not JSON: {e}"))
    }

    /// Sends a request that takes no fields.
    pub fn request(&mut self, kind: &str) -> Value {
        self.ask(&json!({ "request": kind }))
    }

    /// Sends bytes as they are.
    pub fn send(&mut self, bytes: &[u8]) {
        // An agent that has hung up is told by what can be read.
        let _ = self.stream.get_mut().write_all(bytes);
    }

    /// The next line; none if the agent hangs up instead.
    pub fn next_line(&mut self) -> Option<String> {
        let mut line = String::new();
        match self.stream.read_line(&mut line) {
            Ok(0) => None,
            Ok(_) => Some(line),
            Err(e) if matches!(e.kind(), ErrorKind::ConnectionReset | ErrorKind::BrokenPipe) => None,
            Err(e) => panic!("the agent neither answers nor hangs up: {e}"),
        }
    }

    /// Everything until the agent hangs up.
    pub fn rest(&mut self) -> String {
        String::from_utf8_lossy(&until_closed(&mut self.stream)).into_owned()
    }

    fn read(&mut self) -> String {
        let mut line = String::new();
        self.stream.read_line(&mut line).expect("the agent answers");
        line
    }
}

/// Reads until the other side hangs up, however it does.
pub fn until_closed(stream: &mut impl Read) -> Vec<u8> {
    let mut bytes = Vec::new();
    match stream.read_to_end(&mut bytes) {
        Ok(_) => {}
        Err(e) if matches!(e.kind(), ErrorKind::ConnectionReset | ErrorKind::BrokenPipe) => {}
        Err(e) => panic!("the agent did not hang up: {e}"),
    }
    bytes
}
