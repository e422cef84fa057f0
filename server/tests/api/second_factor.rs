//! The second factor: it counts once confirmed, each proof of it works once, guesses are few, and nothing is open to
//! whoever lacks it.

use std::time::Duration;

use everkey_server::actions::second_factor::reseal::reseal;
use everkey_server::keys::{KeyRing, ServerKey};
use everkey_server::time::TimeSource as _;
use serde_json::{Value, json};
use totp_rs::Secret;

use crate::kit::browser::{Browser, between, signed_in};
use crate::kit::room::everything_in;
use crate::kit::second_factor::{
    ADA, HERE, Phone, SET_UP, STEP, again, enrol, half_way, is_in, protected, second, verify,
};
use crate::kit::server::{Options, no_limits, start, wrong};
use crate::kit::wire::request;

#[tokio::test]
async fn a_second_factor_counts_only_once_confirmed() {
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
async fn the_api_uses_nothing_up_until_all_is_right() {
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
        guesses_per_code: 5_000,
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

#[tokio::test]
async fn a_change_needs_an_answer_and_a_recent_sign_in() {
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
async fn unconfirmed_factors_and_lapsed_browsers_are_forgotten() {
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
