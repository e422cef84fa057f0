//! The files of reports: what goes in comes out, whole or not at all, to members and to whoever holds a link.

use std::time::Duration;

use everkey_server::time::TimeSource as _;
use serde_json::{Value, json};

use crate::kit::artifacts::{announce, announcing, described, get, large, objects, send, several, whole};
use crate::kit::server::SignedIn;
use crate::kit::team::{Cast, call, cast};
use crate::kit::wire::{request, send_raw};

const DAY: Duration = Duration::from_secs(86_400);

/// Sweeps, and answers with how many objects went.
async fn sweep(cast: &Cast) -> usize {
    cast.server.sweep.sweep(cast.server.clock.now()).await.unwrap().objects
}

/// Makes a link and answers with its path.
async fn share(cast: &Cast, by: &SignedIn, report: &str) -> String {
    let body = Some(json!({ "expires_in_days": 7 }));
    let made = call(&cast.server, "POST", &format!("{report}/shares"), &by.access, body).await;
    made.expect(201).text("url").strip_prefix("http://everkey.example").unwrap().to_owned()
}

#[tokio::test]
async fn a_report_is_there_once_all_its_files_are() {
    let cast = cast().await;
    let (admin, member, owner) = (&cast.admin, &cast.member, &cast.owner);
    let mut first = described("logs/run 1 ä.txt", b"first");
    first["media_type"] = json!("text/plain");
    let report = announce(&cast.server, &cast.home, admin, &json!([first, described("b.bin", b"")])).await;

    let seen = call(&cast.server, "GET", &report, &owner.access, None).await;
    assert_eq!(
        (&seen.json()["complete"], &seen.json()["files"][0]["stored"]),
        (&json!(false), &json!(false))
    );
    call(&cast.server, "GET", &report, &member.access, None).await.expect_error(404, "not_found");
    let listed = |who: &SignedIn| {
        let (server, path, access) = (&cast.server, format!("{}/reports", cast.home), who.access.clone());
        async move { call(server, "GET", &path, &access, None).await.json()["reports"].as_array().unwrap().len() }
    };
    assert_eq!((listed(owner).await, listed(member).await), (1, 0));
    let days = Some(json!({ "expires_in_days": 7 }));
    let early = call(&cast.server, "POST", &format!("{report}/shares"), &owner.access, days).await;
    early.expect_error(409, "incomplete");
    send(&cast.server, &report, member, 1, b"first").await.expect_error(404, "not_found");
    send(&cast.server, &report, owner, 3, b"first").await.expect_error(404, "not_found");
    send(&cast.server, &report, owner, 1, b"first").await.expect(204);
    send(&cast.server, &report, admin, 1, b"first").await.expect_error(409, "already_stored");
    get(&cast.server, &report, admin, 1).await.expect_error(409, "incomplete");
    send(&cast.server, &report, admin, 2, b"").await.expect(204);

    let seen = call(&cast.server, "GET", &report, &member.access, None).await;
    assert_eq!(seen.expect(200).json()["complete"], true);
    assert_eq!(seen.json()["files"][1]["media_type"], "application/octet-stream");
    assert_eq!((listed(owner).await, listed(member).await), (1, 1));
    let file = get(&cast.server, &report, member, 1).await;
    assert_eq!(file.expect(200).body, "first");
    for (header, value) in [
        ("content-length", "5"),
        ("content-type", "text/plain; charset=utf-8"),
        (
            "content-disposition",
            "attachment; filename=\"run_1__.txt\"; filename*=UTF-8''run%201%20%C3%A4.txt",
        ),
        ("x-content-type-options", "nosniff"),
        ("content-security-policy", "default-src 'none'; sandbox; frame-ancestors 'none'"),
        ("repr-digest", "sha-256=:p5N7ZLjKpY8Dchu2us9ceMsjX+vg5wsbhM2ZVBRhoI4=:"),
    ] {
        assert_eq!(file.header(header), Some(value), "{file:?}");
    }
    assert_eq!(get(&cast.server, &report, member, 2).await.expect(200).body, "");
    get(&cast.server, &report, &cast.outsider, 1).await.expect_error(404, "not_found");
    request("GET", &format!("{report}/files/1"))
        .send(cast.server.address)
        .await
        .expect_error(401, "unauthorized");
    // Nothing of whose or what it is stands in the name of an object.
    let stored = objects(&cast.server);
    assert_eq!(stored.len(), 2);
    for path in &stored {
        let name = path.strip_prefix(cast.server.folder()).unwrap().to_str().unwrap();
        let rest = name.strip_prefix("files/").unwrap();
        assert!(
            rest.bytes().all(|byte| byte == b'/' || byte.is_ascii_hexdigit()) && rest.len() == 33,
            "{name}"
        );
    }
}

