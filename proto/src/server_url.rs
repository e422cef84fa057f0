//! The one rule about where credentials may go: https, or http to this very machine.
//! Stricter than a URL parser: what programs disagree about how to read is refused.

use std::net::{Ipv4Addr, Ipv6Addr};

/// Why an address may not be used.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
pub enum NotAnAddress {
    /// It is no http or https URL.
    #[error("that is no address; one looks like https://api.example.com")]
    Malformed,
    /// It is http and leads off this machine.
    #[error("plain http would send tokens unencrypted; it is only for this machine (127.0.0.1), use https")]
    Plain,
    /// It holds a user name or a password.
    #[error("an address holds no user name and no password")]
    Credentials,
    /// It has a query or a fragment where none may be.
    #[error("a server's address has no query and no fragment")]
    Query,
}

/// A server's base URL as it is compared and stored: completed, no trailing slashes.
pub fn normal_server(url: &str) -> String {
    completed(url.trim_end_matches(|c: char| c == '/' || c.is_whitespace()))
}

/// What somebody means who types a host alone: http for a name of this machine, https for any other. A single word is
/// taken for a host only with a port.
pub fn completed(text: &str) -> String {
    let text = text.trim();
    if text.parse::<Ipv6Addr>().is_ok() {
        return completed(&format!("[{text}]"));
    }
    let authority = text.split(['/', '?', '#']).next().unwrap_or_default();
    match host(authority) {
        Some(host) if !text.contains("://") && is_loopback(host) => format!("http://{text}"),
        Some(host) if !text.contains("://") && (authority != host || host.contains('.')) => {
            format!("https://{text}")
        }
        Some(_) | None => text.to_owned(),
    }
}

/// Whether this is a base URL that credentials may be sent to: no user, query or fragment.
pub fn check_server(url: &str) -> Result<(), NotAnAddress> {
    check(url)?;
    if url.contains(['?', '#']) { Err(NotAnAddress::Query) } else { Ok(()) }
}

/// Whether this is an endpoint's URL, which may have a query, or a page that a browser may be sent to.
pub fn check(url: &str) -> Result<(), NotAnAddress> {
    if !url.chars().all(|c| c.is_ascii_graphic() && !matches!(c, '\\' | '"' | '<' | '>' | '^' | '`')) {
        return Err(NotAnAddress::Malformed);
    }
    let (scheme, rest) = url.split_once("://").ok_or(NotAnAddress::Malformed)?;
    let authority = rest.split(['/', '?', '#']).next().unwrap_or_default();
    if authority.contains('@') {
        return Err(NotAnAddress::Credentials);
    }
    let host = host(authority).ok_or(NotAnAddress::Malformed)?;
    match scheme.to_ascii_lowercase().as_str() {
        "https" => Ok(()),
        "http" if is_loopback(host) => Ok(()),
        "http" => Err(NotAnAddress::Plain),
        _ => Err(NotAnAddress::Malformed),
    }
}

/// The host of `HOST`, `HOST:PORT`, `[V6]`, `[V6]:PORT`.
fn host(authority: &str) -> Option<&str> {
    let (host, rest) = match authority.strip_prefix('[') {
        Some(inner) => {
            let (host, rest) = inner.split_once(']')?;
            host.parse::<Ipv6Addr>().ok()?;
            (host, rest)
        }
        None => {
            let (host, rest) = authority.split_at(authority.find(':').unwrap_or(authority.len()));
            (Some(host).filter(|host| is_name(host))?, rest)
        }
    };
    let port_ok = rest.is_empty() || rest.strip_prefix(':').is_some_and(|p| p.parse::<u16>().is_ok());
    (port_ok && !host.is_empty()).then_some(host)
}

