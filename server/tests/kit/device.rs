//! What tests of device sign-ins share: a client, its polls, and a person who types the code.

use serde_json::{Value, json};

use crate::kit::browser::{Browser, between, token_in};
use crate::kit::oauth::Client;
use crate::kit::server::Server;
use crate::kit::wire::{Answer, Request, request};

pub const GRANT: &str = "urn:ietf:params:oauth:grant-type:device_code";

impl Server {
    /// A public client that signs in by device code and refreshes.
    pub async fn device_client(&self, name: &str) -> Client {
        self.client(&json!({
            "client_name": name,
            "token_endpoint_auth_method": "none",
            "grant_types": [GRANT, "refresh_token"],
            "response_types": [],
        }))
        .await
    }

    /// Begins a sign-in.
    pub async fn device_codes(&self, client: &Client, scope: &str) -> Value {
        let answer = authorization(client, scope).send(self.address).await;
        answer.expect(200);
        answer.json()
    }

    /// Polls as an OAuth client.
    pub fn device_poll(&self, client: &Client, code: &str) -> impl Future<Output = Answer> + Send + 'static {
        let (address, poll) = (self.address, token_request(client, code));
        async move { poll.send(address).await }
    }
}

pub fn authorization(client: &Client, scope: &str) -> Request {
    let mut fields = vec![("client_id", client.id.as_str()), ("scope", scope)];
    fields.extend(client.secret.as_deref().map(|secret| ("client_secret", secret)));
    request("POST", "/device_authorization").form(&fields)
}

pub fn token_request(client: &Client, code: &str) -> Request {
    let mut fields = vec![("grant_type", GRANT), ("device_code", code), ("client_id", client.id.as_str())];
    fields.extend(client.secret.as_deref().map(|secret| ("client_secret", secret)));
    request("POST", "/token").form(&fields)
}

impl Browser {
    /// Types a user code.
    pub async fn type_code(&mut self, server: &Server, code: &str) -> Answer {
        self.fill(server, "/device", "/device", &[("code", code)]).await
    }

    /// Says `verdict` on the page that a code led to.
    pub async fn say(&mut self, server: &Server, page: &Answer, verdict: &str) -> Answer {
        let (token, grant) = (token_in(page), reference(page));
        let fields = [("csrf", token.as_str()), ("grant", grant.as_str()), ("verdict", verdict)];
        self.post(server, "/device/decision", &fields).await
    }

    /// Types a user code and says `verdict`.
    pub async fn decide(&mut self, server: &Server, code: &str, verdict: &str) {
        let page = self.type_code(server, code).await;
        page.expect(200);
        self.say(server, &page, verdict).await.expect(200);
    }
}

/// What the page of a grant carries to the next step.
#[track_caller]
pub fn reference(page: &Answer) -> String {
    between(&page.body, "name=\"grant\" value=\"", "\"").unwrap_or_else(|| panic!("no grant in {page:?}"))
}

#[track_caller]
pub fn field(value: &Value, name: &str) -> String {
    value[name].as_str().unwrap_or_else(|| panic!("no {name} in {value}")).to_owned()
}

/// Checks an error in OAuth's shape.
#[track_caller]
pub fn expect_oauth(answer: &Answer, status: u16, error: &str) {
    answer.expect(status);
    assert_eq!(answer.text("error"), error, "{answer:?}");
}
