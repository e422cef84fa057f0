//! What the agent hands to `everkey-remind` when a person is to be told something, and what that program sees of the environment.

use serde::{Deserialize, Serialize};
use std::ffi::{OsStr, OsString};

/// One JSON object on the program's stdin.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(tag = "errand", rename_all = "snake_case")]
pub enum Errand {
    /// A reminder is due.
    Reminder {
        /// Unix seconds at which it was due.
        at: u64,
        /// Whom it was set for.
        email: String,
        /// The program to run, with its arguments.
        command: Option<Vec<String>>,
    },
    /// A sign-in may be needed before long.
    SignIn {
        /// The profile.
        profile: String,
        /// Unix seconds at which it may be needed, if that is known.
        by: Option<u64>,
        /// Why, in words.
        why: String,
    },
}

/// The line that the program writes once it listens.
pub const READY: &[u8] = b"ready\n";

const KEPT: [&str; 10] = [
    "HOME",
    "PATH",
    "USER",
    "LOGNAME",
    "LANG",
    "DISPLAY",
    "WAYLAND_DISPLAY",
    "XAUTHORITY",
    "DBUS_SESSION_BUS_ADDRESS",
    "TMPDIR",
];

/// Those of `variables` that are passed on: what finds a home, a screen and a bus. Nothing of everkey's own, nor of
/// whatever else the agent was started with.
pub fn environment(
    variables: impl Iterator<Item = (OsString, OsString)>,
) -> impl Iterator<Item = (OsString, OsString)> {
    variables.filter(|(name, _)| is_kept(name))
}

fn is_kept(name: &OsStr) -> bool {
    name.to_str().is_some_and(|name| {
        let kind = name.starts_with("LC_") || name.starts_with("XDG_");
        KEPT.contains(&name) || (kind && !name.contains("TOKEN"))
    })
}

#[cfg(test)]
mod tests {
    use super::*;
    use std::os::unix::ffi::OsStringExt;

    #[test]
    fn only_home_screen_and_bus_variables_are_passed_on() {
        let kept = ["LC_ALL", "XDG_RUNTIME_DIR", "XDG_SESSION_TYPE"];
        let dropped = [
            "EVERKEY_HOME",
            "EVERKEY_SOCKET",
            "FAILPROOFAI_AUTH_DIR",
            "FAILPROOF_API_URL",
            "BINBOI_AUTH_TOKEN",
            "DOT_AI_AUTH_TOKEN",
            "XDG_ACTIVATION_TOKEN",
            "LD_PRELOAD",
            "NOTIFY_SOCKET",
            "LISTEN_FDS",
            "path",
            "HOMEX",
            "",
        ];
        let all = KEPT.into_iter().chain(kept).chain(dropped).map(|name| (name.into(), "x".into()));
        let odd = (OsString::from_vec(b"LC_\xff".to_vec()), OsString::from("x"));
        let left: Vec<_> = environment(all.chain([odd])).map(|(name, _)| name).collect();
        let wanted: Vec<OsString> = KEPT.into_iter().chain(kept).map(Into::into).collect();
        assert_eq!(left, wanted);
    }
}
