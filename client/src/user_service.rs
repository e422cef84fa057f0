//! The agent as a service of its user's: whether a service manager is to start it, and how its socket comes back.

use crate::environment;
use everkey_config::paths::Places;
use std::path::{Path, PathBuf};
use std::process::{Command, Stdio};

const SOCKET: &str = "everkey.socket";

/// Whether systemd listens for this agent, or would: the socket's unit is enabled and the user's manager runs.
pub fn is_expected(places: &Places) -> bool {
    let manager = places.runtime.parent().is_some_and(|dir| dir.join("systemd/private").exists());
    !places.socket_named
        && manager
        && enabled_in().iter().any(|folder| folder.join(SOCKET).symlink_metadata().is_ok())
}

/// Has systemd listen again where the socket's name is gone, as after a logout. Where it is there, the service is on its way.
pub fn revive(places: &Places) {
    if places.socket.exists() {
        return;
    }
    let mut command = Command::new("systemctl");
    command.args(["--user", "restart", SOCKET]);
    let _ = command.stdin(Stdio::null()).stdout(Stdio::null()).stderr(Stdio::null()).status();
}

/// Where a unit is enabled: by the user, or for all of them.
fn enabled_in() -> Vec<PathBuf> {
    let config = environment::path("XDG_CONFIG_HOME").filter(|path| path.is_absolute());
    let config = config.or_else(|| environment::path("HOME").map(|home| home.join(".config")));
    let all = Path::new("/etc/systemd/user").to_owned();
    let folders = config.map(|config| config.join("systemd/user")).into_iter().chain([all]);
    folders.map(|folder| folder.join("sockets.target.wants")).collect()
}
