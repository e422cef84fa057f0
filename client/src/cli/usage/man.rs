//! Manual pages, made of the help pages: their lists become lists, their examples a section, all else paragraphs.

use super::help;
use super::message::spelled;
use super::verb::{GroupedVerb, VerbRow};
use std::fmt::Write;

/// A page of section 1.
pub struct ManualPage {
    /// `everkey-login`
    pub name: String,
    /// In the language of man(7).
    pub text: String,
}

/// One for the program, and one for each verb with the verbs below it. `date` stands in their heads.
pub fn pages(table: &'static [GroupedVerb], date: &str) -> Vec<ManualPage> {
    let general = Help::read(&help::general(table));
    let names: Vec<String> = table.iter().map(|(_, row)| format!("everkey-{}", row.name)).collect();
    let mut pages = vec![page("everkey", date, &general, String::new(), &names)];
    for ((_, row), name) in table.iter().zip(&names) {
        let below: String = row.verbs().iter().map(|inner| section(&[row, inner])).collect();
        let help = Help::read(&help::of_verb(&[row]));
        pages.push(page(name, date, &help, below, &["everkey".to_owned()]));
    }
    pages
}

fn page(name: &str, date: &str, help: &Help, below: String, see: &[String]) -> ManualPage {
    let version = env!("CARGO_PKG_VERSION");
    let mut text =
        format!(".TH {} 1 {date} \"everkey {version}\"\n.nh\n.ad l\n", escaped(&name.to_uppercase()));
    let _ = write!(text, ".SH NAME\n{} \\- {}\n", escaped(name), escaped(&help.summary));
    let _ = write!(text, ".SH SYNOPSIS\n{}", help.synopsis());
    let described: String = help.paragraphs.iter().map(|lines| body(lines)).collect();
    let _ = write!(text, ".SH DESCRIPTION\n{}", after_head(&described));
    if !help.options.is_empty() {
        let _ = write!(text, ".SH OPTIONS\n{}", body(&help.options));
    }
    if !below.is_empty() {
        let _ = write!(text, ".SH COMMANDS\n{}", after_head(&below));
    }
    let _ = write!(text, ".SH EXAMPLES\n{}", verbatim(&help.examples));
    let see: Vec<String> = see.iter().map(|name| format!(".BR {} (1)", escaped(name))).collect();
    let _ = writeln!(text, ".SH SEE ALSO\n{}", see.join(",\n"));
    ManualPage { name: name.to_owned(), text }
}

/// A verb below another, as a part of the other's page.
fn section(path: &[&VerbRow]) -> String {
    let help = Help::read(&help::of_verb(path));
    let described: String = help.paragraphs.iter().map(|lines| body(lines)).collect();
    let mut text = format!(".SS everkey {}\n{}", escaped(&spelled(path)), help.synopsis());
    let _ = write!(text, ".PP\n{}.\n", filled(&first_upper(&help.summary)));
    let _ = write!(text, "{described}{}.PP\n{}", body(&help.options), verbatim(&help.examples));
    text
}

/// No paragraph begins where a head ends.
fn after_head(text: &str) -> &str {
    text.strip_prefix(".PP\n").unwrap_or(text)
}

fn first_upper(text: &str) -> String {
    let mut letters = text.chars();
    letters.next().map_or_else(String::new, |first| first.to_uppercase().chain(letters).collect())
}

/// A help page in its parts.
#[derive(Default)]
struct Help {
    summary: String,
    examples: Vec<String>,
    usage: Vec<String>,
    options: Vec<String>,
    /// The others, but for the list of verbs, each of which has a part of its own.
    paragraphs: Vec<Vec<String>>,
}

impl Help {
    fn read(page: &str) -> Self {
        let mut help = Self::default();
        let mut before_usage = true;
        for paragraph in page.split("\n\n") {
            let lines: Vec<String> =
                paragraph.lines().filter(|line| !line.is_empty()).map(str::to_owned).collect();
            let Some(first) = lines.first() else { continue };
            if help.summary.is_empty() {
                help.summary =
                    first.split_once(": ").map_or(first.as_str(), |(_, summary)| summary).to_owned();
                help.examples.extend(lines.into_iter().skip(1));
            } else if let Some(usage) = first.strip_prefix("Usage: ") {
                before_usage = false;
                help.usage.push(usage.to_owned());
                help.usage.extend(lines[1..].iter().map(|line| line.trim().to_owned()));
            } else if before_usage {
                help.examples.extend(lines);
            } else if first == "Options:" {
                help.options.extend(lines.into_iter().skip(1));
            } else if first != "Commands:" {
                help.paragraphs.push(lines);
            }
        }
        help
    }

    fn synopsis(&self) -> String {
        let lines: Vec<String> = self.usage.iter().map(|line| format!("{}\n", escaped(line))).collect();
        lines.join(".br\n")
    }
}