/// A name of letters, digits and `-._`, or four plain numbers: other ways to write a number are read differently.
fn is_name(host: &str) -> bool {
    let last = host.strip_suffix('.').unwrap_or(host).rsplit('.').next().unwrap_or_default();
    let hex = last.strip_prefix("0x").or_else(|| last.strip_prefix("0X"));
    let number =
        hex.unwrap_or(last).bytes().all(|b| b.is_ascii_digit() || hex.is_some() && b.is_ascii_hexdigit());
    let plain = host.bytes().all(|b| b.is_ascii_alphanumeric() || b"-._".contains(&b));
    plain && (!number || host.parse::<Ipv4Addr>().is_ok())
}

fn is_loopback(host: &str) -> bool {
    host.eq_ignore_ascii_case("localhost")
        || host.parse::<Ipv4Addr>().is_ok_and(|ip| ip.is_loopback())
        || host.parse::<Ipv6Addr>().is_ok_and(|ip| ip.is_loopback())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn credentials_go_to_https_or_to_this_machine() {
        for good in [
            "https://api.example.com",
            "https://a/realms/x/",
            "http://127.0.0.1:8080",
            "http://[::1]:1/x",
            "http://localhost:3000",
            "HTTP://127.9.9.9",
        ] {
            assert_eq!(check_server(good), Ok(()), "{good}");
        }
        assert_eq!(check_server("http://example.com"), Err(NotAnAddress::Plain));
        assert_eq!(check_server("http://127.0.0.1.example.com"), Err(NotAnAddress::Plain));
        assert_eq!(check_server("http://localhost@example.com"), Err(NotAnAddress::Credentials));
        assert_eq!(check_server("https://a/?x=1"), Err(NotAnAddress::Query));
        assert_eq!(check("https://a/?x=1"), Ok(()));
        for bad in [
            "",
            "api.example.com",
            "ftp://a",
            "javascript://a",
            "https://",
            "https://a b",
            "https://a\\b",
            "https://a:99999",
            "http://[::1",
            "http://[x]",
            "https://id.e|ample",
            "https://%61.example",
            "https://0x7f.1",
            "https://1.2.3.999",
            "https://.",
            "file:///etc/passwd",
        ] {
            assert_eq!(check_server(bad), Err(NotAnAddress::Malformed), "{bad}");
        }
    }

    #[test]
    fn a_bare_host_gets_the_scheme_that_is_meant() {
        for (typed, meant) in [
            ("127.0.0.1:8787", "http://127.0.0.1:8787"),
            ("localhost:8787", "http://localhost:8787"),
            ("LOCALHOST", "http://LOCALHOST"),
            (" localhost/base/ ", "http://localhost/base/"),
            ("127.9.9.9", "http://127.9.9.9"),
            ("[::1]:8787", "http://[::1]:8787"),
            ("::1", "http://[::1]"),
            ("api.example.com", "https://api.example.com"),
            ("api.example.com:8443/x", "https://api.example.com:8443/x"),
            ("192.168.0.7:8787", "https://192.168.0.7:8787"),
            ("127.0.0.1.example.com", "https://127.0.0.1.example.com"),
            ("intranet:8443", "https://intranet:8443"),
            ("2001:db8::7", "https://[2001:db8::7]"),
        ] {
            assert_eq!(completed(typed), meant);
            assert_eq!(check_server(&completed(typed)), Ok(()), "{typed}");
            assert_eq!(normal_server(&normal_server(typed)), normal_server(typed));
        }
        for other in
            ["", "nonsense", "http://a", "ftp://127.0.0.1", "a b.c", "u:p@a.b", "javascript:x", "a:99999"]
        {
            assert_eq!(completed(other), other);
        }
        assert_eq!(check_server(&completed("u@a.b")), Err(NotAnAddress::Malformed));
    }

    #[test]
    fn servers_compare_without_trailing_slashes() {
        assert_eq!(normal_server(" http://a/ "), "http://a");
        assert_eq!(normal_server("a.example /"), "https://a.example");
        assert_eq!(normal_server("http://a/ /"), "http://a");
    }
}
