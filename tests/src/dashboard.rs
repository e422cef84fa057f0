//! The dashboard as browsers meet it: its link, its cookie, its routes, and what it sends by itself.

use crate::World;
use crate::cli::{Cli, Output, Talk};
use crate::http::Message;
use crate::wait::{PATIENCE, eventually, until};
use serde_json::Value;
use std::io::{BufRead, BufReader, Read, Write};
use std::net::TcpStream;
use std::sync::mpsc::{Receiver, RecvTimeoutError, channel};
use std::thread;
use std::time::Duration;

/// What browsers call the dashboard's cookie.
const COOKIE: &str = "everkey_dashboard";

/// A running dashboard.
pub struct Dashboard {
    talk: Talk,
    link: String,
}

/// A browser at a dashboard, as far as requests go.
#[derive(Debug, Clone)]
pub struct Tab {
    /// `http://RANDOM.localhost:PORT`.
    pub origin: String,
    /// What it shows to be let in; none before it is.
    pub cookie: Option<String>,
}

#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct ServerSentEvent {
    /// Its name.
    pub event: String,
    pub id: String,
    pub data: String,
}

/// What a tab is told by itself.
pub struct Stream {
    head: Message,
    events: Receiver<ServerSentEvent>,
    socket: TcpStream,
}

impl Dashboard {
    pub fn start(world: &World) -> Self {
        let mut talk = Cli::new(world.dashboard_command()).talk();
        let link = talk.line();
        Self { talk, link }
    }

    /// The link that it printed first.
    pub fn link(&self) -> &str {
        &self.link
    }

    /// Asks for another link.
    pub fn another_link(&mut self) -> String {
        self.talk.say("");
        self.talk.line()
    }

    /// Its process id.
    pub fn pid(&self) -> u32 {
        self.talk.pid()
    }

    /// A browser that has not come in.
    pub fn stranger(&self) -> Tab {
        let origin = self.link.split("/enter").next().expect("a link").to_owned();
        Tab { origin, cookie: None }
    }

    /// A browser that comes in by the first link.
    pub fn enter(&self) -> Tab {
        self.stranger().come_in(&self.link)
    }

    /// Closes its standard input and waits for its end; what it said.
    pub fn close(self) -> Output {
        self.talk.finish()
    }
}

impl Tab {
    /// Opens a link and keeps the cookie.
    #[must_use]
    pub fn come_in(mut self, link: &str) -> Self {
        let path = link.strip_prefix(&self.origin).expect("a link of this dashboard");
        let answer = self.get(path);
        assert_eq!(answer.status(), 200, "{answer:?}");
        self.cookie = Some(cookie_of(&answer).expect("a cookie"));
        self
    }

    /// `RANDOM.localhost:PORT`.
    pub fn host(&self) -> &str {
        self.origin.strip_prefix("http://").expect("plain http")
    }

    pub fn port(&self) -> u16 {
        self.host().rsplit_once(':').and_then(|(_, port)| port.parse().ok()).expect("a port")
    }

    /// Asks for a page.
    pub fn get(&self, path: &str) -> Message {
        self.call("GET", path, None)
    }

    /// Sends JSON, as the pages' scripts do.
    pub fn post(&self, path: &str, body: &Value) -> Message {
        self.call("POST", path, Some(body))
    }

    /// Makes a request as the pages' scripts do.
    pub fn call(&self, method: &str, path: &str, body: Option<&Value>) -> Message {
        let mut headers = self.headers();
        if method != "GET" && method != "HEAD" {
            headers.push(("Origin", self.origin.clone()));
            headers.push(("Sec-Fetch-Site", "same-origin".to_owned()));
        }
        if body.is_some() {
            headers.push(("Content-Type", "application/json".to_owned()));
        }
        let body = body.map(Value::to_string).unwrap_or_default();
        self.send(method, path, &headers, body.as_bytes())
    }

    /// The headers of any request: where to, and the cookie.
    pub fn headers(&self) -> Vec<(&'static str, String)> {
        let mut headers = vec![("Host", self.host().to_owned())];
        if let Some(cookie) = &self.cookie {
            headers.push(("Cookie", format!("{COOKIE}={cookie}")));
        }
        headers
    }

    /// Makes a request with exactly these headers, and the length of its body.
    pub fn send(&self, method: &str, path: &str, headers: &[(&str, String)], body: &[u8]) -> Message {
        let mut stream = self.ask(method, path, headers, body);
        let mut answer = Vec::new();
        // Whoever is turned away may find the connection reset.
        let _ = stream.read_to_end(&mut answer);
        message(&answer)
    }

