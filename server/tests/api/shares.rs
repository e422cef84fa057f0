//! Share links: each shows one report to whoever holds it, until it lapses, is revoked, or its maker may not share
//! any more; and it opens nothing else.

use std::time::Duration;

use everkey_server::limits::Limits;
use everkey_server::rules::rate::Limit;
use serde_json::{Value, json};

use crate::kit::room::everything_in;
use crate::kit::server::{Options, SignedIn};
use crate::kit::team::{Cast, call, cast, cast_with, promote};
use crate::kit::wire::{Answer, request};

const DAY: Duration = Duration::from_secs(86_400);

struct Link {
    /// The path of the link, `/s/TOKEN`.
    path: String,
    /// Where it is managed.
    managed: String,
    shares: String,
    report: String,
}

async fn link(cast: &Cast, by: &SignedIn, days: i64) -> Link {
    let report = format!("{}/reports/{}", cast.home, cast.report(by).await.expect(201).text("id"));
    let shares = format!("{report}/shares");
    let made = share(cast, by, &shares, json!({ "expires_in_days": days })).await;
    let url = made.expect(201).text("url");
    let path = url.strip_prefix("http://everkey.example").unwrap().to_owned();
    Link { path, managed: format!("{shares}/{}", made.text("id")), shares, report }
}

async fn share(cast: &Cast, by: &SignedIn, shares: &str, body: Value) -> Answer {
    call(&cast.server, "POST", shares, &by.access, Some(body)).await
}

async fn open(cast: &Cast, path: &str) -> Answer {
    request("GET", path).header("accept", "application/json").send(cast.server.address).await
}

async fn open_page(cast: &Cast, path: &str) -> Answer {
    request("GET", path).header("accept", "text/html,*/*;q=0.8").send(cast.server.address).await
}

#[tokio::test]
async fn a_link_shows_one_report_and_nothing_else() {
    let cast = cast().await;
    let link = link(&cast, &cast.admin, 7).await;
    let opened = open(&cast, &link.path).await;
    let expected =
        json!({ "title": "Q3", "body": "the secret figures", "created_at": "2027-01-15T08:00:00Z" });
    assert_eq!(opened.expect(200).json(), expected);
    let page = open_page(&cast, &link.path).await;
    assert!(page.expect(200).body.contains("the secret figures"));
    assert!(page.header("content-security-policy").unwrap().contains("default-src 'none'"));
    for answer in [&opened, &page, &open_page(&cast, "/s/nothing").await] {
        assert_eq!(answer.header("set-cookie"), None);
        assert_eq!(answer.header("referrer-policy"), Some("no-referrer"));
        assert_eq!(answer.header("x-robots-tag"), Some("noindex"));
        assert_eq!(answer.header("cache-control"), Some("no-store"));
        for private in ["The lab", "@example.com", cast.home.rsplit('/').next().unwrap(), &cast.admin.user_id]
        {
            assert!(!answer.body.contains(private), "{private}: {answer:?}");
        }
    }
    let listed = call(&cast.server, "GET", &link.shares, &cast.member.access, None).await;
    let share = &listed.expect(200).json()["shares"][0];
    assert_eq!((&share["opened"], &share["works"]), (&json!(2), &json!(true)));
    assert_eq!(share["made_by"], "admin@example.com");
    assert_eq!(share["last_opened_at"], "2027-01-15T08:00:00Z");
    assert!(!listed.body.contains(link.path.strip_prefix("/s/").unwrap()), "a token is shown once");
    assert_eq!((cast.server.events("share_made").await, cast.server.events("share_opened").await), (1, 2));
}