#[tokio::test]
async fn only_what_the_manifest_says_is_taken_in() {
    let cast = cast().await;
    let large = large();
    let report = announce(&cast.server, &cast.home, &cast.owner, &several(&[b"small", &large])).await;
    let mut other = large.clone();
    *other.last_mut().unwrap() = b'!';
    for (place, content) in [(1, b"smalL".as_slice()), (2, other.as_slice())] {
        send(&cast.server, &report, &cast.owner, place, content).await.expect_error(400, "sha256_mismatch");
    }
    for content in [b"smal".as_slice(), b"small!", b""] {
        send(&cast.server, &report, &cast.owner, 1, content).await.expect_error(400, "size_mismatch");
    }
    // Without a length, too much is noticed on the way, and too little at the end.
    let chunked = |path: &str, chunks: &[&[u8]]| {
        let mut bytes =
            request("PUT", path).bearer(&cast.owner.access).header("transfer-encoding", "chunked").bytes();
        for chunk in chunks {
            bytes.extend_from_slice(format!("{:x}\r\n", chunk.len()).as_bytes());
            bytes.extend_from_slice(chunk);
            bytes.extend_from_slice(b"\r\n");
        }
        bytes.extend_from_slice(b"0\r\n\r\n");
        bytes
    };
    let path = |place| format!("{report}/files/{place}");
    for bytes in
        [chunked(&path(1), &[b"small", b"er"]), chunked(&path(1), &[b"sm"]), chunked(&path(2), &[b"sm"])]
    {
        send_raw(cast.server.address, &bytes).await.expect_error(400, "size_mismatch");
    }
    let typed = request("PUT", &path(1)).bearer(&cast.owner.access).header("content-type", "text/html");
    let typed = typed.body(b"small").send(cast.server.address).await;
    typed.expect_error(415, "unsupported_media_type");

    let seen = call(&cast.server, "GET", &report, &cast.owner.access, None).await.json();
    assert_eq!((&seen["complete"], &seen["files"][1]["stored"]), (&json!(false), &json!(false)));
    sweep(&cast).await;
    assert_eq!(objects(&cast.server), Vec::<std::path::PathBuf>::new(), "nothing of it is kept");
    send_raw(cast.server.address, &chunked(&path(1), &[b"sm", b"all"])).await.expect(204);
    send(&cast.server, &report, &cast.owner, 2, &large).await.expect(204);
    let got = get(&cast.server, &report, &cast.member, 2).await;
    assert!(got.expect(200).body.as_bytes() == large, "what comes out is what went in");
}

