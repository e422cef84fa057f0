//! Stopping: requests under way are answered, then it exits 0; killed, it loses nothing that was answered.

use serde_json::json;
use tokio::io::{AsyncReadExt as _, AsyncWriteExt as _};
use tokio::net::TcpStream;

use crate::kit::program::{
    Running, log_of, mail_folder, program, rows, serve, sign_in, signal, spawn, stores,
};
use crate::kit::room::room;
use crate::kit::server::until;
use crate::kit::wire::{PATIENCE, request};

async fn exit_code(server: &mut Running) -> Option<i32> {
    tokio::time::timeout(PATIENCE, server.child.wait()).await.expect("it did not stop").unwrap().code()
}

#[tokio::test]
async fn sigterm_and_sigint_exit_0() {
    for name in ["TERM", "INT"] {
        let folder = room();
        let mut server = serve(folder.path(), &[]).await;
        let mut idle = TcpStream::connect(server.address).await.unwrap();
        idle.write_all(b"GET /healthz HTTP/1.1\r\nhost: test\r\n\r\n").await.unwrap();
        assert_ne!(idle.read(&mut [0; 512]).await.unwrap(), 0);
        signal(&server.child, name).await;
        assert_eq!(exit_code(&mut server).await, Some(0));
        assert!(!log_of(folder.path()).contains("WARN"), "an idle connection is not waited for");
    }
}

#[tokio::test]
async fn a_request_under_way_is_answered_before_it_stops() {
    let folder = room();
    let mut server = serve(folder.path(), &[]).await;
    let whole =
        request("POST", "/v0/auth/login/request").json(&json!({ "email": "ada@example.com" })).bytes();
    let (first, rest) = whole.split_at(whole.len() - 5);
    let mut stream = TcpStream::connect(server.address).await.unwrap();
    stream.write_all(first).await.unwrap();
    // Answered by the time it returns, so the server has read the first part of the other one too.
    request("GET", "/healthz").send(server.address).await.expect(200);
    signal(&server.child, "TERM").await;
    until("the server to notice", || log_of(folder.path()).contains("stopping")).await;
    stream.write_all(rest).await.unwrap();
    let mut answer = String::new();
    tokio::time::timeout(PATIENCE, stream.read_to_string(&mut answer)).await.unwrap().unwrap();
    assert!(answer.starts_with("HTTP/1.1 200"), "{answer}");
    assert_eq!(exit_code(&mut server).await, Some(0));
    assert_eq!(mail_folder(folder.path()).read_dir().unwrap().count(), 1, "its mail is sent too");
}

#[tokio::test]
async fn what_was_answered_survives_kill_9() {
    let folder = room();
    let mut server = serve(folder.path(), &[]).await;
    let (access, refresh) = sign_in(folder.path(), &server).await;
    let key = "k".repeat(43);
    let rotate = request("POST", "/v0/auth/token/refresh")
        .header("idempotency-key", &key)
        .json(&json!({ "refresh_token": refresh }));
    let first = rotate.send(server.address).await;
    first.expect(200);
    server.child.kill().await.unwrap();

    let server = serve(folder.path(), &[]).await;
    request("GET", "/v0/auth/me").bearer(&access).send(server.address).await.expect(200);
    let again = rotate.send(server.address).await;
    again.expect(200);
    assert_eq!(again.text("refresh_token"), first.text("refresh_token"));
    let events: Vec<String> = rows(folder.path(), "events")
        .await
        .iter()
        .map(|row| row["event"].as_str().unwrap().to_owned())
        .collect();
    assert_eq!(events, ["code_sent", "login", "rotated", "repeat_answered"]);
    let sessions = rows(folder.path(), "sessions").await;
    assert_eq!((sessions.len(), &sessions[0]["user"]), (1, &json!("ada@example.com")));
    assert_eq!((&sessions[0]["generation"], &sessions[0]["revoked_why"]), (&json!(2), &json!(null)));
}

#[tokio::test]
async fn logs_hold_no_address_code_or_token_even_at_trace() {
    let folder = room();
    let mail = format!("dir:{}", mail_folder(folder.path()).display());
    let log = std::fs::File::create(folder.path().join("log")).unwrap();
    let mut command = program();
    command
        .args(["serve", "--listen", "127.0.0.1:0", "--mail", &mail])
        .args(stores(folder.path()))
        .env("EVERKEY_LOG", "trace,sqlx=trace,lettre=trace,hyper=trace")
        .stderr(log);
    let mut server = spawn(command, folder.path()).await;
    let (access, refresh) = sign_in(folder.path(), &server).await;
    let body = json!({ "refresh_token": refresh });
    let next = request("POST", "/v0/auth/token/refresh").json(&body).send(server.address).await;
    request("GET", "/v0/auth/me").bearer(&access).send(server.address).await.expect(200);
    request("POST", "/v0/auth/token/refresh").json(&body).send(server.address).await.expect(401);
    signal(&server.child, "TERM").await;
    assert_eq!(exit_code(&mut server).await, Some(0));
    let log = log_of(folder.path());
    assert!(log.contains("used twice"));
    let keys = std::fs::read_to_string(folder.path().join("test.db.keys")).unwrap();
    let keys: serde_json::Value = serde_json::from_str(&keys).unwrap();
    let of_keys = |name: &str| keys["keys"][0][name].as_str().unwrap().to_owned();
    let secrets = [
        access,
        refresh,
        next.text("refresh_token"),
        next.text("access_token"),
        "ada@example.com".to_owned(),
        of_keys("jwt"),
        of_keys("pepper"),
        of_keys("retry"),
    ];
    for secret in secrets {
        assert!(!log.contains(&secret), "the log holds {secret}");
    }
}
