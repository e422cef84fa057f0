//! A person at a browser, by HTTP alone: signs in to the server's pages, approves devices, answers for apps.

use crate::http::{self, Message};
use crate::server::Server;
use std::collections::BTreeMap;
use std::sync::atomic::{AtomicU64, Ordering};
use totp_rs::{Builder, Secret, Totp};
use url::form_urlencoded::Serializer;

static NAMES: AtomicU64 = AtomicU64::new(0);

/// Somebody who is signed in to a server's pages.
pub struct Person {
    base: String,
    /// The host that its pages have in this browser alone.
    host: String,
    cookies: BTreeMap<String, String>,
}

/// What somebody has who has set up a second factor.
pub struct Phone {
    totp: Totp,
    pub recovery_codes: Vec<String>,
}

impl Phone {
    /// The six digits that come next: those of now may have been used, and the server takes these already.
    pub fn next_code(&self) -> String {
        self.totp.generate(unix_now() + 30).to_string()
    }
}

/// What they say to a request.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Approval {
    Yes,
    No,
}

impl Person {
    /// Signs in with the code that comes by mail.
    pub fn sign_in(server: &Server, email: &str) -> Self {
        let mut person = Self::at(server);
        let before = server.codes(email).len();
        let page = person.get("/signin");
        let sent = person.submit(&page, "/signin", &[("email", email), ("next", "/device")]);
        assert_eq!(sent.header("location"), Some("/signin/code"), "{}", text(&sent));
        let page = person.get("/signin/code");
        let code = server.code_after(email, before);
        let done = person.submit(&page, "/signin/code", &[("code", &code)]);
        let way_in = done.header("location").unwrap_or_default().to_owned();
        assert!(way_in.contains("/enter?ticket="), "{way_in} {}", text(&done));
        let done = person.get(&way_in);
        assert_eq!(done.header("location"), Some("/device"), "{}", text(&done));
        person
    }

    /// Somebody who is not signed in yet.
    pub fn at(server: &Server) -> Self {
        let port = server.url().rsplit(':').next().unwrap_or_default();
        let random = u128::from(std::process::id()) << 64 | u128::from(NAMES.fetch_add(1, Ordering::Relaxed));
        let host = format!("everkey-{random:032x}.localhost:{port}");
        Self { base: server.url().to_owned(), host, cookies: BTreeMap::new() }
    }

    /// The cookies of this browser, as it sends them.
    pub fn cookies(&self) -> String {
        let pairs: Vec<_> = self.cookies.iter().map(|(name, value)| format!("{name}={value}")).collect();
        pairs.join("; ")
    }

    /// Sets a second factor up.
    pub fn protect(&mut self) -> Phone {
        const SET_UP: &str = "/dashboard/security/setup";
        let page = self.get("/dashboard/security");
        let asked = self.submit(&page, SET_UP, &[]);
        assert_eq!(asked.header("location"), Some(SET_UP), "{}", text(&asked));
        let page = self.get(SET_UP);
        let secret = between(&text(&page), "<code>", "</code>").replace(' ', "");
        let totp = Builder::new().with_secret(Secret::try_from_base32(&secret).expect("base32")).build();
        let totp = totp.expect("a secret that is long enough");
        let code = totp.generate(unix_now()).to_string();
        let done = self.submit(&page, "/dashboard/security/confirm", &[("code", &code)]);
        let list = between(&text(&done), "<ul class=\"mono\">", "</ul>");
        let items = list.split("<li>").filter_map(|item| item.split_once("</li>"));
        Phone { totp, recovery_codes: items.map(|(code, _)| code.to_owned()).collect() }
    }

    /// Types a device's code and decides; what the page says then.
    pub fn decide(&mut self, user_code: &str, verdict: Approval) -> String {
        let page = self.get("/device");
        let asked = self.submit(&page, "/device", &[("code", user_code)]);
        assert_eq!(asked.status(), 200, "{}", text(&asked));
        let grant = value(&asked, "grant");
        let word = if verdict == Approval::Yes { "approve" } else { "deny" };
        let done = self.submit(&asked, "/device/decision", &[("grant", &grant), ("verdict", word)]);
        assert_eq!(done.status(), 200, "{}", text(&done));
        text(&done)
    }

    /// Opens the page of an app that asks, and answers it; the address that the browser is sent back to.
    pub fn answer(&mut self, url: &str, verdict: Approval) -> String {
        let page = self.get(url);
        assert_eq!(page.status(), 200, "{}", text(&page));
        let html = text(&page);
        let action = html.split("action=\"").find(|part| part.starts_with("/authorize?")).expect("a form");
        let action = unescaped(action.split('"').next().expect("a whole attribute"));
        let word = if verdict == Approval::Yes { "allow" } else { "deny" };
        let done = self.submit(&page, &action, &[("answer", word)]);
        assert_eq!(done.status(), 303, "{}", text(&done));
        done.header("location").expect("a way back").to_owned()
    }

    /// Opens a page, as a path or an address of this server, whichever of its names it has.
    pub fn get(&mut self, url: &str) -> Message {
        let path =
            url.strip_prefix("http://").map_or(url, |rest| &rest[rest.find('/').unwrap_or(rest.len())..]);
        self.send("GET", path, "")
    }

    /// Sends a form of a page.
    pub fn submit(&mut self, page: &Message, path: &str, fields: &[(&str, &str)]) -> Message {
        let csrf = value(page, "csrf");
        let form = Serializer::new(String::new()).append_pair("csrf", &csrf).extend_pairs(fields).finish();
        self.send("POST", path, &form)
    }

    fn send(&mut self, method: &str, path: &str, form: &str) -> Message {
        let cookies = format!("Cookie: {}\r\nAccept: text/html\r\n", self.cookies());
        let kind = "application/x-www-form-urlencoded";
        let answer = http::send_to(&self.base, &self.host, method, path, &cookies, kind, form);
        for (_, set) in answer.headers.iter().filter(|(name, _)| name == "set-cookie") {
            let pair = set.split(';').next().unwrap_or_default();
            let (name, value) = pair.split_once('=').expect("a cookie has a name");
            self.cookies.insert(name.to_owned(), value.to_owned());
        }
        self.cookies.retain(|_, value| !value.is_empty());
        answer
    }
}

fn unix_now() -> u64 {
    jiff::Timestamp::now().as_second().unsigned_abs()
}

fn between(text: &str, before: &str, after: &str) -> String {
    let inside = text.split_once(before).and_then(|(_, rest)| rest.split_once(after));
    inside.unwrap_or_else(|| panic!("{before} is not in {text}")).0.to_owned()
}

/// The value of a hidden field.
fn value(page: &Message, name: &str) -> String {
    let html = text(page);
    let at = format!("name=\"{name}\" value=\"");
    let value = html.split(&at).nth(1).and_then(|rest| rest.split('"').next());
    unescaped(value.unwrap_or_else(|| panic!("no field {name} in {html}")))
}

fn text(page: &Message) -> String {
    String::from_utf8_lossy(&page.body).into_owned()
}

fn unescaped(html: &str) -> String {
    html.replace("&#38;", "&").replace("&amp;", "&").replace("&#34;", "\"").replace("&#39;", "'")
}
