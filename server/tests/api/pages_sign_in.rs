//! Signing a browser in: by email code, bound to the browser that asked, safe from other sites.

use std::time::Duration;

use everkey_server::limits::Limits;
use everkey_server::rules::rate::Limit;

use crate::kit::browser::{Browser, ORIGIN, signed_in, token_in};
use crate::kit::server::{Options, code_in, start, wrong};
use crate::kit::wire::request;

const ADA: &str = "ada@example.com";

#[tokio::test]
async fn an_address_and_a_code_sign_a_browser_in() {
    let server = start(Options::default()).await;
    let mut browser = Browser::new();
    let away = browser.get(&server, "/dashboard/sessions").await;
    assert_eq!((away.status, away.header("location")), (303, Some("/signin?next=%2Fdashboard%2Fsessions")));
    let asked = browser
        .fill(&server, "/signin?next=/dashboard/sessions", "/signin", &[("email", " Ada@Example.com ")])
        .await;
    assert_eq!((asked.status, asked.header("location")), (303, Some("/signin/code")));
    let page = browser.get(&server, "/signin/code").await;
    assert!(page.body.contains(ADA), "{page:?}");
    let code = code_in(&server.mails(1).await[0]);
    let done = browser.fill(&server, "/signin/code", "/signin/code", &[("code", &code)]).await;
    assert_eq!((done.status, done.header("location")), (303, Some("/dashboard")));
    assert!(browser.get(&server, "/dashboard/sessions").await.expect(200).body.contains(ADA));
    assert_eq!(server.events("login").await, 1);
}

#[tokio::test]
async fn the_front_page_says_what_this_is() {
    let server = start(Options::default()).await;
    let mut stranger = Browser::new();
    let mut place = "/".to_owned();
    let page = loop {
        let answer = stranger.get(&server, &place).await;
        match answer.header("location") {
            Some(next) => place = next.to_owned(),
            None => break answer,
        }
    };
    assert!(place.starts_with("/signin?next="), "{place}");
    assert!(page.expect(200).body.contains("This server signs you in to the apps and command-line tools"));
}

#[tokio::test]
async fn pages_carry_the_headers_that_hold_a_browser_back() {
    let server = start(Options::default()).await;
    let page = Browser::new().get(&server, "/signin").await;
    page.expect(200);
    let policy = page.header("content-security-policy").unwrap();
    for part in ["default-src 'none'", "style-src 'self'", "form-action 'self'", "frame-ancestors 'none'"] {
        assert!(policy.contains(part), "{policy}");
    }
    assert!(!policy.contains("script-src") && !policy.contains("unsafe"), "{policy}");
    // no-referrer would make browsers send `Origin: null` with our own forms.
    assert_eq!(page.header("referrer-policy"), Some("same-origin"));
    assert_eq!(page.header("x-frame-options"), Some("DENY"));
    assert_eq!(page.header("content-type"), Some("text/html; charset=utf-8"));
    assert!(page.header("permissions-policy").is_some());
    assert!(!page.body.contains("<script") && !page.body.contains("style="), "{page:?}");
    let style = crate::kit::browser::between(&page.body, "stylesheet\" href=\"", "\"").unwrap();
    let style = Browser::new().get(&server, &style).await;
    assert_eq!((style.status, style.header("content-type")), (200, Some("text/css; charset=utf-8")));
    assert_eq!(style.header("cache-control"), Some("public, max-age=31536000, immutable"));
    assert_eq!(Browser::new().get(&server, "/assets/style-000000000000.css").await.status, 404);
}

#[tokio::test]
async fn cookies_are_out_of_reach() {
    let server = start(Options { public_url: "https://everkey.example", ..Options::default() }).await;
    let page = Browser::new().get(&server, "/signin").await;
    let cookie = page.header("set-cookie").unwrap();
    assert!(cookie.starts_with("__Host-everkey-signin="), "{cookie}");
    for part in ["; HttpOnly", "; Secure", "; SameSite=Lax", "; Path=/"] {
        assert!(cookie.contains(part), "{cookie}");
    }
    assert!(!cookie.contains("Domain"), "{cookie}");
    let plain = start(Options::default()).await;
    let cookie = Browser::new().get(&plain, "/signin").await.header("set-cookie").unwrap().to_owned();
    assert!(cookie.starts_with("everkey-signin=") && !cookie.contains("Secure"), "{cookie}");
    assert!(cookie.contains("; HttpOnly") && cookie.contains("; SameSite=Lax"), "{cookie}");
}