#[tokio::test]
async fn a_manifest_is_refused_before_anything_is_stored() {
    let cast = cast().await;
    let file = |change: Value| {
        let mut file = described("a.txt", b"abc");
        file.as_object_mut().unwrap().extend(change.as_object().unwrap().clone());
        json!([file])
    };
    for (files, status, code) in [
        (file(json!({ "name": "../../etc/passwd" })), 400, "validation_error"),
        (file(json!({ "name": "a\u{202e}b" })), 400, "validation_error"),
        (file(json!({ "size": -1 })), 400, "validation_error"),
        (file(json!({ "sha256": "abc" })), 400, "validation_error"),
        (file(json!({ "media_type": "text/html" })), 400, "validation_error"),
        (file(json!({ "size": 104_857_601 })), 413, "files_too_large"),
        (file(json!({ "size": i64::MAX })), 413, "files_too_large"),
        (json!([described("a", b"a"), described("A", b"a")]), 400, "validation_error"),
        ((0..101).map(|n| described(&n.to_string(), b"a")).collect(), 413, "files_too_large"),
        (json!([1]), 400, "validation_error"),
    ] {
        let answer = announcing(&cast.home, &cast.owner, &files).send(cast.server.address).await;
        answer.expect_error(status, code);
    }
    let full: Value = (0..100).map(|n| described(&format!("{n:0200}"), b"a")).collect();
    announce(&cast.server, &cast.home, &cast.owner, &full).await;
    let reports = format!("{}/reports", cast.home);
    for days in [0, -1, 1096] {
        let body = json!({ "title": "t", "body": "b", "retain_days": days });
        let answer = call(&cast.server, "POST", &reports, &cast.owner.access, Some(body)).await;
        answer.expect_error(400, "validation_error");
    }
}

#[tokio::test]
async fn a_damaged_file_is_never_given_out_whole() {
    let cast = cast().await;
    let large = large();
    let report = whole(&cast.server, &cast.home, &cast.owner, &[&large]).await;
    let [object] = objects(&cast.server).try_into().unwrap();
    let path = format!("{report}/files/1");
    // A byte in its middle, and one at its very end.
    for (nth, place) in [(1, large.len() / 2), (2, large.len() - 1)] {
        let mut other = large.clone();
        other[place] ^= 1;
        std::fs::write(&object, &other).unwrap();
        let got = call(&cast.server, "GET", &path, &cast.owner.access, None).await;
        let promised: usize = got.header("content-length").unwrap().parse().unwrap();
        assert_eq!((got.status, promised), (200, large.len()));
        assert!(got.body.len() < promised, "whoever asked can't take it for whole");
        assert_eq!(cast.server.events("file_damaged").await, nth);
    }
    std::fs::write(&object, &large[1..]).unwrap();
    get(&cast.server, &report, &cast.owner, 1).await.expect_error(500, "file_damaged");
    std::fs::remove_file(&object).unwrap();
    get(&cast.server, &report, &cast.owner, 1).await.expect_error(500, "file_damaged");
    assert_eq!(cast.server.events("file_damaged").await, 4);
    std::fs::write(&object, &large).unwrap();
    assert!(get(&cast.server, &report, &cast.owner, 1).await.expect(200).body.as_bytes() == large);
}

#[tokio::test]
async fn a_link_shows_the_files_of_its_report_only() {
    let cast = cast().await;
    let (report, other) = (
        whole(&cast.server, &cast.home, &cast.owner, &[b"first"]).await,
        whole(&cast.server, &cast.home, &cast.owner, &[b"x", b"y", b"z"]).await,
    );
    let link = share(&cast, &cast.owner, &report).await;
    let open = |path: String| async move {
        request("GET", &path).header("accept", "application/json").send(cast.server.address).await
    };
    let shown = open(link.clone()).await;
    assert_eq!(shown.expect(200).json()["files"][0]["name"], "1.txt");
    let page = request("GET", &link).header("accept", "text/html").send(cast.server.address).await;
    assert!(page.expect(200).body.contains(&format!("href=\"{link}/files/1\"")), "{page:?}");
    let file = open(format!("{link}/files/1")).await;
    assert_eq!(file.expect(200).body, "first");
    assert_eq!(file.header("set-cookie"), None);
    assert!(file.header("content-disposition").unwrap().starts_with("attachment"));
    assert_eq!(cast.server.events("share_opened").await, 3);
    for place in ["0", "2", "3", "-1", "x", "1/", "../1", "9223372036854775807"] {
        open(format!("{link}/files/{place}")).await.expect_error(404, "not_found");
    }
    let token = link.strip_prefix("/s/").unwrap();
    for path in [format!("{report}/files/1"), format!("{other}/files/1"), report.clone()] {
        cast.server.get(&path, token).await.expect_error(401, "unauthorized");
    }
    for method in ["PUT", "POST", "DELETE"] {
        let answer = request(method, &format!("{link}/files/1")).send(cast.server.address).await;
        answer.expect_error(405, "method_not_allowed");
    }
    // Whatever closes the link closes its files.
    let second = share(&cast, &cast.admin, &report).await;
    cast.set_role(&cast.owner, &cast.admin, "member").await.expect(204);
    open(format!("{second}/files/1")).await.expect_error(404, "not_found");
    cast.server.clock.advance(DAY * 7);
    open(format!("{link}/files/1")).await.expect_error(404, "not_found");
}

