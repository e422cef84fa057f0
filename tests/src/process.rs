//! Processes that end with the test: each in a group of its own, killed when dropped.

use crate::wait::{eventually, until};
use rustix::process::{Pid, Signal, kill_process, kill_process_group};
use std::fs;
use std::os::unix::process::CommandExt;
use std::process::{Child, Command, ExitStatus};

/// A child process with everything it started.
pub struct Running {
    child: Child,
}

impl Running {
    /// Starts it in a process group of its own.
    pub fn spawn(command: &mut Command) -> Self {
        let child = command.process_group(0).spawn();
        Self { child: child.unwrap_or_else(|e| panic!("can't run {command:?}: {e}")) }
    }

    /// Its process id.
    pub fn pid(&self) -> u32 {
        self.child.id()
    }

    /// The child itself, for its pipes.
    pub fn child(&mut self) -> &mut Child {
        &mut self.child
    }

    /// Sends it a signal.
    pub fn signal(&self, signal: Signal) {
        self::signal(self.pid(), signal);
    }

    /// Waits for its end.
    pub fn ended(&mut self) -> ExitStatus {
        let what = format!("the end of process {}", self.pid());
        eventually(&what, || self.child.try_wait().expect("a child of ours"))
    }

    /// Whether it still runs.
    pub fn is_running(&mut self) -> bool {
        self.child.try_wait().expect("a child of ours").is_none()
    }

    /// Kills it and waits until it is gone.
    pub fn kill(&mut self) {
        if !self.is_running() {
            // Its number may be another's by now.
            return;
        }
        if let Some(group) = Pid::from_raw(self.child.id().cast_signed()) {
            let _ = kill_process_group(group, Signal::KILL);
        }
        let _ = self.child.wait();
    }
}

impl Drop for Running {
    fn drop(&mut self) {
        self.kill();
    }
}

/// Sends a signal to any process; one that is gone does not mind.
pub fn signal(pid: u32, signal: Signal) {
    if let Some(pid) = Pid::from_raw(pid.cast_signed()) {
        let _ = kill_process(pid, signal);
    }
}

/// Kills a process that is not our child and waits until it is gone.
pub fn kill_and_wait(pid: u32) {
    signal(pid, Signal::KILL);
    until("the killed process to be gone", || !is_alive(pid));
}

/// Whether a process runs; one that nobody has reaped yet does not.
pub fn is_alive(pid: u32) -> bool {
    let stat = fs::read_to_string(format!("/proc/{pid}/stat")).unwrap_or_default();
    let state = stat.rsplit_once(')').map(|(_, rest)| rest.trim_start());
    state.is_some_and(|state| !state.starts_with(['Z', 'X']))
}

/// How many file descriptors a process has open; none where we may not look, as an agent's own user may not.
pub fn open_files(pid: u32) -> Option<usize> {
    fs::read_dir(format!("/proc/{pid}/fd")).ok().map(Iterator::count)
}

/// The most memory a process ever asked for, used or not, in KiB.
pub fn peak_memory_kib(pid: u32) -> u64 {
    let status = fs::read_to_string(format!("/proc/{pid}/status")).unwrap_or_default();
    let line = status.lines().find_map(|line| line.strip_prefix("VmPeak:"));
    let number = line.and_then(|line| line.split_whitespace().next());
    number.and_then(|number| number.parse().ok()).expect("the kernel tells the peak")
}

/// Whether a process runs and is an everkeyd.
pub fn is_agent(pid: u32) -> bool {
    let command = fs::read(format!("/proc/{pid}/comm")).unwrap_or_default();
    command.starts_with(b"everkeyd") && is_alive(pid)
}

/// Every everkeyd that runs with this `EVERKEY_HOME`, however it was started, as far as we may look.
pub fn agents_of(home: &str) -> Vec<u32> {
    let wanted = format!("EVERKEY_HOME={home}");
    let processes = fs::read_dir("/proc").into_iter().flatten().flatten();
    let pids = processes.filter_map(|entry| entry.file_name().to_str()?.parse::<u32>().ok());
    let is_ours = |pid: &u32| {
        let environment = fs::read(format!("/proc/{pid}/environ")).unwrap_or_default();
        environment.split(|byte| *byte == 0).any(|line| line == wanted.as_bytes())
    };
    pids.filter(|pid| is_agent(*pid)).filter(is_ours).collect()
}
