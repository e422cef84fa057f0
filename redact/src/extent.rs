//! Where a value begins and ends. What opened it decides: a quote, a text in quotes around it, an address, a list, a
//! line of its own.

use crate::judgement::{Surroundings, begins_line, in_query};
use crate::span::marker_at;

/// How far a value may reach.
pub const VALUE: usize = 4096;
const GAP: usize = 16;

/// A value, and whether quotes stand around it.
#[derive(Clone, Copy)]
pub struct Extent {
    pub start: usize,
    pub end: usize,
    pub quoted: bool,
}

/// Which quotes are open at a place in a line. A quote with backslashes before it is inside one with fewer.
#[derive(Default)]
pub struct OpenQuotes {
    at: usize,
    /// How many backslashes stand before each `"` that is open, outermost first.
    double: Vec<usize>,
    single: bool,
    /// Whether the line has any.
    any: bool,
}

impl OpenQuotes {
    /// Goes on to `to`, which never lies behind.
    pub fn go_on(&mut self, text: &[u8], to: usize) {
        while self.at < to {
            let slashes = text[self.at..to].iter().take_while(|byte| **byte == b'\\').count();
            let here = self.at + slashes;
            match text.get(here).filter(|_| here < to) {
                Some(b'\n' | 0) => *self = Self::default(),
                Some(b'"') => self.meet(text, self.at, here),
                Some(b'\'') => self.meet_single(text, here),
                _ => {}
            }
            self.at = here + 1;
        }
    }

    fn meet(&mut self, text: &[u8], first: usize, quote: usize) {
        self.any = true;
        self.single = false;
        let run = quote - first;
        let open = self.ends(run, b'"');
        let slashes = open.unwrap_or(run);
        let before = first.checked_sub(1).map(|at| text[at]);
        let after = text.get(quote + 1);
        let in_word = |byte: Option<&u8>| byte.is_some_and(u8::is_ascii_alphanumeric);
        let opens = in_word(after) && before.is_none_or(|byte| b" \t[{(,:=".contains(&byte));
        let closes = in_word(before.as_ref()) && after.is_none_or(|byte| b" \t\r\n]}),:;".contains(byte));
        self.double.retain(|level| *level < slashes);
        // A text may have begun before what can be seen: then what looks like an end is one.
        if opens || (open.is_none() && !closes) {
            self.double.push(slashes);
        }
    }

    fn meet_single(&mut self, text: &[u8], quote: usize) {
        let before = quote.checked_sub(1).map(|at| text[at]);
        let after = text.get(quote + 1);
        let word = before.is_some_and(|byte| byte.is_ascii_alphanumeric());
        self.single = if self.single {
            word && after.is_some_and(u8::is_ascii_alphanumeric)
        } else {
            !word && after.is_some_and(|byte| !byte.is_ascii_whitespace())
        };
    }

    /// Whether so many backslashes make the sign behind them another, as in `\n`.
    fn escapes(&self, run: usize) -> bool {
        self.double.iter().any(|level| run % (2 * (level + 1)) == level + 1)
    }

    /// Whether the quote that begins here ends a text that is open.
    pub fn end_at(&self, text: &[u8], at: usize) -> bool {
        let run = text[at..].iter().take(GAP).take_while(|byte| **byte == b'\\').count();
        text.get(at + run) == Some(&b'"') && self.ends(run, b'"').is_some()
    }

    /// How many of a quote's backslashes belong to it, if it ends a text that is open.
    fn ends(&self, run: usize, quote: u8) -> Option<usize> {
        match quote {
            b'"' => self.double.iter().rev().copied().find(|level| closes_at(*level, run)),
            b'\'' => (self.single && run == 0).then_some(0),
            _ => None,
        }
    }
}

/// Whether a quote behind this many backslashes ends a text whose quotes have `level` of them. Each of the text's own
/// backslashes is written as two.
fn closes_at(level: usize, run: usize) -> bool {
    run % (2 * (level + 1)) == level
}

