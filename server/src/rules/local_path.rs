//! Where a browser goes on after a sign-in: a path of this server and nothing that a browser could take for another.

use std::fmt;

/// Long enough for an authorization request, short enough for a redirect's header.
const LONGEST: usize = 4096;

/// A path with its query: `/` and visible ASCII, never `//`, a backslash or a `#`.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct LocalPath(String);

impl LocalPath {
    /// Reads a path; `None` if a browser might leave the server by it. Browsers take a backslash for a slash, drop
    /// tabs and line ends, and resolve dots, so all of these are refused.
    pub fn parse(text: &str) -> Option<Self> {
        let path = text.split('?').next().unwrap_or_default();
        let plain = text.bytes().all(|byte| byte.is_ascii_graphic() && byte != b'\\' && byte != b'#');
        let dots =
            |segment: &str| matches!(segment.to_ascii_lowercase().replace("%2e", ".").as_str(), "." | "..");
        let local = path.starts_with('/') && !path.contains("//") && !path.split('/').any(dots);
        (text.len() <= LONGEST && plain && local).then(|| Self(text.to_owned()))
    }

    /// Where a sign-in leads that was not asked for by another page.
    pub fn home() -> Self {
        Self("/dashboard".to_owned())
    }

    /// The path with its query.
    pub fn as_str(&self) -> &str {
        &self.0
    }
}

impl fmt::Display for LocalPath {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.0)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    /// Ways out that browsers or careless checks have let through.
    const WAYS_OUT: [&str; 26] = [
        "",
        "evil.example",
        "https://evil.example/",
        "HTTPS:evil.example",
        "//evil.example",
        "///evil.example",
        "/\\evil.example",
        "\\\\evil.example",
        "\\/evil.example",
        "/\t/evil.example",
        "/\n/evil.example",
        "/\r\nLocation: https://evil.example",
        "\t//evil.example",
        " //evil.example",
        "/ /evil.example",
        "/.//evil.example",
        "/..//evil.example",
        "/%2e%2e/evil",
        "/./evil",
        "/a//evil.example",
        "/\u{0}",
        "/é",
        "/\u{2028}/evil.example",
        "javascript:alert(1)",
        "data:text/html,x",
        "?next=/",
    ];

    #[test]
    fn no_way_out_is_let_through() {
        for text in WAYS_OUT {
            assert_eq!(LocalPath::parse(text), None, "{text:?}");
        }
        assert_eq!(LocalPath::parse(&format!("/{}", "a".repeat(LONGEST))), None);
    }

    #[test]
    fn what_is_let_through_stays_on_the_server() {
        let base = url::Url::parse("https://here.example/signin/code").unwrap();
        for text in [
            "/",
            "/dashboard/sessions",
            "/device?user_code=ABCD-EFGH",
            "/authorize?redirect_uri=http://127.0.0.1:1/cb&state=//x..%2f%0d%0a",
            "/@evil.example",
            "/:80",
            "/%2f%2fevil.example",
            "/%5cevil.example",
            "/a?b=../..",
        ] {
            let path = LocalPath::parse(text).unwrap_or_else(|| panic!("{text}"));
            assert_eq!(base.join(path.as_str()).unwrap().host_str(), Some("here.example"), "{text}");
        }
    }
}
