//! Backup and restore, as docs/hosting.md says: an older database is no alarm and opens nothing it should not.

use std::os::unix::fs::PermissionsExt as _;
use std::path::Path;
use std::process::Command;

use serde_json::json;

use crate::kit::program::{Running, database, expect_trouble, rows, run, serve, sign_in, signal};
use crate::kit::room::{on_postgres, room};
use crate::kit::wire::{Answer, request};

async fn rotate(server: &Running, token: &str, key: &str) -> Answer {
    request("POST", "/v0/auth/token/refresh")
        .header("idempotency-key", &key.repeat(43))
        .json(&json!({ "refresh_token": token }))
        .send(server.address)
        .await
}

async fn back_up(folder: &Path) {
    let to = folder.join("backup").display().to_string();
    let output = run(&["backup", &to, "--database", &database(folder)]).await;
    assert!(output.status.success(), "{output:?}");
}

async fn stop(mut server: Running) {
    signal(&server.child, "TERM").await;
    assert!(server.child.wait().await.unwrap().success());
}

/// Puts the backup in the place of the database of a server that was stopped.
fn restore(folder: &Path) {
    if on_postgres() {
        let flags = ["--clean", "--if-exists", "--single-transaction", "--no-owner", "--dbname"];
        let mut command = Command::new("pg_restore");
        command.args(flags).arg(database(folder)).arg(folder.join("backup"));
        assert!(command.status().unwrap().success());
    } else {
        for name in ["test.db-wal", "test.db-shm"] {
            let _ = std::fs::remove_file(folder.join(name));
        }
        std::fs::copy(folder.join("backup"), folder.join("test.db")).unwrap();
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn a_restored_database_admits_no_token_it_lacks() {
    let room = room();
    let server = serve(room.path(), &[]).await;
    let (first_access, first) = sign_in(room.path(), &server).await;
    back_up(room.path()).await;
    let second = rotate(&server, &first, "a").await;
    let third = rotate(&server, &second.text("refresh_token"), "b").await;
    third.expect(200);
    stop(server).await;
    restore(room.path());

    let server = serve(room.path(), &[]).await;
    let me = |token: &str| request("GET", "/v0/auth/me").bearer(token);
    // Generations that this database has not reached.
    for access in [second.text("access_token"), third.text("access_token")] {
        me(&access).send(server.address).await.expect_error(401, "unauthorized");
        let probe = request("GET", "/v0/auth/session").bearer(&access).send(server.address).await;
        probe.expect_error(401, "unauthorized");
    }
    for refresh in [second.text("refresh_token"), third.text("refresh_token")] {
        rotate(&server, &refresh, "c").await.expect_error(401, "invalid_grant");
    }
    let events = rows(room.path(), "events").await;
    assert!(events.iter().all(|row| row["event"] != "replay_revoked_all"), "{events:?}");
    // What was not used since the backup works on, and a lost answer is still the same one.
    me(&first_access).send(server.address).await.expect(200);
    let again = rotate(&server, &first, "a").await;
    again.expect(200);
    assert_eq!(again.text("refresh_token"), second.text("refresh_token"));
    assert_eq!(rows(room.path(), "sessions").await.len(), 1);
    sign_in_again(&server, room.path()).await;
}

async fn sign_in_again(server: &Running, folder: &Path) {
    let mails = folder.join("mail");
    std::fs::remove_dir_all(&mails).unwrap();
    std::fs::create_dir(&mails).unwrap();
    let ask = request("POST", "/v0/auth/login/request").json(&json!({ "email": "eve@example.com" }));
    ask.send(server.address).await.expect(200);
}

#[tokio::test(flavor = "multi_thread")]
async fn a_backup_of_a_working_server_is_whole_and_private() {
    let room = room();
    let server = serve(room.path(), &[]).await;
    let (_, mut token) = sign_in(room.path(), &server).await;
    let to = room.path().join("backup");
    let (mut backups, mut rotations) = (0, 0);
    while backups < 3 {
        let _ = std::fs::remove_file(&to);
        let (folder, rotated) = (room.path(), rotate(&server, &token, "x"));
        let ((), answer) = tokio::join!(back_up(folder), rotated);
        answer.expect(200);
        token = answer.text("refresh_token");
        (backups, rotations) = (backups + 1, rotations + 1);
    }
    assert_eq!(to.metadata().unwrap().permissions().mode() & 0o777, 0o600);
    let before = std::fs::read(&to).unwrap();
    let words = ["backup", to.to_str().unwrap(), "--database", &database(room.path())];
    expect_trouble(&run(&words).await, "is there already");
    assert_eq!(std::fs::read(&to).unwrap(), before);
    let nowhere = room.path().join("nowhere/backup");
    let words = ["backup", nowhere.to_str().unwrap(), "--database", &database(room.path())];
    expect_trouble(&run(&words).await, "can't write");
    stop(server).await;
    restore(room.path());
    let server = serve(room.path(), &[]).await;
    let generation = rows(room.path(), "sessions").await[0]["generation"].as_i64().unwrap();
    assert!((rotations..=rotations + 1).contains(&generation), "{generation}");
    drop(server);
    let names: Vec<_> = room.path().read_dir().unwrap().map(|entry| entry.unwrap().file_name()).collect();
    assert!(!names.iter().any(|name| name.to_string_lossy().starts_with(".everkey-backup-")), "{names:?}");
}

#[tokio::test]
async fn a_missing_database_is_not_backed_up() {
    let room = room();
    let to = room.path().join("backup");
    let absent = format!("sqlite:{}", room.path().join("absent.db").display());
    let output = run(&["backup", to.to_str().unwrap(), "--database", &absent]).await;
    expect_trouble(&output, "there is no database");
    assert_eq!(room.path().read_dir().unwrap().count(), 0);
}
