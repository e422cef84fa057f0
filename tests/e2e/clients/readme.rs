//! The examples of docs/clients/README.md, run as they stand there.

use super::driver::{Language, clients, command, path_with};
use everkey_tests::cli::Cli;
use everkey_tests::skip::{has, skipped};
use everkey_tests::{ADA, Canned, Fault, Setup, World};
use serde_json::json;
use std::fs;
use std::path::PathBuf;

/// The code blocks of docs/clients/README.md in this language.
fn examples(fence: &str) -> Vec<String> {
    let text = fs::read_to_string(clients().join("README.md")).unwrap();
    let blocks = text.split("```").skip(1).step_by(2);
    blocks.filter_map(|block| block.strip_prefix(&format!("{fence}\n"))).map(str::to_owned).collect()
}

pub fn the_examples_of_the_readme_work(language: Language) {
    let world = World::signed_in(Setup { refresh_gap_ms: Some(1), ..Setup::default() });
    let [two_lines, on_401, follow] = examples(language.fence()).try_into().unwrap();
    assert_eq!(two_lines.lines().count(), 2);
    // Copied, as a reader does.
    for name in ["everkey.py", "everkey.mjs"] {
        fs::copy(clients().join(name), world.root().join(name)).unwrap();
    }
    let started = |code: &str| {
        let script = world.root().join("example.mjs");
        fs::write(&script, code).unwrap();
        let mut command = command(&world, language);
        command.env_remove("PYTHONPATH").arg(script).arg(format!("{}/v0/auth/me", world.proxy.url()));
        Cli::new(command).talk()
    };
    let example = |code: &str| started(code).finish();
    assert_eq!(example(&two_lines).ok(), ADA);
    // Where it stands is known once the past has been printed.
    let mut following = started(&follow);
    assert!(following.line().ends_with(" failproofai signed_in"));
    world.token();
    assert!(following.line().ends_with(" failproofai handed"));
    following.kill();

    let refusal = || Fault::Answer(Canned::json(401, &json!({ "code": "unauthorized" })));
    assert!(example(&on_401).ok().contains(ADA));
    assert_eq!(world.server.events("rotated"), 0);
    world.proxy.next("/v0/auth/me", refusal());
    assert!(example(&on_401).ok().contains(ADA));
    assert_eq!(world.server.events("rotated"), 1);
    // Refused for good: asked twice, reported, and nothing turns in circles.
    let before = world.proxy.seen("/v0/auth/me").len();
    world.proxy.every("/v0/auth/me", refusal());
    example(&on_401).exits(1).complains("401");
    assert_eq!(world.proxy.seen("/v0/auth/me").len(), before + 2);
}

#[test]
fn the_shell_example_of_the_readme_works() {
    if !has("curl") {
        return skipped("the_shell_example_of_the_readme_works", "no curl");
    }
    let world = World::signed_in(Setup::default());
    let [script] = examples("sh").try_into().unwrap();
    let agent = PathBuf::from(world.agent_command("").get_program());
    let run = || {
        let mut command = world.command("sh");
        command.env("PATH", path_with(agent.parent()));
        command.env("url", format!("{}/v0/auth/me", world.proxy.url())).current_dir(world.root());
        command.args(["-euc", &format!("{script}\necho \"$status\"")]);
        Cli::new(command).run()
    };
    assert_eq!(run().ok(), "200");
    assert_eq!(world.server.events("rotated"), 0);
    world.proxy.next("/v0/auth/me", Fault::Answer(Canned::json(401, &json!({ "code": "unauthorized" }))));
    assert_eq!(run().ok(), "200");
    assert_eq!(world.server.events("rotated"), 1);
    assert!(fs::read_to_string(world.root().join("answer")).unwrap().contains(ADA));
}
