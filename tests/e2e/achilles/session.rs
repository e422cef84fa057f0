//! What becomes of a session: refreshes, sign-outs, its file, its server.

use super::*;

#[test]
fn device_code_sign_in_writes_the_tools_own_format() {
    let world = world(Setup::default());
    let mut account = Account::of(&world, DEFAULT);
    let shown = account.login();
    assert_eq!(shown["url"], format!("{}/cli/verify", world.proxy.url()), "{shown}");
    assert_eq!(shown["complete_url"], Value::Null, "that page wants the code typed");
    let joined = account.ask("login", &json!({ "join": shown["flow"] }));
    assert_eq!((&joined["flow"], &joined["user_code"]), (&shown["flow"], &shown["user_code"]));
    Person::sign_in(&world.server, ADA).decide(shown["user_code"].as_str().unwrap(), Approval::Yes);
    let done = account.after(&shown);
    assert_eq!((&done["reply"], &done["user"]["email"]), (&"done".into(), &ADA.into()), "{done}");

    assert_as_the_contract_says(&world);
    let session = read(&world, FILE);
    let status = account.status();
    assert_eq!((&status["state"], &status["provider"]), (&"valid".into(), &"achilles".into()), "{status}");
    assert_eq!((&status["about"]["role"], &status["about"]["org"]), (&session["role"], &session["org_id"]));
    assert_eq!(account.request("whoami")["email"], ADA);
    assert_eq!(account.token(), session["access_token"].as_str().unwrap());
    let inspected = account.request("inspect");
    assert_eq!(
        (&inspected["verdict"], &inspected["user"]["email"]),
        (&"accepted".into(), &ADA.into()),
        "{inspected}"
    );
}

#[test]
fn ten_refreshes_in_a_row_survive() {
    let (world, mut account) = signed_in(Setup { refresh_gap_ms: Some(1), ..Setup::default() });
    let mut seen = vec![read(&world, FILE)["refresh_token"].clone()];
    for _ in 0..10 {
        account.refresh();
        assert_as_the_contract_says(&world);
        let session = read(&world, FILE);
        assert!(!seen.contains(&session["refresh_token"]), "the successor is the one that is kept");
        seen.push(session["refresh_token"].clone());
    }
    assert_eq!((world.server.events("rotated"), world.proxy.seen(REFRESH).len()), (10, 10));
    assert_eq!(world.server.call("GET", ME, Some(&account.token()), None).status(), 200);
    assert_eq!(account.request("whoami")["email"], ADA, "refresh answers don't say who it is");
    world.kill_agent();
    let mut account = Account::of(&world, DEFAULT);
    account.refresh();
    assert_eq!(world.server.events("rotated"), 11);
}

#[test]
fn a_lost_answer_is_requested_again_if_the_server_promises() {
    let (world, mut account) = signed_in(Setup::default());
    world.proxy.next(REFRESH, Fault::LoseAnswer);
    account.refresh();
    let keys: Vec<_> = world.proxy.seen(REFRESH);
    assert_eq!(keys.len(), 2);
    assert!(
        keys[0].header("idempotency-key").is_some_and(|key| keys[1].header("idempotency-key") == Some(key))
    );
    assert_eq!((world.server.events("rotated"), world.server.events("repeat_answered")), (1, 1));
    assert_eq!(world.server.call("GET", ME, Some(&account.token()), None).status(), 200);
}

#[test]
fn a_refusal_ends_the_session_and_nothing_else_does() {
    let (world, mut account) = signed_in(Setup::default());
    let before = fs::read(world.home().join(FILE)).unwrap();
    for answer in [
        Canned::captive_portal(),
        Canned::new(302, "text/html", &["Location: /"], ""),
        Canned::json(400, &json!({ "success": false, "error": "refresh_token is required" })),
        Canned::json(401, &json!({ "error": "no success field" })),
        Canned::new(401, "text/html", &[], "<h1>Proxy authentication</h1>"),
    ] {
        world.proxy.next(REFRESH, Fault::Answer(answer));
        account.refresh();
    }
    assert_ne!(fs::read(world.home().join(FILE)).unwrap(), before);
    let refused = json!({ "success": false, "error": "Invalid or expired refresh token" });
    world.proxy.every(REFRESH, Fault::Answer(Canned::json(401, &refused)));
    let answer = account.ask("refresh", &json!({ "force": true }));
    assert_eq!((&answer["reply"], &answer["code"]), (&"error".into(), &"needs_login".into()), "{answer}");
    assert_eq!(account.status()["state"], "needs_login");
}

#[test]
fn signing_out_removes_the_file_and_warns_of_no_revocation() {
    let (world, mut account) = signed_in(Setup::default());
    let token = account.token();
    let out = account.request("logout");
    assert_eq!((&out["reply"], &out["revocation"]), (&"logged_out".into(), &"impossible".into()), "{out}");
    assert!(!world.home().join(FILE).exists());
    assert_eq!(account.request("whoami")["code"], "not_signed_in");
    assert_eq!(account.request("logout")["revocation"], "nothing_to_do");
    assert_eq!(world.server.call("GET", ME, Some(&token), None).status(), 200, "as it says");
}

