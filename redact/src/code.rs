//! What programs and templates have where a value would stand: names, paths of names, calls, `${NAME}`.
//! All of it is made of words; what was drawn by lot is not.

use crate::name::sensitive;

/// A word as names are made of: letters, a few digits behind them, and capitals only where words begin. `b64encode` has
/// two of them.
fn is_word(part: &[u8]) -> bool {
    let digits = part.iter().rev().take_while(|byte| byte.is_ascii_digit()).count();
    let named = &part[..part.len() - digits];
    let letters = named.iter().rev().take_while(|byte| byte.is_ascii_alphabetic()).count();
    let (before, last) = named.split_at(named.len() - letters);
    let inner = before.iter().rev().take_while(|byte| byte.is_ascii_digit()).count();
    let (first, number) = before.split_at(before.len() - inner);
    let two = first.is_empty() && number.is_empty()
        || (last.len() >= 3 && (1..=5).contains(&number.len()) && !first.is_empty() && are_spoken(first));
    digits <= 5 && two && are_spoken(last)
}

/// Whether these are letters of which a name may be made.
fn are_spoken(letters: &[u8]) -> bool {
    let humps = letters
        .windows(2)
        .filter(|two| two[0].is_ascii_lowercase() && two[1].is_ascii_uppercase())
        .count()
        + letters
            .windows(3)
            .filter(|three| three[..2].iter().all(u8::is_ascii_uppercase) && three[2].is_ascii_lowercase())
            .count();
    let vowel = |byte: &u8| b"aeiouyAEIOUY".contains(byte);
    letters.iter().all(u8::is_ascii_alphabetic)
        && (humps == 0 || letters.len() >= 3 * (humps + 1))
        && letters.split(vowel).all(|run| run.len() < 6 || !run.iter().any(u8::is_ascii_lowercase))
}

/// Words joined by `_`.
pub fn is_identifier(part: &[u8]) -> bool {
    part.iter().any(u8::is_ascii_alphanumeric) && part.split(|byte| matches!(byte, b'_' | b'$')).all(is_word)
}

/// `self.token`, `Token::New`, `node->password`: at least this many names in a row.
fn is_path(value: &[u8], least: usize) -> bool {
    let mut names = 0;
    let mut rest = value;
    loop {
        let length = rest.iter().take_while(|byte| is_in_name(**byte)).count();
        if !is_identifier(&rest[..length]) || rest[0].is_ascii_digit() {
            return false;
        }
        names += 1;
        rest = &rest[length..];
        if rest.is_empty() {
            return names >= least;
        }
        let joint = [&b"."[..], b"::", b"->", b"?.", b"!."].into_iter().find(|joint| rest.starts_with(joint));
        let Some(joint) = joint else { return false };
        rest = &rest[joint.len()..];
    }
}

fn is_in_name(byte: u8) -> bool {
    byte.is_ascii_alphanumeric() || matches!(byte, b'_' | b'$')
}

/// Names joined by dots and the like.
pub fn is_path_of_names(value: &[u8]) -> bool {
    is_path(value, 2)
}

/// Such a path one of whose names is that of a secret or of where one comes from: `config.password`, `login.form.label`.
pub fn is_path_to_a_secret(value: &[u8]) -> bool {
    const SOURCES: [&[u8]; 14] = [
        b"self",
        b"this",
        b"env",
        b"config",
        b"cfg",
        b"args",
        b"opts",
        b"options",
        b"settings",
        b"var",
        b"local",
        b"request",
        b"params",
        b"form",
    ];
    let source = |part: &[u8]| SOURCES.iter().any(|source| part.eq_ignore_ascii_case(source));
    let part = |part: &[u8]| sensitive(part, b"").is_some() || source(part);
    is_path_of_names(value) && value.split(|byte| !is_in_name(*byte)).any(part)
}

/// A call or an index, all of whose parts are words: `getpass("x")`, `os.environ[KEY]`.
pub fn is_call(value: &[u8]) -> bool {
    let closed = value.iter().any(|byte| matches!(byte, b')' | b']'));
    closed && !value.starts_with(b"<") && is_call_or_literal(value)
}

/// The same by its beginning alone, where programs are likely: `Joi.string().regex(/^.{3}/),`.
fn begins_as_a_call(value: &[u8]) -> bool {
    let Some((name, rest)) = head(value) else { return false };
    let ends = rest.last().is_some_and(|last| b"()[]{}<>,;\"'".contains(last)) || rest.contains(&b')');
    name.len() >= 4 && is_callee(name) && ends
}

/// Whether every run of letters and digits is a word or a number, and every sign one that programs have.
fn is_made_of_words(value: &[u8]) -> bool {
    is_nested(value)
        && value.iter().all(|byte| is_in_name(*byte) || b" .,:;?!\"'`()[]{}<>&*=+-/|@\\".contains(byte))
        && value.split(|byte| !is_in_name(*byte)).filter(|run| !run.is_empty()).all(|run| {
            is_identifier(run) || run.iter().all(|byte| byte.is_ascii_digit() || *byte == b'_') || is_hex(run)
        })
}

/// Whether brackets close in the order in which they were opened, but for those at the end, no word follows one,
/// and a line's end comes last.
fn is_nested(value: &[u8]) -> bool {
    let mut open = Vec::new();
    for (at, byte) in value.iter().enumerate() {
        match byte {
            b'(' => open.push(b')'),
            b'[' => open.push(b']'),
            b'{' => open.push(b'}'),
            b')' | b']' | b'}' => {
                let rest = &value[at + 1..];
                let last = rest.iter().all(|byte| b")]}>;,?.\"'".contains(byte));
                if (open.pop() != Some(*byte) && !last) || rest.first().is_some_and(|byte| is_in_name(*byte))
                {
                    return false;
                }
            }
            b';' if value[at + 1..].iter().any(|byte| !b")]};".contains(byte)) => return false,
            _ => {}
        }
    }
    open.len() <= 2
}

