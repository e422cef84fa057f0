//! The dashboard in a real browser, before the real agent and api-server.

mod audit;
mod gone;
mod keyboard;
mod live;
mod looks;
mod sessions;
mod sign_in;
mod stuck;
mod taken;
mod way_in;

use crate::site::{check, check_traffic};
use everkey_tests::browser::Chromium;
use everkey_tests::{ADA, Dashboard, Setup, World};

/// A browser that has come in.
pub struct Desk {
    pub browser: Chromium,
    pub dashboard: Dashboard,
    pub world: World,
    pub origin: String,
}

impl Desk {
    /// A world with a running agent and nobody signed in; says loudly that `test` is skipped where there is no browser.
    pub fn open(test: &str, setup: Setup) -> Option<Self> {
        let browser = Chromium::start(test)?;
        let world = World::with(setup);
        Some(Self::before(world, browser))
    }

    /// The same for a world that is prepared.
    pub fn before(world: World, browser: Chromium) -> Self {
        world.everkey("agent start").ok();
        world.agent_pid();
        let dashboard = Dashboard::start(&world);
        let origin = dashboard.stranger().origin;
        let desk = Self { browser, dashboard, world, origin };
        desk.enter(desk.dashboard.link());
        desk
    }

    /// Opens a one-time link, which leads to the sessions.
    pub fn enter(&self, link: &str) {
        self.browser.goto(link);
        let wanted = format!("{}/", self.origin);
        self.browser.until("the sessions", |browser| browser.url() == wanted);
        self.browser.shows("Sessions");
    }

    pub fn goto(&self, path: &str) {
        self.browser.goto(&format!("{}{path}", self.origin));
    }

    /// What must hold for every page, at the one that is shown; leaves pictures of it in target/shots.
    pub fn check(&mut self, name: &str) {
        check(&self.browser, &format!("dashboard-{name}"), true);
        self.check_traffic(name);
    }

    /// No error in the console, no request to another host.
    pub fn check_traffic(&mut self, name: &str) {
        check_traffic(&mut self.browser, name, &[&self.origin]);
    }

    /// Goes through the dialog that is open, as Ada, up to where her code has been sent to the server.
    pub fn enter_code(&self) {
        let before = self.world.server.codes(ADA).len();
        self.browser.dialog_shows("Email address");
        self.browser.fill("Email address", ADA);
        self.browser.click_in_dialog("Send the code");
        self.browser.dialog_shows("We sent a code to");
        self.browser.fill("Code", &self.world.server.code_after(ADA, before));
        self.browser.click_in_dialog("Sign in");
    }

    /// The same until she is signed in.
    pub fn sign_in(&self) {
        self.enter_code();
        self.browser.dialog_shows(&format!("Signed in as {ADA}"));
    }

    /// The same to its end.
    pub fn sign_in_and_close(&self) {
        self.sign_in();
        self.browser.click_in_dialog("Done");
        self.browser.no_dialog();
    }
}
