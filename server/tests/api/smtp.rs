//! Mail by SMTP to a real server process (aiosmtpd), one that works, refuses, is busy, dies or is slow; and to the real
//! binary's own end. Slow means: until the test says so.

use serde_json::{Value, json};
use tokio::io::AsyncWriteExt as _;

use crate::kit::program::{Running, log_of, rows, signal};
use crate::kit::room::{Room, room};
use crate::kit::server::code_in;
use crate::kit::smtp::{sink, sink_at};
use crate::kit::wire::{PATIENCE, request};

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
async fn busy_and_dying_mail_servers_are_tried_again() {
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
async fn a_mail_server_gets_the_mail_once_it_is_up() {
    let Some(gone) = sink("accepts").await else { return };
    let port = gone.port;
    let room = room();
    let server = gone.server(&room).await;
    drop(gone);
    ask(&server).await;
    crate::kit::server::until("the first try", || log_of(room.path()).contains("tried again")).await;
    let Some(mut sink) = sink_at("accepts", port).await else { return };
    expect_sign_in(&server, &sink.next().await).await;
}

#[tokio::test]
async fn a_slow_mail_server_delays_and_loses_nothing() {
    let Some(mut sink) = sink("slow").await else { return };
    let room = room();
    let mut server = sink.server(&room).await;
    // Answered although the mail server has not taken the message yet.
    ask(&server).await;
    assert_eq!(sink.next().await["waits"], json!(["ada@example.com"]));
    request("GET", "/healthz").send(server.address).await.expect(200);
    signal(&server.child, "TERM").await;
    crate::kit::server::until("the server to notice", || log_of(room.path()).contains("stopping")).await;
    sink.input.write_all(b"now\n").await.unwrap();
    assert_eq!(sink.next().await["to"], json!(["ada@example.com"]));
    let ended = tokio::time::timeout(PATIENCE, server.child.wait()).await.expect("it did not stop").unwrap();
    assert!(ended.success());
    assert!(!log_of(room.path()).contains("not delivered"));
}
