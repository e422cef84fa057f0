//! Refresh tokens that are sent twice, at authorization servers that others wrote: django-oauth-toolkit in its three
//! settings, and Cloudflare's (`tests/interop/replay`). N02, N34 to N39 as those servers really answer.

use everkey_tests::account::Account;
use everkey_tests::lines::Lines;
use everkey_tests::process::Running;
use everkey_tests::python::{program, root};
use everkey_tests::{Setup, World, http, skip, until};
use serde_json::{Value, json};
use std::io::{BufRead, BufReader};
use std::process::{Command, Stdio};

/// How long access tokens work: long enough to see that nothing is sent in between, short enough to wait for their end.
const ACCESS_SECS: &str = "36";

/// The server, and a world with the profile `work` for it.
struct Outsider {
    world: World,
    url: String,
    whoami: String,
    _server: Running,
}

/// What the server does with a refresh token that comes twice.
#[derive(Clone, Copy)]
enum Setting {
    StrictReject,
    ReuseProtection,
    Grace(u32),
    /// Cloudflare's: the old token works until the new one is used.
    UntilUsed,
}

impl Outsider {
    /// Starts it, with these lines in the profile; says loudly that `test` is skipped where its programs are missing.
    fn start(test: &str, setting: Setting, access_secs: &str, lines: &str) -> Option<Self> {
        let mut command = match setting {
            Setting::StrictReject => django(test, &["--setting", "strict_reject"])?,
            Setting::ReuseProtection => django(test, &["--setting", "reuse_protection"])?,
            Setting::Grace(secs) => {
                django(test, &["--setting", "grace", "--grace-seconds", &secs.to_string()])?
            }
            Setting::UntilUsed => cloudflare(test)?,
        };
        command.args(["--access-seconds", access_secs]);
        command.stdin(Stdio::null()).stdout(Stdio::piped()).stderr(Stdio::null());
        let mut server = Running::spawn(&mut command);
        let mut line = String::new();
        BufReader::new(server.child().stdout.take().unwrap()).read_line(&mut line).unwrap();
        let told: Value = serde_json::from_str(&line).unwrap_or_else(|e| panic!("{line:?}: {e}"));
        let text = |name: &str| told[name].as_str().unwrap().to_owned();
        let (url, whoami) = (text("issuer"), text("whoami"));
        let world = World::with(Setup { refresh_gap_ms: Some(100), ..Setup::default() });
        let profile = format!(
            "[profiles.work]\nprovider = \"oauth\"\nissuer = \"{url}\"\nscheme = \"browser\"\n{lines}\n"
        );
        std::fs::write(world.home().join("config.toml"), profile).unwrap();
        Some(Self { world, url, whoami, _server: server })
    }

    /// Signs in; the page asks nothing, so whoever follows its redirect is back at once.
    fn sign_in(&self) -> Account {
        let mut account = Account::of(&self.world, "work");
        let step = account.login();
        assert_eq!(step["reply"], "open", "{step}");
        let follow = |address: &str| {
            let path = address.find('/').and_then(|_| address.splitn(4, '/').nth(3)).unwrap_or_default();
            let base = &address[..address.len() - path.len() - 1];
            http::call(base, "GET", &format!("/{path}"), None, None)
        };
        let approved = follow(step["url"].as_str().unwrap());
        follow(approved.header("location").unwrap_or_else(|| panic!("{}", approved.start)));
        let done = account.after(&step);
        assert_eq!(done["reply"], "done", "{done}");
        account
    }

    /// What becomes of the next refresh.
    fn next(&self, fault: &Value) {
        let answer = http::call(&self.url, "POST", "/_test/next", None, Some(fault));
        assert_eq!(answer.status(), 200, "{}", answer.start);
    }

    /// How often it was sent a refresh token.
    fn refreshes(&self) -> usize {
        let state = http::call(&self.url, "GET", "/_test/state", None, None).json();
        let requests = state["requests"].as_array().unwrap().clone();
        requests.iter().filter(|one| one["grant_type"] == "refresh_token").count()
    }

    /// Whether it accepts an access token.
    fn accepts(&self, token: &str) -> bool {
        let path = self.whoami.strip_prefix(&self.url).unwrap();
        http::call(&self.url, "GET", path, Some(token), None).status() == 200
    }
}

