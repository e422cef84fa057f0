//! The socket by hand: JSON lines and raw bytes, with nothing of everkey's own code.

use crate::wait::{PATIENCE, eventually};
use serde_json::{Value, json};
use std::io::{BufRead, BufReader, ErrorKind, Read, Write};
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
