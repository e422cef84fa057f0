//! What lies between the agent and a server: the certificates to trust, and a proxy. A profile says it in config.toml;
//! where it says nothing, the variables of the agent's environment count. What is in force is named, also in errors.

use crate::environment;
use everkey_config::network::{NetworkSettings, without_user};
use everkey_guard::certificates;
use everkey_proto::reply::InForce;
use hyper_util::client::proxy::matcher::Matcher;
use reqwest::{Certificate, ClientBuilder, Proxy};
use rustls::RootCertStore;
use rustls_pki_types::CertificateDer;
use rustls_pki_types::pem::PemObject;
use std::path::Path;

/// Who may say it, beside the agent.
const PROFILE: &str = "profile";

/// A setting that counts, and who says it.
struct Setting {
    value: String,
    /// A key of config.toml, or a variable.
    name: &'static str,
    of: &'static str,
}

impl Setting {
    fn of_profile(name: &'static str, value: &str) -> Self {
        Self { value: value.to_owned(), name, of: PROFILE }
    }

    fn of_agent((name, value): (&'static str, String)) -> Self {
        Self { value, name, of: "agent" }
    }

    fn origin(&self) -> String {
        format!("{} of the {}", self.name, self.of)
    }

    /// As it may be shown.
    fn in_force(&self) -> InForce {
        let origin = if self.of == PROFILE { PROFILE } else { self.name };
        InForce { value: without_user(&self.value), origin: origin.to_owned() }
    }

    fn unusable(&self, why: &str) -> String {
        format!("{}, {}: {why}", self.origin(), without_user(&self.value))
    }
}

/// Puts it between a client and this address; reads files. The error says what of it can't be used.
pub fn put_between(
    network: &NetworkSettings,
    url: &str,
    builder: ClientBuilder,
) -> Result<ClientBuilder, String> {
    // The client is to look for no proxy by itself. Plain http never leaves this machine, so none may see it.
    let mut builder = builder.no_proxy();
    if !is_https(url) {
        return Ok(builder);
    }
    let certificates = trust_settings(network);
    if !certificates.is_empty() {
        builder = builder.tls_certs_only(trusted(&certificates)?);
    }
    if let Some(setting) = proxy(network, url) {
        let proxy = Proxy::all(&setting.value).map_err(|_| setting.unusable("that is no HTTP proxy"))?;
        builder = builder.proxy(proxy);
    }
    Ok(builder)
}

/// Why this address can't be reached over https, where something in between may be to blame.
pub fn blamed(network: &NetworkSettings, url: &str, why: &str) -> Option<String> {
    if !is_https(url) {
        return None;
    }
    let certificates = trust_settings(network);
    let trusted = certificates.first().filter(|_| why.contains("certificate"));
    let trusted = trusted.map(|all| format!("; trusted is {}, {}", all.value, all.origin()));
    let proxy = proxy(network, url);
    let proxy =
        proxy.map(|proxy| format!("; through the proxy {}, {}", without_user(&proxy.value), proxy.origin()));
    let between = [trusted, proxy].into_iter().flatten().collect::<String>();
    (!between.is_empty()).then(|| format!("{why}{between}"))
}

/// The proxy and the certificates that are in force for this server.
pub fn in_force(network: &NetworkSettings, server: &str) -> (Option<InForce>, Vec<InForce>) {
    if !is_https(server) {
        return (None, Vec::new());
    }
    let certificates = trust_settings(network).iter().map(Setting::in_force).collect();
    (proxy(network, server).as_ref().map(Setting::in_force), certificates)
}

fn is_https(url: &str) -> bool {
    reqwest::Url::parse(url).is_ok_and(|url| url.scheme() == "https")
}

/// The proxy on the way to this address.
fn proxy(network: &NetworkSettings, url: &str) -> Option<Setting> {
    let of_profile = network.proxy.as_ref().map(|proxy| Setting::of_profile("proxy", proxy.expose()));
    let proxy = of_profile.or_else(|| environment::https_proxy().map(Setting::of_agent))?;
    let passing_by = network.no_proxy.clone().unwrap_or_else(environment::no_proxy);
    // The matcher takes a star for names only.
    if passing_by.split(',').any(|entry| entry.trim() == "*") {
        return None;
    }
    let matcher = Matcher::builder().https(proxy.value.as_str()).no(passing_by).build();
    matcher.intercept(&url.parse().ok()?).map(|_| proxy)
}

/// Where the certificates are that are trusted in place of the system's.
fn trust_settings(network: &NetworkSettings) -> Vec<Setting> {
    match &network.ca_file {
        Some(file) => vec![Setting::of_profile("ca_file", file)],
        None => environment::certificates().into_iter().map(Setting::of_agent).collect(),
    }
}

/// All that can be used of these; one is enough. The error is the first one's.
fn trusted(settings: &[Setting]) -> Result<Vec<Certificate>, String> {
    let read: Vec<_> =
        settings.iter().map(|setting| pem(setting).map_err(|why| setting.unusable(&why))).collect();
    let mut found = Vec::new();
    let mut wrong = None;
    for one in read {
        match one {
            Ok(mut certificates) => found.append(&mut certificates),
            Err(why) => wrong = wrong.or(Some(why)),
        }
    }
    wrong.filter(|_| found.is_empty()).map_or(Ok(found), Err)
}

/// The certificates in a file, or in the files of some folders.
fn pem(setting: &Setting) -> Result<Vec<Certificate>, String> {
    let texts = match setting.name {
        "SSL_CERT_DIR" => {
            let folders = std::env::split_paths(&setting.value).filter(|path| !path.as_os_str().is_empty());
            let read = folders.map(|folder| certificates::in_folder(&folder)).collect::<Result<Vec<_>, _>>();
            read.map(|all| all.into_iter().flatten().collect())
        }
        _ => certificates::in_file(Path::new(&setting.value)).map(|text| vec![text]),
    };
    let texts = texts.map_err(|why| why.to_string())?;
    let all = texts.iter().flat_map(|text| CertificateDer::pem_slice_iter(text.as_bytes()).flatten());
    // One among a system's that nobody can read costs nothing but itself.
    let usable = all.filter(|one| RootCertStore::empty().add(one.clone()).is_ok());
    let found: Vec<_> = usable.filter_map(|one| Certificate::from_der(&one).ok()).collect();
    if found.is_empty() { Err("it holds no certificate in PEM".to_owned()) } else { Ok(found) }
}

#[cfg(test)]
mod tests {
    use super::*;
    use everkey_proto::Secret;

