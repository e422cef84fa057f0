//! The command line: its forms, its JSON, its exit codes.

use everkey_tests::{ADA, Canned, Fault, Setup, World};
use serde_json::Value;

#[test]
fn usage_errors_exit_2_and_say_where_help_is() {
    let world = World::new();
    for words in
        ["frob", "auth", "auth frob", "--frob", "auth --login --logout", "login extra", "agent", "-p"]
    {
        let said = world.everkey(words).exits(2).complains("everkey --help");
        assert!(said.out.is_empty(), "{said:?}");
        assert_eq!(said.err.lines().count(), 2, "{said:?}");
    }
    assert_eq!(world.find_agent(), None, "a usage error starts no agent");
}

#[test]
fn each_command_has_help_and_a_typo_gets_a_suggestion() {
    let world = World::new();
    for (words, title) in [
        ("whoami --help", "everkey whoami: "),
        ("help status", "everkey status: "),
        ("auth token -h", "everkey token: "),
        ("agent stop --help", "everkey agent stop: "),
        ("help", "everkey: sign in once"),
    ] {
        let said = world.everkey(words).exits(0);
        assert!(said.out.starts_with(title) && said.err.is_empty(), "{words}: {said:?}");
    }
    world.everkey("tokn").exits(2).complains("did you mean `token`?");
    world.everkey("frob --help").exits(2).complains("there is no command \"frob\"");
    world.everkey("status --jsn").exits(2).complains("did you mean --json?");
    let said = world.everkey("status --jsn --json").exits(2).json();
    assert_eq!((&said["type"], &said["code"]), (&"error".into(), &"bad_request".into()));
    assert_eq!(world.find_agent(), None, "help starts no agent");
}

#[test]
fn every_form_of_a_command_does_the_same() {
    let world = World::signed_in(Setup::default());
    let whoami = world.everkey("auth whoami").ok();
    for words in
        ["whoami", "auth --whoami", "--whoami", "auth whoami --profile failproofai", "-p failproofai whoami"]
    {
        assert_eq!(world.everkey(words).ok(), whoami, "{words}");
    }
    let token = world.token();
    assert_eq!(world.everkey("token").ok(), token);
    world.everkey("auth --logout").ok();
    assert_eq!(world.everkey("--whoami").exits(1).out, "not signed in\n");
}

#[test]
fn a_token_stands_alone_on_stdout() {
    let world = World::signed_in(Setup::default());
    let said = world.everkey("auth token").exits(0);
    assert_eq!(said.out, format!("{}\n", world.session_text("access_token")));
    assert_eq!(said.err, "");
    let short = world.everkey("auth token --min-validity 9999h").exits(0);
    assert_eq!(short.out, format!("{}\n", world.session_text("access_token")));
    assert!(short.err.contains("never gives a token that long"), "{short:?}");
}

#[test]
fn every_command_has_a_json_form() {
    let world = World::signed_in(Setup::default());
    let json = |words: &str| world.everkey(words).json();

    let whoami = json("auth whoami --json");
    assert_eq!((&whoami["authenticated"], &whoami["user"]["email"]), (&true.into(), &ADA.into()));
    let status = json("auth status --json");
    assert_eq!(status["profile"], "failproofai");
    assert_eq!(status["server"], world.proxy.url());
    assert_eq!(status["session_file"], world.auth_file().to_str().unwrap());
    assert_eq!((&status["state"], &status["scheme"]), (&"valid".into(), &"otp".into()));
    let reason = status["next_wake"]["reason"].as_str().unwrap_or_default();
    assert!(["read_session_file", "read_reminder"].contains(&reason), "{status}");
    for at in ["access_expires_at", "refresh_expires_at", "next_refresh_at"] {
        assert!(status[at].is_u64(), "{at} in {status}");
    }
    assert!(status["last_error"].is_null(), "{status}");
    let token = json("auth token --json");
    assert_eq!(token["access_token"], world.session_text("access_token"));
    assert_eq!(
        (&token["token_type"], &token["expires_at"]),
        (&"Bearer".into(), &status["access_expires_at"])
    );
    assert!(json("auth refresh --json")["access_expires_at"].is_u64());
    let agent = json("agent status --json");
    assert_eq!(
        (&agent["pid"], &agent["socket"]),
        (&world.agent_pid().into(), &world.socket().to_str().into())
    );
    let logout = json("auth logout --json");
    assert_eq!((&logout["authenticated"], &logout["revocation"]), (&false.into(), &"revoked".into()));

    for words in ["auth whoami --json", "auth token --json", "auth refresh --json"] {
        let said = world.everkey(words).exits(1);
        let error = said.json();
        assert_eq!((&error["type"], &error["code"]), (&"error".into(), &"not_signed_in".into()), "{said:?}");
    }
    assert_eq!(world.everkey("auth status --json").exits(1).json()["state"], "signed_out");
    assert_eq!(json("agent stop --json")["running"], false);
}

#[test]
fn status_shows_everything_but_no_token() {
    let world = World::signed_in(Setup::default());
    let shown = world.everkey("auth status").ok();
    for part in ["failproofai", &world.proxy.url(), ADA, "with a code by email", "valid", "auth.json"] {
        assert!(shown.contains(part), "{part} is not in\n{shown}");
    }
    for secret in ["access_token", "refresh_token"] {
        assert!(!shown.contains(&world.session_text(secret)), "{shown}");
    }
    assert!(!shown.contains('\u{1b}'), "no colour into a pipe: {shown:?}");
}

