//! What a person is used to: a word for the prompt, manual pages, colour, a word when it takes long, where to begin.

use everkey_tests::process::{self, is_alive};
use everkey_tests::skip::{has, skipped};
use everkey_tests::{ADA, Setup, Terminal, World};
use rustix::process::Signal;
use std::fs;
use std::os::unix::net::UnixListener;
use std::process::Command;

/// `everkey WORDS`, on a terminal.
fn at(world: &World, words: &str, env: &[(&str, &str)]) -> Terminal {
    let mut command = world.command(world.client());
    command.args(words.split_whitespace()).envs(env.iter().copied());
    Terminal::start(&command)
}

#[test]
fn the_short_status_says_who_and_how_it_stands() {
    let world = World::signed_in(Setup::default());
    assert_eq!(world.everkey("status --short").ok(), ADA);
    world.everkey("status --short --all").exits(2).complains("--short goes with --profile only");
    world.everkey("logout").ok();
    let said = world.everkey("status --short").exits(1);
    assert!(said.out.is_empty() && said.err.is_empty(), "{said:?}");
    world.configure("[profiles.failproofai]\nserver = 7\n");
    let said = world.everkey("status --short").exits(7);
    assert!(said.out.is_empty() && said.err.is_empty(), "a prompt is no place for errors: {said:?}");
}

#[test]
fn the_short_status_starts_no_agent() {
    let world = World::new();
    let said = world.everkey("status --short").exits(3);
    assert!(said.out.is_empty() && said.err.is_empty(), "{said:?}");
    assert_eq!(world.find_agent(), None);
    // A service manager would start one for whoever connects.
    let socket = world.socket();
    fs::create_dir_all(socket.parent().unwrap()).unwrap();
    let listener = UnixListener::bind(&socket).unwrap();
    listener.set_nonblocking(true).unwrap();
    world.everkey("status --short").exits(3);
    assert!(listener.accept().is_err(), "nobody has connected");
}

#[test]
fn the_short_status_waits_for_no_agent_that_is_stuck() {
    let world = World::signed_in(Setup::default());
    let agent = world.agent_pid();
    process::signal(agent, Signal::STOP);
    let patient = world.start("whoami");
    let said = world.everkey("status --short").exits(3);
    assert!(said.out.is_empty() && said.err.is_empty(), "{said:?}");
    assert!(is_alive(patient.pid()), "whoami still waits");
    process::signal(agent, Signal::CONT);
    patient.finish().ok();
}

#[test]
fn colour_is_for_terminals_unless_the_environment_says_otherwise() {
    let world = World::signed_in(Setup::default());
    let coloured = |text: &str| text.contains("\u{1b}[32m");
    let at_terminal = |env: &[(&str, &str)]| {
        let mut terminal = at(&world, "status", env);
        terminal.ended();
        terminal.shown()
    };
    assert!(coloured(&at_terminal(&[])));
    assert!(!coloured(&at_terminal(&[("NO_COLOR", "1")])));
    assert!(!coloured(&at_terminal(&[("CLICOLOR", "0")])));
    assert!(!coloured(&world.everkey("status").ok()));
    assert!(coloured(&world.cli("status").env("CLICOLOR_FORCE", "1").run().ok()));
    let both = world.cli("status").env("CLICOLOR_FORCE", "1").env("NO_COLOR", "1").run().ok();
    assert!(!coloured(&both), "who wants none gets none");
}

#[test]
fn what_takes_over_a_second_says_what_it_waits_for() {
    let world = World::signed_in(Setup::default());
    let gate = world.proxy.hold_refresh_answer();
    let mut terminal = at(&world, "refresh --force", &[]);
    terminal.until_shown("Waiting for the server (1 s)");
    terminal.until_shown("Waiting for the server (2 s)");
    gate.open();
    assert!(terminal.ended().success());
    let shown = terminal.shown();
    let (_, after) = shown.rsplit_once(" s)").unwrap();
    assert!(
        after.starts_with("\r          ") && after.contains(" \rRefreshed"),
        "it is taken back: {shown:?}"
    );
}

#[test]
fn the_first_run_says_where_to_begin() {
    let world = World::new();
    let said = world.everkey("").ok();
    assert!(said.contains("Nobody has signed in here yet") && said.contains("everkey login"), "{said}");
    assert!(said.lines().all(|line| line.chars().count() <= 80), "{said}");
    assert_eq!(world.find_agent(), None);
    world.login();
    assert_eq!(world.everkey("").ok(), world.everkey("--help").ok());
}

#[test]
fn manual_pages_are_as_man_and_mandoc_want_them() {
    let world = World::new();
    let dir = world.root().join("man1");
    world.everkey(&format!("man --dir {}", dir.display())).ok();
    let pages: Vec<_> = fs::read_dir(&dir).unwrap().map(|entry| entry.unwrap().path()).collect();
    assert!(pages.len() > 10, "{pages:?}");
    let login = fs::read_to_string(dir.join("everkey-login.1")).unwrap();
    assert_eq!(world.everkey("man login").ok(), login.trim_end());
    let dated = world.cli("man").env("SOURCE_DATE_EPOCH", "86400").run().ok();
    assert!(dated.starts_with(".TH EVERKEY 1 1970-01-02 "), "{dated}");
    for page in pages {
        if has("mandoc") {
            let lint =
                Command::new("mandoc").args(["-T", "lint", "-W", "warning"]).arg(&page).output().unwrap();
            let said = String::from_utf8_lossy(&lint.stdout);
            assert!(lint.status.success() && said.is_empty(), "{said}");
        } else {
            skipped("mandoc -T lint", "there is no mandoc (apt-get install mandoc)");
        }
        if has("man") && has("groff") {
            let shown = Command::new("man").args(["--warnings", "-l"]).arg(&page).output().unwrap();
            assert!(shown.status.success() && shown.stderr.is_empty(), "{shown:?}");
        } else {
            skipped("man --warnings", "there is no man with groff (apt-get install man-db groff)");
        }
    }
}
