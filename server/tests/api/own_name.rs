//! On loopback each browser has a name of its own for the pages, and nobody else learns it.

use std::collections::BTreeMap;
use std::time::Duration;

use crate::kit::browser::{between, token_in};
use crate::kit::server::{Options, Server, code_in, start};
use crate::kit::wire::{Answer, request_to};

const PUBLIC: &str = "http://127.0.0.1:8787";
const ENTRY: &str = "127.0.0.1:8787";
const MINE: &str = "everkey-00000000000000000000000000000001.localhost:8787";
const OTHER: &str = "everkey-00000000000000000000000000000002.localhost:8787";

/// A browser whose cookies belong to hosts.
#[derive(Default)]
struct Jar(BTreeMap<(String, String), String>);

impl Jar {
    async fn send(
        &mut self,
        server: &Server,
        host: &str,
        path: &str,
        form: Option<&[(&str, &str)]>,
    ) -> Answer {
        let method = if form.is_some() { "POST" } else { "GET" };
        let pairs = self.0.iter().filter(|((at, _), _)| at == host);
        let pairs: Vec<_> = pairs.map(|((_, name), value)| format!("{name}={value}")).collect();
        let mut request = request_to(host, method, path).header("cookie", &pairs.join("; "));
        if let Some(form) = form {
            request = request.header("origin", &format!("http://{host}")).form(form);
        }
        let answer = request.send(server.address).await;
        for cookie in answer.all("set-cookie") {
            let (name, value) = cookie.split(';').next().unwrap().split_once('=').unwrap();
            self.0.insert((host.to_owned(), name.to_owned()), value.to_owned());
        }
        answer
    }

    async fn get(&mut self, server: &Server, host: &str, path: &str) -> Answer {
        self.send(server, host, path, None).await
    }

    /// Signs in under this name, as far as the ticket.
    async fn ticket(&mut self, server: &Server, host: &str, n: usize) -> String {
        let token = token_in(&self.get(server, host, "/signin?again=1").await);
        let fields = [("csrf", token.as_str()), ("email", "ada@example.com")];
        self.send(server, host, "/signin", Some(&fields)).await.expect(303);
        let code = code_in(server.mails(n).await.last().unwrap());
        let token = token_in(&self.get(server, host, "/signin/code").await);
        let fields = [("csrf", token.as_str()), ("code", code.as_str())];
        let done = self.send(server, host, "/signin/code", Some(&fields)).await;
        assert!(
            done.all("set-cookie").next().is_none(),
            "no cookie under a name that somebody may know: {done:?}"
        );
        let place = done.expect(303).header("location").unwrap().to_owned();
        place.strip_prefix(PUBLIC).unwrap().to_owned()
    }

    async fn is_in(&mut self, server: &Server, host: &str) -> bool {
        self.get(server, host, "/dashboard/sessions").await.status == 200
    }
}

async fn server() -> Server {
    start(Options { public_url: PUBLIC, ..Options::without_limits() }).await
}

#[tokio::test]
async fn the_way_in_sets_no_cookie_and_a_new_name() {
    let server = server().await;
    let mut names = Vec::new();
    for path in
        ["/", "/dashboard/sessions", "/signin", "/device?user_code=X", "/authorize?client_id=x", "/enter"]
    {
        let way = Jar::default().get(&server, ENTRY, path).await;
        assert!(way.expect(200).all("set-cookie").next().is_none(), "{way:?}");
        let on = between(&way.body, "id=\"on\" href=\"http://everkey-", "\"").unwrap();
        let (name, rest) = on.split_once(".localhost:8787").unwrap();
        assert_eq!(rest.replace("&#38;", "&"), path);
        names.push(name.to_owned());
    }
    names.sort();
    names.dedup();
    assert_eq!(names.len(), 6);
    let elsewhere = Jar::default().get(&server, "localhost:8787", "/device?x=1").await;
    assert_eq!(elsewhere.expect(303).header("location"), Some("http://127.0.0.1:8787/device?x=1"));
    let form: &[(&str, &str)] = &[("email", "ada@example.com")];
    Jar::default().send(&server, ENTRY, "/signin", Some(form)).await.expect(403);
}

#[tokio::test]
async fn a_cookie_opens_nothing_under_the_shared_host() {
    let server = server().await;
    let mut jar = Jar::default();
    let ticket = jar.ticket(&server, MINE, 1).await;
    let done = jar.get(&server, MINE, &ticket).await;
    assert_eq!(done.expect(303).header("location"), Some("/dashboard"));
    assert!(jar.is_in(&server, MINE).await);
    let cookie = jar.0[&(MINE.to_owned(), "everkey".to_owned())].clone();
    for host in [ENTRY, "localhost:8787", "evil.example"] {
        let asked =
            request_to(host, "GET", "/dashboard/sessions").header("cookie", &format!("everkey={cookie}"));
        let answer = asked.send(server.address).await;
        assert!(!answer.body.contains("ada@example.com"), "{answer:?}");
    }
}

#[tokio::test]
async fn a_sign_in_under_anothers_name_is_asked_about() {
    let server = server().await;
    let mut jar = Jar::default();
    let ticket = jar.ticket(&server, OTHER, 1).await;
    let asked = jar.get(&server, MINE, &ticket).await;
    assert!(asked.expect(200).body.contains("ada@example.com") && asked.body.contains("Sign in here?"));
    assert!(asked.all("set-cookie").next().is_none());
    assert!(!jar.is_in(&server, MINE).await && !jar.is_in(&server, OTHER).await);
    let text = ticket.split_once("ticket=").unwrap().1.to_owned();
    let sealed = between(&asked.body, "name=\"ticket\" value=\"", "\"").unwrap();
    assert_eq!(sealed, text);
    jar.send(&server, MINE, "/enter", Some(&[("ticket", &sealed)])).await.expect(303);
    assert!(jar.is_in(&server, MINE).await && !jar.is_in(&server, OTHER).await);
}

#[tokio::test]
async fn a_ticket_works_once_and_not_for_long() {
    let server = server().await;
    let mut jar = Jar::default();
    let ticket = jar.ticket(&server, MINE, 1).await;
    jar.get(&server, MINE, &ticket).await.expect(303);
    let mut thief = Jar::default();
    thief.get(&server, MINE, &ticket).await.expect(403);
    assert!(!thief.is_in(&server, MINE).await);
    let late = jar.ticket(&server, MINE, 2).await;
    server.clock.advance(Duration::from_secs(301));
    thief.get(&server, MINE, &late).await.expect(403);
    thief.get(&server, MINE, "/enter?ticket=AAAA").await.expect(403);
    thief.get(&server, MINE, &late.replace("ticket=", "ticket=A")).await.expect(403);
}
