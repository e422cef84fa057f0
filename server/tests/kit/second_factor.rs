//! A user with a second factor, and their phone.

use std::time::Duration;

use everkey_server::time::TimeSource as _;
use serde_json::{Value, json};
use totp_rs::{Builder, Secret};

use crate::kit::browser::{Browser, between, signed_in};
use crate::kit::server::{Options, Server, start};
use crate::kit::wire::Answer;

pub const ADA: &str = "ada@example.com";

pub const HERE: &str = "/dashboard/security";

pub const SET_UP: &str = "/dashboard/security/setup";

pub const STEP: Duration = Duration::from_secs(30);

/// What a person has who has set up a second factor.
pub struct Phone {
    pub base32: String,
    pub codes: Vec<String>,
}

impl Phone {
    /// The code it shows at the server's time, moved by so many steps.
    pub fn code_at(&self, server: &Server, steps: i64) -> String {
        let totp =
            Builder::new().with_secret(Secret::try_from_base32(&self.base32).unwrap()).build().unwrap();
        let secs = server.clock.now().secs() + 30 * steps;
        totp.generate(secs.try_into().unwrap()).to_string()
    }

    /// A code that was never used: time goes on for it.
    pub fn next_code(&self, server: &Server) -> String {
        server.clock.advance(STEP);
        self.code_at(server, 0)
    }
}

/// Sets a second factor up in a browser that has just signed in.
pub async fn enrol(server: &Server, browser: &mut Browser) -> Phone {
    let asked = browser.fill(server, HERE, SET_UP, &[]).await;
    assert_eq!(asked.expect(303).header("location"), Some(SET_UP));
    let page = browser.get(server, SET_UP).await;
    let base32 = between(&page.expect(200).body, "<code>", "</code>").unwrap().replace(' ', "");
    let mut phone = Phone { base32, codes: Vec::new() };
    let code = phone.code_at(server, 0);
    let done = browser.fill(server, SET_UP, "/dashboard/security/confirm", &[("code", &code)]).await;
    let list = between(&done.expect(200).body, "<ul class=\"mono\">", "</ul>").unwrap();
    let items = list.split("<li>").filter_map(|item| item.split_once("</li>"));
    phone.codes = items.map(|(code, _)| code.to_owned()).collect();
    phone
}

/// A server with a user who has a second factor; one mail was sent. Returns the browser it was set up in.
pub async fn protected(options: Options) -> (Server, Browser, Phone) {
    let server = start(options).await;
    let mut browser = signed_in(&server, ADA).await;
    let phone = enrol(&server, &mut browser).await;
    (server, browser, phone)
}

pub async fn verify(server: &Server, code: &str, second: Value) -> Answer {
    let body = json!({ "email": ADA, "code": code, "second_factor": second });
    server.post("/v0/auth/login/verify", &body).await
}

/// A browser that has given the right email code and lacks the second factor.
pub async fn half_way(server: &Server, n: usize) -> Browser {
    let mut browser = Browser::new();
    let answer = browser.sign_in(server, ADA, n).await;
    assert_eq!(answer.header("location"), Some("/signin/second"));
    browser
}

pub async fn second(server: &Server, browser: &mut Browser, fields: &[(&str, &str)]) -> Answer {
    browser.fill(server, "/signin/second", "/signin/second", fields).await
}

pub async fn is_in(server: &Server, browser: &mut Browser) -> bool {
    browser.get(server, "/dashboard/sessions").await.status == 200
}

/// The browser after a fresh sign-in, with n mails.
pub async fn again(server: &Server, mut browser: Browser, phone: &Phone, n: usize) -> Browser {
    let step = browser.sign_in(server, ADA, n).await;
    assert_eq!(step.header("location"), Some("/signin/second"));
    let code = phone.next_code(server);
    second(server, &mut browser, &[("code", &code)]).await.expect(303);
    browser
}