#[tokio::test]
async fn a_report_can_put_nothing_into_the_page() {
    let cast = cast().await;
    let text = "</pre><script>alert(1)</script>{{ 7*7 }}";
    let body = json!({ "title": "</title><img src=x onerror=alert(1)>", "body": text });
    let reports = format!("{}/reports", cast.home);
    let report = call(&cast.server, "POST", &reports, &cast.owner.access, Some(body)).await.text("id");
    let made =
        share(&cast, &cast.owner, &format!("{reports}/{report}/shares"), json!({ "expires_in_days": 1 }))
            .await;
    let url = made.text("url");
    let page = open_page(&cast, url.strip_prefix("http://everkey.example").unwrap()).await;
    assert_eq!(page.expect(200).header("content-type"), Some("text/html; charset=utf-8"));
    assert!(!page.body.contains("<script") && !page.body.contains("<img"), "{page:?}");
}

#[tokio::test]
async fn a_share_token_opens_no_api_and_is_stored_hashed() {
    let cast = cast().await;
    let link = link(&cast, &cast.owner, 7).await;
    let token = link.path.strip_prefix("/s/").unwrap();
    assert_eq!(token.len(), 43, "256 bits");
    for path in ["/v0/auth/me", "/v0/auth/session", "/v1/workspaces", &link.report, "/v1/admin/users"] {
        cast.server.get(path, token).await.expect_error(401, "unauthorized");
    }
    let refresh = json!({ "refresh_token": token });
    cast.server.post("/v0/auth/token/refresh", &refresh).await.expect_error(401, "invalid_grant");
    for path in [format!("{}/reports", link.path), format!("{}/", link.path), format!("/s/{token}x")] {
        open(&cast, &path).await.expect_error(404, "not_found");
    }
    for method in ["POST", "PUT", "DELETE", "PATCH"] {
        let answer = request(method, &link.path).send(cast.server.address).await;
        answer.expect_error(405, "method_not_allowed");
    }
    for (name, bytes) in everything_in(cast.server.folder()).await {
        let found = bytes.windows(token.len()).any(|window| window == token.as_bytes());
        assert!(!found, "the token stands in {name}");
    }
    open(&cast, &link.path).await.expect(200);
}

#[tokio::test]
async fn lapsed_revoked_and_unknown_links_are_the_same() {
    let cast = cast().await;
    let (lapses, revoked) = (link(&cast, &cast.owner, 1).await, link(&cast, &cast.owner, 90).await);
    call(&cast.server, "DELETE", &revoked.managed, &cast.admin.access, None).await.expect(204);
    call(&cast.server, "DELETE", &revoked.managed, &cast.admin.access, None).await.expect(204);
    assert_eq!(cast.server.events("share_revoked").await, 1);
    cast.server.clock.advance(DAY - Duration::from_millis(1));
    open(&cast, &lapses.path).await.expect(200);
    cast.server.clock.advance(Duration::from_millis(1));
    let unknown = format!("/s/{}", "A".repeat(43));
    let (as_json, as_page) = (open(&cast, &unknown).await, open_page(&cast, &unknown).await);
    assert_eq!((as_json.status, as_page.status), (404, 404));
    for path in [&lapses.path, &revoked.path, "/s/x", "/s/%00", "/s/%ff", &format!("/s/{}", "x".repeat(4000))]
    {
        let (json, page) = (open(&cast, path).await, open_page(&cast, path).await);
        assert_eq!((json.status, &json.body), (404, &as_json.body), "{path}");
        assert_eq!((page.status, &page.body), (404, &as_page.body), "{path}");
    }
}

#[tokio::test]
async fn a_link_goes_with_its_report_and_with_its_workspace() {
    let cast = cast().await;
    let (one, two) = (link(&cast, &cast.owner, 7).await, link(&cast, &cast.owner, 7).await);
    call(&cast.server, "DELETE", &one.report, &cast.admin.access, None).await.expect(204);
    open(&cast, &one.path).await.expect_error(404, "not_found");
    open(&cast, &two.path).await.expect(200);
    call(&cast.server, "DELETE", &cast.home, &cast.owner.access, None).await.expect(204);
    open(&cast, &two.path).await.expect_error(404, "not_found");
}

