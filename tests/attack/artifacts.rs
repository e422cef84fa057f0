//! Attacks on the files of reports, from outside, at the real server.

use everkey_tests::binaries::Binaries;
use everkey_tests::server::Server;
use everkey_tests::{Setup, eventually, until};
use serde_json::{Value, json};
use std::fs;
use std::io::{Read as _, Write as _};
use std::net::TcpStream;
use std::path::{Path, PathBuf};
use std::process::{Command, Stdio};
use std::time::Duration;
use tempfile::TempDir;

/// A server, two people, and a workspace of the first.
struct Stage {
    server: Server,
    owner: String,
    stranger: String,
    reports: String,
    folder: TempDir,
}

fn stage() -> Stage {
    let folder = tempfile::tempdir().unwrap();
    let server = Server::start(&Binaries::find(), folder.path(), &Setup::default());
    let owner = server.sign_in("owner@example.com").access;
    let stranger = server.sign_in("stranger@example.com").access;
    let reports = workspace(&server, &owner);
    Stage { server, owner, stranger, reports, folder }
}

fn workspace(server: &Server, owner: &str) -> String {
    let made = server.call("POST", "/v1/workspaces", Some(owner), Some(&json!({ "name": "n" })));
    format!("/v1/workspaces/{}/reports", made.json()["id"].as_str().unwrap())
}

/// By coreutils, because a test's own code is not optimised.
fn sha256(content: &[u8]) -> String {
    let mut child = Command::new("sha256sum").stdin(Stdio::piped()).stdout(Stdio::piped()).spawn().unwrap();
    child.stdin.take().unwrap().write_all(content).unwrap();
    String::from_utf8(child.wait_with_output().unwrap().stdout).unwrap()[..64].to_owned()
}

fn described(name: &str, content: &[u8]) -> Value {
    json!({ "name": name, "size": content.len(), "sha256": sha256(content) })
}

impl Stage {
    fn announce(&self, by: &str, reports: &str, files: Value) -> String {
        let body = json!({ "title": "t", "body": "b", "files": files });
        let made = self.server.call("POST", reports, Some(by), Some(&body));
        assert_eq!(made.status(), 201, "{}", made.json());
        format!("{reports}/{}", made.json()["id"].as_str().unwrap())
    }

    fn connect(&self, method: &str, path: &str, by: &str, headers: &str) -> TcpStream {
        let address = self.server.url().strip_prefix("http://").unwrap();
        let mut stream = TcpStream::connect(address).unwrap();
        stream.set_read_timeout(Some(Duration::from_secs(60))).unwrap();
        let head = format!(
            "{method} {path} HTTP/1.1\r\nhost: x\r\nconnection: close\r\nauthorization: Bearer {by}\r\n{headers}\r\n"
        );
        stream.write_all(head.as_bytes()).unwrap();
        stream
    }

    fn send(&self, report: &str, by: &str, content: &[u8]) -> u16 {
        let length = format!("content-length: {}\r\n", content.len());
        let mut stream = self.connect("PUT", &format!("{report}/files/1"), by, &length);
        stream.write_all(content).unwrap();
        status(&answer(stream))
    }

    /// Everything in the folder of files.
    fn objects(&self) -> Vec<PathBuf> {
        let mut found = Vec::new();
        let mut folders = vec![self.files()];
        while let Some(folder) = folders.pop() {
            for path in fs::read_dir(folder).unwrap().map(|entry| entry.unwrap().path()) {
                if path.is_dir() { folders.push(path) } else { found.push(path) }
            }
        }
        found
    }

    fn files(&self) -> PathBuf {
        self.folder.path().join("server.db.files")
    }
}

/// What the server says until it closes, however it closes.
fn answer(mut stream: TcpStream) -> Vec<u8> {
    let (mut all, mut piece) = (Vec::new(), [0; 65536]);
    while let Ok(read @ 1..) = stream.read(&mut piece) {
        all.extend_from_slice(&piece[..read]);
    }
    all
}

fn status(answer: &[u8]) -> u16 {
    String::from_utf8_lossy(&answer[..answer.len().min(12)])
        .split(' ')
        .nth(1)
        .map_or(0, |code| code.parse().unwrap())
}

#[test]
fn a_stranger_who_knows_every_id_gets_no_file() {
    let stage = stage();
    let report = stage.announce(&stage.owner, &stage.reports, json!([described("a", b"private")]));
    assert_eq!(stage.send(&report, &stage.stranger, b"private"), 404);
    assert_eq!(stage.send(&report, &stage.owner, b"private"), 204);
    let own = workspace(&stage.server, &stage.stranger);
    let id = report.rsplit('/').next().unwrap();
    for path in
        [format!("{report}/files/1"), format!("{own}/{id}/files/1"), format!("{own}/{id}"), report.clone()]
    {
        let got = stage.server.call("GET", &path, Some(&stage.stranger), None);
        assert_eq!(got.status(), 404, "{path}");
        assert_eq!(stage.server.call("GET", &path, None, None).status(), 401, "{path}");
    }
    // Nor by the name of an object, which no route takes.
    let [object] = stage.objects().try_into().unwrap();
    let name = object.strip_prefix(stage.files()).unwrap().to_str().unwrap().to_owned();
    for path in
        [format!("/{name}"), format!("/files/{name}"), format!("/s/{name}"), format!("/s/x/files/{name}")]
    {
        assert_eq!(stage.server.call("GET", &path, Some(&stage.owner), None).status(), 404, "{path}");
    }
}

