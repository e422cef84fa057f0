//! A world with a service manager: a home as a person has one, the programs in `~/.local/bin`, and no variable that helps.

use crate::binaries::Binaries;
use crate::cli::{Cli, Output};
use crate::manager::{ADAS_HOME, UserManager};
use crate::setup::Setup;
use crate::skip::skipped;
use crate::wait::until;
use crate::world::World;
use std::fs;
use std::path::{Path, PathBuf};
use std::process::Command;

/// What the agent's unit gets here and nowhere else: there is no journal.
const LOG_TO_FILE: &str = "[Service]\nStandardError=append:%t/agent.log\n";

impl World {
    /// A world whose user has a service manager; none, and a line that says why, where there can be none.
    pub fn managed(test: &str, setup: Setup) -> Option<Self> {
        if let Some(why) = UserManager::why_not() {
            skipped(test, &why);
            return None;
        }
        let gap = setup.refresh_gap_ms.map(|ms| ms.to_string());
        let mut world = Self::with(setup);
        let home = world.users_home();
        for folder in [home.clone(), home.join(".local"), home.join(".local/bin")] {
            fs::create_dir(&folder).expect("a folder of the user");
        }
        world.binaries.copied_to(&home.join(".local/bin"));
        let mut variables = vec![("EVERKEY_LOG", "debug")];
        variables.extend(gap.as_deref().map(|gap| ("EVERKEY_TEST_REFRESH_GAP_MS", gap)));
        let manager = UserManager::start(world.root.path(), &home, &variables);
        world.binaries = Binaries::seen_at(&Path::new(ADAS_HOME).join(".local/bin"));
        world.uid = Some(manager.uid());
        world.env.clear();
        for (name, value) in manager.variables() {
            world.set_env(name, &value);
        }
        for folder in [home.join(".local"), home.join(".local/bin")] {
            world.own(&folder);
        }
        world.manager = Some(manager);
        let server = world.proxy.url();
        world.put(
            "home/.config/everkey/config.toml",
            &format!("[profiles.failproofai]\nprovider = \"failproofai\"\nserver = \"{server}\"\n"),
        );
        for unit in ["everkey.service", "everkey-dashboard.service", "everkey-remind@.service"] {
            let folder = world.runtime().join(format!("systemd/user/{unit}.d"));
            fs::create_dir_all(&folder).expect("a folder in the world");
            fs::write(folder.join("log.conf"), LOG_TO_FILE).expect("a drop-in");
        }
        world.systemctl("daemon-reload").ok();
        Some(world)
    }

    /// The home of the user as a person has it, seen from outside.
    pub fn users_home(&self) -> PathBuf {
        self.home.join("home")
    }

    /// The runtime folder that a sign-in has made, seen from outside.
    pub fn runtime(&self) -> PathBuf {
        self.root.path().join("user")
    }

    /// `systemctl --user WORDS`.
    pub fn systemctl(&self, words: &str) -> Output {
        let mut command = self.command("systemctl");
        command.arg("--user").args(words.split_whitespace());
        Cli::new(command).run()
    }

    /// A program of root's where the manager runs.
    pub fn as_root(&self, program: &str) -> Command {
        self.manager.as_ref().expect("a service manager").as_root(program)
    }

    /// What the manager says of a unit.
    pub fn unit(&self, unit: &str, property: &str) -> String {
        self.systemctl(&format!("show --value --property={property} {unit}")).ok()
    }

    /// Waits until a unit is so.
    pub fn until_unit(&self, unit: &str, state: &str) {
        until(&format!("{unit} to be {state}"), || self.unit(unit, "ActiveState") == state);
    }

    /// Installs today's unit files by hand, as a person without `everkey agent install` does.
    pub fn copy_units(&self) {
        let units = Path::new(env!("CARGO_MANIFEST_DIR")).join("../systemd");
        for unit in fs::read_dir(&units).expect("the units").flatten().map(|entry| entry.file_name()) {
            let unit = unit.into_string().expect("a plain name");
            if !unit.ends_with(".socket") && !unit.ends_with(".service") || unit.contains("server") {
                continue;
            }
            let text = fs::read_to_string(units.join(&unit)).expect("a unit of this repository");
            self.put(&format!("home/.config/systemd/user/{unit}"), &text);
        }
        self.systemctl("daemon-reload").ok();
        self.systemctl("enable --now everkey.socket everkey-lookout.socket everkey-remind.socket").ok();
    }
}
