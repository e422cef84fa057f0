//! What a second reading found: outputs that can't be written, descriptors and variables that don't belong to the
//! agent, folders that vanish under it, words that misled.

use everkey_tests::cli::Cli;
use everkey_tests::lines::connect;
use everkey_tests::process::{Running, is_alive};
use everkey_tests::skip::{has, skipped};
use everkey_tests::{ADA, Setup, World, until};
use rustix::process::Signal;
use std::fs::{self, File};
use std::io::{ErrorKind, Write};
use std::os::unix::fs::MetadataExt;
use std::os::unix::net::UnixDatagram;
use std::os::unix::process::ExitStatusExt;
use std::path::Path;
use std::process::{Command, Stdio};
use std::time::{Duration, Instant};

/// Where every write fails as on a full disk.
fn full_disk() -> File {
    File::options().write(true).open("/dev/full").unwrap()
}

/// `everkey WORDS`, not started yet.
fn client(world: &World, words: &str) -> Command {
    let program = world.agent_command("").get_program().to_owned();
    let mut command = world.command(Path::new(&program).with_file_name("everkey"));
    command.args(words.split_whitespace()).stdin(Stdio::null());
    command
}

#[test]
fn unread_or_full_output_is_no_crash() {
    let world = World::signed_in(Setup::default());
    for words in [
        "token",
        "whoami",
        "status",
        "status --json",
        "--help",
        "--version",
        "agent status",
        "agent logs",
        "agent logs --json",
        "profile list",
    ] {
        let (reader, writer) = std::io::pipe().unwrap();
        drop(reader);
        let ended = client(&world, words).stdout(writer).output().unwrap();
        let pipe = Some(Signal::PIPE.as_raw());
        assert_eq!((ended.status.signal(), ended.stderr.as_slice()), (pipe, &b""[..]), "{words}");

        let ended = client(&world, words).stdout(full_disk()).output().unwrap();
        let said = String::from_utf8(ended.stderr).unwrap();
        assert_eq!(ended.status.code(), Some(7), "{words}: {said}");
        assert!(said.starts_with("Can't write to standard output: No space left"), "{words}: {said}");
    }
    let (reader, writer) = std::io::pipe().unwrap();
    drop(reader);
    assert_eq!(client(&world, "frob").stderr(writer).status().unwrap().code(), Some(2));
}

#[test]
fn what_is_no_token_is_never_printed_as_one() {
    let world = World::new();
    for words in ["token", "refresh", "token --min-validity 5m"] {
        let said = world.everkey(words).exits(1).complains("not signed in\n");
        assert_eq!(said.out, "", "{words}");
    }
    assert_eq!(world.everkey("whoami").exits(1).out, "not signed in\n");
}

#[test]
fn an_agent_whose_log_has_no_room_lives_on() {
    let world = World::new();
    let mut command = world.agent_command("--foreground");
    let mut agent = Running::spawn(command.stdin(Stdio::null()).stdout(full_disk()).stderr(full_disk()));
    until("the agent to answer", || !agent.is_running() || world.find_agent() == Some(agent.pid()));
    world.login();
    assert!(world.everkey("whoami").ok().starts_with(ADA));
    assert!(agent.is_running());
    // A second one says that it is one, as far as it can.
    let second = world.agent_command("--foreground").stdout(full_disk()).stderr(full_disk()).status();
    assert!(second.unwrap().success());
}

