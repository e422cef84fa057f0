//! Metrics: on a listener of their own, right, and with labels that no request can make up.

use std::net::SocketAddr;
use std::path::Path;

use serde_json::json;

use crate::kit::metrics::{metrics_address, samples};
use crate::kit::program::{Running, expect_trouble, run, serve, sign_in, stores};
use crate::kit::room::{on_postgres, room};
use crate::kit::wire::{Answer, PATIENCE, request, send_raw};

async fn measured(folder: &Path) -> (Running, SocketAddr) {
    let server = serve(folder, &["--metrics", "127.0.0.1:0"]).await;
    (server, metrics_address(folder))
}

async fn refresh(server: &Running, token: &str, key: &str) -> Answer {
    request("POST", "/v0/auth/token/refresh")
        .header("idempotency-key", &key.repeat(43))
        .json(&json!({ "refresh_token": token }))
        .send(server.address)
        .await
}

#[tokio::test]
async fn sign_ins_and_refreshes_are_counted_by_outcome() {
    let room = room();
    let (server, metrics) = measured(room.path()).await;
    let before = samples(metrics).await;
    let event = |word: &str| format!("everkey_events_total{{event=\"{word}\"}}");
    for word in ["login", "rotated", "repeat_answered", "refused", "replay_revoked_all", "mail_failed"] {
        assert_eq!(before[&event(word)], 0.0, "{word} is there before it happens");
    }
    let (_, token) = sign_in(room.path(), &server).await;
    let next = refresh(&server, &token, "a").await;
    refresh(&server, &token, "a").await.expect(200);
    refresh(&server, &token, "b").await.expect_error(409, "rotation_in_progress");
    let bare = request("POST", "/v0/auth/token/refresh");
    let bare = bare.json(&json!({ "refresh_token": next.text("refresh_token") }));
    bare.send(server.address).await.expect(200);
    bare.send(server.address).await.expect_error(401, "invalid_grant");

    // The code, and the letter about the replay, which nobody waits for.
    let mailed = async {
        while samples(metrics).await["everkey_mails_total{outcome=\"sent\"}"] < 2.0 {
            tokio::time::sleep(std::time::Duration::from_millis(5)).await;
        }
    };
    tokio::time::timeout(PATIENCE, mailed).await.unwrap();
    let after = samples(metrics).await;
    for (word, count) in [
        ("code_sent", 1.0),
        ("login", 1.0),
        ("rotated", 2.0),
        ("repeat_answered", 1.0),
        ("refused", 1.0),
        ("replay_revoked_all", 1.0),
    ] {
        assert_eq!(after[&event(word)], count, "{word}: {after:?}");
    }
    assert_eq!(after["everkey_mails_total{outcome=\"sent\"}"], 2.0);
    assert_eq!(after["everkey_mail_queue"], 0.0);
    assert_eq!(after["everkey_keys"], 1.0);
    assert!(after["everkey_key_age_seconds"] < 600.0);
    assert_eq!(after[&format!("everkey_build_info{{version=\"{}\"}}", env!("CARGO_PKG_VERSION"))], 1.0);
    // A connection goes back to the pool a moment after the answer.
    let open: f64 = ["busy", "idle"]
        .map(|state| after[&format!("everkey_database_connections{{state=\"{state}\"}}")])
        .iter()
        .sum();
    assert!((1.0..=10.0).contains(&open), "{open}");
    let route = "/v0/auth/token/refresh";
    let refreshes = |status| {
        let labels = format!("method=\"POST\",route=\"{route}\",status=\"{status}\"");
        after[&format!("everkey_http_requests_total{{{labels}}}")]
    };
    assert_eq!((refreshes(200), refreshes(409), refreshes(401)), (3.0, 1.0, 1.0));
    let seconds = format!("everkey_http_request_duration_seconds_count{{route=\"{route}\"}}");
    assert_eq!(after[&seconds], 5.0);
}

