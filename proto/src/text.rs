//! Text that somebody else wrote, made fit for a terminal or a log (S01).

/// The text without anything a terminal would obey, reordered or hidden characters included, and at most `cap`
/// characters of it.
pub fn harmless(text: &str, cap: usize) -> String {
    text.chars().filter(|c| !c.is_control() && !is_unseen(*c)).take(cap).collect()
}

/// Characters that show nothing themselves, but may change how others are shown (Unicode's bidirectional and format
/// controls, fillers, tags and variation selectors).
pub(crate) fn is_unseen(c: char) -> bool {
    matches!(c,
        '\u{ad}' | '\u{34f}' | '\u{61c}' | '\u{115f}' | '\u{1160}' | '\u{17b4}' | '\u{17b5}' | '\u{180b}'..='\u{180f}'
        | '\u{200b}'..='\u{200f}' | '\u{2028}'..='\u{202e}' | '\u{2060}'..='\u{206f}' | '\u{2800}' | '\u{3164}'
        | '\u{fe00}'..='\u{fe0f}' | '\u{feff}' | '\u{ffa0}' | '\u{fff9}'..='\u{fffb}' | '\u{e0000}'..='\u{e0fff}')
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn s01_what_a_terminal_obeys_is_gone() {
        assert_eq!(harmless("\u{1b}[31mred\u{7}\r\n\u{9b}0m", 99), "[31mred0m");
        assert_eq!(harmless("user\u{202e}moc.live@\u{2066}x\u{feff}", 99), "usermoc.live@x");
        assert_eq!(harmless("ünïcödé 日本", 99), "ünïcödé 日本");
        assert_eq!(harmless("abcdef", 3), "abc");
    }
}
