//! Completion in the real shells: what is typed with Tab at their prompts, and what comes of it.

use everkey_tests::skip::{has, skipped};
use everkey_tests::{Terminal, World};
use std::ffi::OsString;
use std::fs;
use std::process::Command;

const WORK: &str = "[profiles.work]\nprovider = \"oauth\"\nissuer = \"https://id.example.com\"\n";

/// Keys, and the words that the command is called with then.
const TYPED: [(&str, &str); 7] = [
    ("everkey prof\tsho\two\t\n", "<profile><show><work>"),
    ("everkey whoa\t--prof\two\t\n", "<whoami><--profile><work>"),
    ("everkey whoami --profile=wo\t\n", "<whoami><--profile=work>"),
    ("everkey auth logo\t\n", "<auth><logout>"),
    ("everkey login --code-file ./scr\t\n", "<login><--code-file><./scroll.txt>"),
    ("everkey link --dir ./dra\t\n", "<link><--dir><./drawer"),
    ("everkey completions fi\t\n", "<completions><fish>"),
];

/// A shell at a terminal, in a folder with a file and a folder, that has read `script`.
struct Shell {
    terminal: Terminal,
    world: World,
}

impl Shell {
    fn start(program: &str, options: &[&str], rc: (&str, String)) -> Self {
        let world = World::new();
        world.configure(WORK);
        let home = world.home().to_owned();
        fs::write(home.join("scroll.txt"), "").unwrap();
        fs::create_dir(home.join("drawer")).unwrap();
        fs::create_dir_all(home.join(rc.0).parent().unwrap()).unwrap();
        fs::write(home.join(rc.0), rc.1).unwrap();
        let mut command = world.command("env");
        command.arg("-C").arg(&home).arg(program).args(options).env("PATH", path(&world));
        command.env("ZDOTDIR", &home).env("XDG_CONFIG_HOME", home.join("config")).env("LANG", "C.UTF-8");
        command.env("XDG_DATA_HOME", home.join("data")).env("XDG_CACHE_HOME", home.join("cache"));
        Self { terminal: Terminal::start(&command), world }
    }

    fn completes(mut self) {
        self.terminal.until_shown("ready>");
        for (keys, words) in TYPED {
            self.terminal.keys(keys);
            self.terminal.until_shown(&format!("called with {words}"));
        }
        assert_eq!(self.world.find_agent(), None, "completion starts no agent");
    }
}

/// The folder of everkey first.
fn path(world: &World) -> OsString {
    let bin = world.client().parent().unwrap().to_owned();
    let old = std::env::var_os("PATH").unwrap_or_default();
    std::env::join_paths(std::iter::once(bin).chain(std::env::split_paths(&old))).unwrap()
}

/// The script that `everkey completions` prints.
fn script(shell: &str) -> String {
    World::new().everkey(&format!("completions {shell}")).ok()
}

#[test]
fn bash_completes_commands_options_and_names_of_accounts() {
    if !has("bash") {
        return skipped("bash completion", "there is no bash");
    }
    let called = "everkey() { printf 'called with '; printf '<%s>' \"$@\"; printf '\\n'; }\nPS1='ready> '\n";
    let rc = format!("source <(command everkey completions bash)\n{called}");
    Shell::start("bash", &["--noprofile", "--rcfile", "rc", "-i"], ("rc", rc)).completes();
}

#[test]
fn zsh_completes_commands_options_and_names_of_accounts() {
    if !has("zsh") {
        return skipped("zsh completion", "there is no zsh (apt-get install zsh)");
    }
    let called = "everkey() { printf 'called with '; printf '<%s>' \"$@\"; printf '\\n' }\nPS1='ready> '\n";
    // Called by its name in a folder of the fpath, as it is installed.
    let autoload = "fpath=($ZDOTDIR/functions $fpath)\nautoload -Uz compinit && compinit -u -D\n";
    let place =
        "mkdir -p $ZDOTDIR/functions\ncommand everkey completions zsh > $ZDOTDIR/functions/_everkey\n";
    let rc = format!("{place}{autoload}{called}");
    Shell::start("zsh", &["-d", "-i"], (".zshrc", rc)).completes();
    let rc = format!(
        "autoload -Uz compinit && compinit -u -D\nsource <(command everkey completions zsh)\n{called}"
    );
    Shell::start("zsh", &["-d", "-i"], (".zshrc", rc)).completes();
}

#[test]
fn fish_completes_commands_options_and_names_of_accounts() {
    if !has("fish") {
        return skipped("fish completion", "there is no fish (apt-get install fish)");
    }
    let called = "function everkey; printf 'called with '; printf '<%s>' $argv; printf '\\n'; end\n";
    let quiet = "set fish_greeting\nfunction fish_prompt; printf 'ready> '; end\n";
    let rc = format!("command everkey completions fish | source\n{called}{quiet}");
    Shell::start("fish", &["-i"], ("config/fish/config.fish", rc)).completes();
}

#[test]
fn no_script_has_a_mistake_in_its_grammar() {
    for (shell, check) in [("bash", "bash -n"), ("zsh", "zsh -n"), ("fish", "fish --no-execute")] {
        let (program, option) = check.split_once(' ').unwrap();
        if !has(program) {
            skipped("the grammar of a completion script", &format!("there is no {program}"));
            continue;
        }
        let world = World::new();
        let file = world.put(shell, &script(shell));
        let checked = Command::new(program).arg(option).arg(file).output().unwrap();
        assert!(checked.status.success() && checked.stderr.is_empty(), "{shell}: {checked:?}");
    }
}
