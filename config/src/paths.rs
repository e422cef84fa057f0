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

/// What the system says of a folder.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct FoundFolder {
    /// Whose it is.
    pub owner: u32,
    /// Its permission bits.
    pub mode: u32,
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
    /// What is made in somebody else's folder would keep its owner out.
    #[error(
        "{variable} is {}, which belongs to user {owner}, and you are user {uid}: run this as that user, set {variable} \
         to a folder of your own, or set EVERKEY_HOME if you mean it, as in a container",
        .folder.display()
    )]
    Foreign {
        /// Which variable names it.
        variable: &'static str,
        /// The folder, or the nearest one above it that is there.
        folder: PathBuf,
        /// Whose it is.
        owner: u32,
        /// Who asks.
        uid: u32,
    },
}

impl Places {
    /// Finds the places from `var` (an environment look-up, empty values count as unset), `folder` (what the system says of
    /// a folder, if there is one) and the user id.
    pub fn find(
        var: impl Fn(&str) -> Option<PathBuf>,
        folder: impl Fn(&Path) -> Option<FoundFolder>,
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
                check_owners(&home, xdg, &folder, uid)?;
                let config = xdg("XDG_CONFIG_HOME").unwrap_or_else(|| home.join(".config"));
                let state =
                    xdg("XDG_STATE_HOME").unwrap_or_else(|| home.join(".local/state")).join("everkey");
                let of_user = PathBuf::from(format!("/run/user/{uid}"));
                // One that is gone, another user's or open to others is what the specification forbids: passed over.
                let is_private = |dir: &PathBuf| {
                    folder(dir).is_some_and(|found| found.owner == uid && found.mode & 0o077 == 0)
                };
                let runtime = [xdg("XDG_RUNTIME_DIR"), Some(of_user)].into_iter().flatten().find(is_private);
                let runtime = runtime.map_or_else(|| state.join("run"), |dir| dir.join("everkey"));
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

    /// The same with the socket in the state folder, where no runtime folder is of use; none where the socket was named.
    pub fn in_state_folder(&self) -> Option<Self> {
        let runtime = self.state.join("run");
        let socket = runtime.join("agent.sock");
        (!self.socket_named).then(|| Self { runtime, socket, ..self.clone() })
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

/// Nobody works in a home of somebody else, and root in no folder of somebody else.
fn check_owners(
    home: &Path,
    xdg: impl Fn(&str) -> Option<PathBuf>,
    folder: impl Fn(&Path) -> Option<FoundFolder>,
    uid: u32,
) -> Result<(), NoPlace> {
    let check = |variable, path: &Path| {
        let nearest = path.ancestors().find_map(|path| Some((path, folder(path)?.owner)));
        // Others may use what is shared, and can make nothing where they may not.
        let is_foreign = |at: &Path, owner| owner != uid && (uid == 0 || (variable == "HOME" && at == path));
        match nearest {
            Some((at, owner)) if is_foreign(at, owner) => {
                Err(NoPlace::Foreign { variable, folder: at.to_owned(), owner, uid })
            }
            Some(_) | None => Ok(()),
        }
    };
    check("HOME", home)?;
    for variable in ["XDG_STATE_HOME", "XDG_CONFIG_HOME", "FAILPROOFAI_AUTH_DIR"] {
        xdg(variable).map_or(Ok(()), |path| check(variable, &path))?;
    }
    Ok(())
}

#[cfg(test)]
mod tests {
    use super::*;

    /// As user 7, with these folders of theirs.
    fn find(vars: &[(&str, &str)], dirs: &[&str]) -> Result<Places, NoPlace> {
        let dirs: Vec<_> = dirs.iter().map(|dir| (*dir, 7, 0o700)).collect();
        find_as(7, vars, &dirs)
    }

    fn find_as(uid: u32, vars: &[(&str, &str)], dirs: &[(&str, u32, u32)]) -> Result<Places, NoPlace> {
        let var = |name: &str| vars.iter().find(|(n, _)| *n == name).map(|(_, v)| PathBuf::from(v));
        let folder = |dir: &Path| {
            let (_, owner, mode) = dirs.iter().find(|(name, ..)| Path::new(name) == dir)?;
            Some(FoundFolder { owner: *owner, mode: *mode })
        };
        Places::find(var, folder, uid)
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

    #[test]
    fn d02_an_unfit_runtime_folder_is_passed_over() {
        let fallback = find(&[("HOME", "/h")], &[]).unwrap();
        let given = [("HOME", "/h"), ("XDG_RUNTIME_DIR", "/r")];
        for (owner, mode) in [(8, 0o700), (0, 0o777), (7, 0o750), (7, 0o701), (7, 0o777)] {
            let found = find_as(7, &given, &[("/r", owner, mode)]).unwrap();
            assert_eq!(found, fallback, "{owner} {mode:o}");
            let found = find_as(7, &given, &[("/r", owner, mode), ("/run/user/7", 7, 0o700)]).unwrap();
            assert_eq!(found.socket, Path::new("/run/user/7/everkey/agent.sock"), "{owner} {mode:o}");
            let found = find_as(7, &given, &[("/run/user/7", owner, mode)]).unwrap();
            assert_eq!(found, fallback, "{owner} {mode:o}");
        }
        assert_eq!(find(&given, &["/r"]).unwrap().socket, Path::new("/r/everkey/agent.sock"));
    }

    #[test]
    fn a_home_of_somebody_else_is_refused() {
        let refused = |uid, vars: &[(&str, &str)], dirs: &[(&str, u32, u32)]| match find_as(uid, vars, dirs) {
            Ok(_) => None,
            Err(NoPlace::Foreign { variable, .. }) => Some(variable),
            Err(other) => panic!("{other}"),
        };
        let (ada, root) = (("/home/ada", 7, 0o700), ("/root", 0, 0o700));
        let others = [ada, root, ("/", 0, 0o755)];
        for (uid, home) in [(0, "/home/ada"), (8, "/home/ada"), (7, "/root"), (0, "/home/ada/new")] {
            assert_eq!(refused(uid, &[("HOME", home)], &others), Some("HOME"), "{uid} {home}");
        }
        for (uid, home) in [(7, "/home/ada"), (0, "/root"), (7, "/new"), (0, "/new")] {
            assert_eq!(refused(uid, &[("HOME", home)], &others), None, "{uid} {home}");
        }
        for variable in ["XDG_STATE_HOME", "XDG_CONFIG_HOME", "FAILPROOFAI_AUTH_DIR"] {
            let vars = [("HOME", "/root"), (variable, "/home/ada/.local/new")];
            assert_eq!(refused(0, &vars, &others), Some(variable));
            assert_eq!(refused(7, &[("HOME", "/home/ada"), (variable, "/new")], &others), None);
        }
        let meant = [("HOME", "/home/ada"), ("EVERKEY_HOME", "/home/ada/everkey")];
        assert_eq!(refused(0, &meant, &others), None);
        let said = find_as(0, &[("HOME", "/home/ada")], &others).unwrap_err().to_string();
        assert_eq!(
            said,
            "HOME is /home/ada, which belongs to user 7, and you are user 0: run this as that user, set HOME to a \
             folder of your own, or set EVERKEY_HOME if you mean it, as in a container"
        );
    }
}
