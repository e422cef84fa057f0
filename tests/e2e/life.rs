//! The agent's life: one per user, found again, started and ended (D01, D02, D03, D05, D06, D07, D12).

use everkey_tests::cli::Cli;
use everkey_tests::process::{self, Running, is_alive};
use everkey_tests::skip::skipped;
use everkey_tests::{ADA, Setup, World, until};
use rustix::process::Signal;
use std::collections::BTreeSet;
use std::fs;
use std::os::unix::fs::{FileTypeExt, MetadataExt, PermissionsExt, symlink};
use std::process::Stdio;

#[test]
fn d01_a_hundred_agents_one_owner() {
    let world = World::new();
    let start = || {
        let mut command = world.agent_command("--foreground");
        Running::spawn(command.stdin(Stdio::null()).stdout(Stdio::piped()).stderr(Stdio::null()))
    };
    let mut agents: Vec<_> = (0..100).map(|_| start()).collect();
    until("all but one to leave", || {
        agents.iter_mut().map(|agent| usize::from(agent.is_running())).sum::<usize>() == 1
    });

    let owner = world.agent_pid();
    for agent in &mut agents {
        if agent.pid() == owner {
            assert!(agent.is_running());
            continue;
        }
        assert!(agent.ended().success());
        let mut said = String::new();
        std::io::Read::read_to_string(agent.child().stdout.as_mut().unwrap(), &mut said).unwrap();
        assert!(said.starts_with("everkeyd is already running"), "{said:?}");
    }
}

#[test]
fn d01_forty_clients_start_one_agent() {
    let world = World::new();
    let clients: Vec<_> = (0..40).map(|_| world.start("agent start --json")).collect();
    let pids: BTreeSet<_> =
        clients.into_iter().map(|client| client.finish().exits(0).json()["pid"].as_u64().unwrap()).collect();
    assert_eq!(pids.len(), 1);
    let home = world.home().display().to_string();
    until("the others to be gone", || process::agents_of(&home).len() <= 1);
}

#[test]
fn a_second_agent_says_so_and_leaves() {
    let world = World::signed_in(Setup::default());
    let pid = world.agent_pid();
    let socket = fs::metadata(world.socket()).unwrap().ino();
    for words in ["--foreground", "--detach"] {
        let said = Cli::new(world.agent_command(words)).run().ok();
        assert!(
            said.contains("already running") && said.contains(world.socket().to_str().unwrap()),
            "{said:?}"
        );
    }
    assert_eq!(world.agent_pid(), pid);
    assert_eq!(fs::metadata(world.socket()).unwrap().ino(), socket, "the socket was left alone");
}

#[test]
fn d03_a_stale_socket_is_replaced() {
    let world = World::signed_in(Setup::default());
    world.kill_agent();
    assert!(fs::metadata(world.socket()).unwrap().file_type().is_socket(), "kill -9 leaves it behind");
    assert!(world.everkey("auth whoami").ok().starts_with(ADA));
    world.stop_agent();
    assert!(!world.socket().exists(), "a proper end takes it away");
}

#[test]
fn the_next_command_restarts_a_stopped_agent() {
    let world = World::signed_in(Setup::default());
    let pid = world.agent_pid();
    world.everkey("agent stop").ok();
    until("the agent to be gone", || !is_alive(pid));
    world.everkey("agent status").exits(3).complains("No agent runs");
    assert!(world.everkey("auth whoami").ok().starts_with(ADA));
    assert_ne!(world.agent_pid(), pid);
    assert!(world.everkey("agent logs").ok().contains("ready"));
}

#[test]
fn an_agent_that_cannot_start_says_why() {
    let mut world = World::new();
    fs::create_dir_all(world.socket()).unwrap();
    world.everkey("auth whoami").exits(3).complains("is in the way: it is not a socket");
    Cli::new(world.agent_command("--detach")).run().exits(1).complains("is in the way");
    fs::remove_dir(world.socket()).unwrap();

    world.set_env("FAILPROOF_API_URL", "http://api.example.com");
    Cli::new(world.agent_command("--foreground")).run().exits(1).complains("FAILPROOF_API_URL");
}