/// What stands between quotes, `\"` and string prefixes included; or the only argument of a call (`Some("…")`).
pub fn quoted(text: &[u8], around: &OpenQuotes, at: usize) -> Option<Extent> {
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
    } else if (1..=2).contains(&word) && is_prefix(&text[at..at + word]) && opens(at + word) {
        at += word;
    } else if text.get(at) == Some(&b'[') && (opens(at + 1) || text[at + 1..].starts_with(b"\\\"")) {
        at += 1;
    }
    let slashes = text[at..].iter().take(GAP).take_while(|byte| **byte == b'\\').count();
    let quote = *text.get(at + slashes)?;
    if !matches!(quote, b'"' | b'\'' | b'`') || around.end_at(text, at) {
        return None;
    }
    let start = at + slashes + 1;
    if quote == b'`' && text.get(start) == Some(&b'`') {
        return Some(Extent { start, end: start, quoted: true });
    }
    let limit = text.len().min(start + VALUE);
    let mut end = start;
    while end < limit && text[end] != b'\n' {
        let run = text[end..limit].iter().take_while(|byte| **byte == b'\\').count();
        let here = end + run;
        match text.get(here) {
            Some(byte) if *byte == quote && closes_at(slashes, run) => match doubled(&text[here..], quote) {
                length if length > 0 && slashes == 0 => end = here + length,
                _ if is_behind(text.get(here + 1)) => {
                    return Some(Extent { start, end: here - slashes, quoted: true });
                }
                _ => end = here + 1,
            },
            Some(b'"') if around.ends(run, b'"').is_some() => break,
            _ => end = here + 1,
        }
    }
    // Nobody closed it: the word counts. If it has a quote within, then the first one, too, is its own.
    let word =
        text[start..limit].iter().take_while(|byte| !byte.is_ascii_whitespace() && **byte != b'"').count();
    let cut = text.get(start + word) != Some(&b'"');
    (quote == b'"' && cut).then_some(Extent { start, end: start + word, quoted: true })
}

/// `b"…"`, `r'…'`, `L"…"`.
fn is_prefix(word: &[u8]) -> bool {
    word.iter().all(|byte| b"bBrRfFuUL@".contains(byte))
}

/// Whether this byte may stand behind a quote that ends a text.
fn is_behind(byte: Option<&u8>) -> bool {
    byte.is_none_or(|byte| byte.is_ascii_whitespace() || b"\0\"'`,;:.)]}>+&|\\<?/".contains(byte))
}

