//! dot-ai: sign-in in the browser without refresh tokens, and a static token that comes first.

use everkey_tests::{ADA, Account, Approval, Canned, Fault, Gate, Person, Setup, World, http, until};
use serde_json::{Value, json};
use std::fs;
use std::os::unix::fs::PermissionsExt;
use std::thread;

const DOT_AI: &str = "dot-ai";
const FILE: &str = "home/.config/dot-ai/credentials.json";

fn world() -> World {
    let world = World::with(Setup::default());
    let server = world.proxy.url();
    world.configure(&format!("[profiles.dot-ai]\nprovider = \"dot-ai\"\nserver = \"{server}\"\n"));
    world
}

/// The page that is to be opened.
fn open(account: &mut Account) -> Value {
    let step = account.login();
    assert_eq!(step["reply"], "open", "{step}");
    step
}

/// What the browser ends at, once Ada has answered.
fn answered(world: &World, step: &Value, verdict: Approval) -> String {
    Person::sign_in(&world.server, ADA).answer(step["url"].as_str().unwrap(), verdict)
}

/// The browser follows to an address of this machine; status and text of the page there.
fn follow(url: &str) -> (u16, String) {
    let at = "http://".len() + url["http://".len()..].find('/').expect("a path");
    let page = http::call(&url[..at], "GET", &url[at..], None, None);
    (page.status(), String::from_utf8_lossy(&page.body).into_owned())
}

fn callback(step: &Value, query: &str) -> (u16, String) {
    follow(&format!("http://127.0.0.1:{}/callback{query}", step["port"]))
}

fn sign_in(world: &World, account: &mut Account) {
    let step = open(account);
    let (status, page) = follow(&answered(world, &step, Approval::Yes));
    assert_eq!(status, 200, "{page}");
    assert_eq!(account.status()["state"], "valid");
}

fn read(world: &World) -> Value {
    let text = fs::read_to_string(world.home().join(FILE)).expect("the credentials");
    serde_json::from_str(&text).expect("any reader sees a complete file (I7)")
}

fn form(world: &World) -> String {
    let asked = world.proxy.seen("/token");
    String::from_utf8_lossy(&asked.last().expect("an exchange").body).into_owned()
}

#[test]
fn browser_sign_in_writes_the_tools_own_format() {
    let world = world();
    let mut account = Account::of(&world, DOT_AI);
    let step = open(&mut account);
    let url = step["url"].as_str().unwrap();
    assert!(url.starts_with(&format!("{}/authorize?", world.proxy.url())), "{url}");
    for wanted in ["response_type=code", "code_challenge_method=S256", "state=", "127.0.0.1%3A"] {
        assert!(url.contains(wanted), "{wanted} in {url}");
    }
    let registered = world.proxy.seen("/register")[0].json();
    assert_eq!(registered["token_endpoint_auth_method"], "none", "{registered}");
    assert_eq!(registered.get("scope"), None, "{registered}");

    let (status, page) = follow(&answered(&world, &step, Approval::Yes));
    assert!(status == 200 && page.contains("You are signed in"), "{status} {page}");
    assert_eq!(account.ask("wait", &json!({ "flow": step["flow"] }))["reply"], "done", "however late");
    let written = read(&world);
    let names: Vec<_> = written.as_object().unwrap().keys().map(String::as_str).collect();
    assert_eq!(names, ["access_token", "client_id", "expires_at", "token_type"]);
    let text = fs::read_to_string(world.home().join(FILE)).unwrap();
    assert!(text.starts_with("{\n  \"access_token\": ") && text.ends_with('}'), "{text}");
    let expires = written["expires_at"].as_str().unwrap();
    assert!(expires.len() == 20 && expires.ends_with('Z'), "{expires}");
    let mode = |path: &str| fs::metadata(world.home().join(path)).unwrap().permissions().mode() & 0o777;
    assert_eq!((mode(FILE), mode("home/.config/dot-ai")), (0o600, 0o700));
    assert!(form(&world).contains("requested_expiry=2592000"), "thirty days are asked for");

    let status = account.status();
    assert_eq!((&status["state"], &status["provider"]), (&"valid".into(), &"dot-ai".into()), "{status}");
    assert_eq!(account.token(), written["access_token"].as_str().unwrap());
    let info = world.server.call("GET", "/userinfo", Some(&account.token()), None);
    assert_eq!(info.status(), 200, "{}", info.json());
    world.kill_agent();
    let mut account = Account::of(&world, DOT_AI);
    assert_eq!(account.token(), written["access_token"].as_str().unwrap());
    assert_eq!(account.status()["access_expires_at"], status["access_expires_at"]);
}

