//! The second factor: it counts once confirmed, each proof of it works once, guesses are few, and nothing is open to
//! whoever lacks it.

use std::time::Duration;

use everkey_server::actions::second_factor::reseal::reseal;
use everkey_server::keys::{KeyRing, ServerKey};
use everkey_server::time::TimeSource as _;
use serde_json::{Value, json};
use totp_rs::{Builder, Secret};

use crate::browsing::{Browser, between, signed_in};
use crate::harness::{Options, Server, code_in, no_limits, start, wrong};
use crate::room::everything_in;
use crate::wire::{Answer, request};

pub const ADA: &str = "ada@example.com";
const HERE: &str = "/dashboard/security";
const SET_UP: &str = "/dashboard/security/setup";
const STEP: Duration = Duration::from_secs(30);

/// What a person has who has set up a second factor.
pub struct Phone {
    base32: String,
    pub codes: Vec<String>,
}

impl Phone {
    /// The code it shows at the server's time, moved by so many steps.
    pub fn code_at(&self, server: &Server, steps: i64) -> String {
        let totp =
            Builder::new().with_secret(Secret::try_from_base32(&self.base32).unwrap()).build().unwrap();
        let secs = server.clock.now().secs() + 30 * steps;
        totp.generate(secs.try_into().unwrap()).to_string()
    }

    /// A code that was never used: time goes on for it.
    pub fn next_code(&self, server: &Server) -> String {
        server.clock.advance(STEP);
        self.code_at(server, 0)
    }
}

/// Sets a second factor up in a browser that has just signed in.
pub async fn enrol(server: &Server, browser: &mut Browser) -> Phone {
    let asked = browser.fill(server, HERE, SET_UP, &[]).await;
    assert_eq!(asked.expect(303).header("location"), Some(SET_UP));
    let page = browser.get(server, SET_UP).await;
    let base32 = between(&page.expect(200).body, "<code>", "</code>").unwrap().replace(' ', "");
    let mut phone = Phone { base32, codes: Vec::new() };
    let code = phone.code_at(server, 0);
    let done = browser.fill(server, SET_UP, "/dashboard/security/confirm", &[("code", &code)]).await;
    let list = between(&done.expect(200).body, "<ul class=\"mono\">", "</ul>").unwrap();
    let items = list.split("<li>").filter_map(|item| item.split_once("</li>"));
    phone.codes = items.map(|(code, _)| code.to_owned()).collect();
    phone
}

/// A server with a user who has a second factor; one mail was sent. Returns the browser it was set up in.
pub async fn protected(options: Options) -> (Server, Browser, Phone) {
    let server = start(options).await;
    let mut browser = signed_in(&server, ADA).await;
    let phone = enrol(&server, &mut browser).await;
    (server, browser, phone)
}

async fn verify(server: &Server, code: &str, second: Value) -> Answer {
    let body = json!({ "email": ADA, "code": code, "second_factor": second });
    server.post("/v0/auth/login/verify", &body).await
}

/// A browser that has given the right email code and lacks the second factor.
pub async fn half_way(server: &Server, n: usize) -> Browser {
    let mut browser = Browser::new();
    let answer = browser.sign_in(server, ADA, n).await;
    assert_eq!(answer.header("location"), Some("/signin/second"));
    browser
}

pub async fn second(server: &Server, browser: &mut Browser, fields: &[(&str, &str)]) -> Answer {
    browser.fill(server, "/signin/second", "/signin/second", fields).await
}

async fn is_in(server: &Server, browser: &mut Browser) -> bool {
    browser.get(server, "/dashboard/sessions").await.status == 200
}

