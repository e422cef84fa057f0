//! The provider `oauth` with a client that the server knows beforehand: its secret is read anew for each request, and its
//! redirect address is the registered one.

use base64::Engine;
use base64::engine::general_purpose::STANDARD;
use everkey_tests::{ADA, Account, Approval, Canned, Fault, Person, Setup, World, http, until};
use serde_json::{Value, json};
use std::fs;
use std::net::{Ipv4Addr, TcpListener};
use std::path::PathBuf;

/// A client that the server knows beforehand, and a profile `mine` for it.
struct Client {
    world: World,
    id: String,
    secret: String,
}

impl Client {
    fn new(redirect: &str, lines: &str) -> Self {
        let mut world = World::with(Setup { refresh_gap_ms: Some(100), ..Setup::default() });
        world.set_env("EVERKEY_LOG", "trace");
        let metadata = json!({
            "redirect_uris": [redirect], "token_endpoint_auth_method": "client_secret_basic",
            "grant_types": ["authorization_code", "refresh_token", "urn:ietf:params:oauth:grant-type:device_code"],
        });
        let known = http::call(world.server.url(), "POST", "/register", None, Some(&metadata)).json();
        let text = |name: &str| known[name].as_str().unwrap_or_else(|| panic!("{known}")).to_owned();
        let client = Self { id: text("client_id"), secret: text("client_secret"), world };
        client.put_secret(&client.secret);
        let (issuer, id, file) = (client.world.proxy.url(), &client.id, client.secret_file());
        client.world.configure(&format!(
            "[profiles.mine]\nprovider = \"oauth\"\nissuer = \"{issuer}\"\nclient_id = \"{id}\"\n\
             client_secret_file = \"{}\"\n{lines}",
            file.display()
        ));
        client
    }

    fn secret_file(&self) -> PathBuf {
        self.world.home().join("secret")
    }

    fn put_secret(&self, secret: &str) {
        self.world.put("secret", &format!("{secret}\n"));
    }

    fn account(&self) -> Account {
        Account::of(&self.world, "mine")
    }

    fn sign_in(&self) -> Account {
        let mut account = self.account();
        let step = account.login();
        let code = step["user_code"].as_str().unwrap_or_else(|| panic!("{step}"));
        Person::sign_in(&self.world.server, ADA).decide(code, Approval::Yes);
        assert_eq!(account.after(&step)["reply"], "done");
        account
    }
}

/// It failed, and says which file is in the way.
fn assert_unreadable(answer: &Value) {
    assert_eq!(answer["code"], "storage", "{answer}");
    assert!(answer["message"].as_str().is_some_and(|said| said.contains("/secret")), "{answer}");
}

#[test]
fn a_secret_file_is_read_anew_for_each_request() {
    let client = Client::new("http://127.0.0.1/callback", "scheme = \"device\"\n");
    fs::remove_file(client.secret_file()).unwrap();
    assert_unreadable(&client.account().login());
    client.put_secret(&client.secret);
    let mut account = client.sign_in();
    let file = client.world.home().join("state/sessions/mine.json");
    assert!(!fs::read_to_string(&file).unwrap().contains(&client.secret), "it stays in its own file");

    fs::remove_file(client.secret_file()).unwrap();
    let before = client.world.proxy.seen("/token").len();
    assert_unreadable(&account.ask("refresh", &json!({ "force": true })));
    assert_eq!(client.world.proxy.seen("/token").len(), before, "nothing was sent");
    assert_eq!(account.request("whoami")["email"], ADA, "the session is kept");

    client.put_secret("rotated-secret");
    let unused = Canned::json(503, &json!({ "error": "temporarily_unavailable", "attempt_consumed": false }));
    client.world.proxy.every("/token", Fault::Answer(unused));
    let is_new = |sent: &http::Message| {
        let basic = sent.header("authorization").and_then(|value| value.strip_prefix("Basic "));
        let pair = basic.and_then(|pair| STANDARD.decode(pair).ok()).unwrap_or_default();
        String::from_utf8_lossy(&pair).ends_with(":rotated-secret")
    };
    until("the new secret to be sent", || client.world.proxy.seen("/token").iter().any(is_new));
    client.world.proxy.heal();
    client.put_secret(&client.secret);
    account.refresh();
    for place in ["state/agent.log", "state/sessions/mine.json"] {
        let text = fs::read_to_string(client.world.home().join(place)).unwrap();
        for secret in [&client.secret, "rotated-secret"] {
            assert!(!text.contains(secret), "{place} has a secret");
        }
    }
}

