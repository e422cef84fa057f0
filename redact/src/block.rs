//! Private keys of many lines: the lines that say where one begins and ends stay, one marker stands for the rest.

use crate::span::{marker, marker_at};

/// Whether the lines that come are those of a private key.
#[derive(Default)]
pub struct Block {
    open: Option<Open>,
}

#[derive(Default)]
struct Open {
    /// In which column the key's lines begin, once one was seen.
    column: Option<usize>,
}

/// What becomes of a line.
#[derive(Debug, PartialEq, Eq)]
pub enum Line {
    /// It is text like any other.
    Text,
    /// It was a key's first line; this is put out.
    Key(Vec<u8>),
    Dropped,
}

/// What may stand between the first line and the key itself.
const HEADERS: [&[u8]; 7] =
    [b"Proc-Type:", b"DEK-Info:", b"Version:", b"Comment:", b"Charset:", b"Hash:", b"Subject:"];

impl Block {
    pub fn is_open(&self) -> bool {
        self.open.is_some()
    }

    /// Takes the next line; `whole` if all of it is there.
    pub fn line(&mut self, line: &[u8], whole: bool) -> Line {
        let Some(open) = &mut self.open else {
            if begins(line) {
                self.open = Some(Open::default());
            }
            return Line::Text;
        };
        let header = || HEADERS.iter().any(|header| memchr::memmem::find(line, header).is_some());
        let blank = !line.iter().any(u8::is_ascii_alphanumeric);
        if blank || (open.column.is_none() && header()) {
            return Line::Text;
        }
        let Some((column, end)) = key_part(line, open.column).filter(|_| whole) else {
            self.open = begins(line).then(Open::default);
            return Line::Text;
        };
        if open.column.replace(column).is_some() {
            return Line::Dropped;
        }
        Line::Key([&line[..column], &marker("private-key"), &line[end..]].concat())
    }
}

/// Whether a private key begins in the next line.
fn begins(line: &[u8]) -> bool {
    if line.starts_with(b"Private-Lines:") {
        return true;
    }
    let Some(at) = memchr::memmem::find(line, b"---- BEGIN ").or(memchr::memmem::find(line, b"-----BEGIN "))
    else {
        return false;
    };
    let Some(key) = memchr::memmem::find(&line[at..], b"PRIVATE KEY") else { return false };
    let rest = &line[at + key + b"PRIVATE KEY".len()..];
    let rest = rest.strip_prefix(b" BLOCK").unwrap_or(rest);
    let ended = |byte: &u8| !byte.is_ascii_alphanumeric() || matches!(byte, b'n' | b'r');
    rest.iter().all(ended)
}

/// Where in a line the key's base64 stands.
fn key_part(line: &[u8], column: Option<usize>) -> Option<(usize, usize)> {
    if memchr::memmem::find(line, b"---- END").is_some() || memchr::memmem::find(line, b"-----END").is_some()
    {
        return None;
    }
    let mut end = line.len();
    loop {
        let ends = |signs: &[u8]| line[..end].ends_with(signs);
        let signs = if ends(b"\\n") || ends(b"\\r") { 2 } else { 1 };
        if signs == 1
            && !line[..end]
                .last()
                .is_some_and(|byte| byte.is_ascii_whitespace() || b"+,;\"'\\)`.&|<".contains(byte))
        {
            break;
        }
        // A plus or slash may be the key's own, so only one behind a quote or space goes.
        if ends(b"+") && end >= 2 && !matches!(line[end - 2], b' ' | b'"' | b'\'' | b'\t') {
            break;
        }
        end -= signs;
    }
    let base64 = |byte: &u8| byte.is_ascii_alphanumeric() || matches!(byte, b'+' | b'/' | b'=');
    let length = line[..end].iter().rev().take_while(|byte| base64(byte)).count();
    // The plus of a diff is not the key's.
    let diff = usize::from(length == end && length > 1 && line[0] == b'+');
    let (start, length) = (end - length + diff, length - diff);
    if length == 0 || marker_at(line, start).is_some() {
        return None;
    }
    let bare = line[..start].iter().all(|byte| !byte.is_ascii_alphanumeric());
    let fits = match column {
        _ if length >= 40 => true,
        Some(column) => column == start || bare,
        None => bare && length >= 16,
    };
    fits.then_some((start, end))
}

#[cfg(test)]
mod tests {
    use std::fmt::Write;

    /// A key of this many lines, put together here so that no scanner takes this file for a leak.
    fn key(prefix: &str, lines: usize) -> String {
        let mut text = format!("{prefix}-----BEGIN RSA PRIVATE {}-----\n", "KEY");
        for line in 0..lines {
            let _ = writeln!(text, "{prefix}MIIEow{line:02}{}", "IBAAKCAQEA+/".repeat(4));
        }
        text + &format!("{prefix}Zm9v==\n{prefix}-----END RSA PRIVATE {}-----\nafter\n", "KEY")
    }

    #[test]
    fn a_key_of_many_lines_is_one_marker() {
        for prefix in ["", "    ", "> ", "web_1  | ", "Nov 29 12:00:00 host app[12]: ", "+"] {
            let expected = format!(
                "{prefix}-----BEGIN RSA PRIVATE {KEY}-----\n{prefix}[redacted:private-key]\n{prefix}-----END RSA PRIVATE {KEY}-----\nafter\n",
                KEY = "KEY"
            );
            let once = crate::bytes(key(prefix, 20).as_bytes());
            assert_eq!(String::from_utf8_lossy(&once), expected);
            assert_eq!(crate::bytes(&once), once);
        }
    }

    #[test]
    fn prose_about_keys_stays() {
        let text =
            format!("It begins with -----BEGIN PRIVATE {}-----\nand then come lines of base64.\n", "KEY");
        assert_eq!(crate::text(&text), text);
    }

    #[test]
    fn a_key_cut_off_hides_no_text_after_it() {
        let mut text = key("", 3);
        text.truncate(text.find("Zm9v").unwrap());
        assert!(
            crate::text(&(text + "error: file is truncated\n")).ends_with("]\nerror: file is truncated\n")
        );
    }
}