#[test]
fn an_endless_body_for_a_small_file_fills_no_disk() {
    let stage = stage();
    let report = stage.announce(&stage.owner, &stage.reports, json!([described("a", b"tiny")]));
    let mut stream =
        stage.connect("PUT", &format!("{report}/files/1"), &stage.owner, "transfer-encoding: chunked\r\n");
    let chunk = [b"10000\r\n".as_slice(), &[b'x'; 65536], b"\r\n"].concat();
    // It is cut off long before a gigabyte.
    let sent = (0..16384).take_while(|_| stream.write_all(&chunk).is_ok()).count();
    assert!(sent < 16384, "the server read all of it");
    until("nothing of it to be left", || stage.objects().is_empty());
    assert_eq!(stage.send(&report, &stage.owner, b"tiny"), 204);
}

#[test]
fn names_that_climb_never_reach_the_disk() {
    let stage = stage();
    for name in
        ["../../../tmp/everkey-was-here", "/tmp/everkey-was-here", "a/../../b", "..\\b", "a\u{0}b", ".ssh/x"]
    {
        let body = json!({ "title": "t", "body": "b", "files": [described(name, b"x")] });
        let answer = stage.server.call("POST", &stage.reports, Some(&stage.owner), Some(&body));
        assert_eq!(answer.status(), 400, "{name}");
    }
    let report = stage.announce(&stage.owner, &stage.reports, json!([described("etc/passwd", b"x")]));
    assert_eq!(stage.send(&report, &stage.owner, b"x"), 204);
    assert!(!Path::new("/tmp/everkey-was-here").exists());
    let shown = format!("{:?}", stage.objects());
    assert!(!shown.contains("passwd") && !shown.contains("etc"), "{shown}");
}

#[test]
fn files_swapped_in_the_store_are_given_to_nobody() {
    let stage = stage();
    let [one, two] = [b"content of one", b"content of two"].map(|content| {
        let report = stage.announce(&stage.owner, &stage.reports, json!([described("a", content)]));
        assert_eq!(stage.send(&report, &stage.owner, content), 204);
        report
    });
    let [first, second] = stage.objects().try_into().unwrap();
    let aside = stage.folder.path().join("aside");
    for (from, to) in [(&first, &aside), (&second, &first), (&aside, &second)] {
        fs::rename(from, to).unwrap();
    }
    for report in [&one, &two] {
        let got = answer(stage.connect("GET", &format!("{report}/files/1"), &stage.owner, ""));
        assert!(!String::from_utf8_lossy(&got).contains("content of"), "{}", String::from_utf8_lossy(&got));
    }
    assert_eq!(stage.server.events("file_damaged"), 2);
}

#[test]
fn one_account_that_sends_slowly_holds_up_nobody_else() {
    let stage = stage();
    let report = stage.announce(&stage.owner, &stage.reports, json!([described("a", &vec![b'x'; 9_000_000])]));
    let slow: Vec<TcpStream> = (0..40)
        .map(|_| {
            let length = "content-length: 9000000\r\n";
            let mut stream = stage.connect("PUT", &format!("{report}/files/1"), &stage.owner, length);
            stream.write_all(b"x").unwrap();
            stream
        })
        .collect();
    until("some to be under way", || stage.objects().len() >= 6);
    let theirs = workspace(&stage.server, &stage.stranger);
    let report = stage.announce(&stage.stranger, &theirs, json!([described("a", b"quick")]));
    assert_eq!(stage.send(&report, &stage.stranger, b"quick"), 204);
    assert!(stage.objects().len() <= 7, "{}", stage.objects().len());
    drop(slow);
    until("what they began to go", || stage.objects().len() == 1);
}

#[test]
fn large_files_in_and_out_take_no_memory() {
    let mut stage = stage();
    let content: Vec<u8> = (0..48_u32 << 18).flat_map(u32::to_le_bytes).collect();
    let report = stage.announce(&stage.owner, &stage.reports, json!([described("a", &content)]));
    let pid = stage.server.process().pid();
    // What it really used, unlike the space that it asked for.
    let most = || {
        let status = fs::read_to_string(format!("/proc/{pid}/status")).unwrap();
        let line = status.lines().find_map(|line| line.strip_prefix("VmHWM:")).unwrap();
        line.split_whitespace().next().unwrap().parse::<u64>().unwrap() / 1024
    };
    let before = most();
    assert_eq!(stage.send(&report, &stage.owner, &content), 204);
    let got = answer(stage.connect("GET", &format!("{report}/files/1"), &stage.owner, ""));
    assert!(got.ends_with(&content), "what comes out is what went in");
    let more = most() - before;
    assert!(more < 32, "{more} MiB for a file of 48");
}

#[test]
fn deleted_files_do_not_stay_on_the_disk() {
    let stage = stage();
    let marker = b"MARKER-that-must-go";
    let report = stage.announce(&stage.owner, &stage.reports, json!([described("a", marker)]));
    assert_eq!(stage.send(&report, &stage.owner, marker), 204);
    let link = {
        let body = json!({ "expires_in_days": 1 });
        let made = stage.server.call("POST", &format!("{report}/shares"), Some(&stage.owner), Some(&body));
        let url = made.json()["url"].as_str().unwrap().to_owned();
        url.strip_prefix(stage.server.url()).unwrap().to_owned()
    };
    let file = format!("{link}/files/1");
    assert_eq!(stage.server.call("GET", &file, None, None).body, marker);
    let gone = stage.server.call("DELETE", &report, Some(&stage.owner), None);
    assert_eq!(gone.status(), 204);
    assert_eq!(stage.server.call("GET", &file, None, None).status(), 404);
    eventually("the object to go", || stage.objects().is_empty().then_some(()));
}
