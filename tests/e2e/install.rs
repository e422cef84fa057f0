//! `./dev install` and the installer of a release archive: what they put into place works, and is taken away whole.

use everkey_tests::World;
use everkey_tests::skip::{has, skipped};
use std::collections::BTreeSet;
use std::fs;
use std::path::{Path, PathBuf};
use std::process::{Command, Output};

/// A release as `./dev dist` lays it out, of the programs that are tested, and a person to install it for.
struct Release {
    world: World,
    folder: PathBuf,
}

impl Release {
    fn new() -> Self {
        let world = World::new();
        let folder = world.root().join("release");
        let script = r#". tools/common.sh; . tools/stage.sh; stage "$1" "$2""#;
        let repository = Path::new(env!("CARGO_MANIFEST_DIR")).parent().unwrap();
        let built = world.client().parent().unwrap().to_owned();
        let mut command = Command::new("bash");
        command.args(["-euc", script, "stage"]).arg(&folder).arg(built).current_dir(repository);
        succeeded(command.output().unwrap());
        Self { world, folder }
    }

    fn install(&self, options: &[&str]) -> Output {
        let mut command = self.world.command(self.folder.join("install"));
        command.args(options).output().unwrap()
    }

    fn prefix(&self) -> PathBuf {
        self.world.home().join(".local")
    }

    /// Everything in the person's home but what the programs keep themselves.
    fn files(&self) -> BTreeSet<PathBuf> {
        let mut files = BTreeSet::new();
        let mut folders = vec![self.world.home().to_owned()];
        while let Some(folder) = folders.pop() {
            for entry in fs::read_dir(folder).unwrap() {
                let path = entry.unwrap().path();
                if path.is_dir() {
                    folders.push(path.clone());
                }
                files.insert(path);
            }
        }
        files
    }
}

fn succeeded(output: Output) -> String {
    assert!(output.status.success(), "{output:?}");
    String::from_utf8(output.stdout).unwrap()
}

#[test]
fn what_is_installed_works_and_is_taken_away_whole() {
    let release = Release::new();
    let before = release.files();
    let said = succeeded(release.install(&[]));
    let prefix = release.prefix();
    for words in ["Installed everkey", "to your PATH", "To begin: everkey login", "install --remove"] {
        assert!(said.contains(words), "{words}: {said}");
    }
    let everkey = prefix.join("bin/everkey");
    let run = |words: &[&str]| release.world.command(&everkey).args(words).output().unwrap();
    assert!(succeeded(run(&["agent", "start"])).contains("everkeyd"), "the agent is found beside it");
    let unit = fs::read_to_string(prefix.join("share/systemd/user/everkey.service")).unwrap();
    let program = prefix.join("bin/everkeyd");
    assert!(unit.contains(&format!("ExecStart=\"{}\"", program.display())), "{unit}");
    assert!(
        unit.contains("ReadOnlyPaths=-%h/.config/everkey"),
        "what the sandbox guards stays in the home: {unit}"
    );
    for file in [
        "share/man/man1/everkey.1",
        "share/man/man1/everkey-login.1",
        "share/man/man1/everkeyd.1",
        "share/man/man1/everkey-server-serve.1",
        "share/bash-completion/completions/everkey",
        "share/zsh/site-functions/_everkey",
        "share/fish/vendor_completions.d/everkey.fish",
        "share/doc/everkey/README.md",
    ] {
        assert!(prefix.join(file).is_file(), "{file}");
    }
    let said = succeeded(release.install(&["--remove"]));
    assert!(said.contains("Your sessions and settings stay"), "{said}");
    assert_eq!(release.world.find_agent(), None, "its agent is stopped");
    let left: Vec<_> = release.files().difference(&before).cloned().collect();
    let own =
        |path: &PathBuf| ["state", "run"].iter().any(|own| path.starts_with(release.world.home().join(own)));
    assert!(left.iter().all(own), "it leaves {left:?}");
    let again = release.install(&["--remove"]);
    assert!(
        !again.status.success() && String::from_utf8_lossy(&again.stderr).contains("nothing is installed")
    );
}

#[test]
fn an_upgrade_removes_what_only_the_older_version_had() {
    let release = Release::new();
    let page = release.folder.join("man/man1/everkey-old.1");
    fs::write(&page, "").unwrap();
    succeeded(release.install(&[]));
    let everkey = release.prefix().join("bin/everkey");
    succeeded(release.world.command(&everkey).args(["agent", "start"]).output().unwrap());
    let agent = release.world.find_agent();
    let others = release.prefix().join("share/man/man1/somebody-elses.1");
    fs::write(&others, "").unwrap();
    fs::remove_file(page).unwrap();
    let said = succeeded(release.install(&[]));
    assert!(said.contains("still the old one"), "{said}");
    assert!(!release.prefix().join("share/man/man1/everkey-old.1").exists());
    assert_eq!(release.world.find_agent(), agent, "an agent that runs goes on");
    succeeded(release.install(&["--remove"]));
    assert!(others.exists(), "what others put there stays");
    assert!(!everkey.exists());
}

#[test]
fn a_link_of_an_enabled_unit_goes_with_it() {
    let release = Release::new();
    succeeded(release.install(&[]));
    let wants = release.world.home().join(".config/systemd/user/sockets.target.wants");
    fs::create_dir_all(&wants).unwrap();
    let unit = release.prefix().join("share/systemd/user/everkey.socket");
    std::os::unix::fs::symlink(&unit, wants.join("everkey.socket")).unwrap();
    std::os::unix::fs::symlink("/usr/lib/systemd/user/everkey.socket", wants.join("everkey-other.socket"))
        .unwrap();
    succeeded(release.install(&["--remove"]));
    assert!(fs::symlink_metadata(wants.join("everkey.socket")).is_err());
    assert!(fs::symlink_metadata(wants.join("everkey-other.socket")).is_ok(), "another installation's stays");
}

#[test]
fn manual_pages_of_all_programs_are_as_mandoc_wants_them() {
    if !has("mandoc") {
        return skipped("mandoc -T lint", "there is no mandoc (apt-get install mandoc)");
    }
    let release = Release::new();
    let pages = fs::read_dir(release.folder.join("man/man1")).unwrap().map(|entry| entry.unwrap().path());
    let lint = Command::new("mandoc").args(["-T", "lint", "-W", "error"]).args(pages).output().unwrap();
    assert_eq!(succeeded(lint), "");
}