#[test]
fn the_lifetime_of_the_environment_is_asked_for() {
    let mut world = world();
    world.set_env("DOT_AI_TOKEN_TTL_SECONDS", "600");
    let mut account = Account::of(&world, DOT_AI);
    sign_in(&world, &mut account);
    assert!(form(&world).contains("requested_expiry=600"), "{}", form(&world));
    let answer = account.request("token");
    let later = account.status()["access_expires_at"].as_u64().unwrap();
    assert_eq!(answer["expires_at"], later);
}

#[test]
fn the_page_says_done_only_after_the_exchange() {
    let world = world();
    let mut account = Account::of(&world, DOT_AI);
    let step = open(&mut account);
    let gate = Gate::default();
    world.proxy.next("/token", Fault::HoldAnswer(gate.clone()));
    let back = answered(&world, &step, Approval::Yes);
    let page = thread::spawn(move || follow(&back));
    gate.reached();
    assert!(!page.is_finished() && !world.home().join(FILE).exists(), "nobody knows yet how it ends");
    gate.open();
    let (status, text) = page.join().unwrap();
    assert!(status == 200 && text.contains("You are signed in"), "{status} {text}");
    assert!(world.home().join(FILE).exists(), "what the page says is so");

    // And the other way round.
    account.request("logout");
    let step = open(&mut account);
    world.proxy.next("/token", Fault::LoseAnswer);
    let (status, text) = follow(&answered(&world, &step, Approval::Yes));
    assert!(status == 400 && !text.contains("You are signed in"), "{status} {text}");
    assert!(!world.home().join(FILE).exists());
}

#[test]
fn forged_and_stray_callbacks_change_nothing() {
    let world = world();
    let mut account = Account::of(&world, DOT_AI);
    let step = open(&mut account);
    let back = answered(&world, &step, Approval::Yes);
    let state = back.split("state=").nth(1).unwrap().split('&').next().unwrap();
    for forged in [
        String::new(),
        "?code=x".to_owned(),
        "?code=x&state=".to_owned(),
        format!("?code=x&state={}0", &state[1..]),
        format!("?code=x&state={state}&state={state}"),
        format!("?state={state}"),
        "?error=access_denied".to_owned(),
        "?error=access_denied&state=x".to_owned(),
    ] {
        let (status, page) = callback(&step, &forged);
        assert!(status == 400 && page.contains("Not signed in"), "{forged}: {status} {page}");
    }
    assert_eq!(follow(&format!("http://127.0.0.1:{}/favicon.ico", step["port"])).0, 404);
    assert!(world.proxy.seen("/token").is_empty(), "none of them was believed");
    let (status, page) = follow(&back);
    assert_eq!(status, 200, "{page}");
    assert_eq!(account.status()["state"], "valid");
    assert_eq!(world.proxy.seen("/token").len(), 1);
}

#[test]
fn the_final_address_of_a_remote_browser_may_be_pasted() {
    let world = world();
    let mut account = Account::of(&world, DOT_AI);
    let step = open(&mut account);
    let back = answered(&world, &step, Approval::Yes);
    let stray = account.answer(&step, "http://127.0.0.1:1/callback?code=x&state=y");
    assert_eq!((&stray["reply"], &stray["code"]), (&"error".into(), &"refused".into()), "{stray}");
    let done = account.answer(&step, &format!(" {back}\n"));
    assert_eq!(done["reply"], "done", "{done}");
    account.token();
}

#[test]
fn a_denied_sign_in_changes_nothing() {
    let world = world();
    let before = r#"{"auth_token":"static"}"#;
    world.put(FILE, before);
    let mut account = Account::of(&world, DOT_AI);
    let step = open(&mut account);
    let (status, page) = follow(&answered(&world, &step, Approval::No));
    assert!(status == 400 && page.contains("denied"), "{status} {page}");
    assert_eq!(fs::read_to_string(world.home().join(FILE)).unwrap(), before);
    assert_eq!(account.token(), "static");
}

