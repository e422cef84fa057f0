//! The clients of docs/clients as they stand there, each driven by a few lines in its own language.

use everkey_tests::cli::{Cli, Talk};
use everkey_tests::person::{Person, Verdict};
use everkey_tests::process::signal;
use everkey_tests::setup::NOBODY;
use everkey_tests::skip::{has, is_root, skipped};
use everkey_tests::wait::PATIENCE;
use everkey_tests::{ADA, Canned, Fault, Setup, World, until};
use rustix::process::Signal;
use serde_json::{Value, json};
use std::fs;
use std::io::{BufRead, BufReader, Write};
use std::os::unix::fs::PermissionsExt;
use std::os::unix::net::UnixListener;
use std::path::{Path, PathBuf};
use std::process::Command;
use std::sync::mpsc::{Receiver, channel};
use std::thread;

const CANARY: &str = "canary-77b0-never-printed";

#[derive(Clone, Copy)]
enum Language {
    Python,
    Node,
}

impl Language {
    fn program(self) -> &'static str {
        match self {
            Self::Python => "python3",
            Self::Node => "node",
        }
    }

    /// What this language's code blocks in README.md begin with.
    fn fence(self) -> &'static str {
        match self {
            Self::Python => "python",
            Self::Node => "js",
        }
    }

    fn driver(self) -> PathBuf {
        let name = match self {
            Self::Python => "driver.py",
            Self::Node => "driver.mjs",
        };
        Path::new(env!("CARGO_MANIFEST_DIR")).join("e2e/clients").join(name)
    }

    /// Why this machine can't run it.
    fn lacking(self) -> Option<String> {
        if !has(self.program()) {
            return Some(format!("no {}", self.program()));
        }
        let old = match self {
            Self::Python => "import sys; sys.exit(sys.version_info < (3, 9))",
            Self::Node => "process.exit(parseInt(process.versions.node) < 18 ? 1 : 0)",
        };
        let option = match self {
            Self::Python => "-c",
            Self::Node => "-e",
        };
        let new = Command::new(self.program()).args([option, old]).status().unwrap().success();
        (!new).then(|| format!("{} is too old", self.program()))
    }
}

