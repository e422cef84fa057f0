//! One public name means one thing, and no file has a name that must be guessed.

use crate::modules::roots;
use crate::repository::{assert_none, crates, files, read};
use std::collections::{BTreeMap, BTreeSet};
use syn::{Item, Visibility};

/// Names that may be defined twice, each with the reason.
const TWICE: [(&str, &str); 0] = [];

/// Words that the project has retired, each because it says too little about what is in the file.
const RETIRED: [&str; 11] = [
    "looking",
    "keeping",
    "ending",
    "parting",
    "ears",
    "door",
    "asking",
    "telling",
    "happening",
    "happenings",
    "trouble",
];

/// How many words the name of a test may have, the IDs of faults not counted.
const MOST_WORDS: usize = 10;

#[test]
fn a_public_type_name_is_defined_once() {
    let mut places: BTreeMap<String, BTreeSet<String>> = BTreeMap::new();
    for member in crates() {
        for module in roots(&member.folder).into_iter().flatten() {
            for name in module.items.iter().filter_map(public_type) {
                let inside = module.path.join("::");
                places.entry(name).or_default().insert(format!("{} ({inside})", module.file));
            }
        }
    }
    let is_allowed = |name: &str| TWICE.iter().any(|(allowed, _)| *allowed == name);
    let violations: Vec<String> = places
        .into_iter()
        .filter(|(name, places)| places.len() > 1 && !is_allowed(name))
        .map(|(name, places)| format!("{name}: {}", places.into_iter().collect::<Vec<_>>().join(", ")))
        .collect();
    assert_none(&violations, "public type names that are defined more than once");
}

fn public_type(item: &Item) -> Option<String> {
    let (visibility, name) = match item {
        Item::Enum(item) => (&item.vis, &item.ident),
        Item::Struct(item) => (&item.vis, &item.ident),
        Item::Trait(item) => (&item.vis, &item.ident),
        Item::Type(item) => (&item.vis, &item.ident),
        Item::Union(item) => (&item.vis, &item.ident),
        _ => return None,
    };
    (!matches!(visibility, Visibility::Inherited)).then(|| name.to_string())
}

#[test]
fn no_file_or_module_has_a_retired_name() {
    let mut violations = BTreeSet::new();
    for file in files() {
        violations.extend(file.split('/').filter_map(retired_word).map(|word| format!("{file}: {word}")));
    }
    for module in crates().iter().flat_map(|member| roots(&member.folder)).flatten() {
        for inline in module.items.iter().filter_map(inline_module) {
            violations
                .extend(retired_word(&inline).map(|word| format!("{}, mod {inline}: {word}", module.file)));
        }
    }
    assert_none(&violations.into_iter().collect::<Vec<_>>(), "files and modules with a retired name");
}

fn inline_module(item: &Item) -> Option<String> {
    let Item::Mod(module) = item else { return None };
    module.content.is_some().then(|| module.ident.to_string())
}

fn retired_word(name: &str) -> Option<&str> {
    name.split(['_', '-', '.']).find(|word| RETIRED.contains(word))
}

#[test]
fn a_test_name_has_at_most_ten_words() {
    let mut violations = Vec::new();
    for file in files().into_iter().filter(|file| file.ends_with(".rs")) {
        let long = |name: &String| words(name) > MOST_WORDS;
        violations.extend(tests_in(&read(&file).unwrap()).filter(long).map(|name| format!("{file}: {name}")));
    }
    assert_none(&violations, &format!("test names of more than {MOST_WORDS} words"));
}

/// The functions that follow a `#[test]` or `#[tokio::test]`.
fn tests_in(text: &str) -> impl Iterator<Item = String> {
    let is_mark = |line: &str| line.trim().starts_with("#[test]") || line.trim().starts_with("#[tokio::test");
    let mut lines = text.lines();
    std::iter::from_fn(move || {
        lines.find(|line| is_mark(line))?;
        let after = lines.find_map(|line| line.trim().trim_start_matches("async ").strip_prefix("fn "))?;
        after.split('(').next().map(str::to_owned)
    })
}

fn words(name: &str) -> usize {
    name.split('_').skip_while(|word| is_fault(word)).count()
}

/// `n02` and its like, as rows of tests/FAULTS.md are called.
fn is_fault(word: &str) -> bool {
    word.len() == 3
        && word.starts_with(['n', 'f', 'd', 's'])
        && word[1..].chars().all(|digit| digit.is_ascii_digit())
}
