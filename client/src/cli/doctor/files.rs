//! Modes and owners of everything that everkey reads and writes, and the disks that it is on. Nothing is opened to write.

use super::checked::{Checked, TableSection};
use super::disks;
use super::finding::{Finding, FindingKind};
use super::processes::{self, SeenProcess};
use everkey_client::configuration::achilles_file;
use everkey_client::{ResolvedProfile, UserConfiguration};
use everkey_guard::{Unfit, file, folder};
use rustix::fs::{Access, FileType, access};
use serde_json::json;
use std::collections::{BTreeMap, BTreeSet};
use std::fs::Metadata;
use std::io::ErrorKind;
use std::os::unix::fs::MetadataExt;
use std::path::{Path, PathBuf};

/// So many files of one folder are looked at.
const MOST: usize = 500;

/// What the agent keeps in its state folder, in folders below it.
const KEPT: [&str; 5] = ["sessions", "clients", "sign-ins", "reminders", "revocations"];

/// How a file has to be.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Use {
    /// Everkey's own: this user's alone, and no link.
    Own,
    /// The same with tokens in it.
    Session,
    /// A secret that somebody put there: for this user alone.
    Secret,
    /// It decides something: nobody else may write it.
    Trusted,
}

/// Looks at the files of the profiles in use, and at everkey's own.
pub fn check(configuration: &UserConfiguration, used: &[ResolvedProfile]) -> Checked {
    let places = &configuration.places;
    let mut checked = Checked::of(TableSection::Files);
    let files = files_of(configuration, used);
    checked.findings.extend(files.iter().filter_map(|(path, how)| judged(path, *how)));
    let folders: BTreeSet<_> = used.iter().filter_map(|profile| profile.session_file.parent()).collect();
    for at in &folders {
        checked.findings.extend(others_folder(at));
        checked.findings.extend(set_aside(at));
    }
    checked.findings.extend(private_folder(&places.state));
    // A folder that somebody named for the socket need not be closed, only safe.
    let of_socket = if places.socket_named { others_folder } else { private_folder };
    checked.findings.extend(of_socket(&places.runtime));
    checked
        .findings
        .extend(places.socket.symlink_metadata().ok().and_then(|at| foreign(&places.socket, &at)));
    for at in folders.into_iter().chain([&*places.state]).collect::<BTreeSet<_>>() {
        checked.findings.extend(disks::check(at));
    }
    let agent = processes::holder(&places.agent_lock());
    for profile in used {
        checked.findings.extend(other_owner(profile, agent.as_ref()));
    }
    let holder = agent.map_or_else(|| "nobody".to_owned(), |agent| agent.shown());
    checked.row("Files", format!("{} paths looked at; the agent's lock is held by {holder}", files.len()));
    checked.facts.push(("files", json!({ "looked_at": files.len(), "agent_lock_holder": holder })));
    checked
}

/// Every file that everkey reads or writes for these profiles, there or not.
fn files_of(configuration: &UserConfiguration, used: &[ResolvedProfile]) -> BTreeMap<PathBuf, Use> {
    let places = &configuration.places;
    let mut files = BTreeMap::new();
    let mut add = |path: PathBuf, how: Use| {
        files.insert(path, how);
    };
    add(places.config.clone(), Use::Trusted);
    add(achilles_file(places), Use::Trusted);
    for name in ["agent.log", "agent.log.1", "access.jsonl", "access.jsonl.1", "agent.lock"] {
        add(places.state.join(name), Use::Own);
    }
    for path in KEPT.iter().flat_map(|name| files_below(&places.state.join(name))) {
        add(path, Use::Own);
    }
    for profile in used {
        beside(&profile.session_file).into_iter().for_each(|path| add(path, Use::Own));
        add(profile.session_file.clone(), Use::Session);
        if let Some(ca_file) = &profile.network.ca_file {
            add(ca_file.into(), Use::Trusted);
        }
        let oauth = profile.oauth.as_ref();
        let secrets = oauth.map(|oauth| [&oauth.client_secret_file, &oauth.private_key_file]);
        secrets.into_iter().flatten().flatten().for_each(|path| add(path.into(), Use::Secret));
    }
    files
}

