//! Clients that sign in as themselves (RFC 6749 section 4.4), at an authorization server that others wrote
//! (`tests/interop/machines.py`): by a secret from a file, and by a key (RFC 7523). Nobody is asked anything.

use everkey_tests::process::Running;
use everkey_tests::python::{program, root};
use everkey_tests::{Setup, World, http, until};
use serde_json::{Value, json};
use std::io::{BufRead, BufReader};
use std::path::PathBuf;
use std::process::{Command, Stdio};

/// The server, and a world with the profile `ci` for it.
struct Machines {
    world: World,
    url: String,
    folder: PathBuf,
    _server: Running,
}

impl Machines {
    /// Starts it, with these lines in the profile; says loudly that `test` is skipped where Python's programs are missing.
    fn start(test: &str, lines: &str) -> Option<Self> {
        let python = program(test, "python")?;
        let world = World::with(Setup { refresh_gap_ms: Some(100), ..Setup::default() });
        let folder = world.root().join("machines");
        std::fs::create_dir(&folder).unwrap();
        let mut command = Command::new(python);
        command.arg(root().join("tests/interop/machines.py")).arg(&folder);
        let mut server = Running::spawn(command.stdin(Stdio::null()).stdout(Stdio::piped()));
        let mut line = String::new();
        BufReader::new(server.child().stdout.take().unwrap()).read_line(&mut line).unwrap();
        let url = line.trim().to_owned();
        assert!(url.starts_with("http://"), "{line:?}; see above");
        let lines = lines.replace("FOLDER", &folder.display().to_string());
        let profile = format!(
            "[profiles.ci]\nprovider = \"oauth\"\nissuer = \"{url}\"\nscheme = \"client\"\n{lines}\n"
        );
        std::fs::write(world.home().join("config.toml"), profile).unwrap();
        Some(Self { world, url, folder, _server: server })
    }

    fn by_secret(test: &str) -> Option<Self> {
        Self::start(
            test,
            "client_id = \"by-secret\"\nclient_secret_file = \"FOLDER/secret\"\nscope = \"build\"",
        )
    }

    fn set(&self, settings: &Value) {
        let answer = http::call(&self.url, "POST", "/test/set", None, Some(settings));
        assert_eq!(answer.status(), 200, "{}", answer.start);
    }

    fn asked(&self) -> Vec<Value> {
        http::call(&self.url, "GET", "/test/asked", None, None).json().as_array().unwrap().clone()
    }

    fn accepts(&self, token: &str) -> bool {
        http::call(&self.url, "GET", "/whoami", Some(token), None).status() == 200
    }

    fn token(&self) -> String {
        self.world.everkey("auth token --profile ci").ok()
    }
}

#[test]
fn a_machine_gets_a_token_by_its_secret() {
    let Some(server) = Machines::by_secret("a_machine_gets_a_token_by_its_secret") else { return };
    let token = server.token();
    assert!(server.accepts(&token));
    assert_eq!(server.token(), token, "one is enough");
    assert_eq!(server.asked(), [json!({ "grant_type": "client_credentials", "scope": "build" })]);
    server.world.everkey("auth refresh --profile ci --force").ok();
    assert_ne!(server.token(), token);
    let status = server.world.everkey("auth status --profile ci --json").json();
    assert_eq!((&status["state"], &status["scheme"]), (&json!("valid"), &json!("client")), "{status}");
    server.world.everkey("auth logout --profile ci").ok();
    assert!(server.accepts(&server.token()), "and asks again after a sign-out");
}

#[test]
fn a_machine_gets_a_token_by_its_key() {
    let lines = "client_id = \"by-key\"\nprivate_key_file = \"FOLDER/key.pem\"\nkey_id = \"k1\"";
    let Some(server) = Machines::start("a_machine_gets_a_token_by_its_key", lines) else { return };
    let token = server.token();
    assert!(server.accepts(&token));
    server.world.everkey("auth refresh --profile ci --force").ok();
    assert_ne!(server.token(), token, "each assertion is a new one");
}

#[test]
fn a_machines_token_is_renewed_through_an_outage() {
    let Some(server) = Machines::by_secret("a_machines_token_is_renewed_through_an_outage") else { return };
    server.set(&json!({ "expires_in": 8 }));
    let first = server.token();
    server.set(&json!({ "down": true }));
    until("the token to expire during the outage", || !server.accepts(&first));
    server.set(&json!({ "down": false }));
    let token = server.token();
    assert!(token != first && server.accepts(&token));
    until("the next one to be there ahead of time", || server.token() != token);
}

#[test]
fn a_wrong_secret_is_said_and_a_corrected_one_counts() {
    let Some(server) = Machines::by_secret("a_wrong_secret_is_said_and_a_corrected_one_counts") else {
        return;
    };
    server.set(&json!({ "secret": "rotated" }));
    server.world.everkey("auth token --profile ci").exits(5).complains("no token (invalid_client)");
    std::fs::write(server.folder.join("secret"), "rotated\n").unwrap();
    until("the corrected secret to count", || server.world.everkey("auth token --profile ci").code == 0);
    std::fs::write(server.folder.join("secret"), "").unwrap();
    server.world.everkey("auth refresh --profile ci --force").exits(7).complains("is empty");
    assert!(server.accepts(&server.token()), "the token that there is is served");
}

#[test]
fn a_mended_secret_is_tried_without_anybody_asking() {
    let Some(server) = Machines::by_secret("a_mended_secret_is_tried_without_anybody_asking") else {
        return;
    };
    let token = server.token();
    server.set(&json!({ "secret": "rotated" }));
    for _ in 0..8 {
        server.world.everkey("auth refresh --profile ci --force").exits(5);
    }
    let status = server.world.everkey("auth status --profile ci --json").json();
    assert!(status["last_error"].to_string().contains("invalid_client"), "{status}");
    let asked = server.asked().len();
    std::fs::write(server.folder.join("secret"), "rotated\n").unwrap();
    until("the agent to ask again by itself", || server.asked().len() > asked);
    until("another token", || server.token() != token);
}
