//! POSIX access lists: they let single users and groups in beside the mode bits (acl(5)). Other systems' lists are not read.

use std::path::Path;

const WRITE: u16 = 0o2;

/// Kinds of entries, as the kernel numbers them.
const USER: u16 = 0x02;
const GROUP_OF_FILE: u16 = 0x04;
const GROUP: u16 = 0x08;
const MASK: u16 = 0x10;

/// A list of who may do what.
#[derive(Debug)]
pub(crate) struct AccessList(Vec<Entry>);

#[derive(Debug)]
struct Entry {
    kind: u16,
    permissions: u16,
    id: u32,
}

/// The list of a file or folder; none where the mode says all.
#[cfg(target_os = "linux")]
pub(crate) fn of(path: &Path) -> Option<AccessList> {
    // No attribute is longer.
    let mut bytes = vec![0; 64 * 1024];
    let length = rustix::fs::getxattr(path, "system.posix_acl_access", &mut *bytes).ok()?;
    AccessList::parse(&bytes[..length])
}

#[cfg(not(target_os = "linux"))]
pub(crate) fn of(_: &Path) -> Option<AccessList> {
    None
}

impl AccessList {
    /// As the kernel keeps it: a version, then entries of eight bytes, all of it with the low byte first.
    fn parse(bytes: &[u8]) -> Option<Self> {
        let entries = bytes.strip_prefix(&2_u32.to_le_bytes())?.chunks_exact(8);
        let entries = entries.map(|entry| match *entry {
            [a, b, c, d, e, f, g, h] => Some(Entry {
                kind: u16::from_le_bytes([a, b]),
                permissions: u16::from_le_bytes([c, d]),
                id: u32::from_le_bytes([e, f, g, h]),
            }),
            _ => None,
        });
        entries.collect::<Option<_>>().map(Self)
    }

    /// Whether somebody beside this user and root may write, by an entry for a user or a group.
    pub(crate) fn gives_others_write(
        &self,
        me: u32,
        is_group_of_file_own: impl Fn() -> bool,
        is_own_group: impl Fn(u32) -> bool,
    ) -> bool {
        let mask = self.0.iter().find(|entry| entry.kind == MASK).map_or(WRITE, |mask| mask.permissions);
        self.0.iter().filter(|entry| entry.permissions & mask & WRITE != 0).any(|entry| match entry.kind {
            USER => entry.id != me && entry.id != 0,
            GROUP_OF_FILE => !is_group_of_file_own(),
            GROUP => !is_own_group(entry.id),
            _ => false,
        })
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn list(entries: &[(u16, u16, u32)]) -> AccessList {
        let mut bytes = 2_u32.to_le_bytes().to_vec();
        for (kind, permissions, id) in entries {
            bytes.extend(kind.to_le_bytes().into_iter().chain(permissions.to_le_bytes()));
            bytes.extend(id.to_le_bytes());
        }
        AccessList::parse(&bytes).unwrap()
    }

    #[test]
    fn whoever_is_named_with_write_is_found() {
        let open = |entries: &[(u16, u16, u32)]| {
            let owner_and_others = [(0x01, 6, u32::MAX), (0x20, 4, u32::MAX)];
            list(&[entries, &owner_and_others].concat()).gives_others_write(7, || true, |group| group == 7)
        };
        assert!(!open(&[(GROUP_OF_FILE, 6, u32::MAX)]), "a group of one's own");
        assert!(open(&[(USER, 6, 8), (MASK, 6, u32::MAX)]));
        assert!(!open(&[(USER, 6, 8), (MASK, 4, u32::MAX)]), "the mask takes it away");
        assert!(!open(&[(USER, 6, 7), (USER, 6, 0), (USER, 4, 8), (MASK, 6, u32::MAX)]));
        assert!(open(&[(GROUP, 2, 8), (MASK, 7, u32::MAX)]) && !open(&[(GROUP, 6, 7), (MASK, 7, u32::MAX)]));
        let shared = list(&[(GROUP_OF_FILE, 6, u32::MAX)]);
        assert!(shared.gives_others_write(7, || false, |_| true));
        assert!(AccessList::parse(b"x").is_none());
    }
}
