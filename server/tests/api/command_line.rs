//! The command line: what it prints, which files it makes, and how it says what is wrong.

use std::os::unix::fs::PermissionsExt;
use std::process::Output;

use serde_json::json;

use crate::kit::program::{
    database, expect_trouble, log_of, newest_mail, program, run, serve, serve_in_vain, serve_mailing, signal,
};
use crate::kit::room::{empty_database, on_postgres, room};
use crate::kit::server::{code_in, until};
use crate::kit::skip::{not_on_this_database, skipped};
use crate::kit::wire::{PATIENCE, request};

fn err(output: &Output) -> String {
    String::from_utf8(output.stderr.clone()).unwrap()
}

#[tokio::test]
async fn it_says_where_it_listens_and_its_files_are_private() {
    let folder = room();
    let server = serve(folder.path(), &[]).await;
    assert_eq!(server.line, format!("listening on http://{}", server.address));
    request("GET", "/healthz").send(server.address).await.expect(200);
    let of_sqlite = if on_postgres() { &[][..] } else { &["test.db", "test.db-wal"] };
    for name in of_sqlite.iter().chain(&["test.db.keys"]) {
        let mode = folder.path().join(name).metadata().unwrap().permissions().mode() & 0o777;
        assert_eq!(mode, 0o600, "{name}");
    }
}

#[tokio::test]
async fn with_no_flags_it_lives_in_the_state_folder() {
    let folder = room();
    let output = program().args(["sessions"]).env("XDG_STATE_HOME", folder.path()).output().await.unwrap();
    expect_trouble(&output, "everkey-server/everkey.db");
    let output = program().args(["sessions"]).env_clear().output().await.unwrap();
    expect_trouble(&output, "neither XDG_STATE_HOME nor HOME");

    let mut child = program()
        .args(["serve", "--listen", "127.0.0.1:0"])
        .env("XDG_STATE_HOME", folder.path())
        .stdout(std::process::Stdio::null())
        .stderr(std::process::Stdio::null())
        .spawn()
        .unwrap();
    let made = folder.path().join("everkey-server");
    until("its files", || made.join("everkey.db.keys").exists()).await;
    assert_eq!(made.metadata().unwrap().permissions().mode() & 0o777, 0o700);
    signal(&child, "TERM").await;
    assert_eq!(tokio::time::timeout(PATIENCE, child.wait()).await.unwrap().unwrap().code(), Some(0));
}

#[tokio::test]
async fn a_keys_file_that_others_may_read_is_refused() {
    let folder = room();
    drop(serve(folder.path(), &[]).await);
    let keys = folder.path().join("test.db.keys");
    let before = std::fs::read(&keys).unwrap();
    for mode in [0o644, 0o640, 0o604, 0o660] {
        std::fs::set_permissions(&keys, PermissionsExt::from_mode(mode)).unwrap();
        let output = serve_in_vain(folder.path()).await;
        expect_trouble(&output, &format!("{mode:04o}"));
    }
    assert_eq!(std::fs::read(&keys).unwrap(), before);
}

#[tokio::test]
async fn a_keys_file_of_another_user_is_refused() {
    if !rustix::process::geteuid().is_root() {
        return skipped("a_keys_file_of_another_user_is_refused", "only root may give a file away");
    }
    let folder = room();
    drop(serve(folder.path(), &[]).await);
    std::os::unix::fs::chown(folder.path().join("test.db.keys"), Some(54_321), None).unwrap();
    let output = serve_in_vain(folder.path()).await;
    expect_trouble(&output, "belongs to user 54321");
}

