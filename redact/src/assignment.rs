//! Finds the values that a name calls secret: `PASSWORD=…`, `"apiKey": "…"`, `secret: …`, `--token …`.

use crate::extent::{Alphabet, Extent, OpenQuotes, bare, quoted};
use crate::judgement::{Surroundings, is_bare, is_text, is_token};
use crate::name::{Sensitive, is_name_itself, sensitive};
use crate::span::Span;
use crate::value;

/// How far a name may reach, and the space behind it.
const NAME: usize = 80;
const GAP: usize = 16;

/// Adds the values that end behind `from`.
pub fn find(text: &[u8], from: usize, spans: &mut Vec<Span>) {
    let mut at = 0;
    let mut quotes = OpenQuotes::default();
    while let Some(found) = text[at..].iter().position(|byte| matches!(byte, b'=' | b':' | b'-' | b',')) {
        let here = at + found;
        at = here + 1;
        let value = match text[here] {
            b'-' => of_flag(text, here, &mut quotes),
            b',' => of_pair(text, here, &mut quotes),
            _ => of_separator(text, here, &mut quotes),
        };
        let Some(span) = value else { continue };
        at = at.max(span.end);
        let more = in_same_list(text, &quotes, span);
        spans.extend(std::iter::once(span).chain(more).filter(|span| span.end > from));
    }
}

/// The texts behind the first of a list: `"passwords": ["…", "…"]`.
fn in_same_list(text: &[u8], around: &OpenQuotes, first: Span) -> Vec<Span> {
    const MOST: usize = 32;
    let mut spans = Vec::new();
    let mut before = text[..first.start].iter().rev().skip_while(|byte| matches!(byte, b'"' | b'\'' | b'\\'));
    let listed = before.next() == Some(&b'[');
    let mut last = first;
    while listed && spans.len() < MOST {
        let closed = last.end + text[last.end..].iter().take(GAP).take_while(|byte| **byte == b'\\').count();
        if !matches!(text.get(closed), Some(b'"' | b'\'')) || text.get(closed + 1) != Some(&b',') {
            break;
        }
        let gap = text[closed + 2..].iter().take(2).take_while(|byte| **byte == b' ').count();
        let Some(Extent { start, end, .. }) =
            quoted(text, around, closed + 2 + gap).filter(|next| next.end > next.start)
        else {
            break;
        };
        last = Span { start, end, kind: first.kind };
        spans.push(last);
    }
    spans
}

/// `--password X`. With `=` it is an assignment like others.
fn of_flag(text: &[u8], dash: usize, quotes: &mut OpenQuotes) -> Option<Span> {
    if text.get(dash + 1) != Some(&b'-')
        || (dash > 0 && !matches!(text[dash - 1], b' ' | b'\t' | b'"' | b'\'' | b'[' | b',' | b'\n'))
    {
        return None;
    }
    let start = dash + 2;
    let length = text[start..].iter().take(NAME).take_while(|byte| is_name(**byte)).count();
    let mut at = start + length;
    let called = sensitive(&text[start..at], b"").filter(|_| !text[start..].starts_with(b"no-"))?;
    // As an argument of an array: `"--password", "…"`.
    at += usize::from(text.get(at) == Some(&b'\\'));
    let quote = text.get(at).copied().filter(|byte| matches!(byte, b'"' | b'\''));
    if quote.is_some() {
        at += 1;
        at += text[at..].iter().take(3).take_while(|byte| matches!(byte, b',')).count();
    }
    let gap = text[at..].iter().take(GAP).take_while(|byte| matches!(byte, b' ' | b'\t')).count();
    if gap == 0 && quote.is_none()
        || matches!(text.get(at + gap), None | Some(b'|' | b'\n' | b'\r'))
        || is_flag(&text[at + gap..])
    {
        return None;
    }
    let place = Surroundings {
        text,
        name: start,
        name_end: start + length,
        separator: b'-',
        spaced: false,
        quoted_name: quote.is_some(),
    };
    read(&place, quotes, at + gap, called)
}

/// `-x`, `--name`: the next flag, not a value.
fn is_flag(rest: &[u8]) -> bool {
    let word =
        rest.iter().take(NAME).take_while(|byte| !byte.is_ascii_whitespace() && **byte != b'=').count();
    rest.first() == Some(&b'-')
        && (word <= 2
            || rest[1] == b'-'
            || rest[1..word].iter().all(|byte| byte.is_ascii_alphabetic() || *byte == b'-'))
}

/// `("PASSWORD", "…")`: both in quotes, and the second no word.
fn of_pair(text: &[u8], comma: usize, quotes: &mut OpenQuotes) -> Option<Span> {
    let name = name_before(text, comma).filter(|name| name.quoted)?;
    // The first argument of a call, in one pair of quotes, not a word of a list.
    let closing = text[name.end..comma].trim_ascii_end();
    let open = text[..name.start].strip_suffix(closing)?;
    if open.last() != Some(&b'(') {
        return None;
    }
    let called = sensitive(&text[name.start..name.end], b"")?;
    let gap = text[comma + 1..].iter().take(2).take_while(|byte| **byte == b' ').count();
    let at = comma + 1 + gap;
    let quoted = matches!(text.get(at), Some(b'"' | b'\''));
    let place = Surroundings {
        text,
        name: name.start,
        name_end: name.end,
        separator: b',',
        spaced: false,
        quoted_name: true,
    };
    let constant = called == Sensitive::Password
        && text[name.start..name.end].iter().all(|byte| !byte.is_ascii_lowercase());
    read(&place, quotes, at, called)
        .filter(|span| quoted && (constant || value::is_chosen(&text[span.start..span.end])))
}