#[tokio::test]
async fn a_link_rests_on_its_maker() {
    let cast = cast().await;
    promote(&cast.server, "outsider@example.com").await;
    let (link, others) = (link(&cast, &cast.admin, 7).await, link(&cast, &cast.owner, 7).await);
    let account = format!("/v1/admin/users/{}", cast.admin.user_id);
    let member = format!("{}/members/{}", cast.home, cast.admin.user_id);
    let (server, boss, owner) = (&cast.server, &cast.outsider.access, &cast.owner.access);
    // Disabled, its links rest; they are not gone, because disabling can be taken back.
    call(server, "POST", &format!("{account}/disable"), boss, None).await.expect(200);
    open(&cast, &link.path).await.expect_error(404, "not_found");
    let listed = call(server, "GET", &link.shares, owner, None).await;
    assert_eq!(listed.json()["shares"][0]["works"], false);
    call(server, "POST", &format!("{account}/enable"), boss, None).await.expect(200);
    open(&cast, &link.path).await.expect(200);
    let admin = server.sign_in_as("admin@example.com", 5).await;
    // Demoted or removed, they are revoked, and coming back does not bring them back.
    for role in ["member", "admin"] {
        call(server, "PUT", &member, owner, Some(json!({ "role": role }))).await.expect(204);
        open(&cast, &link.path).await.expect_error(404, "not_found");
    }
    let link = self::link(&cast, &admin, 7).await;
    open(&cast, &link.path).await.expect(200);
    cast.remove(&admin, &admin).await.expect(204);
    open(&cast, &link.path).await.expect_error(404, "not_found");
    crate::kit::team::join(server, &cast.home, &cast.owner, &admin, "admin@example.com", "admin").await;
    open(&cast, &link.path).await.expect_error(404, "not_found");
    open(&cast, &others.path).await.expect(200);
}

#[tokio::test]
async fn a_link_is_made_on_purpose_with_an_end() {
    let cast = cast().await;
    let shares = link(&cast, &cast.owner, 7).await.shares;
    for body in [
        json!({}),
        json!({ "expires_in_days": null }),
        json!({ "expires_in_days": 0 }),
        json!({ "expires_in_days": -1 }),
        json!({ "expires_in_days": 91 }),
        json!({ "expires_in_days": 1.5 }),
        json!({ "expires_in_days": "7" }),
        json!({ "expires_in_days": 9_223_372_036_854_775_807_i64 }),
    ] {
        share(&cast, &cast.owner, &shares, body).await.expect_error(400, "validation_error");
    }
    let days = json!({ "expires_in_days": 7 });
    share(&cast, &cast.member, &shares, days).await.expect_error(403, "forbidden");
    assert_eq!(cast.server.events("share_made").await, 1);
}

#[tokio::test(flavor = "multi_thread")]
async fn one_address_opens_only_so_many_links_in_a_minute() {
    let limit = Limit { max: 6, window: Duration::from_secs(60) };
    let limits = Limits { share_opens_per_ip: limit, code_cooldown: Duration::ZERO, ..Limits::default() };
    let cast = cast_with(Options { limits, ..Options::default() }).await;
    let link = link(&cast, &cast.owner, 7).await;
    let address = cast.server.address;
    let tasks: Vec<_> = (0..20)
        .map(|n| {
            let path = if n % 2 == 0 { link.path.clone() } else { format!("/s/guess{n}") };
            tokio::spawn(async move { request("GET", &path).send(address).await })
        })
        .collect();
    let mut statuses = Vec::new();
    for task in tasks {
        statuses.push(task.await.unwrap().status);
    }
    // Six times the link, and six guesses: these take nothing from it.
    let count = |wanted: u16| statuses.iter().filter(|status| **status == wanted).count();
    assert_eq!((count(200), count(404), count(429)), (6, 6, 8), "{statuses:?}");
    let limited = open(&cast, &link.path).await;
    limited.expect_error(429, "rate_limited");
    assert_eq!(limited.header("retry-after"), Some("60"));
    assert!(open_page(&cast, &link.path).await.body.contains("60 seconds"));
    cast.server.clock.advance(Duration::from_secs(60));
    open(&cast, &link.path).await.expect(200);
}
