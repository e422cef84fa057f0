//! Signing in: what can go wrong, and sign-ins that outlive their terminal.

use everkey_tests::{ADA, Canned, Fault, Person, Setup, World};
use serde_json::json;

const REQUEST: &str = "/v0/auth/login/request";
const VERIFY: &str = "/v0/auth/login/verify";

fn wrong(code: &str) -> String {
    let number: u32 = code.parse().unwrap();
    format!("{:06}", (number + 1) % 1_000_000)
}

#[test]
fn signing_in_by_plain_lines_on_a_pipe() {
    let world = World::new();
    let mut talk = world.start("auth login");
    talk.say(ADA);
    talk.say(&world.server.code_after(ADA, 0));
    assert!(talk.finish().ok().contains(&format!("Signed in as {ADA}")));
    let again = world.everkey("auth login").ok();
    assert!(again.contains(&format!("Already signed in as {ADA}")), "{again}");
    assert_eq!(world.server.events("login"), 1);
}

#[test]
fn answers_may_be_json_or_bare_text() {
    let world = World::new();
    let mut talk = world.start("auth login --json");
    assert_eq!(talk.json()["type"], "ask");
    talk.say(&json!({ "answer": ADA }).to_string());
    assert_eq!(talk.json()["field"], "code");
    // As people paste it.
    let code = world.server.code_after(ADA, 0);
    talk.say(&format!(" {} {} ", &code[..3], &code[3..]));
    let done = talk.json();
    assert_eq!((&done["type"], &done["profile"]), (&"done".into(), &"failproofai".into()));
    assert_eq!(done["user"]["email"], ADA);
    talk.finish().ok();
}

#[test]
fn a_wrong_email_is_asked_for_three_times() {
    let world = World::new();
    let said = world.cli("auth login").stdin("nonsense\na b@c\n@\n").run().exits(5);
    assert!(said.err.contains("That email address was not accepted"), "{said:?}");
    assert!(world.proxy.seen(REQUEST).is_empty(), "what can't be an address bothers no server");
    assert!(world.session().is_none());
}

#[test]
fn a_wrong_code_is_asked_for_five_times() {
    let world = World::new();
    let mut talk = world.start("auth login --json");
    talk.json();
    talk.say(ADA);
    talk.json();
    let code = world.server.code_after(ADA, 0);
    for _ in 0..4 {
        talk.say(&wrong(&code));
        let again = talk.json();
        assert_eq!((&again["field"], &again["again"]["code"]), (&"code".into(), &"refused".into()));
    }
    talk.say(&wrong(&code));
    assert_eq!(talk.json()["code"], "refused");
    talk.finish().exits(5);
    assert_eq!(world.server.events("code_refused"), 5);
    world.everkey("auth whoami").exits(1);
    world.login();
}

#[test]
fn the_end_of_input_leaves_the_sign_in_open() {
    let world = World::new();
    let said = world.cli("auth login").stdin(&format!("{ADA}\n")).run().exits(2);
    assert!(said.err.contains("login --continue"), "{said:?}");
    let code = world.server.code_after(ADA, 0);
    let said = world.cli("login --continue").stdin(&format!("{code}\n")).run().ok();
    assert!(said.contains(&format!("Signed in as {ADA}")), "{said}");
    world.everkey("login --continue").ok();
    world.everkey("logout").ok();
    world.everkey("login --continue").exits(2).complains("No sign-in is under way");
}

