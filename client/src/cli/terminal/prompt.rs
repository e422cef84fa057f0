//! What a person or a program types: prompts on a terminal, plain lines from anything else.

use everkey_client::{Failure, Secret};
use everkey_proto::Code;
use serde::Deserialize;
use std::io::{self, IsTerminal, Read, Write};

/// The longest token that is read, in bytes.
const TOKEN_CAP: u64 = 32 * 1024;

/// Whether the terminal shows what is typed.
#[derive(Clone, Copy, PartialEq, Eq)]
pub enum Echo {
    Shown,
    /// It is a secret.
    Hidden,
}

/// Prompts on a terminal, reads a plain line from anything else; none at the end of the input.
pub fn ask(prompt: &str, echo: Echo) -> Result<Option<Secret>, Failure> {
    if !io::stdin().is_terminal() {
        return line();
    }
    let _ = write!(io::stderr(), "{prompt}");
    match echo {
        Echo::Shown => line(),
        Echo::Hidden => match rpassword::read_password() {
            Ok(line) => Ok(Some(Secret::new(line))),
            Err(e) if e.kind() == io::ErrorKind::UnexpectedEof => Ok(None),
            Err(e) => Err(unreadable(&e)),
        },
    }
}

/// One line of standard input.
pub fn line() -> Result<Option<Secret>, Failure> {
    let mut line = String::new();
    let read = io::stdin().read_line(&mut line).map_err(|e| unreadable(&e))?;
    let answer = Secret::new(line);
    Ok((read > 0).then(|| Secret::new(answer.expose().trim_end_matches(['\r', '\n']))))
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
        ask("Token: ", Echo::Hidden)?.unwrap_or_default()
    } else {
        let mut text = String::new();
        io::stdin().take(TOKEN_CAP).read_to_string(&mut text).map_err(|e| unreadable(&e))?;
        Secret::new(text)
    };
    one_line(&token)
}

/// The token without the newline it ends with; what has more than one line is none.
pub fn one_line(token: &Secret) -> Result<Secret, Failure> {
    let text = token.expose().trim();
    if text.is_empty() || text.contains(|c: char| c.is_control() || c.is_whitespace()) {
        let what = if text.is_empty() { "There is no token" } else { "A token is one line without spaces" };
        return Err(Failure::new(
            Code::BadRequest,
            format!("{what}; nothing was changed."),
            "Look at what was pasted or piped in.",
        ));
    }
    Ok(Secret::new(text))
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
}
