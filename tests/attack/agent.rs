//! Attacks on the agent and its programs, by other users of the machine and by what lies in its folders.

use everkey_tests::binaries::Binaries;
use everkey_tests::cli::Cli;
use everkey_tests::process::{Running, peak_memory_kib};
use everkey_tests::skip::{has, is_root, skipped};
use everkey_tests::{ADA, Setup, World, until};
use rustix::fs::{CWD, FileType, mknodat};
use rustix::process::Signal;
use serde_json::json;
use std::fs;
use std::os::unix::fs::{MetadataExt, PermissionsExt, chown, symlink};
use std::os::unix::process::ExitStatusExt;
use std::path::Path;
use std::process::{Command, Stdio};
use std::time::{SystemTime, UNIX_EPOCH};

/// Without rights, even if the suite runs as root.
pub(crate) fn unprivileged() -> Setup {
    Setup { unprivileged: true, ..Setup::default() }
}

/// Whether this test can have two users; says so if it can't.
pub(crate) fn two_users(test: &str) -> bool {
    let able = is_root() && has("setpriv");
    if !able {
        skipped(test, "it needs root and setpriv to be two users");
    }
    able
}

/// Whether this test can be somebody without rights; says so if it can't.
pub(crate) fn one_user(test: &str) -> bool {
    let able = !is_root() || has("setpriv");
    if !able {
        skipped(test, "it needs setpriv to be no root");
    }
    able
}

pub(crate) fn set_mode(path: &Path, mode: u32) {
    fs::set_permissions(path, fs::Permissions::from_mode(mode)).unwrap();
}

pub(crate) fn mode(path: &Path) -> u32 {
    fs::symlink_metadata(path).unwrap().mode() & 0o7777
}

pub(crate) fn fifo(path: &Path) {
    mknodat(CWD, path, FileType::Fifo, 0o600.into(), 0).unwrap();
}

/// Starts a program of the world without a limit for core dumps, waits for `ready` on its stdout, and aborts it. Whether it
/// dumped core.
fn dumps_core(world: &World, program: &Path, arguments: &[&str], ready: &str) -> bool {
    let room = tempfile::tempdir().unwrap();
    let said = room.path().join("said");
    let mut command = world.command("sh");
    command.args(["-c", "ulimit -c unlimited; cd \"$0\" && exec \"$@\""]).arg(room.path()).arg(program);
    command
        .args(arguments)
        .stdin(Stdio::piped())
        .stderr(Stdio::null())
        .stdout(fs::File::create(&said).unwrap());
    let mut running = Running::spawn(&mut command);
    let is_ready = || fs::read_to_string(&said).is_ok_and(|text| text.contains(ready));
    until(&format!("{} to be ready", program.display()), is_ready);
    running.signal(Signal::ABORT);
    let ended = running.ended();
    assert_eq!(ended.signal(), Some(Signal::ABORT.as_raw()), "{}", program.display());
    ended.core_dumped()
}

#[test]
fn d17_an_abort_makes_no_program_dump_its_memory() {
    let world = World::new();
    if !dumps_core(&world, Path::new("sh"), &["-c", "echo ready; exec sleep 600"], "ready") {
        return skipped("d17_an_abort_makes_no_program_dump_its_memory", "nothing dumps core on this system");
    }
    let built = Binaries::find();
    let database = format!("sqlite:{}", world.root().join("core.db").display());
    let mail = format!("dir:{}", world.root().join("mail").display());
    let serve = ["serve", "--listen", "127.0.0.1:0", "--database", &database, "--mail", &mail];
    assert!(!dumps_core(&world, &built.server(), &serve, "listening on"));
    assert!(!dumps_core(&world, &built.helper(), &[], "ready"));
    assert!(!dumps_core(&world, &built.client(), &["login", "--json"], "email"));
    assert!(!dumps_core(&world, &built.dashboard(), &["--link-only"], "/enter?key="));
    world.stop_agent();
    // It says nothing on stdout; its lock says that it listens.
    let room = world.root().join("dump");
    fs::create_dir(&room).unwrap();
    let mut agent = world.command("sh");
    agent
        .args(["-c", "ulimit -c unlimited; cd \"$0\" && exec \"$1\" --foreground"])
        .arg(&room)
        .arg(built.agent());
    let mut agent = Running::spawn(agent.stdin(Stdio::null()).stdout(Stdio::null()).stderr(Stdio::null()));
    until("the agent to answer", || world.find_agent() == Some(agent.pid()));
    agent.signal(Signal::ABORT);
    assert!(!agent.ended().core_dumped());
    assert_eq!(fs::read_dir(&room).unwrap().count(), 0);
}

