//! What must hold for every text: the same for every cut, nothing new on a second run, time in proportion to length.

use crate::grammar::Dice;
use crate::{cases, leaks};
use everkey_redact::Redactor;

const FILES: [&str; 3] = ["secrets-seen.txt", "secrets-kept.txt", "secrets-attacked.txt"];

fn in_pieces(text: &[u8], mut size: impl FnMut() -> usize) -> Vec<u8> {
    let mut redactor = Redactor::new();
    let mut out = Vec::new();
    let mut rest = text;
    while !rest.is_empty() {
        let (piece, after) = rest.split_at(size().clamp(1, rest.len()));
        out.extend(redactor.push(piece));
        rest = after;
    }
    out.extend(redactor.finish());
    out
}

/// All cases of the corpus in one text.
fn everything() -> String {
    FILES.iter().flat_map(|file| cases(file)).step_by(6).map(|case| case.text).collect()
}

#[test]
fn every_size_of_pieces_gives_the_same() {
    let text = everything();
    let whole = everkey_redact::bytes(text.as_bytes());
    let mut dice = Dice::new(7);
    for most in [1, 7, 64, 5000] {
        assert!(in_pieces(text.as_bytes(), || 1 + dice.below(most)) == whole, "pieces of up to {most}");
    }
    let one_line = text.replace('\n', " ");
    let whole = everkey_redact::bytes(one_line.as_bytes());
    for most in [1, 900, 20_000] {
        assert!(
            in_pieces(one_line.as_bytes(), || 1 + dice.below(most)) == whole,
            "one line, pieces of up to {most}"
        );
    }
}

/// As a server's log has it, where every text is escaped.
#[test]
fn what_was_json_is_json_without_secrets() {
    let mut missed = Vec::new();
    for case in FILES.iter().flat_map(|file| cases(file)) {
        let line = serde_json::json!({ "level": "info", "message": case.text, "next": "\"x\"" }).to_string();
        let out = everkey_redact::text(&line).into_owned();
        let read = serde_json::from_str::<serde_json::Value>(&out);
        let whole = read.is_ok_and(|json| json["level"] == "info" && json["next"] == "\"x\"");
        assert!(whole, "{line}\n{out}");
        if case.secrets.iter().any(|secret| leaks(secret, &out)) {
            missed.push(format!("{line}\n  {out}"));
        }
    }
    const KNOWN: usize = 12;
    assert!(missed.len() <= KNOWN, "{} missed:\n{}", missed.len(), missed.join("\n"));
}

#[test]
fn a_second_run_changes_nothing() {
    for file in FILES {
        for case in cases(file) {
            let once = everkey_redact::text(&case.text).into_owned();
            assert_eq!(everkey_redact::text(&once), once, "{}", case.text);
        }
    }
    let once = everkey_redact::text(&everything()).into_owned();
    assert!(everkey_redact::text(&once) == once);
}
