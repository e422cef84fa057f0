//! Where secrets stand in a text, and the text with markers in their place.

/// A secret, or the name of a person in a path.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Span {
    pub start: usize,
    pub end: usize,
    pub kind: &'static str,
}

/// The kind of a user's name in a path, whose marker is shorter.
pub const USER: &str = "user";

/// The kind of a home folder that says whose it is.
pub const HOME: &str = "home";

const OPEN: &[u8] = b"[redacted:";

/// Where markers stand already.
pub fn markers(text: &[u8]) -> Vec<(usize, usize)> {
    memchr::memmem::find_iter(text, OPEN).filter_map(|start| Some((start, marker_at(text, start)?))).collect()
}

/// The end of the marker that begins here.
pub fn marker_at(text: &[u8], start: usize) -> Option<usize> {
    let kind = text.get(start..)?.strip_prefix(OPEN)?;
    let length = kind.iter().take(40).position(|byte| !matches!(byte, b'a'..=b'z' | b'0'..=b'9' | b'-'))?;
    (length > 0 && kind[length] == b']').then_some(start + OPEN.len() + length + 1)
}

/// The spans in order, those that touch made one, without those that hold nothing but markers.
pub fn settled(mut spans: Vec<Span>, text: &[u8]) -> Vec<Span> {
    let markers = markers(text);
    for span in &mut spans {
        let slashes = |end: usize| text[..end].iter().rev().take_while(|byte| **byte == b'\\').count();
        // A backslash before a quote belongs to the quote, if it is not the second of two.
        if text.get(span.end) == Some(&b'"') && slashes(span.end).min(span.end - span.start) % 2 == 1 {
            span.end -= 1;
        }
        // The letter in `\n` is no one's, nor are the digits in `\u0000`.
        if span.kind != USER && slashes(span.start) % 2 == 1 {
            span.start += match text.get(span.start) {
                Some(b'n' | b'r' | b't' | b'b' | b'f' | b'/') => 1,
                Some(b'u') if text[span.start + 1..].iter().take(4).all(u8::is_ascii_hexdigit) => 5,
                _ => 0,
            };
        }
    }
    spans.retain(|span| span.start < span.end && !is_marked(*span, &markers, text));
    // Of several that begin together, the one found by the first rule names the kind.
    spans.sort_by_key(|span| span.start);
    let mut settled: Vec<Span> = Vec::with_capacity(spans.len());
    for span in spans {
        match settled.last_mut() {
            Some(last) if span.start < last.end => last.end = last.end.max(span.end),
            _ => settled.push(span),
        }
    }
    settled
}

/// Whether a span lies in markers, but for signs that mean nothing.
fn is_marked(span: Span, markers: &[(usize, usize)], text: &[u8]) -> bool {
    let touched = markers.iter().filter(|(start, end)| *start < span.end && span.start < *end);
    let mut any = false;
    let mut at = span.start;
    for (start, end) in touched {
        any = true;
        if text[at..(*start).max(at)].iter().any(u8::is_ascii_alphanumeric) {
            return false;
        }
        at = *end;
    }
    any && !text[at.min(span.end)..span.end]
        .iter()
        .any(|byte| byte.is_ascii_alphanumeric() || !byte.is_ascii())
}

/// The text from `from` on, with markers.
pub fn replaced(text: &[u8], from: usize, to: usize, spans: &[Span]) -> Vec<u8> {
    let mut out = Vec::with_capacity(to - from);
    let mut at = from;
    for span in spans.iter().filter(|span| span.end > from && span.start < to) {
        out.extend_from_slice(&text[at..span.start.max(at)]);
        let quote = quote_of_name(text, *span);
        out.extend_from_slice(&[quote, &marker(span.kind), quote].concat());
        at = span.end.min(to);
    }
    out.extend_from_slice(&text[at..to]);
    out
}

/// The quote of the name before a number, as in `"pin": 1234`: a marker needs one to be JSON.
fn quote_of_name(text: &[u8], span: Span) -> &[u8] {
    let number = |byte: &u8| byte.is_ascii_digit() || b"+-.eE".contains(byte);
    if !text[span.start].is_ascii_digit() || !text[span.start..span.end].iter().all(number) {
        return b"";
    }
    let Some(name) = text[..span.start].trim_ascii_end().strip_suffix(b":") else { return b"" };
    let Some(inside) = name.trim_ascii_end().strip_suffix(b"\"") else { return b"" };
    let slashes = inside.iter().rev().take_while(|byte| **byte == b'\\').count();
    &text[inside.len() - slashes..=inside.len()]
}

pub fn marker(kind: &str) -> Vec<u8> {
    match kind {
        USER => b"[user]".to_vec(),
        HOME => b"~".to_vec(),
        kind => [OPEN, kind.as_bytes(), b"]"].concat(),
    }
}
