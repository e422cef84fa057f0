//! Hosts, origins, cookies, peers, methods, bodies and headers, over every route there is.

use super::{CHANGES, LOOKS, is_problem};
use everkey_tests::http::Message;
use everkey_tests::setup::NOBODY;
use everkey_tests::skip::{has, is_root, skipped};
use everkey_tests::{Dashboard, Tab, World, until};
use serde_json::json;
use std::io::Read;
use std::net::TcpStream;
use std::process::Command;

/// Every route with its method.
fn routes() -> impl Iterator<Item = (&'static str, &'static str)> {
    let looks =
        LOOKS.into_iter().chain(["/events", "/enter", "/assets/style.css", "/nothing", "/api/nothing"]);
    looks.map(|path| ("GET", path)).chain(CHANGES)
}

/// A request as the page makes it, with one header as somebody else would send it.
fn with(tab: &Tab, method: &str, path: &str, name: &'static str, value: &str) -> Message {
    let mut headers = tab.headers();
    if method != "GET" {
        headers.extend([("Origin", tab.origin.clone()), ("Content-Type", "application/json".to_owned())]);
    }
    headers.retain(|(known, _)| *known != name);
    headers.push((name, value.to_owned()));
    let body: &[u8] = if method == "GET" { b"" } else { b"{}" };
    tab.send(method, path, &headers, body)
}

#[test]
fn another_host_gets_nothing_from_any_route() {
    let world = World::new();
    let dashboard = Dashboard::start(&world);
    let tab = dashboard.enter();
    let (host, port) = (tab.host().to_owned(), tab.port());
    let name = host.split(':').next().unwrap();
    let foreign = [
        "evil.example".to_owned(),
        format!("evil.example:{port}"),
        format!("localhost:{port}"),
        format!("127.0.0.1:{port}"),
        format!("[::1]:{port}"),
        format!("sub.{host}"),
        name.to_owned(),
        format!("{name}:{}", port.wrapping_add(1)),
        format!("{host}."),
        String::new(),
    ];
    for (method, path) in routes() {
        for foreign in &foreign {
            let answer = with(&tab, method, path, "Host", foreign);
            assert_eq!(answer.status(), 421, "{method} {path} for {foreign:?}");
            assert!(answer.body.is_empty(), "{method} {path} for {foreign:?}");
        }
    }
    let twice = [("Host", host.clone()), ("Host", "evil.example".to_owned())];
    assert_ne!(tab.send("GET", "/assets/style.css", &twice, b"").status(), 200);
    let absolute = tab.send("GET", "http://evil.example/api/auth/status", &tab.headers(), b"");
    assert_eq!(absolute.status(), 421, "a name in the request line counts, too");
    assert_eq!(tab.send("GET", "/", &[], b"").status(), 421, "no name at all");
    assert!(world.find_agent().is_none(), "nothing of that has reached an agent");
}

#[test]
fn nobody_else_s_page_changes_anything() {
    let world = World::new();
    let dashboard = Dashboard::start(&world);
    let tab = dashboard.enter();
    let port = tab.port();
    let origins = [
        "null".to_owned(),
        "http://evil.example".to_owned(),
        format!("http://localhost:{port}"),
        format!("http://127.0.0.1:{port}"),
        tab.origin.replace("http:", "https:"),
        tab.origin.rsplit_once(':').unwrap().0.to_owned(),
        format!("{}.evil.example", tab.origin),
        format!("http://x.{}", tab.host()),
        String::new(),
    ];
    let outsider = dashboard.stranger();
    for (method, path) in
        CHANGES.into_iter().chain([("POST", "/"), ("PUT", "/api/nothing"), ("POST", "/enter")])
    {
        for origin in &origins {
            is_problem(&with(&tab, method, path, "Origin", origin), 403, "foreign_origin");
        }
        for site in ["cross-site", "same-site", "none", "Same-Origin", ""] {
            is_problem(&with(&tab, method, path, "Sec-Fetch-Site", site), 403, "foreign_origin");
        }
        assert_eq!(with(&outsider, method, path, "Origin", "null").status(), 403);
    }
    // One good header beside a bad one.
    let mut headers = tab.headers();
    headers.extend([("Origin", tab.origin.clone()), ("Origin", "http://evil.example".to_owned())]);
    assert_eq!(tab.send("POST", "/api/auth/logout", &headers, b"").status(), 403);
    // What is data is not even looked at by other sites' pages.
    for path in ["/api/auth/status", "/fragment/sessions", "/events"] {
        for site in ["cross-site", "same-site"] {
            assert_eq!(with(&tab, "GET", path, "Sec-Fetch-Site", site).status(), 403, "{path}");
        }
    }
    assert!(world.find_agent().is_none(), "nothing of that has reached an agent");
    for site in ["same-origin", "none"] {
        assert_eq!(with(&tab, "GET", "/api/auth/status", "Sec-Fetch-Site", site).status(), 503);
    }
}

