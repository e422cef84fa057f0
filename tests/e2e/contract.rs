//! The session file is the original tool's: it reads ours, and the agent takes over what it wrote.

use everkey_tests::skip::{has, skipped};
use everkey_tests::{ADA, Setup, World, othertool, until};
use std::fs;
use std::os::unix::fs::PermissionsExt;
use std::process::Command;

/// An independent reader, in another language and with only its standard library.
const PYTHON_READER: &str = r#"
import json, sys
s = json.load(open(sys.argv[1]))
for field, kind in [("access_token", str), ("refresh_token", str), ("access_expires_at", int)]:
    assert type(s[field]) is kind, field
assert type(s.get("refresh_expires_at", s["access_expires_at"])) is int
print(s["user"]["email"], s["user"]["id"])
"#;

/// Exactly the contract's fields in its order, two spaces of indent, nothing after it, and nobody else's business.
fn assert_as_the_contract_says(world: &World) {
    let text = fs::read_to_string(world.auth_file()).unwrap();
    let read = othertool::read(&world.auth_file()).expect("a session");
    let wanted = format!(
        r#"{{
  "access_token": "{}",
  "refresh_token": "{}",
  "access_expires_at": {},
  "refresh_expires_at": {},
  "user": {{
    "id": "{}",
    "email": "{}"
  }}
}}"#,
        read.access_token,
        read.refresh_token,
        read.access_expires_at,
        read.refresh_expires_at,
        read.id,
        read.email
    );
    assert_eq!(text, wanted);
    let mode = |path| fs::metadata(path).unwrap().permissions().mode() & 0o777;
    assert_eq!(mode(world.auth_file()), 0o600);
    assert_eq!(mode(world.auth_dir()), 0o700);
}

#[test]
fn the_original_tool_reads_what_everkey_wrote() {
    let world = World::signed_in(Setup::default());
    assert_as_the_contract_says(&world);
    world.everkey("auth refresh").ok();
    assert_as_the_contract_says(&world);

    let read = othertool::read(&world.auth_file()).expect("a session");
    assert_eq!(format!("{} ({})", read.email, read.id), world.everkey("auth whoami").ok());
    assert_eq!(world.server.me(&read.access_token), 200);
    assert!(read.refresh_expires_at > read.access_expires_at);

    if !has("python3") {
        return skipped("the_original_tool_reads_what_everkey_wrote", "its second reader needs python3");
    }
    let output = Command::new("python3").args(["-c", PYTHON_READER]).arg(world.auth_file()).output().unwrap();
    assert!(output.status.success(), "{}", String::from_utf8_lossy(&output.stderr));
    assert_eq!(String::from_utf8(output.stdout).unwrap().trim(), format!("{} {}", read.email, read.id));
}

#[test]
fn a_session_that_the_original_tool_wrote_is_taken_over() {
    let world = World::new();
    world.everkey("auth whoami").exits(1);
    let theirs = othertool::session(&world.server.sign_in(ADA));
    othertool::write(&world.auth_file(), &theirs);

    until("the session to be taken over", || world.everkey("auth whoami").code == 0);
    assert_eq!(world.token(), theirs["access_token"].as_str().unwrap());
    world.everkey("auth refresh").ok();
    assert_as_the_contract_says(&world);
    assert_eq!(world.server.events("rotated"), 1);
    assert_eq!(world.server.me(&world.token()), 200);
}

#[test]
fn a_session_from_before_everkey_was_installed_is_taken_over() {
    let world = World::new();
    fs::create_dir_all(world.auth_dir()).unwrap();
    let mut theirs = othertool::session(&world.server.sign_in(ADA));
    // An older release did not write this field.
    theirs.as_object_mut().unwrap().remove("refresh_expires_at");
    othertool::write(&world.auth_file(), &theirs);
    assert!(world.everkey("auth whoami").ok().starts_with(ADA));
    world.everkey("auth refresh").ok();
    world.server.assert_nothing_revoked();
}

#[test]
fn fields_that_everkey_does_not_know_survive_a_refresh() {
    let world = World::new();
    fs::create_dir_all(world.auth_dir()).unwrap();
    let mut theirs = othertool::session(&world.server.sign_in(ADA));
    theirs["theme"] = "dark".into();
    theirs["user"]["name"] = "Ada".into();
    othertool::write(&world.auth_file(), &theirs);
    world.everkey("auth refresh").ok();
    let session = world.session().unwrap();
    assert_ne!(session["refresh_token"], theirs["refresh_token"]);
    assert_eq!((&session["theme"], &session["user"]["name"]), (&theirs["theme"], &theirs["user"]["name"]));
}
