//! One test's world: a home of its own, an api-server, a network that fails on command, and the agent in it.

use crate::ADA;
use crate::binaries::Binaries;
use crate::cli::{Cli, Output, Talk};
use crate::lines::Lines;
use crate::manager::UserManager;
use crate::process::{self, Running};
use crate::proxy::Proxy;
use crate::server::Server;
use crate::setup::{NOBODY, Setup};
use crate::skip::is_root;
use crate::wait::{eventually, until};
use rustix::process::Signal;
use serde_json::Value;
use std::collections::BTreeSet;
use std::ffi::OsStr;
use std::fs::{self, File};
use std::os::unix::fs::{PermissionsExt, chown, symlink};
use std::path::{Path, PathBuf};
use std::process::{Command, Stdio};
use std::sync::{Mutex, PoisonError};
use tempfile::TempDir;

/// A world. Everything in it ends when it is dropped.
pub struct World {
    /// The network between agent and server.
    pub proxy: Proxy,
    /// The api-server.
    pub server: Server,
    pub(crate) binaries: Binaries,
    pub(crate) home: PathBuf,
    pub(crate) uid: Option<u32>,
    pub(crate) env: Vec<(String, String)>,
    /// The service manager of its user, where there is one.
    pub(crate) manager: Option<UserManager>,
    /// Every agent that ever answered here, so that none outlives the world, not even a stopped one.
    agents: Mutex<BTreeSet<u32>>,
    pub(crate) root: TempDir,
}

impl World {
    /// A world with a server and nobody signed in; no agent runs yet.
    pub fn new() -> Self {
        Self::with(Setup::default())
    }

    /// The same with choices.
    pub fn with(setup: Setup) -> Self {
        // A socket's path must be short.
        let root = tempfile::Builder::new().prefix("ek").tempdir_in("/tmp").expect("a folder under /tmp");
        let built = Binaries::find();
        let proxy = Proxy::before("http://127.0.0.1:9");
        let server = Server::start_as(&built, &root.path().join("server"), &setup, Some(&proxy.url()));
        proxy.set_upstream(server.url());
        let home = root.path().join("e");
        fs::create_dir(&home).expect("a home");
        let uid = (setup.unprivileged && is_root()).then_some(NOBODY);
        let binaries = match uid {
            Some(uid) => {
                let bin = root.path().join("bin");
                fs::create_dir(&bin).expect("a folder");
                for (path, mode) in [(root.path(), 0o711), (&bin, 0o755)] {
                    fs::set_permissions(path, fs::Permissions::from_mode(mode)).expect("a folder of ours");
                }
                chown(&home, Some(uid), Some(uid)).expect("root may do so");
                built.copied_to(&bin)
            }
            None => built,
        };
        let (env, manager, agents) = (Vec::new(), None, Mutex::default());
        let mut world = Self { proxy, server, binaries, home, uid, env, manager, agents, root };
        world.set_env("EVERKEY_HOME", &world.home.display().to_string());
        world.set_env("HOME", &world.home.display().to_string());
        world.set_env("EVERKEY_LOG", "debug");
        // No test shows anything to whoever sits at this machine.
        world.set_env(
            "DBUS_SESSION_BUS_ADDRESS",
            &format!("unix:path={}", world.root.path().join("no-bus").display()),
        );
        world.set_env("FAILPROOF_API_URL", &world.proxy.url());
        if let Some(gap) = setup.refresh_gap_ms {
            assert!(
                world.binaries.has_test_hooks(),
                "this everkeyd is a release's: `./dev build` makes one for tests"
            );
            world.set_env("EVERKEY_TEST_REFRESH_GAP_MS", &gap.to_string());
        }
        world
    }

    /// A world in which Ada is signed in.
    pub fn signed_in(setup: Setup) -> Self {
        let world = Self::with(setup);
        world.login();
        world
    }

    /// Sets a variable for every program started from now on; an empty value removes it.
    pub fn set_env(&mut self, name: &str, value: &str) {
        self.env.retain(|(known, _)| known != name);
        if !value.is_empty() {
            self.env.push((name.to_owned(), value.to_owned()));
        }
    }

    /// Writes `config.toml`.
    pub fn configure(&self, toml: &str) {
        self.put("config.toml", toml);
    }

