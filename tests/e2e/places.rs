//! Whose folders everkey works in, and how the agent is found though its place is gone or its record is wrong
//! (D02, D03, D07).

use everkey_tests::cli::{Cli, Output};
use everkey_tests::process::is_alive;
use everkey_tests::setup::NOBODY;
use everkey_tests::skip::{has, is_root, skipped};
use everkey_tests::{ADA, Setup, World, until};
use std::fs;
use std::os::unix::fs::{PermissionsExt, chown, symlink};
use std::os::unix::net::UnixListener;
use std::path::{Path, PathBuf};
use std::process::Command;

const UNPRIVILEGED: Setup = Setup {
    access_ttl: "3600s",
    strict: false,
    real_limits: false,
    limits: "",
    refresh_gap_ms: None,
    unprivileged: true,
};

/// A folder of the world's user with this mode.
pub fn folder(world: &World, path: &Path, mode: u32) -> PathBuf {
    fs::create_dir_all(path).unwrap();
    fs::set_permissions(path, fs::Permissions::from_mode(mode)).unwrap();
    world.own(path);
    path.to_owned()
}

/// As root with this environment and nothing else.
fn as_root(world: &World, program: &str, words: &str, env: &[(&str, &Path)]) -> Output {
    let mut command = Command::new(world.root().join("bin").join(program));
    command.args(words.split_whitespace()).env_clear().current_dir("/");
    command.env("PATH", std::env::var_os("PATH").unwrap_or_default());
    command.envs(env.iter().copied());
    Cli::new(command).run()
}

fn count(folder: &Path) -> usize {
    fs::read_dir(folder).unwrap().count()
}

#[test]
fn root_refuses_a_home_of_somebody_else() {
    if !is_root() || !has("setpriv") {
        return skipped("root_refuses_a_home_of_somebody_else", "it needs root and setpriv to be two users");
    }
    let world = World::with(UNPRIVILEGED);
    let (theirs, own) = (folder(&world, &world.root().join("theirs"), 0o700), world.root().join("own"));
    fs::create_dir(&own).unwrap();
    let refused = |program: &str, words: &str, env: &[(&str, &Path)]| {
        let said = as_root(&world, program, words, env);
        assert_ne!(said.code, 0, "{program} {words}: {said:?}");
        assert!(said.err.contains(&format!("belongs to user {NOBODY}")), "{program} {words}: {said:?}");
        assert!(said.err.contains("EVERKEY_HOME") && said.out.is_empty(), "it says what to do: {said:?}");
        assert_eq!(said.err.lines().count(), 1, "{said:?}");
        assert_eq!((count(&theirs), count(&own)), (0, 0), "{program} {words} touches nothing");
        said.code
    };
    for words in ["token", "whoami", "status", "login", "agent start", "agent status", "agent stop"] {
        assert_eq!(refused("everkey", words, &[("HOME", &theirs)]), 7);
    }
    for words in
        ["profile add x --provider binboi", "link binboi", "unlink binboi", "agent logs", "dashboard"]
    {
        assert_eq!(refused("everkey", words, &[("HOME", &theirs)]), 7);
    }
    for (program, words) in
        [("everkeyd", "--detach"), ("everkeyd", "--foreground"), ("everkey-dashboard", "")]
    {
        refused(program, words, &[("HOME", &theirs)]);
        refused(program, words, &[("HOME", &theirs.join("not/there"))]);
    }
    for variable in ["XDG_STATE_HOME", "XDG_CONFIG_HOME", "FAILPROOFAI_AUTH_DIR"] {
        refused("everkey", "token", &[("HOME", &own), (variable, &theirs.join("x"))]);
        refused("everkeyd", "--detach", &[("HOME", &own), (variable, &theirs)]);
    }

    // Whoever means it names a folder; whose it is counts all the same.
    let foreign: [(&str, &Path); 2] = [("HOME", &theirs), ("EVERKEY_HOME", &theirs)];
    let said = as_root(&world, "everkey", "agent start", &foreign).exits(3);
    assert!(said.err.contains("belongs to another user"), "{said:?}");
    let meant: [(&str, &Path); 2] = [("HOME", &theirs), ("EVERKEY_HOME", &own)];
    as_root(&world, "everkey", "agent start", &meant).ok();
    as_root(&world, "everkey", "agent stop", &meant).ok();
    until("the agent to be gone", || as_root(&world, "everkey", "agent status", &meant).code == 3);
}

