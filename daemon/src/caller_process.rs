//! Which process has connected, and where it comes from, by the system's word. Taken so that a process id which was used
//! again can't pass for the first one: what is read counts only if the process is still there after it was read.
//! Deliberately absent: arguments and environment, which may hold secrets.

use everkey_proto::reply::{CalledFrom, ParentProcess};
use everkey_proto::text::harmless;
use rustix::event::{PollFd, PollFlags, Timespec, poll};
use rustix::process::{Pid, PidfdFlags, pidfd_open};
use serde::{Deserialize, Serialize};
use std::fs;
use std::os::fd::OwnedFd;
use std::path::Path;

/// The most parents that are named.
const MOST_PARENTS: usize = 12;

/// The most letters of a path that are kept.
const PATH_CAP: usize = 400;

/// The system counts the time at which a process started in hundredths of a second.
const TICK_MS: u64 = 10;

/// What is known of a process that connected; nothing of one that is gone.
#[derive(Debug, Default, Serialize, Deserialize)]
pub struct CallerProcess {
    pub program: Option<String>,
    pub from: Option<CalledFrom>,
}

/// Looks at the process that connected. `peer` refers to it, where the system gives such (`SO_PEERPIDFD`); elsewhere it must
/// have started before it was let in, `since` milliseconds after boot.
pub fn look_at(pid: i32, peer: Option<OwnedFd>, since: u64) -> CallerProcess {
    let named = peer.is_none();
    let (Some(reference), Some(stat)) = (reference(pid, peer), Stat::read(pid)) else {
        return CallerProcess::default();
    };
    if named && stat.started_ms() > since {
        return CallerProcess::default();
    }
    let program = program(pid);
    let from = CalledFrom {
        folder: link(pid, "cwd"),
        parents: parents(pid, stat),
        terminal: stat.terminal_name(),
        unit: unit(pid),
    };
    if has_ended(&reference) {
        return CallerProcess::default();
    }
    CallerProcess { program, from: Some(from) }
}

/// What no later process can take over.
pub fn reference(pid: i32, peer: Option<OwnedFd>) -> Option<OwnedFd> {
    peer.or_else(|| pidfd_open(Pid::from_raw(pid)?, PidfdFlags::empty()).ok())
}

/// A process that has ended makes its descriptor readable.
pub fn has_ended(process: &OwnedFd) -> bool {
    let mut ended = [PollFd::new(process, PollFlags::IN)];
    poll(&mut ended, Some(&Timespec { tv_sec: 0, tv_nsec: 0 })) != Ok(0)
}

/// Who started it, up to the terminal's first program or the unit's.
fn parents(pid: i32, stat: Stat) -> Vec<ParentProcess> {
    let mut parents = Vec::new();
    let mut child = (pid, stat);
    while parents.len() < MOST_PARENTS && !child.1.leads_terminal(child.0) && child.1.parent > 1 {
        let pid = child.1.parent;
        let Some(stat) = Stat::read(pid) else { break };
        // The caller's folder says which project it is; its parents' would only cost time.
        let folder = parents.is_empty().then(|| link(pid, "cwd")).flatten();
        let parent = ParentProcess { pid, program: program(pid), folder };
        // A child whose parent ends gets another one: while it names the same, that process was its parent all along.
        if Stat::read(child.0) != Some(child.1) {
            break;
        }
        // What the system doesn't let us look at, and the service manager, started the terminal or the unit.
        match &parent.program {
            Some(program) if !program.ends_with("/systemd") => parents.push(parent),
            Some(_) | None => break,
        }
        child = (pid, stat);
    }
    parents
}

/// What the system counts of a process.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
struct Stat {
    parent: i32,
    session: i32,
    terminal: u32,
    started: u64,
}

impl Stat {
    fn read(pid: i32) -> Option<Self> {
        Self::parse(&fs::read_to_string(format!("/proc/{pid}/stat")).ok()?)
    }

    /// A program may put anything into its name, which is between the first and the last bracket.
    fn parse(text: &str) -> Option<Self> {
        let (_, rest) = text.rsplit_once(')')?;
        let fields: Vec<&str> = rest.split_whitespace().collect();
        let number = |at: usize| fields.get(at)?.parse::<i64>().ok();
        Some(Self {
            parent: i32::try_from(number(1)?).ok()?,
            session: i32::try_from(number(3)?).ok()?,
            terminal: u32::try_from(number(4)?).ok()?,
            started: u64::try_from(number(19)?).ok()?,
        })
    }

    fn started_ms(&self) -> u64 {
        self.started.saturating_mul(TICK_MS)
    }

    fn leads_terminal(&self, pid: i32) -> bool {
        self.terminal != 0 && self.session == pid
    }

