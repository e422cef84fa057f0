//! What strace wrote, as calls; the step of a refresh that each belongs to; and the order that I1 and I4 demand.

use crate::strace::{Role, Threads};
use std::collections::BTreeMap;
use std::fmt;

/// One system call.
#[derive(Debug, Clone)]
pub struct Call {
    /// The thread, where strace watched several.
    pub thread: Option<u32>,
    /// Its name.
    pub name: String,
    /// Arguments and result.
    pub text: String,
    /// When it began, unix seconds.
    pub start: f64,
    /// When it ended.
    pub end: f64,
}

/// The steps of `docs/rotation.md`.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub enum Step {
    /// The file is read again.
    S0,
    /// The connection is made.
    S1,
    /// The intent is written.
    S2,
    /// The request is sent.
    S3,
    /// The answer is read.
    S4,
    /// The outcome goes into the journal.
    S5,
    /// The outcome is durable; the file is exchanged.
    S5File,
    /// The successor is published and the books are closed.
    S6,
}

impl fmt::Display for Step {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::S5File => f.write_str("S5, file"),
            Self::S0 | Self::S1 | Self::S2 | Self::S3 | Self::S4 | Self::S5 | Self::S6 => {
                write!(f, "{self:?}")
            }
        }
    }
}

impl Call {
    /// Whether it succeeded.
    pub fn went_well(&self) -> bool {
        !self.text.contains(" = -1 ") && !self.text.contains(" = ?")
    }

    /// Whether it concerns a file of the world under test rather than a socket, a pipe or the machine's own.
    pub fn is_on_file_under(&self, home: &str) -> bool {
        self.text.contains(home) && !self.text.contains("agent.log") && !self.text.contains("agent.sock")
    }

    fn is(&self, names: &[&str], on: &str) -> bool {
        names.contains(&self.name.as_str()) && self.text.contains(on)
    }

    /// The refresh request leaves.
    pub fn sends_refresh(&self) -> bool {
        let routes = ["POST /v0/auth/token/refresh", "POST /token/"];
        routes.iter().any(|route| self.is(&["writev", "sendto", "write", "sendmsg"], route))
    }
}

/// Reads a log; calls that were interrupted by a line of another thread are put together again.
pub fn parse(log: &str) -> Vec<Call> {
    let mut calls: Vec<Call> = Vec::new();
    let mut open: BTreeMap<Option<u32>, usize> = BTreeMap::new();
    for line in log.lines() {
        let Some((thread, start, rest)) = head(line) else { continue };
        if let Some((_, text)) = rest.split_once(" resumed>") {
            if let Some(call) = open.remove(&thread).map(|at| &mut calls[at]) {
                call.text.push_str(text);
                call.end = start;
            }
            continue;
        }
        let Some((name, text)) = rest.split_once('(') else { continue };
        if text.contains("<unfinished ...>") {
            open.insert(thread, calls.len());
        }
        let took = text.rsplit_once('<').and_then(|(_, took)| took.strip_suffix('>')?.parse::<f64>().ok());
        let (name, text) = (name.to_owned(), text.replace("<unfinished ...>", ""));
        calls.push(Call { thread, name, text, start, end: start + took.unwrap_or(0.0) });
    }
    calls
}

fn head(line: &str) -> Option<(Option<u32>, f64, &str)> {
    let (first, rest) = line.split_once(' ')?;
    if first.contains('.') {
        return Some((None, first.parse().ok()?, rest.trim_start()));
    }
    let (time, rest) = rest.trim_start().split_once(' ')?;
    Some((first.parse().ok(), time.parse().ok()?, rest.trim_start()))
}

/// One call of a refresh where it can be killed or failed.
#[derive(Debug, Clone)]
pub struct Point {
    /// The thread.
    pub role: Role,
    /// The call.
    pub syscall: String,
    /// Its number among those of this name in this thread, from 1.
    pub nth: usize,
    /// The step it belongs to.
    pub step: Step,
    /// Whether it concerns one of our files.
    pub on_file: bool,
    /// Whether it changes anything outside the process.
    pub changes: bool,
}

/// These change nothing that another process could see, and come in numbers that differ from run to run.
const NOISE: [&str; 18] = [
    "futex",
    "epoll_wait",
    "epoll_pwait",
    "restart_syscall",
    "brk",
    "mmap",
    "munmap",
    "mprotect",
    "madvise",
    "getrandom",
    "geteuid",
    "clock_gettime",
    "sched_yield",
    "clone",
    "clone3",
    "rt_sigprocmask",
    "timerfd_settime",
    "sigaltstack",
];

