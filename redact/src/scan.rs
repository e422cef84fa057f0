//! All secrets of one piece of text.

use crate::rules::rules;
use crate::span::{Span, markers, replaced, settled};
use crate::view::View;
use crate::{assignment, insert, path};

/// How often a text is looked at again after something in it was replaced, so that a second run finds nothing new.
const PASSES: usize = 6;

/// The secrets of `text` that end behind `from`; what stands before it is context.
pub fn secrets(text: &[u8], from: usize) -> Vec<Span> {
    let Some(view) = View::of(text) else { return settled(found(text, from), text) };
    let seen = found(&view.text, view.index(from)).into_iter().filter_map(|span| view.original(span));
    let mut spans: Vec<Span> = seen.filter(|span| span.end > from).collect();
    // What only looks like a terminal's sequence may have hidden a token's first letters.
    rules().find(text, from, &rules().tried(text), &mut spans);
    let marks = markers(text);
    spans.retain(|span| !within(&marks, span));
    settled(spans, text)
}

fn found(text: &[u8], from: usize) -> Vec<Span> {
    let tried = rules().tried(text);
    let mut spans = Vec::new();
    rules().find(text, from, &tried, &mut spans);
    if tried.names {
        assignment::find(text, from, &mut spans);
        insert::find(text, from, &mut spans);
    }
    path::find(text, from, &mut spans);
    let marks = markers(text);
    // A marker's own words begin nothing.
    spans.retain(|span| !within(&marks, span));
    spans
}

fn within(marks: &[(usize, usize)], span: &Span) -> bool {
    marks.iter().any(|(start, end)| *start < span.start && span.end < *end)
}

/// `text` from `from` on with markers in place of secrets.
pub fn without_secrets(mut text: Vec<u8>, from: usize) -> Vec<u8> {
    for _ in 0..PASSES {
        let spans = secrets(&text, from);
        if spans.is_empty() {
            break;
        }
        let rest = replaced(&text, from, text.len(), &spans);
        let same = text[from..] == rest[..];
        text.truncate(from);
        text.extend(rest);
        if same {
            break;
        }
    }
    text.split_off(from)
}