fn of_separator(text: &[u8], separator: usize, quotes: &mut OpenQuotes) -> Option<Span> {
    // `token::Token` is a path.
    if separator > 0 && text[separator] == b':' && text[separator - 1] == b':' {
        return None;
    }
    let name = name_before(text, separator)?;
    let called = sensitive(&text[name.start..name.end], &text[name.before..name.before_end])?;
    let mut at = separator + 1;
    let sign = text[separator];
    at += text[at..].iter().take(2).take_while(|byte| matches!(byte, b'=' | b'>' | b'~')).count();
    if sign == b':' && text.get(at) == Some(&b':') {
        return None;
    }
    // `${PASSWORD:?must be set}`.
    if sign == b':' && text.get(at) == Some(&b'?') {
        return None;
    }
    // Markdown: `**Password:** …`.
    at += if text[at..].starts_with(b"** ") { 2 } else { 0 };
    let gap = text[at..].iter().take(GAP).take_while(|byte| matches!(byte, b' ' | b'\t')).count();
    at += gap;
    // A value on the next line is one only in quotes.
    let line = text[at..].iter().take(2).take_while(|byte| matches!(byte, b'\n' | b'\r')).count();
    if line > 0 {
        let indent =
            text[at + line..].iter().take(64).take_while(|byte| matches!(byte, b' ' | b'\t')).count();
        at += line + indent;
        if indent == 0 || !matches!(text.get(at), Some(b'"' | b'\'')) {
            return None;
        }
    }
    let place = Surroundings {
        text,
        name: name.start,
        name_end: name.end,
        separator: sign,
        spaced: gap + line > 0,
        quoted_name: name.quoted,
    };
    read(&place, quotes, at, called)
}

struct Name {
    start: usize,
    end: usize,
    /// The word in front of it.
    before: usize,
    before_end: usize,
    quoted: bool,
}

fn is_name(byte: u8) -> bool {
    byte.is_ascii_alphanumeric() || matches!(byte, b'_' | b'-' | b'.')
}

fn name_before(text: &[u8], separator: usize) -> Option<Name> {
    let back = |end: usize, most: usize, fits: &dyn Fn(u8) -> bool| {
        end - text[..end].iter().rev().take(most).take_while(|byte| fits(**byte)).count()
    };
    let mut end = back(separator, 3, &|byte| matches!(byte, b':' | b'=' | b'+' | b'?' | b'!' | b'|'));
    end = back(end, GAP, &|byte| matches!(byte, b' ' | b'\t' | b']'));
    let closed = end;
    end = back(end, 16, &|byte| matches!(byte, b'"' | b'\'' | b'`' | b'\\' | b'*' | b'?' | b'!'));
    let quoted = end < closed;
    let mut start = back(end, NAME, &is_name);
    // A type stands between name and value: `let token: &str = "…"`.
    if text[separator] == b'=' && !quoted && start > 2 && is_type(&text[start..end]) {
        let colon =
            back(start, 12, &|byte| matches!(byte, b' ' | b'&' | b'\'' | b'?' | b'a'..=b'z' | b'<' | b'['));
        if colon > 0 && text[colon - 1] == b':' {
            end = back(colon - 1, 3, &|byte| matches!(byte, b' ' | b'?' | b'!'));
            start = back(end, NAME, &is_name);
        }
    }
    if start == end || text[..start].ends_with(b"[redacted:") {
        return None;
    }
    let before_end = back(start, 1, &|byte| matches!(byte, b' ' | b'_' | b'-'));
    let before = if before_end < start {
        back(before_end, 24, &|byte| byte.is_ascii_alphanumeric())
    } else {
        before_end
    };
    Some(Name { start, end, before, before_end, quoted })
}

fn is_type(word: &[u8]) -> bool {
    const TYPES: [&[u8]; 12] = [
        b"str",
        b"string",
        b"String",
        b"bytes",
        b"Secret",
        b"SecretStr",
        b"Text",
        b"any",
        b"Any",
        b"object",
        b"CharSequence",
        b"NSString",
    ];
    TYPES.contains(&word)
}

/// The value that begins at `at`, if it is a secret.
fn read(place: &Surroundings<'_>, quotes: &mut OpenQuotes, at: usize, called: Sensitive) -> Option<Span> {
    let text = place.text;
    let (kind, alphabet) = match called {
        Sensitive::Password => ("password", Alphabet::Any),
        Sensitive::Secret(kind) => (kind, Alphabet::Any),
        Sensitive::Perhaps(kind) => (kind, Alphabet::Token),
    };
    quotes.go_on(text, at);
    if quotes.end_at(text, at) {
        return None;
    }
    let without_quotes = || bare(place, quotes, at, alphabet);
    let Extent { start, end, quoted } = quoted(text, quotes, at).or_else(without_quotes)?;
    let value = &text[start..end];
    if value.is_empty() || value::is_placeholder(value) || is_name_itself(value) {
        return None;
    }
    let secret = match called {
        Sensitive::Perhaps(kind) => {
            is_token(value, kind) && (quoted || !matches!(text.get(end), Some(b'(' | b'[')))
        }
        Sensitive::Secret(_) | Sensitive::Password if quoted => is_text(value, called),
        Sensitive::Secret(_) | Sensitive::Password => is_bare(place, value, end, called),
    };
    secret.then_some(Span { start, end, kind })
}
