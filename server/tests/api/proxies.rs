//! X-Forwarded-For is believed from trusted proxies only.

use std::time::Duration;

use everkey_server::limits::Limits;
use everkey_server::rules::rate::Limit;
use serde_json::json;

use crate::kit::server::{Options, Server, no_limits, start};
use crate::kit::wire::request;

fn two_per_address(trusted: Vec<&'static str>) -> Options {
    let limit = Limit { max: 2, window: Duration::from_secs(900) };
    Options { limits: Limits { codes_per_ip: limit, ..no_limits() }, trusted, ..Options::default() }
}

async fn ask_from(server: &Server, forwarded: &str) -> u16 {
    request("POST", "/v0/auth/login/request")
        .header("x-forwarded-for", forwarded)
        .json(&json!({ "email": "ada@example.com" }))
        .send(server.address)
        .await
        .status
}

#[tokio::test]
async fn without_a_trusted_proxy_the_header_is_ignored() {
    let server = start(two_per_address(Vec::new())).await;
    let mut statuses = Vec::new();
    for n in 1..=4 {
        statuses.push(ask_from(&server, &format!("198.51.100.{n}")).await);
    }
    assert_eq!(statuses, [200, 200, 429, 429]);
}

#[tokio::test]
async fn behind_a_trusted_proxy_each_client_counts_for_itself() {
    let server = start(two_per_address(vec!["127.0.0.0/8"])).await;
    for n in 1..=4 {
        for expected in [200, 200, 429] {
            assert_eq!(ask_from(&server, &format!("198.51.100.{n}")).await, expected);
        }
    }
    let lies = ["203.0.113.1, 198.51.100.1", "198.51.100.77, 198.51.100.1", "::1, 198.51.100.1"];
    for lie in lies {
        assert_eq!(ask_from(&server, lie).await, 429, "what the client wrote before its own address: {lie}");
    }
}

#[tokio::test]
async fn ipv6_clients_count_by_their_64() {
    let server = start(two_per_address(vec!["127.0.0.1/32"])).await;
    let mut statuses = Vec::new();
    for address in ["2001:db8::1", "2001:db8::2", "2001:db8::ffff:3", "2001:db8:0:1::1"] {
        statuses.push(ask_from(&server, address).await);
    }
    assert_eq!(statuses, [200, 200, 429, 200]);
}
