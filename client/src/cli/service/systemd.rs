//! systemd's user manager: the units of `systemd/`, with the path of this program's own agent.

use super::files::{self, MADE_BY, UnitStanding};
use super::home::home;
use super::step::{IfItFails, ServiceStep};
use everkey_client::{Failure, UserConfiguration, environment};
use std::fs;
use std::net::{Ipv6Addr, TcpListener};
use std::path::{Path, PathBuf};
use std::process::{Command, Stdio};

/// Each unit with its text.
const UNITS: [(&str, &str); 8] = [
    ("everkey.socket", include_str!("../../../../systemd/everkey.socket")),
    ("everkey-lookout.socket", include_str!("../../../../systemd/everkey-lookout.socket")),
    ("everkey-remind.socket", include_str!("../../../../systemd/everkey-remind.socket")),
    (DASHBOARD, include_str!("../../../../systemd/everkey-dashboard.socket")),
    ("everkey.service", include_str!("../../../../systemd/everkey.service")),
    ("everkey-lookout.service", include_str!("../../../../systemd/everkey-lookout.service")),
    ("everkey-remind@.service", include_str!("../../../../systemd/everkey-remind@.service")),
    ("everkey-dashboard.service", include_str!("../../../../systemd/everkey-dashboard.service")),
];

/// What the manager is asked to start now and at each login; the rest follows from it.
const ENABLED: [&str; 5] =
    ["everkey.socket", "everkey-lookout.socket", "everkey-remind.socket", DASHBOARD, "everkey.service"];

const DASHBOARD: &str = "everkey-dashboard.socket";

/// The port in the dashboard's unit, which systemd makes of the user's number.
const PORT_OF_USER: &str = "127.0.0.1:2%U";

const SOCKETS: [&str; 3] = ["everkey-lookout.socket", "everkey-remind.socket", "everkey.socket"];

/// Where the units of `systemd/` look for the programs.
const USUAL_FOLDER: &str = "%h/.local/bin/";

/// Where packages and administrators put units for every user's manager.
const PACKAGED: [&str; 4] =
    ["/etc/systemd/user", "/usr/local/lib/systemd/user", "/usr/lib/systemd/user", "/lib/systemd/user"];

/// What a person's shell says and the service manager does not know.
const PASSED_ON: [&str; 4] =
    ["XDG_CONFIG_HOME", "XDG_STATE_HOME", "FAILPROOFAI_AUTH_DIR", "FAILPROOF_API_URL"];

/// What takes back whatever needs namespaces; the rest of the sandbox stays.
const NO_NAMESPACES: &str = "\
# This machine lets its users have no namespaces of their own.
[Service]
PrivateUsers=no
CapabilityBoundingSet=~
ProtectSystem=no
ProtectHome=no
ReadWritePaths=
ReadOnlyPaths=
InaccessiblePaths=
MountAPIVFS=no
BindPaths=
BindReadOnlyPaths=
PrivateTmp=no
PrivateDevices=no
PrivateIPC=no
PrivateMounts=no
ProtectProc=default
ProtectClock=no
ProtectControlGroups=no
ProtectHostname=no
ProtectKernelLogs=no
ProtectKernelModules=no
ProtectKernelTunables=no
DevicePolicy=auto
";

/// Whether the user has a manager that can be asked.
pub fn runs() -> bool {
    let runtime = environment::path("XDG_RUNTIME_DIR");
    runtime.is_some_and(|dir| dir.join("systemd/private").exists())
}

