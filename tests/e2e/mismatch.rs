//! A caller that counts on another server or file than the agent uses is told, never served from the wrong one.

use everkey_tests::{Setup, World};

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
fn another_session_folder_in_the_environment_is_told() {
    let world = World::signed_in(Setup::default());
    let elsewhere = world.root().join("elsewhere");
    for words in ["auth token", "auth whoami", "auth status", "auth login", "auth logout"] {
        let said = world.cli(words).env("FAILPROOFAI_AUTH_DIR", elsewhere.to_str().unwrap()).run().exits(2);
        assert!(said.err.contains(world.auth_file().to_str().unwrap()), "{said:?}");
        assert!(said.err.contains(elsewhere.join("auth.json").to_str().unwrap()), "{said:?}");
    }
    assert!(world.session().is_some());
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
