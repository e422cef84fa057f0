//! A headless Chromium that a test drives: what it shows, what it asks for, and whether everyone could use it.

mod driver;
mod looks;
mod windows;

pub use windows::{ESCAPE, Kept, SPACE};

use crate::process::Running;
use crate::skip;
use crate::wait::eventually;
use driver::PATIENCE;
use fantoccini::elements::Element;
use fantoccini::error::CmdError;
use fantoccini::wd::WebDriverCompatibleCommand;
use fantoccini::{Client, ClientBuilder, Locator};
use serde_json::{Value, json};
use std::fs;
use std::path::Path;
use std::time::{Duration, Instant};
use tempfile::TempDir;
use tokio::runtime::Runtime;

const POLL: Duration = Duration::from_millis(20);

/// The keys, as WebDriver writes them.
pub const TAB: &str = "\u{e004}";
/// Likewise.
pub const ENTER: &str = "\u{e007}";

/// How wide a phone is.
pub const PHONE: u32 = 360;
/// How wide a desk is.
pub const DESK: u32 = 1280;

/// A running browser with one page, and a profile that nobody else has.
pub struct Chromium {
    runtime: Runtime,
    client: Client,
    /// Everything logged so far: of the console, and of the network.
    console: Vec<Value>,
    network: Vec<Value>,
    _driver: Running,
    _profile: TempDir,
}

impl Chromium {
    /// Starts one; says loudly that `test` is skipped where there is none.
    pub fn start(test: &str) -> Option<Self> {
        for program in ["chromium", "chromedriver"] {
            if !skip::has(program) {
                skip::skipped(
                    test,
                    &format!("{program} is missing (apt-get install chromium chromium-driver)"),
                );
                return None;
            }
        }
        let profile = tempfile::tempdir().expect("room for a profile");
        let (driver, port) = driver::start(profile.path());
        let runtime = tokio::runtime::Builder::new_multi_thread()
            .worker_threads(1)
            .enable_all()
            .build()
            .expect("a runtime");
        let mut builder = ClientBuilder::new(hyper_util::client::legacy::connect::HttpConnector::new());
        builder.capabilities(driver::capabilities(profile.path()));
        let client = runtime.block_on(builder.connect(&format!("http://127.0.0.1:{port}")));
        let client = client.expect("chromium starts");
        let browser = Self {
            runtime,
            client,
            console: Vec::new(),
            network: Vec::new(),
            _driver: driver,
            _profile: profile,
        };
        browser.resize(DESK);
        Some(browser)
    }

    /// Opens an address.
    pub fn goto(&self, url: &str) {
        self.run(self.client.goto(url));
    }

    /// The address of the page.
    pub fn url(&self) -> String {
        self.run(self.client.current_url()).to_string()
    }

    /// What can be read on the page.
    pub fn text(&self) -> String {
        let read = async { self.client.find(Locator::Css("body")).await?.text().await };
        self.runtime.block_on(read).unwrap_or_default()
    }

    /// The page's source as it stands.
    pub fn source(&self) -> String {
        self.run(self.client.source())
    }

    /// Waits until the page shows this text.
    pub fn shows(&self, text: &str) {
        let start = Instant::now();
        loop {
            let seen = self.text();
            if seen.contains(text) {
                return;
            }
            assert!(start.elapsed() < PATIENCE, "no {text:?} at {}: {seen}", self.url());
            std::thread::sleep(POLL);
        }
    }

    /// Waits until the browser is at an address that begins so, and returns it.
    pub fn arrives(&self, prefix: &str) -> String {
        eventually(&format!("the browser to arrive at {prefix}"), || {
            let url = self.url();
            url.starts_with(prefix).then_some(url)
        })
    }

    /// Writes into the field with this label, in place of what is there.
    pub fn fill(&self, label: &str, text: &str) {
        self.on(&field(label), async |field| {
            field.clear().await?;
            field.send_keys(text).await
        });
    }

    /// What the field with this label holds.
    pub fn value(&self, label: &str) -> String {
        self.on(&field(label), async |field| field.prop("value").await).unwrap_or_default()
    }

