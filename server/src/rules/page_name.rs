//! Host names for the pages of a server that speaks plain http, which is for loopback only. Cookies ignore ports: what a browser
//! gets from 127.0.0.1 it also brings to another user's server on another port. So each browser has a name of its own under
//! `localhost`, and its cookies belong to that name alone.

use std::fmt;

use crate::secret::SecretBytes;

const BEFORE: &str = "everkey-";
const RANDOM: usize = 32;
const BEHIND: &str = ".localhost";

/// A name that nobody can guess. Whoever knows it can make its browser bring the cookies to them.
#[derive(Clone, PartialEq, Eq)]
pub struct PageName(String);

impl PageName {
    /// A fresh one. Errors if the system has no randomness to give.
    pub fn random() -> Result<Self, getrandom::Error> {
        let random = SecretBytes::random()?.to_hex();
        Ok(Self(format!("{BEFORE}{}{BEHIND}", &random.expose()[..RANDOM])))
    }

    /// The name in a `Host` header, whatever the port; `None` if it is none of ours.
    pub fn of_host(host: &str) -> Option<Self> {
        let name = host.split_once(':').map_or(host, |(name, _)| name);
        let random = name.strip_prefix(BEFORE)?.strip_suffix(BEHIND)?;
        let fits = random.len() == RANDOM
            && random.bytes().all(|byte| byte.is_ascii_digit() || (b'a'..=b'f').contains(&byte));
        fits.then(|| Self(name.to_owned()))
    }

    pub fn as_str(&self) -> &str {
        &self.0
    }

    /// The address of a path under this name, at the server with this public address.
    pub fn at(&self, public_url: &str, path: &str) -> String {
        let authority = authority(public_url);
        let port =
            authority.rsplit_once(':').filter(|(_, port)| port.bytes().all(|byte| byte.is_ascii_digit()));
        let port = port.map_or_else(String::new, |(_, port)| format!(":{port}"));
        format!("http://{}{port}{path}", self.0)
    }
}

impl fmt::Debug for PageName {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("****")
    }
}

/// Host and port of a public address.
pub fn authority(public_url: &str) -> &str {
    public_url.split_once("://").map_or(public_url, |(_, authority)| authority)
}

/// Whether a server with this public address is reached over plain http on loopback.
pub fn is_loopback(public_url: &str) -> bool {
    let Ok(url) = url::Url::parse(public_url) else { return false };
    url.scheme() == "http"
        && match url.host() {
            Some(url::Host::Domain(name)) => name == "localhost" || name.ends_with(BEHIND),
            Some(url::Host::Ipv4(ip)) => ip.is_loopback(),
            Some(url::Host::Ipv6(ip)) => ip.is_loopback(),
            None => false,
        }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_host_holds_a_name_or_nothing() {
        let name = PageName::random().unwrap();
        assert_ne!(name, PageName::random().unwrap());
        assert_eq!(PageName::of_host(name.as_str()), Some(name.clone()));
        assert_eq!(PageName::of_host(&format!("{}:8787", name.as_str())), Some(name.clone()));
        assert_eq!(format!("{name:?}"), "****");
        let long = format!("x.{}", name.as_str());
        let upper = name.as_str().to_ascii_uppercase();
        for host in
            ["", "127.0.0.1:8787", "localhost", "everkey-.localhost", &long, &upper, "everkey-0.localhost"]
        {
            assert_eq!(PageName::of_host(host), None, "{host}");
        }
    }

    #[test]
    fn an_address_keeps_the_port_of_the_public_one() {
        let name = PageName::random().unwrap();
        for (public, port) in [
            ("http://127.0.0.1:8787", ":8787"),
            ("http://localhost", ""),
            ("http://[::1]:80", ":80"),
            ("http://[::1]", ""),
        ] {
            assert_eq!(name.at(public, "/a?b"), format!("http://{}{port}/a?b", name.as_str()), "{public}");
        }
    }

    #[test]
    fn only_plain_http_on_loopback_needs_names() {
        for url in ["http://127.0.0.1:8787", "http://localhost:1", "http://a.localhost", "http://[::1]:8787"]
        {
            assert!(is_loopback(url), "{url}");
        }
        for url in ["https://localhost", "http://192.168.1.2:8787", "http://localhost.example", "x"] {
            assert!(!is_loopback(url), "{url}");
        }
    }
}
