//! Dialogs, windows and cookies: what a page has beside its text.

use super::{Chromium, quoted};
use fantoccini::wd::WindowHandle;
use serde_json::Value;

/// The key that closes a dialog, as WebDriver writes it.
pub const ESCAPE: &str = "\u{e00c}";
/// The key between words.
pub const SPACE: &str = " ";

/// A cookie as the browser keeps it.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Kept {
    /// Its domain; a leading dot means that subdomains get it, too.
    pub domain: String,
    /// Where it goes.
    pub path: String,
    /// Scripts can't read it.
    pub http_only: bool,
    /// `Strict`, `Lax` or `None`.
    pub same_site: String,
}

impl Chromium {
    /// Clicks the first button or link with this text in the dialog that is open.
    pub fn click_in_dialog(&self, text: &str) {
        let text = quoted(text);
        let path = format!(
            "//dialog[@open]//*[self::button or self::a or self::summary][normalize-space(.) = {text}]"
        );
        self.on(&path, async |found| found.click().await);
    }

    /// Clicks the button with this text that does something to this profile.
    pub fn click_for(&self, profile: &str, text: &str) {
        let path = format!(
            "//button[@data-profile = {} and normalize-space(.) = {}]",
            quoted(profile),
            quoted(text)
        );
        self.on(&path, async |found| found.click().await);
    }

    /// Whether there is such a button for this profile.
    pub fn has_for(&self, profile: &str, text: &str) -> bool {
        let find = "return [...document.querySelectorAll('button[data-profile]')]
            .map(one => one.dataset.profile + ' ' + one.textContent.trim())";
        let wanted = Value::from(format!("{profile} {text}"));
        self.script(find).as_array().is_some_and(|all| all.contains(&wanted))
    }

    /// The text of the dialog that is open; empty if none is.
    pub fn dialog(&self) -> String {
        let text = self.script("return document.querySelector('dialog[open]')?.innerText ?? ''");
        text.as_str().unwrap_or_default().to_owned()
    }

    /// Waits until the dialog that is open shows this.
    pub fn dialog_shows(&self, text: &str) {
        self.until(&format!("a dialog with {text:?}"), |browser| browser.dialog().contains(text));
    }

    /// Waits until no dialog is open.
    pub fn no_dialog(&self) {
        self.until("the dialog to be closed", |browser| browser.count("dialog[open]") == 0);
    }

    /// The label or text of what has the focus, as a screen reader says it: short.
    pub fn focus_name(&self) -> String {
        let find = "const at = document.activeElement;
            const label = at.labels?.[0]?.textContent ?? at.getAttribute('aria-label') ?? at.textContent;
            return label.trim().replace(/\\s+/g, ' ').slice(0, 60)";
        self.script(find).as_str().unwrap_or_default().to_owned()
    }

    /// Opens a window beside this one and turns to it. All of them can be seen.
    pub fn open_window(&self) -> WindowHandle {
        let new = self.run(self.client.new_window(false));
        self.turn_to(&new.handle);
        new.handle
    }

    /// Opens a tab of this window and turns to it; the others are hidden then.
    pub fn open_tab(&self) -> WindowHandle {
        let new = self.run(self.client.new_window(true));
        self.turn_to(&new.handle);
        new.handle
    }

    /// The window that is looked at.
    pub fn window(&self) -> WindowHandle {
        self.run(self.client.window())
    }

    /// Looks at another window.
    pub fn turn_to(&self, window: &WindowHandle) {
        self.run(self.client.switch_to_window(window.clone()));
    }

    /// Closes the window that is looked at.
    pub fn close_window(&self) {
        self.run(self.client.close_window());
    }

    /// A cookie of the page.
    pub fn cookie(&self, name: &str) -> Option<Kept> {
        let all = self.devtools("Network.getCookies", serde_json::json!({}));
        let found = all["cookies"].as_array()?.iter().find(|cookie| cookie["name"] == name)?.clone();
        let text = |field: &str| found[field].as_str().unwrap_or_default().to_owned();
        Some(Kept {
            domain: text("domain"),
            path: text("path"),
            http_only: found["httpOnly"] == true,
            same_site: text("sameSite"),
        })
    }

    /// Runs a script in the page that calls its last argument with what is to be returned.
    pub fn script_and_wait(&self, text: &str) -> Value {
        self.run(self.client.execute_async(text, Vec::new()))
    }

    /// Marks the page, so that a reload would be noticed.
    pub fn mark(&self) {
        self.script("window.stayed = true");
    }

    /// Whether the page is the one that was marked.
    pub fn is_marked(&self) -> bool {
        self.script("return window.stayed === true") == true
    }
}
