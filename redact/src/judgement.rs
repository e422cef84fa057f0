//! Whether a value that a name calls secret is one: it may also be a variable, a word, a file.

use crate::name::{Sensitive, sensitive};
use crate::value;

/// What stands around a value.
pub struct Surroundings<'a> {
    pub text: &'a [u8],
    /// Where the name begins.
    pub name: usize,
    pub separator: u8,
    /// Whether space stands between separator and value.
    pub spaced: bool,
    /// Whether the name is in quotes, as JSON has it.
    pub quoted_name: bool,
}

/// Whether the name begins its line, or a text in quotes, but for space and `export`.
pub fn begins_line(place: &Surroundings<'_>) -> bool {
    let before = &place.text[place.name.saturating_sub(40)..place.name];
    let begins = |at: &usize| matches!(before[*at], b'\n' | b'"') || before[..=*at].ends_with(b"\\n");
    let line = (0..before.len()).rev().find(begins).map_or(0, |at| at + 1);
    let before = before[line..].trim_ascii();
    matches!(
        before,
        b"" | b"export"
            | b"set"
            | b"ENV"
            | b"ARG"
            | b"-"
            | b"- -e"
            | b"-e"
            | b"declare"
            | b"setenv"
            | b"+"
            | b"#"
            | b"env"
            | b"local"
    )
}

/// A value that a name calls perhaps secret.
pub fn is_token(value: &[u8], kind: &str) -> bool {
    // Sessions are often numbered by UUIDs that open nothing.
    let number = kind == "session" && value::is_uuid(value);
    !number
        && !value.contains(&b' ')
        && !is_code(value)
        && !is_place(value)
        && value.len() >= 6
        && value::looks_random(value)
}

/// A text in quotes behind a name that says it is secret.
pub fn is_text(value: &[u8], called: Sensitive) -> bool {
    let version = |byte: &u8| byte.is_ascii_digit() || *byte == b'.';
    if is_place(value)
        || value.len() < 3
        || (value.len() < 8 && value.contains(&b'.') && value.iter().all(version))
    {
        return false;
    }
    if called == Sensitive::Secret("sign-in-code") && !value::has_digit(value) {
        return false;
    }
    let words: Vec<&[u8]> = value.split(|byte| *byte == b' ').filter(|word| !word.is_empty()).collect();
    if words.len() < 2 {
        return !is_path_of_names(value);
    }
    const PROSE: &[&str] = &[
        "the", "is", "must", "be", "at", "your", "for", "to", "not", "an", "a", "enter", "of", "and", "or",
        "in", "please", "here", "new", "forgot", "reset", "change", "required", "invalid", "confirm", "with",
        "should", "cannot", "can", "has", "was", "you", "are", "does", "do",
    ];
    let prose = |word: &&&[u8]| PROSE.iter().any(|prose| word.eq_ignore_ascii_case(prose.as_bytes()));
    let names = words.iter().any(|word| sensitive(word, b"").is_some());
    words.iter().filter(prose).count() == 0 && !names && words.len() <= 24
}

/// A word without quotes behind such a name. Code has variables there, prose has words.
pub fn is_bare(place: &Surroundings<'_>, value: &[u8], end: usize, called: Sensitive) -> bool {
    let text = place.text;
    // An escaped line break is one.
    let next = text.get(end).copied().filter(|byte| *byte != b'\\').unwrap_or(b'\n');
    let letters = value.iter().all(|byte| byte.is_ascii_alphabetic() || *byte == b'_');
    if is_code(value) || is_place(value) || matches!(next, b'(' | b'[' | b'{') || (next == b'<' && letters) {
        return false;
    }
    let few = match called {
        Sensitive::Secret("password") => 5,
        Sensitive::Secret("sign-in-code") => 4,
        Sensitive::Password => 2,
        _ => 6,
    };
    if value.len() < few || (called == Sensitive::Secret("sign-in-code") && !value::has_digit(value)) {
        return false;
    }
    if called == Sensitive::Secret("password") && !value::has_digit(value) && place.separator == b':' {
        return false;
    }
    if !letters {
        return !is_path_of_names(value);
    }
    let upper = value.iter().all(|byte| byte.is_ascii_uppercase() || *byte == b'_');
    let rest = &text[end..];
    let more_words =
        rest.first().is_some_and(|byte| *byte == b' ') && rest.get(1).is_some_and(u8::is_ascii_alphanumeric);
    match place.separator {
        // `--password PASSWORD` shows a use.
        b'-' => !upper,
        // `password: the one …`, `password: Secret,`
        b':' | b'=' if value.len() >= 8 && value::is_oddly_cased(value) => true,
        b':' => {
            !more_words
                && !place.quoted_name
                && matches!(next, b'\n' | b'\r' | b' ')
                && called == Sensitive::Password
                && (place.spaced || begins_line(place))
        }
        _ if place.spaced => {
            called == Sensitive::Password
                && matches!(next, b'\n' | b'\r')
                && begins_line(place)
                && value.len() >= 5
        }
        // `login(password=word)` passes a variable; `password=word` says one.
        _ => !(matches!(next, b')' | b',') && in_call(place)),
    }
}

/// Whether a parenthesis is open before the name.
fn in_call(place: &Surroundings<'_>) -> bool {
    let mut depth = 0_i32;
    for byte in place.text[..place.name].iter().rev().take(200).take_while(|byte| **byte != b'\n') {
        match byte {
            b')' => depth += 1,
            b'(' if depth == 0 => return true,
            b'(' => depth -= 1,
            _ => {}
        }
    }
    false
}

/// Variables and templates.
fn is_code(value: &[u8]) -> bool {
    matches!(value.first(), Some(b'&' | b'*' | b'!' | b'(' | b'[' | b'{' | b'\\' | b'='))
        || value::is_template(value)
        || memchr::memmem::find(value, b"::").is_some()
        || memchr::memmem::find(value, b"->").is_some()
        || memchr::memmem::find(value, b"${").is_some()
        || memchr::memmem::find(value, b"{{").is_some()
        || (memchr::memchr(b'.', value).is_some() && is_path_of_names(value))
}

/// `self.token`, `process.env.API_KEY`: names joined by dots, none of which could be a token.
fn is_path_of_names(value: &[u8]) -> bool {
    let name = |part: &[u8]| {
        part.first().is_some_and(|byte| byte.is_ascii_alphabetic() || matches!(byte, b'_' | b'$'))
            && part
                .iter()
                .all(|byte| byte.is_ascii_alphanumeric() || matches!(byte, b'_' | b'?' | b'!' | b'$'))
            && !(value::has_digit(part) && part.len() > 6)
    };
    let parts: Vec<&[u8]> = value.split(|byte| *byte == b'.').collect();
    parts.len() > 1 && parts.iter().all(|part| name(part))
}

/// A file or an address says where a secret is, and is none itself.
fn is_place(value: &[u8]) -> bool {
    let path = [
        &b"/"[..],
        b"./",
        b"../",
        b"~/",
        b"file:",
        b"http://",
        b"https://",
        b"vault:",
        b"op://",
        b"arn:",
        b"projects/",
        b"ssm:",
        b"keyring:",
    ]
    .iter()
    .any(|start| value.starts_with(start));
    let drive = value.len() > 2
        && value[0].is_ascii_alphabetic()
        && value[1] == b':'
        && matches!(value[2], b'\\' | b'/');
    drive
        || (path
            && (value.first() != Some(&b'/')
                || value[1..].contains(&b'/') && value::entropy(value) < 4.4
                || value.len() < 12 && !value::has_digit(value)))
}
