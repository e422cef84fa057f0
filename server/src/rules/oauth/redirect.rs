//! Redirect addresses: which may be registered, and when one that is asked for is a registered one
//! (RFC 6749 section 3.1.2, RFC 8252 sections 7 and 8.4).

use url::{Host, Url};

/// The longest redirect address, in bytes.
const LONGEST: usize = 1000;

/// What an answer adds (RFC 6749 section 4.1.2, RFC 9207): a client would find two of each.
const OF_ANSWERS: [&str; 6] = ["code", "state", "iss", "error", "error_description", "error_uri"];

/// An address that an answer may be sent to, in its normal form.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Redirect {
    text: String,
    url: Url,
}

/// Why an address is not one.
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
pub enum NotARedirect {
    /// Longer than any address needs to be.
    #[error("A redirect URI has at most 1000 characters")]
    TooLong,
    /// Not an absolute address in the one form that a browser makes of it.
    #[error("A redirect URI is absolute and in its normal form: no spaces, default ports, dots or odd hosts")]
    NotNormal,
    /// RFC 6749 section 3.1.2.
    #[error("A redirect URI has no fragment")]
    Fragment,
    /// A name before the host, with which people are fooled.
    #[error("A redirect URI has no user name or password")]
    UserInfo,
    /// Neither encrypted, nor of this machine, nor of an app.
    #[error(
        "A redirect URI is https://, http:// on 127.0.0.1, [::1] or localhost, or an app's own scheme such as \
         com.example.app:/"
    )]
    Scheme,
    /// A parameter that only an answer has.
    #[error("A redirect URI has no parameters of an answer: code, state, iss or error")]
    Answer,
    /// A host with signs that no name in the DNS has, and that mean something in a policy or to a person.
    #[error("The host of a redirect URI is an address, or a name of letters, digits, hyphens and dots")]
    Host,
}

impl Redirect {
    pub fn parse(text: &str) -> Result<Self, NotARedirect> {
        if text.len() > LONGEST {
            return Err(NotARedirect::TooLong);
        }
        let url = Url::parse(text).map_err(|_| NotARedirect::NotNormal)?;
        if text.contains('#') {
            return Err(NotARedirect::Fragment);
        }
        if !url.username().is_empty() || url.password().is_some() || authority(text).contains('@') {
            return Err(NotARedirect::UserInfo);
        }
        // What a browser would read in another way than this server is where addresses get mixed up.
        let normal = url.as_str();
        if !text.bytes().all(|byte| byte.is_ascii_graphic())
            || !(normal == text || normal.strip_suffix('/') == Some(text))
        {
            return Err(NotARedirect::NotNormal);
        }
        let allowed = match url.scheme() {
            "https" => url.host().is_some(),
            "http" => is_loopback(&url) || url.host() == Some(Host::Domain("localhost")),
            // RFC 8252 section 7.1: a reversed domain name, which also rules out javascript: and its like.
            app => app.contains('.') && !app.ends_with('.'),
        };
        if !allowed {
            return Err(NotARedirect::Scheme);
        }
        if is_web(&url) && matches!(url.host(), Some(Host::Domain(name)) if !is_plain(name)) {
            return Err(NotARedirect::Host);
        }
        if url.query_pairs().any(|(name, _)| OF_ANSWERS.contains(&name.as_ref())) {
            return Err(NotARedirect::Answer);
        }
        Ok(Self { text: text.to_owned(), url })
    }

    /// The text, as it was sent.
    pub fn as_str(&self) -> &str {
        &self.text
    }

    /// Whether `asked` may be used where `self` is registered: the same text, but for the port on a literal loopback
    /// address, which the system chose (RFC 8252 section 7.3). `localhost` is not literal: a resolver could name another
    /// machine.
    pub fn admits(&self, asked: &Self) -> bool {
        self.text == asked.text
            || (is_loopback(&self.url)
                && is_loopback(&asked.url)
                && without_port(&self.text) == without_port(&asked.text))
    }

    /// Where people would say it leads: a host, or an app's scheme.
    pub fn place(&self) -> String {
        match (self.url.host_str(), self.url.port()) {
            (Some(host), Some(port)) if is_web(&self.url) => format!("{host}:{port}"),
            (Some(host), None) if is_web(&self.url) => host.to_owned(),
            _ => format!("the app {}", self.url.scheme()),
        }
    }

    /// Whether it leads to this machine.
    pub fn is_local(&self) -> bool {
        self.url.scheme() == "http"
    }

    /// The source expression that lets a page's form lead there (CSP Level 3 section 2.3.1); none for an IPv6 address,
    /// which it has no way to write: a link must lead there.
    pub fn csp_source(&self) -> Option<String> {
        match self.url.host() {
            Some(Host::Ipv6(_)) => None,
            Some(_) if is_web(&self.url) => Some(self.url.origin().ascii_serialization()),
            _ => Some(format!("{}:", self.url.scheme())),
        }
    }