/// Two quotes are one of the value's own; so is `'\''`.
fn doubled(rest: &[u8], quote: u8) -> usize {
    match (quote, rest) {
        (b'\'', [_, b'\\', b'\'', b'\'', ..]) => 4,
        (b'\'' | b'"', [_, next, ..]) if *next == quote => 2,
        _ => 0,
    }
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
pub fn bare(place: &Surroundings<'_>, open: &OpenQuotes, at: usize, alphabet: Alphabet) -> Option<Extent> {
    let text = place.text;
    if let Some(end) = marker_at(text, at) {
        let rest = text[end..].iter().take(VALUE).take_while(|byte| byte.is_ascii_alphanumeric()).count();
        return Some(Extent { start: at, end: end + rest, quoted: false });
    }
    // On a line of its own only its end ends it.
    let alone = !place.spaced && place.separator == b'=' && begins_line(place);
    let limit = hard_end(place, open, at);
    let mut end = match alphabet {
        _ if alone => limit,
        Alphabet::Any => soft_end(place, open, at, limit),
        Alphabet::Token => (at..limit).find(|at| b",;\"'<>(){}[]`|".contains(&text[*at])).unwrap_or(limit),
    };
    let prose = text.get(end).is_none_or(u8::is_ascii_whitespace);
    while end > at
        && match text[end - 1] {
            b':' => prose,
            b'\\' => true,
            byte => !alone && b",;\"'`".contains(&byte),
        }
    {
        end -= 1;
    }
    (end > at).then_some(Extent { start: at, end, quoted: false })
}

/// Which signs a value may have.
#[derive(Clone, Copy, PartialEq, Eq)]
pub enum Alphabet {
    /// A password's: all that a keyboard has.
    Any,
    /// No quotes, brackets and commas.
    Token,
}

/// What ends every value: space, a quote that was open before, the sign that joins an address's parameters.
fn hard_end(place: &Surroundings<'_>, open: &OpenQuotes, at: usize) -> usize {
    let text = place.text;
    let limit = text.len().min(at + VALUE);
    let in_query = in_query(place);
    let escaped_name = [b"\\n", b"\\r", b"\\t"].iter().any(|sign| text[..place.name].ends_with(*sign));
    let mut end = at;
    while end < limit {
        let slashes = text[end..limit].iter().take_while(|byte| **byte == b'\\').count();
        let Some(byte) = text.get(end + slashes).filter(|_| end + slashes < limit) else { return limit };
        if matches!(byte, b'n' | b'r' | b't') && (open.escapes(slashes) || (escaped_name && slashes > 0)) {
            return end;
        }
        if let Some(own) = open.ends(slashes, *byte) {
            return end + slashes - own;
        }
        let next = || end > at && goes_on_with_a_name(&text[end + slashes + 1..limit], b'=');
        if byte.is_ascii_whitespace() || *byte == 0 || (*byte == b'&' && (in_query || next())) {
            return end + slashes;
        }
        end += slashes + 1;
    }
    limit
}

/// Where a list goes on, a bracket that was open closes, or markup begins.
fn soft_end(place: &Surroundings<'_>, open: &OpenQuotes, at: usize, limit: usize) -> usize {
    let text = place.text;
    let closer = closer(place, !open.double.is_empty());
    let in_json = place.quoted_name && place.separator == b':';
    let ends = |at: &usize| {
        let rest = &text[at + 1..limit];
        let next = rest.first();
        let outside = next.is_none_or(|byte| !byte.is_ascii_alphanumeric());
        match text[*at] {
            byte if Some(byte) == closer => outside,
            b',' | b']' | b'}' | b'"' | b'\'' if in_json => true,
            b',' | b';' => goes_on_with_a_name(rest, place.separator),
            b'"' if (open.any && open.double.is_empty()) || place.quoted_name => {
                next.is_some_and(|byte| b",:;)]}>".contains(byte))
            }
            b'\'' if place.quoted_name => next.is_some_and(|byte| b",:;)]}>".contains(byte)),
            b'<' => is_tag(rest.strip_prefix(b"/").unwrap_or(rest)),
            _ => false,
        }
    };
    (at..limit).find(ends).unwrap_or(limit)
}

/// `user=` behind a comma, with the sign that the first name had.
fn goes_on_with_a_name(rest: &[u8], sign: u8) -> bool {
    let name =
        rest.iter().take_while(|byte| byte.is_ascii_alphanumeric() || matches!(byte, b'_' | b'-')).count();
    name >= 2 && rest[0].is_ascii_alphabetic() && rest.get(name) == Some(&sign)
}

fn is_tag(rest: &[u8]) -> bool {
    let name = rest.iter().take_while(|byte| byte.is_ascii_lowercase()).count();
    (1..8).contains(&name) && matches!(rest.get(name), None | Some(b'>' | b'/'))
}

/// What closes the innermost bracket that is open before the name.
fn closer(place: &Surroundings<'_>, in_quotes: bool) -> Option<u8> {
    let mut closed = Vec::new();
    for byte in place.text[..place.name]
        .iter()
        .rev()
        .take(200)
        .take_while(|byte| **byte != b'\n' && !(in_quotes && **byte == b'"'))
    {
        let pair = match byte {
            b')' | b']' | b'}' => {
                closed.push(*byte);
                continue;
            }
            b'(' => b')',
            b'[' => b']',
            b'{' => b'}',
            _ => continue,
        };
        if closed.pop() != Some(pair) {
            return Some(pair);
        }
    }
    None
}
