//! A diagnosis for people: what there is, then what is wrong and what to do.

use super::finding::{Finding, FindingLevel};
use super::run::Diagnosis;
use crate::cli::terminal::output;
use anstyle::{AnsiColor, Style};

/// Prints it.
pub fn print(diagnosis: &Diagnosis) {
    table(diagnosis).iter().for_each(output::line);
    for finding in &diagnosis.findings {
        output::line("");
        let (word, colour) = word(finding.level);
        let style = Style::new().bold().fg_color(Some(colour.into()));
        let [first, second] = texts(finding);
        output::line(format_args!("{style}{word}{style:#} {first}"));
        output::line(second);
    }
    output::line("");
    output::line(summary(diagnosis));
}

/// The same as one text without colours.
pub fn whole(diagnosis: &Diagnosis) -> String {
    let mut lines = table(diagnosis);
    for finding in &diagnosis.findings {
        let (word, _) = word(finding.level);
        let [first, second] = texts(finding);
        lines.extend([String::new(), format!("{word} {first}"), second]);
    }
    lines.extend([String::new(), summary(diagnosis), String::new()]);
    lines.join("\n")
}

fn table(diagnosis: &Diagnosis) -> Vec<String> {
    let width = diagnosis.rows.iter().map(|(name, _)| name.chars().count()).max().unwrap_or(0);
    let row = |(name, value): &(String, String)| {
        format!("{:<width$}  {}", output::plain(name), output::plain(value))
    };
    let title = format!("everkey {}", env!("CARGO_PKG_VERSION"));
    std::iter::once(title).chain(diagnosis.rows.iter().map(row)).collect()
}

fn word(level: FindingLevel) -> (&'static str, AnsiColor) {
    match level {
        FindingLevel::Problem => ("Problem:", AnsiColor::Red),
        FindingLevel::Note => ("Note:", AnsiColor::Yellow),
    }
}

/// What is so, and what to do.
fn texts(finding: &Finding) -> [String; 2] {
    [output::plain(&finding.what), format!("  {}", output::plain(&finding.to_do))]
}

fn summary(diagnosis: &Diagnosis) -> String {
    match diagnosis.problems() {
        0 => "Nothing is wrong.".to_owned(),
        1 => "1 problem.".to_owned(),
        many => format!("{many} problems."),
    }
}
