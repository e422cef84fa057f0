//! A server of its own with a browser in front of it, and what must hold for every page.

use everkey_tests::Setup;
use everkey_tests::binaries::Binaries;
use everkey_tests::browser::{Chromium, DESK, PHONE};
use everkey_tests::python::root;
use everkey_tests::server::Server;
use tempfile::TempDir;

pub struct Site {
    pub server: Server,
    pub browser: Chromium,
    /// Whether the pages' scripts run.
    pub scripts: bool,
    _folder: TempDir,
}

/// Runs a test with the pages' scripts and once more without; skips it loudly where there is no browser.
pub fn each_way(test: &str, run: impl Fn(&mut Site)) {
    for scripts in [true, false] {
        let Some(mut site) = Site::open(test, &Setup::default()) else { return };
        site.scripts = scripts;
        site.browser.scripts(scripts);
        run(&mut site);
    }
}

impl Site {
    pub fn open(test: &str, setup: &Setup) -> Option<Self> {
        let browser = Chromium::start(test)?;
        let folder = tempfile::tempdir().unwrap();
        let server = Server::start(&Binaries::find(), folder.path(), setup);
        Some(Self { server, browser, scripts: true, _folder: folder })
    }

    pub fn goto(&self, path: &str) {
        self.browser.goto(&self.at(path));
    }

    /// The address of a path: under the name that this browser has for itself, once it has one.
    pub fn at(&self, path: &str) -> String {
        let now = self.browser.url();
        let own = now.match_indices('/').nth(2).map(|(end, _)| &now[..end]);
        let own = own.filter(|origin| origin.contains(".localhost:"));
        format!("{}{path}", own.unwrap_or(self.server.url()))
    }

    /// Waits until the browser is at this path of the server.
    pub fn arrives(&self, path: &str) -> String {
        let at = || self.browser.url();
        let is_there = || at().splitn(4, '/').nth(3).is_some_and(|rest| format!("/{rest}").starts_with(path));
        self.browser.until(path, |_| at().contains(".localhost:") && is_there());
        at()
    }

    /// Signs in on the pages, from wherever the form with the address is shown.
    pub fn sign_in(&self, email: &str) {
        let before = self.server.codes(email).len();
        self.browser.fill("Email address", email);
        self.browser.click("Send the code");
        self.browser.shows("Type the code");
        self.browser.fill("Code", &self.server.code_after(email, before));
        self.browser.click("Sign in");
        self.go_on();
    }

    /// Without scripts nobody knows that this is the browser of the sign-in, and the person is asked.
    pub fn go_on(&self) {
        if !self.scripts {
            self.browser.shows("Sign in here?");
            self.browser.click("Go on");
        }
    }

    /// What must hold for every page, at the one that is shown: nothing sticks out or is too small to touch at phone
    /// width, nobody is shut out, no error in the console, no request to another host. Leaves pictures of it in
    /// target/shots. Where scripts don't run, neither do the accessibility checks; they have seen the same page before.
    pub fn check(&mut self, name: &str) {
        check(&self.browser, name, self.scripts);
        self.check_traffic(name);
    }

    /// No error in the console, no request to another host.
    pub fn check_traffic(&mut self, name: &str) {
        check_traffic(&mut self.browser, name, &["http://127.0.0.1:", "http://everkey-"]);
    }
}

/// What must hold for the page that is shown, wherever it comes from: see [`Site::check`].
pub fn check(browser: &Chromium, name: &str, scripts: bool) {
    for scheme in ["light", "dark"] {
        browser.theme(scheme);
        for (width, device) in [(DESK, "desk"), (PHONE, "phone")] {
            browser.resize(width);
            assert!(!browser.scrolls_sideways(), "{name}: something sticks out at {width} px");
            let small = if width == PHONE { browser.too_small() } else { Vec::new() };
            assert!(small.is_empty(), "{name}: too small for a finger: {small:#?}");
            if !scripts {
                continue;
            }
            browser.picture(&root().join(format!("target/shots/{name}-{device}-{scheme}.png")));
            // Colours follow the scheme, order and sizes the width: each is looked at once.
            if (scheme, device) != ("dark", "desk") && (scheme, device) != ("light", "phone") {
                continue;
            }
            let barriers = browser.barriers();
            assert!(barriers.is_empty(), "{name} ({device}, {scheme}): {barriers:#?}");
        }
    }
    browser.resize(DESK);
}

/// No error in the console so far, no request to any address that does not begin so.
pub fn check_traffic(browser: &mut Chromium, name: &str, ours: &[&str]) {
    // A page that is refused on purpose is an error to the console, though not to the person.
    let mut errors = browser.errors();
    errors.retain(|error| !error.contains("Failed to load resource"));
    assert!(errors.is_empty(), "{name}: {errors:#?}");
    let mut foreign = browser.requests();
    // The browser's own pages and what stands in a page itself are asked of nobody.
    let travels = |url: &str| ["http", "ws"].iter().any(|scheme| url.starts_with(scheme));
    foreign.retain(|url| travels(url) && !ours.iter().any(|ours| url.starts_with(ours)));
    assert!(foreign.is_empty(), "{name} asks other hosts: {foreign:?}");
}
