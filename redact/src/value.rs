//! What a value says of itself: random, a placeholder, a word, a piece of code.

use crate::code::is_template;
use crate::span::marker_at;
use base64::Engine;
use base64::engine::general_purpose::{STANDARD_NO_PAD, URL_SAFE_NO_PAD};

/// Bits for each byte, by how often each one occurs.
pub fn entropy(text: &[u8]) -> f64 {
    let mut counts = [0_u32; 256];
    for byte in text {
        counts[usize::from(*byte)] += 1;
    }
    let length = text.len() as f64;
    let bits = |count: &u32| f64::from(*count) / length * (length / f64::from(*count)).log2();
    counts.iter().filter(|count| **count > 0).map(bits).sum()
}

/// The end of the run of token characters that `end` stands in.
pub fn goes_on(text: &[u8], end: usize) -> usize {
    let goes_on = |byte: &u8| byte.is_ascii_alphanumeric() || matches!(byte, b'_' | b'-');
    if end == 0 || !goes_on(&text[end - 1]) {
        return end;
    }
    let run = text[end..].iter().take_while(|byte| goes_on(byte)).count();
    let padding = text[end + run..].iter().take(2).take_while(|byte| **byte == b'=').count();
    end + run + padding
}

pub fn has_digit(text: &[u8]) -> bool {
    text.iter().any(u8::is_ascii_digit)
}

pub fn has_letter(text: &[u8]) -> bool {
    text.iter().any(u8::is_ascii_alphabetic)
}

/// Whether it looks like something that was drawn by lot.
pub fn looks_random(text: &[u8]) -> bool {
    if memchr::memmem::find(text, b"::").is_some() {
        return false;
    }
    let mixed = has_digit(text) && has_letter(text);
    let symbols = text.iter().filter(|byte| !byte.is_ascii_alphanumeric()).count();
    match text.len() {
        0..6 => false,
        6..16 => mixed && entropy(text) >= 2.3 && symbols * 3 < text.len(),
        16..20 => (mixed || is_oddly_cased(text)) && entropy(text) >= 2.8 && symbols * 3 < text.len(),
        _ => (mixed || is_oddly_cased(text) || entropy(text) >= 4.1) && entropy(text) >= 2.8,
    }
}

pub fn is_uuid(text: &[u8]) -> bool {
    text.len() == 36
        && text.iter().enumerate().all(|(at, byte)| match at {
            8 | 13 | 18 | 23 => *byte == b'-',
            _ => byte.is_ascii_hexdigit(),
        })
}

/// Whether it is no word of a sentence or a program: with a digit, an odd sign, or letters that no word has.
pub fn is_chosen(text: &[u8]) -> bool {
    let hyphens = text.iter().filter(|byte| **byte == b'-').count();
    text.len() >= 4
        && !text.contains(&b' ')
        && (has_digit(text)
            || hyphens > 1
            || is_oddly_cased(text)
            || text
                .iter()
                .any(|byte| matches!(byte, b'!' | b'@' | b'#' | b'$' | b'%' | b'^' | b'&' | b'*' | b'+')))
}

/// Whether small and capital letters come as in no name.
pub fn is_oddly_cased(text: &[u8]) -> bool {
    let capitals = text.iter().filter(|byte| byte.is_ascii_uppercase()).count();
    capitals * 10 >= text.len() * 3 && text.iter().any(u8::is_ascii_lowercase) && text.len() >= 6
}

/// Stars, dots, crosses or a single character over and over: somebody has hidden it already.
pub fn is_mask(text: &[u8]) -> bool {
    let Some(first) = text.first() else { return true };
    text.iter().all(|byte| byte == first)
        || text
            .iter()
            .filter(|byte| matches!(byte, b'*' | b'.' | b'x' | b'X' | b'\xe2' | b'\x80' | b'\xa2'))
            .count()
            * 10
            > text.len() * 7
}

/// A mask, a variable, a template, or a word that says what would stand here.
pub fn is_placeholder(text: &[u8]) -> bool {
    let text = text.trim_ascii();
    is_mask(text) || is_template(text) || marker_at(text, 0) == Some(text.len()) || is_common_word(text)
}

/// `https://host:8080/@scope` has no password.
pub fn is_port(text: &[u8]) -> bool {
    let digits = text.iter().take_while(|byte| byte.is_ascii_digit()).count();
    (1..=5).contains(&digits) && text.get(digits) == Some(&b'/')
}

/// Words that stand where a value would.
const COMMON: &[&str] = &[
    "any",
    "array",
    "auto",
    "boolean",
    "bool",
    "bytes",
    "byte",
    "changed",
    "char",
    "default",
    "denied",
    "disabled",
    "empty",
    "enabled",
    "env",
    "error",
    "expired",
    "failed",
    "false",
    "file",
    "float",
    "found",
    "hidden",
    "ignore",
    "ignored",
    "inherit",
    "inline",
    "input",
    "int",
    "integer",
    "interactive",
    "invalid",
    "keyring",
    "list",
    "literal",
    "long",
    "masked",
    "mismatch",
    "missing",
    "nil",
    "no",
    "none",
    "not",
    "null",
    "number",
    "obj",
    "object",
    "off",
    "ok",
    "on",
    "optional",
    "prompt",
    "protected",
    "readonly",
    "redacted",
    "refused",
    "rejected",
    "required",
    "revoked",
    "set",
    "stdin",
    "str",
    "string",
    "text",
    "true",
    "undefined",
    "unchanged",
    "unknown",
    "unset",
    "unsupported",
    "valid",
    "value",
    "varchar",
    "void",
    "wrong",
    "yes",
    "present",
    "absent",
    "accepted",
    "bearer",
    "basic",
    "this",
    "self",
    "the",
    "a",
    "an",
    "is",
    "was",
    "has",
    "must",
    "for",
    "if",
    "return",
    "new",
    "let",
    "const",
    "var",
    "await",
    "your",
    "not-set",
    "not_set",
    "n/a",
    "todo",
    "tbd",
    "example",
    "sample",
    "placeholder",
];

pub fn is_common_word(text: &[u8]) -> bool {
    let word =
        text.strip_suffix(b".").or(text.strip_suffix(b"!")).or(text.strip_suffix(b"?")).unwrap_or(text);
    word.len() <= 12 && COMMON.iter().any(|common| word.eq_ignore_ascii_case(common.as_bytes()))
}

/// Base64 of `name:password`.
pub fn is_basic(text: &[u8]) -> bool {
    let text: Vec<u8> = text.iter().copied().filter(|byte| *byte != b'=').collect();
    let decoded = STANDARD_NO_PAD.decode(&text).or_else(|_| URL_SAFE_NO_PAD.decode(&text));
    decoded.is_ok_and(|bytes| bytes.contains(&b':') && bytes.iter().all(|byte| !byte.is_ascii_control()))
        || (text.len() >= 16 && has_digit(&text) && text.iter().any(u8::is_ascii_uppercase))
}

/// Whether the name before a value is that of a hash that anybody may see.
pub fn names_a_digest(before: &[u8]) -> bool {
    const DIGESTS: [&[u8]; 9] =
        [b"sha1", b"sha256", b"sha512", b"commit", b"digest", b"checksum", b"integrity", b"md5", b"etag"];
    let lower = before.to_ascii_lowercase();
    DIGESTS.iter().any(|word| memchr::memmem::find(&lower, word).is_some())
}
