//! The socket under nonsense, slowness and strange gifts (D10, D11), and from another language.

use everkey_proto::frame::{MAGIC, REQUEST_CAP, enclose};
use everkey_proto::hello::{AgentHello, ClientHello, HELLO_CAP};
use everkey_proto::{Reply, codec};
use everkey_tests::cli::{Cli, Talk};
use everkey_tests::lines::{Lines, connect, until_closed};
use everkey_tests::person::{Approval, Person};
use everkey_tests::process::{open_files, peak_memory_kib};
use everkey_tests::skip::{has, skipped};
use everkey_tests::wait::eventually;
use everkey_tests::{ADA, Setup, World, http, until};
use rustix::net::{SendAncillaryBuffer, SendAncillaryMessage, SendFlags, sendmsg};
use serde_json::json;
use std::io::{IoSlice, Read, Write};
use std::mem::MaybeUninit;
use std::os::fd::AsFd;
use std::os::unix::net::UnixStream;
use std::path::{Path, PathBuf};
use std::process::Command;

const CANARY: &str = "canary-5d1f-never-echoed";

/// A connection on which binary hellos have been exchanged.
pub fn framed(world: &World) -> UnixStream {
    let mut stream = connect(&world.socket());
    let hello = enclose(&ClientHello::new("e2e").encode(), HELLO_CAP).unwrap();
    stream.write_all(&[MAGIC.as_slice(), &hello].concat()).unwrap();
    let mut header = [0; 4];
    stream.read_exact(&mut header).unwrap();
    let mut body = vec![0; u32::from_le_bytes(header) as usize];
    stream.read_exact(&mut body).unwrap();
    assert_eq!(AgentHello::decode(&body).unwrap().chosen, 1);
    stream
}

/// The next reply on it.
pub fn framed_reply(stream: &mut UnixStream) -> Reply {
    let mut header = [0; 4];
    stream.read_exact(&mut header).unwrap();
    let mut body = vec![0; u32::from_le_bytes(header) as usize];
    stream.read_exact(&mut body).unwrap();
    codec::decode_reply(&body).unwrap()
}

fn assert_unharmed(world: &World) {
    assert_eq!(world.lines().request("whoami")["email"], ADA);
    assert!(!world.agent_log().contains(CANARY), "nothing of the input is logged");
}

#[test]
fn d11_oversized_frames_are_closed_and_nothing_is_allocated() {
    let world = World::signed_in(Setup::default());
    let pid = world.agent_pid();
    let before = peak_memory_kib(pid);
    for len in [REQUEST_CAP as u32 + 1, 1 << 30, u32::MAX] {
        // The first one is sent whole, so that nothing but its size is wrong with it.
        let body = CANARY.repeat(REQUEST_CAP / CANARY.len() + 1);
        for (mut stream, start) in [(framed(&world), b"".as_slice()), (connect(&world.socket()), &MAGIC)] {
            let _ = stream.write_all(&[start, &len.to_le_bytes(), body.as_bytes()].concat());
            assert_eq!(until_closed(&mut stream), b"");
        }
    }
    let mut stream = framed(&world);
    let _ = stream.write_all(&[0; 4]);
    assert_eq!(until_closed(&mut stream), b"", "an empty frame is none");
    let after = peak_memory_kib(pid);
    assert!(after < before + 64 * 1024, "{before} KiB became {after}");
    assert_unharmed(&world);
}

#[test]
fn d11_garbage_is_closed_and_never_echoed() {
    let world = World::signed_in(Setup::default());
    let http = format!("GET /{CANARY} HTTP/1.1\r\nHost: x\r\n\r\n");
    let open: [&[u8]; 5] =
        [http.as_bytes(), b"EVK2", b"EVK1\x05\0\0\0\xff\xff\xff\xff\xff", &[0xff; 4096], b"\n\n"];
    for bytes in open {
        let mut stream = connect(&world.socket());
        let _ = stream.write_all(bytes);
        let _ = stream.write_all(CANARY.as_bytes());
        assert_eq!(until_closed(&mut stream), b"", "{bytes:?}");
    }
    for body in [b"\xff".repeat(64), CANARY.as_bytes().to_vec(), vec![0; REQUEST_CAP]] {
        let mut stream = framed(&world);
        let _ = stream.write_all(&enclose(&body, REQUEST_CAP).unwrap());
        let answer = until_closed(&mut stream);
        assert!(!answer.windows(CANARY.len()).any(|part| part == CANARY.as_bytes()));
    }
    assert_unharmed(&world);
}