#[test]
fn without_the_cookie_there_is_nothing_to_see() {
    let world = World::new();
    let dashboard = Dashboard::start(&world);
    let tab = dashboard.enter();
    let good = tab.cookie.clone().unwrap();
    let mut bad = vec![None, Some(String::new()), Some("0".repeat(64)), Some(good[..63].to_owned())];
    bad.extend([Some(format!("{good}0")), Some(good.to_uppercase())]);
    for (method, path) in routes().filter(|(_, path)| !matches!(*path, "/enter" | "/assets/style.css")) {
        for cookie in &bad {
            let tab = Tab { cookie: cookie.clone(), ..tab.clone() };
            let answer = tab.call(method, path, None);
            if path.starts_with("/api/") {
                let said = is_problem(&answer, 401, "unauthorized");
                assert!(said["hint"].as_str().unwrap().contains("everkey dashboard"), "{said}");
            } else {
                let page = String::from_utf8(answer.body.clone()).unwrap();
                assert_eq!(answer.status(), 401, "{method} {path}");
                assert!(page.contains("everkey dashboard") && page.contains("</html>"), "{page}");
            }
        }
    }
    assert!(world.find_agent().is_none(), "nothing of that has reached an agent");
    // Among others, in one line or two.
    let mut headers = vec![("Host", tab.host().to_owned()), ("Cookie", "a=b; c".to_owned())];
    headers.push(("Cookie", format!("everkey_dashboard=x; everkey_dashboard={good};d=e")));
    assert_eq!(tab.send("GET", "/api/auth/status", &headers, b"").status(), 503);
}

#[test]
fn another_local_user_is_refused_even_with_the_cookie() {
    let name = "another_local_user_is_refused_even_with_the_cookie";
    if !is_root() || !has("setpriv") || !has("bash") {
        return skipped(name, "only root can become another user (setpriv, bash)");
    }
    let world = World::new();
    let mut dashboard = Dashboard::start(&world);
    let tab = dashboard.enter();
    let link = dashboard.another_link();
    let key = link.strip_prefix(&tab.origin).unwrap();
    let mut requests = String::new();
    for (path, cookie) in
        [("/api/auth/status", tab.cookie.as_deref()), (key, None), ("/assets/style.css", None)]
    {
        let cookie =
            cookie.map(|cookie| format!("Cookie: everkey_dashboard={cookie}\\r\\n")).unwrap_or_default();
        let request = format!("GET {path} HTTP/1.1\\r\\nHost: {}\\r\\n{cookie}\\r\\n", tab.host());
        for address in ["127.0.0.1", "::1"] {
            requests.push_str(&format!(
                "exec 3<>/dev/tcp/{address}/{} && printf '{request}' >&3 && cat <&3; ",
                tab.port()
            ));
        }
    }
    let as_uid = |uid: u32| {
        let mut command = Command::new("setpriv");
        command.args([format!("--reuid={uid}"), format!("--regid={uid}"), "--clear-groups".to_owned()]);
        let output = command.args(["timeout", "20", "bash", "-c", &requests]).output().unwrap();
        String::from_utf8_lossy(&output.stdout).into_owned()
    };
    let said = as_uid(NOBODY);
    assert!(said.matches("HTTP/1.1 403").count() >= 3, "{said}");
    assert!(!said.contains("HTTP/1.1 2") && !said.contains("et-cookie"), "{said}");
    assert_eq!(said.matches("HTTP/1.1 403").count(), said.matches("HTTP/1.1").count(), "{said}");
    assert!(tab.clone().come_in(&link).cookie.is_some(), "and the link is still good");
}

