//! What the unit's sandbox refuses, what it lets the agent do, and what is done outside of it.

use everkey_tests::skip::skipped;
use everkey_tests::{Setup, World, eventually, until};
use std::collections::BTreeMap;
use std::fs;
use std::os::unix::fs::{PermissionsExt, chown};

/// Tries what the agent has no business with, and prints how each ended.
const PROBE: &str = r#"
import ctypes, mmap, os, socket
libc = ctypes.CDLL(None, use_errno=True)
home, runtime = os.environ["HOME"], os.environ["XDG_RUNTIME_DIR"]
def attempt(name, act):
    try:
        act()
        print(name, "done", flush=True)
    except OSError as e:
        print(name, "refused", e.strerror, flush=True)
def call(function, *arguments):
    def act():
        if function(*arguments) < 0:
            raise OSError(ctypes.get_errno(), os.strerror(ctypes.get_errno()))
    return act
def write(path):
    return lambda: (open(path, "w").write("x"), os.remove(path))
def connect(path):
    return lambda: socket.socket(socket.AF_UNIX).connect(path)
attempt("state", write(home + "/.local/state/probe"))
attempt("session", write(home + "/.failproofai-probe"))
attempt("programs", write(home + "/.local/bin/probe"))
attempt("units", write(home + "/.config/systemd/probe"))
attempt("shell", write(home + "/.bashrc"))
attempt("keys", lambda: open(home + "/.ssh/id_ed25519").read())
attempt("manager", connect(runtime + "/systemd/private"))
attempt("bus", connect(runtime + "/bus"))
attempt("namespace", call(libc.unshare, 0x10000000))
attempt("writable code", lambda: mmap.mmap(-1, 4096, prot=mmap.PROT_READ | mmap.PROT_WRITE | mmap.PROT_EXEC))
attempt("netlink", lambda: socket.socket(socket.AF_NETLINK, socket.SOCK_RAW, 0))
attempt("raw", lambda: socket.socket(socket.AF_INET, socket.SOCK_RAW, socket.IPPROTO_ICMP))
attempt("ptrace", call(libc.ptrace, 16, int(open(runtime + "/victim").read()), 0, 0))
attempt("internet", lambda: socket.socket(socket.AF_INET, socket.SOCK_STREAM))
"#;

fn installed(test: &str) -> Option<World> {
    let world = World::managed(test, Setup::default())?;
    world.put("home/.ssh/id_ed25519", "a key");
    world.put("home/.bashrc", "");
    world.everkey("agent install").ok();
    Some(world)
}

/// Runs the probe as a service that is `service` but for its program; how each attempt ended.
fn attempts(world: &World, service: &str) -> BTreeMap<String, bool> {
    let (out, folder) = (world.runtime().join("probe.out"), world.runtime().join("systemd/user"));
    let _ = fs::remove_file(&out);
    let unit = format!(
        "{service}\n[Service]\nType=oneshot\nExecStart=\nExecStart=/usr/bin/python3 %t/probe.py\n\
         StandardOutput=append:%t/probe.out\nStandardError=append:%t/probe.out\n"
    );
    fs::write(folder.join("probe.service"), unit).unwrap();
    world.systemctl("daemon-reload").ok();
    world.systemctl("start probe.service").ok();
    let said = fs::read_to_string(&out).unwrap();
    let ended = said.lines().filter_map(|line| {
        let (name, how) = line.split_once(" refused").or_else(|| line.split_once(" done"))?;
        Some((name.to_owned(), how.is_empty()))
    });
    let ended: BTreeMap<_, _> = ended.collect();
    assert_eq!(ended.len(), 14, "{said}");
    ended
}

#[test]
fn the_sandbox_refuses_what_the_agent_never_needs() {
    let test = "the_sandbox_refuses_what_the_agent_never_needs";
    if !std::path::Path::new("/usr/bin/python3").exists() {
        return skipped(test, "there is no /usr/bin/python3");
    }
    let Some(world) = installed(test) else { return };
    let agent = world.agent_pid();
    let mut sleeper = everkey_tests::process::Running::spawn(world.command("sleep").arg("600"));
    fs::write(world.runtime().join("victim"), sleeper.pid().to_string()).unwrap();
    fs::write(world.runtime().join("probe.py"), PROBE).unwrap();
    // Where the machine has D-Bus, the manager listens there already.
    let bus = world.runtime().join("bus");
    let listener = (!bus.exists()).then(|| std::os::unix::net::UnixListener::bind(&bus).unwrap());
    world.own(&bus);
    let text = fs::read_to_string(world.users_home().join(".config/systemd/user/everkey.service")).unwrap();
    let service: Vec<_> = text.lines().skip_while(|line| *line != "[Service]").collect();
    let shut_in = attempts(&world, &service.join("\n").replace("[Install]", "[X-Install]"));
    let needed = ["state", "session", "internet"];
    for (name, done) in &shut_in {
        assert_eq!(*done, needed.contains(&name.as_str()), "{name}: {shut_in:?}");
    }
    // Without the sandbox all of it is the person's own right, but for the raw socket, and where Yama is for ptrace.
    let free = attempts(&world, "");
    let refused = free.iter().filter(|(_, done)| !**done).map(|(name, _)| name.as_str());
    let refused: Vec<_> = refused.filter(|name| *name != "ptrace").collect();
    assert_eq!(refused, ["raw"]);
    assert_eq!(world.agent_pid(), agent);
    drop(listener);
    sleeper.kill();
}

