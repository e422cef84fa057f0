//! An agent that is stopped, hidden, elsewhere, older, replaced or not there at all.

use super::{doctor, finding, kinds, note, problem};
use everkey_proto::hello::{AgentHello, ClientHello, HELLO_CAP};
use everkey_proto::reply::AgentInfo;
use everkey_proto::{Reply, codec, frame};
use everkey_tests::process::{self, Running};
use everkey_tests::skip::{has, is_root, skipped};
use everkey_tests::{Setup, World, eventually, until};
use rustix::process::Signal;
use std::fs::{self, File};
use std::io::{Read, Write};
use std::os::unix::fs::PermissionsExt;
use std::os::unix::net::{UnixListener, UnixStream};
use std::process::Command;
use std::thread;

#[test]
fn no_agent_is_worth_a_note() {
    let world = World::signed_in(Setup::default());
    world.kill_agent();
    note(&world, "no_agent", "No agent runs.", "the next command starts one");
    // Its socket and its lock are still there, and mean nothing.
    assert!(world.socket().exists());
    assert_eq!(kinds(&doctor(&world)), ["no_agent"]);
}

#[test]
fn a_service_manager_that_listens_starts_none_for_doctor() {
    let test = "a_service_manager_that_listens_starts_none_for_doctor";
    if !has("systemd-socket-activate") {
        return skipped(test, "no systemd-socket-activate");
    }
    let world = World::signed_in(Setup::default());
    world.stop_agent();
    let program = world.agent_command("").get_program().to_owned();
    let mut command = world.command("systemd-socket-activate");
    for name in ["EVERKEY_HOME", "HOME", "EVERKEY_LOG", "FAILPROOF_API_URL"] {
        command.args(["-E", name]);
    }
    command.arg("-l").arg(world.socket()).arg(program).arg("--foreground");
    let manager = Running::spawn(&mut command);
    until("the socket to be bound", || world.socket().exists());
    assert_eq!(kinds(&doctor(&world)), ["no_agent"]);
    assert!(!process::is_agent(manager.pid()));
    world.everkey("whoami").ok();
    assert_eq!(doctor(&world)["agent"]["pid"], manager.pid());
}

#[test]
fn an_agent_that_is_stopped_is_told_with_its_process() {
    let world = World::signed_in(Setup::default());
    let agent = world.agent_pid();
    process::signal(agent, Signal::STOP);
    let found = doctor(&world);
    assert!(!kinds(&found).contains(&"unfinished"), "{found:#}");
    assert_eq!(found["profiles"][0]["is_open"], false, "the servers are looked at all the same");
    problem(&world, "agent_stopped", &agent.to_string(), &format!("kill -CONT {agent}"));
    process::signal(agent, Signal::CONT);
    assert!(!kinds(&doctor(&world)).contains(&"agent_stopped"));
}

#[test]
fn a_socket_that_is_gone_is_told() {
    let world = World::signed_in(Setup::default());
    let agent = world.agent_pid();
    // The agent puts it back every few seconds.
    let found = eventually("doctor to come before the agent", || {
        let _ = fs::remove_file(world.socket());
        let found = doctor(&world);
        let all = found["findings"].as_array().unwrap();
        all.iter().find(|finding| finding["kind"] == "agent_hidden").cloned()
    });
    super::says(&found, &world.socket().display().to_string(), &format!("kill {agent}"));
}

#[test]
fn an_agent_elsewhere_is_told() {
    let mut world = World::signed_in(Setup::default());
    let there = world.socket();
    world.set_env("EVERKEY_SOCKET", &world.home().join("other.sock").display().to_string());
    problem(
        &world,
        "agent_unusable",
        &format!("your agent is at {}", there.display()),
        "Unset EVERKEY_SOCKET",
    );
}

#[test]
fn what_keeps_an_agent_from_starting_is_told() {
    let mut world = World::new();
    world.set_env("FAILPROOF_API_URL", "http://api.example.com");
    problem(&world, "agent_unusable", "An agent could not start here: FAILPROOF_API_URL", "Mend that");
}

#[test]
fn a_program_that_is_missing_is_told() {
    let world = World::new();
    let alone = world.root().join("alone");
    fs::create_dir(&alone).unwrap();
    // By a process of its own: what another test starts meanwhile would hold the copy open, which can't be run then.
    assert!(Command::new("cp").arg(world.client()).arg(&alone).status().unwrap().success());
    let mut command = world.command(alone.join("everkey"));
    let said = command.args(["doctor", "--json"]).env("PATH", "/nowhere").output().unwrap();
    let found: serde_json::Value = serde_json::from_slice(&said.stdout).unwrap();
    assert!(kinds(&found).contains(&"program_missing"), "{found:#}");
}

