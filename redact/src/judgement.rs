//! Whether a value that a name calls secret is one: it may also be a variable, a word, a file.

use crate::code::{is_call, is_code, is_identifier, is_path_of_names, is_path_to_a_secret};
use crate::name::{Sensitive, sensitive};
use crate::value;

/// What stands around a value.
pub struct Surroundings<'a> {
    pub text: &'a [u8],
    /// Where the name begins, and where it ends.
    pub name: usize,
    pub name_end: usize,
    pub separator: u8,
    /// Whether space stands between separator and value.
    pub spaced: bool,
    /// Whether the name is in quotes, as JSON has it.
    pub quoted_name: bool,
}

/// Whether the value is a parameter of an address.
pub fn in_query(place: &Surroundings<'_>) -> bool {
    place.text[..place.name]
        .iter()
        .rev()
        .take(256)
        .take_while(|byte| !byte.is_ascii_whitespace())
        .any(|byte| matches!(byte, b'?' | b'&'))
}

/// Whether the name begins its line, or a text in quotes, but for space and `export`.
pub fn begins_line(place: &Surroundings<'_>) -> bool {
    matches!(
        line_before(place).trim_ascii(),
        b"" | b"export"
            | b"set"
            | b"ENV"
            | b"ARG"
            | b"-"
            | b"["
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

/// What stands before the name in its line, or in the text in quotes that it is in.
fn line_before<'a>(place: &Surroundings<'a>) -> &'a [u8] {
    let before = &place.text[place.name.saturating_sub(40)..place.name];
    let begins = |at: &usize| matches!(before[*at], b'\n' | b'"' | 0) || before[..=*at].ends_with(b"\\n");
    let line = (0..before.len()).rev().find(begins).map_or(0, |at| at + 1);
    &before[line..]
}

/// A value that a name calls perhaps secret.
pub fn is_token(value: &[u8], kind: &str) -> bool {
    // Sessions are often numbered by UUIDs that open nothing.
    let number = kind == "session" && value::is_uuid(value);
    let one = |word: &[u8]| {
        !word.starts_with(b"[")
            && !word.starts_with(b"(")
            && !is_code(word)
            && !is_place(word)
            && value::looks_random(word)
    };
    // Of several words, one must be a token beyond doubt.
    let several = || value.split(|byte| *byte == b' ').any(|word| word.len() >= 16 && one(word));
    !number && if value.contains(&b' ') { several() } else { one(value) }
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
    if called == CODE {
        return is_sign_in_code(value);
    }
    if value.contains(&b' ') {
        // Tests have `pass`, and words behind it.
        return !is_sentence(value, called)
            && (called != Sensitive::Secret("password") || value::has_digit(value));
    }
    match called {
        Sensitive::Password => !is_path_to_a_secret(value),
        _ => !is_path_to_a_secret(value) && (!is_path_of_names(value) || value::has_digit(value)),
    }
}

const CODE: Sensitive = Sensitive::Secret("sign-in-code");

/// Digits, or letters among which there are some.
fn is_sign_in_code(value: &[u8]) -> bool {
    let digits = value.iter().filter(|byte| byte.is_ascii_digit()).count();
    value.len() >= 4 && (digits >= 4 || (digits > 0 && value.len() >= 8 && !is_identifier(value)))
}

/// What a program says about a password: `Enter your password`, `is too short`, `Used to sign in to the server`.
fn is_sentence(value: &[u8], called: Sensitive) -> bool {
    const SAID: &[&str] = &[
        "enter",
        "must",
        "please",
        "forgot",
        "forgotten",
        "reset",
        "change",
        "required",
        "invalid",
        "confirm",
        "should",
        "cannot",
        "can't",
        "wrong",
        "incorrect",
        "match",
        "short",
        "long",
        "least",
        "characters",
        "blank",
        "empty",
        "optional",
        "minimum",
        "maximum",
        "weak",
        "strong",
        "your",
        "default",
        "expired",
        "missing",
    ];
    const JOINING: &[&str] = &[
        "the", "is", "be", "at", "for", "to", "not", "an", "a", "of", "and", "or", "in", "here", "new",
        "with", "can", "has", "was", "you", "are", "does", "do", "if", "on", "this", "that", "it", "by",
        "too", "from", "will",
    ];
    let words: Vec<&[u8]> = value
        .split(|byte| matches!(byte, b' ' | b',' | b'.' | b':' | b'!' | b'?' | b'(' | b')'))
        .filter(|word| !word.is_empty())
        .collect();
    let count = |of: &[&str]| {
        words.iter().filter(|word| of.iter().any(|one| word.eq_ignore_ascii_case(one.as_bytes()))).count()
    };
    let (said, joining) = (count(SAID), count(JOINING));
    let names = |word: &&[u8]| {
        let name = if word.len() < 6 { None } else { sensitive(word, b"") };
        word.iter().all(u8::is_ascii_alphabetic)
            && name
                .is_some_and(|name| name == Sensitive::Password || called != Sensitive::Password || said > 0)
    };
    let first = words.first().copied().unwrap_or_default();
    let begins = first.first().is_some_and(u8::is_ascii_uppercase)
        || [&b"is"[..], b"must", b"can't", b"cannot", b"does", b"has", b"should"].contains(&first);
    let drawn = value::has_digit(value);
    words.len() > 24
        || words.iter().any(names)
        || (said > 0 && said + joining > 1 && (begins || said > 1))
        || (words.len() >= 7 && !drawn && joining * 5 >= words.len() * 2)
}

