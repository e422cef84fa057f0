//! Text that somebody else wrote, made fit for a terminal or a log (S01).

/// The text without anything a terminal would obey, reordered or hidden characters included, and at most `cap`
/// characters of it.
pub fn harmless(text: &str, cap: usize) -> String {
    text.chars().filter(|c| !c.is_control() && !is_invisible(*c)).take(cap).collect()
}

/// Characters that change how others are shown without showing themselves (Unicode's bidirectional and format controls).
fn is_invisible(c: char) -> bool {
    matches!(c, '\u{ad}' | '\u{61c}' | '\u{200b}'..='\u{200f}' | '\u{2028}'..='\u{202e}' | '\u{2060}'..='\u{206f}' | '\u{feff}' | '\u{fff9}'..='\u{fffb}')
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
