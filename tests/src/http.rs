//! Just enough HTTP/1.1 to speak with the api-server directly and to pass its messages on.

use serde_json::Value;
use std::io::{self, BufRead, BufReader, Read, Write};
use std::net::TcpStream;
use std::time::Duration;

/// A request or an answer as it came.
#[derive(Debug, Clone)]
pub struct Message {
    /// The request or status line.
    pub start: String,
    /// The headers, names in lower case.
    pub headers: Vec<(String, String)>,
    pub body: Vec<u8>,
    /// All of it, byte for byte.
    pub raw: Vec<u8>,
}

impl Message {
    /// Reads one message; none at the end of the stream.
    pub fn read(stream: &mut impl BufRead) -> io::Result<Option<Self>> {
        let mut raw = Vec::new();
        let mut lines = Vec::new();
        loop {
            let from = raw.len();
            if stream.read_until(b'\n', &mut raw)? == 0 {
                return if lines.is_empty() { Ok(None) } else { Err(io::ErrorKind::UnexpectedEof.into()) };
            }
            match String::from_utf8_lossy(&raw[from..]).trim_end() {
                "" => break,
                line => lines.push(line.to_owned()),
            }
        }
        let mut lines = lines.into_iter();
        let start = lines.next().unwrap_or_default();
        let split = |line: String| line.split_once(':').map(|(n, v)| (n.to_lowercase(), v.trim().to_owned()));
        let headers: Vec<_> = lines.filter_map(split).collect();
        let mut message = Self { start, headers, body: Vec::new(), raw };
        let len = message.header("content-length").and_then(|len| len.parse().ok()).unwrap_or(0);
        message.body = vec![0; len];
        stream.read_exact(&mut message.body)?;
        message.raw.extend_from_slice(&message.body);
        Ok(Some(message))
    }

    /// A header's value.
    pub fn header(&self, name: &str) -> Option<&str> {
        self.headers.iter().find(|(n, _)| n == name).map(|(_, value)| value.as_str())
    }

    /// The same message with another value of a header that it has.
    pub(crate) fn with_header(&self, name: &str, value: &str) -> Self {
        let mut changed = self.clone();
        let header = changed.headers.iter_mut().find(|(n, _)| n == name).expect("a header to change");
        value.clone_into(&mut header.1);
        let headers: String = changed.headers.iter().map(|(n, v)| format!("{n}: {v}\r\n")).collect();
        changed.raw = [format!("{}\r\n{headers}\r\n", changed.start).as_bytes(), &changed.body].concat();
        changed
    }

    /// The path of a request.
    pub fn path(&self) -> &str {
        self.start.split(' ').nth(1).unwrap_or_default()
    }

    /// The status of an answer.
    pub fn status(&self) -> u16 {
        self.start.split(' ').nth(1).and_then(|status| status.parse().ok()).unwrap_or(0)
    }

    /// The body as JSON; null if it is none.
    pub fn json(&self) -> Value {
        serde_json::from_slice(&self.body).unwrap_or(Value::Null)
    }
}

/// Makes one call to `http://HOST:PORT` on a connection of its own.
pub fn call(base: &str, method: &str, path: &str, bearer: Option<&str>, body: Option<&Value>) -> Message {
    let body = body.map(Value::to_string).unwrap_or_default();
    send(base, method, path, &authorization(bearer), "application/json", &body)
}

/// Sends a form to `http://HOST:PORT` on a connection of its own.
pub fn call_form(base: &str, path: &str, form: &str) -> Message {
    send(base, "POST", path, "", "application/x-www-form-urlencoded", form)
}

fn authorization(bearer: Option<&str>) -> String {
    bearer.map(|token| format!("Authorization: Bearer {token}\r\n")).unwrap_or_default()
}

/// Makes one call with these whole header lines.
pub(crate) fn send(base: &str, method: &str, path: &str, headers: &str, kind: &str, body: &str) -> Message {
    let address = base.strip_prefix("http://").expect("tests speak plain http");
    send_to(base, address, method, path, headers, kind, body)
}

/// The same to a host that the server has as well.
pub(crate) fn send_to(
    base: &str,
    host: &str,
    method: &str,
    path: &str,
    headers: &str,
    kind: &str,
    body: &str,
) -> Message {
    let address = base.strip_prefix("http://").expect("tests speak plain http");
    let request = format!(
        "{method} {path} HTTP/1.1\r\nHost: {host}\r\nConnection: close\r\n{headers}\
         Content-Type: {kind}\r\nContent-Length: {}\r\n\r\n{body}",
        body.len()
    );
    let mut stream = TcpStream::connect(address).expect("the api-server listens");
    stream.set_read_timeout(Some(Duration::from_secs(60))).expect("a timeout can be set");
    stream.write_all(request.as_bytes()).expect("the api-server reads");
    let answer = Message::read(&mut BufReader::new(stream)).expect("the api-server answers");
    answer.expect("the api-server answers before it closes")
}

/// Passes a request on and reads the answer.
pub fn forward(address: &str, request: &Message) -> io::Result<Message> {
    let mut stream = TcpStream::connect(address)?;
    stream.write_all(&request.raw)?;
    Message::read(&mut BufReader::new(stream.take(1 << 20)))?.ok_or(io::ErrorKind::UnexpectedEof.into())
}