    fn with_proxy(list: &str) -> NetworkSettings {
        let proxy = Some(Secret::new("http://ada:hunter2@proxy:3128"));
        NetworkSettings { proxy, no_proxy: Some(list.to_owned()), ..NetworkSettings::default() }
    }

    #[test]
    fn hosts_are_passed_by_the_proxy_with_their_domains() {
        for (host, list) in [
            ("a.example", "x, .example"),
            ("a.example", "a.example"),
            ("[::1]", "*"),
            ("[::1]", "::1"),
            ("10.1.2.3", "10.0.0.0/8"),
        ] {
            assert!(proxy(&with_proxy(list), &format!("https://{host}/x")).is_none(), "{host} {list}");
        }
        for (host, list) in [("a.example", "x"), ("a.example", "ample"), ("a.example", "b.a.example,")] {
            assert!(proxy(&with_proxy(list), &format!("https://{host}/x")).is_some(), "{host} {list}");
        }
    }

    #[test]
    fn a_proxy_of_the_profile_is_named_without_its_password() {
        let network = with_proxy("x");
        let why = blamed(&network, "https://a.example/", "refused").unwrap();
        assert!(why.ends_with("; through the proxy http://proxy:3128, proxy of the profile"), "{why}");
        assert_eq!(blamed(&network, "http://127.0.0.1:1/", "refused"), None);
    }

    #[test]
    fn certificates_that_cant_be_used_are_named() {
        let _ = crate::tls::install();
        let dir = tempfile::tempdir().unwrap();
        let file = dir.path().join("ca.pem");
        let refused = |file: &Path| {
            let ca_file = Some(file.to_str().unwrap().to_owned());
            let network = NetworkSettings { ca_file, ..NetworkSettings::default() };
            assert!(put_between(&network, "http://127.0.0.1:1", reqwest::Client::builder()).is_ok());
            put_between(&network, "https://a.example", reqwest::Client::builder()).unwrap_err()
        };
        let place = format!("ca_file of the profile, {}: ", file.display());
        assert!(refused(&file).starts_with(&format!("{place}No such file")));
        std::fs::write(&file, "hello").unwrap();
        assert_eq!(refused(&file), format!("{place}it holds no certificate in PEM"));
        assert!(refused(dir.path()).ends_with(": it is not a plain file but a folder"));
        std::fs::set_permissions(&file, std::os::unix::fs::PermissionsExt::from_mode(0o666)).unwrap();
        assert!(
            refused(&file).contains("others can write to"),
            "anybody's certificates are trusted by nobody"
        );
    }
}
