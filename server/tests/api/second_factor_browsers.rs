//! The second factor in browsers: half-way they open nothing, and remembered ones are spared it.

use std::time::Duration;

use crate::kit::browser::{Browser, between, signed_in};
use crate::kit::second_factor::{ADA, HERE, SET_UP, STEP, again, enrol, half_way, is_in, protected, second};
use crate::kit::server::{Options, code_in, start, wrong};

#[tokio::test(flavor = "multi_thread")]
async fn one_code_signs_only_one_browser_in() {
    let (server, _, phone) = protected(Options::without_limits()).await;
    server.clock.advance(STEP);
    for proof in [phone.code_at(&server, 0), phone.codes[0].clone()] {
        let mut requests = Vec::new();
        for _ in 0..6 {
            let mails = server.mails(1).await.len();
            let mut browser = half_way(&server, mails + 1).await;
            let token = browser.token(&server, "/signin/second").await;
            let send = browser.request("POST", "/signin/second").form(&[("csrf", &token), ("code", &proof)]);
            requests.push(send);
        }
        let address = server.address;
        let tasks: Vec<_> = requests
            .into_iter()
            .map(|request| tokio::spawn(async move { request.send(address).await }))
            .collect();
        let mut statuses = Vec::new();
        for task in tasks {
            statuses.push(task.await.unwrap().status);
        }
        statuses.sort();
        assert_eq!(statuses, [303, 422, 422, 422, 422, 422]);
    }
}

#[tokio::test]
async fn a_browser_that_is_half_way_opens_nothing() {
    let (server, _, phone) = protected(Options::without_limits()).await;
    let mut browser = Browser::new();
    browser
        .fill(&server, "/signin?next=/dashboard/security", "/signin", &[("email", ADA), ("next", HERE)])
        .await;
    let code = code_in(server.mails(2).await.last().unwrap());
    let half = browser.fill(&server, "/signin/code", "/signin/code", &[("code", &code)]).await;
    assert_eq!(half.expect(303).header("location"), Some("/signin/second"));
    assert_eq!(browser.cookies.len(), 1, "no session");
    let pages = ["/dashboard", "/dashboard/sessions", HERE, SET_UP, "/dashboard/access-tokens", "/device"];
    let token = browser.token(&server, "/signin/second").await;
    let half_cookie = browser.cookies["everkey-signin"].clone();
    // Its cookie as a session's opens nothing either, nor does it as a bearer.
    let mut forged = browser.clone();
    forged.cookies.insert("everkey".to_owned(), half_cookie.clone());
    for who in [&mut browser, &mut forged] {
        for page in pages {
            let answer = who.get(&server, page).await;
            assert!([303, 404].contains(&answer.status), "{page}: {answer:?}");
            if let Some(place) = answer.header("location") {
                assert!(place.starts_with("/signin?") || page == "/dashboard", "{page}: {place}");
            }
        }
        for form in [SET_UP, "/dashboard/security/off", "/dashboard/security/codes", "/signout"] {
            who.post(&server, form, &[("csrf", &token), ("code", "123456")]).await.expect(403);
        }
    }
    server.get("/v0/auth/me", &half_cookie).await.expect_error(401, "unauthorized");
    // Going back to the code page leads nowhere; the code is used up.
    let back = browser.get(&server, "/signin/code").await;
    assert_eq!(back.expect(303).header("location"), Some("/signin"));
    second(&server, &mut browser, &[("code", "no code")]).await.expect(422);
    let now = phone.next_code(&server);
    second(&server, &mut browser, &[("code", &wrong(&now))]).await.expect(422);
    // Without the form's token nothing is looked at.
    browser.post(&server, "/signin/second", &[("code", &now)]).await.expect(403);
    let done = second(&server, &mut browser, &[("code", &now)]).await;
    assert_eq!(done.expect(303).header("location"), Some(HERE), "where it wanted to go");
    assert!(is_in(&server, &mut browser).await);
    assert!(!browser.cookies.contains_key("everkey-remembered"), "not asked for");
    // The half-way cookie is worth nothing any more.
    let mut late = Browser::new();
    late.cookies.insert("everkey-signin".to_owned(), half_cookie);
    assert_eq!(late.get(&server, "/signin/second").await.expect(303).header("location"), Some("/signin"));
}

