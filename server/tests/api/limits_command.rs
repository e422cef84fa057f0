//! `everkey-server limits`: what is in force, whom it holds, and letting somebody go.

use serde_json::Value;

use crate::kit::program::{database, run, serve};
use crate::kit::room::room;
use crate::kit::wire::request;

const ADA: &str = "ada@example.com";

#[tokio::test]
async fn a_hold_is_listed_and_lifted() {
    let room = room();
    let file = room.path().join("limits.toml");
    std::fs::write(&file, "code_cooldown = \"0s\"\ncodes_per_email = { max = 1, window = \"1h\" }\n")
        .unwrap();
    let file = file.to_str().unwrap();
    let server = serve(room.path(), &["--limits", file]).await;
    let ask = async || {
        let body = serde_json::json!({ "email": ADA });
        request("POST", "/v0/auth/login/request").json(&body).send(server.address).await.status
    };
    let database = database(room.path());
    let command = async |words: &[&str]| {
        let words: Vec<&str> = words.iter().copied().chain(["--database", &database, "--json"]).collect();
        run(&words).await
    };
    let listed = async || {
        let output = command(&["limits", "--limits", file]).await;
        let rows: Vec<Value> = output
            .stdout
            .split(|byte| *byte == b'\n')
            .filter_map(|line| serde_json::from_slice(line).ok())
            .collect();
        rows.into_iter().find(|row| row["limit"] == "codes_per_email").unwrap()
    };
    assert_eq!(listed().await["held"], serde_json::json!([]));
    assert_eq!((ask().await, ask().await), (200, 429));
    let row = listed().await;
    assert_eq!(row["value"], "{ max = 1, window = \"1h\" }");
    assert_eq!(row["held"][0]["who"], "ada@example.com from 127.0.0.1", "{row}");
    assert!(row["held"][0]["wait"].as_u64().unwrap() > 3000, "{row}");

    for (words, code) in [
        (&["limits", "lift", "codes_per_emial", ADA][..], 1),
        (&["limits", "lift", "codes_per_email", "bob@example.com"], 1),
        (&["limits", "lift", "codes_per_email", ADA], 0),
        (&["limits", "lift", "codes_per_email", ADA], 1),
    ] {
        assert_eq!(command(words).await.status.code(), Some(code), "{words:?}");
    }
    assert_eq!(listed().await["held"], serde_json::json!([]));
    assert_eq!(ask().await, 200);
}

#[tokio::test]
async fn people_are_named_by_their_addresses_and_mistakes_are_named() {
    let room = room();
    let server = serve(room.path(), &[]).await;
    let (access, _) = crate::kit::program::sign_in(room.path(), &server).await;
    let file = room.path().join("limits.toml");
    std::fs::write(&file, "creations_per_user = { max = 1, window = \"1h\" }").unwrap();
    let file = file.to_str().unwrap();
    let body = serde_json::json!({ "name": "Home" });
    request("POST", "/v1/workspaces").bearer(&access).json(&body).send(server.address).await.expect(201);
    let database = database(room.path());
    let command = async |words: &[&str]| {
        let words: Vec<&str> = words.iter().copied().chain(["--database", &database]).collect();
        run(&words).await
    };
    let listed = async |more: &[&str]| {
        let output = command(&[&["limits"], more].concat()).await;
        (String::from_utf8(output.stdout).unwrap(), String::from_utf8(output.stderr).unwrap())
    };
    let (text, note) = listed(&["--limits", file]).await;
    assert!(text.contains(&format!("holds {ADA} until")) && note.is_empty(), "{text}{note}");
    assert!(listed(&[]).await.1.contains("These are the defaults"));
    for (words, said) in [
        (&["limits", "lift", "nonsense", ADA][..], "there is no limit 'nonsense'"),
        (&["limits", "lift", "transfers", ADA], "nothing is counted for transfers"),
    ] {
        let output = command(words).await;
        assert_eq!(output.status.code(), Some(1), "{output:?}");
        assert!(String::from_utf8_lossy(&output.stderr).contains(said), "{output:?}");
    }
    assert!(command(&["limits", "lift", "creations_per_user", ADA]).await.status.success());
    assert!(!listed(&["--limits", file]).await.0.contains(ADA));
}

/// What a host reads in `docs/hosting.md` is what the program does.
#[test]
fn the_documents_table_has_every_limit() {
    let page = std::fs::read_to_string(concat!(env!("CARGO_MANIFEST_DIR"), "/../docs/hosting.md")).unwrap();
    for (key, value, _) in everkey_server::limits::Limits::default().in_force() {
        let row = page.lines().find(|line| line.starts_with(&format!("| `{key}` |")));
        let row = row.unwrap_or_else(|| panic!("docs/hosting.md has no row for {key}"));
        assert_eq!(row.split('|').count(), 5, "key, default, what an attacker gains: {row}");
        assert!(row.contains(&format!("| {} |", short(&value))), "{key} is {value}: {row}");
    }
}

/// `5 in 15m` for `{ max = 5, window = "15m" }`.
fn short(value: &str) -> String {
    value.replace("{ max = ", "").replace(", window = ", " in ").replace(" }", "").replace('"', "")
}
