//! Texts that people and programs give: a name or title on one line, a text of many. All of them pass [`kept`], so that
//! the database holds nobody's secrets.

/// The text is not one; says what it may be.
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
pub enum InvalidText {
    #[error("{field} must be 1 to {most} characters on one line that can be seen")]
    Line {
        field: &'static str,
        /// How many characters it may have.
        most: usize,
    },
    #[error("{field} may be {most} bytes long and hold no control characters but tabs and line breaks")]
    Text {
        field: &'static str,
        /// How many bytes it may have.
        most: usize,
    },
}

/// What is stored of a text that somebody else wrote: all but its secrets.
pub fn kept(text: &str) -> String {
    everkey_redact::text(text).into_owned()
}

/// A line without the spaces around it: 1 to `most` characters, none of them a control character.
pub fn line(field: &'static str, text: &str, most: usize) -> Result<String, InvalidText> {
    let text = text.trim();
    if (1..=most).contains(&text.chars().count()) && !text.chars().any(hidden) && text.chars().any(inked) {
        Ok(kept(text))
    } else {
        Err(InvalidText::Line { field, most })
    }
}

/// A text of at most `most` bytes, whose only control characters are tabs and line breaks.
pub fn text(field: &'static str, text: String, most: usize) -> Result<String, InvalidText> {
    let fits = |c: char| !c.is_control() || matches!(c, '\n' | '\r' | '\t');
    if text.len() <= most && text.chars().all(fits) {
        Ok(kept(&text))
    } else {
        Err(InvalidText::Text { field, most })
    }
}

/// Characters that can't be seen or turn the direction of writing round, so that a name shown to others is what it seems.
/// Joiners stay: some scripts and emoji need them.
pub fn hidden(c: char) -> bool {
    c.is_control()
        || matches!(
            c,
            '\u{ad}' | '\u{34f}' | '\u{61c}' | '\u{115f}' | '\u{1160}' | '\u{17b4}' | '\u{17b5}' | '\u{180b}'
                ..='\u{180f}' | '\u{200b}' | '\u{200e}' | '\u{200f}' | '\u{2028}'..='\u{202e}' | '\u{2060}'
                ..='\u{206f}' | '\u{3164}' | '\u{feff}' | '\u{ffa0}' | '\u{fff9}'..='\u{fffb}' | '\u{1d159}' | '\u{e0000}'
                ..='\u{e0fff}'
        )
}

/// Whether a character leaves something to see by itself.
pub fn inked(c: char) -> bool {
    !c.is_whitespace() && !matches!(c, '\u{200c}' | '\u{200d}' | '\u{2800}' | '\u{fe00}'..='\u{fe0f}')
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_line_is_short_and_seen_whole() {
        assert_eq!(line("name", " Käse & Söhne ", 12).unwrap(), "Käse & Söhne");
        assert!(line("name", "می\u{200c}خواهم", 12).is_ok());
        for bad in ["\u{200b}", "\u{3164}", "\u{2800}", "\u{200d}\u{fe0f}", "a\u{61c}b", "a\u{e0041}"] {
            assert!(line("name", bad, 12).is_err(), "{bad:?}");
        }
        for bad in ["", "   ", "a\nb", "a\0b", "a\u{202e}b", "a\u{2028}b", "1234567890123"] {
            assert!(line("name", bad, 12).is_err(), "{bad:?}");
        }
    }

    #[test]
    fn a_text_has_lines_but_no_control_characters() {
        assert!(text("body", "a\n\tb\r\n".into(), 6).is_ok());
        for bad in ["a\0b", "a\u{1b}[31m", "1234567"] {
            assert!(text("body", bad.into(), 6).is_err(), "{bad:?}");
        }
    }
}