/// Each of these in both languages.
macro_rules! in_both_languages {
    ($($test:ident)*) => {
        mod python {
            $(#[test] fn $test() { super::run(super::Language::Python, stringify!($test), super::$test); })*
        }
        mod node {
            $(#[test] fn $test() { super::run(super::Language::Node, stringify!($test), super::$test); })*
        }
    };
}

in_both_languages! {
    signs_in_and_out
    a_sign_in_is_given_up
    ten_callers_with_a_refused_token_get_one_better_one
    a_killed_agent_is_started_again
    nothing_to_start_is_told
    a_stuck_agent_is_told
    another_users_agent_is_told_nothing
    the_agent_is_found_where_its_lock_says
    a_wrong_idea_of_the_server_is_told
    pages_are_shown_once_and_waited_for
    a_person_approves_elsewhere_or_in_the_browser
    follows_what_happens
    nonsense_is_told_and_not_repeated
    the_examples_of_the_readme_work
}

fn run(language: Language, test: &str, body: fn(Language)) {
    match language.lacking() {
        Some(why) => skipped(&format!("clients::{test} ({})", language.program()), &why),
        None => body(language),
    }
}

fn clients() -> PathBuf {
    Path::new(env!("CARGO_MANIFEST_DIR")).join("../docs/clients")
}

/// PATH without any everkeyd, then with this folder in front.
fn path_with(dir: Option<&Path>) -> std::ffi::OsString {
    let path = std::env::var_os("PATH").unwrap_or_default();
    let others = std::env::split_paths(&path).filter(|dir| !dir.join("everkeyd").exists());
    std::env::join_paths(dir.map(Path::to_owned).into_iter().chain(others)).unwrap()
}

/// A program in this language that finds the client and the world's everkeyd.
fn command(world: &World, language: Language) -> Command {
    let mut command = world.command(language.program());
    let agent = PathBuf::from(world.agent_command("").get_program());
    command.env("PATH", path_with(agent.parent()));
    command.env("PYTHONPATH", clients()).env("PYTHONDONTWRITEBYTECODE", "1");
    command
}

fn driven(mut command: Command, language: Language) -> Driver {
    command.arg(language.driver());
    Driver(Cli::new(command).talk())
}

fn driver(world: &World, language: Language) -> Driver {
    driven(command(world, language), language)
}

/// A driver script under way.
struct Driver(Talk);

impl Driver {
    fn tell(&mut self, line: &Value) -> Value {
        self.0.say(&line.to_string());
        self.0.json()
    }

    #[track_caller]
    fn ok(&mut self, line: &Value) -> Value {
        let answer = self.tell(line);
        answer.get("ok").unwrap_or_else(|| panic!("{line} became {answer}")).clone()
    }

    fn connect(&mut self) {
        self.ok(&json!({ "do": "connect", "client": "driver" }));
    }

    /// The code of the error that comes of it; nothing else may be printed with it than its own words.
    #[track_caller]
    fn fails(&mut self, line: &Value, words: &str) -> String {
        let answer = self.tell(line);
        let error = answer.get("error").unwrap_or_else(|| panic!("{line} became {answer}"));
        assert!(error["message"].as_str().unwrap().contains(words), "{error}");
        assert_ne!(error["hint"], "", "{error}");
        assert!(!answer.to_string().contains(CANARY), "{answer}");
        error["code"].as_str().unwrap().to_owned()
    }

    fn answer(&mut self, text: &str) -> Value {
        self.tell(&json!({ "answer": text }))
    }

    fn login(&mut self, world: &World) {
        let before = world.server.codes(ADA).len();
        assert_eq!(self.tell(&json!({ "do": "login" }))["step"]["field"], "email");
        assert_eq!(self.answer(ADA)["step"]["field"], "code");
        assert_eq!(self.answer(&world.server.code_after(ADA, before))["ok"]["email"], ADA);
    }

    /// It ends well and has complained of nothing.
    fn finish(self) {
        let output = self.0.finish().exits(0);
        assert_eq!(output.err, "");
    }
}

/// The text of a token, which must not be printed by anything but itself.
#[track_caller]
fn text_of(token: &Value) -> String {
    let text = token["access_token"].as_str().unwrap();
    assert!(!token["printed"].to_string().contains(text), "{token}");
    text.to_owned()
}

fn signs_in_and_out(language: Language) {
    let world = World::new();
    let mut driver = driver(&world, language);
    driver.connect();
    assert!(world.find_agent().is_some(), "connecting starts the agent");
    for what in ["whoami", "token"] {
        assert_eq!(driver.fails(&json!({ "do": what }), "ot signed in"), "not_signed_in");
    }
    assert_eq!(driver.ok(&json!({ "do": "status" }))["state"], "signed_out");

    assert_eq!(driver.tell(&json!({ "do": "login" }))["step"]["field"], "email");
    assert_eq!(driver.answer(ADA)["step"]["field"], "code");
    let code = world.server.code_after(ADA, 0);
    let wrong = if code == "000000" { "000001" } else { "000000" };
    let again = driver.answer(wrong);
    assert_eq!(again["step"]["again"]["code"], "refused", "{again}");
    let user = driver.answer(&code)["ok"].clone();
    assert_eq!(user["email"], ADA);

    assert_eq!(driver.ok(&json!({ "do": "whoami" })), user);
    assert_eq!(driver.ok(&json!({ "do": "login" })), user, "already, without a question");
    assert_eq!(driver.ok(&json!({ "do": "status" }))["state"], "valid");
    let token = driver.ok(&json!({ "do": "token", "min_validity": 60 }));
    assert_eq!(text_of(&token), world.session_text("access_token"));
    assert!(token["expires_at"].is_u64() && token["short"].is_null(), "{token}");
    assert_eq!(world.server.me(&text_of(&token)), 200);
    let long = driver.ok(&json!({ "do": "token", "min_validity": 99_999 }));
    assert_eq!(long["short"], "lifetime");

    assert_eq!(driver.ok(&json!({ "do": "logout" })), "revoked");
    assert_eq!(driver.fails(&json!({ "do": "whoami" }), "ot signed in"), "not_signed_in");
    assert!(!world.auth_file().exists());
    driver.finish();
}

fn a_sign_in_is_given_up(language: Language) {
    let world = World::new();
    let mut driver = driver(&world, language);
    driver.connect();
    let step = driver.tell(&json!({ "do": "login" }));
    assert_eq!(driver.fails(&json!({ "answer": null }), "given up"), "flow_gone");
    let late = world.lines().ask(&json!({ "request": "answer", "flow": step["step"]["flow"], "text": ADA }));
    assert_eq!(late["code"], "flow_gone", "the agent knows: {late}");
    driver.login(&world);
    driver.finish();
}

fn ten_callers_with_a_refused_token_get_one_better_one(language: Language) {
    let world = World::signed_in(Setup::default());
    let old = world.session_text("access_token");
    let gate = world.proxy.hold_refresh_answer();
    let mut driver = driver(&world, language);
    driver.connect();
    driver.0.say(&json!({ "do": "crowd", "callers": 10, "than": old }).to_string());
    gate.reached();
    until("ten callers to wait", || world.times_asked("better") == 10);
    gate.open();
    let tokens = driver.0.json();
    let tokens: Vec<String> =
        tokens["ok"].as_array().unwrap_or_else(|| panic!("{tokens}")).iter().map(text_of).collect();
    assert_eq!(tokens.len(), 10);
    assert_ne!(tokens[0], old);
    assert!(tokens.iter().all(|token| *token == tokens[0]));
    assert_eq!(world.server.me(&tokens[0]), 200);
    assert_eq!(world.server.events("rotated"), 1);
    // Who comes late with the same news gets the same token, and one that is just new is not replaced.
    assert_eq!(text_of(&driver.ok(&json!({ "do": "better", "than": old }))), tokens[0]);
    let newest = json!({ "do": "better", "than": tokens[0] });
    assert_eq!(driver.fails(&newest, "less than 30 seconds ago"), "rate_limited");
    assert_eq!(world.server.events("rotated"), 1);
    driver.finish();
}

fn a_killed_agent_is_started_again(language: Language) {
    let world = World::signed_in(Setup::default());
    let mut driver = driver(&world, language);
    driver.connect();
    let before = world.agent_pid();
    world.kill_agent();
    assert!(world.socket().exists(), "a stale socket is left");
    assert_eq!(driver.ok(&json!({ "do": "whoami" }))["email"], ADA);
    assert_ne!(world.agent_pid(), before);
    assert_eq!(world.server.me(&text_of(&driver.ok(&json!({ "do": "token" })))), 200);
    driver.finish();
}

fn nothing_to_start_is_told(language: Language) {
    let world = World::new();
    let mut command = command(&world, language);
    command.env("PATH", path_with(None));
    let mut driver = driven(command, language);
    assert_eq!(driver.fails(&json!({ "do": "connect" }), "there is no everkeyd to start"), "no_agent");
    driver.finish();
    // One that starts nothing is told with its own words.
    let command = self::command(&world, language);
    fs::write(world.home().join("state"), "a file in the way").unwrap();
    let mut driver = driven(command, language);
    assert_eq!(driver.fails(&json!({ "do": "connect" }), "did not start: "), "no_agent");
    driver.finish();
}

fn a_stuck_agent_is_told(language: Language) {
    let world = World::signed_in(Setup::default());
    let pid = world.agent_pid();
    let mut driver = driver(&world, language);
    driver.connect();
    signal(pid, Signal::STOP);
    assert_eq!(driver.fails(&json!({ "do": "token" }), "stopped or stuck"), "no_agent");
    signal(pid, Signal::CONT);
    assert_eq!(driver.ok(&json!({ "do": "whoami" }))["email"], ADA);
    assert_eq!(world.agent_pid(), pid, "no second agent was started");
    driver.finish();
}

fn another_users_agent_is_told_nothing(language: Language) {
    if !is_root() || !has("setpriv") {
        let test = format!("another_users_agent_is_told_nothing ({})", language.program());
        return skipped(&test, "it needs root and setpriv to be two users");
    }
    let world = World::signed_in(Setup { unprivileged: true, ..Setup::default() });
    // As if every wall before the socket had fallen; root passes them anyway.
    for path in [world.home().to_owned(), world.home().join("run"), world.socket()] {
        fs::set_permissions(path, fs::Permissions::from_mode(0o777)).unwrap();
    }
    assert_eq!(world.uid(), NOBODY);
    let mut command = Command::new(language.program());
    command.env_clear().env("PATH", path_with(None)).env("PYTHONPATH", clients());
    command
        .env("PYTHONDONTWRITEBYTECODE", "1")
        .env("HOME", world.root())
        .env("EVERKEY_SOCKET", world.socket());
    let mut driver = driven(command, language);
    let code = driver.fails(&json!({ "do": "connect", "client": "driver" }), "another user's program");
    assert_eq!(code, "no_agent");
    driver.finish();
}

fn the_agent_is_found_where_its_lock_says(language: Language) {
    let mut world = World::new();
    // Longer than a socket's address holds.
    let socket = world.root().join("s".repeat(110)).join("agent.sock");
    world.set_env("EVERKEY_SOCKET", socket.to_str().unwrap());
    world.login();
    let pid = world.agent_pid();
    let mut named = driver(&world, language);
    named.connect();
    named.finish();

    world.set_env("EVERKEY_SOCKET", "");
    let mut driver = driver(&world, language);
    driver.connect();
    assert_eq!(driver.ok(&json!({ "do": "whoami" }))["email"], ADA);
    assert_eq!(world.agent_pid(), pid, "no second agent was started");
    driver.finish();

    world.set_env("EVERKEY_SOCKET", world.root().join("elsewhere.sock").to_str().unwrap());
    let mut driver = self::driver(&world, language);
    assert_eq!(driver.fails(&json!({ "do": "connect" }), "your agent is at"), "no_agent");
    driver.finish();
    world.set_env("EVERKEY_SOCKET", "");
}

fn a_wrong_idea_of_the_server_is_told(language: Language) {
    let mut world = World::signed_in(Setup::default());
    let mut driver = driver(&world, language);
    driver.ok(&json!({ "do": "connect", "server": "http://127.0.0.1:1" }));
    assert_eq!(driver.fails(&json!({ "do": "token" }), "http://127.0.0.1:1"), "mismatch");
    driver.ok(&json!({ "do": "connect", "profile": "nobodys" }));
    assert_eq!(driver.fails(&json!({ "do": "token" }), "nobodys"), "unknown_profile");
    driver.finish();
    for (name, value) in [("FAILPROOF_API_URL", "http://127.0.0.1:2"), ("FAILPROOFAI_AUTH_DIR", "/nowhere")] {
        let mut driver = {
            let mut command = command(&world, language);
            command.env(name, value);
            driven(command, language)
        };
        driver.connect();
        assert_eq!(driver.fails(&json!({ "do": "token" }), value), "mismatch");
        driver.finish();
    }
    world.set_env("FAILPROOF_API_URL", "");
}

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

fn pages_are_shown_once_and_waited_for(language: Language) {
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

fn a_person_approves_elsewhere_or_in_the_browser(language: Language) {
    let world = World::new();
    let config: String = ["device", "browser"]
        .map(|scheme| {
            let url = world.proxy.url();
            format!(
                "[profiles.by-{scheme}]\nprovider = \"oauth\"\nissuer = \"{url}\"\nscheme = \"{scheme}\"\n"
            )
        })
        .concat();
    fs::write(world.home().join("config.toml"), config).unwrap();
    let mut person = Person::sign_in(&world.server, ADA);
    let mut driver = driver(&world, language);

    driver.ok(&json!({ "do": "connect", "profile": "by-device" }));
    let told = driver.tell(&json!({ "do": "login" }));
    let step = &told["step"];
    assert_eq!(step["reply"], "show", "{told}");
    driver.0.say(&json!({ "answer": null }).to_string());
    person.decide(step["user_code"].as_str().unwrap(), Verdict::Yes);
    assert_eq!(driver.0.json()["ok"]["email"], ADA);
    assert_eq!(driver.ok(&json!({ "do": "whoami" }))["email"], ADA);
    text_of(&driver.ok(&json!({ "do": "token" })));

    driver.ok(&json!({ "do": "connect", "profile": "by-browser" }));
    let told = driver.tell(&json!({ "do": "login" }));
    let step = &told["step"];
    assert_eq!(step["reply"], "open", "{told}");
    let back = person.answer(step["url"].as_str().unwrap(), Verdict::Yes);
    // This browser is on another machine: nobody comes back to the port, and the address is pasted.
    assert_eq!(driver.answer(&back)["ok"]["email"], ADA);
    assert_eq!(driver.ok(&json!({ "do": "logout" })), "revoked");
    assert_eq!(driver.fails(&json!({ "do": "token" }), "ot signed in"), "not_signed_in");
    driver.finish();
}

fn follows_what_happens(language: Language) {
    let world = World::signed_in(Setup::default());
    let mut driver = driver(&world, language);
    driver.connect();
    let follow = |driver: &mut Driver, count: u32| {
        let times = || world.agent_log().matches("follows what happens").count();
        let before = times();
        driver.0.say(&json!({ "do": "events", "past": true, "count": count }).to_string());
        until("it to follow", || times() > before);
    };
    follow(&mut driver, 3);
    let token = world.token();
    world.everkey("auth refresh --force").ok();
    let answer = driver.0.json();
    let events = answer["ok"].as_array().unwrap_or_else(|| panic!("{answer}"));
    let kinds: Vec<&str> = events.iter().map(|event| event["event"].as_str().unwrap()).collect();
    assert_eq!(kinds, ["signed_in", "handed", "refreshed"]);
    assert_eq!((&events[0]["profile"], &events[0]["user"]["email"]), (&json!("failproofai"), &json!(ADA)));
    assert!(!answer.to_string().contains(&token) && events[0].get("reply").is_none(), "{answer}");

    for (end, code, words) in [
        (World::stop_agent as fn(&World), "busy", "shutting down"),
        (World::kill_agent, "no_agent", "has ended"),
    ] {
        world.agent_pid();
        follow(&mut driver, 1000);
        end(&world);
        let answer = driver.0.json();
        assert_eq!(answer["error"]["code"], code, "{answer}");
        assert!(answer["error"]["message"].as_str().unwrap().contains(words), "{answer}");
        driver.connect();
    }
    driver.finish();
}

fn nonsense_is_told_and_not_repeated(language: Language) {
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

/// The code blocks of docs/clients/README.md in this language.
fn examples(fence: &str) -> Vec<String> {
    let text = fs::read_to_string(clients().join("README.md")).unwrap();
    let blocks = text.split("```").skip(1).step_by(2);
    blocks.filter_map(|block| block.strip_prefix(&format!("{fence}\n"))).map(str::to_owned).collect()
}

fn the_examples_of_the_readme_work(language: Language) {
    let world = World::signed_in(Setup { refresh_gap_ms: Some(1), ..Setup::default() });
    let [two_lines, on_401, follow] = examples(language.fence()).try_into().unwrap();
    assert_eq!(two_lines.lines().count(), 2);
    // Copied, as a reader does.
    for name in ["everkey.py", "everkey.mjs"] {
        fs::copy(clients().join(name), world.root().join(name)).unwrap();
    }
    let started = |code: &str| {
        let script = world.root().join("example.mjs");
        fs::write(&script, code).unwrap();
        let mut command = command(&world, language);
        command.env_remove("PYTHONPATH").arg(script).arg(format!("{}/v0/auth/me", world.proxy.url()));
        Cli::new(command).talk()
    };
    let example = |code: &str| started(code).finish();
    assert_eq!(example(&two_lines).ok(), ADA);
    // Where it stands is known once the past has been printed.
    let mut following = started(&follow);
    assert!(following.line().ends_with(" failproofai signed_in"));
    world.token();
    assert!(following.line().ends_with(" failproofai handed"));
    following.kill();

    let refusal = || Fault::Answer(Canned::json(401, &json!({ "code": "unauthorized" })));
    assert!(example(&on_401).ok().contains(ADA));
    assert_eq!(world.server.events("rotated"), 0);
    world.proxy.next("/v0/auth/me", refusal());
    assert!(example(&on_401).ok().contains(ADA));
    assert_eq!(world.server.events("rotated"), 1);
    // Refused for good: asked twice, reported, and nothing turns in circles.
    let before = world.proxy.seen("/v0/auth/me").len();
    world.proxy.every("/v0/auth/me", refusal());
    example(&on_401).exits(1).complains("401");
    assert_eq!(world.proxy.seen("/v0/auth/me").len(), before + 2);
}

#[test]
fn the_shell_example_of_the_readme_works() {
    if !has("curl") {
        return skipped("the_shell_example_of_the_readme_works", "no curl");
    }
    let world = World::signed_in(Setup::default());
    let [script] = examples("sh").try_into().unwrap();
    let agent = PathBuf::from(world.agent_command("").get_program());
    let run = || {
        let mut command = world.command("sh");
        command.env("PATH", path_with(agent.parent()));
        command.env("url", format!("{}/v0/auth/me", world.proxy.url())).current_dir(world.root());
        command.args(["-euc", &format!("{script}\necho \"$status\"")]);
        Cli::new(command).run()
    };
    assert_eq!(run().ok(), "200");
    assert_eq!(world.server.events("rotated"), 0);
    world.proxy.next("/v0/auth/me", Fault::Answer(Canned::json(401, &json!({ "code": "unauthorized" }))));
    assert_eq!(run().ok(), "200");
    assert_eq!(world.server.events("rotated"), 1);
    assert!(fs::read_to_string(world.root().join("answer")).unwrap().contains(ADA));
}
