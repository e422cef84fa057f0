//! A real mail server process (aiosmtpd), one that works, refuses, is busy, dies or is slow.

use std::path::Path;
use std::process::Stdio;

use serde_json::Value;
use tokio::io::{AsyncBufReadExt as _, BufReader, Lines};
use tokio::process::{Child, ChildStdin, ChildStdout, Command};

use crate::kit::program::{Running, serve_mailing};
use crate::kit::room::Room;
use crate::kit::skip::skipped;
use crate::kit::wire::PATIENCE;

pub struct Sink {
    _child: Child,
    pub input: ChildStdin,
    lines: Lines<BufReader<ChildStdout>>,
    pub port: u64,
}

/// `None`, said loudly, where there is no aiosmtpd.
pub async fn sink(behaviour: &str) -> Option<Sink> {
    sink_at(behaviour, 0).await
}

pub async fn sink_at(behaviour: &str, port: u64) -> Option<Sink> {
    let root = Path::new(env!("CARGO_MANIFEST_DIR")).parent().unwrap();
    let python = root.join("target/python/bin/python");
    if !python.exists() {
        skipped("smtp", "target/python is missing (./dev setup makes it)");
        return None;
    }
    let mut command = Command::new(python);
    command.arg(root.join("server/tests/kit/smtp_sink.py")).args([behaviour, &port.to_string()]);
    command.stdin(Stdio::piped()).stdout(Stdio::piped()).kill_on_drop(true);
    let mut child = command.spawn().unwrap();
    let (input, output) = (child.stdin.take().unwrap(), child.stdout.take().unwrap());
    let mut sink = Sink { _child: child, input, lines: BufReader::new(output).lines(), port: 0 };
    sink.port = sink.next().await["port"].as_u64().unwrap();
    Some(sink)
}

impl Sink {
    /// The next thing it says.
    pub async fn next(&mut self) -> Value {
        // Longer than all pauses between tries together.
        let line = tokio::time::timeout(3 * PATIENCE, self.lines.next_line()).await.expect("no mail came");
        serde_json::from_str(&line.unwrap().expect("the mail server ended")).unwrap()
    }

    pub async fn server(&self, room: &Room) -> Running {
        serve_mailing(room.path(), &format!("smtp://127.0.0.1:{}", self.port), &[]).await
    }
}
