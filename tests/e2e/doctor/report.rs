//! `everkey report`: a folder that a person can read, which goes nowhere by itself; then to a workspace, and by a link.

use everkey_tests::{ADA, Fault, Gate, Setup, World};
use serde_json::{Value, json};
use std::fs;
use std::os::unix::fs::PermissionsExt;
use std::path::{Path, PathBuf};
use std::process::Command;

fn sha256(path: &Path) -> String {
    let said = Command::new("sha256sum").arg(path).output().unwrap().stdout;
    String::from_utf8(said).unwrap()[..64].to_owned()
}

fn mode(path: &Path) -> u32 {
    fs::metadata(path).unwrap().permissions().mode() & 0o7777
}

/// Makes a report; its folder, and its files as `--json` lists them.
fn report(world: &World) -> (PathBuf, Vec<Value>) {
    let made = world.everkey("report --json");
    assert_eq!(made.code, 0, "{made:?}");
    let made = made.json();
    (made["folder"].as_str().unwrap().into(), made["files"].as_array().unwrap().clone())
}

/// The server's workspace of this name, whose owner is Ada.
fn workspace(world: &World, name: &str) -> String {
    let made =
        world.server.call("POST", "/v1/workspaces", Some(&world.token()), Some(&json!({ "name": name })));
    made.json()["id"].as_str().unwrap().to_owned()
}

#[test]
fn a_report_is_a_folder_without_secrets() {
    let world = World::signed_in(Setup::default());
    let log = world.home().join("state/agent.log");
    let old = fs::read_to_string(&log).unwrap();
    fs::write(&log, format!("{old}2026-11-29T00:00:00Z  WARN password=hunter2 in /home/ada/x\n")).unwrap();
    let (folder, files) = report(&world);
    let names: Vec<_> = files.iter().map(|file| file["name"].as_str().unwrap()).collect();
    assert_eq!(names, ["doctor.txt", "doctor.json", "versions.txt", "agent.log"]);
    let manifest: Value = serde_json::from_slice(&fs::read(folder.join("manifest.json")).unwrap()).unwrap();
    assert_eq!(manifest["files"], json!(files));
    assert_eq!(mode(&folder), 0o700);
    let session = world.session().unwrap();
    for file in &files {
        let path = folder.join(file["name"].as_str().unwrap());
        let text = fs::read_to_string(&path).unwrap();
        assert_eq!((mode(&path), &file["size"]), (0o600, &json!(text.len())));
        assert_eq!(file["sha256"], sha256(&path));
        for secret in [
            "hunter2",
            "/home/ada",
            session["access_token"].as_str().unwrap(),
            session["refresh_token"].as_str().unwrap(),
        ] {
            assert!(!text.contains(secret), "{}", path.display());
        }
    }
    let doctor: Value = serde_json::from_slice(&fs::read(folder.join("doctor.json")).unwrap()).unwrap();
    assert_eq!(doctor["profiles"][0]["status"]["user"]["email"], ADA);
    assert!(fs::read_to_string(folder.join("doctor.txt")).unwrap().contains("Nothing is wrong."));
    assert!(
        fs::read_to_string(folder.join("agent.log"))
            .unwrap()
            .contains("[redacted:password] in /home/[user]/x")
    );
    assert!(world.proxy.seen("/v1/workspaces").is_empty(), "nothing is sent by itself");
}

#[test]
fn a_report_overwrites_nothing_where_one_says() {
    let world = World::new();
    let folder = world.home().join("mine");
    let words = format!("report --output {}", folder.display());
    let said = world.everkey(&words).ok();
    assert!(said.starts_with(folder.to_str().unwrap()) && said.contains("Nothing was sent."), "{said}");
    assert_eq!(world.find_agent(), None);
    world.everkey(&words).exits(7).complains("File exists");
    world.everkey("report upload --workspace x").exits(7).complains("There is no report in");
}

#[test]
fn an_upload_is_what_the_person_left_of_it() {
    let world = World::signed_in(Setup::default());
    let lab = workspace(&world, "The lab");
    let (folder, _) = report(&world);
    fs::remove_file(folder.join("agent.log")).unwrap();
    fs::write(folder.join("versions.txt"), "not for everybody\n").unwrap();
    world.everkey("report share").exits(2).complains("was not uploaded yet");
    let sent =
        world.everkey(&format!("report upload --workspace {lab} --title Night --retain-days 3 --json"));
    assert_eq!(sent.code, 0, "{sent:?}");
    let sent = sent.json();
    assert_eq!((&sent["server"], &sent["workspace"]), (&json!(world.proxy.url()), &json!(lab)));

    let at = format!("/v1/workspaces/{lab}/reports/{}", sent["report"].as_str().unwrap());
    let there = world.server.call("GET", &at, Some(&world.token()), None).json();
    assert_eq!((&there["title"], &there["complete"]), (&json!("Night"), &json!(true)), "{there}");
    let names: Vec<_> = there["files"].as_array().unwrap().iter().map(|file| file["name"].clone()).collect();
    assert_eq!(names, ["doctor.txt", "doctor.json", "versions.txt"]);
    for (place, name) in (1..).zip(&names) {
        let file = world.server.call("GET", &format!("{at}/files/{place}"), Some(&world.token()), None);
        assert_eq!(file.body, fs::read(folder.join(name.as_str().unwrap())).unwrap(), "{name}");
    }

    let shared = world.everkey("report share --days 1").ok();
    let path = shared.strip_prefix(&world.proxy.url()).expect("an address at the server");
    let page = world.server.call("GET", path, None, None);
    assert_eq!(page.status(), 200);
    assert!(String::from_utf8_lossy(&page.body).contains("versions.txt"));
}

#[test]
fn an_upload_that_can_not_be_says_why() {
    let world = World::signed_in(Setup::default());
    let (folder, _) = report(&world);
    world.everkey("report upload").exits(2).complains("needs --workspace");
    let said = world.everkey("report upload --workspace Nowhere").exits(2);
    assert!(
        said.err.contains("no workspace \"Nowhere\"") && said.err.contains("You are in none there"),
        "{said:?}"
    );
    workspace(&world, "Twin");
    let second = workspace(&world, "Twin");
    world.everkey("report upload --workspace Twin").exits(2).complains(&second);
    // It breaks off half-way: nothing stays.
    let reports = format!("/v1/workspaces/{second}/reports");
    let gate = Gate::default();
    world.proxy.next(&reports, Fault::HoldAnswer(gate.clone()));
    let upload = world.start(&format!("report upload --workspace {second}"));
    gate.reached();
    fs::remove_file(folder.join("versions.txt")).unwrap();
    gate.open();
    upload.finish().exits(4).complains("Could not reach");
    let there = world.server.call("GET", &reports, Some(&world.token()), None).json();
    assert_eq!(there["reports"], json!([]), "{there}");
    world.everkey("logout").ok();
    world.everkey(&format!("report upload --workspace {second}")).exits(1);
}
