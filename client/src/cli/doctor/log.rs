//! The last warning or error in the agent's log, and the end of that log.

use super::checked::{Checked, TableSection};
use everkey_config::paths::Places;
use everkey_guard::file;
use serde_json::json;
use std::io::{Read, Seek, SeekFrom};
use std::path::PathBuf;
use std::process::{Command, Stdio};

/// The agent's log.
pub fn path(places: &Places) -> PathBuf {
    places.state.join("agent.log")
}

/// The end of the log, at most so many bytes, from the beginning of a line; none where there is no log.
pub fn tail(places: &Places, most: u64) -> Option<Vec<u8>> {
    let mut log = file::open(&path(places)).ok().flatten()?;
    let length = log.metadata().ok()?.len();
    log.seek(SeekFrom::Start(length.saturating_sub(most))).ok()?;
    let mut end = Vec::new();
    log.take(most).read_to_end(&mut end).ok()?;
    if length > most {
        let whole = end.iter().position(|byte| *byte == b'\n').map_or(end.len(), |at| at + 1);
        end.drain(..whole);
    }
    Some(end)
}

/// What systemd's journal has last of the agent; none where there is no journal, or nothing in it.
pub fn journal() -> Option<Vec<u8>> {
    let mut command = Command::new("journalctl");
    command.args([
        "--user",
        "--unit",
        "everkey",
        "--lines",
        "500",
        "--no-pager",
        "--quiet",
        "--output",
        "short-iso",
    ]);
    let said = command.stdin(Stdio::null()).stderr(Stdio::null()).output().ok()?;
    (said.status.success() && !said.stdout.is_empty()).then_some(said.stdout)
}

/// What the agent complained of last.
pub fn check(places: &Places) -> Checked {
    const MOST: u64 = 256 * 1024;
    let mut checked = Checked::of(TableSection::Log);
    let Some(end) = tail(places, MOST) else {
        checked.row("Log", "none (an agent of systemd's logs to the journal: journalctl --user -u everkey)");
        checked.facts.push(("last_complaint", json!(null)));
        return checked;
    };
    let end = String::from_utf8_lossy(&end);
    let complains =
        |line: &&str| line.split_whitespace().nth(1).is_some_and(|level| matches!(level, "WARN" | "ERROR"));
    let last = end.lines().rev().find(complains).map(|line| everkey_redact::text(line).into_owned());
    checked.row("Log", last.clone().unwrap_or_else(|| "no warning and no error".to_owned()));
    checked.facts.push(("last_complaint", json!(last)));
    checked
}
