//! `everkey dashboard` as a person types it: what it starts, opens, prints and leaves behind.

use everkey_tests::cli::Talk;
use everkey_tests::process::{is_alive, signal};
use everkey_tests::{World, eventually, until};
use rustix::process::Signal;
use serde_json::{Value, json};
use std::fs;
use std::os::unix::fs::PermissionsExt;
use std::path::{Path, PathBuf};
use std::time::{Duration, SystemTime};

/// A world with a browser that notes what it was opened on; a file of that number for each time.
fn with_browser() -> (World, PathBuf) {
    let mut world = World::new();
    let noted = world.root().join("opened");
    let browser = world.root().join("browser");
    let script = format!(
        "#!/bin/sh\nn=1; while [ -e {0}.$n ]; do n=$((n+1)); done\n\
         stat -c '%a %n' \"$1\" > {0}.new; cat \"$1\" >> {0}.new; mv {0}.new {0}.$n\n",
        noted.display()
    );
    fs::write(&browser, script).unwrap();
    fs::set_permissions(&browser, fs::Permissions::from_mode(0o755)).unwrap();
    world.set_env("BROWSER", browser.to_str().unwrap());
    (world, noted)
}

fn opened(noted: &Path, number: usize) -> String {
    let path = noted.with_extension(number.to_string());
    eventually("the browser to be opened", || fs::read_to_string(&path).ok())
}

/// The process of the dashboard that a command started.
fn dashboard_of(command: &Talk) -> u32 {
    let children = format!("/proc/{0}/task/{0}/children", command.pid());
    eventually("the dashboard's process", || fs::read_to_string(&children).ok()?.trim().parse().ok())
}

fn link_in(html: &str) -> String {
    let (_, rest) = html.split_once("url=").expect("a page that goes on");
    rest.split('"').next().unwrap().to_owned()
}

#[test]
fn it_opens_a_one_time_link_without_showing_it() {
    let (world, noted) = with_browser();
    let mut command = world.start("dashboard");
    let line = command.line();
    let origin = line.strip_prefix("Dashboard: ").expect("where it is").to_owned();
    assert!(origin.starts_with("http://") && origin.contains(".localhost:"), "{origin}");
    assert!(command.line().contains("Ctrl-C ends it"));
    let page = opened(&noted, 1);
    let (mode, path) = page.lines().next().unwrap().split_once(' ').unwrap();
    assert_eq!(mode, "600");
    let link = link_in(&page);
    assert!(link.starts_with(&format!("{origin}/enter?key=")), "{link}");
    let key = link.rsplit('=').next().unwrap();
    let pid = dashboard_of(&command);
    for pid in [command.pid(), pid] {
        let shown = fs::read(format!("/proc/{pid}/cmdline")).unwrap();
        assert!(!String::from_utf8_lossy(&shown).contains(key), "ps shows the key");
    }

    // Enter opens it again, with another link; the file before is gone.
    command.say("");
    let again = link_in(&opened(&noted, 2));
    assert!(again.starts_with(&origin) && again != link);
    assert_eq!(command.line(), "Opened once more.");
    assert!(!Path::new(path).exists());
    let page = opened(&noted, 2);
    let path = page.lines().next().unwrap().split_once(' ').unwrap().1.to_owned();
    assert!(Path::new(&path).exists(), "the browser may still be reading it");

    signal(command.pid(), Signal::INT);
    let said = command.finish().exits(0);
    assert!(!said.out.contains(key) && said.err.is_empty(), "{said:?}");
    assert!(!is_alive(pid), "the dashboard ends with its command");
    assert!(!Path::new(&path).exists(), "nothing is left behind");
}

#[test]
fn the_file_goes_away_soon_though_the_dashboard_stays() {
    let (world, noted) = with_browser();
    let mut command = world.start("dashboard");
    let page = opened(&noted, 1);
    let path = page.lines().next().unwrap().split_once(' ').unwrap().1.to_owned();
    until("the file to be gone", || !Path::new(&path).exists());
    command.say("");
    opened(&noted, 2);
    drop(command.line());
}

#[test]
fn without_a_browser_the_link_is_printed() {
    let mut world = World::new();
    world.everkey("agent start").ok();
    let left = world.home().join("run/open-killed.html");
    let long_ago = SystemTime::now() - Duration::from_secs(600);
    fs::File::create(&left).unwrap().set_modified(long_ago).unwrap();
    let mut command = world.start("dashboard --no-browser --json");
    let line = command.json();
    assert!(!left.exists(), "what a killed one left is swept");
    let url = line["url"].as_str().unwrap();
    assert_eq!((&line["type"], &line["opened"]), (&json!("dashboard"), &json!(false)));
    let link = line["link"].as_str().unwrap();
    assert!(link.starts_with(&format!("{url}/enter?key=")), "{line}");
    command.say("");
    assert_ne!(command.json()["link"], link, "Enter makes another one");
    // Killed without a word, it takes the dashboard along all the same.
    let pid = dashboard_of(&command);
    signal(command.pid(), Signal::KILL);
    until("the dashboard to end", || !is_alive(pid));
    drop(command);

    world.set_env("BROWSER", "false");
    let mut command = world.start("dashboard");
    command.line();
    assert_eq!(command.line(), "No browser could be opened.");
    assert!(command.line().contains("works once"));
    assert!(command.line().contains(".localhost:"));
}

#[test]
fn a_missing_or_broken_dashboard_is_reported() {
    let world = World::new();
    let bin = world.root().join("alone");
    fs::create_dir(&bin).unwrap();
    let client = PathBuf::from(world.agent_command("").get_program()).with_file_name("everkey");
    fs::copy(client, bin.join("everkey")).unwrap();
    world.everkey("agent start").ok();
    let run = |words: &str| {
        let mut command = world.command(bin.join("everkey"));
        command.env("PATH", "/usr/bin:/bin").args(words.split(' '));
        everkey_tests::cli::Cli::new(command).run()
    };
    let said = run("dashboard").exits(3);
    assert!(said.err.contains("Could not run everkey-dashboard"), "{said:?}");
    assert!(said.err.contains("Put everkey-dashboard beside everkey"), "{said:?}");
    for (script, words) in [
        ("exit 1", "The dashboard has ended."),
        ("echo 'http://evil.example.com/enter?key=x'; cat", "is no link of this version's"),
    ] {
        let program = bin.join("everkey-dashboard");
        fs::write(&program, format!("#!/bin/sh\n{script}\n")).unwrap();
        fs::set_permissions(&program, fs::Permissions::from_mode(0o755)).unwrap();
        run("dashboard --no-browser").exits(3).complains(words);
        let said: Value = run("dashboard --no-browser --json").exits(3).json();
        assert_eq!(said["type"], "error", "{said}");
    }
}
