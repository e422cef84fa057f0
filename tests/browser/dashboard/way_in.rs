//! The way in: a link that works once, opened through a file that nobody else can read.

use super::Desk;
use everkey_tests::browser::{Chromium, Kept};
use everkey_tests::{Setup, World, eventually, until};
use std::fs;
use std::os::unix::fs::PermissionsExt;
use std::path::{Path, PathBuf};

const COOKIE: &str = "everkey_dashboard";

/// A program that stands in for the browser: it writes down what it is given.
fn fake_browser(world: &World) -> (PathBuf, PathBuf) {
    let (script, notes) = (world.root().join("browser"), world.root().join("opened"));
    let text =
        format!("#!/bin/sh\nprintf '%s\\n' \"$@\" >'{0}.new' && mv '{0}.new' '{0}'\n", notes.display());
    fs::write(&script, text).unwrap();
    fs::set_permissions(&script, fs::Permissions::from_mode(0o755)).unwrap();
    (script, notes)
}

/// The command lines and, where we may look, the environments of all processes.
fn everything_ps_shows() -> String {
    let mut all = String::new();
    for entry in fs::read_dir("/proc").unwrap().flatten() {
        for name in ["cmdline", "environ"] {
            all.push_str(&String::from_utf8_lossy(&fs::read(entry.path().join(name)).unwrap_or_default()));
            all.push('\n');
        }
    }
    all
}

fn link_in(file: &Path) -> String {
    let html = fs::read_to_string(file).unwrap();
    let link = html.split("url=").nth(1).and_then(|rest| rest.split('"').next());
    link.unwrap_or_else(|| panic!("no link in {html}")).to_owned()
}

#[test]
fn the_command_opens_a_private_one_time_link() {
    let test = "the_command_opens_a_private_one_time_link";
    let Some(mut browser) = Chromium::start(test) else { return };
    let mut world = World::new();
    world.everkey("agent start").ok();
    let (script, notes) = fake_browser(&world);
    world.set_env("BROWSER", &script.display().to_string());
    let mut talk = world.start("dashboard");
    let said = talk.line();
    let opened = eventually("a browser", || fs::read_to_string(&notes).ok());
    let file = Path::new(opened.trim());
    assert_eq!(fs::metadata(file).unwrap().permissions().mode() & 0o777, 0o600);
    let link = link_in(file);
    let (origin, key) = link.split_once("/enter?key=").expect("a link to the way in");
    assert!(key.len() >= 43 && origin.contains(".localhost:"), "{link}");
    assert!(said.contains(origin) && !said.contains(key), "{said}");
    assert!(!everything_ps_shows().contains(key), "ps shows the key");

    browser.goto(&format!("file://{}", file.display()));
    let home = format!("{origin}/");
    browser.until("the sessions", |browser| browser.url() == home);
    browser.shows("Nobody is signed in.");
    let cookie = browser.cookie(COOKIE).expect("a cookie");
    let host = origin.trim_start_matches("http://").split(':').next().unwrap();
    let wanted = Kept {
        domain: host.to_owned(),
        path: "/".to_owned(),
        http_only: true,
        same_site: "Strict".to_owned(),
    };
    assert_eq!(cookie, wanted, "for this host alone");
    assert_eq!(browser.script("return document.cookie"), "");
    assert!(!browser.source().contains(key), "the key is gone from the page");
    assert_eq!(browser.script("return document.referrer"), "");

    // A second use lets nobody in and throws nobody out.
    browser.goto(&link);
    browser.shows("everkey dashboard");
    assert_eq!(browser.script("return document.querySelector('#region')"), serde_json::Value::Null);
    browser.goto(&home);
    browser.shows("Nobody is signed in.");
    browser.forget();
    browser.goto(&link);
    browser.shows("does not work any more");
    assert_eq!(browser.cookie(COOKIE), None);
    crate::site::check(&browser, "dashboard-link-used", true);
    browser.goto(&home);
    browser.shows("This page is closed");
    crate::site::check(&browser, "dashboard-closed", true);

    // Enter makes another one.
    fs::remove_file(&notes).unwrap();
    talk.say("");
    let opened = eventually("a browser", || fs::read_to_string(&notes).ok());
    let another = link_in(Path::new(opened.trim()));
    assert_ne!(another, link);
    browser.goto(&another);
    browser.until("the sessions", |browser| browser.url() == home);
    browser.shows("Nobody is signed in.");
    crate::site::check_traffic(&mut browser, "the way in", &[origin]);
    let pid = talk.pid();
    everkey_tests::process::signal(pid, rustix::process::Signal::INT);
    until("its end", || !everkey_tests::process::is_alive(pid));
    assert!(!Path::new(opened.trim()).exists(), "the file goes with it");
}

#[test]
fn a_page_of_another_origin_gets_nothing() {
    let Some(mut desk) = Desk::open("a_page_of_another_origin_gets_nothing", Setup::default()) else {
        return;
    };
    desk.world.login();
    desk.browser.shows("ada@example.com");
    // A page of the api-server's: another port of this machine, to which the browser would send host-only cookies of
    // 127.0.0.1, and which asks with whatever the browser gives it.
    desk.browser.goto(desk.world.server.url());
    let ask = format!(
        "const done = arguments[0]; const all = [];
         const ask = async (path, options) => {{
           try {{ const answer = await fetch('{0}' + path, options); all.push(path + ' ' + answer.status) }}
           catch {{ all.push(path + ' refused') }}
         }};
         (async () => {{
           await ask('/api/auth/status', {{ credentials: 'include' }});
           await ask('/fragment/sessions', {{ credentials: 'include' }});
           await ask('/api/auth/logout', {{ method: 'POST', credentials: 'include', mode: 'cors' }});
           await fetch('{0}/api/auth/logout', {{ method: 'POST', credentials: 'include', mode: 'no-cors', body: '{{}}' }}).catch(() => {{}});
           done(all);
         }})()",
        desk.origin
    );
    let got = desk.browser.script_and_wait(&ask);
    let refused = got.as_array().expect("answers").iter();
    assert!(
        refused.clone().count() == 3 && refused.clone().all(|one| one.as_str().unwrap().ends_with("refused")),
        "{got}"
    );
    assert!(desk.world.session().is_some(), "nobody was signed out");
    // Nor by a form, which no browser holds back.
    desk.browser.goto("about:blank");
    desk.browser.script(&format!(
        "const form = document.createElement('form'); form.method = 'post'; form.action = '{}/api/auth/logout';
         document.body.append(form); form.submit()",
        desk.origin
    ));
    desk.browser.until("the form's answer", |browser| browser.url().starts_with(&desk.origin));
    desk.browser.shows("foreign_origin");
    assert!(desk.world.session().is_some(), "nobody was signed out");
    desk.goto("/");
    desk.browser.shows("ada@example.com");
    drop(desk.browser.errors());
}