#[tokio::test]
async fn pauses_and_bursts_count_their_refusals() {
    let room = room();
    let limits = room.path().join("limits.toml");
    std::fs::write(&limits, "rotations_per_session = { max = 1, window = \"1h\" }").unwrap();
    let flags = ["--metrics", "127.0.0.1:0", "--limits", limits.to_str().unwrap()];
    let server = serve(room.path(), &flags).await;
    let metrics = metrics_address(room.path());
    let (_, token) = sign_in(room.path(), &server).await;
    let ask = request("POST", "/v0/auth/login/request").json(&json!({ "email": "ada@example.com" }));
    ask.send(server.address).await.expect_error(429, "rate_limited");
    let next = refresh(&server, &token, "a").await.expect(200).text("refresh_token");
    refresh(&server, &next, "b").await.expect_error(429, "rate_limited");
    let after = samples(metrics).await;
    for limit in ["code_cooldown", "rotations_per_session"] {
        assert_eq!(after[&format!("everkey_limit_refusals_total{{limit=\"{limit}\"}}")], 1.0, "{limit}");
    }
}

#[tokio::test]
async fn hostile_paths_and_methods_make_no_labels() {
    let room = room();
    let (server, metrics) = measured(room.path()).await;
    request("GET", "/nowhere").send(server.address).await.expect(404);
    request("BREW", "/healthz").send(server.address).await.expect(405);
    let before: Vec<String> = samples(metrics).await.into_keys().collect();
    for n in 0..50 {
        request("GET", &format!("/nowhere/{n}")).send(server.address).await.expect(404);
        request("GET", &format!("/healthz?{n}=%0A%22")).send(server.address).await;
        request("GET", &format!("/v0/auth/me/%22%7D%0Aeverkey_x{n}%201"))
            .send(server.address)
            .await
            .expect(404);
        request(&format!("BREW{n}"), "/healthz").send(server.address).await.expect(405);
        send_raw(server.address, format!("GET /\u{7f}{n} HTTP/1.1\r\n\r\n").as_bytes()).await;
    }
    request("GET", "/s/canary-token-in-a-path").send(server.address).await;
    let after = samples(metrics).await;
    let text = format!("{after:?}");
    assert!(!text.contains("canary") && !text.contains("everkey_x") && !text.contains("BREW"), "{text}");
    let new: Vec<&String> = after.keys().filter(|key| !before.contains(key)).collect();
    let allowed = |key: &str| key.contains("route=\"/healthz\"") || key.contains("route=\"/s/{token}\"");
    assert!(new.iter().all(|key| allowed(key)), "{new:?}");
    assert_eq!(after["everkey_http_requests_total{method=\"GET\",route=\"none\",status=\"404\"}"], 101.0);
}

#[tokio::test]
async fn a_limited_request_counts_as_such() {
    let room = room();
    let (server, metrics) = measured(room.path()).await;
    let ask = request("POST", "/v0/auth/login/request").json(&json!({ "email": "ada@example.com" }));
    ask.send(server.address).await.expect(200);
    ask.send(server.address).await.expect(429);
    assert_eq!(samples(metrics).await["everkey_rate_limited_total"], 1.0);
}

#[tokio::test]
async fn metrics_have_a_port_of_their_own() {
    let room = room();
    let (server, metrics) = measured(room.path()).await;
    request("GET", "/metrics").send(server.address).await.expect_error(404, "not_found");
    for path in ["/", "/healthz", "/v0/auth/me"] {
        assert_eq!(request("GET", path).send(metrics).await.status, 404);
    }
    let listen = server.address.to_string();
    let stores = stores(room.path());
    let mut words = vec!["serve", "--listen", "127.0.0.1:0", "--metrics", &listen];
    words.extend(stores.iter().map(String::as_str));
    expect_trouble(&run(&words).await, &listen);
}

#[tokio::test(flavor = "multi_thread")]
async fn transactions_that_met_are_counted() {
    let room = room();
    let (server, metrics) = measured(room.path()).await;
    let tasks: Vec<_> = (0..40)
        .map(|n| {
            let ask = request("POST", "/v0/auth/login/request");
            let ask = ask.json(&json!({ "email": format!("user{n}@example.com") }));
            let address = server.address;
            tokio::spawn(async move { ask.send(address).await.status })
        })
        .collect();
    let mut statuses = Vec::new();
    for task in tasks {
        statuses.push(task.await.unwrap());
    }
    assert_eq!(statuses.iter().filter(|status| **status == 200).count(), 20, "{statuses:?}");
    assert_eq!(statuses.iter().filter(|status| **status == 429).count(), 20, "{statuses:?}");
    let samples = samples(metrics).await;
    assert_eq!(samples["everkey_database_retries_total"] > 0.0, on_postgres());
    assert_eq!(samples["everkey_database_retries_in_vain_total"], 0.0);
}
