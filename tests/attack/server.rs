//! Attacks on the edges of the api-server: connections, redirects, cookies, tables.

use everkey_tests::binaries::Binaries;
use everkey_tests::browser::Chromium;
use everkey_tests::person::Person;
use everkey_tests::server::Server;
use everkey_tests::wait::eventually;
use everkey_tests::{ADA, Setup};
use rustix::process::{Resource, Rlimit, getrlimit, setrlimit};
use serde_json::json;
use std::io::{BufRead, BufReader, Read, Write};
use std::net::{Ipv4Addr, Ipv6Addr, TcpListener, TcpStream};
use std::sync::{Arc, Mutex};
use std::time::Duration;
use tempfile::TempDir;

fn server() -> (TempDir, Server) {
    let folder = tempfile::tempdir().unwrap();
    let server = Server::start(&Binaries::find(), folder.path(), &Setup::default());
    (folder, server)
}

/// Another user's server on a port of both loopback addresses, and the cookies that browsers bring to it.
struct Thief {
    port: u16,
    hosts: Vec<&'static str>,
    cookies: Arc<Mutex<Vec<String>>>,
}

impl Thief {
    fn open() -> Self {
        let (four, six) = eventually("a port of both families", || {
            let four = TcpListener::bind((Ipv4Addr::LOCALHOST, 0)).ok()?;
            let six = TcpListener::bind((Ipv6Addr::LOCALHOST, four.local_addr().ok()?.port())).ok();
            Some((four, six))
        });
        let hosts = ["127.0.0.1", "localhost", "[::1]"].into_iter().take(if six.is_some() { 3 } else { 2 });
        let hosts = hosts.collect();
        let (port, cookies) = (four.local_addr().unwrap().port(), Arc::default());
        for listener in [Some(four), six].into_iter().flatten() {
            let cookies = Arc::clone(&cookies);
            // A browser opens connections ahead on which it says nothing, so each is served beside the others.
            std::thread::spawn(move || {
                for one in listener.incoming().flatten() {
                    let cookies = Arc::clone(&cookies);
                    std::thread::spawn(move || take(one, &cookies));
                }
            });
        }
        Self { port, hosts, cookies }
    }

    /// Lures the browser to this host at the thief's port; what it brought.
    fn lure(&self, browser: &Chromium, host: &str) -> Vec<String> {
        self.cookies.lock().unwrap().clear();
        browser.goto(&format!("http://{host}:{}/", self.port));
        browser.shows("Free money");
        self.cookies.lock().unwrap().clone()
    }
}

fn take(mut stream: TcpStream, cookies: &Mutex<Vec<String>>) {
    let lines = BufReader::new(&stream).lines().map_while(Result::ok).take_while(|line| !line.is_empty());
    for line in lines {
        if let Some((name, value)) = line.split_once(':')
            && name.eq_ignore_ascii_case("cookie")
        {
            cookies.lock().unwrap().extend(value.split(';').map(|pair| pair.trim().to_owned()));
        }
    }
    let page = "<title>x</title><p>Free money</p>";
    let head = format!("HTTP/1.1 200 OK\r\nContent-Type: text/html\r\nContent-Length: {}\r\n", page.len());
    let _ = stream.write_all(format!("{head}Connection: close\r\n\r\n{page}").as_bytes());
}

fn sign_in(browser: &Chromium, server: &Server, url: &str) {
    let before = server.codes(ADA).len();
    browser.goto(url);
    browser.fill("Email address", ADA);
    browser.click("Send the code");
    browser.shows("Type the code");
    browser.fill("Code", &server.code_after(ADA, before));
    browser.click("Sign in");
}

/// What the server answers to a cookie, wherever it was taken.
fn opens(server: &Server, host: &str, cookie: &str) -> bool {
    let address = server.url().strip_prefix("http://").unwrap();
    let mut stream = TcpStream::connect(address).unwrap();
    let head = format!(
        "GET /dashboard/sessions HTTP/1.1\r\nHost: {host}\r\nCookie: {cookie}\r\nConnection: close\r\n\r\n"
    );
    stream.write_all(head.as_bytes()).unwrap();
    let mut answer = String::new();
    stream.read_to_string(&mut answer).unwrap();
    answer.contains(ADA)
}

