//! Finds the values that a name calls secret: `PASSWORD=…`, `"apiKey": "…"`, `secret: …`, `--token …`.

use crate::judgement::{Surroundings, begins_line, is_bare, is_text, is_token};
use crate::name::{Sensitive, is_name_itself, sensitive};
use crate::span::{Span, marker_at};
use crate::value;

/// How far a name and a value may reach.
const NAME: usize = 80;
const VALUE: usize = 4096;
const GAP: usize = 16;

/// Adds the values that end behind `from`.
pub fn find(text: &[u8], from: usize, spans: &mut Vec<Span>) {
    let mut at = 0;
    while let Some(found) = text[at..].iter().position(|byte| matches!(byte, b'=' | b':' | b'-' | b',')) {
        let here = at + found;
        at = here + 1;
        let value = match text[here] {
            b'-' => of_flag(text, here),
            b',' => of_pair(text, here),
            _ => of_separator(text, here),
        };
        if let Some(span) = value {
            at = at.max(span.end);
            if span.end > from {
                spans.push(span);
            }
        }
    }
}

/// `--password X`. With `=` it is an assignment like others.
fn of_flag(text: &[u8], dash: usize) -> Option<Span> {
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
        || matches!(text.get(at + gap), None | Some(b'-' | b'[' | b'<' | b'|' | b'\n' | b'\r'))
    {
        return None;
    }
    let place = Surroundings { text, name: start, separator: b'-', spaced: false, quoted_name: false };
    read(&place, at + gap, called)
}

/// `("PASSWORD", "…")`: both in quotes, and the second no word.
fn of_pair(text: &[u8], comma: usize) -> Option<Span> {
    let name = name_before(text, comma).filter(|name| name.quoted)?;
    // The first argument of a call, not a word of a list.
    let open = text[..name.start].iter().rev().find(|byte| !matches!(byte, b'"' | b'\'' | b'\\'));
    if open != Some(&b'(') {
        return None;
    }
    let called = sensitive(&text[name.start..name.end], b"")?;
    let gap = text[comma + 1..].iter().take(2).take_while(|byte| **byte == b' ').count();
    let at = comma + 1 + gap;
    let quoted = matches!(text.get(at), Some(b'"' | b'\''));
    let place = Surroundings { text, name: name.start, separator: b',', spaced: false, quoted_name: true };
    let constant = called == Sensitive::Password
        && text[name.start..name.end].iter().all(|byte| !byte.is_ascii_lowercase());
    read(&place, at, called)
        .filter(|span| quoted && (constant || value::is_chosen(&text[span.start..span.end])))
}

fn of_separator(text: &[u8], separator: usize) -> Option<Span> {
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
        separator: sign,
        spaced: gap + line > 0,
        quoted_name: name.quoted,
    };
    read(&place, at, called)
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
    if start == end {
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
fn read(place: &Surroundings<'_>, at: usize, called: Sensitive) -> Option<Span> {
    let text = place.text;
    let kind = match called {
        Sensitive::Password => "password",
        Sensitive::Secret(kind) | Sensitive::Perhaps(kind) => kind,
    };
    let (start, end, quoted) = quoted_value(text, at).or_else(|| bare_value(place, at))?;
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

/// What stands between quotes, `\"` and string prefixes included; or the only argument of a call (`Some("…")`).
fn quoted_value(text: &[u8], at: usize) -> Option<(usize, usize, bool)> {
    let mut at = at;
    let word = text[at..]
        .iter()
        .take(40)
        .take_while(|byte| byte.is_ascii_alphanumeric() || matches!(byte, b'_' | b':' | b'.' | b'@'))
        .count();
    let opens = |at: usize| matches!(text.get(at), Some(b'"' | b'\'' | b'`'));
    if word > 0 && text.get(at + word) == Some(&b'(') && opens(at + word + 1) {
        if fetches(&text[at..at + word]) {
            return None;
        }
        at += word + 1;
    } else if (1..=2).contains(&word) && opens(at + word) {
        at += word;
    } else if text.get(at) == Some(&b'[') && opens(at + 1) {
        at += 1;
    }
    let slashes = text[at..].iter().take(GAP).take_while(|byte| **byte == b'\\').count();
    let quote = *text.get(at + slashes)?;
    if !matches!(quote, b'"' | b'\'' | b'`') {
        return None;
    }
    let start = at + slashes + 1;
    let limit = text.len().min(start + VALUE);
    let mut end = start;
    while end < limit && text[end] != b'\n' {
        let run = text[end..limit].iter().take_while(|byte| **byte == b'\\').count();
        if run > 0 {
            if text.get(end + run) == Some(&quote) && run == slashes {
                return Some((start, end, true));
            }
            end += run + usize::from(run > slashes);
        } else if text[end] == quote {
            return Some((start, end, true));
        } else {
            end += 1;
        }
    }
    // Nobody closed it: the word counts.
    let end = start
        + text[start..limit].iter().take_while(|byte| !byte.is_ascii_whitespace() && **byte != quote).count();
    Some((start, end, true))
}

/// Calls that fetch a secret from where it is kept.
fn fetches(call: &[u8]) -> bool {
    let lower = call.to_ascii_lowercase();
    [
        &b"env"[..],
        b"get",
        b"read",
        b"input",
        b"prompt",
        b"config",
        b"load",
        b"fetch",
        b"find",
        b"lookup",
        b"file",
        b"t",
        b"i18n",
        b"gettext",
        b"translate",
        b"require",
        b"open",
    ]
    .iter()
    .any(|word| if word.len() < 3 { lower == *word } else { memchr::memmem::find(&lower, word).is_some() })
}

/// A value without quotes.
fn bare_value(place: &Surroundings<'_>, at: usize) -> Option<(usize, usize, bool)> {
    let text = place.text;
    if let Some(end) = marker_at(text, at) {
        let rest = text[end..].iter().take(VALUE).take_while(|byte| byte.is_ascii_alphanumeric()).count();
        return Some((at, end + rest, false));
    }
    // In a list `a=1&b=2` or `a=1;b=2` the value ends there; in a line of its own only with the line.
    let in_query = text[..place.name]
        .iter()
        .rev()
        .take(256)
        .take_while(|byte| !byte.is_ascii_whitespace())
        .any(|byte| matches!(byte, b'?' | b'&'));
    let alone = !place.spaced && place.separator == b'=' && begins_line(place);
    let escaped =
        |at: usize| text[at] == b'\\' && matches!(text.get(at + 1), Some(b'n' | b'r' | b't' | b'"'));
    let ends = |at: usize| {
        let byte = text[at];
        byte.is_ascii_whitespace()
            || escaped(at)
            || (byte == b'&' && in_query)
            || (!alone
                && matches!(
                    byte,
                    b',' | b';'
                        | b'"'
                        | b'\''
                        | b'<'
                        | b'>'
                        | b'('
                        | b')'
                        | b'{'
                        | b'}'
                        | b'['
                        | b']'
                        | b'`'
                        | b'|'
                ))
    };
    let limit = text.len().min(at + VALUE);
    let mut end = (at..limit).find(|at| ends(*at)).unwrap_or(limit);
    while end > at && matches!(text[end - 1], b':' | b'\\') {
        end -= 1;
    }
    (end > at).then_some((at, end, false))
}
