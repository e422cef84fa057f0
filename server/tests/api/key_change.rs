//! Changing the server's keys under running servers.

use std::path::Path;

use serde_json::{Value, json};

use crate::kit::program::{Running, newest_mail, run, serve, sign_in, signal};
use crate::kit::room::room;
use crate::kit::server::{code_in, until};
use crate::kit::wire::request;

fn keys_of(folder: &Path) -> String {
    folder.join("test.db.keys").display().to_string()
}

async fn rotate(folder: &Path, more: &[&str]) {
    let keys = keys_of(folder);
    let words: Vec<&str> = ["keys", "rotate", "--keys", &keys].iter().chain(more).copied().collect();
    let output = run(&words).await;
    assert!(output.status.success(), "{output:?}");
}

/// The ids that `keys list` shows, the current one first.
async fn ids(folder: &Path) -> Vec<String> {
    let output = run(&["keys", "list", "--json", "--keys", &keys_of(folder)]).await;
    let text = String::from_utf8(output.stdout).unwrap();
    let rows = text.lines().map(|line| serde_json::from_str::<Value>(line).unwrap());
    rows.map(|row| row["id"].as_str().unwrap().to_owned()).collect()
}

/// The key that an access token names.
fn kid(token: &str) -> String {
    use base64::Engine as _;
    let head = token.split('.').next().unwrap();
    let head = base64::engine::general_purpose::URL_SAFE_NO_PAD.decode(head).unwrap();
    serde_json::from_slice::<Value>(&head).unwrap()["kid"].as_str().unwrap().to_owned()
}

fn refresh(token: &str) -> crate::kit::wire::Request {
    request("POST", "/v0/auth/token/refresh")
        .header("idempotency-key", &"k".repeat(43))
        .json(&json!({ "refresh_token": token }))
}

/// Has a server look at its keys file now.
async fn hang_up(server: &Running) {
    signal(&server.child, "HUP").await;
}

#[tokio::test(flavor = "multi_thread")]
async fn new_keys_of_one_server_are_known_to_the_other() {
    let room = room();
    let servers = [serve(room.path(), &[]).await, serve(room.path(), &[]).await];
    let (old_access, mut token) = sign_in(room.path(), &servers[0]).await;
    let before = ids(room.path()).await;
    assert_eq!(before, [kid(&old_access)]);

    for round in 0..3 {
        rotate(room.path(), &[]).await;
        let new = ids(room.path()).await[0].clone();
        // One of the two is told; the other one has to find out by the token.
        let (told, other) = (&servers[round % 2], &servers[1 - round % 2]);
        hang_up(told).await;
        let mut answer = refresh(&token).send(told.address).await;
        answer.expect(200);
        while kid(&answer.text("access_token")) != new {
            answer = refresh(&token).send(told.address).await;
        }
        let access = answer.text("access_token");
        request("GET", "/v0/auth/me").bearer(&access).send(other.address).await.expect(200);
        request("GET", "/v0/auth/me").bearer(&old_access).send(other.address).await.expect(200);
        token = answer.text("refresh_token");
    }
    assert_eq!(ids(room.path()).await.len(), 4);
}

#[tokio::test(flavor = "multi_thread")]
async fn what_old_keys_made_counts_after_a_rotation() {
    let room = room();
    let limits = room.path().join("limits.toml");
    std::fs::write(&limits, "code_cooldown = \"0s\"").unwrap();
    let flags = ["--limits", limits.to_str().unwrap()];
    let servers = [serve(room.path(), &flags).await, serve(room.path(), &flags).await];
    let (_, token) = sign_in(room.path(), &servers[0]).await;
    let first = refresh(&token).send(servers[0].address).await;
    first.expect(200);
    let before = newest_mail(room.path());
    let ask = request("POST", "/v0/auth/login/request").json(&json!({ "email": "ada@example.com" }));
    ask.send(servers[0].address).await.expect(200);
    until("the second mail", || newest_mail(room.path()) != before).await;
    let code = code_in(&newest_mail(room.path()).unwrap());

    rotate(room.path(), &[]).await;
    hang_up(&servers[1]).await;
    let again = refresh(&token).send(servers[1].address).await;
    again.expect(200);
    assert_eq!(again.text("refresh_token"), first.text("refresh_token"));
    let body = json!({ "email": "ada@example.com", "code": code });
    request("POST", "/v0/auth/login/verify").json(&body).send(servers[1].address).await.expect(200);
}

