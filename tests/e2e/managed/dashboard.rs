//! The dashboard as a service: on demand, at an address that stays.

use everkey_tests::skip::{has, skipped};
use everkey_tests::{ADA, Setup, World};

/// What a browser of the user gets: its status and its page. Cookies are kept in a file.
fn get(world: &World, url: &str) -> (String, String) {
    let mut command = world.command("curl");
    let jar = "/home/ada/cookies";
    command.args([
        "--silent",
        "--show-error",
        "--max-time",
        "60",
        "-b",
        jar,
        "-c",
        jar,
        "-w",
        "\n%{http_code}",
        url,
    ]);
    let said = everkey_tests::cli::Cli::new(command).run().ok();
    let (page, status) = said.rsplit_once('\n').unwrap();
    (status.to_owned(), page.to_owned())
}

fn installed(test: &str) -> Option<World> {
    if !has("curl") {
        skipped(test, "there is no curl");
        return None;
    }
    let world = World::managed(test, Setup::default())?;
    world.everkey("agent install").ok();
    world.login();
    Some(world)
}

#[test]
fn a_bookmark_of_the_dashboard_works() {
    let Some(world) = installed("a_bookmark_of_the_dashboard_works") else { return };
    assert_eq!(world.unit("everkey-dashboard.service", "ActiveState"), "inactive");
    let shown = world.everkey("dashboard --no-browser --json").json();
    let (url, link) = (shown["url"].as_str().unwrap(), shown["link"].as_str().unwrap());
    assert_eq!(world.unit("everkey-dashboard.service", "ActiveState"), "active");
    let (status, page) = get(&world, url);
    assert!(status != "200" && !page.contains(ADA), "nobody came in yet: {status} {page}");
    assert_eq!(get(&world, link).0, "200");
    assert_eq!(get(&world, link).0, "403", "a link works once");
    let (status, page) = get(&world, url);
    assert_eq!(status, "200", "{page}");
    assert!(page.contains(ADA), "{page}");

    // Another life, for whoever comes by the bookmark.
    world.systemctl("stop everkey-dashboard.service").ok();
    world.until_unit("everkey-dashboard.service", "inactive");
    assert!(get(&world, url).1.contains(ADA));
    assert_eq!(world.unit("everkey-dashboard.service", "ActiveState"), "active");
    let again = world.everkey("dashboard --no-browser --json").json();
    assert_eq!(again["url"], url);
    assert_ne!(again["link"], link);
    // What it remembers lets nobody in.
    let memory =
        std::fs::read_to_string(world.users_home().join(".local/state/everkey/dashboard.json")).unwrap();
    let jar = std::fs::read_to_string(world.users_home().join("cookies")).unwrap();
    let pass =
        jar.lines().find(|line| line.contains("everkey_dashboard")).unwrap().rsplit('\t').next().unwrap();
    assert!(pass.len() == 64 && !memory.contains(pass));
}

#[test]
fn the_dashboard_ends_when_nobody_is_there() {
    let Some(world) = installed("the_dashboard_ends_when_nobody_is_there") else { return };
    world.systemctl("set-environment EVERKEY_TEST_IDLE_MS=300").ok();
    let shown = world.everkey("dashboard --no-browser --json").json();
    world.until_unit("everkey-dashboard.service", "inactive");
    assert_eq!(world.unit("everkey-dashboard.service", "Result"), "success");
    // Its port is nobody else's meanwhile.
    let url = shown["url"].as_str().unwrap();
    let port = url.rsplit_once(':').unwrap().1.parse::<u16>().unwrap();
    assert!(std::net::TcpListener::bind(("127.0.0.1", port)).is_err());
    assert_ne!(get(&world, url).0, "000");
}
