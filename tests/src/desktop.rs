//! A desktop of the test's own: a session bus, and somebody on it who shows notifications.

use crate::process::Running;
use crate::skip::has;
use crate::wait::eventually;
use serde_json::Value;
use std::fs::{self, File};
use std::path::{Path, PathBuf};
use std::process::{Command, Stdio};

/// A bus with a notification center; both end when it is dropped.
pub struct Desktop {
    _center: Running,
    _bus: Running,
    address: String,
    shown: PathBuf,
}

impl Desktop {
    /// Starts both in `folder`; none if this machine has no dbus-daemon. `center` is the program of that name.
    pub fn start(folder: &Path, center: &str) -> Option<Self> {
        if !has("dbus-daemon") {
            return None;
        }
        let (config, socket) = (folder.join("bus.conf"), folder.join("bus"));
        let address = format!("unix:path={}", socket.display());
        let text = format!(
            "<busconfig><type>session</type><listen>{address}</listen><auth>EXTERNAL</auth>\
             <policy context=\"default\"><allow user=\"*\"/><allow own=\"*\"/>\
             <allow send_destination=\"*\" eavesdrop=\"true\"/><allow eavesdrop=\"true\"/></policy></busconfig>"
        );
        fs::write(&config, text).expect("a file for the bus");
        let mut bus = Command::new("dbus-daemon");
        bus.arg("--nofork").arg(format!("--config-file={}", config.display()));
        let bus = Running::spawn(bus.stdin(Stdio::null()).stdout(Stdio::null()));
        eventually("the session bus", || std::os::unix::net::UnixStream::connect(&socket).ok());

        let (shown, said) = (folder.join("shown"), folder.join("center"));
        let mut center = Command::new(center);
        center.arg(&shown).env("DBUS_SESSION_BUS_ADDRESS", &address);
        let output = File::create(&said).expect("a file");
        let center = Running::spawn(center.stdin(Stdio::null()).stdout(output));
        eventually("the notification center", || {
            fs::read_to_string(&said).is_ok_and(|said| said == "ready\n").then_some(())
        });
        Some(Self { _center: center, _bus: bus, address, shown })
    }

    /// What programs find the bus by: `DBUS_SESSION_BUS_ADDRESS`.
    pub fn address(&self) -> &str {
        &self.address
    }

    /// Every notification so far, oldest first.
    pub fn shown(&self) -> Vec<Value> {
        let text = fs::read_to_string(&self.shown).unwrap_or_default();
        text.lines().filter_map(|line| serde_json::from_str(line).ok()).collect()
    }
}