#[tokio::test]
async fn a_server_takes_new_keys_up_by_itself() {
    let room = room();
    let server = serve(room.path(), &[]).await;
    let (_, token) = sign_in(room.path(), &server).await;
    rotate(room.path(), &[]).await;
    let new = ids(room.path()).await[0].clone();
    let taken_up = async {
        while kid(&refresh(&token).send(server.address).await.expect(200).text("access_token")) != new {}
    };
    tokio::time::timeout(crate::kit::wire::PATIENCE, taken_up).await.expect("it went on with its old keys");
}

#[tokio::test]
async fn keys_are_dropped_once_nothing_can_need_them() {
    let room = room();
    let server = serve(room.path(), &[]).await;
    let (access, _) = sign_in(room.path(), &server).await;
    drop(server);
    rotate(room.path(), &[]).await;
    assert_eq!(ids(room.path()).await.len(), 2);
    // Moments in the file are whole seconds, so the first set was replaced more than a second ago only now.
    let past = format!("{}", std::time::UNIX_EPOCH.elapsed().unwrap().as_secs());
    until("the next second", || past != format!("{}", std::time::UNIX_EPOCH.elapsed().unwrap().as_secs()))
        .await;
    let past = std::time::UNIX_EPOCH.elapsed().unwrap().as_secs();
    until("the one after it", || past != std::time::UNIX_EPOCH.elapsed().unwrap().as_secs()).await;
    rotate(room.path(), &["--refresh-ttl", "1s"]).await;
    let left = ids(room.path()).await;
    assert_eq!(left.len(), 2, "the current and the one it replaced");
    assert!(!left.contains(&kid(&access)));
    let server = serve(room.path(), &[]).await;
    request("GET", "/v0/auth/me")
        .bearer(&access)
        .send(server.address)
        .await
        .expect_error(401, "unauthorized");
}

#[tokio::test]
async fn many_rotations_at_once_lose_no_key() {
    let room = room();
    drop(serve(room.path(), &[]).await);
    let path = room.path();
    tokio::join!(rotate(path, &[]), rotate(path, &[]), rotate(path, &[]), rotate(path, &[]));
    let mut all = ids(path).await;
    assert_eq!(all.len(), 5);
    all.sort();
    all.dedup();
    assert_eq!(all.len(), 5);
    let names: Vec<_> = path.read_dir().unwrap().map(|entry| entry.unwrap().file_name()).collect();
    assert!(!names.iter().any(|name| name.to_string_lossy().starts_with(".everkey-keys-")), "{names:?}");
}

#[tokio::test]
async fn keys_that_are_not_there_are_not_made_by_rotating() {
    let room = room();
    let output = run(&["keys", "rotate", "--keys", &keys_of(room.path())]).await;
    crate::kit::program::expect_trouble(&output, "there is no keys file");
    assert!(!room.path().join("test.db.keys").exists());
}

#[tokio::test]
async fn an_old_keys_file_gets_a_signing_key() {
    let room = room();
    let path = room.path().join("test.db.keys");
    let key = everkey_server::keys::ServerKey::random(everkey_server::time::Timestamp::from_secs(1)).unwrap();
    let text = |secret: &everkey_server::secret::SecretBytes| secret.to_base64().expose().to_owned();
    let old = json!({
        "v": 1,
        "keys": [{
            "id": key.id, "created_at": 1, "jwt": text(&key.jwt), "pepper": text(&key.pepper), "retry": text(&key.retry),
        }],
    });
    std::fs::write(&path, old.to_string()).unwrap();
    std::fs::set_permissions(&path, std::os::unix::fs::PermissionsExt::from_mode(0o600)).unwrap();
    let server = serve(room.path(), &[]).await;
    let jwks = request("GET", "/jwks").send(server.address).await.json();
    let ids: Vec<_> = jwks["keys"].as_array().unwrap().iter().map(|key| key["kid"].clone()).collect();
    let stored: Value = serde_json::from_str(&std::fs::read_to_string(&path).unwrap()).unwrap();
    assert_eq!((ids.len(), &stored["v"]), (1, &json!(2)));
    assert_eq!((&stored["keys"][0]["id"], &stored["keys"][1]["id"]), (&ids[0], &json!(key.id)));
    assert_eq!(stored["keys"][1]["retry"], old["keys"][0]["retry"]);
}