    /// Whether it leads to the server with this public address.
    pub fn is_at(&self, public_url: &str) -> bool {
        let Ok(server) = Url::parse(public_url) else { return false };
        let is_local = |url: &Url| is_loopback(url) || url.host() == Some(Host::Domain("localhost"));
        let same_port = self.url.port_or_known_default() == server.port_or_known_default();
        self.url.origin() == server.origin() || is_local(&self.url) && is_local(&server) && same_port
    }

    /// The address with these parameters added to those it has.
    pub fn with(&self, parameters: &[(&str, &str)]) -> String {
        let added = url::form_urlencoded::Serializer::new(String::new()).extend_pairs(parameters).finish();
        let joint = match self.url.query() {
            None => "?",
            Some(query) if query.is_empty() || query.ends_with('&') => "",
            Some(_) => "&",
        };
        format!("{}{joint}{added}", self.text)
    }
}

fn is_web(url: &Url) -> bool {
    matches!(url.scheme(), "http" | "https")
}

/// Whether a host is a name as the DNS has them; underscores are seen there, too.
fn is_plain(name: &str) -> bool {
    name.bytes().all(|byte| byte.is_ascii_alphanumeric() || b"-._".contains(&byte))
        && !name.trim_end_matches('.').split('.').any(str::is_empty)
}

fn is_loopback(url: &Url) -> bool {
    url.scheme() == "http"
        && match url.host() {
            Some(Host::Ipv4(ip)) => ip == std::net::Ipv4Addr::LOCALHOST,
            Some(Host::Ipv6(ip)) => ip == std::net::Ipv6Addr::LOCALHOST,
            Some(Host::Domain(_)) | None => false,
        }
}

/// The part between the two slashes and the path.
fn authority(text: &str) -> &str {
    let rest = text.split_once("//").map_or("", |(_, rest)| rest);
    rest.split(['/', '?', '#', '\\']).next().unwrap_or("")
}

/// The text around the port.
fn without_port(text: &str) -> (&str, &str) {
    let authority = authority(text);
    let start = text.find("//").map_or(0, |at| at + 2);
    let (host, rest) = (&text[..start + authority.len()], &text[start + authority.len()..]);
    let bare = host.trim_end_matches(|c: char| c.is_ascii_digit());
    (bare.strip_suffix(':').filter(|bare| !bare.ends_with(':')).unwrap_or(host), rest)
}

#[cfg(test)]
mod tests {
    use super::*;

    fn admits(registered: &str, asked: &str) -> bool {
        let registered = Redirect::parse(registered).unwrap();
        Redirect::parse(asked).is_ok_and(|asked| registered.admits(&asked))
    }

    #[test]
    fn what_may_be_registered() {
        for good in [
            "https://app.example/cb",
            "https://app.example",
            "https://app.example:8443/cb?tenant=1",
            "http://127.0.0.1/cb",
            "http://127.0.0.1:3000/callback",
            "http://[::1]:3000/callback",
            "http://localhost:3000/callback",
            "com.example.app:/cb",
            "com.example.app://cb",
        ] {
            assert!(Redirect::parse(good).is_ok(), "{good}");
        }
    }

    #[test]
    fn what_may_not() {
        use NotARedirect::{Answer, Fragment, Host, NotNormal, Scheme, TooLong, UserInfo};
        for (bad, why) in [
            ("", NotNormal),
            ("/cb", NotNormal),
            ("https://app.example/cb?code=1&tenant=2", Answer),
            ("https://app.example/cb?a=1&%73tate=2", Answer),
            ("app.example/cb", NotNormal),
            ("https://", NotNormal),
            ("https:app.example/cb", NotNormal),
            ("https:/app.example/cb", NotNormal),
            ("https:\\\\app.example/cb", NotNormal),
            ("https://app.example\\@evil.example/cb", NotNormal),
            ("HTTPS://app.example/cb", NotNormal),
            ("https://APP.example/cb", NotNormal),
            ("https://app.example:443/cb", NotNormal),
            ("https://app.example/a/../cb", NotNormal),
            ("https://app.example/%2e%2e/cb", NotNormal),
            (" https://app.example/cb", NotNormal),
            ("https://app.example/c b", NotNormal),
            ("https://app.example/cb\r\nx: y", NotNormal),
            ("https://app.éxample/cb", NotNormal),
            ("http://127.1/cb", NotNormal),
            ("http://2130706433/cb", NotNormal),
            ("https://app.example/cb#", Fragment),
            ("https://app.example/cb#x", Fragment),
            ("https://me@app.example/cb", UserInfo),
            ("https://me:pw@app.example/cb", UserInfo),
            ("https://@app.example/cb", UserInfo),
            ("http://127.0.0.1@evil.example/cb", UserInfo),
            ("http://app.example/cb", Scheme),
            ("http://127.0.0.2/cb", Scheme),
            ("http://0.0.0.0/cb", Scheme),
            ("http://localhost.evil.example/cb", Scheme),
            ("http://127.0.0.1.evil.example/cb", Scheme),
            ("https://a;script-src.example/cb", Host),
            ("https://a,b.example/cb", Host),
            ("https://*.example/cb", Host),
            ("https://*/cb", Host),
            ("https://a'b.example/cb", Host),
            ("https://a$b.example/cb", Host),
            ("https://a!b.example/cb", Host),
            ("https://a(b).example/cb", Host),
            ("https://a&b=c+d~.example/cb", Host),
            ("https://a..example/cb", Host),
            ("javascript:alert(1)", Scheme),
            ("data:text/html,x", Scheme),
            ("myapp:/cb", Scheme),
            ("file:///etc/passwd", Scheme),
            ("urn:ietf:wg:oauth:2.0:oob", Scheme),
        ] {
            assert_eq!(Redirect::parse(bad), Err(why), "{bad}");
        }
        assert_eq!(Redirect::parse(&format!("https://a.example/{}", "x".repeat(1000))), Err(TooLong));
    }