#[test]
fn no_other_program_can_take_the_names_ipv6_address() {
    let world = World::new();
    let dashboard = Dashboard::start(&world);
    let port = dashboard.stranger().port();
    match std::net::TcpListener::bind(("::1", port)) {
        Ok(_) => panic!("browsers look there first"),
        Err(e) if e.kind() == std::io::ErrorKind::AddrInUse => {}
        Err(e) => skipped("no_other_program_can_take_the_names_ipv6_address", &e.to_string()),
    }
}

#[test]
fn methods_and_paths_that_are_not_there() {
    let world = World::new();
    let tab = Dashboard::start(&world).enter();
    assert_eq!(tab.cookie.as_ref().unwrap().len(), 64);
    let dashboard = Dashboard::start(&world);
    let tab = dashboard.enter();
    for (method, path, allow) in [
        ("POST", "/api/auth/status", "GET,HEAD"),
        ("GET", "/api/auth/login-request", "POST"),
        ("GET", "/api/auth/login-verify", "POST"),
        ("DELETE", "/api/auth/logout", "POST"),
        ("PUT", "/api/auth/reminder", "GET,HEAD,POST,DELETE"),
        ("GET", "/api/sessions/refresh", "POST"),
        ("PATCH", "/api/agent/start", "POST"),
        ("OPTIONS", "/api/auth/logout", "POST"),
        ("TRACE", "/events", "GET,HEAD"),
    ] {
        let answer = tab.call(method, path, None);
        is_problem(&answer, 405, "method_not_allowed");
        assert_eq!(answer.header("allow"), Some(allow), "{method} {path}");
    }
    for path in ["/api", "/api/", "/api/auth", "/api/auth/status/", "/api/tokens"] {
        is_problem(&tab.get(path), 404, "not_found");
    }
    for path in ["/nothing", "/assets/../Cargo.toml", "/assets/nothing.js", "//", "/.env"] {
        assert_eq!(tab.get(path).status(), 404, "{path}");
    }
}

#[test]
fn bodies_are_json_objects_and_small() {
    let world = World::new();
    let dashboard = Dashboard::start(&world);
    let tab = dashboard.enter();
    let mut plain = tab.headers();
    plain.push(("Origin", tab.origin.clone()));
    let json = |kind: &str| [plain.clone(), vec![("Content-Type", kind.to_owned())]].concat();
    for (method, path) in CHANGES {
        for headers in [
            plain.clone(),
            json("text/plain"),
            json("application/x-www-form-urlencoded"),
            json("application/jsonx"),
        ] {
            is_problem(&tab.send(method, path, &headers, b"{}"), 415, "unsupported_media_type");
        }
    }
    let good = json("application/json; charset=utf-8");
    for (_, path) in CHANGES.into_iter().filter(|(method, path)| {
        *method == "POST"
            && !path.ends_with("logout")
            && !path.ends_with("start")
            && !path.ends_with("auth/reminder")
    }) {
        for body in
            ["[]", "null", "7", "\"x\"", "{", "{}{}", "nonsense", "[\"a@b.c\"]", "{\"email\":", "\u{0}"]
        {
            is_problem(&tab.send("POST", path, &good, body.as_bytes()), 400, "validation_error");
        }
        let large = format!("{{\"email\":\"{}@example.com\"}}", "x".repeat(17 * 1024));
        is_problem(&tab.send("POST", path, &good, large.as_bytes()), 413, "too_large");
        let mut chunked = good.clone();
        chunked.push(("Transfer-Encoding", "chunked".to_owned()));
        let chunk = format!("{:x}\r\n{large}\r\n0\r\n\r\n", large.len());
        let mut request = format!("POST {path} HTTP/1.1\r\n");
        for (name, value) in &chunked {
            request.push_str(&format!("{name}: {value}\r\n"));
        }
        let answer = raw(&tab, format!("{request}Connection: close\r\n\r\n{chunk}").as_bytes());
        assert!(answer.starts_with("HTTP/1.1 413"), "{answer}");
        let secret = tab.send(
            "POST",
            path,
            &good,
            b"{\"text\":\"hunter2\",\"code\":\"hunter2\",\"profile\":7,\"email\":7}",
        );
        assert!(!String::from_utf8_lossy(&secret.raw).contains("hunter2"), "errors quote nothing");
    }
    assert!(world.find_agent().is_none(), "nothing of that has reached an agent");
}

