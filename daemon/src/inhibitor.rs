//! logind's delay inhibitor, held by a `systemd-inhibit` that runs until it is dropped: this process speaks no D-Bus.

use std::io;
use std::path::Path;
use std::process::{Child, Command, Stdio};

/// Without it there is no logind to be asked.
const SYSTEM_BUS: &str = "/run/dbus/system_bus_socket";

/// The machine waits with sleeping for as long as this lives, a few seconds at most.
pub struct Inhibitor(Child);

impl Inhibitor {
    /// None where there is no logind.
    pub fn hold() -> io::Result<Option<Self>> {
        if !Path::new(SYSTEM_BUS).exists() {
            return Ok(None);
        }
        let mut command = Command::new("systemd-inhibit");
        command.args([
            "--what=sleep",
            "--mode=delay",
            "--who=everkey",
            "--why=a session is being refreshed",
            "cat",
        ]);
        let child = command.stdin(Stdio::piped()).stdout(Stdio::null()).stderr(Stdio::null()).spawn()?;
        Ok(Some(Self(child)))
    }
}

impl Drop for Inhibitor {
    fn drop(&mut self) {
        // It ends when its input does.
        drop(self.0.stdin.take());
        let _ = self.0.wait();
    }
}