#[tokio::test]
async fn a_half_way_sign_in_ends_in_time() {
    let (server, mut owner, phone) = protected(Options::without_limits()).await;
    let mut slow = half_way(&server, 2).await;
    let token = slow.token(&server, "/signin/second").await;
    server.clock.advance(Duration::from_secs(600));
    let code = phone.code_at(&server, 0);
    slow.post(&server, "/signin/second", &[("csrf", &token), ("code", &code)]).await.expect(403);
    assert!(!is_in(&server, &mut slow).await);

    let mut other = half_way(&server, 3).await;
    let token = other.token(&server, "/signin/second").await;
    owner = again(&server, owner, &phone, 4).await;
    let code = phone.next_code(&server);
    owner.fill(&server, HERE, "/dashboard/security/off", &[("code", &code)]).await.expect(303);
    let late = phone.next_code(&server);
    other.post(&server, "/signin/second", &[("csrf", &token), ("code", &late)]).await.expect(403);
    assert!(!is_in(&server, &mut other).await);
}

#[tokio::test]
async fn a_remembered_browser_still_needs_the_email_code() {
    let (server, _, phone) = protected(Options::without_limits()).await;
    let mut browser = half_way(&server, 2).await;
    let code = phone.next_code(&server);
    let done = second(&server, &mut browser, &[("code", &code), ("remember", "yes")]).await;
    let set = done.expect(303).all("set-cookie").into_iter().find(|set| set.contains("remembered")).unwrap();
    for part in ["HttpOnly", "SameSite=Lax", "Path=/", "Max-Age=2592000"] {
        assert!(set.contains(part), "{set}");
    }
    let first = browser.cookies["everkey-remembered"].clone();

    // Alone it opens nothing.
    let mut alone = Browser::new();
    alone.cookies.insert("everkey-remembered".to_owned(), first.clone());
    assert!(!is_in(&server, &mut alone).await);
    alone.cookies.insert("everkey".to_owned(), first.clone());
    assert!(!is_in(&server, &mut alone).await);
    let mut guess = browser.clone();
    guess.cookies.remove("everkey");
    guess.fill(&server, "/signin", "/signin", &[("email", ADA)]).await.expect(303);
    let mailed = code_in(server.mails(3).await.last().unwrap());
    guess.fill(&server, "/signin/code", "/signin/code", &[("code", &wrong(&mailed))]).await.expect(422);

    // With the email code it does, and is a new one afterwards.
    let step = browser.sign_in(&server, ADA, 4).await;
    assert_eq!(step.header("location"), Some("/dashboard"), "{step:?}");
    let rotated = browser.cookies["everkey-remembered"].clone();
    assert_ne!(first, rotated);
    assert!(is_in(&server, &mut browser).await);
    let mut thief = Browser::new();
    thief.cookies.insert("everkey-remembered".to_owned(), first);
    let step = thief.sign_in(&server, ADA, 5).await;
    assert_eq!(step.header("location"), Some("/signin/second"), "an old cookie is worth nothing");
    // It is in two hands: what it began has ended, and the browser is remembered no more.
    assert_eq!(server.events("remembered_replayed").await, 1);
    assert!(!is_in(&server, &mut browser).await);
    let told = server.mails_about("Somebody else may have used your sign-in", 1).await;
    assert!(told.len() == 1 && told[0].contains("That session has ended"), "{told:?}");

    // To another user it is worth nothing, even with a second factor of their own.
    let mut eve = Browser::new();
    eve.sign_in(&server, "eve@example.com", 6).await;
    enrol(&server, &mut eve).await;
    let mut eve = Browser::new();
    eve.cookies.insert("everkey-remembered".to_owned(), rotated);
    let step = eve.sign_in(&server, "eve@example.com", 7).await;
    assert_eq!(step.header("location"), Some("/signin/second"));
    assert_eq!(server.events("remembered_refused").await, 1);

    // After 30 days since it was remembered it lapses, however much it was used.
    server.clock.advance(Duration::from_secs(30 * 86_400));
    let step = browser.sign_in(&server, ADA, 8).await;
    assert_eq!(step.header("location"), Some("/signin/second"));
}

