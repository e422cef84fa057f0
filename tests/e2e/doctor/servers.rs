//! Servers that have no name, no connection, no trust, no answer or another time.

use super::{doctor, kinds, problem};
use crate::network::nobody;
use everkey_tests::between::closed_proxy;
use everkey_tests::process::Running;
use everkey_tests::skip::{has, skipped};
use everkey_tests::{Canned, Fault, Gate, World};
use std::io::{BufRead, BufReader};
use std::process::{Command, Stdio};

/// An account at this server, with these lines.
fn account_at(world: &World, issuer: &str, lines: &str) {
    world.configure(&format!(
        "[profiles.work]\nprovider = \"oauth\"\nissuer = \"{issuer}\"\nclient_id = \"c\"\n{lines}\n"
    ));
}

/// Once by the agent's program alone, once by an agent that runs.
fn both_say(world: &World, kind: &str, what: &str, to_do: &str) {
    problem(world, kind, what, to_do);
    let agent = world.everkey("agent start --json").json()["pid"].clone();
    problem(world, kind, what, to_do);
    assert_eq!(doctor(world)["agent"]["pid"], agent);
    world.stop_agent();
}

#[test]
fn a_name_without_an_address_is_told() {
    let world = World::new();
    account_at(&world, "https://id.invalid", "");
    both_say(
        &world,
        "no_such_host",
        "The name in https://id.invalid has no address",
        "getent hosts id.invalid",
    );
}

#[test]
fn a_server_that_is_down_is_told() {
    let mut world = World::new();
    world.proxy.go_away();
    let server = world.proxy.url();
    both_say(&world, "no_connection", &format!("No connection to {server}"), "Check your network");
    world.proxy.come_back();
    assert_eq!(kinds(&doctor(&world)), ["no_agent"]);
}

#[test]
fn a_proxy_that_refuses_is_told() {
    let mut world = World::new();
    let (proxy, asked) = closed_proxy();
    account_at(&world, "https://id.invalid", &format!("proxy = \"{proxy}\""));
    both_say(
        &world,
        "proxy_fails",
        &format!("through the proxy {proxy}, proxy of the profile"),
        "config.toml",
    );
    assert_eq!(asked.try_recv().unwrap(), "CONNECT id.invalid:443 HTTP/1.1");
    let dead = nobody();
    world.set_env("HTTPS_PROXY", &dead);
    account_at(&world, "https://id.invalid", "");
    both_say(&world, "proxy_fails", &format!("{dead}, HTTPS_PROXY of the agent"), "HTTPS_PROXY");
    let shown = world.everkey("doctor").out;
    assert!(shown.contains(&format!("by way of {dead}, from HTTPS_PROXY of the agent")), "{shown}");
}

/// A server with a certificate of its own making, for so many days, and where that is.
fn tls_server(world: &World, days: &str) -> (Running, String, String) {
    let at = |name: &str| world.put(name, "").display().to_string();
    let (key, request, certificate) = (at("key.pem"), at("request.pem"), at("certificate.pem"));
    let extensions =
        world.put("extensions", "subjectAltName=IP:127.0.0.1\nbasicConstraints=critical,CA:FALSE\n");
    let run = |words: &[&str]| {
        let done = Command::new("openssl").args(words).output().unwrap();
        assert!(done.status.success(), "{words:?}: {done:?}");
    };
    run(&[
        "req",
        "-newkey",
        "rsa:2048",
        "-nodes",
        "-subj",
        "/CN=127.0.0.1",
        "-keyout",
        &key,
        "-out",
        &request,
    ]);
    let extensions = extensions.display().to_string();
    let sign = ["x509", "-req", "-in", &request, "-signkey", &key, "-days", days, "-extfile", &extensions];
    run(&[sign.as_slice(), &["-out", &certificate]].concat());
    let mut command = Command::new("openssl");
    command.args(["s_server", "-accept", "127.0.0.1:0", "-www", "-cert", &certificate, "-key", &key]);
    let mut server = Running::spawn(command.stdout(Stdio::piped()).stderr(Stdio::null()));
    let mut lines = BufReader::new(server.child().stdout.take().unwrap()).lines().map_while(Result::ok);
    let address = lines.find_map(|line| line.strip_prefix("ACCEPT ").map(str::to_owned)).unwrap();
    std::thread::spawn(move || lines.for_each(drop));
    (server, format!("https://{address}"), certificate)
}

#[test]
fn a_certificate_that_nobody_trusts_is_told() {
    if !has("openssl") {
        return skipped("a_certificate_that_nobody_trusts_is_told", "openssl is missing");
    }
    let world = World::new();
    let (_server, issuer, certificate) = tls_server(&world, "2");
    account_at(&world, &issuer, "");
    both_say(&world, "certificate_refused", "is not trusted", "`ca_file`");
    account_at(&world, &issuer, &format!("ca_file = \"{certificate}\""));
    let found = doctor(&world);
    assert_eq!(kinds(&found), ["no_agent"], "{found:#}");
    let shown = world.everkey("doctor").ok();
    assert!(shown.contains(&format!("trusts {certificate}, from the profile")), "{shown}");
}

#[test]
fn a_certificate_that_has_expired_is_told() {
    if !has("openssl") {
        return skipped("a_certificate_that_has_expired_is_told", "openssl is missing");
    }
    let world = World::new();
    let (_server, issuer, certificate) = tls_server(&world, "-1");
    account_at(&world, &issuer, &format!("ca_file = \"{certificate}\""));
    both_say(&world, "certificate_time", "has expired or is not valid yet", "`date`");
}

#[test]
fn a_server_that_fails_is_told() {
    let world = World::new();
    world.proxy.every("/", Fault::Answer(Canned::new(503, "text/plain", &[], "busy")));
    both_say(&world, "server_error", "answers 503", "no session is lost");
}

#[test]
fn a_server_that_does_not_answer_is_told() {
    let world = World::new();
    world.proxy.every("/", Fault::LoseRequest);
    both_say(&world, "no_answer", "closed without an answer", "ask whoever runs it");
    world.proxy.every("/", Fault::HoldRequest(Gate::default()));
    problem(&world, "no_answer", "no answer", "ask whoever runs it");
}

#[test]
fn a_clock_that_is_off_is_told() {
    let world = World::new();
    for (date, way) in
        [("Thu, 01 Jan 2015 00:00:00 GMT", "ahead of"), ("Fri, 01 Jan 2100 00:00:00 GMT", "behind")]
    {
        let date = format!("Date: {date}");
        world.proxy.every("/", Fault::Answer(Canned::new(404, "text/plain", &[&date], "")));
        both_say(&world, "clock_off", &format!("days {way} that of"), "timedatectl");
    }
}
