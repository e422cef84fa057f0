//! An agent that answers what a test wants it to: pages to show, and nonsense.

use super::driver::{CANARY, Driver, Language, clients, driven, path_with, text_of};
use everkey_tests::ADA;
use everkey_tests::wait::PATIENCE;
use serde_json::{Value, json};
use std::fs;
use std::io::{BufRead, BufReader, Write};
use std::os::unix::fs::PermissionsExt;
use std::os::unix::net::UnixListener;
use std::path::Path;
use std::process::Command;
use std::sync::mpsc::{Receiver, channel};
use std::thread;

/// Somebody who listens where `EVERKEY_SOCKET` says, greets with `hello` and answers each request with the next reply.
fn fake_agent(socket: &Path, hello: Value, replies: Vec<String>) -> Receiver<Value> {
    let listener = UnixListener::bind(socket).unwrap();
    fs::set_permissions(socket, fs::Permissions::from_mode(0o600)).unwrap();
    let (send, requests) = channel();
    thread::spawn(move || {
        let mut replies = replies.into_iter();
        for stream in listener.incoming() {
            let mut stream = BufReader::new(stream.unwrap());
            let mut line = String::new();
            if stream.read_line(&mut line).is_err() {
                continue;
            }
            let _ = stream.get_mut().write_all(format!("{hello}\n").as_bytes());
            line.clear();
            if stream.read_line(&mut line).is_err() || line.is_empty() {
                continue;
            }
            let _ = send.send(serde_json::from_str(&line).unwrap());
            let _ = stream.get_mut().write_all(replies.next().unwrap_or_default().as_bytes());
        }
    });
    requests
}

fn welcome() -> Value {
    json!({ "hello": { "chosen": 1, "oldest": 1, "newest": 1, "agent": "fake" } })
}

/// A driver that meets a fake agent instead of a real one.
fn faked(folder: &Path, language: Language, hello: Value, replies: Vec<String>) -> (Driver, Receiver<Value>) {
    let socket = folder.join("fake.sock");
    let requests = fake_agent(&socket, hello, replies);
    let mut command = Command::new(language.program());
    command.env_clear().env("PATH", path_with(None)).env("PYTHONPATH", clients());
    command.env("PYTHONDONTWRITEBYTECODE", "1").env("HOME", folder).env("EVERKEY_SOCKET", socket);
    (driven(command, language), requests)
}

pub fn pages_are_shown_once_and_waited_for(language: Language) {
    let folder = tempfile::tempdir().unwrap();
    let show = |expires_at: u64| json!({ "reply": "show", "flow": 3, "url": "https://id/d", "complete_url": "https://id/d?c=AB-CD", "user_code": "AB-CD", "expires_at": expires_at });
    let open = json!({ "reply": "open", "flow": 4, "url": "https://id/a", "port": 4711, "expires_at": 900 });
    let ask = json!({ "reply": "ask", "flow": 5, "field": "token", "tries": 3 });
    let someone = json!({ "id": "7", "email": ADA });
    let replies = [
        show(900),
        show(901),
        show(900),
        json!({ "reply": "done", "user": someone, "already": false }),
        open.clone(),
        open.clone(),
        json!({ "reply": "done", "user": null, "already": false }),
        open,
        json!({ "reply": "done", "user": someone, "already": false }),
        ask,
        json!({ "reply": "done", "already": false }),
        json!({ "reply": "whoami" }),
        json!({ "reply": "token", "access_token": "static", "new_field": [] }),
    ];
    let lines = replies.iter().map(|reply| format!("{reply}\n")).collect();
    let (mut driver, requests) = faked(folder.path(), language, welcome(), lines);
    let request = || {
        let mut request: Value = requests.recv_timeout(PATIENCE).unwrap();
        request.as_object_mut().unwrap().retain(|_, value| !value.is_null());
        request
    };
    driver.connect();

    let step = driver.tell(&json!({ "do": "login", "scheme": "device" }))["step"].clone();
    assert_eq!(step["user_code"], "AB-CD");
    assert_eq!(driver.tell(&json!({ "answer": null }))["ok"], someone);
    assert_eq!(request(), json!({ "request": "login", "scheme": "device" }));
    for _ in 0..3 {
        assert_eq!(request(), json!({ "request": "wait", "flow": 3 }));
    }

    assert_eq!(driver.tell(&json!({ "do": "login" }))["step"]["port"], 4711);
    assert_eq!(driver.tell(&json!({ "answer": null })), json!({ "ok": null }), "nobody says who");
    assert_eq!(request(), json!({ "request": "login" }));
    for _ in 0..2 {
        assert_eq!(request(), json!({ "request": "wait", "flow": 4 }));
    }

    // The browser ran elsewhere, and the person pastes where it ended.
    assert_eq!(driver.tell(&json!({ "do": "login" }))["step"]["reply"], "open");
    assert_eq!(driver.answer("http://127.0.0.1:4711/?code=x")["ok"], someone);
    request();
    assert_eq!(request(), json!({ "request": "answer", "flow": 4, "text": "http://127.0.0.1:4711/?code=x" }));

    assert_eq!(driver.tell(&json!({ "do": "login" }))["step"]["field"], "token");
    assert_eq!(driver.answer("static"), json!({ "ok": null }));
    assert_eq!(driver.ok(&json!({ "do": "whoami" })), Value::Null);
    let token = driver.ok(&json!({ "do": "token" }));
    assert_eq!((text_of(&token), &token["expires_at"]), ("static".to_owned(), &Value::Null));
    driver.finish();
}

pub fn nonsense_is_told_and_not_repeated(language: Language) {
    let folder = tempfile::tempdir().unwrap();
    let sense = ("no_agent", "makes no sense");
    let misfit = ("version", "does not fit the question");
    let replies = [
        (format!("{{\"reply\":\"token\",\"access_token\":\"{CANARY}\"\n"), sense),
        (format!("\"{CANARY}\"\n"), sense),
        (format!("{}{CANARY}\n", "[".repeat(100_000)), sense),
        (
            format!("{{\"reply\":\"token\",\"access_token\":\"{CANARY}{}\"}}\n", "x".repeat(256 * 1024)),
            ("no_agent", "too long"),
        ),
        (format!("{{\"reply\":\"whoami\",\"id\":\"{CANARY}\"}}\n"), misfit),
        ("{\"reply\":\"token\"}\n".to_owned(), misfit),
        ("{\"reply\":\"error\"}\n".to_owned(), misfit),
        (String::new(), ("no_agent", "broke")),
    ];
    let lines = replies.iter().map(|(reply, _)| reply.clone()).collect();
    let (mut driver, _requests) = faked(folder.path(), language, welcome(), lines);
    driver.connect();
    for (_, (code, words)) in &replies {
        assert_eq!(driver.fails(&json!({ "do": "token" }), words), *code);
    }
    let long = json!({ "do": "login", "scheme": "x".repeat(64 * 1024) });
    assert_eq!(driver.fails(&long, "too long"), "bad_request");
    driver.finish();

    for hello in [
        json!({ "hello": { "chosen": 0, "oldest": 7, "newest": 9, "agent": "fake" } }),
        json!({ "hello": 5 }),
    ] {
        let folder = tempfile::tempdir().unwrap();
        let (mut driver, _requests) = faked(folder.path(), language, hello, Vec::new());
        assert_eq!(driver.fails(&json!({ "do": "connect" }), "no version"), "version");
        driver.finish();
    }
}