#[test]
fn an_agent_holds_nothing_of_who_started_it() {
    let mut world = World::new();
    let path = world.root().join("notify");
    let manager = UnixDatagram::bind(&path).unwrap();
    manager.set_nonblocking(true).unwrap();
    world.set_env("NOTIFY_SOCKET", path.to_str().unwrap());
    let lock = world.root().join("lock-of-a-script");
    let held = File::create(&lock).unwrap();
    held.lock().unwrap();
    let mut script = world.command("sh");
    script.args(["-c", "exec 9<&0 </dev/null && \"$0\" agent start"]).arg(client(&world, "").get_program());
    assert!(script.stdin(held).stdout(Stdio::null()).status().unwrap().success());
    drop(script);

    world.agent_pid();
    File::open(&lock).unwrap().try_lock().expect("the script is over and with it its lock");
    let heard = manager.recv(&mut [0; 64]).unwrap_err();
    assert_eq!(heard.kind(), ErrorKind::WouldBlock, "it spoke for the service that a script belongs to");
}

#[test]
fn removing_the_session_folder_signs_out_and_allows_sign_in() {
    let world = World::signed_in(Setup::default());
    let agent = world.agent_pid();
    fs::remove_dir_all(world.auth_dir()).unwrap();
    world.until_state("signed_out");
    world.login();
    world.everkey("refresh --force").ok();
    assert!(world.everkey("whoami").ok().starts_with(ADA));
    assert_eq!(world.agent_pid(), agent);
    assert!(world.auth_dir().join(".auth.json.everkey-lock").exists());
}

#[test]
fn d07_an_agent_without_folders_makes_room_for_another() {
    let world = World::signed_in(Setup::default());
    let old = world.agent_pid();
    for folder in ["state", "run"] {
        fs::remove_dir_all(world.home().join(folder)).unwrap();
    }
    // The next command starts another, which the old one must not fight for the socket.
    assert!(world.everkey("whoami").ok().starts_with(ADA));
    let new = world.agent_pid();
    assert_ne!(new, old);
    until("the old agent to be gone", || !is_alive(old));
    assert!(world.everkey("whoami").ok().starts_with(ADA));
    assert_eq!(world.agent_pid(), new);
}

#[test]
fn an_agent_gives_way_to_the_service_manager() {
    if !has("systemd-socket-activate") {
        return skipped("an_agent_gives_way_to_the_service_manager", "no systemd-socket-activate");
    }
    let world = World::signed_in(Setup::default());
    let old = world.agent_pid();
    let mut command = world.command("systemd-socket-activate");
    for name in ["EVERKEY_HOME", "HOME", "EVERKEY_LOG", "FAILPROOF_API_URL"] {
        command.args(["-E", name]);
    }
    let agent = world.agent_command("").get_program().to_owned();
    command.arg("-l").arg(world.socket()).arg(agent).arg("--foreground");
    let socket = fs::metadata(world.socket()).unwrap().ino();
    let new = world.spawn_logged(&mut command);
    until("the name to be taken", || fs::metadata(world.socket()).is_ok_and(|now| now.ino() != socket));
    let taken = fs::metadata(world.socket()).unwrap().ino();
    until("the new agent to answer", || world.find_agent() == Some(new.pid()));
    assert!(!is_alive(old));
    assert!(world.everkey("whoami").ok().starts_with(ADA));
    assert_eq!(fs::metadata(world.socket()).unwrap().ino(), taken);
}

#[test]
fn a_second_socket_name_learns_the_agents_address() {
    let world = World::signed_in(Setup::default());
    let other = world.root().join("other.sock");
    let began = Instant::now();
    let said = world.cli("whoami").env("EVERKEY_SOCKET", other.to_str().unwrap()).run().exits(3);
    said.complains(world.socket().to_str().unwrap()).complains("Unset EVERKEY_SOCKET");
    assert!(began.elapsed() < Duration::from_secs(10), "it did not wait for what can't come");
}

#[test]
fn a_missing_agent_and_an_endless_answer_are_named() {
    let world = World::new();
    let alone = world.root().join("everkey");
    // By another process: a copy that this one had open for writing could be busy in a fork of another test.
    let copied = Command::new("cp").arg(client(&world, "").get_program()).arg(&alone).status().unwrap();
    assert!(copied.success());
    let mut command = world.command(&alone);
    let ended = command.arg("whoami").env("PATH", "/nowhere").output().unwrap();
    assert_eq!(ended.status.code(), Some(3));
    assert!(String::from_utf8(ended.stderr).unwrap().contains("Put everkeyd beside everkey"));

    let endless = "a".repeat(100_000);
    world.cli("login").stdin(&endless).run().exits(2).complains("too long");
}