#[tokio::test]
async fn lost_keys_are_not_replaced_unasked() {
    let folder = room();
    let server = serve(folder.path(), &[]).await;
    let store = everkey_server::db::Database::open(&database(folder.path()).parse().unwrap()).await.unwrap();
    let email = everkey_server::rules::email::Email::parse("ada@example.com").unwrap();
    let mut tx = store.begin().await.unwrap();
    tx.user_by_email(&email, everkey_server::time::Timestamp::from_secs(1)).await.unwrap();
    tx.commit().await.unwrap();
    store.close().await;
    drop(server);
    let keys = folder.path().join("test.db.keys");
    std::fs::remove_file(&keys).unwrap();
    let output = serve_in_vain(folder.path()).await;
    expect_trouble(&output, "test.db.keys is gone");
    assert!(!keys.exists());
    drop(serve(folder.path(), &["--new-keys"]).await);
    assert!(keys.exists());
}

#[tokio::test]
async fn keys_can_live_elsewhere() {
    let folder = room();
    let keys = folder.path().join("elsewhere.keys");
    let _server = serve(folder.path(), &["--keys", keys.to_str().unwrap()]).await;
    assert!(keys.exists() && !folder.path().join("test.db.keys").exists());
}

#[tokio::test]
async fn a_taken_port_touches_no_file() {
    let taken = std::net::TcpListener::bind("127.0.0.1:0").unwrap();
    let folder = room();
    let address = taken.local_addr().unwrap().to_string();
    let output = run(&["serve", "--listen", &address, "--database", &database(folder.path())]).await;
    expect_trouble(&output, &address);
    assert_eq!(folder.path().read_dir().unwrap().count(), 0);
}

#[tokio::test]
async fn what_is_no_database_is_refused_and_left_alone() {
    if on_postgres() {
        return not_on_this_database("what_is_no_database_is_refused_and_left_alone", "SQLite");
    }
    let folder = room();
    let path = folder.path().join("test.db");
    let garbage = b"this is somebody's letter, not a database. ".repeat(100);
    std::fs::write(&path, &garbage).unwrap();
    for arguments in [&["serve", "--listen", "127.0.0.1:0"][..], &["sessions"], &["events"]] {
        let database = database(folder.path());
        let arguments: Vec<&str> = arguments.iter().copied().chain(["--database", &database]).collect();
        expect_trouble(&run(&arguments).await, "test.db");
    }
    assert_eq!(std::fs::read(&path).unwrap(), garbage);
    assert!(!folder.path().join("test.db.keys").exists());
}

#[tokio::test]
async fn listings_make_and_change_nothing() {
    let folder = room();
    let path = folder.path().join("test.db");
    let empty = empty_database(folder.path());
    if !on_postgres() {
        expect_trouble(&run(&["events", "--database", &empty]).await, "there is no database");
        assert!(!path.exists());
        std::fs::write(&path, "").unwrap();
    }
    let absent = if on_postgres() { "does not exist" } else { "no such table" };
    expect_trouble(&run(&["sessions", "--database", &empty]).await, absent);
    drop(serve(folder.path(), &[]).await);
    for listing in ["sessions", "events"] {
        let output = run(&[listing, "--database", &database(folder.path())]).await;
        assert_eq!((output.status.code(), output.stdout.len()), (Some(0), 0), "{output:?}");
    }
}

#[tokio::test]
async fn a_limits_file_relaxes_and_a_wrong_one_is_explained() {
    let folder = room();
    let limits = folder.path().join("limits.toml");
    let arguments = |path: &str| ["--limits".to_owned(), path.to_owned()];
    std::fs::write(&limits, "code_cooldown = \"0s\"\ncodes_per_email = { max = 2, window = \"1h\" }\n")
        .unwrap();
    let [flag, path] = arguments(limits.to_str().unwrap());
    let server = serve(folder.path(), &[&flag, &path]).await;
    let ask = request("POST", "/v0/auth/login/request").json(&json!({ "email": "ada@example.com" }));
    for expected in [200, 200, 429] {
        ask.send(server.address).await.expect(expected);
    }
    for (content, what) in
        [("codes_per_mail = 3", "codes_per_mail"), ("code_ttl = 600", "invalid type"), ("=", "")]
    {
        std::fs::write(&limits, content).unwrap();
        expect_trouble(&run(&["serve", "--limits", &path]).await, what);
    }
    expect_trouble(&run(&["serve", "--limits", "/nowhere/limits.toml"]).await, "/nowhere/limits.toml");
}

