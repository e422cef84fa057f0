//! binboi: tokens made in a dashboard, kept among the settings of its tool.

use everkey_tests::{ADA, Account, Canned, Fault, Setup, World};
use serde_json::{Value, json};
use std::fs;
use std::os::unix::fs::PermissionsExt;

const BINBOI: &str = "binboi";
const FILE: &str = "home/.binboi/config.json";
const ME: &str = "/api/v1/auth/me";
const TOKENS: &str = "/api/v1/tokens";

fn world() -> World {
    let world = World::with(Setup::default());
    configure(&world, &world.proxy.url());
    world
}

fn configure(world: &World, server: &str) {
    world.configure(&format!("[profiles.binboi]\nprovider = \"binboi\"\nserver = \"{server}\"\n"));
}

/// A token as the dashboard makes it: the token, and the id of its record.
fn make_token(server: &everkey_tests::server::Server, email: &str) -> (String, String) {
    let access = server.sign_in(email).access;
    let made = server.call("POST", TOKENS, Some(&access), Some(&json!({ "name": "M2 MacBook" })));
    assert_eq!(made.status(), 201, "{}", made.json());
    let text = |value: &Value| value.as_str().expect("a text").to_owned();
    (text(&made.json()["token"]), text(&made.json()["record"]["id"]))
}

/// A token like that one, which nobody has made.
fn wrong(token: &str) -> String {
    let (start, end) = token.split_at(token.len() - 1);
    format!("{start}{}", if end == "0" { 1 } else { 0 })
}

fn sign_in(account: &mut Account, token: &str) -> Value {
    let asked = account.login();
    assert_eq!((&asked["reply"], &asked["field"]), (&"ask".into(), &"token".into()), "{asked}");
    account.answer(&asked, token)
}

fn text(world: &World) -> String {
    fs::read_to_string(world.home().join(FILE)).expect("the settings")
}

fn sent(world: &World) -> Vec<String> {
    let seen = world.proxy.seen(ME);
    seen.iter().map(|request| request.header("authorization").unwrap_or_default().to_owned()).collect()
}

#[test]
fn a_token_is_checked_first_and_kept_then() {
    let world = world();
    let (token, _) = make_token(&world.server, ADA);
    let mut account = Account::of(&world, BINBOI);
    let done = sign_in(&mut account, &format!(" {token}\n"));
    assert_eq!((&done["reply"], &done["user"]["email"]), (&"done".into(), &ADA.into()), "{done}");
    assert_eq!(sent(&world), [format!("Bearer {token}")]);
    let wanted = format!("{{\n  \"token\": \"{token}\",\n  \"api_url\": \"{}\"\n}}", world.proxy.url());
    assert_eq!(text(&world), wanted);
    let mode = |path: &str| fs::metadata(world.home().join(path)).unwrap().permissions().mode() & 0o777;
    assert_eq!((mode(FILE), mode("home/.binboi")), (0o600, 0o700));

    assert_eq!(account.token(), token);
    let status = account.status();
    assert_eq!((&status["state"], &status["about"]["plan"]), (&"valid".into(), &"FREE".into()), "{status}");
    let prefix = token.rsplit_once('_').unwrap().0;
    assert_eq!(status["about"]["prefix"], prefix, "{status}");
    assert_eq!(
        account.ask("refresh", &json!({ "force": true }))["reply"],
        "error",
        "there is nothing to refresh"
    );
}

#[test]
fn the_files_server_names_the_user_of_a_foreign_token() {
    let world = world();
    let other = world.another_server();
    configure(&world, other.url());
    let (token, _) = make_token(&world.server, ADA);
    world.put(
        FILE,
        &json!({ "token": token, "server_addr": "t:443", "api_url": world.proxy.url() }).to_string(),
    );
    let mut account = Account::of(&world, BINBOI);
    assert_eq!(account.request("whoami")["email"], ADA);
    assert_eq!(account.status()["server"], world.proxy.url());
    assert_eq!(account.token(), token);
    assert_eq!(sent(&world), [format!("Bearer {token}")]);
}

#[test]
fn a_refused_token_changes_nothing() {
    let world = world();
    let (token, _) = make_token(&world.server, ADA);
    let before =
        json!({ "token": token, "server_addr": "t", "api_url": world.proxy.url(), "x": 1.5e0 }).to_string();
    world.put(FILE, &before);
    let mut account = Account::of(&world, BINBOI);
    let wrong = wrong(&token);
    let asked = account.login();
    let again = account.answer(&asked, &wrong);
    assert_eq!((&again["reply"], &again["again"]["code"]), (&"ask".into(), &"refused".into()), "{again}");
    // What can't be a token bothers no server.
    let bothered = sent(&world).len();
    assert_eq!(account.answer(&asked, "binboi_pat_a\nb")["reply"], "ask");
    assert_eq!(sent(&world).len(), bothered);
    let failed = account.answer(&asked, &wrong);
    assert_eq!((&failed["reply"], &failed["code"]), (&"error".into(), &"refused".into()), "{failed}");
    for answer in
        [Canned::captive_portal(), Canned::json(500, &json!({})), Canned::new(302, "", &["Location: /"], "")]
    {
        world.proxy.next(ME, Fault::Answer(answer));
        let failed = sign_in(&mut account, &token);
        assert_eq!(failed["code"], "offline", "{failed}");
    }
    let limited = json!({ "error": { "code": "RATE_LIMITED", "message": "x" }, "meta": {} }).to_string();
    world.proxy.next(ME, Fault::Answer(Canned::new(429, "application/json", &["Retry-After: 7"], &limited)));
    let failed = sign_in(&mut account, &token);
    assert_eq!(
        (&failed["code"], &failed["retry_after_secs"]),
        (&"rate_limited".into(), &7.into()),
        "{failed}"
    );
    assert_eq!(text(&world), before);
    assert_eq!(account.token(), token);
}

