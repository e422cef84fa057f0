//! `INSERT INTO users (name, password) VALUES ('ada', '…')`: values whose names stand in a list before them.

use crate::judgement::{is_text, is_token};
use crate::name::{Sensitive, sensitive};
use crate::span::Span;
use crate::value::is_placeholder;
use memchr::memmem;
use regex::bytes::{Regex, RegexBuilder};
use std::sync::LazyLock;

static COLUMNS: LazyLock<Option<Regex>> = LazyLock::new(|| {
    let pattern = r"(?i)\b(?:insert|replace)\s[^(\n]{1,120}\(([^()\n]{1,2000})\)\s*values\s*\(";
    RegexBuilder::new(pattern).unicode(false).build().ok()
});

/// How many rows one statement may have.
const ROWS: usize = 1000;

/// Adds the values that end behind `from`.
pub fn find(text: &[u8], from: usize, spans: &mut Vec<Span>) {
    if memmem::find(text, b"VALUES").or_else(|| memmem::find(text, b"values")).is_none() {
        return;
    }
    for found in COLUMNS.iter().flat_map(|columns| columns.captures_iter(text)) {
        let (Some(whole), Some(names)) = (found.get(0), found.get(1)) else { continue };
        let kinds: Vec<Option<Sensitive>> =
            names.as_bytes().split(|byte| *byte == b',').map(|name| sensitive(name, b"")).collect();
        if kinds.iter().any(Option::is_some) {
            rows(text, whole.end(), &kinds, &mut |span| {
                if span.end > from {
                    spans.push(span);
                }
            });
        }
    }
}

/// Goes through the rows, the first of which begins here.
fn rows(text: &[u8], mut at: usize, kinds: &[Option<Sensitive>], add: &mut dyn FnMut(Span)) {
    for _ in 0..ROWS {
        for called in kinds {
            at += space(text, at);
            let start = at + usize::from(text.get(at) == Some(&b'\''));
            let end = if start > at { end_of_text(text, start) } else { start };
            if let Some(called) = called.filter(|_| end > start) {
                let value = &text[start..end];
                let (kind, secret) = match called {
                    Sensitive::Password => ("password", is_text(value, called)),
                    Sensitive::Secret(kind) => (kind, is_text(value, called)),
                    Sensitive::Perhaps(kind) => (kind, is_token(value, kind)),
                };
                if secret && !is_placeholder(value) {
                    add(Span { start, end, kind });
                }
            }
            at = end + text[end..].iter().take_while(|byte| !matches!(byte, b',' | b')' | b'\n')).count();
            if text.get(at) != Some(&b',') {
                break;
            }
            at += 1;
        }
        at += text[at..].iter().take_while(|byte| !matches!(byte, b')' | b'\n')).count();
        let next = at
            + 1
            + text
                .get(at + 1..)
                .map_or(0, |rest| rest.iter().take_while(|byte| b", ".contains(byte)).count());
        if text.get(at) != Some(&b')') || text.get(next) != Some(&b'(') {
            return;
        }
        at = next + 1;
    }
}

fn space(text: &[u8], at: usize) -> usize {
    text[at..].iter().take_while(|byte| byte.is_ascii_whitespace()).count()
}

/// Where the text that begins here ends; `''` is a sign in it.
fn end_of_text(text: &[u8], start: usize) -> usize {
    let mut end = start;
    while let Some(byte) = text.get(end).filter(|byte| **byte != b'\n') {
        match (byte, text.get(end + 1)) {
            (b'\'', Some(b'\'')) => end += 2,
            (b'\'', _) => return end,
            _ => end += 1,
        }
    }
    end
}