#[test]
fn n28_a_sign_out_without_a_secret_is_told_later() {
    let client = Client::new("http://127.0.0.1/callback", "scheme = \"device\"\n");
    let mut account = client.sign_in();
    fs::remove_file(client.secret_file()).unwrap();
    let said = account.request("logout");
    assert_eq!(said["revocation"], "not_confirmed", "{said}");
    assert!(said["why"].as_str().is_some_and(|why| why.contains("/secret")), "{said}");
    assert!(client.world.proxy.seen("/revoke").is_empty(), "nothing was sent");
    client.put_secret(&client.secret);
    until("the server to be told", || account.status()["pending_revocations"] == 0);
    assert_eq!(client.world.server.events("logout"), 1);
}

/// A port that was free a moment ago.
fn some_port() -> u16 {
    TcpListener::bind((Ipv4Addr::LOCALHOST, 0)).unwrap().local_addr().unwrap().port()
}

#[test]
fn a_browser_comes_back_to_the_registered_address() {
    for host in ["127.0.0.1", "localhost"] {
        let port = some_port();
        let redirect = format!("http://{host}:{port}/oauth/back");
        let lines = format!(
            "scheme = \"browser\"\nredirect_host = \"{host}\"\nredirect_port = {port}\nredirect_path = \"/oauth/back\"\n"
        );
        let client = Client::new(&redirect, &lines);
        let mut account = client.account();
        let step = account.login();
        assert_eq!(step["port"], port, "{step}");
        let url = step["url"].as_str().unwrap_or_else(|| panic!("{step}"));
        let back = Person::sign_in(&client.world.server, ADA).answer(url, Approval::Yes);
        let path = back.strip_prefix(&format!("http://{host}:{port}")).unwrap_or_else(|| panic!("{back}"));
        let page = http::call(&format!("http://127.0.0.1:{port}"), "GET", path, None, None);
        assert_eq!(page.status(), 200, "{}", page.start);
        assert_eq!(account.status()["state"], "valid");
    }
}

#[test]
fn a_registered_port_that_is_taken_is_named() {
    let taken = TcpListener::bind((Ipv4Addr::LOCALHOST, 0)).unwrap();
    let port = taken.local_addr().unwrap().port();
    let lines = format!("scheme = \"browser\"\nredirect_port = {port}\n");
    let client = Client::new("http://127.0.0.1/callback", &lines);
    let refused = client.world.everkey("login --profile mine --no-browser").exits(7);
    assert!(refused.err.contains(&format!("port {port} of 127.0.0.1")), "{refused:?}");
    assert!(refused.err.contains("`redirect_port`"), "what to do: {refused:?}");
    drop(taken);
    let mut account = client.account();
    assert_eq!(account.login()["port"], port, "it is free now");
}

#[test]
fn a_changed_redirect_address_counts_for_the_next_sign_in() {
    let client = Client::new("http://127.0.0.1/callback", "scheme = \"browser\"\n");
    let mut account = client.account();
    let step = account.login();
    assert_eq!(account.ask("cancel", &json!({ "flow": step["flow"] }))["reply"], "logged_out");
    let file = client.world.home().join("config.toml");
    let port = some_port();
    let text = fs::read_to_string(&file).unwrap();
    client.world.configure(&format!("{text}redirect_port = {port}\n"));
    assert_eq!(account.login()["port"], port);
}

#[test]
fn a_refresh_asks_for_the_resources_of_its_grant() {
    let lines = "scheme = \"device\"\nresource = \"https://a.example\"\n";
    let client = Client::new("http://127.0.0.1/callback", lines);
    let mut account = client.sign_in();
    let file = client.world.home().join("config.toml");
    let text = fs::read_to_string(&file).unwrap();
    client.world.configure(&text.replace("https://a.example", "https://other.example"));
    account.refresh();
    client.world.kill_agent();
    client.account().refresh();
    let proxy = &client.world.proxy;
    let sent = [proxy.seen("/device_authorization"), proxy.seen("/token")].concat();
    assert!(sent.len() >= 4, "begun, polled, and refreshed twice");
    for message in sent {
        let body = String::from_utf8_lossy(&message.body).into_owned();
        assert!(body.contains("resource=https%3A%2F%2Fa.example"), "what was granted: {body}");
    }
}
