//! Two server processes on one database: every rule holds across both.

use std::collections::BTreeSet;
use std::path::Path;

use serde_json::{Value, json};

use crate::kit::artifacts::{objects_in, several};
use crate::kit::program::{Running, rows, serve, sign_in};
use crate::kit::room::room;
use crate::kit::server::until;
use crate::kit::wire::{Answer, Request, request};

/// Two processes that share database, keys and mail folder.
async fn pair(folder: &Path) -> [Running; 2] {
    let limits = folder.join("limits.toml");
    std::fs::write(&limits, "code_cooldown = \"0s\"").unwrap();
    let files = format!("dir:{}", folder.join("files").display());
    let flags = ["--limits", limits.to_str().unwrap(), "--files", &files];
    [serve(folder, &flags).await, serve(folder, &flags).await]
}

/// Sends all requests at once, to the two in turn.
async fn at_once(servers: &[Running; 2], requests: Vec<Request>) -> Vec<Answer> {
    let addresses = [servers[0].address, servers[1].address].into_iter().cycle();
    let tasks: Vec<_> = requests
        .into_iter()
        .zip(addresses)
        .map(|(request, address)| tokio::spawn(async move { request.send(address).await }))
        .collect();
    let mut answers = Vec::new();
    for task in tasks {
        answers.push(task.await.unwrap());
    }
    answers
}

fn refresh(token: &str, key: u8) -> Request {
    request("POST", "/v0/auth/token/refresh")
        .header("idempotency-key", &format!("{key:02x}").repeat(32))
        .json(&json!({ "refresh_token": token }))
}

fn of(answers: &[Answer], status: u16) -> Vec<&Answer> {
    answers.iter().filter(|answer| answer.status == status).collect()
}

fn count(events: &[Value], event: &str) -> usize {
    events.iter().filter(|row| row["event"] == event).count()
}

#[tokio::test(flavor = "multi_thread")]
async fn one_token_rotates_once_whoever_asks_whom() {
    let folder = room();
    let servers = pair(folder.path()).await;
    let (_, token) = sign_in(folder.path(), &servers[0]).await;

    let same_key = at_once(&servers, (0..16).map(|_| refresh(&token, 1)).collect()).await;
    let successors: BTreeSet<String> =
        same_key.iter().map(|answer| answer.expect(200).text("refresh_token")).collect();
    assert_eq!(successors.len(), 1);

    let token = successors.first().unwrap();
    let other_keys = at_once(&servers, (0..16).map(|key| refresh(token, key)).collect()).await;
    assert_eq!((of(&other_keys, 200).len(), of(&other_keys, 409).len()), (1, 15), "{other_keys:?}");
    let access = of(&other_keys, 200)[0].text("access_token");
    for server in &servers {
        request("GET", "/v0/auth/me").bearer(&access).send(server.address).await.expect(200);
    }
    let events = rows(folder.path(), "events").await;
    assert_eq!((count(&events, "rotated"), count(&events, "replay_revoked_all")), (2, 0));
}

#[tokio::test(flavor = "multi_thread")]
async fn a_replay_at_one_server_ends_sessions_at_both() {
    let folder = room();
    let servers = pair(folder.path()).await;
    let (access, token) = sign_in(folder.path(), &servers[0]).await;
    let bare = request("POST", "/v0/auth/token/refresh").json(&json!({ "refresh_token": token }));
    bare.send(servers[0].address).await.expect(200);
    bare.send(servers[1].address).await.expect_error(401, "invalid_grant");
    for server in &servers {
        let me = request("GET", "/v0/auth/me").bearer(&access).send(server.address).await;
        me.expect_error(401, "unauthorized");
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn limits_and_guesses_are_counted_together() {
    let folder = room();
    let servers = pair(folder.path()).await;
    let ask = request("POST", "/v0/auth/login/request").json(&json!({ "email": "bob@example.com" }));
    let asked = at_once(&servers, vec![ask; 12]).await;
    assert_eq!((of(&asked, 200).len(), of(&asked, 429).len()), (5, 7), "{asked:?}");

    let body = json!({ "email": "bob@example.com", "code": "000000" });
    let guess = request("POST", "/v0/auth/login/verify").json(&body);
    let guesses = at_once(&servers, vec![guess; 60]).await;
    assert_eq!((of(&guesses, 401).len(), of(&guesses, 429).len()), (50, 10));
}

#[tokio::test(flavor = "multi_thread")]
async fn a_file_sent_to_one_server_comes_from_the_other() {
    let folder = room();
    let servers = pair(folder.path()).await;
    let (access, _) = sign_in(folder.path(), &servers[0]).await;
    let send = async |server: &Running, request: Request| request.bearer(&access).send(server.address).await;
    let made = send(&servers[0], request("POST", "/v1/workspaces").json(&json!({ "name": "n" }))).await;
    let reports = format!("/v1/workspaces/{}/reports", made.expect(201).text("id"));
    let body = json!({ "title": "t", "body": "b", "files": several(&[b"content"]) });
    let id = send(&servers[1], request("POST", &reports).json(&body)).await.expect(201).text("id");
    let file = format!("{reports}/{id}/files/1");
    // Both are sent it at once: one stores it, and what the other had is gone.
    let answers =
        at_once(&servers, (0..8).map(|_| request("PUT", &file).bearer(&access).body(b"content")).collect())
            .await;
    assert_eq!((of(&answers, 204).len(), of(&answers, 409).len()), (1, 7), "{answers:?}");
    for server in &servers {
        assert_eq!(send(server, request("GET", &file)).await.expect(200).body, "content");
    }
    let objects = || objects_in(&folder.path().join("files")).len();
    until("the others to go", || objects() == 1).await;
    send(&servers[1], request("DELETE", &format!("{reports}/{id}"))).await.expect(204);
    send(&servers[0], request("GET", &file)).await.expect_error(404, "not_found");
    until("the object to go", || objects() == 0).await;
}
