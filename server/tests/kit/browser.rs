//! A browser as far as pages need one: it keeps cookies, fills in forms, and follows nothing by itself.

use std::collections::BTreeMap;

use crate::kit::server::{Server, code_in};
use crate::kit::wire::{Answer, Request, request};

/// The public address that the harness gives its servers.
pub const ORIGIN: &str = "http://everkey.example";

#[derive(Clone, Default)]
pub struct Browser {
    pub cookies: BTreeMap<String, String>,
}

impl Browser {
    pub fn new() -> Self {
        Self::default()
    }

    /// A request with the cookies and headers a browser sends along.
    pub fn request(&self, method: &str, path: &str) -> Request {
        let mut request = request(method, path).header("accept", "text/html,application/xhtml+xml,*/*;q=0.8");
        if !self.cookies.is_empty() {
            let pairs: Vec<String> =
                self.cookies.iter().map(|(name, value)| format!("{name}={value}")).collect();
            request = request.header("cookie", &pairs.join("; "));
        }
        request
    }

    /// Sends it and keeps the cookies of the answer.
    pub async fn send(&mut self, server: &Server, request: Request) -> Answer {
        let answer = request.send(server.address).await;
        for cookie in answer.all("set-cookie") {
            let (name, value) = cookie.split(';').next().unwrap().split_once('=').unwrap();
            if cookie.contains("Max-Age=0") {
                self.cookies.remove(name);
            } else {
                self.cookies.insert(name.to_owned(), value.to_owned());
            }
        }
        answer
    }

    pub async fn get(&mut self, server: &Server, path: &str) -> Answer {
        let request = self.request("GET", path);
        self.send(server, request).await
    }

    /// Sends a form as a browser would from a page of the server, with exactly these fields.
    pub async fn post(&mut self, server: &Server, path: &str, fields: &[(&str, &str)]) -> Answer {
        let request = self.request("POST", path);
        let request = request.header("origin", ORIGIN).header("sec-fetch-site", "same-origin").form(fields);
        self.send(server, request).await
    }

    /// Opens `page`, and sends a form with its token and `fields` to `path`.
    pub async fn fill(&mut self, server: &Server, page: &str, path: &str, fields: &[(&str, &str)]) -> Answer {
        let token = self.token(server, page).await;
        let mut all = vec![("csrf", token.as_str())];
        all.extend_from_slice(fields);
        self.post(server, path, &all).await
    }

    /// The form token on `page`.
    pub async fn token(&mut self, server: &Server, page: &str) -> String {
        token_in(self.get(server, page).await.expect(200))
    }

    /// Signs in; `n` mails are there afterwards. Returns the last answer.
    pub async fn sign_in(&mut self, server: &Server, email: &str, n: usize) -> Answer {
        self.fill(server, "/signin?again=1", "/signin", &[("email", email)]).await.expect(303);
        let code = code_in(server.mails(n).await.last().unwrap());
        let answer = self.fill(server, "/signin/code", "/signin/code", &[("code", &code)]).await;
        answer.expect(303);
        answer
    }
}

/// A browser signed in as this address, with the first mail of its server.
pub async fn signed_in(server: &Server, email: &str) -> Browser {
    let mut browser = Browser::new();
    browser.sign_in(server, email, 1).await;
    browser
}

#[track_caller]
pub fn token_in(page: &Answer) -> String {
    between(&page.body, "name=\"csrf\" value=\"", "\"").unwrap_or_else(|| panic!("no form in {page:?}"))
}

/// What stands between two texts, the first time.
pub fn between(text: &str, before: &str, after: &str) -> Option<String> {
    let (_, rest) = text.split_once(before)?;
    rest.split_once(after).map(|(found, _)| found.to_owned())
}
