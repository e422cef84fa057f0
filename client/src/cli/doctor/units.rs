//! The systemd units and lingering, where this user has a service manager. It is asked through `systemctl`.

use super::checked::{Checked, TableSection};
use super::finding::{Finding, FindingKind};
use everkey_client::environment;
use rustix::process::geteuid;
use serde_json::json;
use std::collections::BTreeMap;
use std::path::{Path, PathBuf};
use std::process::{Command, Stdio};

const UNITS: [&str; 2] = ["everkey.socket", "everkey.service"];

/// What is asked of each unit.
const PROPERTIES: &str = "Id,LoadState,ActiveState,SubState,UnitFileState,Result";

type Unit = BTreeMap<String, String>;

/// Looks at the units.
pub fn check() -> Checked {
    let mut checked = Checked::of(TableSection::Service);
    if !has_manager() {
        checked.row("Service", "no systemd for this user here");
        checked.facts.push(("units", json!(null)));
        return checked;
    }
    let units = units();
    let shown: Vec<_> = units.iter().map(shown).collect();
    checked.row(
        "Service",
        if shown.is_empty() { "systemctl says nothing".to_owned() } else { shown.join("; ") },
    );
    let is_enabled = units.iter().any(|unit| of(unit, "UnitFileState") == "enabled");
    let lingers = lingers();
    if is_enabled {
        checked.row("", if lingers { "lingers" } else { "ends with your last session on this machine" });
    }
    checked.facts.push(("units", json!({ "units": units, "lingering": lingers })));
    checked.findings.extend(units.iter().filter_map(wrong));
    if is_enabled && !lingers {
        let what = "The agent ends when you leave this machine, as lingering is off.";
        let to_do = "If sessions shall be refreshed all the time: `loginctl enable-linger`.";
        checked.findings.push(FindingKind::NoLingering.of("", what, to_do));
    }
    checked
}

/// A user's service manager has a socket of its own.
fn has_manager() -> bool {
    let of_user = PathBuf::from(format!("/run/user/{}", geteuid().as_raw()));
    let runtime = environment::path("XDG_RUNTIME_DIR").unwrap_or(of_user);
    runtime.join("systemd/private").exists()
}

fn units() -> Vec<Unit> {
    let mut command = Command::new("systemctl");
    command.args(["--user", "--no-pager", "show", "--property", PROPERTIES]).args(UNITS);
    let Ok(output) = command.stdin(Stdio::null()).stderr(Stdio::null()).output() else { return Vec::new() };
    parsed(&String::from_utf8_lossy(&output.stdout))
}

/// `NAME=VALUE` lines, an empty line between two units.
fn parsed(text: &str) -> Vec<Unit> {
    let pair = |line: &str| line.split_once('=').map(|(name, value)| (name.to_owned(), value.to_owned()));
    let units = text.split("\n\n").map(|block| block.lines().filter_map(pair).collect::<Unit>());
    units.filter(|unit| unit.contains_key("Id")).collect()
}

fn of<'a>(unit: &'a Unit, property: &str) -> &'a str {
    unit.get(property).map_or("", String::as_str)
}

fn shown(unit: &Unit) -> String {
    match of(unit, "LoadState") {
        "not-found" => format!("{} is not installed", of(unit, "Id")),
        _ => format!("{} is {} ({})", of(unit, "Id"), of(unit, "ActiveState"), of(unit, "SubState")),
    }
}

fn wrong(unit: &Unit) -> Option<Finding> {
    let name = of(unit, "Id");
    let load = of(unit, "LoadState");
    let look = format!("`systemctl --user status {name}` and `journalctl --user -u {name}` say why.");
    if of(unit, "ActiveState") == "failed" {
        let what = format!("systemd has given up {name} ({}).", of(unit, "Result"));
        let to_do = format!("{look} Then: `systemctl --user restart {name}`.");
        return Some(FindingKind::UnitFailed.of(name, what, to_do));
    }
    if !matches!(load, "loaded" | "not-found" | "stub" | "merged" | "") {
        let what = format!("systemd can't load {name} ({load}).");
        return Some(FindingKind::UnitFailed.of(name, what, look));
    }
    let is_off = of(unit, "UnitFileState") == "enabled" && of(unit, "ActiveState") == "inactive";
    let what = format!("{name} is enabled and does not run.");
    let to_do = format!("Run `systemctl --user start {name}`.");
    // The service itself comes with its first client.
    (is_off && name == UNITS[0]).then(|| FindingKind::UnitStopped.of(name, what, to_do))
}

/// logind keeps a file for each user who lingers.
fn lingers() -> bool {
    let name = environment::text("USER").or_else(name_of_user);
    name.is_some_and(|name| Path::new("/var/lib/systemd/linger").join(name).exists())
}

fn name_of_user() -> Option<String> {
    let users = std::fs::read_to_string("/etc/passwd").ok()?;
    let me = geteuid().as_raw().to_string();
    let line = users.lines().find(|line| line.split(':').nth(2) == Some(&me))?;
    line.split(':').next().map(str::to_owned)
}

#[cfg(test)]
mod tests {
    use super::*;

    fn kinds(text: &str) -> Vec<FindingKind> {
        parsed(text).iter().filter_map(wrong).map(|found| found.kind).collect()
    }

    #[test]
    fn units_are_judged_by_what_systemd_says() {
        let unit = |id: &str, load: &str, active: &str, file: &str| {
            format!(
                "Id={id}\nLoadState={load}\nActiveState={active}\nSubState=x\nUnitFileState={file}\nResult=exit-code\n"
            )
        };
        let both = |a: &str, b: &str| format!("{a}\n{b}");
        let socket = unit("everkey.socket", "loaded", "active", "enabled");
        let idle = unit("everkey.service", "loaded", "inactive", "enabled");
        assert_eq!(parsed(&both(&socket, &idle)).len(), 2);
        assert_eq!(kinds(&both(&socket, &idle)), []);
        assert_eq!(kinds(&unit("everkey.socket", "not-found", "inactive", "")), []);
        assert_eq!(
            kinds(&unit("everkey.socket", "loaded", "inactive", "enabled")),
            [FindingKind::UnitStopped]
        );
        assert_eq!(kinds(&unit("everkey.service", "bad-setting", "inactive", "")), [FindingKind::UnitFailed]);
        assert_eq!(kinds(&unit("everkey.service", "loaded", "failed", "enabled")), [FindingKind::UnitFailed]);
        assert_eq!(kinds("Failed to connect to bus\n"), []);
    }
}