    /// Clicks the first button or link with this text, or the first box with this label.
    pub fn click(&self, text: &str) {
        self.on(&clickable(text), async |found| found.click().await);
    }

    /// Clicks the first element that a CSS selector finds within another.
    pub fn click_in(&self, place: &str, selector: &str) {
        let found = self.run(self.client.find(Locator::Css(&format!("{place} {selector}"))));
        self.run(found.click());
    }

    /// Presses these keys, wherever the focus is.
    pub fn press(&self, keys: &str) {
        let press = async { self.client.active_element().await?.send_keys(keys).await };
        self.run(press);
    }

    /// What can be read on the element that has the focus.
    pub fn focused(&self) -> String {
        let read = async { self.client.active_element().await?.text().await };
        self.run(read)
    }

    /// The names of the cookies that the page would send.
    pub fn cookies(&self) -> Vec<String> {
        let all = self.run(self.client.get_all_cookies());
        all.iter().map(|cookie| cookie.name().to_owned()).collect()
    }

    /// Goes back a page.
    pub fn back(&self) {
        self.run(self.client.back());
    }

    /// A property of the first element that a CSS selector finds.
    pub fn property(&self, selector: &str, name: &str) -> String {
        let found = self.run(self.client.find(Locator::Css(selector)));
        self.run(found.prop(name)).unwrap_or_default()
    }

    /// Waits until something holds of the page.
    pub fn until(&self, what: &str, holds: impl Fn(&Self) -> bool) {
        let start = Instant::now();
        while !holds(self) {
            assert!(start.elapsed() < PATIENCE, "waited for {what} at {}: {}", self.url(), self.text());
            std::thread::sleep(POLL);
        }
    }

    /// Ticks the box with this label.
    pub fn tick(&self, label: &str) {
        self.on(&field(label), async |field| field.click().await);
    }

    /// Whether there is such a button or link that can be seen.
    pub fn has(&self, text: &str) -> bool {
        let all = self.run(self.client.find_all(Locator::XPath(&clickable(text))));
        all.iter().any(|found| self.run(found.is_displayed()))
    }

    /// The text of the first element that a CSS selector finds.
    pub fn text_of(&self, selector: &str) -> String {
        let found = self.run(self.client.find(Locator::Css(selector)));
        self.run(found.text())
    }

    /// How many elements a CSS selector finds.
    pub fn count(&self, selector: &str) -> usize {
        self.run(self.client.find_all(Locator::Css(selector))).len()
    }

    /// Makes the window this wide.
    pub fn resize(&self, width: u32) {
        let metrics =
            json!({ "width": width, "height": 900, "deviceScaleFactor": 1, "mobile": width == PHONE });
        self.devtools("Emulation.setDeviceMetricsOverride", metrics);
    }

    /// Asks for the `dark` or the `light` scheme, and for no motion: half-way colours are nobody's.
    pub fn theme(&self, scheme: &str) {
        let features = json!([
            { "name": "prefers-color-scheme", "value": scheme },
            { "name": "prefers-reduced-motion", "value": "reduce" },
        ]);
        self.devtools("Emulation.setEmulatedMedia", json!({ "features": features }));
    }

    /// Runs the pages' scripts, or not.
    pub fn scripts(&self, run: bool) {
        self.devtools("Emulation.setScriptExecutionDisabled", json!({ "value": !run }));
    }

    /// Forgets every cookie.
    pub fn forget(&self) {
        self.devtools("Network.clearBrowserCookies", json!({}));
    }

    /// Runs a script in the page.
    pub fn script(&self, text: &str) -> Value {
        self.run(self.client.execute(text, Vec::new()))
    }

    /// A picture of the whole page.
    pub fn picture(&self, file: &Path) {
        let options = json!({ "format": "png", "captureBeyondViewport": true });
        let answer = self.devtools("Page.captureScreenshot", options);
        let data = answer["data"].as_str().expect("a picture");
        fs::create_dir_all(file.parent().expect("a folder")).expect("a folder for pictures");
        use base64::Engine as _;
        let png = base64::engine::general_purpose::STANDARD.decode(data).expect("base64");
        fs::write(file, png).expect("room for a picture");
    }

