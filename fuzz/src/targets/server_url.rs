//! A server's address, as a person or an environment variable gives it: where tokens will be sent.

use crate::{measure, reach};
use everkey_daemon::http;
use everkey_proto::server_url::normal_server;
use url::{Host, Url};

/// What comes after a base URL; see `provider/`.
const PATH: &str = "/v0/auth/token/refresh";

/// Only https, or http to this machine; and the text that is stored, compared and shown is where requests go.
pub fn base_url(input: &[u8]) {
    let text = String::from_utf8_lossy(input);
    let normal = normal_server(&text);
    assert_eq!(normal_server(&normal), normal, "its normal form has another normal form");
    let base = match measure::tree(text.len(), || http::base_url(&text)) {
        Ok(base) => base,
        Err(why) => {
            assert!(!why.contains(|c: char| c.is_control()), "S01: {why:?}");
            return;
        }
    };
    reach::deep();
    assert!(!base.contains(|c: char| c.is_control() || c.is_whitespace()), "S01: {base:?}");
    assert_eq!(http::base_url(&base).as_ref(), Ok(&base), "read again it is another address");
    assert_eq!(normal_server(&base), base, "agent and client would compare it differently");

    let (Ok(meant), Ok(asked)) = (Url::parse(text.trim()), Url::parse(&format!("{base}{PATH}"))) else {
        unreachable!("{text:?} was taken for {base:?}, which can't be asked");
    };
    assert_eq!(asked.origin(), meant.origin(), "{text:?} and {base:?} are different servers");
    assert!(asked.path().ends_with(PATH) && asked.query().is_none() && asked.fragment().is_none(), "{asked}");
    assert!(asked.username().is_empty() && asked.password().is_none(), "{asked}");
    assert!(for_tokens(asked.as_str()), "{asked} is not for tokens");
    // The HTTP client decides by these letters that no proxy may see the request.
    assert_eq!(
        base.starts_with("http://"),
        asked.scheme() == "http",
        "{base:?} would be sent through a proxy"
    );
}

/// Whether tokens may be sent to this URL: https, or http to this machine; nobody's name in it. Read without any of
/// everkey's code.
pub(super) fn for_tokens(url: &str) -> bool {
    let Ok(url) = Url::parse(url) else { return false };
    let here = match url.host() {
        Some(Host::Domain(name)) => name == "localhost",
        Some(Host::Ipv4(ip)) => ip.is_loopback(),
        Some(Host::Ipv6(ip)) => ip.is_loopback(),
        None => return false,
    };
    let safe = url.scheme() == "https" || (url.scheme() == "http" && here);
    safe && url.username().is_empty() && url.password().is_none() && url.fragment().is_none()
}
