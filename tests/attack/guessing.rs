//! Guessing codes, and keeping others from signing in.

use everkey_tests::http::Message;
use everkey_tests::{ADA, Setup, World};
use rustix::net::{AddressFamily, SocketType, bind, connect, socket};
use serde_json::{Value, json};
use std::collections::BTreeMap;
use std::io::{BufReader, Write};
use std::net::{Ipv4Addr, SocketAddrV4, TcpStream};

/// A world with the limits that a host has.
fn world() -> World {
    World::with(Setup { real_limits: true, ..Setup::default() })
}

/// The n-th of many addresses: all of 127.0.0.0/8 is this machine.
fn address(n: u32) -> Ipv4Addr {
    Ipv4Addr::from_bits(Ipv4Addr::new(127, 1, 0, 1).to_bits() + n)
}

/// One call to the api-server from this address.
fn call(world: &World, from: Ipv4Addr, route: &str, body: &Value) -> Message {
    let to: SocketAddrV4 = world.server.url().strip_prefix("http://").unwrap().parse().unwrap();
    let socket = socket(AddressFamily::INET, SocketType::STREAM, None).unwrap();
    bind(&socket, &SocketAddrV4::new(from, 0)).unwrap();
    connect(&socket, &to).unwrap();
    let (mut stream, body) = (TcpStream::from(socket), body.to_string());
    let request = format!(
        "POST /v0/auth/login/{route} HTTP/1.1\r\nHost: {to}\r\nConnection: close\r\n\
         Content-Type: application/json\r\nContent-Length: {}\r\n\r\n{body}",
        body.len()
    );
    stream.write_all(request.as_bytes()).unwrap();
    Message::read(&mut BufReader::new(stream)).unwrap().unwrap()
}

fn ask(world: &World, from: Ipv4Addr) -> Message {
    call(world, from, "request", &json!({ "email": ADA }))
}

fn guess(world: &World, from: Ipv4Addr, code: &str) -> u16 {
    call(world, from, "verify", &json!({ "email": ADA, "code": code })).status()
}

/// A code that this is not, of the same length.
fn wrong(code: &str) -> String {
    let last = code.bytes().last().map_or(b'0', |digit| b'0' + (digit - b'0' + 1) % 10);
    format!("{}{}", &code[..code.len() - 1], char::from(last))
}

fn counts(statuses: impl Iterator<Item = u16>) -> BTreeMap<u16, usize> {
    let mut counts = BTreeMap::new();
    for status in statuses {
        *counts.entry(status).or_default() += 1;
    }
    counts
}

#[test]
fn locking_out_an_address_that_never_asked_for_a_code() {
    let world = world();
    let statuses = counts((0..200).map(|_| guess(&world, address(1), "000000")));
    assert_eq!(statuses, BTreeMap::from([(401, 50), (429, 150)]));
    world.login();
}

#[test]
fn spoiling_a_sign_in_that_waits_for_its_code() {
    let world = world();
    let mut talk = world.start("auth login --json");
    talk.json();
    talk.say(ADA);
    assert_eq!(talk.json()["field"], "code");
    let code = world.server.code_after(ADA, 0);
    // From the same address as the agent, and from others: more codes, and wrong guesses at all of them.
    for from in [Ipv4Addr::LOCALHOST, address(1), address(2)] {
        ask(&world, from);
        for _ in 0..30 {
            assert_ne!(guess(&world, from, &wrong(&code)), 200);
        }
    }
    talk.say(&code);
    assert_eq!(talk.json()["user"]["email"], ADA);
    talk.finish().ok();
}

#[test]
fn flooding_a_mailbox_from_fifty_addresses() {
    let world = world();
    world.login();
    world.everkey("auth logout").ok();
    let statuses = counts((0..50).map(|n| ask(&world, address(n)).status()));
    assert_eq!(statuses, BTreeMap::from([(200, 50)]), "nobody is told which were sent");
    let letters = world.server.codes(ADA);
    assert!(letters.len() <= 22, "{} letters", letters.len());

    // On the way, in a network that nobody knows, with what is in the mailbox.
    let (train, longest) = (address(1000), letters.iter().rfind(|code| code.len() == 16).unwrap());
    assert_eq!(ask(&world, train).status(), 200);
    assert_eq!(guess(&world, train, &wrong(longest)), 401);
    assert_eq!(guess(&world, train, longest), 200);
}

#[test]
#[ignore = "long: ./dev attack"]
fn guessing_into_an_account_from_two_thousand_addresses() {
    let world = world();
    world.login();
    world.everkey("auth logout").ok();
    let mut guesses = counts(std::iter::empty());
    for n in 0..2000 {
        let id = ask(&world, address(n)).json()["request_id"].clone();
        for with_id in [true, true, false, false] {
            let mut body = json!({ "email": ADA, "code": format!("{:06}", n * 3 % 1_000_000) });
            if with_id {
                body["request_id"] = id.clone();
            }
            *guesses.entry(call(&world, address(n), "verify", &body).status()).or_default() += 1;
        }
    }
    assert_eq!(guesses, BTreeMap::from([(401, 8000)]));
    assert!(world.server.codes(ADA).len() < 30);
    assert!(world.server.events("code_refused") <= 8000);
    let train = address(5000);
    assert_eq!(ask(&world, train).status(), 200);
    let longest = world.server.codes(ADA).into_iter().rfind(|code| code.len() == 16).unwrap();
    assert_eq!(guess(&world, train, &longest), 200, "on the way");
    world.login();
}
