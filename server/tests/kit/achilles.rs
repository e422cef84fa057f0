//! achilles' routes as its CLI uses them.

use serde_json::{Value, json};

use crate::kit::browser::Browser;
use crate::kit::server::Server;
use crate::kit::wire::{Answer, request};

pub const CODE: &str = "/api/cli/auth/device-code";

pub const POLL: &str = "/api/cli/auth/poll";

pub const REFRESH: &str = "/api/cli/auth/refresh";

pub const ME: &str = "/api/cli/auth/me";

pub const METRICS: &str = "/api/agent/admin/metrics";

/// The codes of a new sign-in: the device's and the person's.
pub async fn begin(server: &Server) -> (String, String) {
    let answer = request("POST", CODE).send(server.address).await;
    answer.expect(200);
    let data = answer.json()["data"].clone();
    (data["device_code"].as_str().unwrap().to_owned(), data["user_code"].as_str().unwrap().to_owned())
}

pub fn poll(server: &Server, device_code: &str) -> impl Future<Output = Answer> + Send + 'static {
    let (address, body) = (server.address, json!({ "device_code": device_code }));
    async move { request("POST", POLL).json(&body).send(address).await }
}

/// Checks an error in achilles' shape.
#[track_caller]
pub fn expect_failure(answer: &Answer, status: u16) -> String {
    answer.expect(status);
    let body = answer.json();
    assert_eq!((&body["success"], body.get("data")), (&json!(false), None), "{answer:?}");
    body["error"].as_str().unwrap().to_owned()
}

/// Signs the CLI in; the browser is ada's.
pub async fn cli(server: &Server, browser: &mut Browser) -> Value {
    let (device_code, user_code) = begin(server).await;
    browser.decide(server, &user_code, "approve").await;
    let answer = poll(server, &device_code).await;
    answer.expect(200);
    answer.json()["data"].clone()
}

pub fn refresh(
    server: &Server,
    token: &str,
    key: Option<u8>,
) -> impl Future<Output = Answer> + Send + 'static {
    let mut ask = request("POST", REFRESH).json(&json!({ "refresh_token": token }));
    if let Some(key) = key {
        ask = ask.header("idempotency-key", &format!("{key:02x}").repeat(32));
    }
    let address = server.address;
    async move { ask.send(address).await }
}

/// The claims of an access token.
pub fn claims(token: &str) -> Value {
    use base64::Engine as _;
    let middle = token.split('.').nth(1).unwrap();
    let bytes = base64::engine::general_purpose::URL_SAFE_NO_PAD.decode(middle).unwrap();
    serde_json::from_slice(&bytes).unwrap()
}
