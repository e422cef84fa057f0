//! Files that can be read in one go.

use crate::repository::{assert_none, files, read};

const LONGEST_FILE: usize = 400;
const LONGEST_LINE: usize = 140;

#[test]
fn no_source_file_is_too_long() {
    let sources = files().into_iter().filter(|file| file.ends_with(".rs"));
    let lengths = sources.map(|file| (read(&file).unwrap().lines().count(), file));
    let violations: Vec<String> = lengths
        .filter(|(lines, _)| *lines > LONGEST_FILE)
        .map(|(lines, file)| format!("{file}: {lines} lines"))
        .collect();
    assert_none(&violations, &format!("source files over {LONGEST_FILE} lines"));
}

#[test]
fn no_line_of_a_document_is_too_long() {
    let mut violations = Vec::new();
    for file in files().iter().filter(|file| file.starts_with("docs/") && file.ends_with(".md")) {
        for (number, line) in read(file).unwrap().lines().enumerate() {
            let length = line.chars().count();
            if length > LONGEST_LINE && !line.trim_start().starts_with('|') {
                violations.push(format!("{file}:{}: {length} letters", number + 1));
            }
        }
    }
    assert_none(&violations, &format!("lines of documents over {LONGEST_LINE} letters"));
}
