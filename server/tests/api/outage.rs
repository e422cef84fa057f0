//! A database that is away, slow, or goes down under the server: clear words at the start, honest answers, recovery.

use std::path::{Path, PathBuf};
use std::process::Command;

use serde_json::json;
use sqlx::{AnyConnection, Connection as _, Executor as _};

use crate::kit::program::{Running, expect_trouble, log_of, mail_folder, program, run, sign_in, spawn};
use crate::kit::room::{Room, connect, database, on_postgres, room};
use crate::kit::skip::not_on_this_database;
use crate::kit::wire::{Answer, PATIENCE, Request, request};

#[tokio::test]
async fn without_its_database_a_server_does_not_start() {
    let room = room();
    let keys = room.path().join("keys").display().to_string();
    for address in ["postgres://me:hunter2@127.0.0.1:1/everkey", "postgres://me:hunter2@h/d?host=/nowhere"] {
        let words = ["serve", "--listen", "127.0.0.1:0", "--keys", &keys, "--database", address];
        expect_trouble(&run(&words).await, "can't open the database at the given PostgreSQL address");
        assert!(!Path::new(&keys).exists());
    }
    let words = ["serve", "--listen", "127.0.0.1:0", "--database", "postgres://me@127.0.0.1:1/everkey"];
    expect_trouble(&run(&words).await, "no folder to keep the server's keys in");
}

/// A PostgreSQL of this test's own, so that it may go down.
struct Cluster(PathBuf);

impl Cluster {
    fn start(room: &Path) -> Self {
        let cluster = Self(room.to_owned());
        cluster.tool("start");
        cluster
    }

    fn tool(&self, verb: &str) {
        let tool = concat!(env!("CARGO_MANIFEST_DIR"), "/../tools/postgres.sh");
        let output = Command::new(tool).arg(verb).arg(&self.0).output().unwrap();
        assert!(output.status.success(), "{output:?}");
    }

    fn address(&self) -> String {
        format!("postgres://everkey@localhost/postgres?host={}", self.0.display())
    }
}

impl Drop for Cluster {
    fn drop(&mut self) {
        self.tool("remove");
    }
}

async fn serve_on(room: &Room, database: &str) -> Running {
    let log = std::fs::File::options().create(true).append(true).open(room.path().join("log")).unwrap();
    let mut command = program();
    command.args(["serve", "--listen", "127.0.0.1:0", "--database", database, "--keys"]);
    command
        .arg(room.path().join("keys"))
        .arg("--mail")
        .arg(format!("dir:{}", mail_folder(room.path()).display()));
    command.stderr(log);
    spawn(command, room.path()).await
}

fn refresh(token: &str, key: usize) -> Request {
    request("POST", "/v0/auth/token/refresh")
        .header("idempotency-key", &format!("{key:08x}").repeat(8))
        .json(&json!({ "refresh_token": token }))
}

/// Sends it until it is answered with 200. Whatever else comes must be honest about it.
async fn insist(request: &Request, server: &Running) -> Answer {
    let insisting = async {
        loop {
            let answer = request.send(server.address).await;
            match answer.status {
                200 => return answer,
                503 => assert_eq!(answer.json()["attempt_consumed"], false, "{answer:?}"),
                // The commit itself was cut off: nobody can know.
                500 => assert_eq!(answer.json()["attempt_consumed"], json!(null), "{answer:?}"),
                _ => panic!("{answer:?}"),
            }
        }
    };
    tokio::time::timeout(3 * PATIENCE, insisting).await.expect("it did not recover")
}

#[tokio::test(flavor = "multi_thread")]
async fn postgresql_restarted_under_load_loses_no_session() {
    if !on_postgres() {
        return not_on_this_database("postgresql_restarted_under_load_loses_no_session", "PostgreSQL");
    }
    let (room, place) = (room(), tempfile::Builder::new().prefix("everkey-pg.").tempdir_in("/tmp").unwrap());
    let cluster = Cluster::start(place.path());
    let server = serve_on(&room, &cluster.address()).await;
    let (_, mut token) = sign_in(room.path(), &server).await;
    let (sender, mut restarts) = tokio::sync::mpsc::channel::<()>(1);
    let crashing = tokio::task::spawn_blocking(move || {
        for _ in 0..3 {
            cluster.tool("stop");
            cluster.tool("start");
        }
        drop(sender);
        cluster
    });
    let mut rotations = 0;
    while restarts.try_recv() != Err(tokio::sync::mpsc::error::TryRecvError::Disconnected) || rotations < 20 {
        token = insist(&refresh(&token, rotations), &server).await.text("refresh_token");
        rotations += 1;
        if rotations % 100 == 0 {
            // The limit of rotations in a minute is not what is tested here.
            token = fresh(&server, &room).await;
        }
    }
    let cluster = crashing.await.unwrap();
    let mut database = AnyConnection::connect(&cluster.address()).await.unwrap();
    let events = database.fetch_all("SELECT id FROM audit WHERE event = 'replay_revoked_all'").await.unwrap();
    assert!(events.is_empty(), "a restart was taken for a replay");
    assert!(!log_of(room.path()).contains("panicked"));
}

async fn fresh(server: &Running, room: &Room) -> String {
    let mails = mail_folder(room.path());
    std::fs::remove_dir_all(&mails).unwrap();
    std::fs::create_dir(&mails).unwrap();
    sign_in(room.path(), server).await.1
}

#[tokio::test(flavor = "multi_thread")]
async fn connections_that_postgresql_closed_are_not_noticed() {
    if !on_postgres() {
        return not_on_this_database("connections_that_postgresql_closed_are_not_noticed", "PostgreSQL");
    }
    let room = room();
    let server = serve_on(&room, &database(room.path())).await;
    let (_, mut token) = sign_in(room.path(), &server).await;
    let mut admin = connect(room.path()).await;
    for key in 0..5 {
        let others = "SELECT pg_terminate_backend(pid) FROM pg_stat_activity
            WHERE datname = current_database() AND pid <> pg_backend_pid()";
        admin.execute(others).await.unwrap();
        token = refresh(&token, key).send(server.address).await.expect(200).text("refresh_token");
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn a_locked_row_is_503_and_nothing_consumed() {
    if !on_postgres() {
        return not_on_this_database("a_locked_row_is_503_and_nothing_consumed", "PostgreSQL");
    }
    let room = room();
    let server = serve_on(&room, &database(room.path())).await;
    let (_, token) = sign_in(room.path(), &server).await;
    let mut other = connect(room.path()).await;
    let mut tx = other.begin().await.unwrap();
    tx.execute("SELECT id FROM sessions FOR UPDATE").await.unwrap();
    let answer = refresh(&token, 1).send(server.address).await;
    answer.expect_error(503, "unavailable");
    assert_eq!(answer.json()["attempt_consumed"], false);
    tx.rollback().await.unwrap();
    let bare = request("POST", "/v0/auth/token/refresh").json(&json!({ "refresh_token": token }));
    bare.send(server.address).await.expect(200);
}