#[tokio::test]
async fn a_planted_cookie_is_worth_nothing_after_the_sign_in() {
    let server = start(Options::default()).await;
    let mut browser = Browser::new();
    let token = browser.token(&server, "/signin").await;
    let planted = browser.clone();
    browser.post(&server, "/signin", &[("csrf", &token), ("email", ADA)]).await.expect(303);
    assert_ne!(browser.cookies, planted.cookies);
    // Whoever planted the first cookie does not see the address, nor gets to guess.
    assert_eq!(planted.clone().get(&server, "/signin/code").await.status, 303);
    let asked = browser.clone();
    let code = code_in(&server.mails(1).await[0]);
    browser.fill(&server, "/signin/code", "/signin/code", &[("code", &code)]).await.expect(303);
    for mut old in [planted, asked] {
        assert_eq!(old.get(&server, "/dashboard/sessions").await.status, 303);
        assert_eq!(old.get(&server, "/signin/code").await.status, 303);
    }
    let before = browser.cookies.clone();
    browser.get(&server, "/dashboard/sessions").await.expect(200);
    assert_eq!(browser.cookies, before);
}

#[tokio::test]
async fn a_code_works_only_in_the_browser_that_asked() {
    let server = start(Options::default()).await;
    let mut browser = Browser::new();
    browser.fill(&server, "/signin", "/signin", &[("email", ADA)]).await.expect(303);
    let code = code_in(&server.mails(1).await[0]);
    let mut other = Browser::new();
    let token = other.token(&server, "/signin").await;
    let answer = other.post(&server, "/signin/code", &[("csrf", &token), ("code", &code)]).await;
    answer.expect(403);
    assert_eq!(server.events("login").await, 0);
    browser.fill(&server, "/signin/code", "/signin/code", &[("code", &code)]).await.expect(303);
}

#[tokio::test]
async fn another_sites_form_signs_nobody_in() {
    let server = start(Options::default()).await;
    let mut browser = Browser::new();
    let token = browser.token(&server, "/signin").await;
    let mut fields = vec![("csrf", token.as_str()), ("email", ADA)];
    for (name, value) in [
        ("origin", "https://evil.example"),
        ("origin", "null"),
        ("origin", "http://everkey.example.evil.example"),
        ("sec-fetch-site", "cross-site"),
        ("sec-fetch-site", "same-site"),
    ] {
        let request = browser.request("POST", "/signin").header(name, value).form(&fields);
        browser.send(&server, request).await.expect(403);
    }
    let two =
        browser.request("POST", "/signin").header("origin", ORIGIN).header("origin", "https://e.example");
    browser.send(&server, two.form(&fields)).await.expect(403);
    let other = Browser::new().token(&server, "/signin").await;
    for forged in ["", "x", other.as_str(), &token[1..]] {
        fields[0].1 = forged;
        browser.post(&server, "/signin", &fields).await.expect(403);
    }
    browser.post(&server, "/signin", &fields[1..]).await.expect(403);
    let mut without_cookie = Browser::new();
    fields[0].1 = &token;
    without_cookie.post(&server, "/signin", &fields).await.expect(403);
    assert_eq!(server.events("code_sent").await, 0);
    // A client that says nothing of its origin is let in by the token alone.
    let quiet = browser.request("POST", "/signin").form(&fields);
    browser.send(&server, quiet).await.expect(303);
}