#[test]
fn rate_limits_exit_6_with_the_seconds() {
    let world = World::with(Setup { real_limits: true, ..Setup::default() });
    world.cli("auth login").stdin(&format!("{ADA}\n")).run().exits(2);
    let said = world.cli("auth login --new").stdin(&format!("{ADA}\n")).run().exits(6);
    let words = ["Rate limited by the api-server: wait ", " seconds."];
    let secs = said.err.split(words[0]).nth(1).and_then(|rest| rest.split(words[1]).next());
    let secs: u64 = secs.and_then(|secs| secs.parse().ok()).unwrap_or_else(|| panic!("{said:?}"));
    assert!((1..=30).contains(&secs), "{said:?}");

    let mut talk = world.start("auth login --json");
    talk.json();
    talk.say(ADA);
    let error = talk.json();
    assert_eq!(error["code"], "rate_limited");
    assert!(error["retry_after_secs"].as_u64().is_some_and(|secs| secs <= 30), "{error}");
    talk.finish().exits(6);
}

#[test]
fn an_unreachable_server_exits_4_and_is_named() {
    let mut world = World::new();
    world.proxy.go_away();
    let said = world.cli("auth login").stdin(&format!("{ADA}\n")).run().exits(4);
    let url = world.proxy.url();
    assert!(said.err.contains(&format!("Could not reach the api-server at {url}")), "{said:?}");
    assert!(said.err.contains("FAILPROOF_API_URL"), "{said:?}");
}

#[test]
fn what_is_no_api_server_exits_4() {
    let world = World::new();
    let redirect = Canned::new(307, "text/html", &["Location: http://127.0.0.1:9/"], "");
    for (canned, words) in [
        (Canned::captive_portal(), "is not an api-server"),
        (redirect, "nothing was sent there"),
        (Canned::new(502, "text/html", &[], "<h1>Bad gateway</h1>"), "answered with status 502"),
        (Canned::new(404, "text/html", &[], "<h1>Not found</h1>"), "answered with status 404"),
    ] {
        world.proxy.next(REQUEST, Fault::Answer(canned));
        world.cli("auth login").stdin(&format!("{ADA}\n")).run().exits(4).complains(words);
    }
    let mut talk = world.start("auth login --json");
    talk.json();
    talk.say(ADA);
    talk.json();
    world.proxy.next(VERIFY, Fault::Answer(Canned::captive_portal()));
    talk.say(&world.server.code_after(ADA, 0));
    assert_eq!(talk.json()["code"], "offline");
    talk.finish().exits(4);
    assert!(world.session().is_none());
}

#[test]
fn a_server_over_plain_http_elsewhere_is_refused() {
    let world = World::new();
    let said = world.everkey("auth login --server http://api.example.com").exits(2);
    assert!(said.err.contains("unencrypted"), "{said:?}");
    world.everkey("auth login --server ftp://127.0.0.1").exits(2);
    world.everkey("auth login --server nonsense").exits(2);
}

#[test]
fn who_comes_second_joins_only_on_request() {
    let world = World::new();
    let mut one = world.start("auth login --json");
    let flow = one.json()["flow"].clone();
    let mut two = world.start("auth login --json --continue");
    assert_eq!(two.json()["flow"], flow);
    one.say(ADA);
    assert_eq!(one.json()["field"], "code");
    for other in ["auth login --json", "auth login --json bob@example.com"] {
        let refused = world.everkey(other).exits(2).json();
        assert_eq!(refused["code"], "in_progress", "{refused}");
        let under_way = &refused["under_way"];
        assert_eq!((&under_way["flow"], &under_way["email"]), (&flow, &ADA.into()), "{refused}");
        assert!(under_way["started_at"].as_u64().is_some_and(|at| at > 1_700_000_000), "{refused}");
    }
    world.cli("auth login").stdin("bob@example.com\n").run().exits(2).complains(ADA);
    let mut three = world.start("auth login --json --continue");
    let joined = three.json();
    assert_eq!((&joined["flow"], &joined["field"]), (&flow, &"code".into()));
    assert_eq!((&joined["tries"], &joined["sent"]["to"]), (&5.into(), &ADA.into()), "{joined}");

    three.say(&world.server.code_after(ADA, 0));
    assert_eq!(three.json()["type"], "done");
    three.finish().ok();
    // The others hear of it, whichever question they were at.
    assert_eq!(one.json()["user"]["email"], ADA);
    one.finish().ok();
    let next = two.json();
    let done = if next["type"] == "ask" { two.json() } else { next };
    assert_eq!(done["type"], "done", "{done}");
    two.finish().ok();
    assert_eq!((world.server.events("code_sent"), world.server.events("login")), (1, 1));
    world.everkey("auth whoami").ok();
}

