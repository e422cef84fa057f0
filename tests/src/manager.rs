//! A real `systemd --user` manager, in a mount namespace in which the machine looks as if systemd had started it.
//! It runs as an ordinary user, so that what needs no privileges there needs none here.

use crate::process::Running;
use crate::skip::{has, is_root};
use crate::wait::until;
use std::ffi::OsStr;
use std::fs::{self, File};
use std::io::Write;
use std::os::unix::fs::{PermissionsExt, chown};
use std::path::{Path, PathBuf};
use std::process::{Command, Stdio};
use std::sync::atomic::{AtomicU32, Ordering};

/// Whom the managers serve: users that no machine knows, each test's another, because each has ports of its own.
const FIRST_UID: u32 = 40_000;

/// So many users come before one is used again.
const UIDS: u32 = 4_000;

/// Where that user's home is, seen from inside.
pub const ADAS_HOME: &str = "/home/ada";

const SYSTEMD: &str = "/lib/systemd/systemd";

/// What PID 1 makes, and what a sign-in makes for a user. The group of processes is so that all of them can be ended.
const BOOT: &str = r#"
set -eu
mount -t tmpfs -o mode=755 tmpfs /run/systemd
mkdir /run/systemd/system
mkdir -m 700 /run/systemd/unit-root
mkdir -p /run/user
mount -t tmpfs -o mode=755 tmpfs /run/user
mkdir "/run/user/$ADA"
mount --bind "$RUNTIME" "/run/user/$ADA"
mount -t tmpfs -o mode=755 tmpfs /home
mkdir /home/ada
mount --bind "$HOME_OF_ADA" /home/ada
for group in $GROUPS_OF_ADA; do echo $$ >"$group/cgroup.procs"; done
exec setpriv --reuid="$ADA" --regid="$ADA" --clear-groups \
  env -i HOME=/home/ada USER=ada SHELL=/bin/sh PATH="$PATH" XDG_RUNTIME_DIR="/run/user/$ADA" $EXTRA \
  "$SYSTEMD" --user --log-target=console
"#;

/// The manager; it ends with everything that it started when it is dropped.
pub struct UserManager {
    process: Running,
    uid: u32,
    groups: Vec<PathBuf>,
    log: PathBuf,
}

/// A number that no other test of this process has, and most likely none of another one.
fn next_uid() -> u32 {
    static USED: AtomicU32 = AtomicU32::new(0);
    let used = USED.fetch_add(1, Ordering::Relaxed);
    FIRST_UID + (std::process::id().wrapping_mul(64).wrapping_add(used)) % UIDS
}

impl UserManager {
    /// Why none can run here, in words for whoever reads the list of skipped tests.
    pub fn why_not() -> Option<String> {
        if !is_root() {
            return Some("only root can make the namespace of a systemd --user manager".to_owned());
        }
        let missing = ["unshare", "nsenter", "setpriv", "systemctl"].into_iter().find(|name| !has(name));
        if let Some(missing) = missing {
            return Some(format!("there is no {missing}"));
        }
        if !Path::new(SYSTEMD).exists() {
            return Some(format!("there is no {SYSTEMD}"));
        }
        hierarchies().is_empty().then(|| "there is no cgroup file system that systemd could use".to_owned())
    }