#[test]
fn a_program_that_was_replaced_is_told() {
    if !is_root() {
        return skipped("a_program_that_was_replaced_is_told", "only root gives a world its own programs");
    }
    let world = World::signed_in(Setup { unprivileged: true, ..Setup::default() });
    let program = world.client().with_file_name("everkeyd");
    let newer = program.with_extension("new");
    assert!(Command::new("cp").arg(&program).arg(&newer).status().unwrap().success());
    fs::rename(&newer, &program).unwrap();
    problem(&world, "program_replaced", &program.display().to_string(), "everkey agent restart");
    world.stop_agent();
    world.everkey("whoami").ok();
    assert!(!kinds(&doctor(&world)).contains(&"program_replaced"));
}

/// Somebody who holds the agent's lock, says hello with this version of the protocol and calls itself version 0.0.9.
fn older_agent(world: &World, chosen: u16) -> File {
    let lock = File::create(world.put("state/agent.lock", "")).unwrap();
    lock.lock().unwrap();
    let socket = world.socket();
    fs::create_dir_all(socket.parent().unwrap()).unwrap();
    fs::set_permissions(socket.parent().unwrap(), fs::Permissions::from_mode(0o700)).unwrap();
    let listener = UnixListener::bind(&socket).unwrap();
    thread::spawn(move || {
        for stream in listener.incoming().flatten() {
            thread::spawn(move || talk(stream, chosen));
        }
    });
    lock
}

fn talk(mut stream: UnixStream, chosen: u16) -> Option<()> {
    let mut magic = [0; frame::MAGIC.len()];
    stream.read_exact(&mut magic).ok()?;
    let hello = ClientHello::decode(&read_frame(&mut stream)?).ok()?;
    let answer = AgentHello { chosen, ..AgentHello::answer(&hello, "everkeyd 0.0.9") };
    stream.write_all(&frame::enclose(&answer.encode(), HELLO_CAP).ok()?).ok()?;
    read_frame(&mut stream)?;
    let info = AgentInfo {
        version: "0.0.9".into(),
        pid: 7,
        socket: "/s".into(),
        state_dir: "/d".into(),
        replaced: false,
    };
    let reply = codec::encode_reply(&Reply::Agent(info)).ok()?;
    stream.write_all(&frame::enclose(&reply, frame::REPLY_CAP).ok()?).ok()?;
    // It does not know what it is asked next.
    read_frame(&mut stream).map(drop)
}

fn read_frame(stream: &mut UnixStream) -> Option<Vec<u8>> {
    let mut head = [0; 4];
    stream.read_exact(&mut head).ok()?;
    let mut body = vec![0; frame::body_len(head, frame::REQUEST_CAP).ok()?];
    stream.read_exact(&mut body).ok()?;
    Some(body)
}

#[test]
fn an_agent_of_another_version_is_told() {
    let world = World::new();
    let _lock = older_agent(&world, everkey_proto::VERSION);
    problem(&world, "other_version", "everkeyd 0.0.9, and this is everkey", "everkey agent restart");
}

#[test]
fn an_agent_of_another_protocol_is_told() {
    let world = World::new();
    let _lock = older_agent(&world, 0);
    problem(&world, "other_version", "everkeyd 0.0.9", "Upgrade");
}

#[test]
fn a_program_of_another_user_at_the_socket_is_told() {
    if !is_root() {
        return skipped(
            "a_program_of_another_user_at_the_socket_is_told",
            "it takes root to be another user",
        );
    }
    let world = World::with(Setup { unprivileged: true, ..Setup::default() });
    world.put("run/made", "");
    drop(older_agent(&world, everkey_proto::VERSION));
    problem(&world, "foreign_owner", "agent.sock belongs to user 0", "have its owner remove it");
}

#[test]
fn whoever_else_holds_the_session_lock_is_named() {
    if !has("flock") {
        return skipped("whoever_else_holds_the_session_lock_is_named", "flock is missing");
    }
    let world = World::signed_in(Setup::default());
    world.stop_agent();
    let lock = world.auth_dir().join(".auth.json.everkey-lock");
    let mut command = world.command("flock");
    let mut holder = Running::spawn(command.arg("--no-fork").arg(&lock).args(["sleep", "600"]));
    let held = || kinds(&doctor(&world)).contains(&"lock_held");
    until("the lock to be held", held);
    let pid = holder.pid();
    problem(&world, "lock_held", &format!("process {pid}"), &format!("kill {pid}"));
    world.everkey("whoami").ok();
    let found = finding(&world, "read_only_session");
    super::says(&found, "is only read here", "looks again by itself");
    assert!(held());
    holder.kill();
    until("the agent to take the lock", || !kinds(&doctor(&world)).contains(&"read_only_session"));
}
