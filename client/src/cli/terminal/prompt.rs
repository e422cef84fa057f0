//! What a person or a program types: prompts on a terminal, plain lines from anything else.

use super::typed_line;
pub use super::typed_line::{Echo, LineEnd, Typed};
use everkey_client::{Failure, Secret};
use everkey_proto::Code;
use everkey_proto::pasted::{self, NoToken};
use serde::Deserialize;
use std::io::{self, IsTerminal, Read};
use std::os::fd::BorrowedFd;

/// The longest token that is read, in bytes.
const TOKEN_CAP: u64 = 32 * 1024;

/// Prompts on a terminal, reads a plain line from anything else; none at the end of the input.
pub fn ask(prompt: &str, echo: Echo) -> Result<Option<Secret>, Failure> {
    read(prompt, echo, LineEnd::Enter)
}

/// The same for what may be an address, which can be pasted with line breaks in it.
pub fn ask_for_address(prompt: &str, echo: Echo) -> Result<Option<Secret>, Failure> {
    read(prompt, echo, LineEnd::Paste)
}

fn read(prompt: &str, echo: Echo, end: LineEnd) -> Result<Option<Secret>, Failure> {
    if !io::stdin().is_terminal() {
        return line();
    }
    match typed_line::read(prompt, echo, end, None).map_err(|e| unreadable(&e))? {
        Typed::Line(line) => Ok(Some(line)),
        Typed::End | Typed::Interrupted => Ok(None),
    }
}

/// Prompts on a terminal until something is to be read at `interrupt`.
pub fn ask_until(
    prompt: &str,
    echo: Echo,
    end: LineEnd,
    interrupt: Option<BorrowedFd<'_>>,
) -> Result<Typed, Failure> {
    typed_line::read(prompt, echo, end, interrupt).map_err(|e| unreadable(&e))
}

/// One line of standard input.
pub fn line() -> Result<Option<Secret>, Failure> {
    typed_line::read_plain().map_err(|e| unreadable(&e))
}

/// Addresses that are typed, pasted or piped in, one after another, line breaks in them left out.
#[derive(Default)]
pub struct AddressLines {
    /// A line that came with the one before.
    next: Option<Secret>,
}

impl AddressLines {
    /// None at the end of the input.
    pub fn next(&mut self) -> Result<Option<Secret>, Failure> {
        if io::stdin().is_terminal() {
            return ask_for_address("", Echo::Shown);
        }
        let first = match self.next.take() {
            Some(line) => Some(line),
            None => line()?,
        };
        let Some(mut address) = first else { return Ok(None) };
        while typed_line::more_follows() {
            match line()? {
                Some(line) if begins_anew(&line) => {
                    self.next = Some(line);
                    break;
                }
                Some(line) => address = Secret::new(format!("{}\n{}", address.expose(), line.expose())),
                None => break,
            }
        }
        Ok(Some(address))
    }
}

/// Whether a line is no rest of the one before.
fn begins_anew(line: &Secret) -> bool {
    let line = pasted::address(line.expose());
    line.is_empty() || ["http:", "https:"].iter().any(|scheme| line.starts_with(scheme))
}

/// Whether standard input can be read: a job in the background of a terminal would be stopped by it.
pub fn can_read_stdin() -> bool {
    let stdin = io::stdin();
    !stdin.is_terminal()
        || rustix::termios::tcgetpgrp(&stdin).is_ok_and(|group| group == rustix::process::getpgrp())
}

/// `{"answer":"..."}` or the bare text.
pub fn unwrap_json(line: &Secret) -> Secret {
    #[derive(Deserialize)]
    struct Wrapped {
        answer: Secret,
    }
    serde_json::from_str::<Wrapped>(line.expose()).map_or_else(|_| line.clone(), |wrapped| wrapped.answer)
}

/// The token that is all of standard input; on a terminal it is typed unseen.
pub fn token() -> Result<Secret, Failure> {
    let token = if io::stdin().is_terminal() {
        ask("Token (not shown): ", Echo::Hidden)?.unwrap_or_default()
    } else {
        let mut text = String::new();
        io::stdin().take(TOKEN_CAP).read_to_string(&mut text).map_err(|e| unreadable(&e))?;
        Secret::new(text)
    };
    one_line(&token)
}

/// The token without the newline it ends with; what can't be one is refused with the reason.
pub fn one_line(token: &Secret) -> Result<Secret, Failure> {
    pasted::token(token.expose()).map_err(|why| no_token(&why))
}

fn no_token(why: &NoToken) -> Failure {
    Failure::new(
        Code::BadRequest,
        format!("That can't be a token: {why}. Nothing was sent."),
        "Look at what was pasted or piped in.",
    )
}

fn unreadable(e: &io::Error) -> Failure {
    Failure::new(
        Code::BadRequest,
        format!("Can't read the answer: {e}."),
        "Run it on a terminal, or pipe one answer a line.",
    )
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_token_is_one_line() {
        assert_eq!(one_line(&Secret::new(" abc\r\n")).unwrap(), Secret::new("abc"));
        for bad in ["", "\n", "a\nb", "a b", "a\u{1b}b"] {
            assert!(one_line(&Secret::new(bad)).is_err(), "{bad:?}");
        }
    }

    #[test]
    fn an_answer_may_come_in_an_object() {
        for line in ["x", r#"{"answer":"x"}"#] {
            assert_eq!(unwrap_json(&Secret::new(line)), Secret::new("x"));
        }
    }

    #[test]
    fn a_line_is_the_rest_of_an_address_or_another() {
        let anew = |line: &str| begins_anew(&Secret::new(line));
        assert!(anew("http://127.0.0.1:1/?code=1") && anew("\"https://a/\"") && anew(""));
        assert!(!anew("code=1&state=2") && !anew("/callback?code=1"));
    }
}
