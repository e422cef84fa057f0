//! The re-audit reminder against the real programs: its file, the api-server, the moment when it is due.

mod due;
mod file;
mod told;
mod upstream;

use everkey_tests::{Account, World, eventually, othertool, until};
use serde_json::{Value, json};
use std::fs;
use std::path::{Path, PathBuf};
use std::time::{SystemTime, UNIX_EPOCH};

const BOB: &str = "bob@example.com";
const DAY: u64 = 86_400;

fn now() -> u64 {
    SystemTime::now().duration_since(UNIX_EPOCH).unwrap().as_secs()
}

fn account(world: &World) -> Account {
    Account::of(world, "failproofai")
}

fn file(world: &World) -> PathBuf {
    world.auth_dir().join("next-audit.json")
}

fn content(world: &World) -> Option<Value> {
    let bytes = fs::read(file(world)).ok()?;
    Some(serde_json::from_slice(&bytes).expect("any reader sees a complete file (I7)"))
}

/// Another tool sets a reminder, as its contract says.
fn write(world: &World, at: u64, email: &str) {
    othertool::write(
        &file(world),
        &json!({ "next_audit_at": at, "user_email": email, "set_at": now() - DAY }),
    );
}

/// Sets one; what the agent answers.
fn set(account: &mut Account, when: &Value) -> Value {
    let answer = account.ask("set_reminder", when);
    assert_eq!(answer["reply"], "reminder", "{answer}");
    answer["reminder"].clone()
}

/// The reminder as the agent knows it; null if there is none.
fn reminder(account: &mut Account) -> Value {
    let answer = account.request("reminder");
    assert_eq!(answer["reply"], "reminder", "{answer}");
    answer["reminder"].clone()
}

/// The time at which the agent knows a reminder to be due, once it is this.
fn until_due_at(account: &mut Account, at: impl Into<Value>) {
    let at = at.into();
    until(&format!("a reminder at {at}"), || reminder(account)["at"] == at);
}

fn until_told(account: &mut Account) {
    until("the api-server to know of it", || reminder(account)["upstream"] == "told");
}

/// When the api-server fires the reminder of whoever is signed in; null if it has none.
fn at_server(world: &World) -> Value {
    let answer = world.server.call("GET", "/v0/reminders", Some(&world.token()), None);
    assert_eq!(answer.status(), 200, "{}", answer.json());
    answer.json()["reminder"]["fire_at"].clone()
}

/// How often the agent found a reminder due, by its log.
fn times_due(world: &World) -> usize {
    world.agent_log().matches("reminder due").count()
}

/// A configured command that writes down how it was run.
struct Witness(PathBuf);

impl Witness {
    /// Is configured as the reminder's command, with further arguments.
    fn of(world: &World, arguments: &[&str]) -> Self {
        let file = world.home().join("witnessed");
        let mut command = vec![env!("CARGO_BIN_EXE_witness"), file.to_str().unwrap()];
        command.extend(arguments);
        // A list of texts is the same in JSON and in TOML.
        world.configure(&format!("[reminder]\ncommand = {}\n", json!(command)));
        Self(file)
    }

    fn file(&self) -> &Path {
        &self.0
    }

    /// Every run so far.
    fn runs(&self) -> Vec<Value> {
        let text = fs::read_to_string(&self.0).unwrap_or_default();
        text.lines().filter_map(|line| serde_json::from_str(line).ok()).collect()
    }

    /// The run of this number, from 0, once it is there.
    fn run(&self, number: usize) -> Value {
        eventually("the reminder's command to be run", || self.runs().get(number).cloned())
    }

    /// For which due times it was run.
    fn due(&self) -> Vec<u64> {
        let at = |run: &Value| run["environment"]["EVERKEY_REMINDER_AT"].as_str().unwrap().parse().unwrap();
        self.runs().iter().map(at).collect()
    }
}
