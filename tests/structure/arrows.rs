//! The crates depend on one another as the picture at the top of ARCHITECTURE.md says, and in no other way.

use crate::repository::{Crate, assert_none, crates, read};
use std::collections::{BTreeMap, BTreeSet};

/// Who may speak D-Bus: the program that shows reminders, and the tests, which play the desktop.
const SPEAKS_DBUS: [&str; 2] = ["remind", "tests"];

/// Which crates each crate may depend on, directly or not.
struct Picture {
    arrows: BTreeMap<String, BTreeSet<String>>,
    may_use_everything: BTreeSet<String>,
}

#[test]
fn crates_depend_on_each_other_as_the_picture_says() {
    let picture = picture(&read("ARCHITECTURE.md").unwrap());
    let mut violations = Vec::new();
    for member in crates() {
        let used: BTreeSet<&String> = member
            .dependencies
            .iter()
            .filter(|one| !one.for_tests)
            .filter_map(|one| one.folder.as_ref())
            .collect();
        let folder = &member.folder;
        if picture.may_use_everything.contains(folder) {
            continue;
        }
        let Some(drawn) = picture.arrows.get(folder) else {
            violations.push(format!("{folder} is not in the picture"));
            continue;
        };
        let allowed = closure(drawn, &picture.arrows);
        violations.extend(
            used.iter()
                .filter(|one| !allowed.contains(**one))
                .map(|one| format!("{folder} depends on {one}, which the picture does not show")),
        );
        violations.extend(
            drawn
                .iter()
                .filter(|one| !used.contains(one))
                .map(|one| format!("the picture shows that {folder} depends on {one}, but it does not")),
        );
    }
    assert_none(&violations, "crates that depend on others against ARCHITECTURE.md");
}

#[test]
fn only_the_reminder_program_speaks_dbus() {
    let speaks = |member: &Crate| member.dependencies.iter().any(|one| one.package == "zbus");
    let others = crates().into_iter().filter(speaks).map(|member| member.folder);
    let others: Vec<String> = others.filter(|folder| !SPEAKS_DBUS.contains(&folder.as_str())).collect();
    assert_none(&others, "crates that depend on zbus");
}

/// Reads the lines of the first indented block: `proto <- session <- daemon  the agent`, or `tests, fuzz -> everything`.
fn picture(document: &str) -> Picture {
    let mut picture = Picture { arrows: BTreeMap::new(), may_use_everything: BTreeSet::new() };
    let indented = |line: &&str| line.starts_with("    ");
    for line in document.lines().skip_while(|line| !indented(line)).take_while(indented) {
        if let Some((left, right)) = line.split_once("->")
            && right.trim().starts_with("everything")
        {
            picture.may_use_everything.extend(left.split(',').map(|name| name.trim().to_owned()));
            continue;
        }
        let mut words = line.split_whitespace();
        let mut used = words.next().unwrap_or_default().to_owned();
        picture.arrows.entry(used.clone()).or_default();
        while words.next() == Some("<-") {
            let user = words.next().unwrap_or_default().to_owned();
            picture.arrows.entry(user.clone()).or_default().insert(used);
            used = user;
        }
    }
    picture
}

fn closure(start: &BTreeSet<String>, arrows: &BTreeMap<String, BTreeSet<String>>) -> BTreeSet<String> {
    let mut reached = BTreeSet::new();
    let mut open: Vec<&String> = start.iter().collect();
    while let Some(name) = open.pop() {
        if reached.insert(name.clone()) {
            open.extend(arrows.get(name).into_iter().flatten());
        }
    }
    reached
}
