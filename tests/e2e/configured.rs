//! `config.toml` while an agent runs: a mistake stops only what it touches, a change counts for the next request.

use everkey_tests::{Setup, World, eventually};

/// Two accounts of the same server; the lines are put behind the table of `other`.
fn toml(world: &World, other: &str) -> String {
    let url = world.proxy.url();
    format!(
        "[profiles.other]\nprovider = \"failproofai\"\nserver = \"{url}\"\n{other}\n\
         [profiles.good]\nprovider = \"failproofai\"\nserver = \"{url}\"\n"
    )
}

#[test]
fn a_mistake_in_one_profile_stops_only_that() {
    let world = World::signed_in(Setup::default());
    world.configure(&toml(&world, "sever = \"x\""));
    let place = format!("{}:4:1: ", world.home().join("config.toml").display());
    for words in [
        "token",
        "whoami",
        "status",
        "status -p good",
        "profile show good",
        "profile add x --provider binboi",
    ] {
        let said = world.everkey(words);
        assert!(said.code != 7 && said.code != 2, "{words}: {said:?}");
        assert_eq!(said.err.matches("warning: ").count(), 1, "{words}: {said:?}");
        assert!(said.err.contains(&place) && said.err.contains("`server`"), "{words}: {said:?}");
    }
    for words in ["token -p other", "status -p other", "profile show other", "logout -p other"] {
        let said = world.everkey(words).exits(7).complains(&place);
        assert!(said.out.is_empty(), "{words}: {said:?}");
    }
    let list = world.everkey("profile list").ok();
    let shown = list.lines().find(|line| line.starts_with("! other "));
    assert!(shown.is_some_and(|line| line.contains(&format!("can't be used: {place}"))), "{list}");
    let list = world.everkey("profile list --json").json();
    let listed = list["profiles"].as_array().unwrap().iter().find(|one| one["name"] == "other").unwrap();
    assert_eq!(listed["error"]["line"], 4);
    // An agent that starts now goes on with the rest, too, and says so once.
    world.stop_agent();
    world.everkey("token").ok();
    world.everkey("whoami").ok();
    assert_eq!(world.agent_log().matches("a mistake in the configuration").count(), 2, "one for each agent");
    world.everkey("profile remove other").ok();
    assert_eq!(world.everkey("token").exits(0).err, "");
}

#[test]
fn a_mistake_beside_profiles_stops_no_account() {
    let world = World::signed_in(Setup::default());
    for (mistake, line) in [("[reminder]\ncommand = \"x\"\n", 2), ("colour = 1\n", 1)] {
        world.configure(mistake);
        world.everkey("token").exits(0).complains(&format!("config.toml:{line}:1: "));
        world.everkey("status").exits(0).complains("warning: ");
    }
    world.configure("default = \"goood\"\n");
    world.everkey("token").exits(7).complains("`default`");
    world.everkey("token -p failproofai").exits(0).complains("warning: ");
}

#[test]
fn no_toml_leaves_open_accounts_alone() {
    let world = World::signed_in(Setup::default());
    world.configure(&toml(&world, ""));
    world.everkey("status -p good").exits(1);
    world.configure(&format!("{}\n[profiles.last\n", toml(&world, "")));
    world.everkey("token").exits(0).complains("warning: ");
    world.everkey("status -p good").exits(1).complains("warning: ");
    world.everkey("status -p other").exits(7).complains("config.toml:9:");
    // What the file may change is not guessed.
    world.configure("[profiles.binboi]\nserver = \n");
    world.everkey("status -p binboi").exits(7).complains("config.toml:2:");
    world.everkey("status -p dot-ai").exits(1);
    world.stop_agent();
    world.everkey("token").ok();
}

#[test]
fn a_change_counts_for_the_next_request() {
    let world = World::new();
    let another = world.another_server();
    world.configure("[profiles.good]\nprovider = \"binboi\"\nserver = \"https://one.example\"\n");
    let server = || world.everkey("status --json -p good").json()["server"].clone();
    assert_eq!(server(), "https://one.example");
    let agent = world.agent_pid();
    world.configure(&format!("[profiles.good]\nprovider = \"binboi\"\nserver = \"{}\"\n", another.url()));
    assert_eq!(server(), another.url());
    world.configure("[profiles.good]\nprovider = \"binboi\"\nsession_file = \"~/b.json\"\n");
    let file = world.everkey("status --json -p good").json()["session_file"].clone();
    assert_eq!(file, world.home().join("home/b.json").to_str().unwrap());
    assert_eq!(world.agent_pid(), agent);
}

#[test]
fn another_margin_counts_for_a_session_in_use() {
    let world = World::signed_in(Setup::default());
    let refresh = || eventually("a plan to refresh", || world.status()["next_refresh_at"].as_u64());
    let (before, agent) = (refresh(), world.agent_pid());
    world.configure("[profiles.failproofai]\nprovider = \"failproofai\"\nmargin_secs = 1700\n");
    assert!(refresh() + 300 < before, "an hour's token is refreshed half an hour ahead");
    assert_eq!(world.agent_pid(), agent);
}