#[tokio::test]
async fn it_counts_only_once_a_code_has_shown_that_it_works() {
    let server = start(Options::without_limits()).await;
    let mut browser = signed_in(&server, ADA).await;
    assert!(browser.get(&server, HERE).await.body.contains("off</span>"));
    browser.fill(&server, HERE, SET_UP, &[]).await.expect(303);
    let page = browser.get(&server, SET_UP).await;
    assert!(page.body.contains("<svg role=\"img\"") && !page.body.contains("<?xml"), "{page:?}");
    let base32 = between(&page.body, "<code>", "</code>").unwrap().replace(' ', "");
    let phone = Phone { base32, codes: Vec::new() };
    for code in [wrong(&phone.code_at(&server, 0)), phone.code_at(&server, 2), "12345".to_owned()] {
        let refused = browser.fill(&server, SET_UP, "/dashboard/security/confirm", &[("code", &code)]).await;
        refused.expect(422);
    }
    server.sign_in_as(ADA, 2).await;
    // Begun anew, it is another secret, and the first one is worth nothing.
    browser.fill(&server, HERE, SET_UP, &[]).await.expect(303);
    let old = phone.code_at(&server, 0);
    browser.fill(&server, SET_UP, "/dashboard/security/confirm", &[("code", &old)]).await.expect(422);
    let phone = enrol(&server, &mut browser).await;
    assert_eq!(phone.codes.len(), 10);
    let page = browser.get(&server, HERE).await;
    assert!(page.body.contains("on</span>") && page.body.contains("10 codes are"), "{page:?}");
    assert!(!page.body.contains(&phone.codes[0]) && !page.body.contains(&phone.base32));
    let again = browser.get(&server, SET_UP).await;
    assert_eq!(again.expect(303).header("location"), Some(HERE), "the secret is shown no more");
    browser.fill(&server, HERE, SET_UP, &[]).await.expect(409);
    let code = server.new_code(ADA, 3).await;
    server.verify(ADA, &code).await.expect_error(403, "second_factor_required");
    assert_eq!(server.events("second_factor_on").await, 1);
}

#[tokio::test]
async fn neither_secret_nor_recovery_codes_stand_in_the_database() {
    let (server, _, phone) = protected(Options::without_limits()).await;
    let secret = Secret::try_from_base32(&phone.base32).unwrap();
    let mut hidden: Vec<Vec<u8>> = vec![phone.base32.clone().into(), secret.as_bytes().to_vec()];
    for code in &phone.codes {
        hidden.extend([code.clone().into_bytes(), code.replace('-', "").into_bytes()]);
    }
    let hex: String = secret.as_bytes().iter().map(|byte| format!("{byte:02x}")).collect();
    hidden.push(hex.into_bytes());
    for (name, bytes) in everything_in(server.folder()).await {
        for one in &hidden {
            assert!(!bytes.windows(one.len()).any(|window| window == one), "a secret stands in {name}");
        }
    }
}

#[tokio::test]
async fn the_api_asks_for_it_and_uses_nothing_up_until_it_is_right() {
    let (server, _, phone) = protected(Options::default()).await;
    server.clock.advance(STEP);
    let code = server.new_code(ADA, 2).await;
    for _ in 0..8 {
        let asked = server.verify(ADA, &code).await;
        asked.expect_error(403, "second_factor_required");
        assert!(asked.text("message").contains("second_factor"));
    }
    for junk in [json!(""), json!("12345"), json!("x".repeat(3000))] {
        verify(&server, &code, junk).await.expect_error(400, "validation_error");
    }
    verify(&server, &code, json!(123_456)).await.expect_error(400, "validation_error");
    verify(&server, &code, Value::Null).await.expect_error(403, "second_factor_required");
    let now = phone.code_at(&server, 0);
    verify(&server, &code, json!(wrong(&now))).await.expect_error(403, "second_factor_rejected");
    // A wrong email code never gets as far as the second factor.
    verify(&server, &wrong(&code), json!(now)).await.expect_error(401, "unauthorized");
    assert_eq!(server.events("login").await, 1, "only the browser that set it up");
    let signed_in = verify(&server, &code, json!(now)).await;
    assert_eq!(signed_in.expect(200).json()["user"]["email"], ADA);
    verify(&server, &code, json!(now)).await.expect_error(401, "unauthorized");
    assert_eq!(server.events("second_factor_refused").await, 1);
}

#[tokio::test]
async fn for_accounts_without_one_nothing_has_changed() {
    let server = start(Options::without_limits()).await;
    let code = server.new_code(ADA, 1).await;
    let answer = server.verify(ADA, &code).await;
    let fields: Vec<String> = answer.expect(200).json().as_object().unwrap().keys().cloned().collect();
    let code = server.new_code(ADA, 2).await;
    let with = verify(&server, &code, json!("123456")).await;
    let same: Vec<String> = with.expect(200).json().as_object().unwrap().keys().cloned().collect();
    assert_eq!(fields, same);
}