#[test]
fn its_own_profiles_are_accounts_of_their_own() {
    let world = World::with(Setup::default());
    let other = world.another_server();
    let profiles = json!({
        "active_profile": "production",
        "profiles": { "default": { "server_url": world.proxy.url() }, "production": { "server_url": other.url() } },
    });
    world.put(CONFIG, &profiles.to_string());
    let (mut one, mut two) = (Account::of(&world, DEFAULT), Account::of(&world, "achilles/production"));
    let (first, second) = (one.login(), two.login());
    Person::sign_in(&world.server, ADA).decide(first["user_code"].as_str().unwrap(), Approval::Yes);
    Person::sign_in(&other, "bob@example.com").decide(second["user_code"].as_str().unwrap(), Approval::Yes);
    assert_eq!(one.after(&first)["user"]["email"], ADA);
    assert_eq!(two.after(&second)["user"]["email"], "bob@example.com");
    two.refresh();
    assert_eq!((world.server.events("rotated"), other.events("rotated")), (0, 1));
    assert_eq!(read(&world, FILE)["email"], ADA);
    assert_eq!(read(&world, "home/.achilles/auth-production.json")["email"], "bob@example.com");
    // The one that is in use there is the one that is meant.
    assert_eq!(Account::of(&world, "achilles").request("whoami")["email"], "bob@example.com");
    two.request("logout");
    assert_eq!(one.request("whoami")["email"], ADA);
}

#[test]
fn tokens_stay_with_their_server_when_the_address_changes() {
    let (world, _) = signed_in(Setup::default());
    let other = world.another_server();
    world.put(CONFIG, &config(other.url()));
    world.kill_agent();
    let mut account = Account::of(&world, DEFAULT);
    account.refresh();
    assert_eq!(account.status()["server"], world.proxy.url());
    assert_eq!((world.server.events("rotated"), other.events("rotated")), (1, 0));
    world.put(CONFIG, &config("http://achilles.example"));
    world.kill_agent();
    let failed = Account::of(&world, DEFAULT).status();
    assert!(failed["message"].as_str().is_some_and(|text| text.contains("unencrypted")), "{failed}");
}

/// Signs in past everkey, and writes the file as the original does: for all to read, and with what a later version adds.
fn by_its_own_tool(world: &World, person: &mut Person) -> Value {
    let codes = world.server.call("POST", CODES, None, Some(&json!({}))).json()["data"].clone();
    person.decide(codes["user_code"].as_str().unwrap(), Approval::Yes);
    let body = json!({ "device_code": codes["device_code"] });
    let mut session = world.server.call("POST", POLL, None, Some(&body)).json()["data"].clone();
    session.as_object_mut().unwrap().remove("refresh_retry");
    session["issued_at"] = session["expires_at"].clone();
    session["theme"] = json!({ "dark": true });
    let path = world.put(FILE, &serde_json::to_string_pretty(&session).unwrap());
    fs::set_permissions(&path, fs::Permissions::from_mode(0o644)).unwrap();
    session
}

#[test]
fn the_tools_own_file_is_adopted_whole_and_tightened() {
    let world = world(Setup::default());
    let mut person = Person::sign_in(&world.server, ADA);
    let before = by_its_own_tool(&world, &mut person);
    let mut account = Account::of(&world, DEFAULT);
    assert_eq!(account.request("whoami")["email"], ADA);
    assert_eq!(mode(&world, FILE), 0o600);
    assert_eq!(account.token(), before["access_token"].as_str().unwrap());
    account.refresh();
    let after = read(&world, FILE);
    assert_ne!(after["refresh_token"], before["refresh_token"]);
    for kept in ["theme", "user_id", "org_id", "role", "email"] {
        assert_eq!(after[kept], before[kept], "{kept}");
    }
    // It signs in again while the agent runs.
    let again = by_its_own_tool(&world, &mut person);
    until("the new session to be taken over", || account.token() == again["access_token"].as_str().unwrap());
    until("the file to be tightened", || mode(&world, FILE) == 0o600);
    account.refresh();
}

#[test]
fn a_file_of_a_newer_version_is_left_alone() {
    let world = world(Setup::default());
    let newer = r#"{"version":2,"sessions":[{"access":"x"}]}"#;
    world.put(FILE, newer);
    let mut account = Account::of(&world, DEFAULT);
    for request in ["login", "whoami", "token"] {
        let failed = account.request(request);
        assert_eq!(
            (&failed["reply"], &failed["code"]),
            (&"error".into(), &"storage".into()),
            "{request}: {failed}"
        );
    }
    assert_eq!(fs::read_to_string(world.home().join(FILE)).unwrap(), newer);
}

#[test]
fn a_strict_server_gets_each_token_once() {
    let world = world(Setup::default());
    let without_promise = Fault::Rewrite(|answer| {
        if let Some(data) = answer["data"].as_object_mut() {
            data.remove("refresh_retry");
        }
    });
    for route in [POLL, REFRESH] {
        world.proxy.every(route, without_promise.clone());
    }
    let mut account = Account::of(&world, DEFAULT);
    sign_in(&mut account, &mut Person::sign_in(&world.server, ADA));
    for _ in 0..3 {
        account.refresh();
        assert_as_the_contract_says(&world);
    }
    let before = read(&world, FILE);
    world.proxy.next(REFRESH, Fault::LoseAnswer);
    let failed = account.ask("refresh", &json!({ "force": true }));
    assert_eq!(failed["reply"], "error", "{failed}");
    assert_eq!(account.status()["state"], "uncertain");
    assert_eq!(account.token(), before["access_token"].as_str().unwrap(), "it still works");
    world.kill_agent();
    let mut account = Account::of(&world, DEFAULT);
    assert_eq!(account.token(), before["access_token"].as_str().unwrap());
    assert_eq!((world.proxy.seen(REFRESH).len(), read(&world, FILE)), (4, before));
}