fn django(test: &str, arguments: &[&str]) -> Option<Command> {
    let mut command = Command::new(program(test, "python")?);
    command.arg(root().join("tests/interop/replay/django_server.py")).args(arguments);
    Some(command)
}

fn cloudflare(test: &str) -> Option<Command> {
    let modules = root().join("target/browser");
    if !skip::has("node") || !modules.join("node_modules/@cloudflare/workers-oauth-provider").is_dir() {
        skip::skipped(test, "node or @cloudflare/workers-oauth-provider is missing (npm, by ./dev setup)");
        return None;
    }
    let mut command = Command::new("node");
    command.arg(root().join("tests/interop/replay/workers_server.mjs")).arg("--modules").arg(modules);
    Some(command)
}

/// Asks for a refresh that gets no clear answer, on a connection that stays until the end of the test.
fn refresh_in_doubt(server: &Outsider, account: &mut Account) -> (Lines, Value) {
    let mut waits = server.world.lines();
    waits.send(b"{\"request\":\"refresh\",\"profile\":\"work\",\"force\":true}\n");
    until("the refresh to be in doubt", || account.status()["state"] == "uncertain");
    (waits, account.status())
}

#[test]
fn n37_within_its_grace_a_lost_answer_costs_nothing() {
    let test = "n37_within_its_grace_a_lost_answer_costs_nothing";
    let Some(server) = Outsider::start(test, Setting::Grace(120), "3600", "replay = \"grace(120)\"") else {
        return;
    };
    let mut account = server.sign_in();
    for fault in ["lose", "cut"] {
        server.next(&json!({ "do": fault }));
        account.refresh();
        assert!(server.accepts(&account.token()));
    }
    assert_eq!(server.refreshes(), 4);
    account.refresh();
    assert!(server.accepts(&account.token()), "the session stands");
}

#[test]
fn n37_until_its_successor_is_used_a_token_is_granted_again() {
    let test = "n37_until_its_successor_is_used_a_token_is_granted_again";
    let Some(server) = Outsider::start(test, Setting::UntilUsed, "3600", "replay = \"until_used\"") else {
        return;
    };
    let mut account = server.sign_in();
    for fault in ["lose", "cut", "lose"] {
        server.next(&json!({ "do": fault, "times": 2 }));
        account.refresh();
        assert!(server.accepts(&account.token()));
    }
    assert_eq!(server.refreshes(), 9);
    account.refresh();
    assert!(server.accepts(&account.token()), "the last answer counts");
}

#[test]
fn n38_an_outage_at_an_unknown_server_signs_nobody_out() {
    let test = "n38_an_outage_at_an_unknown_server_signs_nobody_out";
    let Some(server) = Outsider::start(test, Setting::ReuseProtection, ACCESS_SECS, "") else { return };
    let mut account = server.sign_in();
    let before = account.token();
    server.next(&json!({ "do": "answer", "status": 503, "times": 1 }));
    let (_waits, status) = refresh_in_doubt(&server, &mut account);
    assert_eq!(status["replay"]["rule"], "unknown", "{status}");
    assert_eq!(status["sign_in_by"], status["access_expires_at"], "{status}");
    assert!(status["last_error"].as_str().unwrap().contains("503"), "{status}");
    assert_eq!(account.token(), before, "served in silence");
    assert_eq!(account.request("login")["reply"], "open", "a sign-in goes ahead");
    // The outage goes on at the end of the access token.
    let page = json!({ "do": "answer", "status": 502, "body": "<html>Bad Gateway</html>" });
    server.next(&page);
    server.next(&page);
    server.next(&json!({ "do": "answer", "status": 429, "retry_after": "1" }));
    until("the server has answered again", || account.status()["state"] == "valid");
    assert_eq!(server.refreshes(), 5);
    assert!(server.accepts(&account.token()));
    account.refresh();
}

#[test]
fn n37_a_strict_server_is_asked_again_at_the_end() {
    let test = "n37_a_strict_server_is_asked_again_at_the_end";
    let Some(server) = Outsider::start(test, Setting::StrictReject, ACCESS_SECS, "") else { return };
    let mut account = server.sign_in();
    server.next(&json!({ "do": "lose" }));
    let _waits = refresh_in_doubt(&server, &mut account);
    assert_eq!(server.refreshes(), 1, "not before the end");
    until("the server has refused", || account.status()["state"] == "needs_login");
    assert_eq!(server.refreshes(), 2);
    let why = account.status()["reason"].clone();
    assert!(why.as_str().unwrap().contains("did not accept the same token a second time"), "{why}");
}