/// A word without quotes behind such a name. Code has variables there, prose has words.
pub fn is_bare(place: &Surroundings<'_>, value: &[u8], end: usize, called: Sensitive) -> bool {
    let text = place.text;
    // An escaped line break is one.
    let next = text.get(end).copied().filter(|byte| *byte != b'\\').unwrap_or(b'\n');
    let letters = value.iter().all(|byte| byte.is_ascii_alphabetic() || *byte == b'_');
    let code = if is_data(place) { is_path_to_a_secret(value) || is_call(value) } else { is_code(value) };
    if code || is_place(value) || !value.iter().any(u8::is_ascii_alphanumeric) || (next == b'<' && letters) {
        return false;
    }
    let few = match called {
        Sensitive::Secret("password") => 5,
        Sensitive::Password => 2,
        _ => 6,
    };
    if called == CODE {
        return is_sign_in_code(value);
    }
    if value.len() < few {
        return false;
    }
    if called == Sensitive::Secret("password") && !value::has_digit(value) && place.separator == b':' {
        return false;
    }
    if !letters {
        return true;
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

/// Whether no program stands here: an environment, an address, a flag, a log's `a=b c=d`.
fn is_data(place: &Surroundings<'_>) -> bool {
    if place.separator == b'-' {
        return !place.quoted_name;
    }
    if place.separator != b'=' || place.spaced || in_call(place) {
        return false;
    }
    let name = &place.text[place.name..place.name_end];
    let before = line_before(place);
    let word = before.trim_ascii_end().rsplit(|byte| byte.is_ascii_whitespace()).next().unwrap_or_default();
    let upper = !name.iter().any(u8::is_ascii_lowercase);
    upper
        || before.is_empty()
        || before.starts_with(b"export ")
        || name.starts_with(b"-")
        || in_query(place)
        || memchr::memchr(b'=', word).is_some_and(|at| at > 0 && !word.ends_with(b"="))
        || (before.ends_with(b" ") && !word.is_empty() && !before.iter().any(|byte| b"(){};=".contains(byte)))
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

/// A file or an address says where a secret is, and is none itself.
fn is_place(value: &[u8]) -> bool {
    let starts = [
        &b"file:"[..],
        b"http://",
        b"https://",
        b"vault:",
        b"op://",
        b"arn:",
        b"projects/",
        b"ssm:",
        b"keyring:",
    ];
    let drive = value.len() > 2 && value[0].is_ascii_alphabetic() && value[1] == b':';
    let here = value.iter().take_while(|byte| matches!(byte, b'.' | b'~')).count();
    starts.iter().any(|start| value.starts_with(start)) || is_file(&value[if drive { 2 } else { here }..])
}

/// `/run/secrets/db`: a known folder, or words alone.
fn is_file(value: &[u8]) -> bool {
    const FOLDERS: [&[u8]; 16] = [
        b"run", b"etc", b"var", b"home", b"usr", b"opt", b"srv", b"tmp", b"root", b"dev", b"proc", b"mnt",
        b"app", b"data", b"secrets", b"Users",
    ];
    let Some((b'/' | b'\\', rest)) = value.split_first() else { return false };
    let mut parts = rest.split(|byte| matches!(byte, b'/' | b'\\'));
    let first = parts.next().unwrap_or_default();
    let words = |part: &[u8]| {
        part.is_empty()
            || part.split(|byte| b".-".contains(byte)).all(|word| word.is_empty() || is_identifier(word))
    };
    FOLDERS.contains(&first) && rest.len() > first.len() || (words(first) && parts.all(words))
}
