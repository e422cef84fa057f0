//! Who may write to a file or folder, and what is wrong with one in words that say what to do.

use crate::acl;
use rustix::process::{getegid, geteuid};
use std::fs::Metadata;
use std::io;
use std::os::unix::fs::MetadataExt;
use std::path::{Path, PathBuf};
use std::sync::OnceLock;

/// Why a file or folder is not used.
#[derive(Debug, thiserror::Error)]
pub enum Unfit {
    /// It is something else.
    #[error("it is not a plain file but {0}")]
    NotAFile(&'static str),
    /// A folder was wanted.
    #[error("{} is not a folder", .0.display())]
    NotAFolder(PathBuf),
    /// It is longer than so many MiB.
    #[error("it is longer than {0} MiB")]
    TooLong(u64),
    /// It holds something else than UTF-8.
    #[error("it is not a text in UTF-8")]
    NotText,
    /// Somebody else could write what it says.
    #[error("{} belongs to another user (uid {owner}); if it is yours all the same, run `chown {me} {}`", .path.display(), .path.display())]
    Foreign {
        /// The file or folder.
        path: PathBuf,
        /// Whose it is.
        owner: u32,
        /// Who asks.
        me: u32,
    },
    /// Its mode lets others write.
    #[error("others can write to {} (mode {mode:04o}); look at what is there, then run `chmod go-w {}`", .path.display(), .path.display())]
    OpenToOthers {
        /// The file or folder.
        path: PathBuf,
        /// Its permission bits.
        mode: u32,
    },
    /// What the system says.
    #[error("{0}")]
    Os(#[from] io::Error),
}

impl From<Unfit> for io::Error {
    fn from(why: Unfit) -> Self {
        match why {
            Unfit::Os(error) => error,
            other => Self::other(other.to_string()),
        }
    }
}

/// Says whose a file is, where this process can't see it.
type AskForOwner = fn(&Path, &Metadata) -> Option<u32>;

static ASK_FOR_OWNER: OnceLock<AskForOwner> = OnceLock::new();

/// Has `ask` say whose a file is whose owner has no number in this user namespace. Without it such a file is somebody
/// else's. The first call counts.
pub fn ask_for_owners(ask: AskForOwner) {
    let _ = ASK_FOR_OWNER.set(ask);
}

/// What the kernel says in place of a number that a user namespace does not know.
fn unknown_owner() -> u32 {
    let text = std::fs::read_to_string("/proc/sys/kernel/overflowuid").unwrap_or_default();
    text.trim().parse().unwrap_or(65_534)
}

fn owner_of(path: &Path, found: &Metadata) -> u32 {
    match ASK_FOR_OWNER.get() {
        Some(ask) if found.uid() == unknown_owner() => ask(path, found).unwrap_or(found.uid()),
        Some(_) | None => found.uid(),
    }
}

/// Only this user and root own it.
pub(crate) fn check_owner(path: &Path, found: &Metadata) -> Result<(), Unfit> {
    let (owner, me) = (owner_of(path, found), geteuid().as_raw());
    if owner == me || owner == 0 {
        return Ok(());
    }
    Err(Unfit::Foreign { path: path.to_owned(), owner, me })
}

/// The same for a folder. In a sandbox with users of its own, root's folders from outside belong to nobody.
pub(crate) fn check_owner_of_folder(folder: &Path, found: &Metadata) -> Result<(), Unfit> {
    check_owner(folder, found).or_else(|why| if is_nameless(found.uid()) { Ok(()) } else { Err(why) })
}

/// Whether this uid stands for all that a user namespace has no name for (user_namespaces(7)).
fn is_nameless(uid: u32) -> bool {
    let read = |file| std::fs::read_to_string(file).unwrap_or_default();
    read("/proc/sys/kernel/overflowuid").trim().parse() == Ok(uid) && names_few(&read("/proc/self/uid_map"))
}

fn names_few(map: &str) -> bool {
    let lengths = map.lines().filter_map(|line| line.split_whitespace().nth(2)?.parse::<u64>().ok());
    !map.is_empty() && lengths.sum::<u64>() < u64::from(u32::MAX)
}

/// Only its owner and root may write.
pub(crate) fn check_mode(path: &Path, found: &Metadata) -> Result<(), Unfit> {
    let mode = found.mode() & 0o7777;
    // Where there is a list, the group's bits are the most that it gives to anybody.
    let by_group = mode & 0o020 != 0
        && acl::of(path).map_or_else(
            || !is_own_group(found.gid()),
            |list| list.gives_others_write(geteuid().as_raw(), || is_own_group(found.gid()), is_own_group),
        );
    if by_group || mode & 0o002 != 0 {
        return Err(Unfit::OpenToOthers { path: path.to_owned(), mode });
    }
    Ok(())
}

/// Whether nobody else is in a group. Many systems give each user such a group and make files writable for it.
fn is_own_group(group: u32) -> bool {
    let me = geteuid().as_raw();
    let read = |file| std::fs::read_to_string(file).unwrap_or_default();
    me != 0
        && group == getegid().as_raw()
        && has_one_member(&read("/etc/passwd"), &read("/etc/group"), me, group)
}

/// By the system's own lists. A group that they don't know may have anybody in it.
fn has_one_member(passwd: &str, groups: &str, user: u32, group: u32) -> bool {
    let fields = |line: &'_ str| line.split(':').map(str::to_owned).collect::<Vec<_>>();
    let is =
        |fields: &[String], at: usize, id: u32| fields.get(at).is_some_and(|field| field.parse() == Ok(id));
    let users: Vec<_> = passwd.lines().map(fields).collect();
    let names: Vec<_> = users.iter().filter(|one| is(one, 2, user)).filter_map(|one| one.first()).collect();
    let shared = users.iter().any(|one| is(one, 3, group) && !is(one, 2, user));
    let known: Vec<_> = groups.lines().map(fields).filter(|one| is(one, 2, group)).collect();
    let members = known.iter().filter_map(|one| one.get(3)).flat_map(|members| members.split(','));
    !shared
        && !known.is_empty()
        && members.filter(|name| !name.is_empty()).all(|name| names.iter().any(|me| *me == name))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_namespace_that_names_few_users_is_known() {
        assert!(!names_few("         0          0 4294967295\n") && !names_few(""));
        assert!(names_few("      1000       1000          1\n"));
        assert!(names_few("0 1000 1\n1 100000 65536\n"));
    }

    #[test]
    fn a_group_is_ones_own_while_nobody_shares_it() {
        let passwd =
            "root:x:0:0::/root:/bin/sh\nada:x:1000:1000::/home/ada:/bin/sh\nbob:x:1001:1001::/:/bin/sh\n";
        let own = |passwd: &str, groups: &str| has_one_member(passwd, groups, 1000, 1000);
        assert!(own(passwd, "root:x:0:\nada:x:1000:\n") && own(passwd, "ada:x:1000:ada\n"));
        assert!(!own(passwd, "ada:x:1000:bob\n") && !own(passwd, "ada:x:1000:ada,bob\n"));
        assert!(
            !own(&format!("{passwd}eve:x:1002:1000::/:/bin/sh\n"), "ada:x:1000:\n"),
            "it is eve's first group"
        );
        assert!(
            !own(passwd, "") && !own(passwd, "ada:x:1000:ada\nalias:x:1000:bob\n"),
            "who knows who is in it"
        );
    }
}