#[tokio::test]
async fn remembered_browsers_are_listed_and_forgotten() {
    let (server, owner, phone) = protected(Options::without_limits()).await;
    let mut mails = 1;
    let mut remembered = async |owner: &Browser| {
        mails += 1;
        let mut browser = owner.clone();
        let step = browser.sign_in(&server, ADA, mails).await;
        assert_eq!(step.header("location"), Some("/signin/second"), "it is forgotten");
        let code = phone.next_code(&server);
        second(&server, &mut browser, &[("code", &code), ("remember", "yes")]).await.expect(303);
        browser
    };
    let mut browser = remembered(&owner).await;
    let page = browser.get(&server, HERE).await;
    let id = between(&page.body, "name=\"id\" value=\"", "\"").unwrap();
    let mut eve = Browser::new();
    eve.sign_in(&server, "eve@example.com", 3).await;
    for id in [id.as_str(), "x", "00000000-0000-4000-8000-000000000000"] {
        let answer = eve.fill(&server, HERE, "/dashboard/security/forget", &[("id", id)]).await;
        assert_eq!(answer.status, 404, "{answer:?}");
    }
    browser.fill(&server, HERE, "/dashboard/security/forget", &[("id", &id)]).await.expect(303);
    assert!(browser.get(&server, HERE).await.body.contains("No browser is spared"));

    // Forgotten by new recovery codes.
    let step = browser.sign_in(&server, ADA, 4).await;
    assert_eq!(step.header("location"), Some("/signin/second"));
    let code = phone.next_code(&server);
    second(&server, &mut browser, &[("code", &code), ("remember", "yes")]).await.expect(303);
    let code = phone.next_code(&server);
    browser.fill(&server, HERE, "/dashboard/security/codes", &[("code", &code)]).await.expect(200);
    let step = browser.sign_in(&server, ADA, 5).await;
    assert_eq!(step.header("location"), Some("/signin/second"));

    // Forgotten by turning it off, and not back when it is turned on again.
    let code = phone.next_code(&server);
    second(&server, &mut browser, &[("code", &code), ("remember", "yes")]).await.expect(303);
    let stolen = browser.cookies["everkey-remembered"].clone();
    let code = phone.next_code(&server);
    browser.fill(&server, HERE, "/dashboard/security/off", &[("code", &code)]).await.expect(303);
    assert!(!browser.cookies.contains_key("everkey-remembered"));
    enrol(&server, &mut browser).await;
    browser.cookies.insert("everkey-remembered".to_owned(), stolen);
    let step = browser.sign_in(&server, ADA, 6).await;
    assert_eq!(step.header("location"), Some("/signin/second"));
}

#[tokio::test]
async fn turning_it_on_signs_other_browsers_out() {
    let server = start(Options::without_limits()).await;
    let mut other = signed_in(&server, ADA).await;
    let tool = server.sign_in_as(ADA, 2).await;
    let mut browser = Browser::new();
    browser.sign_in(&server, ADA, 3).await;
    enrol(&server, &mut browser).await;
    assert!(is_in(&server, &mut browser).await);
    assert!(!is_in(&server, &mut other).await, "it has never shown the second factor");
    server.get("/v0/auth/me", &tool.access).await.expect(200);
}
