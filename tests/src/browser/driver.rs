//! Chromium's driver: started, and told what browser is wanted.

use crate::process::Running;
use serde_json::json;
use std::io::{BufRead, BufReader};
use std::path::Path;
use std::process::{Command, Stdio};
use std::time::{Duration, Instant};

/// How long a driver or a page may take before it counts as never coming.
pub(super) const PATIENCE: Duration = Duration::from_secs(20);

const FLAGS: [&str; 12] = [
    // As on a machine without name resolution: nothing has a name but this machine.
    "--host-resolver-rules=MAP * ~NOTFOUND, EXCLUDE localhost, EXCLUDE *.localhost, EXCLUDE 127.0.0.1, EXCLUDE [::1], EXCLUDE ::1",
    "--headless=new",
    "--no-sandbox",
    "--disable-gpu",
    "--disable-quic",
    "--no-first-run",
    "--disable-background-networking",
    "--disable-component-update",
    "--disable-sync",
    "--disable-dev-shm-usage",
    "--hide-scrollbars",
    "--lang=en",
];

/// What is asked of it: no window, and a log of the console and of the network.
pub(super) fn capabilities(profile: &Path) -> fantoccini::wd::Capabilities {
    let mut flags: Vec<String> = FLAGS.iter().map(ToString::to_string).collect();
    flags.push(format!("--user-data-dir={}", profile.join("profile").display()));
    let wanted = json!({
        "browserName": "chrome",
        "goog:chromeOptions": { "binary": "/usr/bin/chromium", "args": flags },
        "goog:loggingPrefs": { "browser": "ALL", "performance": "ALL" },
        "timeouts": { "script": 60_000, "pageLoad": 60_000 },
    });
    wanted.as_object().expect("an object").clone().into_iter().collect()
}

/// A driver that listens, and its port. It takes a free port of one address family and gives up where the other has it
/// taken (SeleniumHQ/selenium#10974): then another one is started.
pub(super) fn start(profile: &Path) -> (Running, u16) {
    let start = Instant::now();
    loop {
        let mut command = Command::new("chromedriver");
        command.arg("--port=0").stdin(Stdio::null()).stdout(Stdio::piped()).stderr(Stdio::null());
        // What it writes besides its profile goes away with it.
        command.env("HOME", profile).env("TMPDIR", profile);
        let mut driver = Running::spawn(&mut command);
        match announced_port(&mut driver) {
            Ok(port) => return (driver, port),
            Err(said) => {
                let taken = said.contains("port not available") && start.elapsed() < PATIENCE;
                assert!(taken, "chromedriver ended before it listened: {said}");
            }
        }
    }
}

/// The port that the driver listens on, or what it said before it ended.
fn announced_port(driver: &mut Running) -> Result<u16, String> {
    let output = driver.child().stdout.take().expect("a pipe");
    let mut said = String::new();
    for line in BufReader::new(output).lines() {
        let line = line.expect("chromedriver speaks");
        if let Some((_, port)) = line.split_once("started successfully on port ") {
            return Ok(port.trim_end_matches('.').trim().parse().expect("a port"));
        }
        said.push_str(&line);
        said.push('\n');
    }
    Err(said)
}