#[tokio::test]
async fn only_a_path_of_this_server_is_gone_on_to() {
    let server = start(Options::without_limits()).await;
    let mut n = 0;
    for (next, expected) in [
        ("/dashboard/sessions?a=1&b=2", "/dashboard/sessions?a=1&b=2"),
        (
            "/authorize?redirect_uri=http%3A%2F%2F127.0.0.1&x=//y",
            "/authorize?redirect_uri=http%3A%2F%2F127.0.0.1&x=//y",
        ),
        ("//evil.example", "/dashboard"),
        ("https://evil.example", "/dashboard"),
        ("/\\evil.example", "/dashboard"),
        ("/\t/evil.example", "/dashboard"),
        ("/x\r\nset-cookie: a=b", "/dashboard"),
        ("/.//evil.example", "/dashboard"),
        ("javascript:alert(1)", "/dashboard"),
        ("", "/dashboard"),
    ] {
        n += 1;
        let mut browser = Browser::new();
        browser.fill(&server, "/signin", "/signin", &[("email", ADA), ("next", next)]).await.expect(303);
        let code = code_in(server.mails(n).await.last().unwrap());
        let done = browser.fill(&server, "/signin/code", "/signin/code", &[("code", &code)]).await;
        assert_eq!(done.header("location"), Some(expected), "{next:?}");
        assert_eq!(done.all("set-cookie").count(), 2, "{done:?}");
        // The same for a browser that is signed in already.
        let query = url::form_urlencoded::Serializer::new(String::new()).append_pair("next", next).finish();
        let straight = browser.get(&server, &format!("/signin?{query}")).await;
        assert_eq!((straight.status, straight.header("location")), (303, Some(expected)), "{next:?}");
        server.clock.advance(Duration::from_secs(1));
    }
}

#[tokio::test]
async fn next_is_escaped_on_the_page() {
    let server = start(Options::default()).await;
    let page = Browser::new().get(&server, "/signin?next=/%22%3E%3Cscript%3Ealert(1)%3C/script%3E").await;
    assert!(!page.expect(200).body.contains("<script"), "{page:?}");
    let mut browser = Browser::new();
    let page =
        browser.fill(&server, "/signin", "/signin", &[("email", "\"><script>alert(1)</script>")]).await;
    assert!(!page.expect(422).body.contains("<script"), "{page:?}");
    assert!(page.body.contains("role=\"alert\""), "{page:?}");
}

#[tokio::test]
async fn known_and_unknown_addresses_get_the_same_pages() {
    let server = start(Options::without_limits()).await;
    signed_in(&server, ADA).await;
    let mut pages = Vec::new();
    for email in [ADA, "eve@example.com"] {
        let mut browser = Browser::new();
        let asked = browser.fill(&server, "/signin", "/signin", &[("email", email)]).await;
        let refused = browser.fill(&server, "/signin/code", "/signin/code", &[("code", "000000")]).await;
        let token = token_in(&refused);
        let body = refused.body.replace(&token, "TOKEN").replace(email, "EMAIL");
        pages.push((asked.status, asked.header("location").map(str::to_owned), refused.status, body));
        server.clock.advance(Duration::from_secs(1));
    }
    assert_eq!(pages[0], pages[1]);
}

#[tokio::test]
async fn five_wrong_guesses_kill_a_code_here_too() {
    let server = start(Options::default()).await;
    let mut browser = Browser::new();
    browser.fill(&server, "/signin", "/signin", &[("email", ADA)]).await.expect(303);
    let code = code_in(&server.mails(1).await[0]);
    for guess in ["", "12345", "abcdef", "1234567"] {
        // What can't be a code is no guess.
        browser.fill(&server, "/signin/code", "/signin/code", &[("code", guess)]).await.expect(422);
    }
    for _ in 0..5 {
        let page = browser.fill(&server, "/signin/code", "/signin/code", &[("code", &wrong(&code))]).await;
        assert!(page.expect(422).body.contains("role=\"alert\""));
    }
    browser.fill(&server, "/signin/code", "/signin/code", &[("code", &code)]).await.expect(422);
    assert_eq!(server.events("login").await, 0);
}