#[test]
fn f13_anybodys_configuration_is_obeyed_by_nobody() {
    if !one_user("f13_anybodys_configuration_is_obeyed_by_nobody") {
        return;
    }
    let world = World::signed_in(unprivileged());
    let (folder, ran) = (world.home().join("conf"), world.home().join("home/ran"));
    world.put(
        "conf/config.toml",
        "[profiles.mine]\nprovider = \"binboi\"\nserver = \"https://mine.example\"\n",
    );
    let text = format!(
        "[profiles.evil]\nprovider = \"binboi\"\nserver = \"https://evil.example\"\n[reminder]\ncommand = {}\n",
        json!(["touch", ran])
    );
    // As people do who keep their configuration under version control.
    let config = world.home().join("config.toml");
    symlink("conf/config.toml", &config).unwrap();
    assert!(world.everkey("profile list").ok().contains("mine.example"), "the owner's own is obeyed");

    let target = folder.join("config.toml");
    fs::write(&target, &text).unwrap();
    let refused = |words: &str| {
        let said = world.everkey("profile list");
        assert!(!said.out.contains("evil.example"), "{said:?}");
        assert!(said.err.contains(words), "{said:?}");
        let asked = world.everkey("status -p evil").exits(7);
        assert!(asked.err.contains(words), "{asked:?}");
        assert!(world.everkey("whoami -p failproofai").ok().starts_with(ADA), "a session in use goes on");
        assert!(world.agent_log().contains(words), "the agent says so, too");
    };
    for open in [0o666, 0o602] {
        set_mode(&target, open);
        refused(&format!("run `chmod go-w {}`", target.display()));
    }
    set_mode(&target, 0o600);
    set_mode(&folder, 0o777);
    refused(&format!("run `chmod go-w {}`", folder.display()));
    set_mode(&folder, 0o700);
    if is_root() {
        // A group with others in it; the user's own may have nobody else.
        chown(&target, None, Some(1)).unwrap();
        set_mode(&target, 0o664);
        refused(&format!("run `chmod go-w {}`", target.display()));
        chown(&target, Some(1), Some(1)).unwrap();
        set_mode(&target, 0o644);
        refused("belongs to another user (uid 1)");
    } else {
        set_mode(&target, 0o666);
    }

    let now = SystemTime::now().duration_since(UNIX_EPOCH).unwrap().as_secs();
    let due = json!({ "next_audit_at": now - 1, "user_email": ADA, "set_at": now - 9 });
    world.put("home/.failproofai/next-audit.json", &due.to_string());
    until("the reminder to be due", || world.agent_log().contains("can't read the reminder's command"));
    assert!(!ran.exists(), "and its command was not run");
}