    /// Follows what happens.
    pub fn follow(&self) -> Stream {
        let socket = self.ask("GET", "/events", &self.headers(), b"");
        let mut reader = BufReader::new(socket.try_clone().expect("a socket"));
        let mut head = Vec::new();
        while !head.ends_with(b"\r\n\r\n") {
            assert!(reader.read_until(b'\n', &mut head).expect("an answer") > 0, "no answer");
        }
        let (send, events) = channel();
        thread::spawn(move || {
            let mut sent = ServerSentEvent::default();
            // Lines with the sizes of chunks have none of these names.
            for line in reader.lines().map_while(Result::ok) {
                match line.split_once(": ") {
                    Some(("event", text)) => text.clone_into(&mut sent.event),
                    Some(("id", text)) => text.clone_into(&mut sent.id),
                    Some(("data", text)) => text.clone_into(&mut sent.data),
                    _ if line.is_empty() && !sent.event.is_empty() => {
                        let told = send.send(std::mem::take(&mut sent));
                        if told.is_err() {
                            return;
                        }
                    }
                    _ => {}
                }
            }
        });
        Stream { head: message(&head), events, socket }
    }

    /// Sends a request and returns the connection that the answer comes on.
    pub fn ask(&self, method: &str, path: &str, headers: &[(&str, String)], body: &[u8]) -> TcpStream {
        let mut request = format!("{method} {path} HTTP/1.1\r\nConnection: close\r\n");
        for (name, value) in headers {
            request.push_str(&format!("{name}: {value}\r\n"));
        }
        if !body.is_empty() || !matches!(method, "GET" | "HEAD") {
            request.push_str(&format!("Content-Length: {}\r\n", body.len()));
        }
        request.push_str("\r\n");
        let mut stream = TcpStream::connect(("127.0.0.1", self.port())).expect("the dashboard listens");
        stream.set_read_timeout(Some(PATIENCE)).expect("a timeout can be set");
        // It may answer and hang up before it has read everything.
        let _ = stream.write_all(&[request.as_bytes(), body].concat());
        stream
    }
}

impl Stream {
    /// The head of the answer.
    pub fn head(&self) -> &Message {
        &self.head
    }

    /// The next one that is wanted.
    pub fn find(&self, what: &str, wanted: impl Fn(&ServerSentEvent) -> bool) -> ServerSentEvent {
        eventually(what, || self.next().filter(&wanted))
    }

    /// The next `happened` of this kind.
    pub fn happens(&self, event: &str) -> Value {
        let sent = self.find(&format!("the event {event}"), |sent| {
            sent.event == "happened" && sent.json()["event"] == event
        });
        sent.json()
    }

    /// Waits until it says whether the agent can be reached.
    pub fn agent(&self, reachable: bool) -> Value {
        let what = format!("the agent to be reachable: {reachable}");
        self.find(&what, |sent| sent.event == "agent" && sent.json()["reachable"] == reachable).json()
    }

    /// Waits until the dashboard ends it.
    pub fn ends(&self) {
        until("the end of the events", || {
            matches!(self.events.recv_timeout(Duration::from_millis(1)), Err(RecvTimeoutError::Disconnected))
        });
    }

    /// The connection.
    pub fn socket(&self) -> &TcpStream {
        &self.socket
    }

    fn next(&self) -> Option<ServerSentEvent> {
        match self.events.recv_timeout(Duration::from_millis(10)) {
            Ok(sent) => Some(sent),
            Err(RecvTimeoutError::Timeout) => None,
            Err(RecvTimeoutError::Disconnected) => panic!("the events have ended"),
        }
    }
}

impl ServerSentEvent {
    /// Its data as JSON.
    pub fn json(&self) -> Value {
        serde_json::from_str(&self.data).unwrap_or_else(|e| panic!("{self:?}: {e}"))
    }
}

/// The value of the dashboard's cookie, if an answer sets it.
pub fn cookie_of(answer: &Message) -> Option<String> {
    let line = answer.header("set-cookie")?;
    let value = line.split(';').next()?.strip_prefix(COOKIE)?.strip_prefix('=')?;
    Some(value.to_owned())
}

/// An answer that ended with its connection; an empty one where there was none.
fn message(raw: &[u8]) -> Message {
    let text = String::from_utf8_lossy(raw);
    let (head, _) = text.split_once("\r\n\r\n").unwrap_or((&text, ""));
    let mut lines = head.lines();
    let start = lines.next().unwrap_or_default().to_owned();
    let headers = lines.filter_map(|line| line.split_once(':'));
    let headers = headers.map(|(name, value)| (name.to_lowercase(), value.trim().to_owned())).collect();
    let end = raw.windows(4).position(|four| four == b"\r\n\r\n").map_or(raw.len(), |at| at + 4);
    Message { start, headers, body: raw[end..].to_vec(), raw: raw.to_vec() }
}
