//! A network between agent and api-server that fails on command, request by request.

use crate::gate::Gate;
use crate::http::{self, Message};
use rustix::net::sockopt::{set_socket_linger, set_socket_reuseport};
use rustix::net::{
    AddressFamily, Shutdown, SocketFlags, SocketType, bind, getsockname, listen, shutdown, socket_with,
};
use serde_json::Value;
use std::collections::{BTreeMap, VecDeque};
use std::io::{BufReader, Write};
use std::net::{Ipv4Addr, SocketAddr, SocketAddrV4, TcpListener, TcpStream};
use std::os::fd::OwnedFd;
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};
use std::thread;
use std::time::Duration;

/// What happens to one request.
#[derive(Clone)]
pub enum Fault {
    /// It is passed on, and so is its answer.
    Pass,
    /// It never reaches the server; the connection closes.
    LoseRequest,
    /// The server gets it and answers; the answer is lost and the connection closes.
    LoseAnswer,
    /// It waits at the gate, then is passed on.
    HoldRequest(Gate),
    /// The server gets it and answers; the answer waits at the gate.
    HoldAnswer(Gate),
    /// The server gets it and answers; at the gate the answer is lost and the connection closes.
    HoldAndLoseAnswer(Gate),
    /// The server gets it; only so many bytes of the answer arrive.
    CutAnswer(usize),
    /// The connection is reset before the server gets it.
    Reset,
    /// It never reaches the server; this comes back.
    Answer(Canned),
    /// The server gets it; its JSON answer is changed on the way.
    Rewrite(fn(&mut Value)),
    /// The server gets it; its answer comes with this content type, or none, and this before its body.
    Relabel(Option<&'static str>, &'static str),
    /// The server gets it with another value of this header (its name in lower case).
    ChangeHeader(&'static str, &'static str),
}

/// A made-up answer.
#[derive(Clone)]
pub struct Canned(Vec<u8>);

impl Canned {
    /// With this status, content type and body; `headers` are whole lines.
    pub fn new(status: u16, kind: &str, headers: &[&str], body: &str) -> Self {
        let headers: String = headers.iter().map(|line| format!("{line}\r\n")).collect();
        Self(
            format!(
                "HTTP/1.1 {status} Made Up\r\nContent-Type: {kind}\r\nContent-Length: {}\r\n{headers}\r\n{body}",
                body.len()
            )
            .into_bytes(),
        )
    }

    /// A JSON answer.
    pub fn json(status: u16, body: &Value) -> Self {
        Self::new(status, "application/json", &[], &body.to_string())
    }

    /// What a hotel's login page says to everything.
    pub fn captive_portal() -> Self {
        Self::new(
            200,
            "text/html",
            &[],
            "<html><body>Welcome to the hotel! <a href=/>Sign in</a></body></html>",
        )
    }
}

/// The proxy: one port, one thread a connection.
pub struct Proxy {
    address: SocketAddr,
    state: Arc<Mutex<State>>,
    /// Keeps the port ours while nobody listens on it.
    _reserved: OwnedFd,
    listening: Option<TcpListener>,
}

#[derive(Default)]
struct State {
    upstream: String,
    next: BTreeMap<String, VecDeque<Fault>>,
    every: BTreeMap<String, Fault>,
    seen: Vec<Message>,
    /// Requests that have come and have not ended, here or at the server.
    under_way: usize,
}

impl Proxy {
    /// A proxy before the server at `upstream` (`http://HOST:PORT`) that passes everything.
    pub fn before(upstream: &str) -> Self {
        let any = SocketAddr::from(SocketAddrV4::new(Ipv4Addr::LOCALHOST, 0));
        let reserved = bound(any);
        let name = getsockname(&reserved).expect("a bound socket has a name");
        let address = SocketAddr::try_from(name).expect("an address of this machine");
        let mut proxy = Self { address, state: Arc::default(), _reserved: reserved, listening: None };
        proxy.set_upstream(upstream);
        proxy.come_back();
        proxy
    }

    /// Its base URL.
    pub fn url(&self) -> String {
        format!("http://{}", self.address)
    }

    /// Passes on to another server from now on.
    pub fn set_upstream(&self, upstream: &str) {
        self.state().upstream = upstream.trim_start_matches("http://").to_owned();
    }

    /// What happens to the next request for `path`; several calls queue up.
    pub fn next(&self, path: &str, fault: Fault) {
        self.state().next.entry(path.to_owned()).or_default().push_back(fault);
    }

    /// What happens to every request for `path` that nothing else was said about.
    pub fn every(&self, path: &str, fault: Fault) {
        self.state().every.insert(path.to_owned(), fault);
    }

    /// Holds the answer to the next refresh.
    pub fn hold_refresh_answer(&self) -> Gate {
        let gate = Gate::default();
        self.next(crate::REFRESH, Fault::HoldAnswer(gate.clone()));
        gate
    }

