//! Under a real `systemd --user` manager: the agent as a person's service, from its installation to its removal.

mod dashboard;
mod install;
mod restart;
mod sandbox;
mod units;

use everkey_tests::World;
use std::collections::BTreeMap;
use std::fs;
use std::path::Path;

/// Every path below a folder, with the text of the files.
fn everything_in(folder: &Path) -> BTreeMap<String, Vec<u8>> {
    fn walk(root: &Path, folder: &Path, found: &mut BTreeMap<String, Vec<u8>>) {
        for path in fs::read_dir(folder).unwrap().map(|entry| entry.unwrap().path()) {
            let name = path.strip_prefix(root).unwrap().display().to_string();
            if path.symlink_metadata().unwrap().is_dir() {
                found.insert(name, Vec::new());
                walk(root, &path, found);
            } else {
                found.insert(name, fs::read(&path).unwrap_or_default());
            }
        }
    }
    let mut found = BTreeMap::new();
    walk(folder, folder, &mut found);
    found
}

/// The units that `everkey agent install` has made.
fn units(world: &World) -> Vec<String> {
    let folder = world.users_home().join(".config/systemd/user");
    let entries = fs::read_dir(folder).into_iter().flatten().flatten();
    let mut names: Vec<_> = entries.map(|entry| entry.file_name().into_string().unwrap()).collect();
    names.sort();
    names
}
