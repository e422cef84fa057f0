//! A line as its reader sees it: without a terminal's colours, with `\u0061`, `\/`, `&quot;` and hard spaces read as what
//! they mean. What is found there is put back to where it stands in the text itself.

use crate::span::Span;
use memchr::memmem;

/// Ways to write the sign that begins a terminal's sequence.
const ESCAPES: [&[u8]; 6] = [b"\x1b", b"\\u001b", b"\\u001B", b"\\x1b", b"\\033", b"^["];

/// What an entity means. A quote is read as `'`, so that it ends no text in `"`.
const ENTITIES: [(&[u8], u8); 11] = [
    (b"&quot;", b'\''),
    (b"&#34;", b'\''),
    (b"&#x22;", b'\''),
    (b"&apos;", b'\''),
    (b"&#39;", b'\''),
    (b"&#x27;", b'\''),
    (b"&lt;", b'<'),
    (b"&#x3C;", b'<'),
    (b"&gt;", b'>'),
    (b"&amp;", b'&'),
    (b"&nbsp;", b' '),
];

pub struct View {
    pub text: Vec<u8>,
    /// Where it goes on elsewhere in the text itself, in order.
    jumps: Vec<Jump>,
}

/// What stands at `at` in the view stands at `to` in the text, up to the next jump. Of several at one place the first is the
/// end of what comes before, and the last the beginning of what follows.
struct Jump {
    at: usize,
    to: usize,
}

impl View {
    /// The view of a text that reads otherwise than it is written.
    pub fn of(text: &[u8]) -> Option<Self> {
        if !is_worth_reading(text) {
            return None;
        }
        let mut view = Self { text: Vec::with_capacity(text.len()), jumps: Vec::new() };
        let mut at = 0;
        while at < text.len() {
            let (length, read) = match text[at] {
                b'\\' | b'\x1b' | b'^' | b'&' | b'\xc2' | b'\xe2' => sign(text, at),
                byte => (1, Some(byte)),
            };
            match read {
                Some(byte) => view.text.push(byte),
                None => view.jumps.push(Jump { at: view.text.len(), to: at }),
            }
            at += length;
            if length > 1 || read.is_none() {
                view.jumps.push(Jump { at: view.text.len(), to: at });
            }
        }
        Some(view)
    }

    /// Where what stands behind `from` begins here.
    pub fn index(&self, from: usize) -> usize {
        let (mut low, mut high) = (0, self.text.len());
        while low < high {
            let middle = low.midpoint(high);
            if self.start(middle) < from { low = middle + 1 } else { high = middle }
        }
        low
    }

    /// Where a byte of the view begins in the text.
    fn start(&self, at: usize) -> usize {
        let before = self.jumps.partition_point(|jump| jump.at <= at);
        before.checked_sub(1).map_or(at, |last| self.jumps[last].to + at - self.jumps[last].at)
    }

    /// Where it ends there.
    fn end(&self, at: usize) -> usize {
        let next = self.jumps.get(self.jumps.partition_point(|jump| jump.at <= at));
        next.filter(|jump| jump.at == at + 1).map_or_else(|| self.start(at) + 1, |jump| jump.to)
    }

    /// A span of the view, as one of the text itself.
    pub fn original(&self, span: Span) -> Option<Span> {
        let last = span.end.checked_sub(1).filter(|last| *last < self.text.len() && span.start <= *last)?;
        Some(Span { start: self.start(span.start), end: self.end(last), kind: span.kind })
    }
}

fn is_worth_reading(text: &[u8]) -> bool {
    memchr::memchr(b'\x1b', text).is_some()
        || memchr::memchr_iter(b'\\', text).any(|at| {
            matches!(text.get(at + 1), Some(b'/'))
                || text[at..].starts_with(b"\\u00")
                || text[at..].starts_with(b"\\x1b[")
                || text[at..].starts_with(b"\\033[")
        })
        || memchr::memchr_iter(b'&', text).any(|at| entity(&text[at..]).is_some())
        || memchr::memchr2_iter(b'\xc2', b'\xe2', text).any(|at| hidden(&text[at..]).is_some())
        || memmem::find(text, b"^[[").is_some()
}

