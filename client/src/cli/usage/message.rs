//! A wrong command line in words, with the nearest word that would be right.

use super::error::UsageError;
use super::option::OptionText;
use super::verb::VerbRow;
use everkey_proto::text::harmless;

/// An option that more verbs than this have is not said to belong to them.
const FEW_VERBS: usize = 4;

/// What is wrong. `path` is the verb as far as it was understood, `top` all verbs with nothing before them.
pub fn message(error: &UsageError, path: &[&VerbRow], top: &[&VerbRow]) -> String {
    let typed = spelled(path);
    let names = |rows: &[&'static str]| rows.join(", ");
    let verbs = |row: &VerbRow| row.verbs().iter().map(|row| row.name).collect::<Vec<_>>();
    match error {
        UsageError::UnknownVerb(word) => {
            let known = match path.last() {
                Some(row) => verbs(row),
                None => top.iter().map(|row| row.name).chain(["auth", "help"]).collect(),
            };
            let word = harmless(word, 40);
            match (nearest(&word, &known), path.is_empty()) {
                (Some(near), true) => format!("there is no command {word:?}; did you mean `{near}`?"),
                (None, true) => format!("there is no command {word:?}"),
                (Some(near), false) => {
                    format!("there is no command \"{typed} {word}\"; did you mean `{typed} {near}`?")
                }
                (None, false) => format!("`{typed}` takes one of: {}", names(&known)),
            }
        }
        UsageError::MissingVerb => match path.last() {
            Some(row) => format!("`{typed}` takes one of: {}", names(&verbs(row))),
            None => "there is no command".to_owned(),
        },
        UsageError::UnknownOption(name) => unknown_option(name, path, top),
        UsageError::MissingWord(name) => format!("`{typed}` needs {name}"),
        UsageError::ExtraWord(word) => {
            // The word may be a token in the wrong place, so it is not repeated.
            let extra = format!("`{typed}` takes no more words");
            match path {
                [_] if top.iter().any(|row| row.name == *word) => "one command at a time".to_owned(),
                [group, _] => {
                    format!("{extra}; `{}` takes one of: {}", group.name, names(&verbs(group)))
                }
                _ => extra,
            }
        }
        UsageError::Sentence(sentence) => sentence.clone(),
    }
}

fn unknown_option(name: &str, path: &[&VerbRow], top: &[&VerbRow]) -> String {
    let shown = dashed(&harmless(name, 40));
    let own: Vec<&str> = path.last().map_or_else(Vec::new, |row| option_names(row));
    let everywhere = ["help", "version"];
    let mut owners = Vec::new();
    for row in top {
        if option_names(row).contains(&name) {
            owners.push(format!("`{}`", row.name));
        }
        let inner = row.verbs().iter().filter(|inner| option_names(inner).contains(&name));
        owners.extend(inner.map(|inner| format!("`{} {}`", row.name, inner.name)));
    }
    let refusal = if path.is_empty() {
        format!("there is no option {shown}")
    } else {
        format!("`{}` takes no option {shown}", spelled(path))
    };
    let known: Vec<&str> = own.into_iter().chain(everywhere).collect();
    match nearest(name, &known) {
        _ if !owners.is_empty() && owners.len() <= FEW_VERBS => {
            format!("{shown} belongs to {}", owners.join(", "))
        }
        Some(near) if owners.is_empty() => format!("{refusal}; did you mean --{near}?"),
        _ => refusal,
    }
}

fn option_names(row: &VerbRow) -> Vec<&'static str> {
    (row.help)().options.iter().map(|option: &OptionText| option.name).collect()
}

fn dashed(name: &str) -> String {
    if name.starts_with('-') { name.to_owned() } else { format!("--{name}") }
}

/// The words of a verb as they are typed.
pub fn spelled(path: &[&VerbRow]) -> String {
    path.iter().map(|row| row.name).collect::<Vec<_>>().join(" ")
}

/// The known word that a mistyped one is nearest to; none where it is another word altogether.
fn nearest<'a>(word: &str, known: &[&'a str]) -> Option<&'a str> {
    let typos = if word.chars().count() < 4 { 1 } else { 2 };
    let near = known.iter().map(|candidate| (distance(word, candidate), *candidate));
    near.filter(|(distance, _)| *distance <= typos)
        .min_by_key(|(distance, _)| *distance)
        .map(|(_, near)| near)
}

/// How many letters to add, leave out, replace or swap with their neighbour, to make one word of the other.
fn distance(from: &str, to: &str) -> usize {
    let (from, to): (Vec<char>, Vec<char>) = (from.chars().collect(), to.chars().collect());
    let mut rows = vec![(0..=to.len()).collect::<Vec<_>>()];
    for (i, a) in from.iter().enumerate() {
        let mut row = vec![i + 1];
        for (j, b) in to.iter().enumerate() {
            let replaced = rows[i][j] + usize::from(a != b);
            let mut best = replaced.min(rows[i][j + 1] + 1).min(row[j] + 1);
            if i > 0 && j > 0 && *a == to[j - 1] && from[i - 1] == *b {
                best = best.min(rows[i - 1][j - 1] + 1);
            }
            row.push(best);
        }
        rows.push(row);
    }
    rows[from.len()][to.len()]
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_typo_is_near_and_another_word_is_not() {
        let known = ["login", "logout", "token", "link"];
        for (typed, near) in [
            ("tokn", Some("token")),
            ("lgoin", Some("login")),
            ("logn", Some("login")),
            ("lnk", Some("link")),
            ("Token", Some("token")),
            ("frob", None),
            ("", None),
            ("configuration", None),
        ] {
            assert_eq!(nearest(typed, &known), near, "{typed}");
        }
        assert_eq!(distance("jsn", "json"), 1);
        assert_eq!(distance("ab", "ba"), 1);
        assert_eq!(distance("", "abc"), 3);
    }
}
