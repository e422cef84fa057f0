//! A line as it is typed or pasted, key by key: the terminal's own lines end after 4,095 characters, and at each line
//! break of what is pasted.

use super::key_by_key::{self, KeyByKey};
use everkey_client::Secret;
use rustix::event::{PollFd, PollFlags, Timespec, poll};
use rustix::termios::{SpecialCodeIndex, Termios, tcgetattr};
use std::io;
use std::os::fd::BorrowedFd;

/// Typed keys are further apart than this, pasted ones are not.
const PASTED_WITHIN: Timespec = Timespec { tv_sec: 0, tv_nsec: 60_000_000 };

/// Room for what is usual, so that growing leaves no copies of a secret behind.
const ROOM: usize = 8 * 1024;

const ESCAPE: u8 = 0x1b;
const BACKSPACE: u8 = 0x08;
const DELETE: u8 = 0x7f;

/// Whether the terminal shows what is typed.
#[derive(Clone, Copy, PartialEq, Eq)]
pub enum Echo {
    Shown,
    /// It is a secret.
    Hidden,
}

/// What ends a line.
#[derive(Clone, Copy, PartialEq, Eq)]
pub enum LineEnd {
    /// Enter.
    Enter,
    /// Enter, unless more follows at once: it was pasted, and has line breaks in it.
    Paste,
}

/// What came of a prompt.
pub enum Typed {
    Line(Secret),
    /// The end of the input.
    End,
    /// Something else has happened meanwhile.
    Interrupted,
}

/// Reads a line of standard input, which is a terminal, until there is something to read at `interrupt`.
pub fn read(prompt: &str, echo: Echo, end: LineEnd, interrupt: Option<BorrowedFd<'_>>) -> io::Result<Typed> {
    let keys = Keys::of(&tcgetattr(io::stdin())?);
    let held = KeyByKey::begin(prompt)?;
    let mut line = TypedLine::new(keys);
    let typed = loop {
        if interrupt.is_some_and(|interrupt| comes_first(interrupt)) {
            drop(held);
            key_by_key::show("\n");
            return Ok(Typed::Interrupted);
        }
        let Some(byte) = next_byte()? else { break TypedEnd::Input };
        let typed = line.feed(byte);
        if echo == Echo::Shown && !line.news.is_empty() {
            key_by_key::show(&line.news);
        }
        line.news.clear();
        match typed {
            Some(TypedEnd::Line) if end == LineEnd::Paste && more_follows() => line.text.push(b'\n'),
            Some(typed) => break typed,
            None => {}
        }
    };
    drop(held);
    key_by_key::show("\n");
    if typed == TypedEnd::Input && line.text.is_empty() {
        return Ok(Typed::End);
    }
    text(line.text).map(Typed::Line)
}

/// Waits for a key or for the interrupt; what was typed already counts.
fn comes_first(interrupt: BorrowedFd<'_>) -> bool {
    let stdin = io::stdin();
    loop {
        let mut both = [PollFd::new(&stdin, PollFlags::IN), PollFd::new(&interrupt, PollFlags::IN)];
        match poll(&mut both, None) {
            Ok(_) => return both[0].revents().is_empty(),
            Err(rustix::io::Errno::INTR) => {}
            Err(_) => return false,
        }
    }
}

/// Reads a line as it comes, from whatever standard input is; none at its end.
pub fn read_plain() -> io::Result<Option<Secret>> {
    let mut line = Vec::with_capacity(ROOM);
    loop {
        match next_byte()? {
            None if line.is_empty() => return Ok(None),
            None | Some(b'\n') => break,
            Some(byte) => line.push(byte),
        }
    }
    text(line).map(|line| Some(Secret::new(line.expose().trim_end_matches('\r'))))
}

fn text(line: Vec<u8>) -> io::Result<Secret> {
    String::from_utf8(line).map(Secret::new).map_err(|_| io::ErrorKind::InvalidData.into())
}

/// One byte at a time: what follows is for the next prompt, or for the shell.
fn next_byte() -> io::Result<Option<u8>> {
    let mut byte = [0];
    loop {
        match rustix::io::read(io::stdin(), &mut byte) {
            Ok(0) => return Ok(None),
            Ok(_) => return Ok(Some(byte[0])),
            Err(rustix::io::Errno::INTR) => {}
            Err(e) => return Err(e.into()),
        }
    }
}

/// Whether there is more of standard input already, or its end.
pub fn more_follows() -> bool {
    let stdin = io::stdin();
    let mut input = [PollFd::new(&stdin, PollFlags::IN)];
    poll(&mut input, Some(&PASTED_WITHIN)).is_ok_and(|ready| ready > 0)
}

/// The keys that edit, as the terminal has them.
#[derive(Clone, Copy)]
struct Keys {
    erase: u8,
    erase_word: u8,
    erase_all: u8,
    end: u8,
}

impl Keys {
    fn of(terminal: &Termios) -> Self {
        let key = |index| terminal.special_codes[index];
        Self {
            erase: key(SpecialCodeIndex::VERASE),
            erase_word: key(SpecialCodeIndex::VWERASE),
            erase_all: key(SpecialCodeIndex::VKILL),
            end: key(SpecialCodeIndex::VEOF),
        }
    }
}

#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum TypedEnd {
    Line,
    Input,
}

/// A line that grows.
struct TypedLine {
    keys: Keys,
    text: Vec<u8>,
    /// What is to be shown of it since the last key.
    news: String,
    /// An escape sequence that has begun: an arrow key, or a mark before or after what is pasted.
    sequence: Vec<u8>,
    pasting: bool,
}