/// How many bytes make one sign, and what it reads as.
fn sign(text: &[u8], at: usize) -> (usize, Option<u8>) {
    let rest = &text[at..];
    // In JSON within JSON there are more of them.
    let slashes = rest.iter().take_while(|byte| **byte == b'\\').count();
    let outer = slashes.saturating_sub(1);
    if let Some(length) = terminal_sequence(&rest[outer..]) {
        return (outer + length, None);
    }
    let plain = (1, Some(rest[0]));
    match rest[0] {
        b'&' => entity(rest).map_or(plain, |(length, byte)| (length, Some(byte))),
        b'\\' if rest.get(slashes) == Some(&b'/') => (slashes + 1, Some(b'/')),
        b'\\' => escaped(&rest[outer..]).map_or(plain, |byte| (outer + 6, Some(byte))),
        _ => hidden(rest).unwrap_or(plain),
    }
}

/// `ESC [ 31 m` and its like: colours, moves, and what sets them back.
fn terminal_sequence(rest: &[u8]) -> Option<usize> {
    let escape = ESCAPES.iter().find(|escape| rest.starts_with(escape))?.len();
    let rest = &rest[escape..];
    if escape == 1 && rest.first() == Some(&b'(') {
        return Some(escape + 2.min(rest.len()));
    }
    if rest.first() != Some(&b'[') {
        return None;
    }
    let parameters = rest[1..].iter().take(32).take_while(|byte| matches!(byte, b' '..=b'?')).count();
    rest.get(1 + parameters).filter(|byte| byte.is_ascii_alphabetic()).map(|_| escape + parameters + 2)
}

fn entity(rest: &[u8]) -> Option<(usize, u8)> {
    ENTITIES.iter().find(|(entity, _)| rest.starts_with(entity)).map(|(entity, byte)| (entity.len(), *byte))
}

/// A letter, a digit or a sign that has no meaning of its own in JSON, written as `\u00XX`.
fn escaped(rest: &[u8]) -> Option<u8> {
    let digits = std::str::from_utf8(rest.strip_prefix(b"\\u00")?.get(..2)?).ok()?;
    let byte = u8::from_str_radix(digits, 16).ok()?;
    (byte.is_ascii_graphic() && !matches!(byte, b'"' | b'\\')).then_some(byte)
}

/// Spaces that look like others, and signs that nobody sees.
fn hidden(rest: &[u8]) -> Option<(usize, Option<u8>)> {
    if rest.starts_with(b"\xc2\xa0") {
        return Some((2, Some(b' ')));
    }
    let unseen = rest.starts_with(b"\xe2\x80") && matches!(rest.get(2), Some(0x8b..=0x8d));
    unseen.then_some((3, None))
}

#[cfg(test)]
mod tests {
    use crate::text;

    #[test]
    fn colours_and_escapes_hide_nothing() {
        for (written, read) in [
            (
                "\u{1b}[3mpassword\u{1b}[0m\u{1b}[2m=\u{1b}[0mhunter2x \u{1b}[1mok",
                "\u{1b}[3mpassword\u{1b}[0m\u{1b}[2m=\u{1b}[0m[redacted:password] \u{1b}[1mok",
            ),
            (r#"{"p\u0061ssword":"hunter2"}"#, r#"{"p\u0061ssword":"[redacted:password]"}"#),
            (
                r#"{"a":"{\"p\\u0061ss\":\"hunter2\"}"}"#,
                r#"{"a":"{\"p\\u0061ss\":\"[redacted:password]\"}"}"#,
            ),
            (r#"{"cwd":"\/home\/ada"}"#, r#"{"cwd":"\/home\/[user]"}"#),
            (
                "&quot;password&quot;:&quot;hunter2&quot;",
                "&quot;password&quot;:&quot;[redacted:password]&quot;",
            ),
            ("password\u{a0}=\u{a0}hunter2", "password\u{a0}=\u{a0}[redacted:password]"),
        ] {
            assert_eq!(text(written), read);
        }
    }

    #[test]
    fn a_token_with_a_colour_in_it_goes() {
        let token = format!("ghp_{}\u{1b}[31m{}", "a1B2".repeat(4), "c3D4".repeat(5));
        assert_eq!(text(&format!("{token} ok")), "[redacted:github-token] ok");
        // The terminal takes the token's first letter for a part of its sequence; the text has it all the same.
        let token = format!("ghp_{}", "a1B2".repeat(9));
        assert_eq!(text(&format!("\u{1b}[ {token} ok")), "\u{1b}[ [redacted:github-token] ok");
    }
}