#[test]
fn f14_pipes_and_endless_files_keep_nobody_waiting() {
    let world = World::signed_in(Setup::default());
    let agent = world.agent_pid();
    let before = peak_memory_kib(agent);
    // Everybody may have 1 GiB of addresses, which reading without an end exceeds.
    let everkey = |words: &str| {
        let mut command = world.command("sh");
        command.args(["-c", "ulimit -v 1048576; exec \"$@\"", "sh"]).arg(world.client());
        command.args(words.split_whitespace());
        Cli::new(command).run()
    };
    let names =
        ["config.toml", "home/.achilles/config.json", "home/.binboi/config.json", "state/access.jsonl"];
    for name in names {
        let path = world.put(name, "");
        for put in [fifo as fn(&Path), |path| symlink("/dev/zero", path).unwrap(), endless] {
            let _ = fs::remove_file(&path);
            put(&path);
            let listed = everkey("profile list");
            assert!(listed.code == 0 || listed.err.contains(name), "{listed:?}");
            for words in ["status -p binboi", "status -p achilles", "token -p binboi", "agent accesses"] {
                let said = everkey(words);
                assert!([0, 1, 2, 7].contains(&said.code), "{name}, {words}: {said:?}");
            }
            assert_eq!(world.find_agent(), Some(agent), "{name}");
        }
        let _ = fs::remove_file(&path);
    }
    let grown = peak_memory_kib(agent) - before;
    assert!(grown < 256 * 1024, "the agent took {grown} KiB for them");
    for words in ["--code-file /dev/zero", "--code-file /dev/full"] {
        let said = everkey(&format!("login --email ada@example.com --server {} {words}", world.server.url()));
        assert_ne!(said.code, 0, "{said:?}");
    }
    assert_eq!(world.server.me(&world.token()), 200);
}

/// Longer than anybody writes; it takes no room on the disk.
pub(crate) fn endless(path: &Path) {
    fs::File::create(path).unwrap().set_len(8 << 30).unwrap();
    set_mode(path, 0o600);
}

#[test]
fn f15_the_agents_log_follows_no_link() {
    if !one_user("f15_the_agents_log_follows_no_link") {
        return;
    }
    let world = World::with(unprivileged());
    let victim = world.put("home/victim", "mine\n");
    let state = world.put("state/other", "").with_file_name("agent.log");
    type Plant = fn(&Path, &Path);
    let plants: [Plant; 3] = [
        |log, victim| symlink(victim, log).unwrap(),
        |log, victim| fs::hard_link(victim, log).unwrap(),
        |log, _| fifo(log),
    ];
    for plant in plants {
        let _ = fs::remove_file(&state);
        plant(&state, &victim);
        world.own(&state.with_file_name("other"));
        world.everkey("agent start").ok();
        assert_eq!(fs::read_to_string(&victim).unwrap(), "mine\n");
        let log = fs::symlink_metadata(&state).unwrap();
        assert!(log.is_file() && log.nlink() == 1 && log.mode() & 0o777 == 0o600, "{log:?}");
        assert!(world.agent_log().contains("ready"));
        assert!(world.everkey("agent logs").ok().contains("ready"));
        world.stop_agent();
    }
}

#[test]
fn f15_a_state_folder_open_to_others_is_closed() {
    if !one_user("f15_a_state_folder_open_to_others_is_closed") {
        return;
    }
    let world = World::signed_in(unprivileged());
    world.stop_agent();
    let state = world.home().join("state");
    let closed = [state.clone(), state.join("sessions"), state.join("clients")];
    closed.iter().for_each(|folder| set_mode(folder, 0o777));
    assert!(world.everkey("whoami").ok().starts_with(ADA));
    for folder in &closed {
        assert_eq!(mode(folder), 0o700, "{}", folder.display());
    }
    until("a warning", || world.agent_log().contains("others could write to it; its mode is 0700 now"));

    if !two_users("f15_a_state_folder_open_to_others_is_closed") {
        return;
    }
    world.stop_agent();
    chown(&state, Some(1), Some(1)).unwrap();
    for open in [0o777, 0o755] {
        set_mode(&state, open);
        world
            .everkey("whoami")
            .exits(3)
            .complains(&format!("{} belongs to another user (uid 1)", state.display()));
    }
}

