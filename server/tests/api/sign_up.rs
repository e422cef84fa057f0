//! Who may have an account, and that nobody learns who has one.

use everkey_server::actions::accounts::operator::{self, AccountChange};
use everkey_server::db::users::AccountStatus;
use everkey_server::rules::email::Email;
use everkey_server::rules::sign_up::SignUpMode;
use everkey_server::time::TimeSource as _;
use serde_json::Value;

use crate::kit::browser::{Browser, signed_in};
use crate::kit::program::{database, newest_mail, run, serve};
use crate::kit::room::room;
use crate::kit::server::{Options, Server, start};
use crate::kit::team::{cast, invite, promote};
use crate::kit::wire::request;

const ADA: &str = "ada@example.com";
const EVE: &str = "eve@evil.example";
const NO_ACCOUNT: &str = "You have no account here";

/// A server on which only Ada has an account, signed in as an admin.
async fn closed(mode: SignUpMode) -> (Server, Browser) {
    let server = start(Options::without_limits()).await;
    let browser = signed_in(&server, ADA).await;
    promote(&server, ADA).await;
    let server = server.restart(Options { sign_up: mode, ..Options::without_limits() }).await;
    (server, browser)
}

#[tokio::test]
async fn a_stranger_gets_the_same_answer_and_no_code() {
    let (server, _) = closed(SignUpMode::Invited).await;
    let (known, stranger) = (server.ask_code(ADA).await, server.ask_code(EVE).await);
    assert_eq!(
        (known.status, known.json()["expires_in"].clone()),
        (200, stranger.json()["expires_in"].clone())
    );
    let keys = |answer: &Value| answer.as_object().unwrap().keys().cloned().collect::<Vec<_>>();
    assert_eq!(keys(&known.json()), keys(&stranger.json()));
    let letter = server.mails_about(NO_ACCOUNT, 1).await.remove(0);
    assert!(
        letter.contains(EVE) && !letter.lines().any(|line| line.len() == 6 && line.parse::<u32>().is_ok())
    );
    server.verify(EVE, "123456").await.expect_error(401, "unauthorized");
    let page = Browser::new().fill(&server, "/signin", "/signin", &[("email", EVE)]).await;
    assert_eq!(page.expect(303).header("location"), Some("/signin/code"));
    // Who has an account signs in as ever.
    server.sign_in_as(ADA, 3).await;
}

#[tokio::test]
async fn an_admin_decides_on_a_page() {
    let (server, mut ada) = closed(SignUpMode::Closed).await;
    let page = "/dashboard/sign-up";
    assert!(ada.get(&server, "/dashboard/sessions").await.body.contains(page));
    ada.fill(&server, page, page, &[("mode", "listed")]).await.expect(303);
    ada.fill(&server, page, page, &[("allow", "Evil.example")]).await.expect(303);
    assert!(ada.get(&server, page).await.expect(200).body.contains("@evil.example"));
    let mut eve = Browser::new();
    eve.sign_in(&server, EVE, 2).await;
    eve.get(&server, page).await.expect(404);
    assert!(!eve.get(&server, "/dashboard/sessions").await.body.contains(page));
    let token = eve.token(&server, "/dashboard/sessions").await;
    eve.post(&server, page, &[("csrf", &token), ("mode", "open")]).await.expect(404);
    ada.fill(&server, page, page, &[("allow", "no one")]).await.expect(422);
    ada.fill(&server, page, page, &[("mode", "everybody")]).await.expect(422);
    ada.fill(&server, page, page, &[("forbid", "@evil.example")]).await.expect(303);
    server.ask_code("mallory@evil.example").await.expect(200);
    server.mails_about(NO_ACCOUNT, 1).await;
    assert_eq!(server.events("sign_up_changed").await, 3);
}