    /// By the numbers that Linux gives to its terminals.
    fn terminal_name(&self) -> Option<String> {
        let (major, minor) =
            (self.terminal >> 8 & 0xfff, self.terminal & 0xff | self.terminal >> 12 & 0xfff00);
        match (major, minor) {
            (136..=143, minor) => Some(format!("/dev/pts/{}", (major - 136) * 256 + minor)),
            (4, 0..64) => Some(format!("/dev/tty{minor}")),
            (4, minor) => Some(format!("/dev/ttyS{}", minor - 64)),
            _ => None,
        }
    }
}

/// What a process runs.
fn program(pid: i32) -> Option<String> {
    link(pid, "exe")
}

fn link(pid: i32, name: &str) -> Option<String> {
    let target = fs::read_link(format!("/proc/{pid}/{name}")).ok()?;
    Some(harmless(&target.to_string_lossy(), PATH_CAP))
}

fn unit(pid: i32) -> Option<String> {
    unit_in(&fs::read_to_string(format!("/proc/{pid}/cgroup")).ok()?)
}

/// The innermost service or scope of systemd's own hierarchy.
fn unit_in(cgroup: &str) -> Option<String> {
    let hierarchy = cgroup
        .lines()
        .find_map(|line| line.strip_prefix("0::").or_else(|| Some(line.split_once(":name=systemd:")?.1)))?;
    let is_unit =
        |name: &&str| Path::new(name).extension().is_some_and(|kind| kind == "service" || kind == "scope");
    hierarchy.rsplit('/').find(is_unit).map(|name| harmless(name, PATH_CAP))
}

#[cfg(test)]
mod tests {
    use super::*;
    use std::process::{Command, Stdio};

    fn me() -> i32 {
        i32::try_from(std::process::id()).unwrap()
    }

    #[test]
    fn a_process_is_named_with_its_folder_and_parents() {
        let folder = tempfile::tempdir().unwrap();
        let mut command = Command::new("sh");
        command
            .args(["-c", "sleep 60 & read -r _; kill $!"])
            .current_dir(folder.path())
            .stdin(Stdio::piped());
        let mut child = command.spawn().unwrap();
        let pid = i32::try_from(child.id()).unwrap();
        let looked = look_at(pid, None, u64::MAX);
        let from = looked.from.unwrap();
        assert_eq!(from.folder.as_deref(), folder.path().to_str());
        assert_eq!(from.parents[0].pid, me());
        assert_eq!(from.parents[0].program, program(me()));
        drop(child.stdin.take());
        child.wait().unwrap();
    }

    #[test]
    fn nothing_is_said_of_a_process_that_may_be_another() {
        let mut child = Command::new("sleep").arg("60").spawn().unwrap();
        let pid = i32::try_from(child.id()).unwrap();
        let started = Stat::read(pid).unwrap().started_ms();
        assert!(look_at(pid, None, started).program.is_some());
        // It has this number only since after the connection was made.
        let later = look_at(pid, None, started - TICK_MS);
        assert!(later.program.is_none() && later.from.is_none());
        // The one that connected has ended, and somebody else has its number.
        let reference = pidfd_open(Pid::from_raw(pid).unwrap(), PidfdFlags::empty()).unwrap();
        child.kill().unwrap();
        child.wait().unwrap();
        let reused = look_at(me(), Some(reference), u64::MAX);
        assert!(reused.program.is_none() && reused.from.is_none());
        assert!(look_at(pid, None, u64::MAX).program.is_none());
        assert!(look_at(0, None, u64::MAX).program.is_none());
    }

    #[test]
    fn a_name_with_brackets_and_numbers_deceives_nobody() {
        let text = "7 (x) R 1 1 1 0 (y)) S 42 7 40 34817 7 4 0 0 0 0 0 0 0 0 20 0 1 0 12345 0 0";
        let stat = Stat::parse(text).unwrap();
        assert_eq!(stat, Stat { parent: 42, session: 40, terminal: 34817, started: 12345 });
        assert_eq!(stat.terminal_name().as_deref(), Some("/dev/pts/1"));
        assert!(stat.leads_terminal(40) && !stat.leads_terminal(7));
        assert_eq!(Stat::parse("7 (x"), None);
    }

    #[test]
    fn a_unit_is_the_innermost_service_or_scope() {
        for (cgroup, unit) in [
            ("0::/user.slice/user-7.slice/user@7.service/app.slice/deploy.service\n", Some("deploy.service")),
            ("0::/user.slice/user-7.slice/session-3.scope\n", Some("session-3.scope")),
            ("4:cpu:/x.service\n1:name=systemd:/system.slice/cron.service/sub\n", Some("cron.service")),
            ("0::/\n", None),
            ("", None),
        ] {
            assert_eq!(unit_in(cgroup).as_deref(), unit, "{cgroup}");
        }
    }
}