/// Every point of a recorded refresh, in order of time.
pub fn points(calls: &[Call], threads: &Threads, home: &str) -> Vec<Point> {
    let mut counts: BTreeMap<(Role, String), usize> = BTreeMap::new();
    let mut step = Step::S0;
    let mut points = Vec::new();
    for call in calls {
        // The next caller comes when all is over.
        if step == Step::S6 && call.is(&["accept4", "accept"], "AF_UNIX") {
            break;
        }
        step = step.max(begun_by(call).unwrap_or(step));
        let roles = [Role::Main, Role::Worker, Role::Watcher];
        let role = roles.into_iter().find(|role| call.thread.is_some() && threads.id(*role) == call.thread);
        let Some(role) = role.filter(|_| !NOISE.contains(&call.name.as_str())) else { continue };
        let nth = counts.entry((role, call.name.clone())).or_default();
        *nth += 1;
        let on_file = call.is_on_file_under(home);
        let changes = if on_file { changes_files(call) } else { speaks(call) };
        let now = step;
        if step == Step::S5 && call.is(&["fdatasync", "fsync"], "everkey-journal") {
            step = Step::S5File;
        }
        points.push(Point { role, syscall: call.name.clone(), nth: *nth, step: now, on_file, changes });
    }
    points
}

/// The step that begins with this call, if one does.
fn begun_by(call: &Call) -> Option<Step> {
    let journal = "everkey-journal";
    if call.is(&["socket"], "AF_INET") {
        Some(Step::S1)
    } else if call.is(&["open", "openat"], journal) && call.text.contains("O_CREAT") {
        Some(Step::S2)
    } else if call.sends_refresh() {
        Some(Step::S3)
    } else if call.is(&["recvfrom", "read", "readv"], "HTTP/1.") {
        Some(Step::S4)
    } else if call.is(&["pwrite64"], journal) {
        Some(Step::S5)
    } else if call.is(&["open", "openat"], "/state/sessions/") && call.text.contains("O_CREAT") {
        Some(Step::S6)
    } else {
        None
    }
}

impl Point {
    /// Whether it sends or receives.
    pub fn speaks(&self) -> bool {
        self.changes && !self.on_file
    }
}

fn changes_files(call: &Call) -> bool {
    let always = [
        "write",
        "pwrite64",
        "fsync",
        "fdatasync",
        "fallocate",
        "ftruncate",
        "rename",
        "renameat",
        "renameat2",
        "unlink",
        "unlinkat",
        "fchmod",
    ];
    always.contains(&call.name.as_str()) || call.text.contains("O_CREAT")
}

fn speaks(call: &Call) -> bool {
    ["connect", "writev", "sendto", "recvfrom", "shutdown"].contains(&call.name.as_str())
}

/// I1: nothing was sent without a durable intent: written, fsynced, under its name, and the name fsynced.
pub fn sent_only_what_was_noted(calls: &[Call]) -> Result<(), String> {
    let ended_before = |start: f64, names: &[&str], on: &str| {
        let done = calls.iter().filter(|c| c.is(names, on) && c.went_well() && c.end <= start);
        done.map(|c| c.end).fold(None, |last: Option<f64>, end| Some(last.map_or(end, |last| last.max(end))))
    };
    let mut sent_before = 0.0;
    for send in calls.iter().filter(|call| call.sends_refresh()) {
        let named = ended_before(send.start, &["rename", "renameat", "renameat2"], ".everkey-journal\"")
            .filter(|at| *at > sent_before);
        let Some(named) = named else { return Err("sent without an intent of its own".to_owned()) };
        let written =
            ended_before(named, &["fsync", "fdatasync"], "everkey-journal").filter(|at| *at > sent_before);
        if written.is_none() {
            return Err("sent, but the intent was not fsynced before it got its name".to_owned());
        }
        if ended_before(send.start, &["fsync"], ".failproofai>").is_none_or(|at| at < named) {
            return Err("sent, but the folder was not fsynced after the intent got its name".to_owned());
        }
        sent_before = send.end;
    }
    Ok(())
}

/// I4 and S5: journal, then the new file, then the folder; and only then an answer to whoever asked.
pub fn stored_before_published(calls: &[Call]) -> Result<(), String> {
    let first = |what: &str, after: f64, names: &[&str], on: &str| {
        let found = calls.iter().find(|c| c.start >= after && c.is(names, on) && c.went_well());
        found.map(|c| (c.start, c.end)).ok_or_else(|| format!("no {what} where one must be"))
    };
    let (_, outcome) = first("outcome in the journal", 0.0, &["pwrite64"], "everkey-journal")?;
    let (_, durable) =
        first("fdatasync of the journal", outcome, &["fdatasync", "fsync"], "everkey-journal")?;
    let (_, fresh) = first("fsync of the new file", durable, &["fsync"], "/.auth.json.")?;
    let (_, swapped) = first("exchange after it", fresh, &["renameat2", "renameat", "rename"], "auth.json")?;
    let (_, listed) = first("fsync of the folder after it", swapped, &["fsync"], ".failproofai>")?;
    let (published, _) = first("answer", durable, &["sendto", "write", "writev"], "refreshed")?;
    if published < listed {
        return Err("answered before the folder was fsynced".to_owned());
    }
    Ok(())
}
