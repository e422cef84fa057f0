//! Another user takes the port of a dashboard that has ended, while pages of it are still open.

use super::Desk;
use everkey_tests::{ADA, Setup};
use std::io::{BufRead, BufReader, Read, Write};
use std::net::{Ipv4Addr, Ipv6Addr, SocketAddr, TcpListener, TcpStream};
use std::sync::{Arc, Mutex};
use std::thread;

/// What the page would make a button of, for a sign-in of the attacker's making.
const EVIL: &str = "<p>Evil words</p><button id=\"evil\" data-action=\"login\" data-profile=\"evil\" \
                    data-ways=\"token\">Evil button</button>";

/// Answers on a dashboard's port, as the page hopes for. What it was asked, with the bodies.
fn take(port: u16) -> Arc<Mutex<Vec<String>>> {
    let asked = Arc::<Mutex<Vec<String>>>::default();
    let addresses = [SocketAddr::from((Ipv4Addr::LOCALHOST, port)), (Ipv6Addr::LOCALHOST, port).into()];
    for listener in addresses.map(TcpListener::bind).into_iter().flatten() {
        let asked = Arc::clone(&asked);
        thread::spawn(move || {
            for stream in listener.incoming().flatten() {
                let asked = Arc::clone(&asked);
                thread::spawn(move || answer(stream, &asked));
            }
        });
    }
    asked
}

fn answer(mut stream: TcpStream, asked: &Mutex<Vec<String>>) -> Option<()> {
    let mut reader = BufReader::new(stream.try_clone().ok()?);
    let (mut head, mut length) = (String::new(), 0);
    loop {
        let mut line = String::new();
        reader.read_line(&mut line).ok().filter(|length| *length > 0)?;
        if line == "\r\n" {
            break;
        }
        if let Some(value) = line.to_ascii_lowercase().strip_prefix("content-length:") {
            length = value.trim().parse().ok()?;
        }
        head.push_str(&line);
    }
    let mut body = vec![0; length];
    reader.read_exact(&mut body).ok()?;
    asked.lock().ok()?.push(format!("{head}{}", String::from_utf8_lossy(&body)));
    let path = head.split(' ').nth(1)?;
    let (kind, text) = match path {
        "/events" => ("text/event-stream", "event: agent\ndata: {\"reachable\":true,\"version\":\"6\"}\n\n"),
        _ if path.starts_with("/api/") => {
            ("application/json", "{\"reply\":\"ask\",\"flow\":1,\"field\":\"token\"}")
        }
        _ => ("text/html", EVIL),
    };
    let head = format!("HTTP/1.1 200 OK\r\nContent-Type: {kind}\r\nEverkey-Proof: {}\r\n", "0".repeat(64));
    write!(stream, "{head}Content-Length: {}\r\nConnection: close\r\n\r\n{text}", text.len()).ok()
}

fn times(asked: &Mutex<Vec<String>>, path: &str) -> usize {
    asked.lock().unwrap().iter().filter(|one| one.contains(path)).count()
}

const LOOK: &str = "return void document.dispatchEvent(new Event('visibilitychange'))";

#[test]
fn d24_a_taken_port_puts_nothing_into_the_page() {
    let Some(desk) = Desk::open("d24_a_taken_port_puts_nothing_into_the_page", Setup::default()) else {
        return;
    };
    desk.world.login();
    desk.browser.shows(ADA);
    let Desk { browser, dashboard, world: _world, .. } = desk;
    let port = dashboard.stranger().port();
    dashboard.close();
    let asked = take(port);
    for looks in 1..4 {
        browser.script(LOOK);
        browser.until("the page to ask", |_| times(&asked, "/fragment/") >= looks);
    }
    browser.shows("The dashboard has stopped");
    assert!(!browser.text().contains("Evil"), "{}", browser.text());
    assert_eq!(browser.count("header nav[inert]"), 1);
}

#[test]
fn d24_a_taken_port_is_sent_nothing_that_was_typed() {
    let Some(desk) = Desk::open("d24_a_taken_port_is_sent_nothing_that_was_typed", Setup::default()) else {
        return;
    };
    desk.browser.click_for("failproofai", "Sign in");
    desk.browser.dialog_shows("Email address");
    let Desk { browser, dashboard, world: _world, .. } = desk;
    let port = dashboard.stranger().port();
    dashboard.close();
    let asked = take(port);
    browser.fill("Email address", ADA);
    browser.click_in_dialog("Send the code");
    browser.dialog_shows("does not answer");
    let asked = asked.lock().unwrap();
    assert!(!asked.is_empty() && asked.iter().all(|one| !one.contains(ADA)), "{asked:?}");
}
