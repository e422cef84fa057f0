//! No token ever gets into a browser, and nothing that opens the dashboard into a log.

use super::{LOOKS, request_code, wrong};
use everkey_tests::http::Message;
use everkey_tests::{ADA, Dashboard, Tab, World, process};
use serde_json::json;
use std::cell::RefCell;
use std::fs;

/// A tab whose answers are all kept.
struct Watched {
    tab: Tab,
    heard: RefCell<Vec<Message>>,
}

impl Watched {
    fn call(&self, method: &str, path: &str, body: Option<&serde_json::Value>) -> Message {
        let answer = self.tab.call(method, path, body);
        self.heard.borrow_mut().push(answer.clone());
        answer
    }

    fn look_around(&self) {
        for path in LOOKS {
            self.call("GET", path, None);
        }
    }
}

#[test]
fn d16_no_answer_holds_a_token() {
    let mut world = World::new();
    world.set_env("EVERKEY_LOG", "trace");
    let dashboard = Dashboard::start(&world);
    let watched = Watched { tab: dashboard.enter(), heard: RefCell::default() };
    let stream = watched.tab.follow();
    watched.look_around();
    request_code(&watched.tab, ADA);
    let code = world.server.code_after(ADA, 0);
    let attempt = |code: &str| json!({ "email": ADA, "code": code });
    watched.call("POST", "/api/auth/login-verify", Some(&attempt(&wrong(&code))));
    watched.call("POST", "/api/auth/login-verify", Some(&attempt(&code)));
    let mut secrets = Vec::new();
    let learn = |secrets: &mut Vec<String>| {
        for field in ["access_token", "refresh_token"] {
            secrets.push(world.session_text(field));
        }
    };
    learn(&mut secrets);
    world.token();
    watched.look_around();
    let profile = json!({ "profile": "failproofai", "force": true });
    watched.call("POST", "/api/sessions/refresh", Some(&profile));
    learn(&mut secrets);
    watched.call("POST", "/api/auth/reminder", Some(&json!({ "in_days": 3 })));
    for verb in ["login", "wait", "answer", "cancel"] {
        watched.call("POST", &format!("/api/sessions/{verb}"), Some(&profile));
    }
    watched.call("POST", "/api/agent/start", Some(&json!({})));
    watched.look_around();
    let pasted = json!({ "profile": "failproofai", "flow": 1, "text": "pasted-hunter2-token" });
    watched.call("POST", "/api/sessions/answer", Some(&pasted));
    watched.call("POST", "/api/auth/logout", Some(&json!({})));
    secrets.push("hunter2".to_owned());
    let told = stream.find("the sign-out", |sent| sent.json()["event"] == "signed_out");
    let all_told = stream_text(&watched.tab) + &told.data;

    let cookie = watched.tab.cookie.clone().unwrap();
    let key = dashboard.link().rsplit('=').next().unwrap().to_owned();
    let pid = dashboard.pid();
    for file in ["cmdline", "environ"] {
        let text = fs::read(format!("/proc/{pid}/{file}")).unwrap();
        let text = String::from_utf8_lossy(&text).into_owned();
        assert!(!text.contains(&key) && !text.contains(&cookie), "{file}");
    }
    assert!(watched.heard.borrow().len() > 30 && secrets.iter().all(|secret| secret.len() > 6));
    for answer in watched.heard.borrow().iter() {
        let text = String::from_utf8_lossy(&answer.raw);
        for secret in secrets.iter().chain([&cookie, &key]) {
            // A masked token may show its ends.
            let middle = if secret.len() > 40 { &secret[12..32] } else { secret };
            assert!(!text.contains(middle), "{text}");
        }
    }
    for secret in &secrets {
        let middle = if secret.len() > 40 { &secret[12..32] } else { secret };
        assert!(!all_told.contains(middle), "{all_told}");
    }
    process::signal(pid, rustix::process::Signal::TERM);
    let log = dashboard.close().err;
    for secret in secrets.iter().chain([&cookie, &key, &code]) {
        assert!(!log.contains(secret.as_str()), "{log}");
    }
}

/// What a tab that comes now is told of before.
fn stream_text(tab: &Tab) -> String {
    let text = RefCell::new(String::new());
    tab.follow().find("the sign-out", |sent| {
        text.borrow_mut().push_str(&sent.data);
        sent.json()["event"] == "signed_out"
    });
    text.into_inner()
}
