//! What a person has typed or pasted, as it was meant: agent, command line and pages read it alike.

use crate::secret::Secret;
use crate::text::is_unseen;

/// What terminals put around a paste when they are asked to mark it; the escape character may have got lost.
const MARKS: [&str; 4] = ["\u{1b}[200~", "\u{1b}[201~", "[200~", "[201~"];

/// What people and programs put around an address.
const QUOTES: &[char] =
    &['"', '\'', '`', '<', '>', '\u{201c}', '\u{201d}', '\u{201e}', '\u{2018}', '\u{2019}'];

/// How many digits a code has: usually six, and sixteen where a server sends longer ones while somebody guesses.
const DIGITS: [usize; 2] = [6, 16];

/// Why a text can't be a token.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
pub enum NoToken {
    /// There is nothing.
    #[error("there is nothing")]
    Empty,
    /// It has a space or a line break in it.
    #[error("a token is one line without spaces")]
    Spaced,
    /// It has a character that nobody sees.
    #[error("it has an invisible character in it (U+{:04X})", u32::from(*.0))]
    Invisible(char),
    /// It has a character that can't be sent.
    #[error("it has a character in it that no token has (U+{:04X})", u32::from(*.0))]
    Foreign(char),
}

/// An address, of a page or of a person: without the marks of a paste, the quotes around it and the line breaks within.
pub fn address(text: &str) -> String {
    let text: String =
        without_marks(text).chars().filter(|c| !matches!(c, '\n' | '\r') && !is_unseen(*c)).collect();
    text.trim().trim_matches(QUOTES).trim().to_owned()
}

/// The digits in `123 456`, `Code: 123456` or a whole sentence; none where there is no such code, or more than one.
pub fn code(text: &str) -> Option<Secret> {
    let text: String = without_marks(text).chars().filter(|c| !is_unseen(*c)).collect();
    // An address that has digits in it asks for another code.
    if text.contains('@') {
        return None;
    }
    let bare = text.trim_matches(|c: char| !c.is_ascii_digit());
    let joined: String = bare.chars().filter(|c| !is_between_digits(*c)).collect();
    if is_code(&joined) {
        return Some(Secret::new(joined));
    }
    let mut codes = text.split(|c: char| !c.is_alphanumeric()).filter(|word| is_code(word));
    let only = codes.next().filter(|_| codes.next().is_none());
    only.map(Secret::new)
}

/// A second factor in `123 456`, `Code: 123456` or `9d3f-7k2m-q0rs-tvwx`; none where there is neither six digits nor what
/// a recovery code may be: letters and digits, with hyphens or spaces between.
pub fn second_factor(text: &str) -> Option<Secret> {
    let plain: String =
        without_marks(text).chars().filter(|c| !is_unseen(*c) && !is_between_digits(*c)).collect();
    let whole = (8..=64).contains(&plain.len()) && plain.bytes().all(|byte| byte.is_ascii_alphanumeric());
    code(text).or_else(|| whole.then(|| Secret::new(plain)))
}

/// A token, without the spaces and line breaks around it.
///
/// # Errors
/// Why it can't be one. Nothing in it is mended: what is invisible may have replaced something else.
pub fn token(text: &str) -> Result<Secret, NoToken> {
    let text = without_marks(text);
    let text = text.trim_matches(|c: char| c.is_ascii_whitespace());
    if text.is_empty() {
        return Err(NoToken::Empty);
    }
    match text.chars().find(|c| !c.is_ascii_graphic()) {
        None => Ok(Secret::new(text)),
        Some(' ' | '\t' | '\r' | '\n') => Err(NoToken::Spaced),
        Some(c) if c.is_control() || c.is_whitespace() || is_unseen(c) => Err(NoToken::Invisible(c)),
        Some(c) => Err(NoToken::Foreign(c)),
    }
}

fn without_marks(text: &str) -> String {
    MARKS.iter().fold(text.to_owned(), |text, mark| text.replace(mark, ""))
}

fn is_code(text: &str) -> bool {
    DIGITS.contains(&text.len()) && text.bytes().all(|byte| byte.is_ascii_digit())
}