#[test]
fn f15_what_others_plant_in_the_state_is_passed_over() {
    if !two_users("f15_what_others_plant_in_the_state_is_passed_over") {
        return;
    }
    let world = World::signed_in(unprivileged());
    world.stop_agent();
    let sidecars = world.home().join("state/sessions");
    let mut files = fs::read_dir(&sidecars).unwrap().flatten().map(|entry| entry.path());
    let sidecar = files.find(|path| path.extension().is_some_and(|kind| kind == "json")).unwrap();
    // It says at which server the session is; another user's word for it sends the token to another server.
    let text = fs::read_to_string(&sidecar).unwrap();
    fs::write(&sidecar, text.replace(&world.proxy.url(), "http://127.0.0.1:9")).unwrap();
    chown(&sidecar, Some(1), Some(1)).unwrap();
    set_mode(&sidecar, 0o666);
    world.everkey("refresh").exits(7).complains("belongs to another user (uid 1)");
    assert_eq!(world.proxy.refreshes(), 0);
    fs::remove_file(&sidecar).unwrap();
    world.stop_agent();
    world.everkey("refresh --force").ok();
}

#[test]
fn f16_a_session_in_an_open_folder_waits() {
    if !one_user("f16_a_session_in_an_open_folder_waits") {
        return;
    }
    let world = World::signed_in(unprivileged());
    let remedy = format!("run `chmod go-w {}`", world.auth_dir().display());
    // While the agent runs, and when it starts.
    for restarted in [false, true] {
        let before = world.proxy.refreshes();
        set_mode(&world.auth_dir(), 0o777);
        if restarted {
            world.stop_agent();
        }
        world.everkey("refresh --force").exits(7).complains(&remedy);
        assert_eq!(world.proxy.refreshes(), before, "nothing is sent");
        assert_eq!(world.server.me(&world.token()), 200, "the session is kept");
        set_mode(&world.auth_dir(), 0o755);
        if restarted {
            // Else it looks again within half a minute.
            world.stop_agent();
        }
        until("a refresh", || world.everkey("refresh --force").code == 0);
        assert!(world.proxy.refreshes() > before);
    }
    set_mode(&world.auth_dir(), 0o1777);
    world.everkey("refresh --force").ok();
    world.server.assert_nothing_revoked();
}

#[test]
fn the_server_uses_no_files_that_others_may_write() {
    let room = tempfile::tempdir().unwrap();
    let (database, limits) = (room.path().join("s.db"), room.path().join("limits.toml"));
    let server = |words: &[&str]| {
        let mut command = Command::new(Binaries::find().server());
        command.args(words).args(["--database", &format!("sqlite:{}", database.display())]);
        command.env_clear().env("HOME", room.path());
        Cli::new(command).run()
    };
    server(&["migrate"]).ok();
    server(&["users", "list"]).ok();
    set_mode(&database, 0o666);
    server(&["users", "list"]).exits(1).complains(&format!("run `chmod go-w {}`", database.display()));
    set_mode(&database, 0o600);
    if is_root() {
        chown(&database, Some(1), Some(1)).unwrap();
        server(&["users", "list"]).exits(1).complains("belongs to another user (uid 1)");
        chown(&database, Some(0), Some(0)).unwrap();
    }
    let serve = ["serve", "--listen", "127.0.0.1:0", "--limits", limits.to_str().unwrap()];
    fifo(&limits);
    server(&serve).exits(1).complains("it is not a plain file but a named pipe");
    fs::remove_file(&limits).unwrap();
    symlink("/dev/zero", &limits).unwrap();
    server(&serve).exits(1).complains("it is not a plain file but a device");
    fs::remove_file(&limits).unwrap();
    fs::write(&limits, "codes_per_ip = { max = 1000000, window = \"1s\" }\n").unwrap();
    set_mode(&limits, 0o666);
    server(&serve).exits(1).complains(&format!("run `chmod go-w {}`", limits.display()));
    fs::remove_file(&database).unwrap();
    fifo(&database);
    server(&["users", "list"]).exits(1).complains("it is not a plain file but a named pipe");
}
