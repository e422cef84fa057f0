//! What the agent's environment puts between it and a server: the certificates to trust, and a proxy. The HTTP client
//! obeys the variables by itself; here they are named where a connection has failed.

use crate::environment;
use std::path::Path;

/// Why this address can't be reached over https, where a variable of the agent's is to blame.
pub fn blamed(url: &str, why: &str) -> Option<String> {
    let url = reqwest::Url::parse(url).ok().filter(|url| url.scheme() == "https")?;
    if let Some(file) = environment::certificates() {
        let unusable =
            unusable(&file).map(|why| format!("SSL_CERT_FILE of the agent, {}: {why}", file.display()));
        if unusable.is_some() {
            return unusable;
        }
    }
    let (variable, proxy) = environment::https_proxy()?;
    let passed_by = is_listed(url.host_str()?, &environment::no_proxy());
    (!passed_by)
        .then(|| format!("{why}; through the proxy {}, {variable} of the agent", without_user(&proxy)))
}

/// Why a file of certificates is no use, if it is none.
fn unusable(file: &Path) -> Option<String> {
    match std::fs::read(file) {
        Ok(pem) if String::from_utf8_lossy(&pem).contains("-----BEGIN CERTIFICATE-----") => None,
        Ok(_) => Some("it holds no certificate in PEM".to_owned()),
        Err(e) => Some(e.to_string()),
    }
}

/// Whether a list as `NO_PROXY` has it names the host, or a domain that it is in.
fn is_listed(host: &str, list: &str) -> bool {
    let host = host.trim_matches(['[', ']']);
    list.split(',').map(|entry| entry.trim().trim_start_matches('.')).any(|entry| {
        let inner = host.strip_suffix(entry);
        entry == "*" || !entry.is_empty() && inner.is_some_and(|rest| rest.is_empty() || rest.ends_with('.'))
    })
}

/// A proxy's address without a name and a password in it.
fn without_user(proxy: &str) -> String {
    match (proxy.split_once("://"), proxy.rsplit_once('@')) {
        (Some((scheme, _)), Some((_, host))) => format!("{scheme}://{host}"),
        (None, Some((_, host))) => host.to_owned(),
        (_, None) => proxy.to_owned(),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_proxy_is_named_without_its_password() {
        assert_eq!(without_user("http://ada:hunter2@proxy:3128"), "http://proxy:3128");
        assert_eq!(without_user("ada:hunter2@proxy:3128"), "proxy:3128");
        assert_eq!(without_user("http://proxy:3128"), "http://proxy:3128");
    }

    #[test]
    fn hosts_are_passed_by_the_proxy_with_their_domains() {
        for (host, list) in
            [("a.example", "x, .example"), ("a.example", "a.example"), ("::1", "*"), ("[::1]", "::1")]
        {
            assert!(is_listed(host, list), "{host} {list}");
        }
        for (host, list) in [("a.example", ""), ("a.example", "ample"), ("a.example", "b.a.example,")] {
            assert!(!is_listed(host, list), "{host} {list}");
        }
    }

    #[test]
    fn a_file_without_certificates_says_so() {
        let dir = tempfile::tempdir().unwrap();
        let file = dir.path().join("ca.pem");
        assert!(unusable(&file).unwrap().contains("No such file"));
        std::fs::write(&file, "hello").unwrap();
        assert_eq!(unusable(&file).unwrap(), "it holds no certificate in PEM");
        std::fs::write(&file, "-----BEGIN CERTIFICATE-----\n").unwrap();
        assert_eq!(unusable(&file), None);
    }
}
