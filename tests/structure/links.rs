//! What documents and comments point at exists.

use crate::comments::comments;
use crate::repository::{assert_none, files, read};
use std::collections::{BTreeMap, BTreeSet};

/// What looks like a path of the repository and is none, each with the reason.
const NOT_OURS: [(&str, &str); 5] = [
    ("target/", "what is built"),
    ("fuzz/artifacts/", "what a fuzz target writes when it fails"),
    ("artifacts/", "the same, as fuzz/README.md says it"),
    ("sites-enabled/", "a folder of nginx"),
    ("usr/", "folders that a Debian package fills"),
];

/// A name that ends so is a file of ours wherever it is mentioned, even without its folder.
const SOURCES: [&str; 3] = [".rs", ".md", ".sh"];

/// With a folder before it, so is one of these.
const WITH_FOLDER: [&str; 14] = [
    ".rs", ".md", ".sh", ".toml", ".py", ".js", ".mjs", ".css", ".sql", ".yml", ".conf", ".service",
    ".socket", ".html",
];

struct Tree {
    /// Every file and every folder, the folders without a slash at the end.
    paths: BTreeSet<String>,
}

#[test]
fn every_path_in_a_document_or_comment_exists() {
    let tree = tree();
    let mut violations = Vec::new();
    for (file, text) in texts() {
        let mentions = if file.ends_with(".md") { code_spans(&text) } else { comments(&file, &text) };
        for (line, mention) in mentions {
            let missing = mention
                .split(|letter: char| !is_path_letter(letter))
                .filter(|word| !tree.allows(word, &file));
            violations.extend(missing.map(|word| format!("{file}:{line}: {word}")));
        }
    }
    assert_none(&violations, "paths that point at nothing");
}

#[test]
fn every_link_in_a_document_leads_somewhere() {
    let tree = tree();
    let documents: BTreeMap<String, String> =
        texts().into_iter().filter(|(file, _)| file.ends_with(".md")).collect();
    let mut violations = Vec::new();
    for (file, text) in &documents {
        for (line, target) in links(text) {
            if target.contains("://") || target.starts_with("mailto:") {
                continue;
            }
            let (path, anchor) =
                target.split_once('#').map_or((target.as_str(), None), |(path, id)| (path, Some(id)));
            let aim = if path.is_empty() { Some(file.clone()) } else { joined(folder(file), path) };
            let found = aim.filter(|aim| tree.paths.contains(aim));
            let has_anchor = |id: &str| match found.as_ref().and_then(|aim| documents.get(aim)) {
                Some(document) => anchors(document).contains(id),
                None => true,
            };
            if found.is_none() || !anchor.is_none_or(has_anchor) {
                violations.push(format!("{file}:{line}: {target}"));
            }
        }
    }
    assert_none(&violations, "links that lead nowhere");
}

fn tree() -> Tree {
    let mut paths = BTreeSet::new();
    for file in files() {
        paths.extend(file.match_indices('/').map(|(end, _)| file[..end].to_owned()));
        paths.insert(file);
    }
    Tree { paths }
}

fn texts() -> Vec<(String, String)> {
    files().into_iter().filter_map(|file| read(&file).map(|text| (file, text))).collect()
}

impl Tree {
    /// Whether a word of `file` is no path of the repository, or one that exists.
    fn allows(&self, word: &str, file: &str) -> bool {
        let word = word.trim_end_matches(['.', '-', '*']);
        if NOT_OURS.iter().any(|(allowed, _)| word.starts_with(allowed)) || !self.is_ours(word) {
            return true;
        }
        let word = word.trim_end_matches('/');
        if !word.contains('/') {
            return self.paths.iter().any(|path| name(path) == word);
        }
        let mut places = vec![""];
        places.extend(file.match_indices('/').map(|(end, _)| &file[..end]));
        places.iter().filter_map(|place| joined(place, word)).any(|path| self.paths.contains(&path))
    }

    fn is_ours(&self, word: &str) -> bool {
        let outside = word.contains("//") || word.contains('*') || word.starts_with(['/', '~', '$', '-']);
        let hidden = word.starts_with('.') && !word.starts_with("./") && !word.starts_with("../");
        let (folder, last) = word.rsplit_once('/').unwrap_or(("", word));
        let is_named =
            |endings: &[&str]| endings.iter().any(|end| last.len() > end.len() && last.ends_with(end));
        if outside || hidden || word.split('/').any(is_placeholder) {
            return false;
        }
        match word.split_once('/') {
            None => is_named(&SOURCES),
            Some((first, _)) => {
                let known = !last.contains('.') && self.paths.contains(first);
                is_named(&WITH_FOLDER) || known || (last.is_empty() && !folder.contains('.'))
            }
        }
    }
}