#[test]
fn an_unknown_profile_is_told_with_the_known_ones() {
    let world = World::new();
    world
        .everkey("auth whoami --profile nope")
        .exits(2)
        .complains("There is: failproofai, achilles/default, binboi, dot-ai");
}

#[test]
fn without_a_home_it_says_what_to_set() {
    let mut world = World::new();
    world.set_env("EVERKEY_HOME", "");
    world.set_env("HOME", "");
    world.everkey("auth whoami").exits(7).complains("EVERKEY_HOME");
}

#[test]
fn version_and_log_are_json_where_asked() {
    let world = World::new();
    let version = world.everkey("--version --json").exits(0).json();
    assert_eq!(version["program"], "everkey", "{version}");
    assert!(world.everkey("--version").ok().ends_with(version["version"].as_str().unwrap()));
    world.everkey("agent start").ok();
    let log = world.everkey("agent logs --json").ok();
    let entries: Vec<Value> = log.lines().map(|line| serde_json::from_str(line).expect(line)).collect();
    assert!(entries.iter().any(|entry| entry["level"] == "info" && entry["message"].is_string()), "{log}");
}

#[test]
fn every_time_is_local_with_its_offset() {
    let mut world = World::with(Setup::default());
    world.set_env("TZ", "XYZ-5:45");
    world.login();
    world.everkey("reminder set").ok();
    let status = world.everkey("status").ok();
    let offsets = |text: &str| text.matches(" +05:45 (in ").count();
    let times = status.lines().filter(|line| {
        ["Expires", "Refresh", "Session", "Reminder"].iter().any(|name| line.starts_with(name))
    });
    assert_eq!(offsets(&status), times.count(), "{status}");
    assert!(offsets(&world.everkey("reminder get").ok()) == 1);
    assert!(offsets(&world.everkey("refresh").ok()) == 1);
    let mut events = world.start("events --past");
    assert!(events.line().contains(" +05:45  "));
    let short = world.everkey("token --min-validity 9999h").exits(0);
    assert!(offsets(&short.err) == 1, "{short:?}");
}

#[test]
fn a_wait_says_until_when_and_counts_one_second() {
    let world = World::new();
    for (secs, words) in [("1", "wait 1 second. "), ("30", "wait 30 seconds. ")] {
        let wait = Canned::new(429, "application/json", &[&format!("Retry-After: {secs}")], "{}");
        world.proxy.next("/v0/auth/login/request", Fault::Answer(wait));
        let said = world.cli("login").stdin(&format!("{ADA}\n")).run().exits(6).complains(words);
        assert!(said.err.contains("That is until ") && !said.err.contains("longer"), "{said:?}");
    }
}

#[test]
fn whoever_is_not_signed_in_reads_what_to_run() {
    let world = World::new();
    for words in ["whoami", "status", "token", "refresh", "reminder get", "reminder set"] {
        let said = world.everkey(words).exits(1);
        assert!(said.err.contains("`everkey login`"), "{words}: {said:?}");
    }
    let said = world.everkey("whoami --profile binboi").exits(1);
    assert!(said.err.contains("`everkey login --profile binboi`"), "{said:?}");
    assert_eq!(said.out, "not signed in\n");
}

#[test]
fn all_accounts_in_use_are_listed_and_signed_out() {
    let world = World::new();
    world.everkey("status --all").exits(1).complains("`everkey login`");
    let unused = world.everkey("profile list").ok();
    assert!(
        unused.lines().count() >= 4 && unused.lines().all(|line| line.ends_with("  not used")),
        "{unused}"
    );
    assert_eq!(world.find_agent(), None, "nobody had to be asked");

    world.login();
    let server = world.proxy.url();
    world.configure(&format!("[profiles.work]\nprovider = \"failproofai\"\nserver = \"{server}\"\n"));
    let list = world.everkey("profile list").ok();
    let line = |name: &str| list.lines().find(|line| line[2..].starts_with(name)).unwrap().to_owned();
    let own = line("failproofai");
    assert!(own.contains(ADA) && own.contains("valid, expires 20") && own.contains(" (in "), "{own}");
    assert!(line("work").ends_with("  signed out") && line("binboi").ends_with("  not used"), "{list}");
    let json = world.everkey("profile list --json").exits(0).json();
    let listed = json["profiles"].as_array().unwrap();
    let listed = listed.iter().find(|one| one["name"] == "failproofai").unwrap();
    assert_eq!((&listed["state"], &listed["user"]["email"]), (&"valid".into(), &ADA.into()), "{listed}");
    assert!(listed["access_expires_at"].is_u64(), "{listed}");

    let all = world.everkey("status --all").exits(1);
    assert!(all.out.contains("failproofai:\n") && all.out.contains("work:\n"), "{all:?}");
    assert!(!all.out.contains("binboi") && !all.out.contains("dot-ai"), "{all:?}");
    assert!(all.err.contains("`everkey login --profile work`"), "{all:?}");
    let lines = world.everkey("status --all --json").exits(1).out;
    assert_eq!(lines.lines().count(), 2, "{lines}");
    world.everkey("status --all --profile work").exits(2);

    let out = world.everkey("logout --all").exits(0).out;
    assert!(
        out.contains("failproofai:\nSigned out.") && out.contains("work:\nNobody was signed in."),
        "{out}"
    );
    assert!(world.session().is_none());
}
