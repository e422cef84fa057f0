//! Servers that answer otherwise than the standards say: what they mean is understood, and what can't be used says what
//! is wrong with it.

use crate::oauth::world_with;
use everkey_tests::{ADA, Account, Approval, Canned, Fault, Person, Setup, World, until};
use serde_json::{Value, json};

const DEVICE: &str = "/device_authorization";

fn world(scheme: &str) -> (World, Account) {
    world_with(scheme, Setup::default())
}

/// Ada approves the code that is shown; what comes of it.
fn approved(world: &World, account: &mut Account, step: &Value) -> Value {
    let code = step["user_code"].as_str().unwrap_or_else(|| panic!("{step}"));
    Person::sign_in(&world.server, ADA).decide(code, Approval::Yes);
    account.after(step)
}

/// Every number as text, as Azure AD v1 sends it.
fn as_text(answer: &mut Value) {
    for value in answer.as_object_mut().into_iter().flat_map(|fields| fields.values_mut()) {
        if value.is_number() {
            *value = Value::String(value.to_string());
        }
    }
}

#[test]
fn numbers_as_text_sign_in() {
    let (world, mut account) = world("device");
    world.proxy.every(DEVICE, Fault::Rewrite(as_text));
    world.proxy.every("/token", Fault::Rewrite(as_text));
    let step = account.login();
    let done = approved(&world, &mut account, &step);
    assert_eq!(done["user"]["email"], ADA, "{done}");
    let status = account.status();
    assert!(status["access_expires_at"].is_u64(), "{status}");
    account.refresh();
    assert!(account.status()["access_expires_at"].is_u64());
}

#[test]
fn numbers_that_are_junk_are_as_good_as_absent() {
    let changes: [fn(&mut Value); 3] = [
        |answer| (answer["expires_in"], answer["interval"]) = (json!("soon"), json!([])),
        |answer| (answer["expires_in"], answer["interval"]) = (json!(0), json!(0)),
        |answer| answer.as_object_mut().unwrap().retain(|name, _| name != "expires_in" && name != "interval"),
    ];
    for change in changes {
        let (world, mut account) = world("device");
        world.proxy.every(DEVICE, Fault::Rewrite(change));
        let step = account.login();
        let now = std::time::SystemTime::now().duration_since(std::time::UNIX_EPOCH).unwrap().as_secs();
        assert!(step["expires_at"].as_u64().is_some_and(|at| at > now + 60), "{step}");
    }
}

#[test]
fn json_by_another_name_or_with_a_mark_counts() {
    for kind in [Some("text/json"), Some("text/javascript"), Some("text/plain; charset=utf-8"), None] {
        let (world, mut account) = world("device");
        for path in [DEVICE, "/token", "/register", "/.well-known/openid-configuration"] {
            world.proxy.every(path, Fault::Relabel(kind, "\u{feff}"));
        }
        let step = account.login();
        let done = approved(&world, &mut account, &step);
        assert_eq!(done["user"]["email"], ADA, "{kind:?}: {done}");
        account.refresh();
        let asked = world.proxy.seen("/token");
        assert!(asked.iter().all(|asked| asked.header("accept-encoding") == Some("identity")));
    }
}

#[test]
fn pages_between_polls_do_not_end_a_device_sign_in() {
    let (world, mut account) = world("device");
    let step = account.login();
    for status in [404, 400] {
        let page = Canned::new(status, "text/html", &[], "<h1>Not here</h1>");
        world.proxy.next("/token", Fault::Answer(page));
    }
    let done = approved(&world, &mut account, &step);
    assert_eq!(done["user"]["email"], ADA, "{done}");
}

#[test]
fn metadata_is_found_at_the_third_place() {
    let (world, mut account) = world("device");
    let server = world.proxy.url();
    let issuer = format!("{server}/tenant");
    world.configure(&format!(
        "[profiles.mine]\nprovider = \"oauth\"\nissuer = \"{issuer}\"\nscheme = \"device\"\n"
    ));
    let metadata = json!({
        "issuer": issuer, "token_endpoint": format!("{server}/token"),
        "device_authorization_endpoint": format!("{server}{DEVICE}"),
        "registration_endpoint": format!("{server}/register"),
    });
    let third = "/.well-known/openid-configuration/tenant";
    world.proxy.every(third, Fault::Answer(Canned::json(200, &metadata)));
    let step = account.login();
    assert_eq!(step["reply"], "show", "{step}");
    let asked =
        ["/tenant/.well-known/openid-configuration", "/.well-known/oauth-authorization-server/tenant"];
    assert!(asked.iter().chain([&third]).all(|place| world.proxy.seen(place).len() == 1));
}

#[test]
fn each_unusable_answer_says_what_is_wrong_with_it() {
    let mut world = World::with(Setup::default());
    world.set_env("EVERKEY_LOG", "debug");
    let url = world.proxy.url();
    world.configure(&format!(
        "[profiles.mine]\nprovider = \"oauth\"\nissuer = \"{url}\"\nscheme = \"device\"\n"
    ));
    let mut account = Account::of(&world, "mine");
    let good = json!({ "device_code": "hunter2", "user_code": "ABCD", "verification_uri": "https://a/d" });
    let without = |name: &str, value: Value| {
        let mut answer = good.clone();
        answer[name] = value;
        Canned::json(200, &answer)
    };
    let page = Canned::new(200, "text/html", &[], "<p>hunter2</p>");
    let packed = Canned::new(200, "application/json", &["Content-Encoding: gzip"], "hunter2");
    let cut = Canned::new(200, "application/json", &[], r#"{"device_code":"hunter2"#);
    let list = Canned::new(200, "application/json", &[], r#"["hunter2"]"#);
    for (canned, words) in [
        (page, vec!["status 200", "text/html", "no JSON"]),
        (packed, vec!["status 200", "gzip"]),
        (cut, vec!["status 200", "application/json", "cut off"]),
        (list, vec!["status 200", "no object"]),
        (Canned::new(200, "application/json", &[], ""), vec!["status 200", "empty"]),
        (without("device_code", json!(7)), vec!["status 200", "`device_code`", "wrong kind"]),
        (without("verification_uri", Value::Null), vec!["status 200", "`verification_uri`", "without"]),
        (without("verification_uri", json!("http://evil/")), vec!["`verification_uri`", "unusable"]),
        (without("user_code", json!("")), vec!["`user_code`", "unusable"]),
    ] {
        world.proxy.next(DEVICE, Fault::Answer(canned));
        let said = account.login();
        let message = said["message"].as_str().unwrap_or_else(|| panic!("{said}")).to_owned();
        let unsaid: Vec<_> = words.iter().filter(|words| !message.contains(**words)).collect();
        assert!(unsaid.is_empty() && !message.contains("hunter2"), "{unsaid:?} of {message}");
        let logged =
            || world.agent_log().lines().any(|line| line.contains("start_device") && line.contains(&message));
        until("the reason in the log", logged);
    }
    assert!(!world.agent_log().contains("hunter2"), "{}", world.agent_log());
}