    /// Starts one for a home, with a runtime folder made below `root` and further variables.
    pub fn start(root: &Path, home: &Path, variables: &[(&str, &str)]) -> Self {
        let uid = next_uid();
        let name = root.file_name().and_then(OsStr::to_str).expect("the world's folder has a name");
        let groups: Vec<_> = hierarchies().into_iter().map(|at| at.join(format!("everkey-{name}"))).collect();
        for group in &groups {
            fs::create_dir(group).expect("root may make a group of processes");
            own_all(group, uid);
        }
        let runtime = root.join("user");
        fs::create_dir(&runtime).expect("a folder in the world");
        fs::set_permissions(&runtime, fs::Permissions::from_mode(0o700)).expect("a folder of ours");
        for folder in [&runtime, home] {
            chown(folder, Some(uid), Some(uid)).expect("root may do so");
        }
        let log = root.join("manager.log");
        let out = File::create(&log).expect("a log");
        let mut command = Command::new("unshare");
        let extra: Vec<_> = variables.iter().map(|(name, value)| format!("{name}={value}")).collect();
        let listed: Vec<_> = groups.iter().map(|group| group.display().to_string()).collect();
        command.args(["--mount", "--propagation", "private", "sh", "-c", BOOT]);
        command.env("ADA", uid.to_string()).env("EXTRA", extra.join(" "));
        command.env("RUNTIME", &runtime).env("HOME_OF_ADA", home);
        command.env("GROUPS_OF_ADA", listed.join(" ")).env("SYSTEMD", SYSTEMD);
        command.stdin(Stdio::null()).stdout(out.try_clone().expect("a log")).stderr(out);
        let mut process = Running::spawn(&mut command);
        until("the service manager to listen", || {
            let said = || fs::read_to_string(&log).unwrap_or_default();
            assert!(process.is_running(), "the service manager has ended: {}", said());
            runtime.join("systemd/private").exists()
        });
        Self { process, uid, groups, log }
    }

    /// A program that runs beside the manager, as its user.
    pub fn beside(&self, program: impl AsRef<OsStr>) -> Command {
        let mut command = self.as_root("setpriv");
        command.args([format!("--reuid={}", self.uid), format!("--regid={}", self.uid)]);
        command.arg("--clear-groups").arg(program);
        command
    }

    /// The same as root.
    pub fn as_root(&self, program: &str) -> Command {
        let mut command = Command::new("nsenter");
        command.arg(format!("--mount=/proc/{}/ns/mnt", self.process.pid())).arg(program);
        command
    }

    /// The variables that a program beside it has.
    pub fn variables(&self) -> [(&'static str, String); 2] {
        [("HOME", ADAS_HOME.to_owned()), ("XDG_RUNTIME_DIR", format!("/run/user/{}", self.uid))]
    }

    /// Whom it serves.
    pub fn uid(&self) -> u32 {
        self.uid
    }

    /// What it has complained of.
    pub fn log(&self) -> String {
        fs::read_to_string(&self.log).unwrap_or_default()
    }
}

impl Drop for UserManager {
    fn drop(&mut self) {
        self.process.kill();
        for group in &self.groups {
            let members = || members_of(group);
            until("the service manager's programs to be gone", || {
                members()
                    .into_iter()
                    .for_each(|pid| crate::process::signal(pid, rustix::process::Signal::KILL));
                members().is_empty()
            });
            remove_groups(group);
        }
    }
}

/// Where systemd keeps groups of processes on this machine: in one hierarchy, or in its own and the unified one.
fn hierarchies() -> Vec<PathBuf> {
    let at = |path: &str| PathBuf::from("/sys/fs/cgroup").join(path);
    let is_one = |path: &PathBuf| path.join("cgroup.procs").exists();
    let whole = at("");
    if is_one(&whole) { vec![whole] } else { vec![at("systemd"), at("unified")] }
        .into_iter()
        .filter(is_one)
        .collect()
}

fn own_all(group: &Path, uid: u32) {
    let files = fs::read_dir(group).expect("a group of ours").flatten().map(|entry| entry.path());
    for path in files.chain([group.to_owned()]) {
        chown(&path, Some(uid), Some(uid)).expect("root may do so");
    }
}

fn groups_below(group: &Path) -> Vec<PathBuf> {
    let entries = fs::read_dir(group).into_iter().flatten().flatten();
    entries.map(|entry| entry.path()).filter(|path| path.is_dir()).collect()
}

fn members_of(group: &Path) -> Vec<u32> {
    let own = fs::read_to_string(group.join("cgroup.procs")).unwrap_or_default();
    let own = own.lines().filter_map(|line| line.parse().ok());
    own.chain(groups_below(group).iter().flat_map(|below| members_of(below))).collect()
}

fn remove_groups(group: &Path) {
    groups_below(group).iter().for_each(|below| remove_groups(below));
    if let Err(e) = fs::remove_dir(group) {
        let _ = writeln!(std::io::stderr(), "can't remove {}: {e}", group.display());
    }
}