/// What everkey and its tool keep beside a session file.
fn beside(session_file: &Path) -> [PathBuf; 3] {
    let name = session_file.file_name().unwrap_or_default().to_string_lossy();
    let journal = session_file.with_file_name(format!(".{name}.everkey-journal"));
    let reminder = session_file.with_file_name("next-audit.json");
    [owner_lock(session_file), journal, reminder]
}

fn owner_lock(session_file: &Path) -> PathBuf {
    let name = session_file.file_name().unwrap_or_default().to_string_lossy();
    session_file.with_file_name(format!(".{name}.everkey-lock"))
}

/// The files in a folder and in the folders below it, as far as one can look.
fn files_below(folder: &Path) -> Vec<PathBuf> {
    let mut found = Vec::new();
    let mut folders = vec![folder.to_owned()];
    while let Some(folder) = folders.pop() {
        for entry in std::fs::read_dir(folder).into_iter().flatten().flatten().take(MOST) {
            let is_folder = entry.file_type().is_ok_and(|kind| kind.is_dir());
            if is_folder { folders.push(entry.path()) } else { found.push(entry.path()) }
        }
    }
    found.truncate(MOST);
    found
}

fn judged(path: &Path, how: Use) -> Option<Finding> {
    if how == Use::Trusted {
        let why = file::read_trusted(path).err()?;
        let hidden = matches!(&why, Unfit::Os(e) if e.kind() == ErrorKind::PermissionDenied);
        let owner = path.symlink_metadata().ok().filter(|found| hidden && found.uid() != 0);
        return Some(owner.and_then(|found| foreign(path, &found)).unwrap_or_else(|| unfit(path, why)));
    }
    let shown = path.display().to_string();
    let found = match path.symlink_metadata() {
        Ok(found) => found,
        Err(e) if matches!(e.kind(), ErrorKind::NotFound | ErrorKind::NotADirectory) => return None,
        Err(e) => return Some(unfit(path, e.into())),
    };
    if found.is_symlink() {
        // Whoever configures a secret may link to it.
        return match (how, std::fs::metadata(path)) {
            (Use::Secret, Ok(target)) => open_to_others(path, &target, how),
            (Use::Secret, Err(e)) => Some(unfit(path, e.into())),
            _ => {
                let what = format!("{shown} is a link, which could point anywhere; it is not used.");
                Some(FindingKind::Link.of(shown, what, "Put the file itself there, or remove the link."))
            }
        };
    }
    if !found.is_file() {
        let what = format!("{shown} is not a plain file; it is not used.");
        let move_away = format!("Look at it, then move it away: `mv {shown} {shown}.old`.");
        return Some(FindingKind::NotAFile.of(shown, what, move_away));
    }
    foreign(path, &found)
        .or_else(|| many_names(path, &found))
        .or_else(|| open_to_others(path, &found, how))
        .or_else(|| {
            let why = access(path, Access::READ_OK).err()?;
            Some(unfit(path, std::io::Error::from(why).into()))
        })
}

fn foreign(path: &Path, found: &Metadata) -> Option<Finding> {
    let me = rustix::process::geteuid().as_raw();
    if found.uid() == me {
        return None;
    }
    let shown = path.display();
    let what = format!("{shown} belongs to user {}, and you are user {me}; it is not used.", found.uid());
    let to_do = format!("If it is yours, run `sudo chown {me} {shown}`; if not, have its owner remove it.");
    Some(FindingKind::ForeignOwner.of(shown.to_string(), what, to_do))
}

fn many_names(path: &Path, found: &Metadata) -> Option<Finding> {
    let shown = path.display();
    let what = format!("{shown} has a second name (a hard link); it is not used.");
    let to_do = format!("Replace it by a copy: `cp {shown} {shown}.new && mv {shown}.new {shown}`.");
    (found.nlink() > 1).then(|| FindingKind::Link.of(shown.to_string(), what, to_do))
}

fn open_to_others(path: &Path, found: &Metadata, how: Use) -> Option<Finding> {
    let mine = found.uid() == rustix::process::geteuid().as_raw();
    let mode = found.mode() & 0o7777;
    let shown = path.display();
    let what = format!("Others can read or write {shown} (mode {mode:04o}).");
    let then = match how {
        Use::Session => " If others work on this machine, sign in anew after that.",
        Use::Secret => " If others work on this machine, have a new secret made.",
        Use::Own | Use::Trusted => "",
    };
    let to_do = format!("Run `chmod go= {shown}`.{then}");
    (mine && mode & 0o077 != 0).then(|| FindingKind::OpenToOthers.of(shown.to_string(), what, to_do))
}

