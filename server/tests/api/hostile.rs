//! What every JSON route does with input that makes no sense: the table goes over all routes that are described, so a new
//! one is in it from its first day.

use crate::kit::operations::{Kind, Operation, description, operations};
use crate::kit::server::{Options, start};
use crate::kit::wire::{Request, request, send_raw};

/// Sent in every place where something can be sent; no answer may repeat it.
const MARKER: &str = "hunter2-was-here";

/// Bodies that are wrong in one way each, with the statuses that may answer them.
fn wrong_bodies(operation: &Operation, kind: Kind) -> Vec<(&'static str, &'static str, Vec<u8>, Vec<u16>)> {
    let (json, form) = ("application/json", "application/x-www-form-urlencoded");
    let member = operation.member.as_deref().unwrap_or("a");
    let text = |text: String| text.into_bytes();
    let long = MARKER.repeat(4000);
    let (right, wrong) = if kind == Kind::Json { (json, form) } else { (form, json) };
    let mut bodies = vec![
        ("another media type", wrong, text(format!("{member}={MARKER}")), vec![415]),
        ("no media type", "", text(format!("{{\"{member}\":\"{MARKER}\"}}")), vec![415]),
        ("a media type that only begins right", "application/jsonp", text(MARKER.to_owned()), vec![415]),
        ("zeros", right, vec![0; 64], vec![400]),
    ];
    match kind {
        Kind::Json => {
            bodies.push(("too large", right, text(format!("{{\"{member}\":\"{long}\"}}")), vec![413]));
            for (what, body) in [
                ("nothing", String::new()),
                ("an array", format!("[\"{MARKER}\"]")),
                ("a number", "12345678901234567890".to_owned()),
                ("null", "null".to_owned()),
                ("a text", format!("\"{MARKER}\"")),
                ("half an object", format!("{{\"{member}\":\"{MARKER}")),
                ("two objects", format!("{{\"{member}\":\"{MARKER}\"}}{{}}")),
                ("deep arrays", format!("{{\"{member}\":{}", "[".repeat(8000))),
                ("deep objects", format!("{}1{}", "{\"a\":".repeat(2000), "}".repeat(2000))),
                ("a member twice", format!("{{\"{member}\":\"{MARKER}\",\"{member}\":\"{MARKER}\"}}")),
            ] {
                bodies.push((what, right, text(body), vec![400]));
            }
            let mut broken = text(format!("{{\"{member}\":\""));
            broken.extend_from_slice(b"\xff\xfe\xc3\x28\"}");
            bodies.push(("no UTF-8", right, broken, vec![400]));
            if operation.member.is_some() {
                for value in ["true", "[]", "{}"] {
                    let body = text(format!("{{\"{member}\":{value},\"x\":\"{MARKER}\"}}"));
                    bodies.push(("a member of another type", right, body, vec![400]));
                }
            }
        }
        Kind::Form => {
            bodies.push(("too large", right, text(format!("{member}={long}")), vec![413]));
            bodies.push((
                "a field twice",
                right,
                text(format!("{member}={MARKER}&{member}={MARKER}")),
                vec![400],
            ));
            bodies.push(("nothing", right, Vec::new(), vec![400]));
            bodies.push(("no UTF-8", right, text(format!("{member}=%ff%fe")), vec![400]));
        }
    }
    bodies
}

#[tokio::test]
async fn senseless_bodies_are_refused_in_the_routes_shape() {
    let server = start(Options::without_limits()).await;
    let user = server.sign_in().await;
    let mut tried = 0;
    for operation in operations(&description(&server).await) {
        let Some(kind) = operation.body else { continue };
        for (what, sent_as, body, statuses) in wrong_bodies(&operation, kind) {
            // Sets of optional members have nothing that could be missing or doubled.
            let optional = ["nothing", "a member twice", "a field twice", "deep objects"];
            if operation.member.is_none() && optional.contains(&what) {
                continue;
            }
            let mut asked = operation.request_by(&user.access);
            if !sent_as.is_empty() {
                asked = asked.header("content-type", sent_as);
            }
            let answer = asked.body(&body).send(server.address).await;
            let place = format!("{what} to {} {}: {answer:?}", operation.method, operation.path);
            // Where the test has no credential, that may be said first.
            let unknown = !operation.bearer && operation.documents(401) && answer.status == 401;
            assert!(unknown || statuses.contains(&answer.status), "wanted {statuses:?}: {place}");
            assert!(!answer.body.contains(MARKER), "repeats what was sent: {place}");
            operation.expect_as_described(&answer);
            tried += 1;
        }
    }
    assert!(tried > 80, "only {tried} bodies were tried");
    assert_eq!(server.get("/v0/auth/me", &user.access).await.status, 200, "and nobody was signed out by it");
}