    /// Passes everything again.
    pub fn heal(&self) {
        let mut state = self.state();
        state.next.clear();
        state.every.clear();
    }

    /// Refuses connections.
    pub fn go_away(&mut self) {
        if let Some(listening) = self.listening.take() {
            let _ = shutdown(&listening, Shutdown::Both);
        }
    }

    /// Listens on the same port again.
    pub fn come_back(&mut self) {
        let fd = bound(self.address);
        listen(&fd, 128).expect("the port is ours");
        let listener = TcpListener::from(fd);
        let accepting = listener.try_clone().expect("a descriptor");
        let state = Arc::clone(&self.state);
        thread::spawn(move || {
            while let Ok((stream, _)) = accepting.accept() {
                let state = Arc::clone(&state);
                thread::spawn(move || serve(&stream, &state));
            }
        });
        self.listening = Some(listener);
    }

    /// Every request for `path` that came so far.
    pub fn seen(&self, path: &str) -> Vec<Message> {
        self.state().seen.iter().filter(|message| message.path() == path).cloned().collect()
    }

    /// How many refresh requests came so far.
    pub fn refreshes(&self) -> usize {
        self.seen(crate::REFRESH).len()
    }

    /// Whether no request is on its way any more, not even one that nobody waits for.
    pub fn is_quiet(&self) -> bool {
        self.state().under_way == 0
    }

    fn state(&self) -> MutexGuard<'_, State> {
        lock(&self.state)
    }
}

impl Drop for Proxy {
    fn drop(&mut self) {
        self.go_away();
        let state = self.state();
        let faults = state.next.values().flatten().chain(state.every.values());
        for fault in faults {
            if let Fault::HoldRequest(gate) | Fault::HoldAnswer(gate) | Fault::HoldAndLoseAnswer(gate) = fault
            {
                gate.open();
            }
        }
    }
}

fn bound(address: SocketAddr) -> OwnedFd {
    let fd =
        socket_with(AddressFamily::INET, SocketType::STREAM, SocketFlags::CLOEXEC, None).expect("a socket");
    set_socket_reuseport(&fd, true).expect("ports can be shared with oneself");
    bind(&fd, &address).expect("a port of this machine");
    fd
}

fn lock(state: &Mutex<State>) -> MutexGuard<'_, State> {
    state.lock().unwrap_or_else(PoisonError::into_inner)
}

fn serve(stream: &TcpStream, state: &Mutex<State>) {
    let mut reader = BufReader::new(stream);
    while let Ok(Some(request)) = Message::read(&mut reader) {
        let (fault, upstream) = {
            let mut state = lock(state);
            let path = request.path().to_owned();
            let next = state.next.get_mut(&path).and_then(VecDeque::pop_front);
            let fault = next.or_else(|| state.every.get(&path).cloned()).unwrap_or(Fault::Pass);
            state.seen.push(request.clone());
            state.under_way += 1;
            (fault, state.upstream.clone())
        };
        let forward = || http::forward(&upstream, &request).map(|answer| answer.raw).ok();
        let answer = match fault {
            Fault::Pass => forward(),
            Fault::LoseRequest => None,
            Fault::LoseAnswer => {
                forward();
                None
            }
            Fault::HoldRequest(gate) => {
                gate.pass();
                forward()
            }
            Fault::HoldAnswer(gate) => {
                let answer = forward();
                gate.pass();
                answer
            }
            Fault::HoldAndLoseAnswer(gate) => {
                forward();
                gate.pass();
                None
            }
            Fault::CutAnswer(len) => {
                let cut = forward().map(|answer| answer[..len.min(answer.len())].to_vec());
                let mut writer = stream;
                let _ = writer.write_all(&cut.unwrap_or_default());
                None
            }
            Fault::Reset => {
                let _ = set_socket_linger(stream, Some(Duration::ZERO));
                None
            }
            Fault::Answer(Canned(answer)) => Some(answer),
            Fault::ChangeHeader(name, value) => {
                http::forward(&upstream, &request.with_header(name, value)).map(|answer| answer.raw).ok()
            }
            Fault::Rewrite(change) => http::forward(&upstream, &request).ok().map(|answer| {
                let mut body = answer.json();
                change(&mut body);
                Canned::json(answer.status(), &body).0
            }),
            Fault::Relabel(kind, before) => http::forward(&upstream, &request).ok().map(|answer| {
                let body = [before.as_bytes(), &answer.body].concat();
                let kind = kind.map(|kind| format!("Content-Type: {kind}\r\n")).unwrap_or_default();
                let (status, len) = (answer.status(), body.len());
                let head = format!("HTTP/1.1 {status} Relabelled\r\n{kind}Content-Length: {len}\r\n\r\n");
                [head.as_bytes(), &body].concat()
            }),
        };
        let mut writer = stream;
        let answered = answer.is_some_and(|answer| writer.write_all(&answer).is_ok());
        lock(state).under_way -= 1;
        if !answered {
            return;
        }
    }
}
