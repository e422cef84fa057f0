//! What the operator does from the command line, beside running servers: accounts, sessions, schema.

use serde_json::{Value, json};

use crate::kit::program::{database, expect_trouble, program, rows, run, serve, sign_in, stores};
use crate::kit::room::{Room, empty_database, room};
use crate::kit::wire::request;

/// Runs a command on the test's database with --json and returns the rows it printed.
async fn command(room: &Room, words: &[&str]) -> Vec<Value> {
    let database = database(room.path());
    let words: Vec<&str> = words.iter().copied().chain(["--database", &database, "--json"]).collect();
    let output = run(&words).await;
    assert!(output.status.success() && output.stderr.is_empty(), "{words:?}: {output:?}");
    let text = String::from_utf8(output.stdout).unwrap();
    text.lines().map(|line| serde_json::from_str(line).unwrap()).collect()
}

async fn operator_changes(room: &Room) -> Vec<String> {
    let events = rows(room.path(), "events").await;
    let changes = events.iter().filter(|row| row["event"] == "operator_changed");
    changes.map(|row| row["detail"].as_str().unwrap().to_owned()).collect()
}

const ADA: &str = "ada@example.com";

#[tokio::test]
async fn a_disabled_account_loses_its_sessions_for_good() {
    let room = room();
    let server = serve(room.path(), &[]).await;
    let (access, refresh) = sign_in(room.path(), &server).await;
    let me = request("GET", "/v0/auth/me").bearer(&access);
    me.send(server.address).await.expect(200);

    let disabled = command(&room, &["users", "disable", ADA]).await;
    assert_eq!((&disabled[0]["status"], &disabled[0]["sessions_ended"]), (&json!("disabled"), &json!(1)));
    me.send(server.address).await.expect_error(401, "unauthorized");
    let enabled = command(&room, &["users", "enable", "ADA@example.com"]).await;
    assert_eq!((&enabled[0]["status"], &enabled[0]["sessions_ended"]), (&json!("active"), &json!(0)));
    me.send(server.address).await.expect_error(401, "unauthorized");
    let rotate = request("POST", "/v0/auth/token/refresh").json(&json!({ "refresh_token": refresh }));
    rotate.send(server.address).await.expect_error(401, "invalid_grant");
    assert_eq!(operator_changes(&room).await, ["status disabled", "status active"]);
}

#[tokio::test]
async fn the_operator_ends_one_session_or_all() {
    let room = room();
    let server = serve(room.path(), &["--limits", relaxed(&room).to_str().unwrap()]).await;
    let (first, _) = sign_in(room.path(), &server).await;
    let (second, _) = sign_in(room.path(), &server).await;
    let me = |token: &str| request("GET", "/v0/auth/me").bearer(token);
    let ids: Vec<String> = rows(room.path(), "sessions")
        .await
        .iter()
        .map(|row| row["session_id"].as_str().unwrap().to_owned())
        .collect();

    assert_eq!(command(&room, &["sessions", "end", &ids[0]]).await[0]["ended"], true);
    assert_eq!(command(&room, &["sessions", "end", &ids[0]]).await[0]["ended"], false);
    let of_both = [me(&first).send(server.address).await, me(&second).send(server.address).await];
    let mut statuses = of_both.map(|answer| answer.status);
    statuses.sort_unstable();
    assert_eq!(statuses, [200, 401]);
    let shown = command(&room, &["users", "show", ADA]).await;
    assert_eq!((shown.len(), &shown[1]["session_id"]), (2, &json!(ids[1])));

    assert_eq!(command(&room, &["users", "sign-out", ADA]).await[0]["sessions_ended"], 1);
    me(&first).send(server.address).await.expect_error(401, "unauthorized");
    me(&second).send(server.address).await.expect_error(401, "unauthorized");
    sign_in(room.path(), &server).await;
    assert_eq!(operator_changes(&room).await, ["session ended", "signed out"]);
}

#[tokio::test]
async fn sign_out_ends_access_tokens_only_if_asked() {
    let room = room();
    let server = serve(room.path(), &["--limits", relaxed(&room).to_str().unwrap()]).await;
    let (access, _) = sign_in(room.path(), &server).await;
    let made = request("POST", "/api/v1/tokens").bearer(&access).json(&json!({})).send(server.address).await;
    made.expect(201);
    let me = request("GET", "/api/v1/auth/me").bearer(&made.text("token"));
    let out = command(&room, &["users", "sign-out", ADA]).await;
    assert_eq!((&out[0]["sessions_ended"], &out[0]["tokens_revoked"]), (&json!(1), &json!(0)));
    me.send(server.address).await.expect(200);
    command(&room, &["users", "disable", ADA]).await;
    me.send(server.address).await.expect(401);
    command(&room, &["users", "enable", ADA]).await;
    me.send(server.address).await.expect(200);
    sign_in(room.path(), &server).await;
    let out = command(&room, &["users", "sign-out", ADA, "--tokens"]).await;
    assert_eq!((&out[0]["sessions_ended"], &out[0]["tokens_revoked"]), (&json!(1), &json!(1)));
    me.send(server.address).await.expect(401);
    assert_eq!(command(&room, &["users", "sign-out", ADA, "--tokens"]).await[0]["tokens_revoked"], 0);
    let changes = operator_changes(&room).await;
    assert_eq!(changes.last().unwrap(), "signed out, tokens revoked");
}

