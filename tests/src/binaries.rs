//! Finds the programs under test: beside this test's own executable.

use std::path::{Path, PathBuf};
use std::process::Command;
use std::sync::OnceLock;

/// Where the programs are.
#[derive(Debug, Clone)]
pub struct Binaries {
    dir: PathBuf,
}

impl Binaries {
    /// Those of the build this test belongs to.
    pub fn find() -> Self {
        let me = std::env::current_exe().expect("a test knows its own path");
        let dir = me.ancestors().nth(2).expect("tests are built into target/PROFILE/deps").to_owned();
        for name in ["everkey", "everkeyd", "everkey-remind", "everkey-server", "everkey-dashboard"] {
            let path = dir.join(name);
            assert!(
                path.is_file(),
                "{} is not there: run `./dev build` before the end-to-end tests",
                path.display()
            );
        }
        Self { dir }
    }

    /// Whether the agent minds the variables that only tests set.
    pub fn has_test_hooks(&self) -> bool {
        static SAID: OnceLock<bool> = OnceLock::new();
        *SAID.get_or_init(|| {
            let said =
                Command::new(self.agent()).arg("--version").output().expect("the agent says its version");
            said.stdout.trim_ascii_end().ends_with(b" with test hooks")
        })
    }

    /// Copies of agent, helper, client and dashboard in a folder that another user can enter.
    pub fn copied_to(&self, dir: &Path) -> Self {
        let names = ["everkey", "everkeyd", "everkey-remind", "everkey-dashboard"];
        // By a process of its own: what another test starts meanwhile would hold the copy open, which can't be run then.
        let copied = Command::new("cp").args(names.map(|name| self.dir.join(name))).arg(dir).status();
        assert!(copied.is_ok_and(|status| status.success()), "room for a copy of the programs");
        Self { dir: dir.to_owned() }
    }

    /// The same programs by the path that others see them at.
    pub fn seen_at(dir: &Path) -> Self {
        Self { dir: dir.to_owned() }
    }

    pub fn agent(&self) -> PathBuf {
        self.dir.join("everkeyd")
    }

    /// The agent's helper that tells of due reminders.
    pub fn helper(&self) -> PathBuf {
        self.dir.join("everkey-remind")
    }

    /// The command line.
    pub fn client(&self) -> PathBuf {
        self.dir.join("everkey")
    }

    pub fn dashboard(&self) -> PathBuf {
        self.dir.join("everkey-dashboard")
    }

    /// The api-server.
    pub fn server(&self) -> PathBuf {
        self.dir.join("everkey-server")
    }
}