#[test]
fn anybody_refuses_a_home_of_somebody_else() {
    if !is_root() || !has("setpriv") {
        return skipped(
            "anybody_refuses_a_home_of_somebody_else",
            "it needs root and setpriv to be two users",
        );
    }
    let mut world = World::with(UNPRIVILEGED);
    world.set_env("EVERKEY_HOME", "");
    for owner in [0, NOBODY - 1] {
        let theirs = world.root().join(owner.to_string());
        fs::create_dir(&theirs).unwrap();
        fs::set_permissions(&theirs, fs::Permissions::from_mode(0o777)).unwrap();
        chown(&theirs, Some(owner), Some(owner)).unwrap();
        world.set_env("HOME", theirs.to_str().unwrap());
        world.everkey("token").exits(7).complains(&format!("belongs to user {owner}"));
        Cli::new(world.agent_command("--detach")).run().exits(1).complains("EVERKEY_HOME");
        assert_eq!(count(&theirs), 0);
    }
    world.set_env("HOME", world.home().to_owned().to_str().unwrap());
    world.everkey("whoami").exits(1);
    world.stop_agent();
}

/// What somebody may have written where the agent says where it listens.
pub fn records(world: &World) -> Vec<Vec<u8>> {
    let at = |name: &str| world.root().join(name);
    symlink(at("loop"), at("loop")).unwrap();
    fs::create_dir(at("closed")).unwrap();
    fs::set_permissions(at("closed"), fs::Permissions::from_mode(0o700)).unwrap();
    let paths = [at("loop/x"), at("closed/x"), at("server"), PathBuf::from("/nowhere/x")];
    let texts = ["/etc/passwd/x", "/etc/passwd", "x", "./x", "/", "\0", "/a\0b", "\n", "null", "4711"];
    let long = [format!("/{}", "x".repeat(300)), "/x".repeat(3000), "y".repeat(1 << 20)];
    let mut records: Vec<_> = paths.iter().map(|path| path.to_str().unwrap().into()).collect();
    records.extend(texts.iter().map(|text| text.as_bytes().to_vec()));
    records.extend(long.map(String::into_bytes));
    records.push(b"/\xff\xfe/x".to_vec());
    records
}

/// The lock file with this record, while nobody holds it.
pub fn record(world: &World, text: &[u8]) -> PathBuf {
    let lock = world.put("state/agent.lock", "");
    fs::write(&lock, text).unwrap();
    lock
}

#[test]
fn d03_a_record_that_leads_nowhere_keeps_nobody_out() {
    let world = World::with(UNPRIVILEGED);
    for text in records(&world) {
        let lock = record(&world, &text);
        let name = String::from_utf8_lossy(&text[..text.len().min(40)]).into_owned();
        world.everkey("agent status").exits(3).complains("No agent runs");
        assert!(world.everkey("agent stop").ok().contains("No agent runs"), "{name:?}");
        let said = world.everkey("whoami");
        assert_eq!(said.code, 1, "an agent is started despite {name:?}: {said:?}");
        assert_eq!(fs::read(&lock).unwrap(), world.socket().to_str().unwrap().as_bytes());
        world.stop_agent();
    }
    // Somebody else listens there, or somebody who says nothing.
    let (strange, silent) = (world.root().join("strange.sock"), world.home().join("silent.sock"));
    let _listeners = [&strange, &silent].map(|path| UnixListener::bind(path).unwrap());
    fs::set_permissions(&strange, fs::Permissions::from_mode(0o777)).unwrap();
    world.own(&silent);
    for path in [strange, silent] {
        record(&world, path.to_str().unwrap().as_bytes());
        world.everkey("whoami").exits(1);
        world.stop_agent();
    }
}

