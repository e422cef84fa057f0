//! strace on single threads of a running agent: counts from the moment it is attached, kills or fails one call.
//! Deliberately absent: `-f`. Its counters are kept per thread, so only a known thread gives a known call.

use everkey_tests::process::{Running, is_alive};
use everkey_tests::until;
use rustix::process::Signal;
use std::fs::{self, File};
use std::path::{Path, PathBuf};
use std::process::{Command, Stdio};

/// Keeps the agent from starting threads: the one worker it has does all the work, in an order that repeats.
pub const NO_NEW_THREADS: &str = "inject=clone,clone3:error=EAGAIN";

/// The threads that calls are made by.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub enum Role {
    /// Owns the sessions and speaks on sockets.
    Main,
    /// Reads and writes the files.
    Worker,
    /// Hears of changed files.
    Watcher,
    /// Any of the api-server's.
    Server,
}

/// Which thread is which.
#[derive(Debug, Clone, Copy)]
pub struct Threads {
    pub main: u32,
    pub worker: u32,
    pub watcher: Option<u32>,
}

impl Threads {
    /// Those of an agent that has exactly one worker.
    pub fn of(agent: u32) -> Option<Self> {
        let tasks = fs::read_dir(format!("/proc/{agent}/task")).ok()?.flatten();
        let ids = tasks.filter_map(|task| task.file_name().to_str()?.parse::<u32>().ok());
        let name = |id: &u32| fs::read_to_string(format!("/proc/{agent}/task/{id}/comm")).unwrap_or_default();
        let others: Vec<(u32, String)> = ids.filter(|id| *id != agent).map(|id| (id, name(&id))).collect();
        let named = |prefix: &str| -> Vec<u32> {
            others.iter().filter(|(_, name)| name.starts_with(prefix)).map(|(id, _)| *id).collect()
        };
        match named("tokio")[..] {
            [worker] => Some(Self { main: agent, worker, watcher: named("notify").first().copied() }),
            _ => None,
        }
    }

    /// The thread in this role.
    pub fn id(&self, role: Role) -> Option<u32> {
        match role {
            Role::Main => Some(self.main),
            Role::Worker => Some(self.worker),
            Role::Watcher => self.watcher,
            Role::Server => None,
        }
    }

    /// Whether the worker waits for work.
    pub fn worker_sleeps(&self) -> bool {
        let stat = fs::read_to_string(format!("/proc/{}/task/{}/stat", self.main, self.worker));
        stat.is_ok_and(|stat| {
            stat.rsplit_once(')').is_some_and(|(_, rest)| rest.trim_start().starts_with('S'))
        })
    }

    /// All of them.
    pub fn all(&self) -> Vec<u32> {
        [Some(self.main), Some(self.worker), self.watcher].into_iter().flatten().collect()
    }
}

/// An attached strace; detached when dropped.
pub struct Strace {
    process: Running,
    log: PathBuf,
}

impl Strace {
    /// Attaches to these threads with these `-e` expressions; none if one of them has just ended.
    pub fn attach(log: PathBuf, threads: &[u32], expressions: &[&str]) -> Option<Self> {
        let said = log.with_extension("said");
        let mut command = Command::new("strace");
        command.args(["-ttt", "-T", "-y", "-s", "40", "-o"]).arg(&log);
        expressions.iter().for_each(|expression| {
            command.args(["-e", expression]);
        });
        threads.iter().for_each(|thread| {
            command.args(["-p", &thread.to_string()]);
        });
        let stderr = File::create(&said).expect("a file for strace");
        command.stdin(Stdio::null()).stdout(Stdio::null()).stderr(stderr);
        let mut process = Running::spawn(&mut command);
        let attached = || fs::read_to_string(&said).unwrap_or_default().matches(" attached").count();
        until("strace to be attached", || attached() == threads.len() || !process.is_running());
        (attached() == threads.len()).then_some(Self { process, log })
    }

    /// What it has written so far.
    pub fn log(&self) -> String {
        fs::read_to_string(&self.log).unwrap_or_default()
    }

    /// Whether it has failed the call it was told to fail.
    pub fn has_injected(&self) -> bool {
        self.log().lines().any(is_injected)
    }

    /// Whether that call woke another thread. The worker does so whenever the main thread sleeps, so the call that is
    /// counted can be such a one, which no disk ever fails.
    pub fn has_missed(&self) -> bool {
        self.log().lines().any(|line| is_injected(line) && line.contains("eventfd"))
    }

    /// Detaches; what it has written.
    pub fn end(mut self) -> String {
        detach(&mut self.process);
        self.log()
    }
}

impl Drop for Strace {
    fn drop(&mut self) {
        detach(&mut self.process);
    }
}

/// Thread creation is failed throughout and does not count.
fn is_injected(line: &str) -> bool {
    line.contains("(INJECTED)") && !line.contains("clone")
}

/// A killed strace would let its threads go too, but without its last lines.
fn detach(process: &mut Running) {
    if process.is_running() {
        process.signal(Signal::TERM);
        process.ended();
    }
}

/// Whether strace is here and may attach to another process of ours.
pub fn works(folder: &Path) -> bool {
    if !everkey_tests::skip::has("strace") {
        return false;
    }
    let mut sleeper = Command::new("sleep");
    let sleeper = Running::spawn(sleeper.arg("600"));
    let pid = sleeper.pid();
    is_alive(pid) && Strace::attach(folder.join("try"), &[pid], &[NO_NEW_THREADS]).is_some()
}
