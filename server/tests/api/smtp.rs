//! Mail by SMTP to a real server process (aiosmtpd), one that works, refuses, is busy, dies or is slow; and to the real
//! binary's own end. Slow means: until the test says so.

use std::path::Path;
use std::process::Stdio;

use serde_json::{Value, json};
use tokio::io::{AsyncBufReadExt as _, AsyncWriteExt as _, BufReader, Lines};
use tokio::process::{Child, ChildStdin, ChildStdout, Command};

use crate::harness::code_in;
use crate::program::{Running, log_of, rows, serve_mailing, signal};
use crate::room::{Room, room};
use crate::skips::skipped;
use crate::wire::{PATIENCE, request};

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
    command.arg(root.join("server/tests/smtp_sink.py")).args([behaviour, &port.to_string()]);
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

async fn ask(server: &Running) {
    let ask = request("POST", "/v0/auth/login/request").json(&json!({ "email": "ada@example.com" }));
    ask.send(server.address).await.expect(200);
}

/// Signs in with the code in this message.
async fn expect_sign_in(server: &Running, message: &Value) {
    assert_eq!(message["to"], json!(["ada@example.com"]), "{message}");
    let code = code_in(&message["data"].as_str().unwrap().replace("\r\n", "\n"));
    let body = json!({ "email": "ada@example.com", "code": code });
    request("POST", "/v0/auth/login/verify").json(&body).send(server.address).await.expect(200);
}

async fn events(room: &Room, event: &str) -> usize {
    rows(room.path(), "events").await.iter().filter(|row| row["event"] == event).count()
}

#[tokio::test]
async fn a_code_comes_by_smtp_and_signs_in() {
    let Some(mut sink) = sink("accepts").await else { return };
    let room = room();
    let server = sink.server(&room).await;
    ask(&server).await;
    let message = sink.next().await;
    assert_eq!(message["from"], "no-reply@localhost");
    assert!(message["data"].as_str().unwrap().contains("Subject: Your sign-in code"));
    expect_sign_in(&server, &message).await;
}

#[tokio::test]
async fn a_refused_mail_is_given_up_at_once_and_audited() {
    let Some(sink) = sink("refuses").await else { return };
    let room = room();
    let server = sink.server(&room).await;
    ask(&server).await;
    let audited = async { while events(&room, "mail_failed").await == 0 {} };
    tokio::time::timeout(PATIENCE, audited).await.expect("the failure was not recorded");
    let log = log_of(room.path());
    assert!(log.contains("no such mailbox") && !log.contains("ada@example.com"), "{log}");
}

#[tokio::test]
async fn a_busy_mail_server_and_one_that_dies_are_tried_again() {
    for behaviour in ["busy", "dies"] {
        let Some(mut sink) = sink(behaviour).await else { return };
        let room = room();
        let server = sink.server(&room).await;
        ask(&server).await;
        expect_sign_in(&server, &sink.next().await).await;
        assert_eq!(events(&room, "mail_failed").await, 0);
        assert!(log_of(room.path()).contains("tried again"));
    }
}

#[tokio::test]
async fn a_mail_server_that_is_down_gets_the_mail_once_it_is_up() {
    let Some(gone) = sink("accepts").await else { return };
    let port = gone.port;
    let room = room();
    let server = gone.server(&room).await;
    drop(gone);
    ask(&server).await;
    crate::harness::until("the first try", || log_of(room.path()).contains("tried again")).await;
    let Some(mut sink) = sink_at("accepts", port).await else { return };
    expect_sign_in(&server, &sink.next().await).await;
}

#[tokio::test]
async fn a_slow_mail_server_delays_no_request_and_loses_nothing_when_the_server_stops() {
    let Some(mut sink) = sink("slow").await else { return };
    let room = room();
    let mut server = sink.server(&room).await;
    // Answered although the mail server has not taken the message yet.
    ask(&server).await;
    assert_eq!(sink.next().await["waits"], json!(["ada@example.com"]));
    request("GET", "/healthz").send(server.address).await.expect(200);
    signal(&server.child, "TERM").await;
    crate::harness::until("the server to notice", || log_of(room.path()).contains("stopping")).await;
    sink.input.write_all(b"now\n").await.unwrap();
    assert_eq!(sink.next().await["to"], json!(["ada@example.com"]));
    let ended = tokio::time::timeout(PATIENCE, server.child.wait()).await.expect("it did not stop").unwrap();
    assert!(ended.success());
    assert!(!log_of(room.path()).contains("not delivered"));
}