#[test]
fn answering_in_another_terminal_completes_the_first() {
    let world = World::new();
    let mut first = world.start("auth login --json");
    let flow = first.json()["flow"].as_u64().unwrap();
    let answer =
        |text: &str| world.cli(&format!("auth answer {flow} --json")).stdin(&format!("{text}\n")).run();
    answer(ADA).exits(2);
    assert_eq!(first.json()["field"], "code", "it is asked what is asked now");
    answer("000000");
    assert_eq!(first.json()["again"]["code"], "refused");
    answer(&world.server.code_after(ADA, 0)).ok();
    assert_eq!(first.json()["type"], "done");
    first.finish().ok();
}

#[test]
fn a_sign_in_outlives_its_terminal() {
    let world = World::new();
    let mut talk = world.start("auth login --json");
    let flow = talk.json()["flow"].as_u64().unwrap();
    talk.say(ADA);
    talk.json();
    talk.kill();
    let code = world.server.code_after(ADA, 0);
    let said = world.cli(&format!("auth answer {flow}")).stdin(&format!("{code}\n")).run().ok();
    assert!(said.contains(&format!("Signed in as {ADA}")), "{said}");
    world.everkey("auth whoami").ok();
    world.cli(&format!("auth answer {flow}")).stdin("1\n").run().exits(2).complains("is over");
}

#[test]
fn signing_in_elsewhere_replaces_the_session() {
    let mut world = World::signed_in(Setup::default());
    let other = World::new();
    world.set_env("FAILPROOF_API_URL", "");
    let mut talk = world.start(&format!("auth login --json --server {}", other.proxy.url()));
    talk.json();
    talk.say("bob@example.com");
    talk.json();
    talk.say(&other.server.code_after("bob@example.com", 0));
    assert_eq!(talk.json()["type"], "done");
    talk.finish().ok();
    assert!(world.everkey("auth whoami").ok().starts_with("bob@example.com"));
    assert_eq!(world.status()["server"], other.proxy.url());
    world.everkey("auth refresh").ok();
    assert_eq!((world.proxy.refreshes(), other.proxy.refreshes()), (0, 1));
    // The new server stays the session's own, whatever a new agent is told.
    world.stop_agent();
    world.everkey("auth refresh").ok();
    assert_eq!((world.proxy.refreshes(), other.proxy.refreshes()), (0, 2));
}

#[test]
fn a_begun_sign_in_can_be_replaced() {
    let world = World::new();
    let mut one = world.start("auth login --json carl@example.com");
    assert_eq!(one.json()["field"], "code");
    let mut two = world.start("auth login --json --new dora@example.com");
    assert_eq!(two.json()["sent"]["to"], "dora@example.com");
    let told = one.json();
    assert_eq!(told["code"], "cancelled");
    assert!(told["message"].as_str().is_some_and(|words| words.contains("in place of this one")), "{told}");
    one.finish().exits(2);
    two.say(&world.server.code_after("dora@example.com", 0));
    assert_eq!(two.json()["user"]["email"], "dora@example.com");
    two.finish().ok();
}