#[tokio::test]
async fn a_report_goes_with_everything_on_its_date() {
    let cast = cast().await;
    let reports = format!("{}/reports", cast.home);
    let brief = json!({ "title": "t", "body": "b", "retain_days": 2, "files": several(&[b"one", b"two"]) });
    let made = call(&cast.server, "POST", &reports, &cast.owner.access, Some(brief)).await;
    assert_eq!(made.expect(201).text("retain_until"), "2027-01-17T08:00:00Z");
    let report = format!("{reports}/{}", made.text("id"));
    for (place, content) in [(1, b"one"), (2, b"two")] {
        send(&cast.server, &report, &cast.owner, place, content).await.expect(204);
    }
    let kept = whole(&cast.server, &cast.home, &cast.owner, &[b"three"]).await;
    let seen = call(&cast.server, "GET", &kept, &cast.owner.access, None).await;
    assert_eq!(seen.text("retain_until"), "2028-01-15T08:00:00Z", "a year, unless its author says");
    let link = share(&cast, &cast.owner, &report).await;
    let paths = [link.clone(), format!("{link}/files/1"), report.clone(), format!("{report}/files/2")];
    cast.server.clock.advance(DAY * 2 - Duration::from_millis(1));
    let me = cast.server.sign_in_as("owner@example.com", 5).await;
    let cast = Cast { owner: me, ..cast };
    assert_eq!(statuses_of(&cast, &paths).await, [200; 4]);
    assert_eq!(sweep(&cast).await, 0);
    cast.server.clock.advance(Duration::from_millis(1));
    // At its date it is gone for everybody, swept or not.
    assert_eq!(statuses_of(&cast, &paths).await, [404; 4]);
    assert_eq!(objects(&cast.server).len(), 3);
    assert_eq!(sweep(&cast).await, 2);
    assert_eq!(objects(&cast.server).len(), 1);
    assert_eq!((cast.server.events("report_over").await, sweep(&cast).await), (1, 0));
    assert_eq!(get(&cast.server, &kept, &cast.owner, 1).await.expect(200).body, "three");
}

async fn statuses_of(cast: &Cast, paths: &[String]) -> Vec<u16> {
    let mut statuses = Vec::new();
    for path in paths {
        statuses.push(call(&cast.server, "GET", path, &cast.owner.access, None).await.status);
    }
    statuses
}

#[tokio::test]
async fn files_go_with_their_report_and_with_their_workspace() {
    let cast = cast().await;
    let one = whole(&cast.server, &cast.home, &cast.owner, &[b"one"]).await;
    let two = whole(&cast.server, &cast.home, &cast.owner, &[b"two"]).await;
    let unfinished = announce(&cast.server, &cast.home, &cast.owner, &several(&[b"three", b"four"])).await;
    send(&cast.server, &unfinished, &cast.owner, 1, b"three").await.expect(204);
    call(&cast.server, "DELETE", &one, &cast.admin.access, None).await.expect(204);
    get(&cast.server, &one, &cast.owner, 1).await.expect_error(404, "not_found");
    assert_eq!((sweep(&cast).await, objects(&cast.server).len()), (1, 2));
    assert_eq!(get(&cast.server, &two, &cast.owner, 1).await.expect(200).body, "two");
    call(&cast.server, "DELETE", &cast.home, &cast.owner.access, None).await.expect(204);
    assert_eq!((sweep(&cast).await, objects(&cast.server).len()), (2, 0));
}