    /// Errors in the console so far.
    pub fn errors(&mut self) -> Vec<String> {
        let news = self.logged("browser");
        self.console.extend(news);
        let severe = self.console.iter().filter(|entry| entry["level"] == "SEVERE");
        severe.map(|entry| entry["message"].to_string()).collect()
    }

    /// Every address that pages asked for so far.
    pub fn requests(&mut self) -> Vec<String> {
        let news = self.logged("performance");
        self.network.extend(news);
        let sent = self.network.iter().filter_map(|entry| {
            let message: Value = serde_json::from_str(entry["message"].as_str()?).ok()?;
            let is_request = message["message"]["method"] == "Network.requestWillBeSent";
            is_request.then(|| message["message"]["params"]["request"]["url"].as_str().map(str::to_owned))?
        });
        sent.collect()
    }

    fn logged(&self, kind: &'static str) -> Vec<Value> {
        let answer =
            self.run(self.client.issue_cmd(Vendor { path: "se/log", body: json!({ "type": kind }) }));
        answer.as_array().cloned().unwrap_or_default()
    }

    fn devtools(&self, command: &str, parameters: Value) -> Value {
        let body = json!({ "cmd": command, "params": parameters });
        self.run(self.client.issue_cmd(Vendor { path: "goog/cdp/execute", body }))
    }

    /// A page that is on its way may not have it yet, or take it away again: nothing was done to it then.
    #[track_caller]
    fn on<T>(&self, path: &str, act: impl AsyncFn(Element) -> Result<T, CmdError>) -> T {
        let start = Instant::now();
        loop {
            let found = async { act(self.client.find(Locator::XPath(path)).await?).await };
            match self.runtime.block_on(found) {
                Ok(done) => return done,
                Err(error) => {
                    let waits = is_gone(&error) && start.elapsed() < PATIENCE;
                    assert!(waits, "{path}: {error} at {}: {}", self.url(), self.text());
                }
            }
            std::thread::sleep(POLL);
        }
    }

    #[track_caller]
    fn run<T>(&self, command: impl Future<Output = Result<T, CmdError>>) -> T {
        self.runtime.block_on(command).unwrap_or_else(|error| panic!("the browser says: {error}"))
    }
}

/// Whether the page has no such element now. Chromium has words of its own for a page replaced while it looked.
fn is_gone(error: &CmdError) -> bool {
    error.is_no_such_element()
        || error.is_stale_element_reference()
        || error.to_string().contains("does not belong to the document")
}

impl Drop for Chromium {
    fn drop(&mut self) {
        // The driver ends Chromium's processes, which have groups of their own.
        let _ = self.runtime.block_on(self.client.clone().close());
    }
}

/// A command that only Chromium's driver knows.
#[derive(Debug)]
struct Vendor {
    path: &'static str,
    body: Value,
}

impl WebDriverCompatibleCommand for Vendor {
    fn endpoint(&self, base: &url::Url, session: Option<&str>) -> Result<url::Url, url::ParseError> {
        base.join(&format!("session/{}/{}", session.unwrap_or_default(), self.path))
    }

    fn method_and_body(&self, _: &url::Url) -> (http::Method, Option<String>) {
        (http::Method::POST, Some(self.body.to_string()))
    }
}

fn field(label: &str) -> String {
    let label = format!("//label[contains(normalize-space(.), {})]", quoted(label));
    format!("//*[@id = {label}/@for] | {label}//input | {label}//select")
}

fn clickable(text: &str) -> String {
    let text = quoted(text);
    format!(
        "//button[normalize-space(.) = {text}] | //a[normalize-space(.) = {text}] | //summary[normalize-space(.) = {text}]"
    )
}

fn quoted(text: &str) -> String {
    if text.contains('\'') { format!("\"{text}\"") } else { format!("'{text}'") }
}