pub fn install(agent: &Path) -> Result<Vec<ServiceStep>, Failure> {
    let (folder, own) = (folder()?, of_this_user()?);
    let mut steps = Vec::new();
    for (unit, text) in UNITS {
        let text = rendered(unit, text, agent, &own);
        let path = folder.join(unit);
        match files::standing(&path, &text) {
            // A package's unit that runs the same program does as well.
            UnitStanding::Missing if is_packaged(unit, agent) => {}
            UnitStanding::Missing | UnitStanding::Outdated => steps.push(ServiceStep::Write { path, text }),
            UnitStanding::AsItShouldBe => {}
            UnitStanding::Foreign => steps.push(ServiceStep::Leave { path, why: "it is not this command's" }),
        }
    }
    let changed = steps.iter().any(|step| matches!(step, ServiceStep::Write { .. }));
    if changed {
        steps.push(ServiceStep::run(&["systemctl", "--user", "daemon-reload"]));
    }
    let missing: Vec<_> = ENABLED.into_iter().filter(|unit| !is(unit, "is-enabled")).collect();
    if !missing.is_empty() {
        steps.push(ServiceStep::run(&[&["systemctl", "--user", "enable"], missing.as_slice()].concat()));
    }
    let missing: Vec<_> = SOCKETS.into_iter().filter(|unit| !is(unit, "is-active")).collect();
    if !missing.is_empty() {
        steps.push(ServiceStep::StopAgent);
        steps.push(ServiceStep::run(&[&["systemctl", "--user", "start"], missing.as_slice()].concat()));
    }
    if changed && is("everkey.service", "is-active") {
        // Whoever asks meanwhile waits at the socket.
        steps.push(ServiceStep::run(&["systemctl", "--user", "restart", "everkey.service"]));
    }
    if !is(DASHBOARD, "is-active") {
        // Somebody may have its port, which is no reason to do without the agent.
        steps.push(ServiceStep::attempt(&["systemctl", "--user", "start", DASHBOARD], IfItFails::GoOn));
    }
    Ok(steps)
}

/// Whether the service can't start because this machine gives it no namespaces.
pub fn lacks_namespaces() -> bool {
    /// systemd's own: what it could not set up before it ran the program.
    const NAMESPACE: &str = "226";
    let mut command = Command::new("systemctl");
    command.args(["--user", "show", "--value", "--property=ExecMainStatus", "everkey.service"]);
    let output = command.stdin(Stdio::null()).stderr(Stdio::null()).output();
    output.is_ok_and(|output| String::from_utf8_lossy(&output.stdout).trim() == NAMESPACE)
}

/// The service with what is left of its sandbox then.
pub fn without_namespaces() -> Result<Vec<ServiceStep>, Failure> {
    let (path, text) = (drop_in(&folder()?), format!("# {MADE_BY}\n{NO_NAMESPACES}"));
    let forget = ["systemctl", "--user", "reset-failed", "everkey.service", "everkey.socket"];
    Ok(vec![
        ServiceStep::Write { path, text },
        ServiceStep::run(&["systemctl", "--user", "daemon-reload"]),
        ServiceStep::attempt(&forget, IfItFails::SayNothing),
        ServiceStep::run(&["systemctl", "--user", "restart", "everkey.socket"]),
    ])
}

fn drop_in(folder: &Path) -> PathBuf {
    folder.join("everkey.service.d/everkey-no-namespaces.conf")
}

pub fn uninstall() -> Result<Vec<ServiceStep>, Failure> {
    let folder = folder()?;
    let names = UNITS.map(|(unit, _)| unit);
    let drop_in = drop_in(&folder);
    let paths = names.iter().map(|unit| folder.join(unit)).chain([drop_in.clone()]);
    let ours = paths.filter(|path| files::is_ours(path));
    let removals: Vec<_> = ours.map(|path| ServiceStep::Remove { path }).collect();
    let runs = ["everkey-lookout.service", "everkey-dashboard.service"].into_iter().chain(ENABLED);
    let known: Vec<_> = runs.filter(|unit| is(unit, "is-enabled") || is(unit, "is-active")).collect();
    let mut steps = Vec::new();
    if !known.is_empty() {
        steps.push(ServiceStep::run(
            &[&["systemctl", "--user", "disable", "--now"], known.as_slice()].concat(),
        ));
    }
    if !removals.is_empty() {
        steps.extend(removals);
        for folder in drop_in.ancestors().skip(1).take(3) {
            let path = folder.to_owned();
            steps.push(ServiceStep::RemoveFolder { path, if_not_empty: IfItFails::SayNothing });
        }
        steps.push(ServiceStep::run(&["systemctl", "--user", "daemon-reload"]));
        let forget = ["systemctl", "--user", "reset-failed", "everkey.service"];
        steps.push(ServiceStep::attempt(&forget, IfItFails::SayNothing));
    }
    Ok(steps)
}

