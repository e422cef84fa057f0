//! The comments of a file, line by line.

/// The number and the text of each line that is in a comment; none for kinds of files that are not known.
/// A manifest counts as a comment all over, because it names paths and reasons in its values.
pub fn comments(file: &str, text: &str) -> Vec<(usize, String)> {
    match file.rsplit('.').next() {
        Some("rs") => rust_comments(text),
        Some("js" | "mjs" | "css") => whole_lines(text, &["//", "/*", "*"]),
        Some("sql") => whole_lines(text, &["--"]),
        Some("toml") => whole_lines(text, &[""]),
        Some("sh" | "yml" | "py" | "service" | "socket" | "conf") => after_hash(text),
        _ if text.starts_with("#!") => after_hash(text),
        _ => Vec::new(),
    }
}

fn whole_lines(text: &str, marks: &[&str]) -> Vec<(usize, String)> {
    let lines = text.lines().enumerate();
    lines
        .filter(|(_, line)| marks.iter().any(|mark| line.trim_start().starts_with(mark)))
        .map(|(number, line)| (number + 1, line.trim_start().to_owned()))
        .collect()
}

/// A `#` begins a comment at the start of a line or after a space, outside of quotes.
fn after_hash(text: &str) -> Vec<(usize, String)> {
    let comment = |line: &str| {
        let starts = line.match_indices('#').map(|(place, _)| place);
        let mut starts =
            starts.filter(|place| line[..*place].chars().next_back().is_none_or(char::is_whitespace));
        let is_quoted =
            |place: usize| ['"', '\''].iter().any(|quote| line[..place].matches(*quote).count() % 2 == 1);
        starts.find(|place| !is_quoted(*place)).map(|place| line[place..].to_owned())
    };
    text.lines().enumerate().filter_map(|(number, line)| Some((number + 1, comment(line)?))).collect()
}

/// Line comments and block comments; what looks like one inside a string is none.
fn rust_comments(text: &str) -> Vec<(usize, String)> {
    let mut comments = Vec::new();
    let mut rest = text;
    let mut line = 1;
    let mut before = ' ';
    while let Some(first) = rest.chars().next() {
        let length = if rest.starts_with("//") {
            rest.find('\n').unwrap_or(rest.len())
        } else if rest.starts_with("/*") {
            rest.find("*/").map_or(rest.len(), |end| end + 2)
        } else if let Some(length) = raw_string(rest, before) {
            length
        } else if first == '"' {
            string_length(rest)
        } else if first == '\'' {
            character(rest)
        } else {
            first.len_utf8()
        };
        let (token, after) = rest.split_at(length);
        if rest.starts_with("//") || rest.starts_with("/*") {
            comments.extend(token.lines().zip(line..).map(|(text, line)| (line, text.to_owned())));
        }
        line += token.matches('\n').count();
        before = token.chars().next_back().unwrap_or(' ');
        rest = after;
    }
    comments
}

/// How long the string literal is that the text begins with.
pub fn string_length(text: &str) -> usize {
    let mut escaped = false;
    for (place, letter) in text.char_indices().skip(1) {
        match letter {
            _ if escaped => escaped = false,
            '\\' => escaped = true,
            '"' => return place + 1,
            _ => {}
        }
    }
    text.len()
}

/// `r"..."` and `r#"..."#`, with or without a `b` or `c` before it.
fn raw_string(text: &str, before: char) -> Option<usize> {
    if before.is_alphanumeric() && !matches!(before, 'b' | 'c') {
        return None;
    }
    let inner = text.strip_prefix('r')?;
    let hashes = inner.len() - inner.trim_start_matches('#').len();
    let body = inner[hashes..].strip_prefix('"')?;
    let end = format!("\"{}", "#".repeat(hashes));
    let start = text.len() - body.len();
    Some(body.find(&end).map_or(text.len(), |place| start + place + end.len()))
}

/// The length of `'x'` or `'\n'`; of a lifetime only the quote.
fn character(text: &str) -> usize {
    let mut letters = text.char_indices().skip(1);
    match (letters.next(), letters.next()) {
        (Some((_, '\\')), Some((escaped, _))) => {
            text[escaped + 1..].find('\'').map_or(text.len(), |end| escaped + 1 + end + 1)
        }
        (Some(_), Some((end, '\''))) => end + 1,
        _ => 1,
    }
}

#[test]
fn comments_are_told_from_strings() {
    let text =
        "let a = \"// no\"; // one\nlet b = r#\"\" // no\"#; /* two\nthree */ let c: &'a str = '\"'; // four";
    let found = comments("a.rs", text);
    let expected = [(1, "// one"), (2, "/* two"), (3, "three */"), (3, "// four")];
    assert_eq!(found, expected.map(|(line, text)| (line, text.to_owned())));
    assert_eq!(comments("a.sh", "say '# no' $#\nsay b # yes"), [(2, "# yes".to_owned())]);
}
