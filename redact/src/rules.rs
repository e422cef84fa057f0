//! The table of rules: what a secret looks like, and the words without which a rule need not be tried.

use crate::span::Span;
use crate::value;
use aho_corasick::AhoCorasick;
use regex::bytes::{Regex, RegexBuilder};
use std::borrow::Cow;
use std::collections::BTreeMap;
use std::sync::{LazyLock, OnceLock};

/// The rules of Betterleaks and gitleaks (MIT, see `rules/LICENSE`), and ours. Ours come first: they name the kind in short.
const TABLES: [&str; 2] = [include_str!("../rules/own.tsv"), include_str!("../rules/betterleaks.tsv")];

/// Words that a sensitive name or flag has in it.
const NAMES: [&str; 24] = [
    "pass", "pwd", "pw", "secret", "token", "key", "auth", "cred", "cookie", "sess", "sid", "jwt", "otp",
    "pin", "sig", "salt", "pat", "bearer", "hmac", "code", "psk", "pepper", "mnemonic", "psw",
];

/// How what a rule found is judged.
#[derive(Clone, Copy, PartialEq, Eq)]
enum Form {
    /// The text itself has a secret's shape. It goes on as long as such texts do.
    Shape,
    /// The same, but exactly as long as was found.
    Whole,
    /// A value beside a vendor's name.
    Named,
    /// A value in a place where only secrets stand, if it is not a placeholder.
    Value,
    /// The same where other values stand, too: it must look random.
    Token,
    /// The same in prose: it must be no word.
    Chosen,
    /// Base64 of a name and a password.
    Basic,
}

struct Rule {
    kind: &'static str,
    form: Form,
    entropy: f64,
    group: usize,
    pattern: &'static str,
    regex: OnceLock<Option<Regex>>,
}

pub struct RuleTable {
    rules: Vec<Rule>,
    words: Option<AhoCorasick>,
    /// Which rules are tried when a word is there, and whether names have it in them.
    of_word: Vec<(Vec<usize>, bool)>,
}

/// What the words in a text say of it.
pub struct Tried {
    rules: Vec<bool>,
    pub names: bool,
}

static RULES: LazyLock<RuleTable> = LazyLock::new(RuleTable::read);

pub fn rules() -> &'static RuleTable {
    &RULES
}

impl RuleTable {
    fn read() -> Self {
        let lines = TABLES.iter().flat_map(|table| table.lines()).filter(|line| !line.starts_with('#'));
        let mut rules = Vec::new();
        let mut of_word: BTreeMap<&str, (Vec<usize>, bool)> =
            NAMES.iter().map(|name| (*name, (Vec::new(), true))).collect();
        for (kind, form, entropy, words, pattern) in lines.filter_map(columns) {
            for word in words.split(' ') {
                of_word.entry(word).or_default().0.push(rules.len());
            }
            let (form, group) = form.split_once(':').unwrap_or((form, "0"));
            let form = match form {
                "shape" => Form::Shape,
                "named" => Form::Named,
                "value" => Form::Value,
                "token" => Form::Token,
                "chosen" => Form::Chosen,
                "basic" => Form::Basic,
                _ => Form::Whole,
            };
            let (entropy, group) = (entropy.parse().unwrap_or(0.0), group.parse().unwrap_or(0));
            rules.push(Rule { kind, form, entropy, group, pattern, regex: OnceLock::new() });
        }
        let words = AhoCorasick::builder().ascii_case_insensitive(true).build(of_word.keys()).ok();
        Self { rules, words, of_word: of_word.into_values().collect() }
    }

    /// Which rules are worth a try on this text.
    pub fn tried(&self, text: &[u8]) -> Tried {
        let mut tried = Tried { rules: vec![false; self.rules.len()], names: false };
        for found in self.words.iter().flat_map(|words| words.find_overlapping_iter(text)) {
            let (rules, in_names) = &self.of_word[found.pattern().as_usize()];
            tried.names |= in_names;
            for rule in rules {
                tried.rules[*rule] = true;
            }
        }
        tried
    }