#[test]
fn callers_are_named_from_outside_the_sandbox() {
    let Some(world) = installed("callers_are_named_from_outside_the_sandbox") else { return };
    world.login();
    world.everkey("token").ok();
    let last = eventually("the access log", || {
        let page = world.everkey("agent accesses --json").json();
        page["accesses"].get(0).cloned()
    });
    assert_eq!(last["program"], "/home/ada/.local/bin/everkey", "{last}");
    assert!(last["from"]["parents"].is_array() && last["from"]["folder"] == "/", "{last}");
    assert_eq!(world.unit("everkey-lookout.service", "ActiveState"), "active");
    // Without it the agent goes on, and says less.
    world.systemctl("stop everkey-lookout.socket everkey-lookout.service").ok();
    world.everkey("token").ok();
}

#[test]
fn owners_are_judged_from_outside_the_sandbox() {
    let Some(world) = installed("owners_are_judged_from_outside_the_sandbox") else { return };
    world.login();
    let config = world.users_home().join(".config/everkey/config.toml");
    let text = fs::read_to_string(&config).unwrap();
    // A root's file is as good as one's own, a stranger's is not.
    for (owner, is_strange) in [(0, false), (12_345, true)] {
        let file = world.users_home().join("ca.pem");
        fs::copy("/etc/ssl/certs/ca-certificates.crt", &file).unwrap();
        fs::set_permissions(&file, fs::Permissions::from_mode(0o644)).unwrap();
        chown(&file, Some(owner), Some(owner)).unwrap();
        let other = "[profiles.other]\nprovider = \"oauth\"\nissuer = \"https://id.invalid\"\nclient_id = \"c\"\n\
                     scheme = \"device\"\nca_file = \"/home/ada/ca.pem\"\n";
        fs::write(&config, format!("{text}{other}")).unwrap();
        let said = world.everkey("login --profile other").exits(4);
        assert_eq!(said.err.contains("belongs to another user (uid 12345)"), is_strange, "{said:?}");
        assert!(!said.err.contains("65534"), "{said:?}");
    }
}

#[test]
fn a_reminder_is_told_from_outside_the_sandbox() {
    let test = "a_reminder_is_told_from_outside_the_sandbox";
    if !std::path::Path::new("/usr/bin/python3").exists() {
        return skipped(test, "there is no /usr/bin/python3");
    }
    let Some(world) = installed(test) else { return };
    let config = world.users_home().join(".config/everkey/config.toml");
    let text = fs::read_to_string(&config).unwrap();
    // A folder that is closed to the agent.
    let command = "[reminder]\ncommand = [\"touch\", \"/home/ada/.local/bin/told\"]\n";
    fs::write(&config, format!("{text}{command}")).unwrap();
    world.login();
    let at = jiff::Timestamp::now() + jiff::SignedDuration::from_secs(2);
    world.everkey(&format!("reminder set --at {}", at.strftime("%Y-%m-%dT%H:%M:%SZ"))).ok();
    let told = world.users_home().join(".local/bin/told");
    until("the command to have run", || told.exists());

    // Whoever hands over another command has the configured one run.
    fs::remove_file(&told).unwrap();
    let script = "import os, socket\n\
                  s = socket.socket(socket.AF_UNIX)\n\
                  s.connect(os.environ['XDG_RUNTIME_DIR'] + '/everkey/remind.sock')\n\
                  assert s.recv(6) == b'ready\\n'\n\
                  s.sendall(b'{\"errand\":\"reminder\",\"at\":1,\"email\":\"a@b.c\",\"command\":[\"touch\",\"/home/ada/other\"]}')\n\
                  s.shutdown(socket.SHUT_WR)\n\
                  s.recv(1)\n";
    let mut command = world.command("/usr/bin/python3");
    command.args(["-c", script]);
    everkey_tests::cli::Cli::new(command).run().ok();
    until("the configured command to have run", || told.exists());
    assert!(!world.users_home().join("other").exists());
}

#[test]
fn the_machine_stays_awake_while_a_session_is_refreshed() {
    let test = "the_machine_stays_awake_while_a_session_is_refreshed";
    let Some(world) = installed(test) else { return };
    world.login();
    // In place of logind: a program that notes when it is started and when it ends.
    world.systemctl("set-environment PATH=/home/ada/bin:/usr/bin:/bin").ok();
    let folder = world.users_home().join("bin");
    fs::create_dir(&folder).unwrap();
    let program = folder.join("systemd-inhibit");
    fs::write(&program, "#!/bin/sh\necho \"$@\" >>$HOME/held\ncat\necho >>$HOME/released\n").unwrap();
    fs::set_permissions(&program, fs::Permissions::from_mode(0o755)).unwrap();
    let bus = "mkdir -p /run/dbus && mount -t tmpfs tmpfs /run/dbus && touch /run/dbus/system_bus_socket";
    let mounted = world.as_root("sh").args(["-c", bus]).status();
    assert!(mounted.is_ok_and(|status| status.success()));
    world.systemctl("stop everkey-lookout.service").ok();
    world.everkey("agent restart").ok();

    let (held, released) = (world.users_home().join("held"), world.users_home().join("released"));
    let gate = world.proxy.hold_refresh_answer();
    let caller = world.start("refresh");
    gate.reached();
    until("the machine to be kept awake", || held.exists());
    assert!(!released.exists());
    gate.open();
    caller.finish().ok();
    until("the machine to be let go", || released.exists());
    let said = fs::read_to_string(held).unwrap();
    assert!(said.starts_with("--what=sleep --mode=delay --who=everkey"), "{said}");
    assert_eq!(said.lines().count(), 1);
}