#[test]
fn a_token_goes_only_to_its_checked_server() {
    let world = world();
    let (token, _) = make_token(&world.server, ADA);
    let mut account = Account::of(&world, BINBOI);
    sign_in(&mut account, &token);
    let before = sent(&world).len();
    // Another address, and a token of that server: the old one is not tried there.
    let other = World::with(Setup::default());
    let (theirs, _) = make_token(&other.server, "bob@example.com");
    let asked = account.ask("login", &json!({ "server": other.proxy.url() }));
    let done = account.answer(&asked, &theirs);
    assert_eq!(done["user"]["email"], "bob@example.com", "{done}");
    assert_eq!((sent(&world).len(), sent(&other)), (before, vec![format!("Bearer {theirs}")]));
    let file: Value = serde_json::from_str(&text(&world)).unwrap();
    assert_eq!((&file["token"], &file["api_url"]), (&theirs.into(), &other.proxy.url().into()));

    // The settings of the profile change, and the agent starts anew: the token stays where it belongs.
    configure(&world, &world.proxy.url());
    world.kill_agent();
    let mut account = Account::of(&world, BINBOI);
    assert_eq!(account.request("inspect")["verdict"], "accepted");
    assert_eq!(account.status()["server"], other.proxy.url());
    assert_eq!((sent(&world).len(), sent(&other).len()), (before, 2));
}

#[test]
fn a_refusal_later_never_removes_the_token() {
    let world = world();
    let (token, id) = make_token(&world.server, ADA);
    let mut account = Account::of(&world, BINBOI);
    sign_in(&mut account, &token);
    let before = text(&world);
    // The server's own trouble is a 401 as well.
    world.proxy.next(ME, Fault::Answer(Canned::json(401, &json!({ "error": "The database is down." }))));
    assert_eq!(account.request("inspect")["verdict"], "refused");
    assert_eq!((account.token(), text(&world)), (token.clone(), before.clone()));
    assert_eq!(account.request("inspect")["verdict"], "accepted");

    let access = world.server.sign_in(ADA).access;
    let revoked = world.server.call("DELETE", &format!("{TOKENS}/{id}"), Some(&access), None);
    assert_eq!(revoked.status(), 200);
    assert_eq!(account.request("inspect")["verdict"], "refused");
    assert_eq!(account.request("token")["code"], "refused", "it opens nothing (N40)");
    assert_eq!(text(&world), before);
}

#[test]
fn signing_out_empties_the_token_and_keeps_the_settings() {
    let world = world();
    world.put(FILE, r#"{"zone":[1, 2],"server_addr":"t:443","big":123456789012345678901,"token":""}"#);
    let (token, _) = make_token(&world.server, ADA);
    let mut account = Account::of(&world, BINBOI);
    assert_eq!(account.request("whoami")["code"], "not_signed_in");
    assert_eq!(sign_in(&mut account, &token)["reply"], "done");
    let kept = [r#""zone": [1, 2]"#, r#""server_addr": "t:443""#, r#""big": 123456789012345678901"#];
    assert!(kept.iter().all(|kept| text(&world).contains(kept)), "{}", text(&world));
    let out = account.request("logout");
    assert_eq!((&out["reply"], &out["revocation"]), (&"logged_out".into(), &"impossible".into()), "{out}");
    let left = text(&world);
    assert!(kept.iter().all(|kept| left.contains(kept)) && left.contains(r#""token": """#), "{left}");
    assert!(!left.contains(&token) && left.contains(&world.proxy.url()), "{left}");
    assert_eq!(account.request("whoami")["code"], "not_signed_in");
    assert_eq!(world.server.call("GET", ME, Some(&token), None).status(), 200, "the dashboard ends it");
    assert_eq!(sign_in(&mut account, &token)["reply"], "done");
}

#[test]
fn settings_that_everkey_does_not_understand_are_left_alone() {
    let world = world();
    let newer = r#"{"token":{"v2":"x"}}"#;
    world.put(FILE, newer);
    let mut account = Account::of(&world, BINBOI);
    for request in ["login", "whoami", "token"] {
        assert_eq!(account.request(request)["code"], "storage", "{request}");
    }
    assert_eq!(text(&world), newer);
}

#[test]
fn an_unsafe_server_in_the_settings_gets_no_token() {
    let world = world();
    world.put(FILE, r#"{"token":"binboi_pat_0123abcd_x","api_url":"http://binboi.example"}"#);
    let mut account = Account::of(&world, BINBOI);
    assert_eq!(account.request("whoami")["code"], "storage");
    assert_eq!(account.request("inspect")["code"], "storage");
    assert!(sent(&world).is_empty());
}

#[test]
fn its_commands_take_a_token_as_argument_or_stdin() {
    let world = world();
    let (token, _) = make_token(&world.server, ADA);
    let wrong = wrong(&token);
    world.everkey(&format!("--profile binboi login --token {wrong}")).exits(5).complains("not accepted");
    assert!(!world.home().join(FILE).exists());
    world.cli("--profile binboi login --token -").stdin(&format!("{token}\n")).run().ok();
    assert!(text(&world).contains(&token));
    let said = world.everkey("--profile binboi whoami").ok();
    assert!(said.contains(ADA) && said.contains(token.rsplit_once('_').unwrap().0), "{said}");
    let said = world.everkey("--profile binboi logout").ok();
    assert!(said.contains("dashboard") && !text(&world).contains(&token), "{said}");
    world.everkey("--profile binboi whoami").exits(1);
    world.everkey(&format!("--profile binboi login --token {token}")).exits(0).complains("--token -");
}