/// Lines from the margin are text; the others are two columns, or stay as they are.
fn body(lines: &[String]) -> String {
    let mut text = String::new();
    for part in lines.chunk_by(|a, b| a.starts_with(' ') == b.starts_with(' ')) {
        if !part[0].starts_with(' ') {
            let _ = writeln!(text, ".PP\n{}", filled(&part.join(" ")));
        } else if let Some(rows) = columns(part) {
            for (name, help) in rows {
                let _ = writeln!(text, ".TP\n\\fB{}\\fR\n{}", escaped(&name), filled(&help));
            }
        } else {
            let _ = write!(text, ".PP\n{}", verbatim(part));
        }
    }
    text
}

/// Names and what is said of them, whose later lines are put behind its first.
fn columns(lines: &[String]) -> Option<Vec<(String, String)>> {
    let mut rows: Vec<(String, String)> = Vec::new();
    for line in lines {
        let indented = line.len() - line.trim_start().len();
        match (line.trim_start().split_once("  "), rows.last_mut()) {
            // An option without a letter is indented, too.
            (Some((name, help)), _) if indented <= 6 => {
                rows.push((name.to_owned(), help.trim_start().to_owned()));
            }
            (None, Some((_, help))) if indented > 6 => {
                help.push(' ');
                help.push_str(line.trim_start());
            }
            _ => return None,
        }
    }
    Some(rows)
}

fn verbatim(lines: &[String]) -> String {
    let lines = lines.iter().map(|line| no_request(&escaped(line.strip_prefix("  ").unwrap_or(line))));
    format!(".RS 4\n.nf\n{}\n.fi\n.RE\n", lines.collect::<Vec<_>>().join("\n"))
}

/// Text in lines of a fitting length, with what stands between backticks in bold.
fn filled(text: &str) -> String {
    let parts = text.split('`').enumerate();
    let bold = |(place, part): (usize, &str)| match place % 2 {
        0 => escaped(part),
        _ => format!("\\fB{}\\fR", escaped(part)),
    };
    let text: String = parts.map(bold).collect();
    help::wrapped(&text, 78).iter().map(|line| no_request(line)).collect::<Vec<_>>().join("\n")
}

/// A line that begins with a dot would be an order to roff.
fn no_request(line: &str) -> String {
    if line.starts_with('.') { format!("\\&{line}") } else { line.to_owned() }
}

/// A letter stands for itself, also one that roff would obey or make typographic.
fn escaped(text: &str) -> String {
    let mut out = String::new();
    for letter in text.chars() {
        match letter {
            '\\' => out.push_str("\\e"),
            '-' => out.push_str("\\-"),
            '\'' => out.push_str("\\(aq"),
            '`' => out.push_str("\\(ga"),
            '^' => out.push_str("\\(ha"),
            '~' => out.push_str("\\(ti"),
            other => out.push(other),
        }
    }
    out
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::cli::verbs::VERBS;

    /// The text of a page as it is shown, for words are what matters.
    fn shown(page: &str) -> String {
        let plain = page.replace("\\-", "-").replace("\\fB", "").replace("\\fR", "").replace("\\(aq", "'");
        plain.split_whitespace().collect::<Vec<_>>().join(" ")
    }

    #[test]
    fn a_page_says_all_that_help_says() {
        let pages = pages(VERBS, "2026-12-01");
        assert_eq!(pages.len(), VERBS.len() + 1);
        for (page, (_, row)) in pages.iter().skip(1).zip(VERBS) {
            let text = shown(&page.text);
            for path in std::iter::once(vec![row]).chain(row.verbs().iter().map(|inner| vec![row, inner])) {
                let help = (path.last().unwrap().help)();
                for option in help.options {
                    assert!(text.contains(&format!("--{}", option.name)), "{}: {}", page.name, option.name);
                    assert!(text.contains(&shown(&filled(option.help))), "{}: {}", page.name, option.help);
                }
                let lines = help.text.lines().filter(|line| !line.is_empty() && !line.contains('{'));
                for line in lines.filter(|line| !line.ends_with("s:")) {
                    let line = line.trim_start_matches("Usage: ").split("   ").next().unwrap_or_default();
                    assert!(text.contains(&shown(&filled(line))), "{}: {line}", page.name);
                }
            }
        }
    }

    #[test]
    fn nothing_that_is_said_becomes_an_order_to_roff() {
        assert!(verbatim(&["  .so /etc/passwd".to_owned()]).contains("\n\\&.so /etc/passwd\n"));
        assert_eq!(escaped("a\\b -x 'y' ~ ^"), "a\\eb \\-x \\(aqy\\(aq \\(ti \\(ha");
        assert_eq!(filled("Run `everkey login`."), "Run \\fBeverkey login\\fR.");
        let long = format!("{} .x", "a".repeat(77));
        assert!(filled(&long).ends_with("\n\\&.x"));
    }
}