/// What the guard says of a file has what to do in it.
fn unfit(path: &Path, why: Unfit) -> Finding {
    let shown = path.display().to_string();
    let kind = match &why {
        Unfit::Foreign { .. } => FindingKind::ForeignOwner,
        Unfit::OpenToOthers { .. } => FindingKind::OpenToOthers,
        Unfit::NotAFile(_) | Unfit::NotAFolder(_) => FindingKind::NotAFile,
        Unfit::TooLong(_) | Unfit::NotText | Unfit::Os(_) => FindingKind::Unreadable,
    };
    let why = why.to_string();
    let (why, to_do) = match why.split_once("; ") {
        Some((why, to_do)) => (why.to_owned(), capitalised(to_do)),
        None => (why, format!("Look at it: `ls -ld {shown}`.")),
    };
    kind.of(&shown, format!("{shown} can't be used: {why}."), to_do)
}

fn capitalised(text: &str) -> String {
    let mut letters = text.chars();
    let first = letters.next().map(|first| first.to_uppercase().to_string()).unwrap_or_default();
    format!("{first}{}.", letters.as_str())
}

/// A folder that is not everkey's own, in which it writes.
fn others_folder(at: &Path) -> Option<Finding> {
    match folder::check(at) {
        Err(Unfit::Os(e)) if matches!(e.kind(), ErrorKind::NotFound | ErrorKind::NotADirectory) => None,
        Err(why) => Some(unfit(at, why)),
        Ok(()) => unwritable(at),
    }
}

/// A folder of everkey's own; the agent closes one that is open as it starts.
fn private_folder(at: &Path) -> Option<Finding> {
    let found = match at.symlink_metadata() {
        Ok(found) => found,
        Err(e) if e.kind() == ErrorKind::NotFound => return None,
        Err(e) => return Some(unfit(at, e.into())),
    };
    if FileType::from_raw_mode(found.mode()) != FileType::Directory {
        return Some(unfit(at, Unfit::NotAFolder(at.to_owned())));
    }
    foreign(at, &found).or_else(|| open_to_others(at, &found, Use::Own)).or_else(|| unwritable(at))
}

/// A disk that is read only is told as that.
fn unwritable(at: &Path) -> Option<Finding> {
    let refused = access(at, Access::WRITE_OK | Access::EXEC_OK).err()?;
    let shown = at.display().to_string();
    let what = format!("{shown} can't be written to, so no refreshed session can be kept there.");
    let to_do = format!("Run `chmod u+rwx {shown}`.");
    (refused != rustix::io::Errno::ROFS).then(|| FindingKind::Unreadable.of(shown, what, to_do))
}

/// A damaged session that the agent has moved out of the way.
fn set_aside(at: &Path) -> Option<Finding> {
    let names = std::fs::read_dir(at).into_iter().flatten().flatten().take(MOST).map(|entry| entry.path());
    let is_damaged = |path: &PathBuf| {
        path.file_name().is_some_and(|name| name.to_string_lossy().contains(".json.damaged-"))
    };
    let newest = names.filter(is_damaged).max()?.display().to_string();
    let what = format!("A session file was damaged and is kept as {newest}.");
    Some(FindingKind::SetAside.of(&newest, what, format!("When you are signed in again, `rm {newest}`.")))
}

/// Whoever holds the lock beside a session is the only one to refresh it.
fn other_owner(profile: &ResolvedProfile, agent: Option<&SeenProcess>) -> Option<Finding> {
    let lock = owner_lock(&profile.session_file);
    let holder =
        processes::holder(&lock).filter(|holder| agent.map(|agent| agent.pid) != Some(holder.pid))?;
    let lock = lock.display();
    let what = format!("{lock} is held by {}, so your agent only reads this session.", holder.shown());
    let to_do = format!("If that is an agent of another environment, end it: `kill {}`.", holder.pid);
    Some(FindingKind::LockHeld.of(lock.to_string(), what, to_do))
}
