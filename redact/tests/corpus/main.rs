//! Misses and false positives on the corpus, and what must hold for every text. `redact/README.md` has the numbers.

#![allow(clippy::unwrap_used)] // the helpers of a test are one too

mod drawn;
mod grammar;
mod pieces;
mod stream;

use grammar::{Case, Dice, case};
use std::collections::BTreeMap;
use std::path::{Path, PathBuf};

/// How often each case is drawn.
const DRAWS: u64 = 8;

pub fn folder() -> PathBuf {
    Path::new(env!("CARGO_MANIFEST_DIR")).join("corpus")
}

pub fn cases(file: &str) -> Vec<Case> {
    let text = std::fs::read_to_string(folder().join(file)).unwrap();
    let lines: Vec<&str> = text.lines().filter(|line| !line.is_empty() && !line.starts_with("# ")).collect();
    let draw = |seed| {
        lines.iter().enumerate().map(move |(at, line)| case(line, &mut Dice::new(seed * 10_000 + at as u64)))
    };
    (1..=DRAWS).flat_map(draw).collect()
}

/// Whether something of a secret is still to be read: all of it if it is short, else a part that could be searched.
fn leaks(secret: &str, out: &str) -> bool {
    const PART: usize = 12;
    let parts = secret.split(['\n', ' ']).filter(|part| part.len() >= PART);
    let part = |part: &str| {
        (0..=part.len() - PART).any(|at| part.get(at..at + PART).is_some_and(|part| out.contains(part)))
    };
    out.contains(secret) || parts.into_iter().any(part)
}

/// The texts that still show a secret, as `(group, text, output)`.
fn misses(file: &str) -> (usize, Vec<(String, String, String)>) {
    let mut missed = Vec::new();
    let mut all = 0;
    for Case { group, text, secrets } in cases(file) {
        all += secrets.len();
        let out = everkey_redact::text(&text).into_owned();
        for _ in secrets.iter().filter(|secret| leaks(secret, &out)) {
            missed.push((group.clone(), text.clone(), out.clone()));
        }
    }
    (all, missed)
}

fn assert_at_most(file: &str, allowed: usize) {
    let (all, missed) = misses(file);
    let mut groups: BTreeMap<&str, usize> = BTreeMap::new();
    for (group, text, out) in &missed {
        *groups.entry(group).or_default() += 1;
        eprintln!("{group}:\n  {}\n  {}", text.trim_end(), out.trim_end());
    }
    eprintln!("{file}: {} of {all} missed; {groups:?}", missed.len());
    assert!(missed.len() <= allowed, "{} of {all} missed, {allowed} were known", missed.len());
}

#[test]
fn secrets_that_the_rules_were_written_for() {
    assert_at_most("secrets-seen.txt", 12);
}

#[test]
fn secrets_kept_aside_while_the_rules_were_written() {
    assert_at_most("secrets-kept.txt", 0);
}

#[test]
fn secrets_written_down_when_the_rules_were_done() {
    assert_at_most("secrets-later.txt", 2);
}

#[test]
fn secrets_that_an_attacker_brought_through() {
    assert_at_most("secrets-attacked.txt", 0);
}

#[test]
fn what_is_no_secret_stays() {
    let root = Path::new(env!("CARGO_MANIFEST_DIR")).parent().unwrap();
    let mut files: Vec<PathBuf> =
        std::fs::read_dir(folder().join("clean")).unwrap().map(|file| file.unwrap().path()).collect();
    files.extend(
        [
            "Cargo.lock",
            "Cargo.toml",
            "CHANGELOG.md",
            "tests/browser/package-lock.json",
            "tests/python/requirements.txt",
        ]
        .map(|file| root.join(file)),
    );
    files.sort();
    let (mut lines, mut changed) = (0, 0);
    for file in files {
        let text = std::fs::read_to_string(&file).unwrap();
        let out = everkey_redact::text(&text).into_owned();
        assert_eq!(text.lines().count(), out.lines().count(), "{}", file.display());
        lines += text.lines().count();
        for (before, after) in text.lines().zip(out.lines()).filter(|(before, after)| before != after) {
            eprintln!("{}:\n  {before}\n  {after}", file.display());
            changed += 1;
        }
    }
    eprintln!("{changed} of {lines} lines changed");
    assert_eq!(changed, 0, "of {lines} lines");
}
