//! Where things live: one answer for agent and clients, from the environment they are given.

use std::path::{Path, PathBuf};

/// The folders and files of one user's agent.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Places {
    /// Where `~` of session files is.
    pub home: PathBuf,
    /// `config.toml`.
    pub config: PathBuf,
    /// Side-cars, revocations, the agent's lock.
    pub state: PathBuf,
    /// The folder of the socket.
    pub runtime: PathBuf,
    /// The agent's socket.
    pub socket: PathBuf,
    /// Whether the socket was named outright by `EVERKEY_SOCKET`.
    pub socket_named: bool,
}

/// The environment gives no folder to work in.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum NoPlace {
    /// Neither `HOME` nor `EVERKEY_HOME` is set.
    #[error("neither HOME nor EVERKEY_HOME is set, so there is no folder to keep sessions in")]
    NoHome,
    /// A variable names a relative path.
    #[error("{0} must be an absolute path")]
    Relative(&'static str),
}

impl Places {
    /// Finds the places from `var` (an environment look-up, empty values count as unset), `is_dir` and the user id.
    pub fn find(
        var: impl Fn(&str) -> Option<PathBuf>,
        is_dir: impl Fn(&Path) -> bool,
        uid: u32,
    ) -> Result<Self, NoPlace> {
        let absolute = |name: &'static str| match var(name) {
            Some(path) if path.is_absolute() => Ok(Some(path)),
            Some(path) if path.as_os_str().is_empty() => Ok(None),
            Some(_) => Err(NoPlace::Relative(name)),
            None => Ok(None),
        };
        // A relative XDG path is to be ignored, says the XDG base directory specification.
        let xdg = |name: &str| var(name).filter(|path| path.is_absolute());

        let mut places = match absolute("EVERKEY_HOME")? {
            Some(root) => Self {
                home: root.join("home"),
                config: root.join("config.toml"),
                state: root.join("state"),
                runtime: root.join("run"),
                socket: root.join("run/agent.sock"),
                socket_named: false,
            },
            None => {
                let home = absolute("HOME")?.ok_or(NoPlace::NoHome)?;
                let config = xdg("XDG_CONFIG_HOME").unwrap_or_else(|| home.join(".config"));
                let state =
                    xdg("XDG_STATE_HOME").unwrap_or_else(|| home.join(".local/state")).join("everkey");
                let of_user = PathBuf::from(format!("/run/user/{uid}"));
                let runtime = xdg("XDG_RUNTIME_DIR")
                    .or_else(|| is_dir(&of_user).then_some(of_user))
                    .map_or_else(|| state.join("run"), |dir| dir.join("everkey"));
                Self {
                    config: config.join("everkey/config.toml"),
                    socket: runtime.join("agent.sock"),
                    home,
                    state,
                    runtime,
                    socket_named: false,
                }
            }
        };
        if let Some(socket) = absolute("EVERKEY_SOCKET")? {
            places.runtime = socket.parent().unwrap_or(Path::new("/")).to_owned();
            places.socket = socket;
            places.socket_named = true;
        }
        Ok(places)
    }

    /// The agent's lock file: held by the one agent, and holding the path of its socket as text.
    pub fn agent_lock(&self) -> PathBuf {
        self.state.join("agent.lock")
    }

    /// The session file of failproofai: `FAILPROOFAI_AUTH_DIR` names its folder outright.
    pub fn failproofai_session(&self, auth_dir: Option<PathBuf>) -> PathBuf {
        auth_dir.unwrap_or_else(|| self.home.join(".failproofai")).join("auth.json")
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn find(vars: &[(&str, &str)], dirs: &[&str]) -> Result<Places, NoPlace> {
        let var = |name: &str| vars.iter().find(|(n, _)| *n == name).map(|(_, v)| PathBuf::from(v));
        Places::find(var, |dir| dirs.iter().any(|d| Path::new(d) == dir), 7)
    }

    #[test]
    fn d02_the_runtime_folder_is_found_without_its_variable() {
        let with = find(&[("HOME", "/h"), ("XDG_RUNTIME_DIR", "/run/user/7")], &["/run/user/7"]).unwrap();
        let without = find(&[("HOME", "/h")], &["/run/user/7"]).unwrap();
        assert_eq!(with, without);
        assert_eq!(with.socket, Path::new("/run/user/7/everkey/agent.sock"));
        let neither = find(&[("HOME", "/h")], &[]).unwrap();
        assert_eq!(neither.socket, Path::new("/h/.local/state/everkey/run/agent.sock"));
    }

    #[test]
    fn everkey_home_holds_everything() {
        let places = find(&[("EVERKEY_HOME", "/e"), ("XDG_RUNTIME_DIR", "/r"), ("HOME", "/h")], &[]).unwrap();
        assert_eq!(places.socket, Path::new("/e/run/agent.sock"));
        assert_eq!(places.failproofai_session(None), Path::new("/e/home/.failproofai/auth.json"));
        assert_eq!(places.failproofai_session(Some("/a".into())), Path::new("/a/auth.json"));
    }

    #[test]
    fn unusable_variables_are_refused_or_ignored() {
        assert_eq!(find(&[], &[]), Err(NoPlace::NoHome));
        assert_eq!(
            find(&[("HOME", "/h"), ("EVERKEY_SOCKET", "s")], &[]),
            Err(NoPlace::Relative("EVERKEY_SOCKET"))
        );
        assert_eq!(
            find(&[("HOME", "/h"), ("XDG_STATE_HOME", "rel")], &[]).unwrap().state,
            Path::new("/h/.local/state/everkey")
        );
    }
}