#[test]
fn d11_lines_that_are_no_requests_are_told_once_and_closed() {
    let world = World::signed_in(Setup::default());
    let deep = format!("{}{}", "{\"a\":".repeat(10_000), "[".repeat(10_000));
    let long = format!("{{\"request\":\"{}\"}}", "x".repeat(2 * REQUEST_CAP));
    let lines = [
        format!("{{\"request\":\"{CANARY}\"}}"),
        format!("{{\"request\":\"whoami\",\"{CANARY}\":1}}"),
        "{\"request\":\"token\",\"request\":\"logout\"}".to_owned(),
        "{\"request\":\"token\",\"min_validity_secs\":1,\"min_validity_secs\":2}".to_owned(),
        format!("{{\"request\":\"token\",\"min_validity_secs\":-1,\"profile\":\"{CANARY}\"}}"),
        "[1,2,3]".to_owned(),
        "\u{0}".to_owned(),
        deep,
        long,
    ];
    for line in lines {
        let mut connection = world.lines();
        connection.send(line.as_bytes());
        connection.send(b"\n{\"request\":\"logout\"}\n");
        let answer = connection.rest();
        assert!(answer.lines().count() <= 1, "nothing after it is served: {answer}");
        assert!(answer.is_empty() || answer.contains("\"bad_request\""), "{answer}");
        assert!(!answer.contains(CANARY), "{answer}");
    }
    assert_unharmed(&world);
}

#[test]
fn d11_a_malformed_request_is_reported_and_the_next_served() {
    let world = World::signed_in(Setup::default());
    let mut lines = world.lines();
    for (line, words) in [
        (json!({ "request": "answer" }), "needs the field \"flow\""),
        (json!({ "request": "answer", "flow": 1 }), "needs the field \"text\""),
        (json!({ "request": "whoami", "force": true }), "takes no field \"force\""),
    ] {
        let reply = lines.ask(&line);
        assert_eq!(reply["code"], "bad_request", "{reply}");
        assert!(reply["message"].as_str().unwrap().contains(words), "{reply}");
    }
    assert_eq!(lines.request("whoami")["email"], ADA);
}

#[test]
fn d09_a_client_of_another_version_learns_both_versions() {
    let world = World::new();
    world.everkey("agent start").ok();
    let mut stream = connect(&world.socket());
    stream.write_all(b"{\"hello\":{\"oldest\":7,\"newest\":9}}\n").unwrap();
    let answer = String::from_utf8(until_closed(&mut stream)).unwrap();
    let hello: serde_json::Value = serde_json::from_str(&answer).unwrap();
    assert_eq!((&hello["hello"]["chosen"], &hello["hello"]["newest"]), (&0.into(), &1.into()), "{answer}");
}

#[test]
fn d11_passed_descriptors_are_dropped() {
    let world = World::signed_in(Setup::default());
    let pid = world.agent_pid();
    let Some(before) = open_files(pid) else {
        return skipped("d11_passed_descriptors_are_dropped", "only root may count descriptors");
    };
    let (gift, _other_end) = UnixStream::pair().unwrap();
    let hello = b"{\"hello\":{\"oldest\":1,\"newest\":1}}\n";
    let givers: Vec<_> = (0..20)
        .map(|_| {
            let stream = connect(&world.socket());
            let gifts = [gift.as_fd(); 8];
            let mut space = [MaybeUninit::uninit(); 128];
            let mut ancillary = SendAncillaryBuffer::new(&mut space);
            assert!(ancillary.push(SendAncillaryMessage::ScmRights(&gifts)));
            sendmsg(&stream, &[IoSlice::new(hello)], &mut ancillary, SendFlags::empty()).unwrap();
            stream
        })
        .collect();
    for mut stream in givers {
        // Whether it is served or closed, nothing of the gift is kept.
        let mut byte = [0];
        let _ = stream.read(&mut byte);
        assert!(open_files(pid) < Some(before + 40), "{:?} descriptors", open_files(pid));
    }
    until("the connections to be closed", || open_files(pid) <= Some(before));
    assert_unharmed(&world);
}

#[test]
fn d10_slow_clients_are_dropped_and_harm_nobody() {
    let world = World::signed_in(Setup::default());
    let mut slow: Vec<(&str, UnixStream, Vec<u8>)> = vec![
        ("says nothing", connect(&world.socket()), Vec::new()),
        ("half a magic", connect(&world.socket()), b"EV".to_vec()),
        ("half a hello", connect(&world.socket()), b"EVK1\x20".to_vec()),
        ("half a line", connect(&world.socket()), b"{\"hello\":".to_vec()),
        ("half a frame", framed(&world), 1000u32.to_le_bytes().to_vec()),
    ];
    for (_, stream, start) in &mut slow {
        stream.write_all(start).unwrap();
        stream.set_nonblocking(true).unwrap();
    }
    // One keeps a byte coming, which buys no time.
    let mut drip = framed(&world);
    drip.set_nonblocking(true).unwrap();
    drip.write_all(&60_000u32.to_le_bytes()).unwrap();
    eventually("the drip to be dropped", || {
        let _ = drip.write(b"x");
        assert_eq!(world.lines().request("whoami")["email"], ADA, "others are served meanwhile");
        is_closed(&mut drip).then_some(())
    });
    for (what, stream, _) in &mut slow {
        until(&format!("the client that {what} to be dropped"), || is_closed(stream));
    }
}