    /// Writes a file below `EVERKEY_HOME` as another program of the user would, for nobody else to read.
    pub fn put(&self, name: &str, text: &str) -> PathBuf {
        let path = self.home.join(name);
        for folder in path
            .ancestors()
            .skip(1)
            .take_while(|at| *at != self.home && !at.exists())
            .collect::<Vec<_>>()
            .iter()
            .rev()
        {
            fs::create_dir(folder).expect("a folder of the user");
            fs::set_permissions(folder, fs::Permissions::from_mode(0o700)).expect("a folder of the user");
            self.own(folder);
        }
        fs::write(&path, text).expect("a file of the user");
        fs::set_permissions(&path, fs::Permissions::from_mode(0o600)).expect("a file of the user");
        self.own(&path);
        path
    }

    /// A second server of this world, known by the address that it listens on.
    pub fn another_server(&self) -> Server {
        Server::start(&Binaries::find(), &self.root.path().join("another"), &Setup::default())
    }

    /// A program of this world, with its environment and user and nothing else.
    pub fn command(&self, program: impl AsRef<OsStr>) -> Command {
        let mut command = match (&self.manager, self.uid) {
            (Some(manager), _) => manager.beside(program),
            (None, Some(uid)) => {
                let mut command = Command::new("setpriv");
                command.args([format!("--reuid={uid}"), format!("--regid={uid}")]);
                command.arg("--clear-groups").arg(program);
                command
            }
            (None, None) => Command::new(program),
        };
        command.env_clear().env("PATH", std::env::var_os("PATH").unwrap_or_default());
        command.envs(self.env.iter().map(|(name, value)| (name, value))).current_dir("/");
        command
    }

    /// The command line's program.
    pub fn client(&self) -> PathBuf {
        self.binaries.client()
    }

    /// `everkey WORDS`, not started yet.
    pub fn cli(&self, words: &str) -> Cli {
        let mut command = self.command(self.binaries.client());
        command.args(words.split_whitespace());
        Cli::new(command)
    }

    /// A command as a document writes it: the client called by the name of another tool, as `everkey link` makes it.
    pub fn typed(&self, line: &str) -> Cli {
        let (name, words) = line.split_once(' ').unwrap_or((line, ""));
        let link = self.root.path().join(name);
        if !link.exists() {
            symlink(self.binaries.client(), &link).expect("a link in a folder of ours");
        }
        let mut command = self.command(link);
        command.args(words.split_whitespace());
        Cli::new(command)
    }

    /// Runs `everkey WORDS`.
    pub fn everkey(&self, words: &str) -> Output {
        self.cli(words).run()
    }

    /// Starts `everkey WORDS` without waiting for its end.
    pub fn start(&self, words: &str) -> Talk {
        self.cli(words).talk()
    }

    /// `everkey-dashboard --link-only`, not started yet.
    pub fn dashboard_command(&self) -> Command {
        let mut command = self.command(self.binaries.dashboard());
        command.arg("--link-only");
        command
    }

    /// `everkeyd WORDS`, not started yet.
    pub fn agent_command(&self, words: &str) -> Command {
        let mut command = self.command(self.binaries.agent());
        command.args(words.split_whitespace());
        command
    }

    /// Starts the agent as a child of this test; its log goes where that of a detached one goes.
    pub fn foreground_agent(&self) -> Running {
        let mut command = self.agent_command("--foreground");
        let agent = self.spawn_logged(&mut command);
        until("the agent to answer", || self.find_agent() == Some(agent.pid()));
        agent
    }

    /// Starts a program whose stderr goes to the agent's log.
    pub fn spawn_logged(&self, command: &mut Command) -> Running {
        let state = self.home.join("state");
        fs::create_dir_all(&state).expect("a folder for the log");
        let log = File::options().create(true).append(true).open(state.join("agent.log")).expect("a log");
        self.own(&state);
        self.own(&state.join("agent.log"));
        Running::spawn(command.stdin(Stdio::null()).stdout(Stdio::null()).stderr(log))
    }

    /// Signs Ada in through the real command line.
    pub fn login(&self) {
        self.login_as(ADA);
    }

    /// Signs somebody in, reading the code from the mail folder.
    pub fn login_as(&self, email: &str) {
        let before = self.server.codes(email).len();
        let mut talk = self.start("auth login --json");
        let asked = talk.json();
        assert_eq!(asked["field"], "email", "{asked}");
        talk.say(email);
        assert_eq!(talk.json()["field"], "code");
        talk.say(&self.server.code_after(email, before));
        let done = talk.json();
        assert_eq!(done["user"]["email"], email, "{done}");
        talk.finish().ok();
    }

    /// `everkey auth status --json`.
    pub fn status(&self) -> Value {
        self.everkey("auth status --json").json()
    }

