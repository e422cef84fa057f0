//! achilles: device codes, rotating sessions of an organisation, the file that its own tool reads.

mod session;
mod sign_in;
mod status;

use everkey_tests::process::kill_and_wait;
use everkey_tests::{ADA, Account, Approval, Canned, Fault, Gate, Person, Setup, World, until};
use serde_json::{Value, json};
use std::fs;
use std::os::unix::fs::PermissionsExt;
use std::time::{Duration, Instant};

const DEFAULT: &str = "achilles/default";
const CODES: &str = "/api/cli/auth/device-code";
const POLL: &str = "/api/cli/auth/poll";
const REFRESH: &str = "/api/cli/auth/refresh";
const ME: &str = "/api/cli/auth/me";
const FILE: &str = "home/.achilles/auth.json";
const CONFIG: &str = "home/.achilles/config.json";

/// A world whose achilles is at its server.
fn world(setup: Setup) -> World {
    let world = World::with(setup);
    world.put(CONFIG, &config(&world.proxy.url()));
    world
}

fn config(server: &str) -> String {
    json!({ "active_profile": "default", "profiles": { "default": { "server_url": server } } }).to_string()
}

/// Signs in, with Ada approving in her browser.
fn sign_in(account: &mut Account, person: &mut Person) -> Value {
    let shown = account.login();
    assert_eq!(shown["reply"], "show", "{shown}");
    person.decide(shown["user_code"].as_str().unwrap(), Approval::Yes);
    let done = account.after(&shown);
    assert_eq!(done["reply"], "done", "{done}");
    done
}

fn signed_in(setup: Setup) -> (World, Account) {
    let world = world(setup);
    let mut account = Account::of(&world, DEFAULT);
    sign_in(&mut account, &mut Person::sign_in(&world.server, ADA));
    (world, account)
}

fn read(world: &World, file: &str) -> Value {
    let text = fs::read_to_string(world.home().join(file)).expect("a session file");
    serde_json::from_str(&text).expect("any reader sees a complete file (I7)")
}

fn mode(world: &World, path: &str) -> u32 {
    fs::metadata(world.home().join(path)).unwrap().permissions().mode() & 0o777
}

/// Exactly the contract's fields in its order, all strings, and nothing after them.
fn assert_as_the_contract_says(world: &World) {
    let text = fs::read_to_string(world.home().join(FILE)).unwrap();
    let session = read(world, FILE);
    let field = |name: &str| format!("\"{name}\": \"{}\"", session[name].as_str().expect(name));
    let names =
        ["access_token", "refresh_token", "expires_at", "user_id", "org_id", "role", "email", "issued_at"];
    let lines: Vec<_> = names.into_iter().map(field).collect();
    assert_eq!(text, format!("{{\n  {}\n}}", lines.join(",\n  ")));
    for time in ["expires_at", "issued_at"] {
        let time = session[time].as_str().unwrap();
        assert!(time.len() == 24 && time.ends_with(".000Z"), "{time}");
    }
    assert_eq!((mode(world, FILE), mode(world, "home/.achilles")), (0o600, 0o700));
}
