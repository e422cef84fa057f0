//! The table that a loop prints.

use crate::lane::Cost;
use crate::strace::Role;
use crate::trace::Step;
use std::collections::{BTreeMap, BTreeSet};
use std::fmt::Write;

/// One trial.
#[derive(Debug, Clone)]
pub struct Row {
    pub role: Role,
    pub syscall: String,
    pub nth: usize,
    /// Where the recorded refresh made this call; none if it made fewer.
    pub step: Option<Step>,
    pub cost: Cost,
}

/// The sum of all.
pub fn total(rows: &[Row]) -> Cost {
    let mut sum = Cost::default();
    rows.iter().for_each(|row| sum += row.cost);
    sum
}

/// By step and call: how many trials, and what they cost.
pub fn table(title: &str, rows: &[Row]) -> String {
    let mut text = format!(
        "\n### {title}\n\n| step | thread and call | trials | sessions lost | revoked everywhere | rotations | requests | second sends |\n\
         | --- | --- | ---: | ---: | ---: | ---: | ---: | ---: |\n"
    );
    let mut lines: BTreeMap<(String, String), Cost> = BTreeMap::new();
    for row in rows {
        let step = row.step.map_or("after".to_owned(), |step| step.to_string());
        let call = format!("{} {}", format!("{:?}", row.role).to_lowercase(), row.syscall);
        *lines.entry((step, call)).or_default() += row.cost;
    }
    for ((step, call), cost) in &lines {
        line(&mut text, step, call, cost);
    }
    let points: BTreeSet<_> = rows.iter().map(|row| (row.role, &row.syscall, row.nth)).collect();
    line(&mut text, "**all**", &format!("{} points", points.len()), &total(rows));
    text
}

fn line(text: &mut String, step: &str, call: &str, cost: &Cost) {
    let Cost { trials, lost, revoked, rotations, requests, repeats } = cost;
    let _ = writeln!(
        text,
        "| {step} | {call} | {trials} | {lost} | {revoked} | {rotations} | {requests} | {repeats} |"
    );
}