#[test]
fn d02_every_environment_finds_the_same_agent() {
    let mut world = World::new();
    let runtime = world.root().join("runtime");
    fs::create_dir(&runtime).unwrap();
    fs::set_permissions(&runtime, fs::Permissions::from_mode(0o700)).unwrap();
    let home = world.home().to_owned();
    world.set_env("HOME", home.to_str().unwrap());
    let socket = runtime.join("everkey/agent.sock");
    // A terminal has the runtime folder, cron has not; both mean the same home.
    let run = |words: &str, runtime: &str| {
        world.cli(words).env("EVERKEY_HOME", "").env("XDG_RUNTIME_DIR", runtime).run()
    };
    let started = run("agent start --json", runtime.to_str().unwrap()).exits(0).json();
    let pid = started["pid"].as_u64().unwrap();
    assert_eq!(started["socket"], socket.to_str().unwrap());
    let found = run("agent status --json", "").exits(0).json();
    assert_eq!(found["pid"], pid);
    run("agent stop", "").ok();
    until("the agent to be gone", || !is_alive(u32::try_from(pid).unwrap()));
}

#[test]
fn d05_a_hostile_runtime_folder_is_refused() {
    let world = World::new();
    let (run, elsewhere) = (world.home().join("run"), world.root().join("elsewhere"));
    fs::create_dir(&elsewhere).unwrap();
    symlink(&elsewhere, &run).unwrap();
    world.everkey("auth whoami").exits(3).complains("is not a folder");
    fs::remove_file(&run).unwrap();
    fs::write(&run, "").unwrap();
    world.everkey("auth whoami").exits(3);
    fs::remove_file(&run).unwrap();

    let shared = world.root().join("shared");
    fs::create_dir(&shared).unwrap();
    fs::set_permissions(&shared, fs::Permissions::from_mode(0o777)).unwrap();
    let named = shared.join("agent.sock");
    let said = world.cli("auth whoami").env("EVERKEY_SOCKET", named.to_str().unwrap()).run();
    said.exits(3).complains("others can write to the folder");
    assert_eq!(fs::read_dir(&elsewhere).unwrap().count(), 0);
    world.everkey("auth whoami").exits(1);
}

#[test]
fn d06_a_long_path_and_no_umask_are_no_trouble() {
    let mut world = World::new();
    let long = world.root().join("x".repeat(120)).join("y".repeat(60));
    fs::create_dir_all(&long).unwrap();
    world.set_env("EVERKEY_HOME", long.to_str().unwrap());
    let mut command = world.command("sh");
    let program = world.agent_command("").get_program().to_owned();
    command.args(["-c", "umask 0; exec \"$0\" --foreground"]).arg(program);
    let mut agent = world.spawn_logged(&mut command);
    until("the agent to answer", || world.find_agent() == Some(agent.pid()));
    world.login();
    let mode = |path: &str| fs::metadata(long.join(path)).unwrap().permissions().mode() & 0o777;
    for folder in ["run", "state", "home/.failproofai", "state/sessions", "state/revocations"] {
        assert_eq!(mode(folder), 0o700, "{folder}");
    }
    for file in ["run/agent.sock", "state/agent.lock", "home/.failproofai/auth.json"] {
        assert_eq!(mode(file), 0o600, "{file}");
    }
    agent.signal(Signal::TERM);
    assert!(agent.ended().success());
}

#[test]
fn d07_a_removed_runtime_folder_is_made_again() {
    let world = World::signed_in(Setup::default());
    let pid = world.agent_pid();
    fs::remove_dir_all(world.home().join("run")).unwrap();
    until("the agent to answer again", || world.find_agent() == Some(pid));
    assert!(world.everkey("auth whoami").ok().starts_with(ADA));
}

#[test]
fn d12_out_of_descriptors_keeps_a_reserve_and_recovers() {
    let world = World::signed_in(Setup { access_ttl: "8s", refresh_gap_ms: Some(1000), ..Setup::default() });
    world.stop_agent();
    let mut command = world.command("sh");
    let agent = world.agent_command("").get_program().to_owned();
    command.args(["-c", "ulimit -n 64; exec \"$0\" --foreground"]).arg(agent);
    let agent = world.spawn_logged(&mut command);
    until("the agent to answer", || world.find_agent() == Some(agent.pid()));

    if process::open_files(agent.pid()).is_none() {
        return skipped(
            "d12_out_of_descriptors_keeps_a_reserve_and_recovers",
            "only root may count descriptors",
        );
    }
    let crowd: Vec<_> = (0..100).map(|_| std::os::unix::net::UnixStream::connect(world.socket())).collect();
    until("the crowd to be let in", || process::open_files(agent.pid()) > Some(40));
    assert!(process::open_files(agent.pid()) < Some(60), "some of them stay for refreshes");
    let before = world.server.events("rotated");
    until("the refresh that is due", || world.server.events("rotated") > before);
    drop(crowd);
    assert_eq!(world.server.me(&world.token()), 200);
}