#[tokio::test]
async fn a_code_may_be_typed_with_spaces_and_works_once() {
    let server = start(Options::default()).await;
    let mut browser = Browser::new();
    browser.fill(&server, "/signin", "/signin", &[("email", ADA)]).await.expect(303);
    let code = code_in(&server.mails(1).await[0]);
    let spaced = format!(" {} {} ", &code[..3], &code[3..]);
    let token = browser.token(&server, "/signin/code").await;
    let mut twin = browser.clone();
    browser.post(&server, "/signin/code", &[("csrf", &token), ("code", &spaced)]).await.expect(303);
    twin.post(&server, "/signin/code", &[("csrf", &token), ("code", &code)]).await.expect(403);
    assert_eq!(server.events("login").await, 1);
}

#[tokio::test]
async fn a_wait_is_told_in_seconds() {
    let server = start(Options::default()).await;
    let mut browser = Browser::new();
    browser.fill(&server, "/signin", "/signin", &[("email", ADA)]).await.expect(303);
    let limited = browser.fill(&server, "/signin", "/signin", &[("email", ADA)]).await;
    assert!(limited.expect(429).body.contains("Wait 30 seconds"), "{limited:?}");
    assert_eq!(limited.header("retry-after"), Some("30"));
    let limited = browser.fill(&server, "/signin/code", "/signin/resend", &[]).await;
    assert!(limited.expect(429).body.contains("Wait 30 seconds"), "{limited:?}");
    server.clock.advance(Duration::from_secs(30));
    let again = browser.fill(&server, "/signin/code", "/signin/resend", &[]).await;
    assert_eq!((again.status, again.header("location")), (303, Some("/signin/code?sent=again")));
    let code = code_in(&server.mails(2).await[1]);
    browser.fill(&server, "/signin/code", "/signin/code", &[("code", &code)]).await.expect(303);
}

#[tokio::test]
async fn guesses_through_the_api_use_up_nothing_of_a_page() {
    let few = Limit { max: 20, window: Duration::from_secs(900) };
    let limits = Limits { failures_per_ip: few, ..Limits::default() };
    let server = start(Options { limits, ..Options::default() }).await;
    let mut browser = Browser::new();
    browser.fill(&server, "/signin", "/signin", &[("email", ADA)]).await.expect(303);
    let code = code_in(&server.mails(1).await[0]);
    for _ in 0..few.max {
        server.verify(ADA, &wrong(&code)).await.expect_error(401, "unauthorized");
    }
    server.verify(ADA, &code).await.expect_error(429, "rate_limited");
    browser.fill(&server, "/signin/code", "/signin/code", &[("code", &code)]).await.expect(303);
}

#[tokio::test]
async fn a_sign_in_that_takes_too_long_begins_anew() {
    let server = start(Options::default()).await;
    let mut browser = Browser::new();
    browser.fill(&server, "/signin", "/signin", &[("email", ADA)]).await.expect(303);
    let code = code_in(&server.mails(1).await[0]);
    let token = browser.token(&server, "/signin/code").await;
    server.clock.advance(Duration::from_secs(600));
    browser.post(&server, "/signin/code", &[("csrf", &token), ("code", &code)]).await.expect(403);
    let gone = browser.get(&server, "/signin/code").await;
    assert_eq!((gone.status, gone.header("location")), (303, Some("/signin")));
}

#[tokio::test]
async fn forms_of_the_wrong_shape_are_errors_and_do_nothing() {
    let server = start(Options::default()).await;
    let mut browser = Browser::new();
    let token = browser.token(&server, "/signin").await;
    let csrf = ("csrf", token.as_str());
    browser.post(&server, "/signin", &[csrf]).await.expect(400);
    browser.post(&server, "/signin", &[csrf, ("email", ADA), ("email", "eve@example.com")]).await.expect(403);
    browser.post(&server, "/signin", &[csrf, csrf, ("email", ADA)]).await.expect(403);
    let long = "x".repeat(20_000);
    browser.post(&server, "/signin", &[csrf, ("email", &long)]).await.expect(413);
    let json = browser.request("POST", "/signin").raw_json(format!("{{\"csrf\":\"{token}\"}}").as_bytes());
    browser.send(&server, json).await.expect(415);
    let bytes = format!("csrf={token}&email=%ff%fe%00");
    let odd = browser.request("POST", "/signin").header("content-type", "application/x-www-form-urlencoded");
    browser.send(&server, odd.body(bytes.as_bytes())).await.expect(422);
    let headers = [("email", "a@b.c\r\nBcc: eve@example.com"), csrf];
    browser.post(&server, "/signin", &headers).await.expect(422);
    browser.get(&server, "/signin?next=/a&next=/b").await.expect(400);
    assert_eq!(server.events("code_sent").await, 0);
}