#[test]
fn d02_a_running_agent_writes_its_record_again() {
    let world = World::signed_in(UNPRIVILEGED);
    let pid = world.agent_pid();
    for text in records(&world) {
        fs::write(world.home().join("state/agent.lock"), &text).unwrap();
        assert!(world.everkey("whoami").ok().starts_with(ADA), "{text:?}");
    }
    let recorded = || fs::read(world.home().join("state/agent.lock")).unwrap();
    until("the record to be right again", || recorded() == world.socket().to_str().unwrap().as_bytes());
    assert_eq!(world.agent_pid(), pid);
}

/// A world with a runtime folder, as a login makes one: in a folder that is not the user's.
fn with_runtime_folder() -> (World, PathBuf) {
    let mut world = World::with(UNPRIVILEGED);
    let runtime = folder(&world, &world.root().join("run/user"), 0o700);
    world.set_env("EVERKEY_HOME", "");
    world.set_env("XDG_RUNTIME_DIR", runtime.to_str().unwrap());
    (world, runtime)
}

#[test]
fn d07_an_agent_outlives_its_runtime_folder() {
    let (mut world, runtime) = with_runtime_folder();
    world.everkey("agent start").ok();
    let pid = world.agent_pid();
    let socket = |world: &World| world.everkey("agent status --json").json()["socket"].clone();
    assert_eq!(socket(&world), runtime.join("everkey/agent.sock").to_str().unwrap());
    fs::remove_dir_all(&runtime).unwrap();

    // From a terminal of before, from cron, and from the next login.
    let fallback = world.home().join(".local/state/everkey/run/agent.sock");
    let again = folder(&world, &world.root().join("run/again"), 0o700);
    for runtime in [runtime.to_str().unwrap(), "", again.to_str().unwrap()] {
        world.set_env("XDG_RUNTIME_DIR", runtime);
        let found = world.everkey("agent status --json").exits(0).json();
        assert_eq!(found["pid"], pid, "{runtime:?}");
        assert_eq!(found["socket"], fallback.to_str().unwrap(), "{runtime:?}");
        world.everkey("whoami").exits(1);
    }
    assert!(!runtime.exists(), "a folder of the system's is not the agent's to make");
    world.everkey("agent stop").ok();
    until("the agent to be gone", || !is_alive(pid));
    world.everkey("agent status").exits(3).complains("No agent runs");
}

#[test]
fn d07_an_agent_with_no_place_left_ends() {
    let (world, runtime) = with_runtime_folder();
    world.everkey("agent start").ok();
    let pid = world.agent_pid();
    let (state, log) = (world.home().join(".local/state/everkey"), "agent.log");
    fs::write(state.join("run"), "in the way").unwrap();
    fs::remove_dir_all(&runtime).unwrap();
    until("the agent to be gone", || !is_alive(pid));
    let said = fs::read_to_string(state.join(log)).unwrap();
    assert!(said.contains("can't be bound again") && said.contains("giving way"), "{said}");
    world.everkey("agent status").exits(3).complains("No agent runs");
    fs::remove_file(state.join("run")).unwrap();
    world.everkey("whoami").exits(1);
    world.stop_agent();
}

#[test]
fn d02_an_unfit_runtime_folder_is_passed_over() {
    let (mut world, runtime) = with_runtime_folder();
    let fallback = world.home().join(".local/state/everkey/run/agent.sock");
    let unfit = |name: &str, mode: u32| folder(&world, &world.root().join(name), mode);
    let (open, listed, file) = (unfit("open", 0o777), unfit("listed", 0o711), world.root().join("file"));
    let others = world.root().join("others");
    fs::create_dir(&others).unwrap();
    fs::set_permissions(&others, fs::Permissions::from_mode(0o700)).unwrap();
    fs::write(&file, "").unwrap();
    let others = if is_root() { vec![others] } else { Vec::new() };
    for dir in [open, listed, file.clone(), file.join("x"), runtime.join("gone")].into_iter().chain(others) {
        world.set_env("XDG_RUNTIME_DIR", dir.to_str().unwrap());
        let started = world.everkey("agent start --json").exits(0).json();
        assert_eq!(started["socket"], fallback.to_str().unwrap(), "{}", dir.display());
        world.everkey("whoami").exits(1);
        world.stop_agent();
    }
}
