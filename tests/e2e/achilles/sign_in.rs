//! Signing in by device code, and what can go wrong.

use super::*;

#[test]
fn the_servers_pause_between_polls_is_kept() {
    let world = world(Setup::default());
    let mut account = Account::of(&world, DEFAULT);
    let start = Instant::now();
    account.login();
    until("two polls", || world.proxy.seen(POLL).len() >= 2);
    assert!(start.elapsed() >= Duration::from_secs(4), "the server wants two seconds before each");
}

#[test]
fn polling_survives_errors_and_obeys_slow_down() {
    let world = world(Setup::default());
    let portal = Canned::json(500, &json!({}));
    let limited = json!({ "success": false, "error": "Too many poll requests." });
    world.proxy.next(POLL, Fault::LoseRequest);
    world.proxy.next(POLL, Fault::Answer(portal));
    world.proxy.next(
        POLL,
        Fault::Answer(Canned::new(429, "application/json", &["Retry-After: 1"], &limited.to_string())),
    );
    let mut account = Account::of(&world, DEFAULT);
    sign_in(&mut account, &mut Person::sign_in(&world.server, ADA));
    assert!(world.proxy.seen(POLL).len() >= 4);
}

#[test]
fn denied_and_expired_codes_differ_and_change_nothing() {
    let world = world(Setup::default());
    let mut account = Account::of(&world, DEFAULT);
    let mut person = Person::sign_in(&world.server, ADA);
    let shown = account.login();
    person.decide(shown["user_code"].as_str().unwrap(), Approval::No);
    let failed = account.after(&shown);
    assert_eq!((&failed["reply"], &failed["code"]), (&"error".into(), &"refused".into()), "{failed}");
    assert!(failed["message"].as_str().unwrap().contains("denied"), "{failed}");

    let gone = json!({ "success": false, "error": "Device code expired" });
    world.proxy.next(POLL, Fault::Answer(Canned::json(410, &gone)));
    let shown = account.login();
    let failed = account.after(&shown);
    assert_eq!(failed["code"], "refused", "{failed}");
    assert!(failed["message"].as_str().unwrap().contains("expired"), "{failed}");

    let unknown = json!({ "success": false, "error": "Unknown device code" });
    world.proxy.next(POLL, Fault::Answer(Canned::json(404, &unknown)));
    let shown = account.login();
    let failed = account.after(&shown);
    assert!(failed["message"].as_str().unwrap().contains("Unknown device code"), "{failed}");
    assert!(!world.home().join(FILE).exists());
    sign_in(&mut account, &mut person);
}

#[test]
fn a_code_expires_even_when_the_server_is_silent() {
    let world = world(Setup::default());
    // By the server's own clock, which may be another than ours.
    let codes = json!({ "success": true, "data": {
        "device_code": "dc", "user_code": "ABCD-2345", "verification_url": "http://localhost:1/cli/verify",
        "expires_at": "1970-01-01T00:00:03.000Z", "poll_interval": 1,
    }});
    let date = ["Date: Thu, 01 Jan 1970 00:00:00 GMT"];
    world.proxy.next(CODES, Fault::Answer(Canned::new(200, "application/json", &date, &codes.to_string())));
    world.proxy.every(POLL, Fault::LoseRequest);
    let mut account = Account::of(&world, DEFAULT);
    let shown = account.login();
    let failed = account.after(&shown);
    // Whether somebody approved it, a server that does not answer has not said.
    assert_eq!(failed["code"], "offline", "{failed}");
}

#[test]
fn a_page_that_browsers_should_not_open_is_never_shown() {
    let world = world(Setup::default());
    let mut account = Account::of(&world, DEFAULT);
    let hostile: [fn(&mut Value); 3] = [
        |answer| answer["data"]["verification_url"] = "http://achilles.example/cli/verify".into(),
        |answer| answer["data"]["verification_url"] = "javascript:alert(1)".into(),
        |answer| answer["data"]["user_code"] = "\u{1b}[2J".into(),
    ];
    for change in hostile {
        world.proxy.next(CODES, Fault::Rewrite(change));
        let failed = account.login();
        assert_eq!((&failed["reply"], &failed["code"]), (&"error".into(), &"offline".into()), "{failed}");
    }
    // As the original does.
    world.proxy.next(
        CODES,
        Fault::Rewrite(|answer| {
            let code = answer["data"]["user_code"].as_str().unwrap();
            answer["data"]["verification_url"] = format!("https://a.example/cli-auth?code={code}").into();
        }),
    );
    let shown = account.login();
    assert_eq!(shown["complete_url"], shown["url"], "{shown}");
    assert!(shown["url"].as_str().unwrap().ends_with(shown["user_code"].as_str().unwrap()), "{shown}");
}

