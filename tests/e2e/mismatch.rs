//! A caller that counts on another server or file than the agent uses is told, never served from the wrong one.

use everkey_tests::{ADA, Setup, World};

const BOB: &str = "bob@example.com";

#[test]
fn another_server_in_the_environment_is_told() {
    let world = World::signed_in(Setup::default());
    for words in ["auth token", "auth whoami", "auth status", "auth refresh"] {
        let said = world.cli(words).env("FAILPROOF_API_URL", "https://other.example").run().exits(2);
        assert!(
            said.err.contains(&world.proxy.url()) && said.err.contains("https://other.example"),
            "{said:?}"
        );
        assert!(said.out.is_empty(), "{said:?}");
    }
    let older =
        world.cli("auth token").env("FAILPROOF_API_URL", "").env("FAILPROOFAI_API_URL", "https://a.example");
    older.run().exits(2).complains("https://a.example");
    // A slash at the end is no difference.
    world.cli("auth token").env("FAILPROOF_API_URL", &format!("{}/", world.proxy.url())).run().ok();
    world.cli("auth logout").env("FAILPROOF_API_URL", "https://other.example").run().ok();
}

#[test]
fn another_session_folder_is_one_more_account() {
    let world = World::signed_in(Setup::default());
    let elsewhere = world.root().join("elsewhere");
    let there = |words: &str| world.cli(words).env("FAILPROOFAI_AUTH_DIR", elsewhere.to_str().unwrap());
    let agent = world.agent_pid();
    there("auth whoami").run().exits(1);
    there("auth token").run().exits(1);
    let mut talk = there("auth login --json").talk();
    assert_eq!(talk.json()["field"], "email");
    talk.say(BOB);
    assert_eq!(talk.json()["field"], "code");
    talk.say(&world.server.code_after(BOB, 0));
    talk.finish().ok();
    let session = std::fs::read_to_string(elsewhere.join("auth.json")).unwrap();
    assert!(session.contains(BOB), "{session}");
    let status = there("auth status --json").run().json();
    assert_eq!(status["session_file"], elsewhere.join("auth.json").to_str().unwrap());
    assert!(world.everkey("auth whoami").ok().contains(ADA));
    assert!(there("auth whoami").run().ok().contains(BOB));
    assert_ne!(there("auth token").run().ok(), world.token());
    there("auth logout").run().ok();
    assert!(world.everkey("auth whoami").ok().contains(ADA));
    assert_eq!(world.agent_pid(), agent, "one agent has both");
}

#[test]
fn the_hint_names_the_variable_that_is_set() {
    let world = World::signed_in(Setup::default());
    let said = world.cli("token").env("FAILPROOF_API_URL", "https://other.example").run().exits(2);
    assert!(said.err.contains("Unset FAILPROOF_API_URL, or run"), "{said:?}");
    assert!(!said.err.contains("BINBOI") && !said.err.contains("--server"), "{said:?}");
    let older = world.cli("token").env("FAILPROOF_API_URL", "");
    older
        .env("FAILPROOFAI_API_URL", "https://a.example")
        .run()
        .exits(2)
        .complains("Unset FAILPROOFAI_API_URL, or");
    let option = world.everkey("token --server https://other.example").exits(2);
    assert!(
        option.err.contains("Leave out --server, or run") && !option.err.contains("API_URL"),
        "{option:?}"
    );
}

#[test]
fn explain_explains_a_mismatch() {
    let world = World::signed_in(Setup::default());
    for (words, variable) in [
        ("whoami --explain", "https://other.example"),
        ("whoami --explain --server https://other.example", ""),
    ] {
        let asked = || match variable {
            "" => world.cli(words),
            url => world.cli(words).env("FAILPROOF_API_URL", url),
        };
        let said = asked().run().ok();
        assert!(
            said.contains("https://other.example, from ") && said.contains("The session belongs to"),
            "{said}"
        );
        assert!(said.contains(&world.proxy.url()) && said.contains(ADA), "{said}");
    }
    let json =
        world.cli("whoami --explain --json").env("FAILPROOF_API_URL", "https://other.example").run().json();
    assert_eq!((&json["authenticated"], &json["mismatch"]["code"]), (&false.into(), &"mismatch".into()));
    let json = world.everkey("whoami --explain --json").json();
    assert_eq!((&json["authenticated"], &json["mismatch"]), (&true.into(), &serde_json::Value::Null));
}

/// The server that each command names for an account.
fn named(world: &World, profile: &str, variable: Option<&str>) -> Vec<String> {
    let run = |words: &str| {
        let cli = world.cli(&format!("{words} --json"));
        let cli = match variable {
            Some(url) => cli.env("FAILPROOF_API_URL", url),
            None => cli,
        };
        cli.run().json()
    };
    let list = run("profile list")["profiles"].clone();
    let listed =
        list.as_array().unwrap().iter().find(|one| one["name"] == profile).unwrap()["server"].clone();
    let all = [
        run(&format!("status -p {profile}"))["server"].clone(),
        listed,
        run(&format!("profile show {profile}"))["server"].clone(),
        run(&format!("whoami --explain -p {profile}"))["explain"]["server"]["used"]["value"].clone(),
    ];
    all.iter().map(|server| server.as_str().unwrap_or_default().to_owned()).collect()
}

#[test]
fn everything_names_the_server_of_a_sign_in() {
    let world = World::new();
    assert_eq!(named(&world, "failproofai", None), vec![world.proxy.url(); 4]);
    assert_eq!(named(&world, "failproofai", Some("https://v.example")), ["https://v.example"; 4]);
    let achilles = "achilles/default";
    assert_eq!(named(&world, achilles, None), ["http://localhost:3000"; 4]);
    world.everkey("config set server_url https://a.example -p achilles").ok();
    assert_eq!(named(&world, achilles, None), ["https://a.example"; 4]);
}

#[test]
fn everything_names_the_server_of_a_session() {
    let world = World::new();
    let other = world.another_server();
    let mut talk = world.cli(&format!("login --json --server {}", other.url())).talk();
    talk.json();
    talk.say(ADA);
    talk.json();
    talk.say(&other.code_after(ADA, 0));
    talk.finish().ok();
    assert_eq!(named(&world, "failproofai", Some("")), vec![other.url(); 4]);
    world.everkey("token").exits(2).complains(other.url());
    let list = world.everkey("profile list").ok();
    assert!(list.contains(&format!("{} (the next sign-in: {})", other.url(), world.proxy.url())), "{list}");
}

#[test]
fn an_agent_started_with_a_session_folder_uses_it() {
    let mut world = World::new();
    let elsewhere = world.root().join("elsewhere");
    world.set_env("FAILPROOFAI_AUTH_DIR", elsewhere.to_str().unwrap());
    world.login();
    assert!(elsewhere.join("auth.json").exists());
    assert!(world.session().is_none());
    world.cli("auth whoami").env("FAILPROOFAI_AUTH_DIR", "").run().ok();
}