fn folder() -> Result<PathBuf, Failure> {
    let home = home()?;
    let config = environment::path("XDG_CONFIG_HOME").filter(|path| path.is_absolute());
    Ok(config.unwrap_or_else(|| home.join(".config")).join("systemd/user"))
}

fn rendered(unit: &str, text: &str, agent: &Path, own: &str) -> String {
    let folder = agent.parent().unwrap_or(Path::new("/"));
    let mut text = text.replace(USUAL_FOLDER, &format!("{}/", escaped(&folder.display().to_string())));
    if unit == "everkey.service" {
        text = text.replace("[Install]", &format!("{own}[Install]"));
    }
    if unit == "everkey-remind@.service" {
        text.push_str(own);
    }
    if unit == DASHBOARD {
        text = text.replace(PORT_OF_USER, &addresses());
    }
    format!("# {MADE_BY}\n{text}")
}

/// What the agent's unit needs of this user's own: variables, and folders outside of the home that are to be written to.
fn of_this_user() -> Result<String, Failure> {
    let (home, configuration) = (home()?, UserConfiguration::read()?);
    let variables = PASSED_ON.into_iter().filter_map(|name| Some((name, environment::text(name)?)));
    let mut lines: Vec<_> =
        variables.map(|(name, value)| format!("Environment=\"{name}={}\"\n", escaped(&value))).collect();
    let sessions = configuration.profiles.iter().filter_map(|profile| profile.session_file.parent());
    let mut folders: Vec<_> = sessions.chain([configuration.places.state.as_path()]).collect();
    folders.retain(|folder| !folder.starts_with(&home));
    folders.sort_unstable();
    folders.dedup();
    let folders = folders.iter().map(|folder| escaped(&folder.display().to_string()));
    lines.extend(folders.map(|folder| format!("ReadWritePaths=\"-{folder}\"\n")));
    Ok(lines.concat())
}

/// A port for each user; of ::1, which browsers try first, only where this machine has it.
fn addresses() -> String {
    let port = 20_000 + rustix::process::geteuid().as_raw() % 10_000;
    let four = format!("127.0.0.1:{port}");
    match TcpListener::bind((Ipv6Addr::LOCALHOST, 0)) {
        Ok(_) => format!("{four}\nListenStream=[::1]:{port}"),
        Err(_) => four,
    }
}

/// As systemd reads a path or a value in quotes.
fn escaped(text: &str) -> String {
    text.replace('\\', "\\\\").replace('"', "\\\"").replace('%', "%%")
}

fn is_packaged(unit: &str, agent: &Path) -> bool {
    let runs_it = |text: String| !unit.ends_with(".service") || text.contains(&agent.display().to_string());
    let mut places = PACKAGED.iter().map(|folder| Path::new(folder).join(unit));
    places.any(|path| fs::read_to_string(path).is_ok_and(runs_it))
}

/// Whether a unit is so, as the manager says: `is-enabled`, `is-active`.
fn is(unit: &str, question: &str) -> bool {
    let mut command = Command::new("systemctl");
    command.args(["--user", question, "--quiet", unit]);
    command.stdin(Stdio::null()).stdout(Stdio::null()).stderr(Stdio::null());
    command.status().is_ok_and(|status| status.success())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_unit_runs_the_agent_beside_this_program() {
        let (_, text) = UNITS[4];
        let rendered = rendered("everkey.service", text, Path::new("/opt/100% mine/everkeyd"), "Own=1\n");
        assert!(rendered.contains("ExecStart=\"/opt/100%% mine/everkeyd\" --foreground"), "{rendered}");
        assert!(rendered.starts_with("# Made by") && rendered.contains("\nOwn=1\n[Install]\n"));
        assert!(!rendered.contains(USUAL_FOLDER));
    }
}
