//! Addresses that credentials may be sent to.

use everkey_proto::server_url::{NotAnAddress, completed, normal_server};

/// An endpoint that credentials may be sent to, as the HTTP client reads it: https, or http to this very machine,
/// without user or fragment. It may have a query (RFC 6749 section 3.2).
pub fn endpoint(text: &str) -> Result<String, String> {
    let mut base = reqwest::Url::parse(text.trim()).map_err(|_| format!("{} is no address", text.trim()))?;
    let url = String::from(base.clone());
    base.set_query(None);
    base_url(base.as_str()).map(|_| url)
}

/// The base URL that somebody has typed, perhaps without its scheme.
pub fn typed_base_url(text: &str) -> Result<String, String> {
    base_url(&completed(text))
}

/// A base URL that credentials may be sent to: https, or http to this very machine; no user, query or fragment.
/// It is returned as the HTTP client reads it, so that what is stored, compared and shown is where requests go;
/// without trailing slashes.
pub fn base_url(text: &str) -> Result<String, String> {
    let url = reqwest::Url::parse(text.trim()).map_err(|_| NotAnAddress::Malformed.to_string())?;
    let plain = url.username().is_empty()
        && url.password().is_none()
        && url.query().is_none()
        && url.fragment().is_none();
    if !plain {
        return Err("a server's address has no user, password, query or fragment".to_owned());
    }
    let normal = normal_server(url.as_str());
    let host = url.host_str().unwrap_or_default().trim_matches(['[', ']']);
    let here = host == "localhost" || host.parse::<std::net::IpAddr>().is_ok_and(|ip| ip.is_loopback());
    match url.scheme() {
        "https" => Ok(normal),
        "http" if here => Ok(normal),
        "http" => Err(format!(
            "{normal} would send tokens unencrypted; plain http is only for this machine (127.0.0.1), use https"
        )),
        _ => Err(NotAnAddress::Malformed.to_string()),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn credentials_go_to_https_or_to_this_machine() {
        for good in
            ["https://api.example.com/", "http://127.0.0.1:8080", "http://[::1]:1", "http://localhost:3000//"]
        {
            assert!(base_url(good).is_ok(), "{good}");
        }
        assert_eq!(base_url(" https://a/ ").unwrap(), "https://a");
        assert_eq!(typed_base_url("127.0.0.1:8787").unwrap(), "http://127.0.0.1:8787");
        assert_eq!(typed_base_url("localhost:8787/").unwrap(), "http://localhost:8787");
        assert_eq!(typed_base_url("API.example.com").unwrap(), "https://api.example.com");
        assert_eq!(base_url("https://API.example.com:443/x/").unwrap(), "https://api.example.com/x");
        // By these letters the client keeps proxies away from plain http.
        for local in ["HTTP://127.0.0.1:1", "http:\\\\127.0.0.1:1", "ht\ttp:127.0.0.1:1/"] {
            assert_eq!(base_url(local).unwrap(), "http://127.0.0.1:1");
        }
        for bad in [
            "http://example.com",
            "http://127.0.0.1.evil.com",
            "http://127.0.0.1@evil.com",
            "ftp://a",
            "x",
            "",
            "https://u:p@a",
            "https://a?x=1",
            "https://a#x",
            "http://192.168.0.1",
            "nonsense",
            "https://",
            "https://[::1",
            "a b.c",
        ] {
            let why = typed_base_url(bad).unwrap_err();
            let parsers = ["relative", "without a base", "host", "port", "IPv6", "scheme"];
            assert!(!parsers.iter().any(|word| why.contains(word)), "{bad}: {why}");
        }
    }
}