fn is_hex(run: &[u8]) -> bool {
    run.starts_with(b"0x") && run.len() <= 10 && run[2..].iter().all(u8::is_ascii_hexdigit)
}

/// Variables, paths of names, calls, types, references, anchors.
pub fn is_code(value: &[u8]) -> bool {
    let signs = value.iter().take_while(|byte| b"&*!@([{\\=<$-".contains(byte)).count();
    let rest = &value[signs..];
    let tail = rest.iter().rev().take_while(|byte| b"?;,)]}>|".contains(byte)).count();
    let name = &rest[..rest.len() - tail];
    let number = name.iter().all(u8::is_ascii_digit);
    (signs > 0 && (number || is_path(name, 1)))
        || (tail > 0 && is_path(name, 1) && !name.iter().any(u8::is_ascii_digit))
        || is_path(name, 2)
        || begins_as_a_call(rest)
        || is_call_or_literal(rest)
        || is_call_or_literal(value)
}

fn is_call_or_literal(value: &[u8]) -> bool {
    head(value).is_some_and(|(name, rest)| is_callee(name) && is_made_of_words(rest))
}

/// What stands before the first bracket, and what begins with it.
fn head(value: &[u8]) -> Option<(&[u8], &[u8])> {
    value.iter().position(|byte| matches!(byte, b'(' | b'[' | b'{' | b'<')).map(|open| value.split_at(open))
}

/// What can be called or indexed: `Token::new`, `random::`, `json!`, `1` in `1<<8`; or nothing, before a literal.
fn is_callee(name: &[u8]) -> bool {
    let name = name.strip_suffix(b"::").or(name.strip_suffix(b"!")).unwrap_or(name);
    name.iter().all(u8::is_ascii_digit) || is_path(name, 1)
}

/// `$NAME`, `${NAME}`, `$(command`, `{{ name }}`, `<name>`, `%NAME%`, `%s`, `@name@`, `[name]`.
pub fn is_template(text: &[u8]) -> bool {
    let inside = |open: &[u8], close: &[u8]| {
        text.len() > open.len() + close.len()
            && text.starts_with(open)
            && text.ends_with(close)
            && is_phrase(&text[open.len()..text.len() - close.len()])
    };
    // What a space cut off has its beginning only.
    let begins = |open: &[u8]| {
        text.strip_prefix(open).is_some_and(|rest| {
            let rest = rest.trim_ascii_start();
            let name =
                rest.iter().take_while(|byte| is_in_name(**byte) || matches!(byte, b'.' | b'-')).count();
            is_phrase(&rest[..name])
                && rest.get(name).is_none_or(|byte| b" })](:-#%/[|.=?+,^@>".contains(byte))
                || (name == 0 && rest.first().is_some_and(|byte| b"!\"'`</}".contains(byte)) && open != b"%(")
                || text == open
        })
    };
    match text.first() {
        Some(b'$') => {
            is_variable(&text[1..])
                || text[1..].strip_prefix(b"$").is_some_and(is_variable)
                || [&b"${"[..], b"$(", b"$((", b"${{", b"$env:", b"$$(", b"$${", b"$["]
                    .iter()
                    .any(|open| begins(open))
        }
        Some(b'{') => inside(b"{", b"}") || begins(b"{{") || begins(b"{%"),
        Some(b'<') => inside(b"<", b">"),
        Some(b'[') => inside(b"[", b"]"),
        Some(b'%') => inside(b"%", b"%") || text.len() <= 3 || begins(b"%{") || begins(b"%("),
        Some(b'@') => inside(b"@", b"@"),
        Some(b'#') => begins(b"#{"),
        _ => [b"${", b"{{"]
            .iter()
            .any(|open| memchr::memmem::find(text, *open).is_some_and(|at| has_template(&text[at..]))),
    }
}

/// `prefix-${NAME}`: within a text, only what has a name and ends is a template.
fn has_template(text: &[u8]) -> bool {
    let inner = text[2..].trim_ascii_start();
    inner.first().is_some_and(u8::is_ascii_alphabetic) && text.contains(&b'}') && is_template(text)
}

/// What stands behind `$`: a name, alone or as the beginning of a path.
fn is_variable(rest: &[u8]) -> bool {
    let length = rest.iter().take_while(|byte| byte.is_ascii_alphanumeric() || **byte == b'_').count();
    let (name, rest) = rest.split_at(length);
    let digits = name.iter().filter(|byte| byte.is_ascii_digit()).count();
    let capitals = !name.iter().any(u8::is_ascii_lowercase) && name.len() <= 4 * (name.len() - digits);
    let plain = is_identifier(name) && (digits == 0 || capitals || sensitive(name, b"").is_some());
    // `$1`, `$_`.
    let number = (1..=2).contains(&length) && digits == length;
    let ends = rest.is_empty() || b".:-[(),;/?\"'>".contains(&rest[0]);
    (plain || number || name == b"_")
        && ends
        && rest.len() <= 60
        && (rest.len() < 2 || is_made_of_words(rest))
}

/// Words as a placeholder has them: `your password here`, `DB_PASSWORD-2`, `project.version`.
fn is_phrase(text: &[u8]) -> bool {
    let joints = |byte: &u8| b" _-./:|,'!".contains(byte);
    text.iter().any(u8::is_ascii_alphanumeric) && text.split(joints).all(is_word)
}