    /// Adds the secrets that end behind `from`.
    pub fn find(&self, text: &[u8], from: usize, tried: &Tried, spans: &mut Vec<Span>) {
        for (rule, _) in self.rules.iter().zip(&tried.rules).filter(|(_, tried)| **tried) {
            rule.find(text, from, spans);
        }
    }
}

fn columns(
    line: &'static str,
) -> Option<(&'static str, &'static str, &'static str, &'static str, &'static str)> {
    let mut columns = line.split('\t');
    Some((columns.next()?, columns.next()?, columns.next()?, columns.next()?, columns.next()?))
}

/// A pattern that begins at the edge of a word, so that it also fits behind an escaped line break or sign, as JSON and
/// addresses have them.
fn at_an_edge(pattern: &str) -> Cow<'_, str> {
    const EDGE: &str = r"(?:\b|\\[nrtfb]|%[0-9A-Fa-f]{2}|\\u[0-9A-Fa-f]{4})";
    for flags in ["", "(?i)"] {
        if let Some(rest) = pattern.strip_prefix(flags).and_then(|rest| rest.strip_prefix(r"\b")) {
            return Cow::Owned(format!("{flags}{EDGE}(?:{rest})"));
        }
    }
    Cow::Borrowed(pattern)
}

impl Rule {
    fn regex(&self) -> Option<&Regex> {
        let build =
            || RegexBuilder::new(&at_an_edge(self.pattern)).unicode(false).size_limit(1 << 26).build().ok();
        self.regex.get_or_init(build).as_ref()
    }

    fn find(&self, text: &[u8], from: usize, spans: &mut Vec<Span>) {
        let Some(regex) = self.regex() else { return };
        let mut at = 0;
        while let Some(found) = regex.captures_at(text, at) {
            let Some(whole) = found.get(0) else { return };
            let any = || found.iter().skip(1).flatten().next();
            let secret = if self.group > 0 { found.get(self.group) } else { any() }.unwrap_or(whole);
            // What follows a secret may be what precedes the next one.
            at = secret.end().max(whole.start() + 1);
            let end =
                if self.form == Form::Shape { value::goes_on(text, secret.end()) } else { secret.end() };
            if end > from && self.counts(secret.as_bytes(), &text[whole.start()..secret.start()]) {
                spans.push(Span { start: secret.start(), end, kind: self.kind });
            }
            at = at.max(end);
        }
    }

    fn counts(&self, secret: &[u8], before: &[u8]) -> bool {
        let random = self.entropy == 0.0 || value::entropy(secret) >= self.entropy;
        random
            && match self.form {
                Form::Shape | Form::Whole => !value::is_mask(secret),
                Form::Named => {
                    value::has_digit(secret) && value::has_letter(secret) && !value::names_a_digest(before)
                }
                Form::Value => {
                    let port = self.kind == "url-password" && value::is_port(secret);
                    !port && !value::is_placeholder(secret)
                }
                Form::Token => !value::is_placeholder(secret) && value::looks_random(secret),
                Form::Chosen => !value::is_placeholder(secret) && value::is_chosen(secret),
                Form::Basic => value::is_basic(secret),
            }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn every_rule_is_a_regex_with_its_words() {
        let rules = rules();
        assert!(rules.words.is_some());
        for (at, rule) in rules.rules.iter().enumerate() {
            assert!(rule.regex().is_some(), "{}: {}", rule.kind, rule.pattern);
            assert!(rules.of_word.iter().any(|(of, _)| of.contains(&at)), "{}", rule.kind);
            assert!(
                rule.kind.bytes().all(|byte| matches!(byte, b'a'..=b'z' | b'0'..=b'9' | b'-')),
                "{}",
                rule.kind
            );
        }
        assert_eq!(TABLES.iter().flat_map(|table| table.lines()).count(), rules.rules.len());
    }
}