    /// How the session stands, as status says.
    pub fn state(&self) -> String {
        self.status()["state"].as_str().expect("a state").to_owned()
    }

    /// Waits until the session stands so.
    pub fn until_state(&self, state: &str) {
        until(&format!("the state {state}"), || self.state() == state);
    }

    /// A valid access token, by the real command line.
    pub fn token(&self) -> String {
        self.everkey("auth token").ok()
    }

    /// The session file.
    pub fn auth_file(&self) -> PathBuf {
        self.auth_dir().join("auth.json")
    }

    /// The session file's folder.
    pub fn auth_dir(&self) -> PathBuf {
        self.home.join("home/.failproofai")
    }

    /// The session file's content as JSON; none if there is no file.
    pub fn session(&self) -> Option<Value> {
        let bytes = fs::read(self.auth_file()).ok()?;
        Some(serde_json::from_slice(&bytes).expect("any reader sees a complete file (I7)"))
    }

    /// A text field of the session file.
    pub fn session_text(&self, field: &str) -> String {
        let session = self.session().expect("a session file");
        session[field].as_str().expect("a text").to_owned()
    }

    /// `EVERKEY_HOME`.
    pub fn home(&self) -> &Path {
        &self.home
    }

    /// The folder that holds the whole world.
    pub fn root(&self) -> &Path {
        self.root.path()
    }

    /// The user that agent and client run as.
    pub fn uid(&self) -> u32 {
        self.uid.unwrap_or(rustix::process::geteuid().as_raw())
    }

    /// Gives a file made by the test to the user of this world.
    pub fn own(&self, path: &Path) {
        if let Some(uid) = self.uid {
            chown(path, Some(uid), Some(uid)).expect("root may do so");
        }
    }

    /// The agent's socket.
    pub fn socket(&self) -> PathBuf {
        match self.manager {
            Some(_) => self.runtime().join("everkey/agent.sock"),
            None => self.home.join("run/agent.sock"),
        }
    }

    /// A JSON lines connection to the agent.
    pub fn lines(&self) -> Lines {
        Lines::open(&self.socket())
    }

    /// The agent's process id, which must run.
    pub fn agent_pid(&self) -> u32 {
        eventually("the agent to answer", || self.find_agent())
    }

    /// The agent's process id, if one answers.
    pub fn find_agent(&self) -> Option<u32> {
        let output = self.everkey("agent status --json");
        if output.code != 0 {
            return None;
        }
        let pid = output.json()["pid"].as_u64().and_then(|pid| u32::try_from(pid).ok())?;
        self.agents.lock().unwrap_or_else(PoisonError::into_inner).insert(pid);
        Some(pid)
    }

    /// Kills the agent without warning.
    pub fn kill_agent(&self) {
        process::kill_and_wait(self.agent_pid());
    }

    /// Ends the agent properly and waits until it is gone.
    pub fn stop_agent(&self) {
        let pid = self.agent_pid();
        process::signal(pid, Signal::TERM);
        until("the agent to be gone", || !process::is_alive(pid));
    }

    /// What the agent has logged so far.
    pub fn agent_log(&self) -> String {
        let log = match self.manager {
            Some(_) => self.runtime().join("agent.log"),
            None => self.home.join("state/agent.log"),
        };
        fs::read_to_string(log).unwrap_or_default()
    }

    /// How often the agent was asked this, by its log.
    pub fn times_asked(&self, what: &str) -> usize {
        let wanted = format!("request=\"{what}\"");
        self.agent_log().lines().filter(|line| line.contains(&wanted)).count()
    }
}

impl Default for World {
    fn default() -> Self {
        Self::new()
    }
}

impl Drop for World {
    fn drop(&mut self) {
        if self.manager.is_some() {
            // One that a command started is none of the manager's.
            self.find_agent();
        }
        let log = std::thread::panicking().then(|| self.agent_log());
        let manager = self.manager.take().map(|manager| manager.log());
        if !is_root() {
            // The agent's environment is closed to its own user, so it has to be asked.
            self.find_agent();
        }
        let known = std::mem::take(self.agents.get_mut().unwrap_or_else(PoisonError::into_inner))
            .into_iter()
            .filter(|pid| process::is_agent(*pid));
        for pid in process::agents_of(&self.home.display().to_string()).into_iter().chain(known) {
            process::kill_and_wait(pid);
        }
        if let Some(log) = log {
            eprintln!("the agent's log:\n{log}\nthe server's log:\n{}", self.server.log());
            eprintln!("the service manager's log:\n{}", manager.unwrap_or_default());
        }
    }
}
