//! Secrets driven through every flow at TRACE are found nowhere but where they belong (D16, D17).

use base64::Engine;
use base64::engine::general_purpose::{STANDARD_NO_PAD, URL_SAFE_NO_PAD};
use everkey_tests::cli::{Cli, Output};
use everkey_tests::skip::{has, is_root, skipped};
use everkey_tests::{ADA, Canned, Fault, REFRESH, Setup, World, until};
use std::collections::BTreeSet;
use std::fs;
use std::path::{Path, PathBuf};

/// What must be found nowhere, and all that was said meanwhile.
struct Hunt {
    world: World,
    secrets: BTreeSet<String>,
    said: String,
}

impl Hunt {
    fn heard(&mut self, output: &Output) {
        self.said.push_str(&output.err);
        // A token stands on stdout only where it was asked for.
        self.said.push_str(&output.out);
    }

    fn run(&mut self, words: &str) {
        let output = self.world.everkey(words);
        self.heard(&output);
        self.learn();
    }

    fn sign_in(&mut self, email: &str) {
        let before = self.world.server.codes(email).len();
        let mut talk = self.world.start("auth login");
        talk.say(email);
        let code = self.world.server.code_after(email, before);
        talk.say(&format!("{code}x"));
        talk.say(&code);
        let output = talk.finish();
        assert_eq!(output.code, 0, "{output:?}");
        self.heard(&output);
        self.learn();
    }

    /// Whatever is secret at this moment.
    fn learn(&mut self) {
        if let Some(session) = self.world.session() {
            for field in ["access_token", "refresh_token"] {
                self.secrets.insert(session[field].as_str().unwrap().to_owned());
            }
        }
        let keys = self.world.proxy.seen(REFRESH);
        self.secrets.extend(keys.iter().filter_map(|sent| sent.header("idempotency-key")).map(str::to_owned));
    }

    /// Fails if any secret stands in the text in any form.
    fn search(&self, place: &str, text: &[u8]) {
        for secret in &self.secrets {
            for form in forms(secret) {
                let found = text.windows(form.len()).any(|part| part == form.as_bytes());
                assert!(!found, "a secret was found in {place} as {form:?}");
            }
        }
    }
}

/// A long enough part from the middle, and the same in base64 at each of its three alignments, in hex and escaped.
fn forms(secret: &str) -> Vec<String> {
    let middle = &secret[secret.len() / 2 - 10..][..20];
    let mut forms = vec![middle.to_owned()];
    for shift in 0..3 {
        for engine in [&STANDARD_NO_PAD, &URL_SAFE_NO_PAD] {
            let encoded = engine.encode(&secret.as_bytes()[shift..]);
            // The last characters depend on what follows.
            forms.push(encoded[..encoded.len() - 2].to_owned());
        }
    }
    forms.push(middle.bytes().map(|byte| format!("{byte:02x}")).collect());
    forms.push(middle.replace('-', "%2D").replace('_', "%5F"));
    forms.push(middle.bytes().map(|byte| format!("\\u{byte:04x}")).collect());
    forms
}

fn files_below(folder: &Path) -> Vec<PathBuf> {
    let entries = fs::read_dir(folder).into_iter().flatten().flatten().map(|entry| entry.path());
    entries.flat_map(|path| if path.is_dir() { files_below(&path) } else { vec![path] }).collect()
}

#[test]
fn d16_secrets_are_found_nowhere_else() {
    let mut world = World::new();
    world.set_env("EVERKEY_LOG", "trace");
    let mut hunt = Hunt { world, secrets: BTreeSet::new(), said: String::new() };

    hunt.sign_in(ADA);
    let tokens = hunt.world.token();
    assert!(hunt.secrets.contains(&tokens));
    hunt.run("auth status");
    hunt.run("auth status --json");
    for words in ["doctor", "doctor --json", "report"] {
        hunt.run(words);
    }
    for fault in
        [Fault::LoseAnswer, Fault::CutAnswer(300), Fault::Answer(Canned::captive_portal()), Fault::Reset]
    {
        hunt.world.proxy.next(REFRESH, fault);
        hunt.run("auth refresh --force");
    }
    // What makes no sense may hold a secret, too.
    let mut lines = hunt.world.lines();
    lines.send(format!("{{\"request\":\"answer\",\"text\":\"{tokens}\",\"flow\":\"x\"}}\n").as_bytes());
    hunt.said.push_str(&lines.rest());
    let gate = hunt.world.proxy.hold_refresh_answer();
    let caller = hunt.world.start("auth refresh --force");
    gate.reached();
    let pid = hunt.world.agent_pid();
    for file in ["cmdline", "environ"] {
        hunt.learn();
        hunt.search(file, &fs::read(format!("/proc/{pid}/{file}")).unwrap_or_default());
        hunt.search(file, &fs::read(format!("/proc/{}/{file}", caller.pid())).unwrap_or_default());
    }
    hunt.world.kill_agent();
    hunt.heard(&caller.finish());
    gate.open();
    hunt.run("auth whoami");
    until("the refresh that the crash cut short", || hunt.world.state() == "valid");
    hunt.learn();
    fs::write(hunt.world.auth_file(), format!("{{\"access_token\":\"{tokens}\"")).unwrap();
    until("nobody to be signed in", || hunt.world.everkey("auth whoami").code == 1);
    hunt.run("auth whoami");
    hunt.sign_in("bob@example.com");
    hunt.world.proxy.go_away();
    hunt.run("auth logout");
    hunt.world.proxy.come_back();
    until("the sign-out to be told", || hunt.world.status()["pending_revocations"] == 0);

    assert!(hunt.secrets.len() > 8, "the canaries are there to be found");
    hunt.search("what the commands said", hunt.said.as_bytes());
    hunt.search("the server's log", hunt.world.server.log().as_bytes());
    let home = hunt.world.home().to_owned();
    for file in files_below(&home) {
        // The spent list keeps the keys of sent tokens by design, and a damaged session file is kept as it was.
        let name = file.display().to_string();
        if name.contains("/state/sessions/") || name.contains("auth.json.damaged-") {
            continue;
        }
        hunt.search(&name, &fs::read(&file).unwrap_or_default());
    }
    assert!(hunt.world.agent_log().contains("refresh"), "there was a log to search");
}

#[test]
fn d17_the_agents_memory_is_closed_to_its_own_user() {
    let world = World::signed_in(Setup { unprivileged: true, ..Setup::default() });
    if is_root() && !has("setpriv") {
        return skipped("d17_the_agents_memory_is_closed_to_its_own_user", "it needs setpriv to be no root");
    }
    let pid = world.agent_pid();
    for file in ["mem", "environ", "fd"] {
        let path = format!("/proc/{pid}/{file}");
        let output =
            world.command("sh").args(["-c", "ls \"$0/\" || head -c 1 \"$0\""]).arg(&path).output().unwrap();
        let said = String::from_utf8_lossy(&output.stderr).into_owned();
        assert!(!output.status.success() && said.contains("ermission denied"), "{path}: {output:?}");
    }
    let limits = fs::read_to_string(format!("/proc/{pid}/limits")).unwrap();
    let core = limits.lines().find(|line| line.starts_with("Max core file size")).unwrap();
    assert_eq!(core.split_whitespace().nth(4), Some("0"), "{core}");
    if !has("strace") {
        return skipped("d17_the_agents_memory_is_closed_to_its_own_user", "its last part needs strace");
    }
    let mut strace = world.command("strace");
    strace.args(["-p", &pid.to_string()]);
    Cli::new(strace).run().exits(1).complains("not permitted");
    assert!(world.everkey("auth whoami").ok().starts_with(ADA));
}