fn is_between_digits(c: char) -> bool {
    c.is_whitespace() || matches!(c, '-' | '.' | '\u{2010}'..='\u{2015}')
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_second_factor_is_a_code_or_a_recovery_code() {
        let found = |text: &str| second_factor(text).map(|answer| answer.expose().to_owned());
        for text in ["123456", "123 456", "Code: 123456", "\u{1b}[200~123456\u{1b}[201~"] {
            assert_eq!(found(text).as_deref(), Some("123456"), "{text:?}");
        }
        for text in ["9d3f-7k2m-q0rs-tvwx", " 9d3f 7k2m q0rs tvwx\n", "9d3f7k2mq0rstvwx"] {
            assert_eq!(found(text).as_deref(), Some("9d3f7k2mq0rstvwx"), "{text:?}");
        }
        for text in ["", "12345", "no!", "ä9d3f7k2m", &"a".repeat(65)] {
            assert_eq!(found(text), None, "{text:?}");
        }
    }

    #[test]
    fn a_code_is_found_however_it_was_pasted() {
        for text in [
            "123456",
            " 123456\r\n",
            "123 456",
            "123-456",
            "12 34-56",
            "1 2 3 4 5 6",
            "123\u{a0}456",
            "123\u{2013}456",
            "123\u{200b}456",
            "\u{feff}123456",
            "Code: 123456",
            "code:123456.",
            "Code: 123 456",
            "\"123456\"",
            "\u{1b}[200~123456\u{1b}[201~",
            "[200~123 456[201~",
            "Your code is 123456. It works for 10 minutes.",
            "Your code:\n\n  123456\n",
        ] {
            assert_eq!(code(text), Some(Secret::new("123456")), "{text:?}");
        }
    }

    #[test]
    fn a_longer_code_is_found_too() {
        for text in ["1234567890123456", "1234 5678 9012 3456\n", "Your code is 1234567890123456."] {
            assert_eq!(code(text), Some(Secret::new("1234567890123456")), "{text:?}");
        }
    }

    #[test]
    fn what_has_no_code_is_none() {
        for text in [
            "",
            " ",
            "12",
            "12345",
            "1234567",
            "123456789012345",
            "12345678901234567",
            "nonsense",
            "a@b.c",
            "a@b.c 123456",
            "123456@example.com",
            "123456 or 654321",
            "12345a",
            "1a23456",
            "\u{661}\u{662}\u{663}\u{664}\u{665}\u{666}",
        ] {
            assert_eq!(code(text), None, "{text:?}");
        }
    }

    #[test]
    fn an_address_loses_what_a_paste_added() {
        let meant = "http://127.0.0.1:1/?code=a&state=b";
        for text in [
            "http://127.0.0.1:1/?code=a&state=b\n",
            "  \"http://127.0.0.1:1/?code=a&state=b\" ",
            "'http://127.0.0.1:1/?code=a&state=b'",
            "<http://127.0.0.1:1/?code=a&state=b>",
            "\u{201c}http://127.0.0.1:1/?code=a&state=b\u{201d}",
            "\u{1b}[200~http://127.0.0.1:1/?code=a\r\n&state=b\u{1b}[201~",
            "http://127.0.0.1:1/?co\nde=a&sta\rte=b",
            "\u{feff}http://127.0.0.1:1/?code=a&state=b\u{200b}",
        ] {
            assert_eq!(address(text), meant, "{text:?}");
        }
        assert_eq!(address("<ada@example.com>\n"), "ada@example.com");
        assert_eq!(address("a b@c"), "a b@c", "a space is nothing that a paste adds");
    }

    #[test]
    fn an_invisible_character_is_named() {
        for c in [
            '\u{200b}',
            '\u{feff}',
            '\u{a0}',
            '\u{2060}',
            '\u{ad}',
            '\u{1}',
            '\u{7f}',
            '\u{85}',
            '\u{3000}',
            '\u{e0001}',
            '\u{fe0f}',
        ] {
            for text in [format!("a{c}b"), format!("{c}ab"), format!("ab{c}\n")] {
                assert_eq!(token(&text), Err(NoToken::Invisible(c)), "{text:?}");
            }
        }
        assert_eq!(token("\u{1b}[200~ab\u{1b}[201~\n"), Ok(Secret::new("ab")));
        assert_eq!(token(" \n"), Err(NoToken::Empty));
        assert_eq!(token("a\nb"), Err(NoToken::Spaced));
        assert_eq!(token("p\u{e4}t"), Err(NoToken::Foreign('\u{e4}')));
        assert_eq!(
            NoToken::Invisible('\u{200b}').to_string(),
            "it has an invisible character in it (U+200B)"
        );
    }
}