#[tokio::test]
async fn a_proxy_is_trusted_by_flag_only() {
    for (flags, expected) in [(&["--trusted-proxy", "127.0.0.0/8"][..], 200), (&[], 429)] {
        let folder = room();
        let limits = folder.path().join("limits.toml");
        std::fs::write(&limits, "codes_per_ip = { max = 1, window = \"1h\" }").unwrap();
        let flags: Vec<&str> = ["--limits", limits.to_str().unwrap()].iter().chain(flags).copied().collect();
        let server = serve(folder.path(), &flags).await;
        for (n, expected) in [(1, 200), (2, expected)] {
            request("POST", "/v0/auth/login/request")
                .header("x-forwarded-for", &format!("198.51.100.{n}"))
                .json(&json!({ "email": format!("user{n}@example.com") }))
                .send(server.address)
                .await
                .expect(expected);
        }
    }
}

#[tokio::test]
async fn mail_to_the_terminal_is_printed_on_stderr() {
    let folder = room();
    let server = serve_mailing(folder.path(), "terminal", &[]).await;
    let ask = request("POST", "/v0/auth/login/request").json(&json!({ "email": "ada@example.com" }));
    ask.send(server.address).await.expect(200);
    until("the mail", || log_of(folder.path()).contains("It works once")).await;
    let body = json!({ "email": "ada@example.com", "code": code_in(&log_of(folder.path())) });
    request("POST", "/v0/auth/login/verify").json(&body).send(server.address).await.expect(200);
}

#[tokio::test]
async fn strict_mode_and_lifetimes_come_from_flags() {
    let folder = room();
    let flags =
        ["--retry", "strict", "--access-ttl", "90m", "--refresh-ttl", "7d", "--issuer", "https://x.example"];
    let server = serve(folder.path(), &flags).await;
    request("POST", "/v0/auth/login/request")
        .json(&json!({ "email": "ada@example.com" }))
        .send(server.address)
        .await
        .expect(200);
    let mut mail = String::new();
    until("the mail", || newest_mail(folder.path()).inspect(|newest| mail.clone_from(newest)).is_some())
        .await;
    let code = code_in(&mail);
    let body = json!({ "email": "ada@example.com", "code": code });
    let answer = request("POST", "/v0/auth/login/verify").json(&body).send(server.address).await.json();
    assert_eq!(answer["refresh_retry"]["until"], "probe");
    assert_eq!(
        (&answer["access_expires_in"], &answer["refresh_expires_in"]),
        (&json!(5400), &json!(604_800))
    );
}

#[tokio::test]
async fn wrong_flags_are_usage_errors() {
    for (arguments, hint) in [
        (&["serve", "--frobnicate"][..], "--frobnicate"),
        (&["serve", "--access-ttl", "soon"], "not a time span"),
        (&["serve", "--access-ttl", "0s"], "at least 1s"),
        (&["serve", "--database", "sqlite::memory:"], "memory"),
        (&["serve", "--mail", "pigeon"], "dir:PATH"),
        (&["serve", "--retry", "sometimes"], "rr1"),
        (&["serve", "--trusted-proxy", "everyone"], "everyone"),
        (&["dance"], "dance"),
        (&[], "Usage"),
    ] {
        let output = run(arguments).await;
        assert_eq!(output.status.code(), Some(2), "{arguments:?}");
        assert!(err(&output).contains(hint), "{}", err(&output));
    }
    for arguments in [&["--help"][..], &["serve", "--help"], &["sessions", "--help"], &["--version"]] {
        assert_eq!(run(arguments).await.status.code(), Some(0));
    }
}
