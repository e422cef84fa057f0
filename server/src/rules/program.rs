//! What a program that calls itself so is for people: `Firefox on Linux` instead of a line of history.

/// Browsers, in the order to look for them: each also claims to be those after it.
const BROWSERS: [(&str, &str); 8] = [
    ("Edg", "Edge"),
    ("OPR/", "Opera"),
    ("SamsungBrowser/", "Samsung Internet"),
    ("Firefox/", "Firefox"),
    ("FxiOS/", "Firefox"),
    ("HeadlessChrome/", "Chrome"),
    ("Chrome/", "Chrome"),
    ("Safari/", "Safari"),
];

const SYSTEMS: [(&str, &str); 7] = [
    ("iPhone", "iPhone"),
    ("iPad", "iPad"),
    ("Android", "Android"),
    ("CrOS", "ChromeOS"),
    ("Windows", "Windows"),
    ("Mac OS X", "macOS"),
    ("Linux", "Linux"),
];

/// A browser's name and system, another program's name, or `None` if it does not tell. It is a claim: shown to
/// people, and nothing is decided by it.
pub fn describe(user_agent: &str) -> Option<String> {
    let find = |names: &[(&str, &'static str)]| {
        names.iter().find(|(mark, _)| user_agent.contains(mark)).map(|(_, name)| *name)
    };
    if !user_agent.starts_with("Mozilla/") {
        let first = user_agent.split(' ').next().unwrap_or_default();
        let name = first.split('/').next().unwrap_or_default();
        return (!name.is_empty()).then(|| name.to_owned());
    }
    match (find(&BROWSERS), find(&SYSTEMS)) {
        (Some(browser), Some(system)) => Some(format!("{browser} on {system}")),
        (Some(browser), None) => Some(browser.to_owned()),
        (None, Some(system)) => Some(format!("A browser on {system}")),
        (None, None) => None,
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn browsers_are_called_by_their_names() {
        let webkit = "AppleWebKit/537.36 (KHTML, like Gecko)";
        for (user_agent, expected) in [
            (format!("Mozilla/5.0 (Windows NT 10.0; Win64; x64) {webkit} Chrome/139.0 Safari/537.36 Edg/139.0"), "Edge on Windows"),
            (format!("Mozilla/5.0 (Linux; Android 15; Pixel 9) {webkit} Chrome/139.0 Mobile Safari/537.36"), "Chrome on Android"),
            ("Mozilla/5.0 (X11; Linux x86_64; rv:142.0) Gecko/20100101 Firefox/142.0".to_owned(), "Firefox on Linux"),
            ("Mozilla/5.0 (Macintosh; Intel Mac OS X 10_15_7) AppleWebKit/605.1.15 Version/18.0 Safari/605.1.15".to_owned(), "Safari on macOS"),
            ("Mozilla/5.0 (iPhone; CPU iPhone OS 18_0 like Mac OS X) AppleWebKit/605.1.15 Safari/604.1".to_owned(), "Safari on iPhone"),
            ("everkey/0.4.0 (linux)".to_owned(), "everkey"),
            ("curl/8.5.0".to_owned(), "curl"),
            ("<script>/1".to_owned(), "<script>"),
        ] {
            assert_eq!(describe(&user_agent).as_deref(), Some(expected), "{user_agent}");
        }
        assert_eq!(describe(""), None);
        assert_eq!(describe("Mozilla/5.0"), None);
    }
}