/// Whether the agent has hung up.
fn is_closed(stream: &mut UnixStream) -> bool {
    match stream.read(&mut [0; 64]) {
        Ok(0) => true,
        Ok(_) => panic!("nothing was asked that could be answered"),
        Err(e) => e.kind() != std::io::ErrorKind::WouldBlock,
    }
}

#[test]
fn a_crowd_of_connections_is_bounded_and_served_in_turn() {
    let world = World::signed_in(Setup::default());
    let idle: Vec<Lines> = (0..200).map(|_| world.lines()).collect();
    assert_eq!(world.lines().request("whoami")["email"], ADA);
    drop(idle);
}

#[test]
fn pythons_standard_library_is_enough_for_a_client() {
    if !has("python3") {
        return skipped("pythons_standard_library_is_enough_for_a_client", "no python3");
    }
    let world = World::signed_in(Setup::default());
    let script = concat!(env!("CARGO_MANIFEST_DIR"), "/e2e/json_client.py");
    let output = Command::new("python3").arg(script).arg(world.socket()).output().unwrap();
    assert!(output.status.success(), "{}", String::from_utf8_lossy(&output.stderr));
    let said = String::from_utf8(output.stdout).unwrap();
    assert_eq!(said.trim(), format!("{ADA} {}", world.session_text("access_token")));
}

/// The Python programs of proto/README.md, as they stand there.
fn programs(world: &World) -> Vec<PathBuf> {
    let text = std::fs::read_to_string(concat!(env!("CARGO_MANIFEST_DIR"), "/../proto/README.md")).unwrap();
    let blocks = text.split("```").skip(1).step_by(2);
    let code = blocks.filter_map(|block| block.strip_prefix("python\n"));
    code.enumerate().map(|(number, code)| world.put(&format!("program-{number}.py"), code)).collect()
}

/// One of them under way.
fn python(world: &World, program: &Path, profile: Option<&str>) -> Talk {
    let mut command = Command::new("python3");
    command.arg(program).arg(world.socket()).args(profile);
    Cli::new(command).talk()
}

#[test]
fn a_client_written_from_the_page_gets_a_token() {
    if !has("python3") {
        return skipped("a_client_written_from_the_page_gets_a_token", "no python3");
    }
    let world = World::signed_in(Setup::default());
    let [token, _] = programs(&world).try_into().unwrap();
    assert_eq!(python(&world, &token, None).finish().ok(), world.session_text("access_token"));
    // What it calls itself stands beside the program that was seen.
    let accesses = world.lines().ask(&json!({ "request": "accesses" }));
    let access = &accesses["accesses"][0];
    assert_eq!(access["client"], "example.py", "{accesses}");
    assert!(access["program"].as_str().is_some_and(|program| program.contains("python")), "{accesses}");
}

#[test]
fn sign_ins_written_from_the_page_work() {
    if !has("python3") {
        return skipped("sign_ins_written_from_the_page_work", "no python3");
    }
    let world = World::new();
    let url = world.proxy.url();
    let profile = |scheme: &str| {
        format!("[profiles.by-{scheme}]\nprovider = \"oauth\"\nissuer = \"{url}\"\nscheme = \"{scheme}\"\n")
    };
    std::fs::write(world.home().join("config.toml"), profile("device") + &profile("browser")).unwrap();
    world.everkey("agent start").ok();
    let [_, sign_in] = programs(&world).try_into().unwrap();
    let mut person = Person::sign_in(&world.server, ADA);

    let mut device = python(&world, &sign_in, Some("by-device"));
    let (_, code) =
        device.line().split_once(" and type ").map(|(a, b)| (a.to_owned(), b.to_owned())).unwrap();
    person.decide(code.trim(), Approval::Yes);
    assert_eq!(device.line().trim(), format!("Signed in as {ADA}"));
    device.finish().ok();

    let mut browser = python(&world, &sign_in, Some("by-browser"));
    let page = browser.line().trim().trim_start_matches("Open ").to_owned();
    let back = person.answer(&page, Approval::Yes);
    let (base, path) = back.split_at(back.find("/callback").unwrap());
    assert_eq!(http::call(base, "GET", path, None, None).status(), 200);
    assert_eq!(browser.line().trim(), format!("Signed in as {ADA}"));
    browser.finish().ok();
}