impl TypedLine {
    fn new(keys: Keys) -> Self {
        let (text, news) = (Vec::with_capacity(ROOM), String::new());
        Self { keys, text, news, sequence: Vec::new(), pasting: false }
    }

    fn feed(&mut self, byte: u8) -> Option<TypedEnd> {
        if byte == ESCAPE || !self.sequence.is_empty() {
            return self.in_sequence(byte);
        }
        match byte {
            b'\n' | b'\r' if self.pasting => self.text.push(b'\n'),
            b'\n' | b'\r' => return Some(TypedEnd::Line),
            _ if self.pasting => self.typed(byte),
            // What no key is set to is 0.
            0 => {}
            DELETE | BACKSPACE => self.erase(),
            _ if byte == self.keys.erase => self.erase(),
            _ if byte == self.keys.erase_all => {
                while !self.text.is_empty() {
                    self.erase()
                }
            }
            _ if byte == self.keys.erase_word => self.erase_word(),
            _ if byte == self.keys.end => {
                return Some(if self.text.is_empty() { TypedEnd::Input } else { TypedEnd::Line });
            }
            _ => self.typed(byte),
        }
        None
    }

    /// ESC and one key, or ESC [ and so on to a letter or ~.
    fn in_sequence(&mut self, byte: u8) -> Option<TypedEnd> {
        self.sequence.push(byte);
        match self.sequence.as_slice() {
            [_] | [_, b'[' | b'O'] => return None,
            [_, b'[', .., last] if !(0x40..=0x7e).contains(last) => return None,
            [_, b'[', b'2', b'0', b'0', b'~'] => self.pasting = true,
            [_, b'[', b'2', b'0', b'1', b'~'] => {
                self.pasting = false;
                self.sequence.clear();
                // A line was pasted with its end.
                return self.text.ends_with(b"\n").then_some(TypedEnd::Line);
            }
            _ => {}
        }
        self.sequence.clear();
        None
    }

    fn typed(&mut self, byte: u8) {
        self.text.push(byte);
        let start = self.text.iter().rposition(|byte| !is_inside(*byte)).unwrap_or_default();
        if let Some(char) = std::str::from_utf8(&self.text[start..]).ok().and_then(|text| text.chars().next())
        {
            self.news.extend(Some(char).filter(|char| !char.is_control()));
        }
    }

    /// Takes back the last character.
    fn erase(&mut self) {
        if self.text.is_empty() {
            return;
        }
        while self.text.pop().is_some_and(is_inside) {}
        self.news.push_str("\u{8} \u{8}");
    }

    fn erase_word(&mut self) {
        while self.text.last().is_some_and(u8::is_ascii_whitespace) {
            self.erase();
        }
        while self.text.last().is_some_and(|byte| !byte.is_ascii_whitespace()) {
            self.erase();
        }
    }
}

/// Whether it is a later byte of a character (UTF-8).
fn is_inside(byte: u8) -> bool {
    byte & 0xc0 == 0x80
}

#[cfg(test)]
mod tests {
    use super::*;

    /// What comes of these keys: the text, what is shown, and how it ended.
    fn typed(keys: &str) -> (String, String, Option<TypedEnd>) {
        let usual = Keys { erase: DELETE, erase_word: 0x17, erase_all: 0x15, end: 0x04 };
        let mut line = TypedLine::new(usual);
        let end = keys.bytes().find_map(|byte| line.feed(byte));
        (String::from_utf8(line.text).unwrap(), line.news, end)
    }

    fn text(keys: &str) -> String {
        typed(keys).0
    }

    #[test]
    fn keys_make_a_line() {
        let ended = |keys: &str| typed(keys).2;
        assert_eq!(typed("ab\r"), ("ab".to_owned(), "ab".to_owned(), Some(TypedEnd::Line)));
        assert_eq!(ended("ab"), None);
        assert_eq!(ended("\u{4}"), Some(TypedEnd::Input));
        assert_eq!(ended("a\u{4}"), Some(TypedEnd::Line));
        let long = "x".repeat(10_000);
        assert_eq!(text(&format!("{long}\n")), long);
    }

    #[test]
    fn what_was_typed_can_be_taken_back() {
        assert_eq!(text("abc\u{7f}\u{8}d\n"), "ad");
        assert_eq!(text("aé\u{7f}b\n"), "ab");
        assert_eq!(text("one two\u{17}\n"), "one ");
        assert_eq!(text("one two  \u{17}three\n"), "one three");
        assert_eq!(text("abc\u{15}x\n"), "x");
        assert_eq!(text("\u{7f}x\n"), "x");
        assert_eq!(typed("aé\u{7f}").1, "aé\u{8} \u{8}");
    }

    #[test]
    fn arrows_and_paste_marks_are_no_text() {
        assert_eq!(text("a\u{1b}[Ab\u{1b}OPc\u{1b}[1;5Dd\u{1b}[3~\n"), "abcd");
        assert_eq!(text("\u{1b}[200~123456\u{1b}[201~\n"), "123456");
    }

    #[test]
    fn line_breaks_in_a_paste_do_not_end_the_line() {
        let (line, _, end) = typed("\u{1b}[200~http://a/?\rcode=1\n\u{1b}[201~");
        assert_eq!((line.as_str(), end), ("http://a/?\ncode=1\n", Some(TypedEnd::Line)));
        assert_eq!(typed("\u{1b}[200~a\nb\u{1b}[201~").2, None, "Enter ends it");
        assert_eq!(text("\u{1b}[200~a\u{4}\u{7f}b\u{1b}[201~\n"), "a\u{4}\u{7f}b", "nothing pasted edits");
    }
}
