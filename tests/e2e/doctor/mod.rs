//! `everkey doctor`: a fault is planted for each of its findings, and it says what to do.

mod agent;
mod files;
mod report;
mod servers;
mod sessions;
mod units;

use everkey_tests::{Setup, World, until};
use serde_json::Value;
use std::collections::{BTreeMap, BTreeSet};
use std::fs;
use std::os::unix::fs::MetadataExt;
use std::path::Path;

/// What doctor finds. Its exit code says whether that is a problem.
fn doctor(world: &World) -> Value {
    let said = world.everkey("doctor --json");
    let found = said.json();
    assert_eq!(said.code, i32::from(found["well"] == false), "{said:?}");
    found
}

/// Every kind that it finds.
fn kinds(found: &Value) -> Vec<&str> {
    let findings = found["findings"].as_array().expect("a list");
    findings.iter().map(|finding| finding["kind"].as_str().expect("a word")).collect()
}

/// The one finding of this kind, which people read as well.
fn finding(world: &World, kind: &str) -> Value {
    let found = doctor(world);
    let all = found["findings"].as_array().expect("a list");
    let of_kind: Vec<_> = all.iter().filter(|finding| finding["kind"] == kind).collect();
    let [one] = of_kind.as_slice() else { panic!("{kind} is not found once: {found:#}") };
    let shown = world.everkey("doctor").out;
    let what_to_do = one["to_do"].as_str().expect("a text");
    assert!(!what_to_do.is_empty() && shown.contains(what_to_do), "{shown}");
    (*one).clone()
}

/// The same for a problem: something about it, and what to do, are in these words.
fn problem(world: &World, kind: &str, what: &str, to_do: &str) {
    let found = finding(world, kind);
    assert_eq!(found["level"], "problem", "{found}");
    says(&found, what, to_do);
}

/// The same for what is worth knowing.
fn note(world: &World, kind: &str, what: &str, to_do: &str) {
    let found = finding(world, kind);
    assert_eq!(found["level"], "note", "{found}");
    says(&found, what, to_do);
}

fn says(found: &Value, what: &str, to_do: &str) {
    let text = |field: &str| found[field].as_str().expect("a text").to_owned();
    assert!(text("what").contains(what), "{what:?} is not in {found}");
    assert!(text("to_do").contains(to_do), "{to_do:?} is not in {found}");
}

/// Every file and folder: inode, mode, owner, length and when it was changed last. The agent's log grows by itself.
fn everything(folder: &Path) -> BTreeMap<String, (u64, u32, u32, u64, i64, i64)> {
    let mut found = BTreeMap::new();
    let mut open = vec![folder.to_owned()];
    while let Some(path) = open.pop() {
        let at = fs::symlink_metadata(&path).expect("it is there");
        if at.is_dir() {
            open.extend(fs::read_dir(&path).expect("a folder").map(|entry| entry.expect("an entry").path()));
        }
        if path.file_name().is_some_and(|name| name != "agent.log") {
            let row = (at.ino(), at.mode(), at.uid(), at.size(), at.ctime(), at.ctime_nsec());
            found.insert(path.display().to_string(), row);
        }
    }
    found
}

/// What differs, so that a failure names it.
fn changed(folder: &Path, before: &BTreeMap<String, (u64, u32, u32, u64, i64, i64)>) -> Vec<String> {
    let after = everything(folder);
    let names: BTreeSet<_> = before.keys().chain(after.keys()).collect();
    names.into_iter().filter(|name| before.get(*name) != after.get(*name)).cloned().collect()
}

/// A sign-in is noted once more after it has been told.
fn settled(world: &World) -> bool {
    let folder = fs::read_dir(world.home().join("state/sessions")).expect("a folder").flatten();
    let mut side_cars =
        folder.filter(|entry| entry.file_name().to_string_lossy().starts_with("failproofai-"));
    let text = side_cars.next().and_then(|entry| fs::read_to_string(entry.path()).ok()).unwrap_or_default();
    serde_json::from_str::<Value>(&text).is_ok_and(|it| it["pin"].is_object() && it["pending"].is_null())
}

#[test]
fn a_world_that_is_well_has_nothing_wrong() {
    let world = World::signed_in(Setup::default());
    let found = doctor(&world);
    assert_eq!((&found["well"], kinds(&found)), (&true.into(), vec![]), "{found:#}");
    assert_eq!(found["agent"]["sandbox"], serde_json::json!([]), "nothing is in force yet");
    assert_eq!(found["profiles"][0]["status"]["state"], "valid");
    assert!(found["profiles"][0]["last_refresh_at"].is_null(), "{found:#}");
    world.everkey("refresh --force").ok();
    assert!(doctor(&world)["profiles"][0]["last_refresh_at"].is_u64());
    let shown = world.everkey("doctor").ok();
    for words in ["everkeyd ", "last refresh: ", "next step: ", " s off", "Nothing is wrong."] {
        assert!(shown.contains(words), "{words}: {shown}");
    }
}

#[test]
fn doctor_changes_nothing_and_starts_no_agent() {
    let world = World::new();
    let fresh = everything(world.home());
    assert!(kinds(&doctor(&world)).contains(&"no_agent"));
    world.everkey("doctor").exits(0);
    assert_eq!(changed(world.home(), &fresh), [""; 0], "nothing is made");

    world.login();
    until("the sign-in to be noted", || settled(&world));
    world.configure("[profiles.idle]\nprovider = \"binboi\"\nserver = \"http://127.0.0.1:9\"\n");
    world.put("state/sessions/stray.json", "{}");
    let running = everything(world.home());
    let agent = world.agent_pid();
    doctor(&world);
    assert_eq!(changed(world.home(), &running), [""; 0], "an account that nobody has opened stays so");
    assert_eq!(world.agent_pid(), agent);

    world.stop_agent();
    fs::set_permissions(world.auth_file(), std::os::unix::fs::PermissionsExt::from_mode(0o644)).unwrap();
    let stopped = everything(world.home());
    assert!(kinds(&doctor(&world)).contains(&"open_to_others"));
    assert_eq!(changed(world.home(), &stopped), [""; 0], "not even what is wrong is mended");
    assert_eq!(world.find_agent(), None);
}

#[test]
fn each_finding_has_a_test_that_makes_it() {
    // No such disk can be mounted here: `disks.rs` and everkey-guard have tests of their own.
    const ELSEWHERE: [&str; 1] = ["NetworkFileSystem"];
    let root = Path::new(env!("CARGO_MANIFEST_DIR"));
    let kinds = fs::read_to_string(root.join("../client/src/cli/doctor/finding.rs")).unwrap();
    let kinds = kinds.split("pub enum FindingKind {").nth(1).unwrap().split('}').next().unwrap();
    let kinds: Vec<_> = kinds.split(',').map(str::trim).filter(|kind| !kind.is_empty()).collect();
    let tests = fs::read_dir(root.join("e2e/doctor")).unwrap().map(|entry| entry.unwrap().path());
    let tests: String = tests.map(|path| fs::read_to_string(path).unwrap()).collect();
    let word = |kind: &str| {
        let words = kind.chars().fold(String::new(), |word, c| match c.is_uppercase() && !word.is_empty() {
            true => word + "_" + &c.to_lowercase().to_string(),
            false => word + &c.to_lowercase().to_string(),
        });
        format!("\"{words}\"")
    };
    let missing: Vec<_> =
        kinds.iter().filter(|kind| !ELSEWHERE.contains(kind) && !tests.contains(&word(kind))).collect();
    assert!(kinds.len() > 30 && missing.is_empty(), "{missing:?} of {}", kinds.len());
}
