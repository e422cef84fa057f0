//! What a file of a report may call itself. A browser runs none of these.

use std::str::FromStr;

use crate::rules::unknown_value::UnknownValue;

/// Of everything else it is only known that it is bytes.
const ALLOWED: [&str; 13] = [
    MediaType::BYTES,
    "application/gzip",
    "application/json",
    "application/pdf",
    "application/x-tar",
    "application/zip",
    "application/zstd",
    "image/gif",
    "image/jpeg",
    "image/png",
    "image/webp",
    "text/csv",
    "text/plain",
];

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct MediaType(&'static str);

impl MediaType {
    const BYTES: &'static str = "application/octet-stream";

    pub fn as_str(self) -> &'static str {
        self.0
    }

    /// What the header says: texts are UTF-8, so that no browser guesses.
    pub fn header(self) -> String {
        if self.0.starts_with("text/") { format!("{}; charset=utf-8", self.0) } else { self.0.to_owned() }
    }

    /// All of them, for people.
    pub fn listed() -> String {
        ALLOWED.join(", ")
    }
}

impl Default for MediaType {
    fn default() -> Self {
        Self(Self::BYTES)
    }
}

impl FromStr for MediaType {
    type Err = UnknownValue;

    fn from_str(text: &str) -> Result<Self, UnknownValue> {
        ALLOWED.into_iter().find(|allowed| *allowed == text).map(Self).ok_or(UnknownValue)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn nothing_that_a_browser_runs_is_on_the_list() {
        for bad in [
            "text/html",
            "image/svg+xml",
            "application/xhtml+xml",
            "text/javascript",
            "text/xml",
            "",
            "TEXT/PLAIN",
        ] {
            assert_eq!(bad.parse::<MediaType>(), Err(UnknownValue), "{bad}");
        }
        let plain: MediaType = "text/plain".parse().unwrap();
        assert_eq!(plain.header(), "text/plain; charset=utf-8");
        assert_eq!(MediaType::default().header(), "application/octet-stream");
    }
}
