//! Text as a stream, in constant memory. What comes out does not depend on how the text was cut into pieces.

use crate::block::{Block, Line};
use crate::scan::{secrets, without_secrets};
use crate::span::{Span, marker, replaced};

/// A line is looked at whole up to this length.
const WINDOW: usize = 16 * 1024;

/// How much of the end of a longer line is looked at again together with what follows.
const OVERLAP: usize = 4 * 1024;

/// How much of what was put out is remembered, since a name may stand in the line before its value.
const CONTEXT: usize = 256;

/// And how many lines of it.
const CONTEXT_LINES: usize = 3;

/// Takes text piece by piece and gives it back without secrets, each line as soon as it has ended.
#[derive(Default)]
pub struct Redactor {
    context: Vec<u8>,
    line: Vec<u8>,
    /// Whether the beginning of the line is out already.
    within_line: bool,
    /// The kind of a secret whose marker is out, and whose end is not in sight.
    endless: Option<&'static str>,
    block: Block,
    /// How many bytes were looked at.
    #[cfg(test)]
    looked_at: usize,
}

impl Redactor {
    pub fn new() -> Self {
        Self::default()
    }

    /// Takes the next piece, and returns what can be put out by now.
    #[must_use]
    pub fn push(&mut self, bytes: &[u8]) -> Vec<u8> {
        let mut out = Vec::new();
        let mut rest = bytes;
        while !rest.is_empty() {
            if let Some(kind) = self.endless {
                let more = rest.iter().take_while(|byte| goes_on(kind, **byte)).count();
                rest = &rest[more..];
                if rest.is_empty() {
                    break;
                }
                self.endless = None;
            }
            let room = rest.len().min(WINDOW - self.line.len());
            let end = memchr::memchr(b'\n', &rest[..room]).map_or(room, |at| at + 1);
            self.line.extend_from_slice(&rest[..end]);
            rest = &rest[end..];
            if self.line.ends_with(b"\n") {
                self.end_line(&mut out);
            } else if self.line.len() == WINDOW {
                self.put_out_part(&mut out);
            }
        }
        out
    }

    /// What is left when the text has ended.
    #[must_use]
    pub fn finish(mut self) -> Vec<u8> {
        let mut out = Vec::new();
        if !self.line.is_empty() {
            self.end_line(&mut out);
        }
        out
    }

    fn end_line(&mut self, out: &mut Vec<u8>) {
        let line = std::mem::take(&mut self.line);
        let whole = !std::mem::replace(&mut self.within_line, false);
        match self.block.line(&line, whole) {
            Line::Text => {
                let context = self.context.len();
                let text = [&self.context[..], &line[..]].concat();
                #[cfg(test)]
                {
                    self.looked_at += text.len();
                }
                self.put_out(without_secrets(text, context), out);
            }
            Line::Key(text) => self.put_out(text, out),
            Line::Dropped => {}
        }
    }

    /// Puts out as much of a line without an end as can be judged.
    fn put_out_part(&mut self, out: &mut Vec<u8>) {
        let from = self.context.len();
        let text = [&self.context[..], &self.line[..]].concat();
        #[cfg(test)]
        {
            self.looked_at += text.len();
        }
        let mut spans = secrets(&text, from);
        if self.block.is_open()
            && !self.within_line
            && self.line.iter().all(|byte| goes_on("private-key", *byte))
        {
            spans = vec![Span { start: from, end: text.len(), kind: "private-key" }];
        }
        self.within_line = true;
        let last = spans.last().copied().filter(|last| last.end == text.len());
        if let Some(last) = last.filter(|last| last.start < from + WINDOW / 2) {
            let mut part = replaced(&text, from, last.start.max(from), &spans);
            part.extend(marker(last.kind));
            self.line.clear();
            self.endless = Some(last.kind);
            return self.put_out(part, out);
        }
        let cut = cut(&text, from, &spans);
        self.line = text[cut..].to_vec();
        self.put_out(replaced(&text, from, cut, &spans), out);
    }

    fn put_out(&mut self, text: Vec<u8>, out: &mut Vec<u8>) {
        out.extend_from_slice(&text);
        self.context.extend(text);
        let old = self.context.len().saturating_sub(CONTEXT);
        let lines = memchr::memrchr_iter(b'\n', &self.context).nth(CONTEXT_LINES);
        self.context.drain(..lines.map_or(old, |end| old.max(end + 1)));
    }
}