#[test]
fn a_neighbours_port_is_brought_no_session() {
    let Some(browser) = Chromium::start("a_neighbours_port_is_brought_no_session") else { return };
    let ((_folder, server), thief) = (server(), Thief::open());
    let port = server.url().rsplit(':').next().unwrap().to_owned();
    sign_in(&browser, &server, &format!("{}/signin", server.url()));
    browser.shows("Other sessions");
    for host in &thief.hosts {
        let brought = thief.lure(&browser, host);
        assert!(brought.is_empty(), "{host}: {} cookies", brought.len());
    }
    // The way in finds the browser's name again, although the thief can't.
    browser.goto(&format!("{}/dashboard/sessions", server.url()));
    browser.shows("Other sessions");

    // A sign-in under a name that the thief chose ends under another one.
    let known = "everkey-0123456789abcdef0123456789abcdef.localhost";
    sign_in(&browser, &server, &format!("http://{known}:{port}/signin?again=1"));
    browser.shows("Sign in here?");
    browser.click("Go on");
    browser.shows("Other sessions");
    let own = browser.url();
    let own_host = own.split('/').nth(2).unwrap().to_owned();
    for cookie in thief.lure(&browser, known) {
        let value = cookie.split_once('=').map_or("", |(_, value)| value);
        for host in [format!("{known}:{port}"), own_host.clone()] {
            assert!(
                !opens(&server, &host, &format!("everkey={value}")),
                "a cookie of {known} opens the pages"
            );
        }
    }
}

#[test]
fn half_sent_heads_keep_nobody_out() {
    let (_folder, server) = server();
    let limit = getrlimit(Resource::Nofile);
    setrlimit(Resource::Nofile, Rlimit { current: limit.maximum, ..limit }).unwrap();
    let address = server.url().strip_prefix("http://").unwrap().to_owned();
    let mut held = Vec::new();
    for _ in 0..1200 {
        let mut stream = TcpStream::connect(&address).unwrap();
        stream.write_all(b"GET /healthz HTTP/1.1\r\nHost: x\r\nX-Slow: ").unwrap();
        held.push(stream);
    }
    let mut honest = TcpStream::connect(&address).unwrap();
    honest.set_read_timeout(Some(Duration::from_secs(20))).unwrap();
    honest.write_all(b"GET /healthz HTTP/1.1\r\nHost: x\r\nConnection: close\r\n\r\n").unwrap();
    let mut answer = String::new();
    honest.read_to_string(&mut answer).expect("the server answers while the others are still waited for");
    assert!(answer.starts_with("HTTP/1.1 200"), "{answer}");
    drop(held);
}

#[test]
fn a_link_to_the_server_leads_nowhere_unseen() {
    let (_folder, server) = server();
    let body = json!({ "redirect_uris": ["https://evil.example/cb"], "token_endpoint_auth_method": "none" });
    let client = server.call("POST", "/register", None, Some(&body)).json()["client_id"].clone();
    let client = client.as_str().unwrap();
    let (mut ada, mut nobody) = (Person::sign_in(&server, ADA), Person::at(&server));
    for bad in ["response_type=x", "response_type=code&prompt=none", "response_type=code&scope=nothing", ""] {
        let path =
            format!("/authorize?client_id={client}&redirect_uri=https%3A%2F%2Fevil.example%2Fcb&{bad}");
        for who in [&mut ada, &mut nobody] {
            let answer = who.get(&path);
            assert_eq!((answer.status(), answer.header("location")), (400, None), "{bad}");
        }
    }
}

#[test]
fn a_redirect_host_writes_no_policy() {
    let (_folder, server) = server();
    for host in ["a;script-src%20*", "a;script-src.example", "a,b.example", "*.example", "*"] {
        let body =
            json!({ "redirect_uris": [format!("https://{host}/cb")], "token_endpoint_auth_method": "none" });
        let answer = server.call("POST", "/register", None, Some(&body));
        assert_eq!(answer.json()["error"], "invalid_redirect_uri", "{host}");
    }
}