#[test]
fn d10_a_client_that_takes_no_replies_is_dropped() {
    let world = World::signed_in(Setup::default());
    let mut deaf = connect(&world.socket());
    deaf.write_all(b"{\"hello\":{\"oldest\":1,\"newest\":1,\"client\":\"deaf\"}}\n").unwrap();
    deaf.set_write_timeout(Some(Duration::from_millis(100))).unwrap();
    // It asks and asks, until its questions and the agent's answers fill the socket both ways.
    until("the agent to hang up", || match deaf.write_all(b"{\"request\":\"status\"}\n") {
        Ok(()) => false,
        Err(e) => e.kind() == ErrorKind::BrokenPipe,
    });
}

#[test]
fn n07_what_hangs_does_not_keep_the_agent_from_ending() {
    let world = World::signed_in(Setup::default());
    let log = world.home().join("state/access.jsonl");
    let _ = fs::remove_file(&log);
    // Nobody ever reads it, so whoever opens it to write hangs.
    rustix::fs::mknodat(rustix::fs::CWD, &log, rustix::fs::FileType::Fifo, 0o600.into(), 0).unwrap();
    world.token();
    let began = Instant::now();
    world.stop_agent();
    assert!(began.elapsed() < Duration::from_secs(15));
}

#[test]
fn f06_an_agent_that_gets_no_watch_looks_for_itself() {
    if !has("strace") {
        return skipped("f06_an_agent_that_gets_no_watch_looks_for_itself", "no strace");
    }
    let world = World::signed_in(Setup::default());
    world.stop_agent();
    let agent = world.agent_command("").get_program().to_owned();
    let mut command = world.command("strace");
    command.args(["-qq", "-o", "/dev/null", "-e", "trace=inotify_init1"]);
    command.args(["-e", "inject=inotify_init1:error=EMFILE"]).arg(agent).arg("--foreground");
    let mut agent = world.spawn_logged(&mut command);
    until("the agent to answer", || !agent.is_running() || world.find_agent().is_some());
    assert!(world.everkey("whoami").ok().starts_with(ADA));
    assert!(world.agent_log().contains("looking every 30 s"), "the failure was injected");
}

/// Types an address and, at the code's prompt, Ctrl-D, on a terminal of its own; tells what was seen and the exit code.
const CTRL_D: &str = r#"
import os, pty, sys, termios, time
pid, terminal = pty.fork()
if pid == 0:
    os.execv(sys.argv[1], [sys.argv[1], "login"])
seen = b""
def until(words):
    global seen
    while words not in seen:
        seen += os.read(terminal, 4096)
until(b"Email:"); os.write(terminal, b"ada@example.com\n")
until(b"Code from")
# What is typed before the prompt reads unseen counts as text.
while termios.tcgetattr(terminal)[3] & termios.ICANON: time.sleep(0.01)
os.write(terminal, b"\x04")
try:
    while True: seen += os.read(terminal, 4096)
except OSError: pass
print(seen.decode(), os.waitstatus_to_exitcode(os.waitpid(pid, 0)[1]))
"#;

#[test]
fn ctrl_d_at_the_code_ends_the_input() {
    if !has("python3") {
        return skipped("ctrl_d_at_the_code_ends_the_input", "no python3");
    }
    let world = World::new();
    let mut command = world.command("python3");
    command.args(["-c", CTRL_D]).arg(client(&world, "").get_program());
    let said = Cli::new(command).run().ok();
    assert!(said.contains("The input ended") && said.contains("login --continue"), "{said}");
    assert!(said.ends_with(" 2"), "{said}");
}