/// Where a line can be cut: in no secret, and if possible in no run that could become one. In its second half, so that
/// no byte is looked at more than a few times.
fn cut(text: &[u8], from: usize, spans: &[Span]) -> usize {
    let limit = from + WINDOW - OVERLAP;
    let half = from + WINDOW / 2;
    let run = text[half..limit].iter().rev().take_while(|byte| goes_on("", **byte)).count();
    let cut = if limit - run > half { limit - run } else { limit };
    match spans.iter().find(|span| span.start < cut && cut < span.end) {
        Some(span) if span.start >= half => span.start,
        Some(span) => span.end,
        None => cut,
    }
}

/// Whether a secret of this kind may go on with this byte.
fn goes_on(kind: &str, byte: u8) -> bool {
    byte.is_ascii_alphanumeric()
        || matches!(byte, b'_' | b'-' | b'.' | b'+' | b'/' | b'=' | b'%' | b'~')
        || (kind == "private-key" && matches!(byte, b' ' | b'\t' | b'\\' | b'"' | b'\'' | b',' | b'\r'))
}

#[cfg(test)]
mod tests {
    use super::*;

    /// An everkey token, so that no scanner takes this file for a leak.
    fn token(fill: char) -> String {
        format!("binboi_pat_0a1b2c3d_{}", fill.to_string().repeat(18) + "0123456789abcdef01")
    }

    fn in_pieces(text: &[u8], size: usize) -> Vec<u8> {
        let mut redactor = Redactor::new();
        let mut out: Vec<u8> = text.chunks(size).flat_map(|piece| redactor.push(piece)).collect();
        out.extend(redactor.finish());
        out
    }

    #[test]
    fn a_line_comes_out_as_soon_as_it_ends() {
        let mut redactor = Redactor::new();
        assert_eq!(redactor.push(b"one\ntwo"), b"one\n");
        assert_eq!(redactor.push(b"\nthree"), b"two\n");
        assert_eq!(redactor.finish(), b"three");
    }

    #[test]
    fn every_cut_gives_the_same() {
        let text = format!("a {} b\npassword: hunter2\n\n\u{fffd}\r\n/home/ada/x", token('a'));
        let whole = crate::bytes(text.as_bytes());
        for at in 0..text.len() {
            let mut redactor = Redactor::new();
            let mut out = redactor.push(&text.as_bytes()[..at]);
            out.extend(redactor.push(&text.as_bytes()[at..]));
            out.extend(redactor.finish());
            assert_eq!(String::from_utf8_lossy(&out), String::from_utf8_lossy(&whole), "cut at {at}");
        }
    }

    #[test]
    fn no_border_of_a_long_line_splits_a_secret() {
        let token = token('e');
        for before in (WINDOW - OVERLAP - 60..WINDOW - OVERLAP + 3).chain(WINDOW - 60..WINDOW + 3).step_by(3)
        {
            for fill in ["x", " ", "{\"a\":1},"] {
                let mut text = fill.repeat(before / fill.len() + 1);
                text.truncate(before);
                text = format!("{text} {token} {}", fill.repeat(WINDOW / fill.len()));
                let out = crate::bytes(text.as_bytes());
                assert_eq!(out.len(), text.len() - token.len() + "[redacted:everkey-token]".len());
                assert_eq!(in_pieces(text.as_bytes(), 4093), out);
            }
        }
    }

    #[test]
    fn a_secret_without_an_end_stays_hidden() {
        let text = format!("a binboi_pat_0a1b2c3d_{} b", "0123456789abcdef".repeat(3 * WINDOW / 16));
        assert_eq!(crate::bytes(text.as_bytes()), b"a [redacted:everkey-token] b");
    }

    #[test]
    fn no_text_is_looked_at_more_than_a_few_times() {
        let token = token('f');
        let most = 4 * WINDOW;
        for piece in [
            "a",
            "a\n",
            "\n",
            "password=",
            "eyJ",
            "ghp_",
            &token,
            &format!("{token} "),
            "-----BEGIN PRIVATE KEY-----\n",
            "\\",
        ] {
            let text = piece.repeat(most / piece.len());
            let mut redactor = Redactor::new();
            for piece in text.as_bytes().chunks(100) {
                let _ = redactor.push(piece);
                assert!(redactor.line.capacity() + redactor.context.capacity() <= 8 * WINDOW, "memory");
            }
            assert!(redactor.looked_at <= 8 * text.len(), "{piece:?}: {}", redactor.looked_at / text.len());
        }
    }

    #[test]
    fn bytes_that_are_no_text_come_out_as_they_are() {
        let bytes: Vec<u8> = (0..=255).cycle().take(100_000).collect();
        assert_eq!(in_pieces(&bytes, 777), bytes);
    }
}