/// `VERB.rs` stands for the file of any verb; `README.md` and its like are names.
fn is_placeholder(part: &str) -> bool {
    let stem = part.trim_end_matches(".rs");
    stem.len() > 1 && stem.chars().all(|letter| letter.is_ascii_uppercase())
}

fn is_path_letter(letter: char) -> bool {
    letter.is_alphanumeric() || "_-./~$*@:%".contains(letter)
}

fn name(path: &str) -> &str {
    path.rsplit('/').next().unwrap_or(path)
}

fn folder(file: &str) -> &str {
    file.rsplit_once('/').map_or("", |(folder, _)| folder)
}

/// `path` as seen from `folder`; `None` when it leaves the repository.
fn joined(folder: &str, path: &str) -> Option<String> {
    let mut parts: Vec<&str> = folder.split('/').filter(|part| !part.is_empty()).collect();
    for part in path.split('/') {
        match part {
            "" | "." => {}
            ".." => {
                parts.pop()?;
            }
            part => parts.push(part),
        }
    }
    Some(parts.join("/"))
}

/// The lines of a document outside of fenced blocks.
fn prose(text: &str) -> impl Iterator<Item = (usize, &str)> {
    let mut fenced = false;
    text.lines().zip(1..).filter_map(move |(line, number)| {
        let fence = line.trim_start().starts_with("```");
        fenced ^= fence;
        (!fenced && !fence).then_some((number, line))
    })
}

fn code_spans(text: &str) -> Vec<(usize, String)> {
    let spans = |(number, line): (usize, &str)| {
        line.split('`').skip(1).step_by(2).map(|span| (number, span.to_owned())).collect::<Vec<_>>()
    };
    prose(text).flat_map(spans).collect()
}

/// The targets of `[text](target)` and of `[name]: target`.
fn links(text: &str) -> Vec<(usize, String)> {
    let mut links = Vec::new();
    for (number, line) in prose(text) {
        let outside: String = line.split('`').step_by(2).collect::<Vec<_>>().join("code");
        let inline = outside.split("](").skip(1).filter_map(|rest| rest.split([')', ' ']).next());
        links.extend(inline.map(|target| (number, target.to_owned())));
        if let Some((name, target)) = outside.split_once("]: ")
            && name.starts_with('[')
        {
            links.push((number, target.trim().to_owned()));
        }
    }
    links
}

/// What a heading can be linked as: its words in small letters, joined by hyphens.
fn anchors(document: &str) -> BTreeSet<String> {
    let mut anchors = BTreeSet::new();
    for (_, heading) in prose(document).filter(|(_, line)| line.starts_with('#')) {
        let text = heading.trim_start_matches('#').trim().to_lowercase();
        let kept = text.chars().filter(|letter| letter.is_alphanumeric() || " -_".contains(*letter));
        let anchor: String = kept.map(|letter| if letter == ' ' { '-' } else { letter }).collect();
        let copies = (1..).map(|copy| format!("{anchor}-{copy}"));
        let free = std::iter::once(anchor.clone()).chain(copies).find(|one| !anchors.contains(one));
        anchors.extend(free);
    }
    anchors
}

#[test]
fn a_path_that_does_not_exist_is_seen() {
    let tree = Tree {
        paths: ["docs", "docs/hosting.md", "daemon", "daemon/src", "daemon/src/main.rs"]
            .map(String::from)
            .into(),
    };
    let missing = |text: &str| -> Vec<String> {
        let words = text.split(|letter: char| !is_path_letter(letter));
        words.filter(|word| !tree.allows(word, "daemon/src/main.rs")).map(str::to_owned).collect()
    };
    assert_eq!(missing("see docs/hosting.md, `src/main.rs`, main.rs and daemon/src/."), [""; 0]);
    assert_eq!(missing("and/or, ~/.config/x.toml, /etc/x.conf, https://a.b/c.md, target/debug/"), [""; 0]);
    assert_eq!(
        missing("docs/rotation.md; design/ (daemon/tests) `gone.rs`"),
        ["docs/rotation.md", "design/", "daemon/tests", "gone.rs"]
    );
}
