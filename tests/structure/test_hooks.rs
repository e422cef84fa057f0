//! What only tests may set is in no release: it stands behind a feature that nothing turns on but the build of the tests.

use crate::repository::{assert_none, crates, files, read};

/// The feature, and the module of a crate that it brings.
const FEATURE: &str = "test-hooks";
const MODULE: &str = "mod test_hooks;";

/// How such a variable begins; in two parts, so that this file has none.
const VARIABLE: &str = concat!("EVERKEY", "_TEST_");

/// Crates that are tests themselves.
const TESTS: [&str; 2] = ["tests/", "fuzz/"];

#[test]
fn variables_for_tests_are_read_behind_a_feature() {
    let sources = files().into_iter().filter(|file| file.ends_with(".rs") && file.contains("src/"));
    let sources = sources.filter(|file| !TESTS.iter().any(|tests| file.starts_with(tests)));
    let mut violations = Vec::new();
    for file in sources {
        let text = read(&file).unwrap();
        if text.contains(VARIABLE) && !file.ends_with("/test_hooks.rs") {
            violations.push(format!("{file} reads a variable that only tests set"));
        }
        let gate = format!("#[cfg(feature = \"{FEATURE}\")]\n{MODULE}");
        if text.contains(MODULE) && !text.contains(&gate) {
            violations.push(format!("{file} has the module without asking for the feature"));
        }
    }
    assert_none(&violations, "what only tests may set, in a release");
}

#[test]
fn no_manifest_turns_the_test_hooks_on() {
    let manifests = crates().into_iter().map(|member| format!("{}/Cargo.toml", member.folder));
    let turned_on = |manifest: &String| {
        let text = read(manifest).unwrap();
        text.lines().any(|line| line.contains(FEATURE) && line != format!("{FEATURE} = []"))
    };
    let violations: Vec<String> = manifests.filter(turned_on).collect();
    assert_none(&violations, "manifests that mention the feature other than to declare it");
    let release = read("dev")
        .unwrap()
        .lines()
        .find(|line| line.trim_start().starts_with("release)"))
        .map(str::to_owned);
    assert!(!release.unwrap().to_lowercase().contains("hooks"), "`./dev release` builds for people");
}