fn relaxed(room: &Room) -> std::path::PathBuf {
    let limits = room.path().join("limits.toml");
    std::fs::write(&limits, "code_cooldown = \"0s\"").unwrap();
    limits
}

#[tokio::test]
async fn plans_and_platform_roles_are_set_and_listed() {
    let room = room();
    let server = serve(room.path(), &[]).await;
    sign_in(room.path(), &server).await;
    assert_eq!(command(&room, &["users", "set-plan", ADA, "team-2"]).await[0]["plan"], "team-2");
    let role = command(&room, &["users", "set-platform-role", ADA, "admin"]).await;
    assert_eq!(role[0]["platform_role"], "admin");
    let all = command(&room, &["users", "list"]).await;
    assert_eq!((all.len(), &all[0]["plan"], &all[0]["user"]), (1, &json!("team-2"), &json!(ADA)));
    assert_eq!(operator_changes(&room).await, ["plan team-2", "platform role admin"]);

    let database = database(room.path());
    for (words, code) in [
        (&["users", "set-plan", ADA, "Team 2"][..], 2),
        (&["users", "set-platform-role", ADA, "king"], 2),
        (&["users", "disable", "not an address"], 2),
        (&["users", "disable", "bob@example.com"], 1),
        (&["users", "show", "bob@example.com"], 1),
        (&["sessions", "end", "nobody"], 1),
    ] {
        let words: Vec<&str> = words.iter().copied().chain(["--database", &database]).collect();
        assert_eq!(run(&words).await.status.code(), Some(code), "{words:?}");
    }
    assert_eq!(operator_changes(&room).await.len(), 2, "what failed is not in the audit");
}

#[tokio::test]
async fn migrate_reports_and_serve_can_leave_it_out() {
    let room = room();
    let database = empty_database(room.path());
    if !crate::kit::room::on_postgres() {
        std::fs::write(room.path().join("test.db"), "").unwrap();
    }
    let stores = stores(room.path());
    let mut words = vec!["serve", "--listen", "127.0.0.1:0", "--no-migrate"];
    words.extend(stores.iter().map(String::as_str));
    expect_trouble(&run(&words).await, "is not ready: its schema lacks");
    expect_trouble(&run(&["users", "list", "--database", &database]).await, "its schema lacks");
    assert!(!room.path().join("test.db.keys").exists());

    let taken = command(&room, &["migrate"]).await;
    assert_eq!(taken[0]["migrations"][0], 1);
    assert_eq!(command(&room, &["migrate"]).await, [json!({ "migrations": [] })]);
    let server = serve(room.path(), &["--no-migrate"]).await;
    request("GET", "/healthz").send(server.address).await.expect(200);
}

#[tokio::test]
async fn a_password_in_the_database_address_is_never_shown() {
    for address in [
        "postgres://me:hunter2@127.0.0.1:1/everkey",
        "postgres://me:hunter2@127.0.0.1:port/everkey",
        "postgres://me@127.0.0.1:1/everkey?password=hunter2",
        "postgres://me@127.0.0.1:1/everkey?password=hunter2&sslmode=perhaps",
        "mysql://me:hunter2@127.0.0.1:1/everkey",
    ] {
        for words in [
            &["serve", "--listen", "127.0.0.1:0", "--keys", "/nowhere/keys"][..],
            &["sessions"],
            &["users", "list"],
            &["migrate"],
            &["backup", "/tmp/never-made"],
        ] {
            let output = program()
                .args(words)
                .env("EVERKEY_SERVER_DATABASE", address)
                .env("EVERKEY_LOG", "trace,sqlx=trace")
                .output()
                .await
                .unwrap();
            let said = String::from_utf8([output.stdout, output.stderr].concat()).unwrap();
            assert!(!output.status.success() && !said.contains("hunter2"), "{words:?}: {said}");
            assert!(!said.contains("panicked"), "{said}");
        }
    }
}

#[tokio::test]
async fn a_resource_server_introspects_because_the_operator_lets_it() {
    let room = room();
    let server = serve(room.path(), &[]).await;
    let register = async |method: &str| {
        let metadata =
            json!({ "redirect_uris": ["https://a.example/cb"], "token_endpoint_auth_method": method });
        let answer = request("POST", "/register").json(&metadata).send(server.address).await;
        answer.expect(201);
        answer.text("client_id")
    };
    let (secret, public) = (register("client_secret_post").await, register("none").await);
    let listed = command(&room, &["clients", "list"]).await;
    assert_eq!((listed.len(), &listed[0]["introspects"]), (2, &json!(false)));
    assert!(listed[0].get("secret_hash").is_none());
    assert_eq!(command(&room, &["clients", "allow-introspection", &secret]).await[0]["introspects"], true);
    assert_eq!(command(&room, &["clients", "forbid-introspection", &secret]).await[0]["introspects"], false);
    let database = database(room.path());
    for nobody in [public.as_str(), "nobody"] {
        let output = run(&["clients", "allow-introspection", nobody, "--database", &database]).await;
        expect_trouble(&output, "there is no client");
    }
    assert_eq!(operator_changes(&room).await.len(), 2);
}
