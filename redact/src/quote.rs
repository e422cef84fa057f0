//! What another program says about a request, to be quoted in an error: it may repeat more than it was sent.

use crate::whole;

/// Longer words with a digit may be tokens of any kind.
const LONG: usize = 20;

/// The text without secrets of known shapes, and with `…` for whatever else may be one.
pub fn quote(text: &str) -> String {
    let text = whole::text(text);
    let is_part = |c: char| c.is_ascii_alphanumeric() || matches!(c, '-' | '_');
    let mut safe = String::new();
    let mut rest = &*text;
    while let Some(start) = rest.find(is_part) {
        let (before, from) = rest.split_at(start);
        let (word, after) = from.split_at(from.find(|c| !is_part(c)).unwrap_or(from.len()));
        let is_token = word.len() >= LONG && word.bytes().any(|b| b.is_ascii_digit());
        safe.push_str(before);
        safe.push_str(if is_token { "…" } else { word });
        rest = after;
    }
    safe + rest
}

#[cfg(test)]
mod tests {
    use super::quote;

    #[test]
    fn what_may_be_a_token_is_not_repeated() {
        assert_eq!(
            quote("rt_9fQ2mXkd81LzPq07YbVt of https://id.example/a is over"),
            "… of https://id.example/a is over"
        );
        assert_eq!(
            quote("no client of postgres://me:hunter2@db"),
            "no client of postgres://me:[redacted:url-password]@db"
        );
    }
}