#[tokio::test]
async fn the_command_line_decides_for_running_servers() {
    let room = room();
    let server = serve(room.path(), &["--public-url", "https://auth.example.com"]).await;
    let database = database(room.path());
    let command = async |words: &[&str]| -> Value {
        let words: Vec<&str> = words.iter().copied().chain(["--database", &database, "--json"]).collect();
        let output = run(&words).await;
        assert!(output.status.success(), "{words:?}: {output:?}");
        serde_json::from_slice(&output.stdout).unwrap()
    };
    let subjects = async |n: usize| {
        let body = serde_json::json!({ "email": format!("user{n}@example.com") });
        let ask = request("POST", "/v0/auth/login/request").json(&body);
        ask.send(server.address).await.expect(200);
        let mut subject = None;
        let to = format!("To: user{n}@example.com");
        crate::kit::server::until("the letter", || {
            let files = room.path().join("mail").read_dir().into_iter().flatten().flatten();
            let texts: Vec<_> = files.filter_map(|file| std::fs::read_to_string(file.path()).ok()).collect();
            let found = texts.into_iter().find(|text| text.contains(&to));
            subject = found
                .and_then(|text| text.lines().find(|line| line.starts_with("Subject")).map(str::to_owned));
            subject.is_some()
        })
        .await;
        subject.unwrap()
    };
    assert_eq!(command(&["sign-up", "show"]).await["sign_up"], "unset");
    assert!(subjects(1).await.contains("no account"), "a public address is not open by itself");
    assert_eq!(command(&["sign-up", "allow", "example.com"]).await["list"][0], "@example.com");
    assert!(subjects(2).await.contains("sign-in code"));
    command(&["sign-up", "set", "closed"]).await;
    assert!(subjects(3).await.contains("no account"));
    command(&["sign-up", "set", "open"]).await;
    command(&["sign-up", "forbid", "example.com"]).await;
    assert!(subjects(4).await.contains("sign-in code"));
}

#[tokio::test]
async fn who_is_forbidden_in_vain_is_named() {
    let room = room();
    drop(serve(room.path(), &[]).await);
    let database = database(room.path());
    let command = async |words: &[&str]| {
        let words: Vec<&str> =
            ["sign-up"].iter().chain(words).copied().chain(["--database", &database]).collect();
        run(&words).await
    };
    let said = |output: &std::process::Output| String::from_utf8_lossy(&output.stderr).into_owned();
    assert!(command(&["allow", "corp.example", "spam@corp.example"]).await.status.success());
    let forbidden = command(&["forbid", "spam@corp.example"]).await;
    assert!(forbidden.status.success());
    assert!(said(&forbidden).contains("may still sign up, because @corp.example is on the list"));
    let absent = command(&["forbid", "nobody.example"]).await;
    assert!(!absent.status.success() && said(&absent).contains("holds none of these"), "{absent:?}");
    let starred = command(&["allow", "*@corp.example"]).await;
    assert!(!starred.status.success() && said(&starred).contains("or a domain such as"), "{starred:?}");
}

#[tokio::test]
async fn an_invitation_lets_in_while_its_maker_may_invite() {
    let cast = cast().await;
    let server = &cast.server;
    let mut tx = server.store.begin().await.unwrap();
    tx.set_sign_up_mode(SignUpMode::Invited).await.unwrap();
    tx.commit().await.unwrap();
    for (by, email) in [(&cast.owner, "m1@example.com"), (&cast.admin, "m2@example.com")] {
        invite(server, &cast.home, by, email, "member").await.expect(201);
    }
    server.sign_in_as("m1@example.com", 5).await;
    server.sign_in_as("m2@example.com", 6).await;
    for (by, email) in [(&cast.owner, "m3@example.com"), (&cast.admin, "m4@example.com")] {
        invite(server, &cast.home, by, email, "member").await.expect(201);
    }
    cast.remove(&cast.owner, &cast.admin).await.expect(204);
    let owner = Email::parse("owner@example.com").unwrap();
    let disable = AccountChange::Status(AccountStatus::Disabled);
    operator::change(&server.store, &owner, &disable, server.clock.now()).await.unwrap();
    for (n, email) in ["m3@example.com", "m4@example.com"].iter().enumerate() {
        server.ask_code(email).await.expect(200);
        server.mails_about(NO_ACCOUNT, n + 1).await;
    }
}

#[tokio::test]
async fn who_listens_to_the_network_is_not_open_by_itself() {
    let room = room();
    for (n, (listen, mode)) in
        [("127.0.0.1:0", "sign-in code"), ("0.0.0.0:0", "no account")].into_iter().enumerate()
    {
        let flags = ["--listen", listen, "--public-url", "http://127.0.0.1:8787"];
        let server = serve(room.path(), &flags).await;
        let to = format!("user{n}@example.com");
        let ask = request("POST", "/v0/auth/login/request").json(&serde_json::json!({ "email": to }));
        ask.send(([127, 0, 0, 1], server.address.port()).into()).await.expect(200);
        let mut letter = String::new();
        crate::kit::server::until("the letter", || {
            letter = newest_mail(room.path()).filter(|mail| mail.contains(&to)).unwrap_or_default();
            !letter.is_empty()
        })
        .await;
        assert!(letter.contains(mode), "{listen}: {letter}");
    }
}
