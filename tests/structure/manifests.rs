//! A version that two crates need stands once, in the workspace's Cargo.toml.

use crate::repository::{assert_none, crates, read};
use std::collections::BTreeMap;

#[test]
fn a_shared_version_stands_in_the_workspace() {
    let mut places: BTreeMap<String, Vec<String>> = BTreeMap::new();
    for member in crates() {
        let manifest = format!("{}/Cargo.toml", member.folder);
        for name in own_versions(&read(&manifest).unwrap()) {
            places.entry(name).or_default().push(manifest.clone());
        }
    }
    let shared = places.into_iter().filter(|(_, manifests)| manifests.len() > 1);
    let violations: Vec<String> =
        shared.map(|(name, manifests)| format!("{name}: {}", manifests.join(", "))).collect();
    assert_none(&violations, "versions that more than one crate states for itself");
}

/// The dependencies that a manifest does not take from the workspace.
fn own_versions(manifest: &str) -> Vec<String> {
    let mut is_list = false;
    let mut names = Vec::new();
    for line in manifest.lines() {
        if line.starts_with('[') {
            is_list = line.ends_with("dependencies]");
        } else if let Some((name, source)) = line.split_once('=')
            && is_list
            && !line.contains("workspace = true")
            && !name.starts_with('#')
            && source.contains('"')
        {
            names.push(name.trim().to_owned());
        }
    }
    names
}
