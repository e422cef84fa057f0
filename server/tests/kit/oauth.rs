//! What OAuth tests share: clients, codes, and token requests that are right unless a test spoils them.

use everkey_server::actions::oauth::approve::{self, AuthorizationRequest};
use everkey_server::rules::oauth::pkce::Challenge;
use everkey_server::rules::oauth::scope::Scopes;
use everkey_server::secret::SecretText;
use everkey_server::time::TimeSource as _;
use serde_json::{Value, json};

use crate::kit::server::{Server, SignedIn};
use crate::kit::wire::{Answer, Request, request};

pub const REDIRECT: &str = "https://app.example/cb";
/// RFC 7636, appendix B.
pub const VERIFIER: &str = "dBjftJeZ4CVP-mB92K27uhbUJU1p1r_wW1gFWFOEjXk";
pub const CHALLENGE: &str = "E9Melhoa2OwvFrEMTJguCHaoeK1t8URWbuGJSstw-cM";

/// A registered client.
#[derive(Clone, Debug)]
pub struct Client {
    pub id: String,
    pub secret: Option<String>,
}

pub fn fields<'a>(base: &[(&'a str, &'a str)], change: &[(&'a str, &'a str)]) -> Vec<(&'a str, &'a str)> {
    let kept = base.iter().filter(|(name, _)| !change.iter().any(|(other, _)| other == name));
    kept.chain(change).copied().filter(|(_, value)| *value != "-").collect()
}

impl Server {
    pub async fn register(&self, metadata: &Value) -> Answer {
        self.post("/register", metadata).await
    }

    /// A public client with every grant.
    pub async fn public_client(&self) -> Client {
        self.client(&json!({
            "redirect_uris": [REDIRECT],
            "token_endpoint_auth_method": "none",
            "grant_types": ["authorization_code", "refresh_token"],
            "client_name": "a tool",
        }))
        .await
    }

    /// A confidential client with this method.
    pub async fn secret_client(&self, method: &str) -> Client {
        self.client(&json!({
            "redirect_uris": [REDIRECT],
            "token_endpoint_auth_method": method,
            "grant_types": ["authorization_code", "refresh_token"],
        }))
        .await
    }

    pub async fn client(&self, metadata: &Value) -> Client {
        let answer = self.register(metadata).await;
        answer.expect(201);
        let secret = answer.json()["client_secret"].as_str().map(str::to_owned);
        Client { id: answer.text("client_id"), secret }
    }

    /// A code that `user` allowed the client for this scope, as the consent page makes it.
    pub async fn code(&self, user: &SignedIn, client: &Client, scope: &str) -> String {
        let claims = self.app.access.read(&self.keys, &SecretText::new(user.access.clone())).unwrap();
        let mut tx = self.store.begin().await.unwrap();
        let session = tx.session_for_update(&claims.sid).await.unwrap().unwrap();
        let client = tx.client(&client.id).await.unwrap().unwrap();
        drop(tx);
        let asked = AuthorizationRequest {
            client,
            redirect: REDIRECT.to_owned(),
            challenge: Challenge::parse(CHALLENGE).unwrap(),
            scopes: Scopes::parse(scope).unwrap(),
            nonce: Some("n-0S6_WzA2Mj".to_owned()),
        };
        let code = approve::allow(&self.app, &session, self.clock.now(), &asked).await.unwrap();
        code.expose().to_owned()
    }

    /// Exchanges a code as the client should, but for what `change` says; the value `-` leaves a field out.
    pub async fn exchange(&self, client: &Client, code: &str, change: &[(&str, &str)]) -> Answer {
        exchange(client, code, change).send(self.address).await
    }

    /// Signs a client in.
    pub async fn oauth_tokens(&self, user: &SignedIn, client: &Client, scope: &str) -> Value {
        let code = self.code(user, client, scope).await;
        let answer = self.exchange(client, &code, &[]).await;
        answer.expect(200);
        answer.json()
    }

    pub async fn oauth_refresh(&self, client: &Client, token: &str, change: &[(&str, &str)]) -> Answer {
        oauth_refresh(client, token, change).send(self.address).await
    }
}

pub fn exchange(client: &Client, code: &str, change: &[(&str, &str)]) -> Request {
    let base = [
        ("grant_type", "authorization_code"),
        ("code", code),
        ("redirect_uri", REDIRECT),
        ("code_verifier", VERIFIER),
        ("client_id", client.id.as_str()),
        ("client_secret", client.secret.as_deref().unwrap_or("-")),
    ];
    request("POST", "/token").form(&fields(&base, change))
}

pub fn oauth_refresh(client: &Client, token: &str, change: &[(&str, &str)]) -> Request {
    let base = [
        ("grant_type", "refresh_token"),
        ("refresh_token", token),
        ("client_id", client.id.as_str()),
        ("client_secret", client.secret.as_deref().unwrap_or("-")),
    ];
    request("POST", "/token").form(&fields(&base, change))
}

pub fn text(value: &Value, field: &str) -> String {
    value[field].as_str().unwrap_or_else(|| panic!("no {field} in {value}")).to_owned()
}

/// What a JWT claims.
pub fn claims(token: &str) -> Value {
    use base64::Engine as _;
    let part = token.split('.').nth(1).unwrap();
    serde_json::from_slice(&base64::engine::general_purpose::URL_SAFE_NO_PAD.decode(part).unwrap()).unwrap()
}