/// Sends bytes and reads until the other side hangs up.
fn raw(tab: &Tab, bytes: &[u8]) -> String {
    use std::io::Write as _;
    let mut stream = TcpStream::connect(("127.0.0.1", tab.port())).unwrap();
    stream.set_read_timeout(Some(everkey_tests::wait::PATIENCE)).unwrap();
    let _ = stream.write_all(bytes);
    let mut answer = Vec::new();
    let _ = stream.read_to_end(&mut answer);
    String::from_utf8_lossy(&answer).into_owned()
}

#[test]
fn a_connection_without_a_request_is_closed() {
    let world = World::new();
    let dashboard = Dashboard::start(&world);
    let tab = dashboard.enter();
    let mut idle: Vec<TcpStream> =
        (0..300).filter_map(|_| TcpStream::connect(("127.0.0.1", tab.port())).ok()).collect();
    // There is room for some; the others find it closed.
    let mut closed = 0;
    until("those that find no room to be hung up on", || {
        idle.retain_mut(|stream| {
            stream.set_nonblocking(true).unwrap();
            let gone = !matches!(stream.read(&mut [0]), Err(e) if e.kind() == std::io::ErrorKind::WouldBlock);
            closed += usize::from(gone);
            !gone
        });
        closed >= 100
    });
    drop(idle);
    until("room for a browser", || tab.get("/api/auth/status").status() == 503);
}

#[test]
fn everything_wears_the_headers() {
    let world = World::new();
    world.everkey("agent start").ok();
    let dashboard = Dashboard::start(&world);
    let (tab, outsider) = (dashboard.enter(), dashboard.stranger());
    let mut answers = vec![
        with(&tab, "GET", "/", "Host", "evil.example"),
        with(&tab, "POST", "/api/auth/logout", "Origin", "null"),
        outsider.get("/"),
        outsider.get("/api/auth/status"),
        outsider.get("/enter?key=no"),
        tab.get("/nothing"),
        tab.get("/api/nothing"),
        tab.call("PUT", "/api/auth/status", None),
        tab.post("/api/auth/login-request", &json!({})),
        tab.follow().head().clone(),
    ];
    answers.extend(LOOKS.iter().map(|path| tab.get(path)));
    answers.extend(LOOKS.iter().map(|path| tab.call("HEAD", path, None)));
    for answer in &answers {
        let header = |name: &str| answer.header(name).unwrap_or_else(|| panic!("no {name}: {answer:?}"));
        let policy = header("content-security-policy");
        for rule in ["default-src 'none'", "script-src 'self'", "frame-ancestors 'none'", "base-uri 'none'"] {
            assert!(policy.contains(rule), "{policy}");
        }
        assert!(!policy.contains("unsafe"), "{policy}");
        assert_eq!(header("cross-origin-opener-policy"), "same-origin");
        assert_eq!(header("cross-origin-resource-policy"), "same-origin");
        assert_eq!(header("x-content-type-options"), "nosniff");
        assert_eq!(header("referrer-policy"), "no-referrer");
        assert_eq!(
            header("cache-control"),
            if answer.start.contains("/assets") { "no-cache" } else { "no-store" }
        );
        assert_eq!(answer.header("access-control-allow-origin"), None);
        assert_eq!(answer.header("server"), None);
    }
    let head = tab.call("HEAD", "/api/auth/status", None);
    let get = tab.get("/api/auth/status");
    assert_eq!((head.status(), head.body.len()), (200, 0));
    assert_eq!(head.header("content-length"), get.header("content-length"));
}