#[test]
fn a_sign_in_goes_on_after_a_kill() {
    let (world, mut account) = signed_in(Setup::default());
    let other = world.another_server();
    let before = fs::read(world.home().join(FILE)).unwrap();
    let shown = account.ask("login", &json!({ "server": other.url() }));
    assert_eq!(shown["reply"], "show", "{shown}");
    world.kill_agent();
    assert_eq!(fs::read(world.home().join(FILE)).unwrap(), before);

    let mut account = Account::of(&world, DEFAULT);
    let joined = account.ask("login", &json!({ "join": shown["flow"] }));
    assert_eq!((&joined["reply"], &joined["user_code"]), (&"show".into(), &shown["user_code"]), "{joined}");
    account.refresh();
    assert_eq!((world.server.events("rotated"), other.events("rotated")), (1, 0));
    Person::sign_in(&other, "bob@example.com").decide(shown["user_code"].as_str().unwrap(), Approval::Yes);
    assert_eq!(account.after(&joined)["user"]["email"], "bob@example.com");
    account.refresh();
    assert_eq!((world.server.events("rotated"), other.events("rotated")), (1, 1));
}

#[test]
fn signing_in_works_again_after_a_kill_before_tokens() {
    let world = world(Setup::default());
    let mut account = Account::of(&world, DEFAULT);
    let gate = Gate::default();
    let shown = account.login();
    Person::sign_in(&world.server, ADA).decide(shown["user_code"].as_str().unwrap(), Approval::Yes);
    world.proxy.every(POLL, Fault::HoldAnswer(gate.clone()));
    until("the tokens to be given out", || world.server.events("login") == 1);
    kill_and_wait(world.agent_pid());
    gate.open();
    world.proxy.heal();
    assert!(!world.home().join(FILE).exists());
    let mut account = Account::of(&world, DEFAULT);
    assert_eq!(account.status()["state"], "signed_out");
    // The agent's next life polls with the same code.
    let done = account.after(&shown);
    assert_eq!(done["reply"], "done", "{done}");
    assert_as_the_contract_says(&world);
}

#[test]
fn its_commands_use_the_configured_server_and_show_the_user() {
    let world = world(Setup::default());
    let mut talk = world.start("--profile achilles login --json");
    let shown = talk.json();
    assert_eq!((&shown["type"], &shown["profile"]), (&"show".into(), &Value::Null), "{shown}");
    Person::sign_in(&world.server, ADA).decide(shown["user_code"].as_str().unwrap(), Approval::Yes);
    let done = talk.json();
    assert_eq!((&done["type"], &done["user"]["email"]), (&"done".into(), &ADA.into()), "{done}");
    talk.finish().ok();
    let session = read(&world, FILE);
    let status = world.everkey("--profile achilles status").ok();
    for wanted in [&world.proxy.url(), session["org_id"].as_str().unwrap(), session["role"].as_str().unwrap()]
    {
        assert!(status.contains(wanted), "{wanted} in {status}");
    }
    assert!(world.everkey("--profile achilles logout").ok().contains("no way to revoke"));

    // Its own tool changes the server while the agent runs.
    let other = world.another_server();
    world.put(CONFIG, &config(other.url()));
    let mut talk = world.start("--profile achilles login --json");
    let shown = talk.json();
    assert_eq!(shown["url"], format!("{}/cli/verify", other.url()), "{shown}");
    Person::sign_in(&other, ADA).decide(shown["user_code"].as_str().unwrap(), Approval::No);
    let failed = talk.json();
    assert!(failed["message"].as_str().is_some_and(|text| text.contains("denied")), "{failed}");
    talk.finish().exits(5);
}

#[test]
fn the_command_goes_on_when_the_agent_is_killed() {
    let world = world(Setup::default());
    let mut talk = world.start("login --profile achilles --json");
    let code = talk.json()["user_code"].as_str().unwrap().to_owned();
    world.kill_agent();
    Person::sign_in(&world.server, ADA).decide(&code, Approval::Yes);
    let mut step = talk.json();
    if step["type"] == "show" {
        assert_eq!(step["user_code"], code.as_str());
        step = talk.json();
    }
    assert_eq!((&step["type"], &step["user"]["email"]), (&"done".into(), &ADA.into()), "{step}");
    talk.finish().ok();
}
