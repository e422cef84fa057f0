//! Whether everyone could use a page: what sticks out, what is too small, what shuts people out.

use super::Chromium;
use crate::skip;
use serde_json::{Value, json};
use std::fs;
use std::path::{Path, PathBuf};

impl Chromium {
    /// Whether something sticks out of the page at its side.
    pub fn scrolls_sideways(&self) -> bool {
        let root = "document.documentElement";
        self.script(&format!("return {root}.scrollWidth > {root}.clientWidth")) == json!(true)
    }

    /// What is to be touched and is lower than a finger needs (44 px); links within a sentence don't count.
    pub fn too_small(&self) -> Vec<Value> {
        let find = "const all = 'button, select, summary, .button, nav a, .others a, label:has(input), ' +
                'input:not([type=hidden], [type=checkbox])';
            const seen = element => element.checkVisibility() && element.getBoundingClientRect().width > 1;
            const low = element => element.getBoundingClientRect().height < 43.5;
            return [...document.querySelectorAll(all)].filter(one => seen(one) && low(one)).map(one => one.outerHTML)";
        self.script(find).as_array().cloned().unwrap_or_default()
    }

    /// What the accessibility checks find that is serious or critical, one line each; nothing without axe-core.
    pub fn barriers(&self) -> Vec<String> {
        let Ok(axe) = fs::read_to_string(axe()) else {
            skip::skipped("accessibility", "axe-core is missing (npm, by ./dev setup)");
            return Vec::new();
        };
        self.script(&axe);
        let run = "const done = arguments[0]; axe.run().then(found => done(found.violations), error => done(String(error)))";
        let found = self.run(self.client.execute_async(run, Vec::new()));
        let found = found.as_array().unwrap_or_else(|| panic!("axe fails: {found}"));
        let heavy =
            found.iter().filter(|one| ["serious", "critical"].iter().any(|impact| one["impact"] == *impact));
        heavy.map(|one| format!("{}: {} {}", one["id"], one["help"], one["nodes"][0]["html"])).collect()
    }
}

/// Where `tools/browser.sh` leaves axe-core.
fn axe() -> PathBuf {
    Path::new(env!("CARGO_MANIFEST_DIR")).join("../target/browser/node_modules/axe-core/axe.min.js")
}
