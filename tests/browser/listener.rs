//! A program that waits on a free port of this machine for the browser to come back (RFC 8252 section 7.3).

use everkey_tests::http::Message;
use std::collections::BTreeMap;
use std::io::{BufReader, Write};
use std::net::{Ipv4Addr, TcpListener, TcpStream};
use std::sync::mpsc::{Receiver, channel};
use std::thread::spawn;
use std::time::Duration;

pub struct Listener {
    url: String,
    answers: Receiver<BTreeMap<String, String>>,
}

impl Listener {
    pub fn open() -> Self {
        let socket = TcpListener::bind((Ipv4Addr::LOCALHOST, 0)).unwrap();
        let url = format!("http://{}/callback", socket.local_addr().unwrap());
        let (send, answers) = channel();
        // The browser waits for the page, so it is served while the test waits for the browser.
        spawn(move || {
            for stream in socket.incoming() {
                let Some(query) = stream.ok().and_then(serve) else { continue };
                if send.send(query).is_err() {
                    return;
                }
            }
        });
        Self { url, answers }
    }

    /// Its address, port included.
    pub fn url(&self) -> String {
        self.url.clone()
    }

    /// Waits for the browser; returns the query it brings.
    pub fn answer(&self) -> BTreeMap<String, String> {
        self.answers.recv_timeout(Duration::from_secs(60)).expect("the browser at the program's port")
    }
}

fn serve(mut stream: TcpStream) -> Option<BTreeMap<String, String>> {
    stream.set_read_timeout(Some(Duration::from_secs(10))).ok()?;
    let asked = Message::read(&mut BufReader::new(stream.try_clone().ok()?)).ok()??;
    let body = "<!doctype html><title>Done</title><p>Back at the program.";
    let head = "HTTP/1.1 200 OK\r\ncontent-type: text/html\r\nconnection: close";
    write!(stream, "{head}\r\ncontent-length: {}\r\n\r\n{body}", body.len()).ok()?;
    let url = url::Url::parse(&format!("http://here{}", asked.path())).ok()?;
    (url.path() == "/callback").then(|| url.query_pairs().into_owned().collect())
}