#[tokio::test]
async fn a_step_is_accepted_once_and_only_near_its_time() {
    let (server, _, phone) = protected(Options::without_limits()).await;
    let mut mails = 1;
    let mut attempt = async |second: String| {
        mails += 1;
        let code = server.new_code(ADA, mails).await;
        verify(&server, &code, json!(second)).await.status
    };
    assert_eq!(attempt(phone.code_at(&server, 0)).await, 403, "it has turned the second factor on");
    assert_eq!(attempt(phone.code_at(&server, -1)).await, 403, "an earlier one after a later one");
    assert_eq!(attempt(phone.code_at(&server, 2)).await, 403, "two steps early");
    assert_eq!(attempt(phone.code_at(&server, 1)).await, 200, "one step early");
    assert_eq!(attempt(phone.code_at(&server, 1)).await, 403, "the same again");
    server.clock.advance(STEP * 10);
    assert_eq!(attempt(phone.code_at(&server, -2)).await, 403, "two steps late");
    assert_eq!(attempt(phone.code_at(&server, -1)).await, 200, "one step late");
}

#[tokio::test]
async fn a_recovery_code_works_once_however_it_is_typed() {
    let (server, mut browser, phone) = protected(Options::without_limits()).await;
    let code = server.new_code(ADA, 2).await;
    verify(&server, &code, json!(phone.codes[0].to_uppercase())).await.expect(200);
    let code = server.new_code(ADA, 3).await;
    verify(&server, &code, json!(phone.codes[0])).await.expect_error(403, "second_factor_rejected");
    verify(&server, &code, json!(phone.codes[1].replace('-', ""))).await.expect(200);
    assert!(browser.get(&server, HERE).await.body.contains("8 codes are"));
    // New ones replace the old ones.
    let second = phone.next_code(&server);
    let renewed = browser.fill(&server, HERE, "/dashboard/security/codes", &[("code", &second)]).await;
    assert!(!renewed.expect(200).body.contains(&phone.codes[2]));
    let code = server.new_code(ADA, 4).await;
    verify(&server, &code, json!(phone.codes[2])).await.expect_error(403, "second_factor_rejected");
    let list = between(&renewed.body, "<ul class=\"mono\">", "</ul>").unwrap();
    let fresh = between(&list, "<li>", "</li>").unwrap();
    verify(&server, &code, json!(fresh)).await.expect(200);
    assert_eq!(
        (server.events("recovery_code_used").await, server.events("recovery_codes_renewed").await),
        (3, 1)
    );
}

#[tokio::test]
async fn another_users_proofs_are_worth_nothing() {
    let (server, _, phone) = protected(Options::without_limits()).await;
    let mut eve = Browser::new();
    eve.sign_in(&server, "eve@example.com", 2).await;
    let theirs = enrol(&server, &mut eve).await;
    let code = server.new_code(ADA, 3).await;
    for second in [theirs.next_code(&server), theirs.codes[0].clone()] {
        verify(&server, &code, json!(second)).await.expect_error(403, "second_factor_rejected");
    }
    verify(&server, &code, json!(phone.code_at(&server, 0))).await.expect(200);
}