    #[test]
    fn only_the_port_of_a_literal_loopback_address_is_free() {
        for (registered, asked) in [
            ("http://127.0.0.1:3000/cb", "http://127.0.0.1:3000/cb"),
            ("http://127.0.0.1:3000/cb", "http://127.0.0.1:51234/cb"),
            ("http://127.0.0.1/cb", "http://127.0.0.1:51234/cb"),
            ("http://127.0.0.1:3000/cb", "http://127.0.0.1/cb"),
            ("http://[::1]/cb", "http://[::1]:51234/cb"),
            ("http://[::1]:1/cb?a=b", "http://[::1]:2/cb?a=b"),
            ("http://localhost:3000/cb", "http://localhost:3000/cb"),
        ] {
            assert!(admits(registered, asked), "{registered} {asked}");
        }
        for (registered, asked) in [
            ("http://127.0.0.1:3000/cb", "http://localhost:3000/cb"),
            ("http://localhost:3000/cb", "http://127.0.0.1:3000/cb"),
            ("http://localhost:3000/cb", "http://localhost:3001/cb"),
            ("http://127.0.0.1:3000/cb", "http://[::1]:3000/cb"),
            ("http://127.0.0.1:3000/cb", "http://127.0.0.1:3000/cb/"),
            ("http://127.0.0.1:3000/cb", "http://127.0.0.1:3000/cb/more"),
            ("http://127.0.0.1:3000/cb", "http://127.0.0.1:3000/c"),
            ("http://127.0.0.1:3000/cb", "http://127.0.0.1:3000/cb?x=1"),
            ("http://127.0.0.1:3000/cb", "http://127.0.0.1:99999/cb"),
            ("http://127.0.0.1:3000/cb", "https://127.0.0.1:3000/cb"),
            ("https://127.0.0.1:3000/cb", "https://127.0.0.1:3001/cb"),
            ("https://app.example/cb", "https://app.example:8443/cb"),
            ("https://app.example/cb", "https://app.example/CB"),
            ("https://app.example/cb", "https://app.example.evil.example/cb"),
            ("https://app.example/cb", "https://evil.example/https://app.example/cb"),
            ("https://app.example/cb", "http://127.0.0.1/cb"),
            ("https://app.example", "https://app.example/"),
        ] {
            assert!(!admits(registered, asked), "{registered} {asked}");
        }
    }

    #[test]
    fn parameters_are_added_and_encoded() {
        let with =
            |text: &str| Redirect::parse(text).unwrap().with(&[("state", "a b&\r\nx=é"), ("code", "1")]);
        let added = "state=a+b%26%0D%0Ax%3D%C3%A9&code=1";
        assert_eq!(with("https://a.example/cb"), format!("https://a.example/cb?{added}"));
        assert_eq!(with("https://a.example/cb?x=1"), format!("https://a.example/cb?x=1&{added}"));
        assert_eq!(with("com.example.app:/cb"), format!("com.example.app:/cb?{added}"));
    }

    #[test]
    fn what_leads_to_the_server_itself_is_known() {
        let at = |text: &str, server: &str| Redirect::parse(text).unwrap().is_at(server);
        assert!(at("https://auth.example/signin?next=x", "https://auth.example"));
        assert!(!at("https://app.example/cb", "https://auth.example"));
        assert!(!at("https://auth.example:8443/cb", "https://auth.example"));
        for local in ["http://127.0.0.1:8787/cb", "http://localhost:8787/cb", "http://[::1]:8787/cb"] {
            assert!(at(local, "http://127.0.0.1:8787") && at(local, "http://localhost:8787"), "{local}");
            assert!(!at(local, "http://127.0.0.1:8788") && !at(local, "https://auth.example"), "{local}");
        }
    }

    #[test]
    fn a_page_is_told_where_its_form_may_lead() {
        for (text, source, place) in [
            ("https://a.example:8443/cb?x", "https://a.example:8443", "a.example:8443"),
            ("http://127.0.0.1:3000/cb", "http://127.0.0.1:3000", "127.0.0.1:3000"),
            ("http://[::1]:3000/cb", "", "[::1]:3000"),
            ("com.example.app:/cb", "com.example.app:", "the app com.example.app"),
            ("com.example.app://cb", "com.example.app:", "the app com.example.app"),
        ] {
            let redirect = Redirect::parse(text).unwrap();
            assert_eq!(
                (redirect.csp_source().as_deref().unwrap_or(""), redirect.place().as_str()),
                (source, place)
            );
        }
    }
}