#[test]
fn a_sign_in_needs_no_terminal() {
    let world = World::new();
    let folder = tempfile::tempdir().unwrap();
    let file = folder.path().join("code");
    let mut talk = world.start(&format!("login {ADA} --code-file -"));
    talk.say(&world.server.code_after(ADA, 0));
    assert!(talk.finish().ok().contains(&format!("Signed in as {ADA}")));
    world.everkey("logout").ok();

    world.everkey(&format!("login --email {ADA}")).exits(2).complains("login --continue");
    std::fs::write(&file, wrong(&world.server.code_after(ADA, 1))).unwrap();
    let with_file = format!("login --continue --code-file {}", file.display());
    world.everkey(&with_file).exits(5).complains("not accepted");
    std::fs::write(&file, format!("Code: {}\n", world.server.code_after(ADA, 1))).unwrap();
    world.everkey(&with_file).ok();
    assert!(world.everkey("whoami").ok().starts_with(ADA));
    world.everkey("logout").ok();
    world.everkey("login nonsense@").exits(5).complains("email address");
    world.everkey(&format!("login {ADA} too many")).exits(2);
}

#[test]
fn a_second_factor_is_a_step_of_the_sign_in() {
    let world = World::new();
    let phone = Person::sign_in(&world.server, ADA).protect();
    let before = world.server.codes(ADA).len();
    let mut talk = world.start("login --json");
    talk.json();
    talk.say(ADA);
    talk.json();
    talk.say(&world.server.code_after(ADA, before));
    let asked = talk.json();
    assert_eq!((&asked["field"], &asked["tries"]), (&"second_factor".into(), &5.into()), "{asked}");
    talk.say("no");
    assert_eq!(talk.json()["tries"], 5, "nothing was sent");
    talk.say(&wrong(&phone.next_code()));
    let again = talk.json();
    assert_eq!((&again["tries"], &again["again"]["code"]), (&4.into(), &"refused".into()), "{again}");
    let code = phone.next_code();
    talk.say(&format!("{} {}", &code[..3], &code[3..]));
    assert_eq!(talk.json()["user"]["email"], ADA);
    talk.finish().ok();
    world.everkey("whoami").ok();

    world.everkey("logout").ok();
    let mut talk = world.start(&format!("login {ADA}"));
    talk.say(&world.server.code_after(ADA, before + 1));
    talk.say(&phone.recovery_codes[0]);
    let said = talk.finish();
    assert!(said.err.contains("second factor"), "{said:?}");
    assert!(said.ok().contains(&format!("Signed in as {ADA}")));
}

#[test]
fn a_bare_host_is_taken_as_it_is_meant() {
    let mut world = World::new();
    let here = world.proxy.url();
    let bare = here.trim_start_matches("http://").to_owned();
    let port = bare.rsplit(':').next().unwrap_or_default().to_owned();
    world.set_env("FAILPROOF_API_URL", "");
    let said = world.cli(&format!("login --server {bare}")).stdin(&format!("{ADA}\n")).run().exits(2);
    assert!(said.err.contains(&format!("Signing in at {here}\n")), "{said:?}");
    assert_eq!(world.server.codes(ADA).len(), 1, "{said:?}");
    world.cli(&format!("login --new --server localhost:{port}")).stdin(&format!("{ADA}\n")).run().exits(2);
    assert_eq!(world.server.codes(ADA).len(), 2);
    let said = world.everkey("login --server https://[::1").exits(2);
    assert!(said.err.contains("one looks like https://") && !said.err.contains("IPv6"), "{said:?}");

    world.configure(&format!("[profiles.failproofai]\nprovider = \"failproofai\"\nserver = \"{bare}\"\n"));
    assert_eq!(world.everkey("profile show failproofai --json").json()["server"], here.as_str());
}

#[test]
fn where_something_answers_the_network_is_not_blamed() {
    let world = World::new();
    for canned in [
        Canned::captive_portal(),
        Canned::new(404, "text/html", &[], "<h1>Not found</h1>"),
        Canned::new(501, "text/html", &[], "<h1>Unsupported method</h1>"),
        Canned::new(502, "text/html", &[], "<h1>Bad gateway</h1>"),
    ] {
        world.proxy.next(REQUEST, Fault::Answer(canned));
        let said = world.cli("login").stdin(&format!("{ADA}\n")).run().exits(4);
        assert!(!said.err.contains("your network"), "{said:?}");
    }
}