#[tokio::test(flavor = "multi_thread")]
async fn five_wrong_answers_in_ten_minutes_however_parallel_and_wherever() {
    let limits = everkey_server::limits::Limits {
        second_factor_failures: everkey_server::limits::Limits::default().second_factor_failures,
        guesses_per_code: u32::MAX,
        ..no_limits()
    };
    let (server, _, phone) = protected(Options { limits, ..Options::default() }).await;
    server.clock.advance(STEP);
    let code = server.new_code(ADA, 2).await;
    let right = phone.code_at(&server, 0);
    let (address, bad) = (server.address, wrong(&right));
    let tasks: Vec<_> = (0..20)
        .map(|_| {
            let body = json!({ "email": ADA, "code": code, "second_factor": bad });
            let guess = request("POST", "/v0/auth/login/verify").json(&body);
            tokio::spawn(async move { guess.send(address).await })
        })
        .collect();
    let mut statuses = Vec::new();
    for task in tasks {
        statuses.push(task.await.unwrap().status);
    }
    let count = |status| statuses.iter().filter(|one| **one == status).count();
    assert_eq!((count(403), count(429)), (5, 15), "{statuses:?}");
    // Even the right one waits, in a browser too, and the wait is told.
    let limited = verify(&server, &code, json!(right)).await;
    limited.expect_error(429, "rate_limited");
    assert_eq!(limited.json()["retry_after_secs"], 600);
    let mut browser = half_way(&server, 3).await;
    let told = second(&server, &mut browser, &[("code", &right)]).await;
    assert_eq!(told.expect(429).header("retry-after"), Some("600"));
    assert!(told.body.contains("10 minutes") && !is_in(&server, &mut browser).await);
    server.clock.advance(Duration::from_secs(599));
    let code = server.new_code(ADA, 4).await;
    let right = phone.code_at(&server, 0);
    verify(&server, &code, json!(right)).await.expect_error(429, "rate_limited");
    server.clock.advance(Duration::from_secs(1));
    verify(&server, &code, json!(right)).await.expect(200);
}

