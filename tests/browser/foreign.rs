//! An authorization server that others wrote (`tests/interop/server.py`), with everkey's agent as its client.

use everkey_tests::account::Account;
use everkey_tests::process::Running;
use everkey_tests::python::{program, root};
use everkey_tests::{Setup, World, http};
use serde_json::{Value, json};
use std::io::{BufRead, BufReader};
use std::path::PathBuf;
use std::process::{Command, Stdio};

/// The server, and a world with the profile `work` for it.
pub struct Foreign {
    pub world: World,
    url: String,
    _server: Running,
}

impl Foreign {
    /// Starts it, with a profile that signs in so; says loudly that `test` is skipped where Python's programs are missing.
    pub fn start(test: &str, scheme: &str) -> Option<Self> {
        let mut command = Command::new(program(test, "python")?);
        command.arg(root().join("tests/interop/server.py"));
        let mut server = Running::spawn(command.stdin(Stdio::null()).stdout(Stdio::piped()));
        let mut line = String::new();
        BufReader::new(server.child().stdout.take().unwrap()).read_line(&mut line).unwrap();
        let url = line.trim().strip_prefix("listening on ").unwrap_or_else(|| panic!("{line:?}; see above"));
        let world = World::with(Setup { refresh_gap_ms: Some(100), ..Setup::default() });
        let this = Self { world, url: url.to_owned(), _server: server };
        this.configure(&format!("issuer = \"{url}\"\nscheme = \"{scheme}\"\n"));
        Some(this)
    }

    /// Writes the profile.
    pub fn configure(&self, lines: &str) {
        let text = format!("[profiles.work]\nprovider = \"oauth\"\n{lines}");
        std::fs::write(self.world.home().join("config.toml"), text).unwrap();
    }

    /// The agent, asked about the profile.
    pub fn account(&self) -> Account {
        Account::of(&self.world, "work")
    }

    /// The address of a path.
    pub fn at(&self, path: &str) -> String {
        format!("{}{path}", self.url)
    }

    /// Tells the server how to behave.
    pub fn set(&self, settings: &Value) {
        self.test("set", settings);
    }

    /// Makes this path answer otherwise than it should: `redirect`, `html`, `error`, `missing`, `refused`.
    pub fn break_path(&self, path: &str, how: &str) {
        self.set(&json!({ "fault": { path: how } }));
    }

    /// Somebody approves the code that a device shows, or does not.
    pub fn decide(&self, step: &Value, approved: bool) {
        assert_eq!(step["reply"], "show", "{step}");
        self.test("device", &json!({ "user_code": step["user_code"], "approved": approved }));
    }

    /// What the server was asked at this path so far.
    pub fn asked(&self, path: &str) -> Vec<Value> {
        let seen = self.test("look", &json!({}))["seen"].clone();
        seen.as_array().unwrap().iter().filter(|one| one["path"] == path).cloned().collect()
    }

    /// How often it was asked there for this grant.
    pub fn refreshes(&self) -> usize {
        self.asked("/token").iter().filter(|one| one["grant_type"] == "refresh_token").count()
    }

    /// Every token that it gave out, oldest first.
    pub fn sessions(&self) -> Vec<Value> {
        self.test("look", &json!({}))["sessions"].as_array().unwrap().clone()
    }

    /// Whether it has seen a refresh token twice.
    pub fn assert_no_replay(&self) {
        let seen = self.test("look", &json!({}))["seen"].clone();
        assert!(seen.as_array().unwrap().iter().all(|one| one.get("replay").is_none()), "{seen}");
    }

    /// The profile's session file.
    pub fn session_file(&self) -> PathBuf {
        self.world.home().join("state/sessions/work.json")
    }

    /// What it holds.
    pub fn session(&self) -> Option<Value> {
        let bytes = std::fs::read(self.session_file()).ok()?;
        Some(serde_json::from_slice(&bytes).expect("any reader sees a complete file (I7)"))
    }

    /// Signs in by device code.
    pub fn sign_in(&self) -> Account {
        let mut account = self.account();
        let step = account.login();
        self.decide(&step, true);
        let done = account.after(&step);
        assert_eq!(done["reply"], "done", "{done}");
        account
    }

    fn test(&self, what: &str, told: &Value) -> Value {
        let answer = http::call(&self.url, "POST", &format!("/test/{what}"), None, Some(told));
        assert_eq!(answer.status(), 200, "{}", answer.start);
        answer.json()
    }
}

/// It failed with this code, and says why in one line and what to do in another.
#[track_caller]
pub fn assert_failed(answer: &Value, code: &str, says: &str) {
    assert_eq!((&answer["reply"], &answer["code"]), (&json!("error"), &json!(code)), "{answer}");
    let message = answer["message"].as_str().unwrap();
    assert!(message.contains(says) && !message.contains('\n'), "{says:?} in {message:?}");
}
