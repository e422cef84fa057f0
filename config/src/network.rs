//! What a profile puts between the agent and its server: the certificates to trust, and a proxy.

use crate::file_text::{ConfigError, Source, Table, path};
use everkey_proto::Secret;

/// `ca_file`, `proxy` and `no_proxy` of a profile. Each comes before what the agent's environment says.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct NetworkSettings {
    /// The certificates to trust in place of the system's, as PEM: as written in a `ProfileConfig`, a full path in a
    /// `ResolvedProfile`.
    pub ca_file: Option<String>,
    /// The proxy for https; it may hold a name and a password.
    pub proxy: Option<Secret>,
    /// The hosts that no proxy is for, as `NO_PROXY` lists them.
    pub no_proxy: Option<String>,
}

impl NetworkSettings {
    /// The proxy as it may be shown.
    pub fn shown_proxy(&self) -> Option<String> {
        self.proxy.as_ref().map(|proxy| without_user(proxy.expose()))
    }
}

/// A proxy's address without a name and a password in it.
pub fn without_user(proxy: &str) -> String {
    match (proxy.split_once("://"), proxy.rsplit_once('@')) {
        (Some((scheme, _)), Some((_, host))) => format!("{scheme}://{host}"),
        (None, Some((_, host))) => host.to_owned(),
        (_, None) => proxy.to_owned(),
    }
}

pub(crate) fn read(source: Source<'_>, table: &mut Table<'_>) -> Result<NetworkSettings, ConfigError> {
    let ca_file = path(source, table, "ca_file")?;
    let proxy = match table.text("proxy")? {
        Some(proxy) if is_proxy(&proxy.value) => Some(Secret::new(proxy.value)),
        // It is not repeated: a password may be in it.
        Some(proxy) => {
            let message = "`proxy` takes the address of an HTTP proxy, http://HOST:PORT or https://HOST:PORT";
            return Err(source.error(proxy.at, Some("proxy"), message));
        }
        None => None,
    };
    let no_proxy = table.text("no_proxy")?.map(|list| list.value);
    Ok(NetworkSettings { ca_file, proxy, no_proxy })
}

fn is_proxy(url: &str) -> bool {
    let Some((scheme, rest)) = url.split_once("://") else { return false };
    let rest = rest.strip_suffix('/').unwrap_or(rest);
    let place = rest.rsplit_once('@').map_or(rest, |(_, place)| place);
    let (host, port) = match place.rsplit_once(':') {
        Some((host, port)) if !port.ends_with(']') => (host, Some(port)),
        _ => (place, None),
    };
    let is_host = |c: char| c.is_ascii_alphanumeric() || matches!(c, '.' | '-' | '_');
    let in_brackets = host.strip_prefix('[').and_then(|host| host.strip_suffix(']'));
    matches!(scheme, "http" | "https")
        && port.is_none_or(|port| port.parse::<u16>().is_ok_and(|port| port > 0))
        && !rest.contains(|c: char| c.is_whitespace() || matches!(c, '/' | '?' | '#'))
        && in_brackets.map_or(!host.is_empty() && host.chars().all(is_host), |ip| {
            ip.parse::<std::net::Ipv6Addr>().is_ok()
        })
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::file::Config;

    fn read(lines: &str) -> Result<NetworkSettings, String> {
        let config = Config::parse(&format!("[profiles.a]\nprovider = \"binboi\"\n{lines}"));
        config.map(|config| config.profiles["a"].network.clone()).map_err(|e| e.to_string())
    }

    #[test]
    fn a_profile_has_certificates_and_a_proxy_of_its_own() {
        let said =
            read("ca_file = \"~/ca.pem\"\nproxy = \"http://ada:hunter2@proxy:3128\"\nno_proxy = \".corp\"\n");
        let said = said.unwrap();
        assert_eq!((said.ca_file.as_deref(), said.no_proxy.as_deref()), (Some("~/ca.pem"), Some(".corp")));
        assert_eq!(said.shown_proxy().as_deref(), Some("http://proxy:3128"));
        assert!(!format!("{said:?}").contains("hunter2"));
        assert_eq!(read("").unwrap(), NetworkSettings::default());
    }

    #[test]
    fn only_http_proxies_are_taken() {
        for good in ["http://proxy", "https://proxy.corp:8443/", "http://[::1]:3128", "http://10.0.0.1:80"] {
            assert!(is_proxy(good), "{good}");
        }
        for bad in [
            "proxy:3128",
            "socks5://proxy:1080",
            "http://",
            "http://:3128",
            "http://proxy:0",
            "http://proxy:x",
            "http://proxy/path",
            "http://a b",
            "http://[::1",
            "http://u:p@",
        ] {
            assert!(!is_proxy(bad), "{bad}");
        }
    }

    #[test]
    fn a_wrong_key_is_refused_without_a_password() {
        let why = read("proxy = \"socks5://ada:hunter2@proxy\"\n").unwrap_err();
        assert!(why.starts_with("line 3, column 1: `proxy` takes the address of an HTTP proxy"), "{why}");
        assert!(!why.contains("hunter2"), "{why}");
        let why = read("ca_file = \"ca.pem\"\n").unwrap_err();
        assert!(why.contains("`ca_file` takes a full path to a file"), "{why}");
    }

    #[test]
    fn a_proxy_is_named_without_its_password() {
        assert_eq!(without_user("http://ada:hunter2@proxy:3128"), "http://proxy:3128");
        assert_eq!(without_user("ada:hunter2@proxy:3128"), "proxy:3128");
        assert_eq!(without_user("http://proxy:3128"), "http://proxy:3128");
    }
}