#[tokio::test(flavor = "multi_thread")]
async fn one_code_signs_one_browser_in_however_many_try_at_once() {
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
async fn a_half_way_sign_in_ends_in_time_and_with_the_second_factor() {
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

/// The browser after a fresh sign-in, with n mails.
async fn again(server: &Server, mut browser: Browser, phone: &Phone, n: usize) -> Browser {
    let step = browser.sign_in(server, ADA, n).await;
    assert_eq!(step.header("location"), Some("/signin/second"));
    let code = phone.next_code(server);
    second(server, &mut browser, &[("code", &code)]).await.expect(303);
    browser
}

#[tokio::test]
async fn a_remembered_browser_is_spared_it_but_not_the_email_code() {
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

    // To another user it is worth nothing, even with a second factor of their own.
    let mut eve = Browser::new();
    eve.sign_in(&server, "eve@example.com", 6).await;
    enrol(&server, &mut eve).await;
    let mut eve = Browser::new();
    eve.cookies.insert("everkey-remembered".to_owned(), rotated);
    let step = eve.sign_in(&server, "eve@example.com", 7).await;
    assert_eq!(step.header("location"), Some("/signin/second"));

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
async fn changing_it_needs_a_right_answer_and_a_recent_sign_in() {
    let (server, mut browser, phone) = protected(Options::without_limits()).await;
    let off = "/dashboard/security/off";
    for code in [wrong(&phone.code_at(&server, 0)), phone.code_at(&server, 0), "x".to_owned(), String::new()]
    {
        for path in [off, "/dashboard/security/codes"] {
            browser.fill(&server, HERE, path, &[("code", &code)]).await.expect(422);
        }
    }
    let token = browser.token(&server, HERE).await;
    for path in [off, "/dashboard/security/codes", "/dashboard/security/forget", SET_UP] {
        let code = phone.code_at(&server, 1);
        browser.post(&server, path, &[("code", &code)]).await.expect(403);
        browser.post(&server, path, &[("csrf", &token), ("csrf", &token), ("code", &code)]).await.expect(403);
    }
    server.clock.advance(Duration::from_secs(600));
    assert!(browser.get(&server, HERE).await.expect(200).body.contains("sign in again"));
    for path in [off, "/dashboard/security/codes"] {
        let code = phone.code_at(&server, 0);
        let answer = browser.fill(&server, HERE, path, &[("code", &code)]).await;
        assert!(answer.expect(303).header("location").unwrap().starts_with("/signin?again=1"), "{answer:?}");
    }
    let code = server.new_code(ADA, 2).await;
    server.verify(ADA, &code).await.expect_error(403, "second_factor_required");
    let mut browser = again(&server, browser, &phone, 3).await;
    browser.fill(&server, HERE, off, &[("code", &phone.codes[9])]).await.expect(303);
    let code = server.new_code(ADA, 4).await;
    server.verify(ADA, &code).await.expect(200);
    // Setting it up needs a recent sign-in too: a borrowed browser must not lock its owner out.
    server.clock.advance(Duration::from_secs(600));
    let answer = browser.fill(&server, HERE, SET_UP, &[]).await;
    assert!(answer.expect(303).header("location").unwrap().starts_with("/signin?again=1"));
    assert_eq!(server.events("second_factor_off").await, 1);
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

#[tokio::test]
async fn what_was_never_confirmed_and_who_is_no_longer_remembered_is_forgotten() {
    let server = start(Options::without_limits()).await;
    let mut browser = signed_in(&server, ADA).await;
    browser.fill(&server, HERE, SET_UP, &[]).await.expect(303);
    let forget = async || {
        let mut tx = server.store.begin().await.unwrap();
        let gone = tx.forget_factors(server.clock.now()).await.unwrap();
        tx.commit().await.unwrap();
        gone
    };
    assert_eq!(forget().await, 0);
    server.clock.advance(Duration::from_secs(86_400));
    assert_eq!(forget().await, 1);
    browser.sign_in(&server, ADA, 2).await;
    let phone = enrol(&server, &mut browser).await;
    let mut browser = half_way(&server, 3).await;
    let code = phone.next_code(&server);
    second(&server, &mut browser, &[("code", &code), ("remember", "yes")]).await.expect(303);
    server.clock.advance(Duration::from_secs(30 * 86_400 - 1));
    assert_eq!(forget().await, 0);
    server.clock.advance(Duration::from_secs(1));
    assert_eq!(forget().await, 1);
    half_way(&server, 4).await;
}

#[tokio::test]
async fn rotated_keys_take_the_secrets_along() {
    let (server, _, phone) = protected(Options::without_limits()).await;
    let old = ServerKey::clone(&server.keys.current());
    let new = ServerKey::random(everkey_server::time::Timestamp::from_secs(1)).unwrap();
    let keys = KeyRing::new(new, vec![old]);
    let server = server.restart(Options { keys: Some(keys.clone()), ..Options::without_limits() }).await;
    let code = server.new_code(ADA, 2).await;
    verify(&server, &code, json!(phone.codes[0])).await.expect(200);
    assert_eq!(reseal(&server.store, &keys).await.unwrap(), 1);
    assert_eq!(reseal(&server.store, &keys).await.unwrap(), 0);
    // The old keys can go.
    let current = KeyRing::new(ServerKey::clone(&keys.current()), Vec::new());
    let server = server.restart(Options { keys: Some(current), ..Options::without_limits() }).await;
    let code = server.new_code(ADA, 3).await;
    verify(&server, &code, json!(phone.codes[1])).await.expect(200);
    let code = server.new_code(ADA, 4).await;
    verify(&server, &code, json!(phone.next_code(&server))).await.expect(200);
    // Without any key that opens them nobody gets in, and nothing is changed.
    let foreign =
        KeyRing::new(ServerKey::random(everkey_server::time::Timestamp::from_secs(2)).unwrap(), Vec::new());
    assert_eq!(reseal(&server.store, &foreign).await.unwrap(), 0);
    let server = server.restart(Options { keys: Some(foreign), ..Options::without_limits() }).await;
    let code = server.new_code(ADA, 5).await;
    verify(&server, &code, json!(phone.codes[2])).await.expect_error(503, "unavailable");
}

#[tokio::test]
async fn its_owner_is_told_by_mail() {
    let (server, mut browser, phone) = protected(Options::without_limits()).await;
    let on = server.mails_about("A second factor protects your account now", 1).await;
    assert!(on[0].contains("To: ada@example.com\r\n"));
    let code = server.new_code(ADA, 2).await;
    verify(&server, &code, json!(phone.codes[0])).await.expect(200);
    let used = server.mails_about("A recovery code was used", 1).await;
    assert!(phone.codes.iter().all(|code| !used[0].contains(code)));
    let code = phone.next_code(&server);
    browser.fill(&server, HERE, "/dashboard/security/off", &[("code", &code)]).await.expect(303);
    server.mails_about("Your second factor was turned off", 1).await;
    assert_eq!(server.mails_about("A recovery code was used", 1).await.len(), 1, "an app's code is no news");
}