#[test]
fn n37_a_caller_whose_token_is_refused_ends_the_silence() {
    let test = "n37_a_caller_whose_token_is_refused_ends_the_silence";
    // The toolkit ends the old access token with the refresh.
    let Some(server) = Outsider::start(test, Setting::Grace(600), "3600", "") else { return };
    let mut account = server.sign_in();
    server.next(&json!({ "do": "cut" }));
    let _waits = refresh_in_doubt(&server, &mut account);
    let dead = account.token();
    assert!(!server.accepts(&dead));
    let better = server.world.cli("auth token --profile work --refused -").stdin(&dead).run();
    assert!(better.code == 0 && server.accepts(better.out.trim()), "{better:?}");
}

#[test]
fn n39_a_grace_that_was_seen_is_used_the_next_time() {
    let test = "n39_a_grace_that_was_seen_is_used_the_next_time";
    let Some(server) = Outsider::start(test, Setting::Grace(600), "48", "") else { return };
    let mut account = server.sign_in();
    server.next(&json!({ "do": "cut" }));
    let _waits = refresh_in_doubt(&server, &mut account);
    until("the first grace is over", || account.status()["state"] == "valid");
    let replay = account.status()["replay"].clone();
    let rule = replay["rule"].as_str().unwrap();
    let secs: u32 = rule.trim_start_matches("grace(").trim_end_matches(')').parse().unwrap();
    assert!((10..60).contains(&secs) && replay["source"]["learnt"]["count"] == 1, "{replay}");
}

#[test]
fn n34_a_server_that_has_not_looked_costs_nothing() {
    let test = "n34_a_server_that_has_not_looked_costs_nothing";
    let lines = "replay = \"strict_user\"\nnot_processed = [503]";
    let Some(server) = Outsider::start(test, Setting::ReuseProtection, "3600", lines) else { return };
    let mut account = server.sign_in();
    server.next(&json!({ "do": "answer", "status": 429, "retry_after": "1" }));
    server.next(&json!({ "do": "answer", "status": 503, "retry_after": "1" }));
    let answer = account.ask("refresh", &json!({ "force": true }));
    until("the server has answered", || account.status()["state"] == "valid");
    assert_eq!(server.refreshes(), 3, "{answer}");
    assert!(server.accepts(&account.token()));
}

#[test]
fn n36_a_refusal_in_other_words_is_shown() {
    let test = "n36_a_refusal_in_other_words_is_shown";
    let Some(server) = Outsider::start(test, Setting::StrictReject, "3600", "") else { return };
    let mut account = server.sign_in();
    let body = json!({ "error": "session_over", "msg": "Please sign in again" }).to_string();
    server.next(&json!({ "do": "answer", "status": 200, "body": body, "content_type": "application/json" }));
    let answer = account.ask("refresh", &json!({ "force": true }));
    assert_eq!(answer["code"], "needs_login", "{answer}");
    let said = account.status()["last_error"].clone();
    assert!(said.as_str().unwrap().contains("session_over: Please sign in again"), "{said}");
    assert!(server.accepts(&account.token()), "the access token is served");
    assert_eq!(account.request("login")["reply"], "open");
    assert_eq!(server.refreshes(), 1);
}

#[test]
fn n35_a_client_refused_for_a_while_stays_signed_in() {
    let test = "n35_a_client_refused_for_a_while_stays_signed_in";
    let Some(server) = Outsider::start(test, Setting::ReuseProtection, "3600", "") else { return };
    let mut account = server.sign_in();
    let body = json!({ "error": "invalid_client", "error_description": "secret rotated" }).to_string();
    let refused = json!({ "do": "answer", "status": 401, "body": body, "content_type": "application/json" });
    server.next(&refused);
    let answer = account.ask("refresh", &json!({ "force": true }));
    assert!(answer["message"].as_str().unwrap().contains("invalid_client: secret rotated"), "{answer}");
    assert_eq!(account.request("login")["reply"], "open", "a sign-in goes ahead");
    until("the client is accepted again", || account.status()["state"] == "valid");
    assert!(server.accepts(&account.token()));
}
