//! What lies between an agent and a server: a proxy that lets nobody through, and a server with a certificate of its own.

use crate::World;
use crate::process::Running;
use std::io::{BufRead, BufReader, Write};
use std::net::TcpListener;
use std::path::PathBuf;
use std::process::{Command, Stdio};
use std::sync::mpsc;
use std::thread;

/// A proxy that lets nobody through, and tells the first line of what it was asked.
pub fn closed_proxy() -> (String, mpsc::Receiver<String>) {
    let listener = TcpListener::bind("127.0.0.1:0").expect("a port");
    let url = format!("http://{}", listener.local_addr().expect("an address"));
    let (tell, told) = mpsc::channel();
    thread::spawn(move || {
        for mut stream in listener.incoming().flatten() {
            let mut line = String::new();
            let _ = BufReader::new(&stream).read_line(&mut line);
            // Told first: whoever has the answer may look at once.
            let _ = tell.send(line.trim_end().to_owned());
            let _ = stream.write_all(b"HTTP/1.1 403 Closed\r\nContent-Length: 0\r\n\r\n");
        }
    });
    (url, told)
}

/// An https server that nobody's system trusts, and that answers everything with a page.
pub struct SelfSigned {
    /// Where it listens, as `127.0.0.1:PORT`.
    pub address: String,
    /// Its certificate, a file of the world's user.
    pub certificate: PathBuf,
    _server: Running,
}

impl SelfSigned {
    /// Starts it; needs openssl.
    pub fn start(world: &World) -> Self {
        let (key, certificate) = (world.put("key.pem", ""), world.put("ca.pem", ""));
        let made = Command::new("openssl")
            .args(["req", "-x509", "-newkey", "rsa:2048", "-nodes", "-days", "2", "-subj", "/CN=127.0.0.1"])
            .args(["-addext", "subjectAltName=IP:127.0.0.1", "-addext", "basicConstraints=critical,CA:FALSE"])
            .arg("-keyout")
            .arg(&key)
            .arg("-out")
            .arg(&certificate)
            .output();
        assert!(made.expect("openssl").status.success());
        let mut command = Command::new("openssl");
        command.args(["s_server", "-accept", "127.0.0.1:0", "-www", "-cert"]).arg(&certificate);
        command.arg("-key").arg(&key).stdout(Stdio::piped()).stderr(Stdio::null());
        let mut server = Running::spawn(&mut command);
        let said = BufReader::new(server.child().stdout.take().expect("its stdout"));
        let mut lines = said.lines().map_while(Result::ok);
        let address = lines.find_map(|line| line.strip_prefix("ACCEPT ").map(str::to_owned));
        Self { address: address.expect("a line with its address"), certificate, _server: server }
    }
}