#[test]
fn the_static_token_comes_first_and_outlives_the_sign_in() {
    let world = world();
    world.put(FILE, r#"{"theme":[1, 2],"auth_token":"static-token-0123"}"#);
    let mut account = Account::of(&world, DOT_AI);
    assert_eq!(account.token(), "static-token-0123");
    let status = account.status();
    assert_eq!(status["masked_static_token"], "static-t...0123", "{status}");
    assert_eq!(status["masked_token"], Value::Null, "{status}");
    assert_eq!(account.request("logout")["revocation"], "nothing_to_do");
    assert_eq!(read(&world)["auth_token"], "static-token-0123");

    sign_in(&world, &mut account);
    let written = read(&world);
    assert!(written["access_token"].is_string() && written["client_id"].is_string(), "{written}");
    assert_eq!((&written["auth_token"], &written["theme"]), (&"static-token-0123".into(), &json!([1, 2])));
    assert_eq!(account.token(), "static-token-0123", "it comes first");
    let status = account.status();
    assert!(status["masked_token"].is_string() && status["masked_static_token"].is_string(), "{status}");

    let out = account.request("logout");
    assert_eq!((&out["reply"], &out["revocation"]), (&"logged_out".into(), &"revoked".into()), "{out}");
    let revoked = world.proxy.seen("/revoke");
    let form = String::from_utf8_lossy(&revoked.last().expect("a revocation").body).into_owned();
    assert!(!form.contains("static-token"), "{form}");
    assert_eq!(read(&world), json!({ "theme": [1, 2], "auth_token": "static-token-0123" }));
    until("the static token to be found again", || {
        account.request("token")["access_token"] == "static-token-0123"
    });
}

#[test]
fn signing_out_revokes_where_the_server_says_how() {
    let world = world();
    let mut account = Account::of(&world, DOT_AI);
    sign_in(&world, &mut account);
    let token = account.token();
    assert_eq!(account.request("logout")["revocation"], "revoked");
    assert_eq!(world.server.call("GET", "/userinfo", Some(&token), None).status(), 401);
    assert!(!world.home().join(FILE).exists());
}

#[test]
fn a_refused_registration_says_so_with_the_servers_reason() {
    let world = world();
    let body = json!({ "error": "invalid_redirect_uri", "error_description": "only https here" });
    world.proxy.next("/register", Fault::Answer(Canned::json(400, &body)));
    let said = world.everkey("--profile dot-ai auth login --no-browser").exits(5);
    for words in ["client registration failed", "invalid_redirect_uri: only https here", "DOT_AI_URL"] {
        assert!(said.err.contains(words), "{words} in {said:?}");
    }
}

#[test]
fn signing_out_removes_a_file_that_holds_nothing_else() {
    let world = world();
    let mut account = Account::of(&world, DOT_AI);
    sign_in(&world, &mut account);
    let nothing = Fault::Answer(Canned::new(404, "text/html", &[], "<h1>Not found</h1>"));
    world.proxy.every("/.well-known/oauth-authorization-server", nothing);
    assert_eq!(account.request("logout")["revocation"], "impossible");
    assert!(world.proxy.seen("/revoke").is_empty() && !world.home().join(FILE).exists());
    assert_eq!(account.request("whoami")["code"], "not_signed_in");
}

#[test]
fn an_expired_token_asks_for_a_new_sign_in() {
    let world = world();
    world.put(
        FILE,
        r#"{"access_token":"abcdefgh","token_type":"Bearer","expires_at":"2026-03-08T12:00:00Z"}"#,
    );
    let mut account = Account::of(&world, DOT_AI);
    let status = account.status();
    assert_eq!(status["state"], "needs_login", "{status}");
    assert!(status["reason"].as_str().unwrap().contains("expired"), "{status}");
    assert_eq!(account.request("token")["code"], "needs_login");
    sign_in(&world, &mut account);
    assert_eq!(read(&world)["access_token"], account.token());
}

#[test]
fn refused_registration_and_foreign_redirects_are_reported() {
    let world = world();
    let mut account = Account::of(&world, DOT_AI);
    for (answer, code) in [
        (Canned::json(400, &json!({ "error": "invalid_redirect_uri" })), "refused"),
        (Canned::new(404, "text/html", &[], "<h1>Not found</h1>"), "refused"),
        (Canned::new(302, "text/html", &["Location: http://127.0.0.1:9/"], ""), "offline"),
        (Canned::captive_portal(), "offline"),
        (Canned::json(429, &json!({})), "rate_limited"),
    ] {
        world.proxy.next("/register", Fault::Answer(answer));
        let failed = account.login();
        assert_eq!((&failed["reply"], &failed["code"]), (&"error".into(), &code.into()), "{failed}");
    }
    sign_in(&world, &mut account);
}

#[test]
fn its_commands_print_the_address_and_tell_both_tokens_apart() {
    let world = world();
    world.put(FILE, r#"{"auth_token":"static-token-0123"}"#);
    let mut talk = world.start("--profile dot-ai auth login --no-browser --json");
    let step = talk.json();
    assert_eq!(step["type"], "open", "{step}");
    assert_eq!(follow(&answered(&world, &step, Approval::Yes)).0, 200);
    assert_eq!(talk.json()["type"], "done");
    talk.finish().ok();
    let said = world.everkey("--profile dot-ai auth status").ok();
    for wanted in ["OAuth session:", "Static token:", "static-t...0123", "Status: Valid"] {
        assert!(said.contains(wanted), "{wanted} in {said}");
    }
    world.everkey("--profile dot-ai auth logout").ok();
    let said = world.everkey("--profile dot-ai auth status").ok();
    assert!(said.contains("Static token:") && !said.contains("OAuth session:"), "{said}");
    assert_eq!(read(&world), json!({ "auth_token": "static-token-0123" }));
}