type Change = fn(Request) -> Request;

/// Headers that no decent client sends.
fn wrong_headers() -> [(&'static str, Change); 6] {
    [
        ("a header of 64 KiB", |asked| asked.header("x-pad", &MARKER.repeat(4096))),
        ("a thousand headers", |asked| {
            (0..1000).fold(asked, |asked, n| asked.header(&format!("x-{n}"), MARKER))
        }),
        ("a bearer of 8 KiB", |asked| asked.bearer(&MARKER.repeat(512))),
        ("a basic credential that is none", |asked| {
            asked.header("authorization", &format!("Basic {MARKER}"))
        }),
        ("a cookie that is none", |asked| asked.header("cookie", &format!("{MARKER}; ;=;\u{e9}=1"))),
        ("a key that is none", |asked| asked.header("idempotency-key", MARKER)),
    ]
}

#[tokio::test]
async fn senseless_headers_break_nothing_and_are_not_repeated() {
    let server = start(Options::without_limits()).await;
    for operation in operations(&description(&server).await) {
        for (what, add) in wrong_headers() {
            let answer = add(operation.request()).send(server.address).await;
            let place = format!("{what} to {} {}: {answer:?}", operation.method, operation.path);
            assert!(answer.status < 500 || answer.status == 501, "{place}");
            assert!(!format!("{answer:?}").contains(MARKER), "repeats what was sent: {place}");
        }
    }
}

#[tokio::test]
async fn other_methods_are_405_and_say_which_there_are() {
    let server = start(Options::without_limits()).await;
    let operations = operations(&description(&server).await);
    for operation in &operations {
        let methods: Vec<_> = operations.iter().filter(|other| other.path == operation.path).collect();
        for method in ["BREW", "PATCH", "PUT", "TRACE", "OPTIONS", "DELETE"] {
            if methods.iter().any(|other| other.method == method) {
                continue;
            }
            let mut asked = operation.clone();
            method.clone_into(&mut asked.method);
            let answer = asked.request().send(server.address).await;
            assert_eq!(answer.status, 405, "{method} {}: {answer:?}", operation.path);
            let allowed = answer.header("allow").unwrap_or_else(|| panic!("{answer:?}"));
            for other in &methods {
                assert!(allowed.split(',').any(|name| name.trim() == other.method), "{allowed}: {other:?}");
            }
        }
    }
}

#[tokio::test]
async fn what_is_not_http_ends_the_connection_and_nothing_else() {
    let server = start(Options::without_limits()).await;
    let host = "host: test\r\nconnection: close\r\n";
    for bytes in [
        format!("GET /v0/auth/me HTTP/1.1\r\n{host}x: a\r\nb\r\n\r\n"),
        format!("GET /v0/auth/me HTTP/9.9\r\n{host}\r\n"),
        format!("POST /v0/auth/logout HTTP/1.1\r\n{host}content-length: 1\r\ncontent-length: 2\r\n\r\nab"),
        format!("POST /v0/auth/logout HTTP/1.1\r\n{host}content-length: -1\r\n\r\n"),
        format!("POST /v0/auth/logout HTTP/1.1\r\n{host}transfer-encoding: chunked\r\n\r\nzz\r\n"),
        format!("GET /{} HTTP/1.1\r\n{host}\r\n", "a".repeat(70_000)),
        format!("GET /%00%0d%0aset-cookie:a=b HTTP/1.1\r\n{host}\r\n"),
        format!("GET /v0/../v0/auth/me HTTP/1.1\r\n{host}\r\n"),
        format!("GET //example.com/%2e%2e HTTP/1.1\r\n{host}\r\n"),
    ] {
        let answer = send_raw(server.address, bytes.as_bytes()).await;
        assert!((400..500).contains(&answer.status), "{bytes:.80}: {answer:?}");
        assert!(answer.header("set-cookie").is_none(), "{answer:?}");
    }
    request("GET", "/healthz").send(server.address).await.expect(200);
}