#[tokio::test]
async fn signing_out_ends_the_session_and_needs_the_form() {
    let server = start(Options::default()).await;
    let mut browser = signed_in(&server, ADA).await;
    assert_eq!(browser.get(&server, "/signout").await.status, 405);
    browser.post(&server, "/signout", &[]).await.expect(403);
    browser.get(&server, "/dashboard/sessions").await.expect(200);
    let copy = browser.clone();
    let out = browser.fill(&server, "/dashboard/sessions", "/signout", &[]).await;
    assert_eq!((out.status, out.header("location")), (303, Some("/signin")));
    assert!(!browser.cookies.contains_key("everkey"));
    assert_eq!(copy.clone().get(&server, "/dashboard/sessions").await.status, 303);
    assert_eq!(server.events("logout").await, 1);
    copy.clone().post(&server, "/signout", &[]).await.expect(403);
}

#[tokio::test]
async fn signing_in_again_ends_the_browsers_old_session() {
    let server = start(Options::without_limits()).await;
    let mut browser = signed_in(&server, ADA).await;
    let old = browser.clone();
    server.clock.advance(Duration::from_secs(1));
    let page = browser.get(&server, "/signin?again=1&next=/device").await;
    assert!(page.expect(200).body.contains(&format!("value=\"{ADA}\"")), "{page:?}");
    browser.sign_in(&server, ADA, 2).await;
    browser.get(&server, "/dashboard/sessions").await.expect(200);
    assert_eq!(old.clone().get(&server, "/dashboard/sessions").await.status, 303);
}

#[tokio::test]
async fn a_disabled_account_is_not_signed_in() {
    let server = start(Options::without_limits()).await;
    let mut browser = signed_in(&server, ADA).await;
    let mut database = crate::kit::room::connect(server.folder()).await;
    sqlx::query("UPDATE users SET status = 'disabled'").execute(&mut database).await.unwrap();
    assert_eq!(browser.get(&server, "/dashboard/sessions").await.status, 303);
    server.clock.advance(Duration::from_secs(1));
    let mut again = Browser::new();
    again.fill(&server, "/signin", "/signin", &[("email", ADA)]).await.expect(303);
    let code = code_in(&server.mails(2).await[1]);
    again.fill(&server, "/signin/code", "/signin/code", &[("code", &code)]).await.expect(422);
}

#[tokio::test]
async fn cookies_open_no_api_and_tokens_no_page() {
    let server = start(Options::without_limits()).await;
    let browser = signed_in(&server, ADA).await;
    let cookie = browser.cookies["everkey"].clone();
    for path in ["/v0/auth/me", "/v0/auth/session", "/v0/reminders"] {
        server.get(path, &cookie).await.expect_error(401, "unauthorized");
        browser.request("GET", path).send(server.address).await.expect_error(401, "unauthorized");
    }
    server.clock.advance(Duration::from_secs(1));
    let me = server.sign_in_as(ADA, 2).await;
    for token in [&me.access, &me.refresh] {
        let page = request("GET", "/dashboard/sessions").bearer(token);
        assert_eq!(page.send(server.address).await.status, 303);
        let mut pretender = Browser::new();
        pretender.cookies.insert("everkey".to_owned(), token.clone());
        assert_eq!(pretender.get(&server, "/dashboard/sessions").await.status, 303);
    }
}
