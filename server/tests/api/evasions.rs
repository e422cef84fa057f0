//! What a thief does so that nobody notices: signs out, hides behind another alarm, keeps to the route that asks least.

use std::time::Duration;

use serde_json::{Value, json};

use crate::kit::achilles;
use crate::kit::binboi::{ME, make};
use crate::kit::browser::signed_in;
use crate::kit::oauth::{Client, text};
use crate::kit::second_factor::ADA;
use crate::kit::server::{Options, Server, SignedIn, start};
use crate::kit::wire::request;
use crate::thief::{CONTESTED, OWNER, Stolen, THIEF, is_refused, stolen};

const ALARM: &str = "Somebody else may have used your sign-in";

impl Stolen {
    /// Ends the session by a token of it; achilles' tool has no way to.
    async fn sign_out(&self, server: &Server, token: &str) {
        let answer = match self {
            Self::FirstParty => server.post("/v0/auth/logout", &json!({ "refresh_token": token })).await,
            Self::OAuth(Client { id, secret }) => {
                let secret = secret.as_deref().unwrap();
                let fields = [("client_id", id.as_str()), ("client_secret", secret), ("token", token)];
                request("POST", "/revoke").form(&fields).send(server.address).await
            }
            Self::Achilles => panic!("achilles' tool can't sign out"),
        };
        assert!(matches!(answer.status, 200 | 204), "{answer:?}");
    }
}

/// How many alarms there were, of both kinds.
async fn alarms(server: &Server) -> usize {
    server.events("replay_revoked_session").await + server.events("replay_revoked_all").await
}

#[tokio::test]
async fn a_thief_who_signs_out_is_noticed_all_the_same() {
    for (thiefs, owners) in
        [(Some(THIEF), Some(OWNER)), (None, Some(OWNER)), (Some(THIEF), None), (None, None)]
    {
        for with_spent in [false, true] {
            let server = start(Options::without_limits()).await;
            let (sessions, other) = stolen(&server).await;
            for (session, token) in sessions.iter().filter(|(one, _)| !matches!(one, Stolen::Achilles)) {
                let before = alarms(&server).await;
                let (successor, access) = session.tokens(&session.send(&server, token, thiefs).await);
                let made = match session {
                    Stolen::FirstParty => Some(personal_token(&server, &access).await),
                    Stolen::Achilles | Stolen::OAuth(_) => None,
                };
                session.sign_out(&server, if with_spent { token } else { &successor }).await;
                for _ in 0..3 {
                    assert!(is_refused(&session.send(&server, token, owners).await));
                }
                assert_eq!(alarms(&server).await, before + 1, "one alarm for each session");
                server.mails_about(ALARM, before + 1).await;
                if let Some(made) = made {
                    server.get(ME, &made).await.expect(401);
                }
            }
            server.get("/v0/auth/me", &other.access).await.expect(200);
        }
    }
}

async fn personal_token(server: &Server, access: &str) -> String {
    let thief = SignedIn { access: access.to_owned(), refresh: String::new(), user_id: String::new() };
    make(server, &thief, &json!({ "never_expires": true })).await.expect(201).text("token")
}

#[tokio::test]
async fn an_owners_own_sign_out_raises_no_alarm() {
    let server = start(Options::without_limits()).await;
    let (sessions, _) = stolen(&server).await;
    for (session, token) in sessions.iter().filter(|(one, _)| !matches!(one, Stolen::Achilles)) {
        let (successor, _) = session.tokens(&session.send(&server, token, Some(OWNER)).await);
        session.sign_out(&server, &successor).await;
        // A late copy of an own request, and what was never exchanged, with whichever key.
        assert!(is_refused(&session.send(&server, token, Some(OWNER)).await));
        for key in [None, Some(OWNER), Some(THIEF)] {
            assert!(is_refused(&session.send(&server, &successor, key).await));
        }
    }
    assert_eq!(alarms(&server).await, 0);
}

#[tokio::test]
async fn a_disabled_account_gets_no_letters_about_old_tokens() {
    let server = start(Options::without_limits()).await;
    let me = server.sign_in().await;
    let session = Stolen::FirstParty;
    session.send(&server, &me.refresh, Some(THIEF)).await.expect(200);
    let mut tx = server.store.begin().await.unwrap();
    use everkey_server::db::users::AccountStatus;
    tx.set_status(&me.user_id, AccountStatus::Disabled).await.unwrap();
    tx.commit().await.unwrap();
    assert!(is_refused(&session.send(&server, &me.refresh, Some(OWNER)).await));
    assert_eq!(alarms(&server).await, 0);
}

#[tokio::test]
async fn a_thief_in_an_achilles_session_is_noticed() {
    for (thiefs, owners) in [(Some(THIEF), Some(OWNER)), (None, Some(OWNER)), (Some(THIEF), None)] {
        let server = start(Options::without_limits()).await;
        let (sessions, other) = stolen(&server).await;
        let (session, token) = &sessions[1];
        let (successor, access) = session.tokens(&session.send(&server, token, thiefs).await);
        server.get(achilles::ME, &access).await.expect(200);
        server.clock.advance(Duration::from_secs(9));
        assert_eq!(session.send(&server, token, owners).await.status, 409, "a race");
        server.clock.advance(Duration::from_secs(2));
        assert!(is_refused(&session.send(&server, token, owners).await));
        assert_eq!(server.events("replay_revoked_session").await, 1);
        let letters = server.mails_about(ALARM, 1).await;
        assert!(
            letters[0].contains("achilles") && letters[0].contains("That session has ended"),
            "{letters:?}"
        );
        assert!(!session.still_opens(&server, &access).await);
        assert!(is_refused(&session.send(&server, &successor, Some(THIEF)).await));
        // Its tool is known to send a token twice: what it can do to itself ends nothing else.
        server.get("/v0/auth/me", &other.access).await.expect(200);
        assert_eq!(server.events("replay_revoked_all").await, 0);
    }
}

#[tokio::test]
async fn achilles_tool_may_send_a_token_twice() {
    let server = start(Options::without_limits()).await;
    let (sessions, _) = stolen(&server).await;
    let (session, token) = &sessions[1];
    let (_, access) = session.tokens(&session.send(&server, token, None).await);
    assert!(session.still_opens(&server, &access).await);
    server.clock.advance(Duration::from_secs(11));
    assert!(is_refused(&session.send(&server, token, None).await));
    assert!(session.still_opens(&server, &access).await);
    assert_eq!(alarms(&server).await, 0);
}

/// Steals a session of the user's own, and has it noticed.
async fn theft_is_noticed(server: &Server, me: &SignedIn) {
    let session = Stolen::FirstParty;
    let (_, access) = session.tokens(&session.send(server, &me.refresh, Some(THIEF)).await);
    assert!(session.still_opens(server, &access).await);
    server.clock.advance(Duration::from_secs(11));
    assert!(is_refused(&session.send(server, &me.refresh, Some(OWNER)).await));
    assert_eq!(server.events("replay_revoked_all").await, 1);
}

async fn everywhere(server: &Server, n: usize) -> usize {
    let letters = server.mails_about(ALARM, n).await;
    letters.iter().filter(|letter| letter.contains("Every session of your account has ended")).count()
}

#[tokio::test]
async fn one_code_sent_over_and_over_raises_one_alarm() {
    let server = start(Options::without_limits()).await;
    let me = server.sign_in().await;
    let client = server.secret_client("client_secret_post").await;
    let code = server.code(&me, &client, "email").await;
    server.exchange(&client, &code, &[]).await.expect(200);
    for _ in 0..40 {
        server.exchange(&client, &code, &[]).await.expect_oauth_error(400, "invalid_grant");
    }
    assert_eq!(server.events("code_replayed").await, 1);
    theft_is_noticed(&server, &me).await;
    assert_eq!(everywhere(&server, 2).await, 1);
    assert_eq!(server.mails_about(ALARM, 2).await.len(), 2);
}

#[tokio::test]
async fn a_code_sent_over_and_over_is_limited() {
    let mut options = Options::without_limits();
    options.limits.code_exchanges_per_ip.max = 3;
    let server = start(options).await;
    let me = server.sign_in().await;
    let client = server.secret_client("client_secret_post").await;
    let code = server.code(&me, &client, "email").await;
    server.exchange(&client, &code, &[]).await.expect(200);
    let mut statuses = Vec::new();
    for _ in 0..6 {
        statuses.push(server.exchange(&client, &code, &[]).await.status);
    }
    assert_eq!(statuses, [400, 400, 400, 400, 429, 429], "the alarm is not counted");
}

#[tokio::test]
async fn an_app_full_of_alarms_hides_no_theft() {
    let server = start(Options::without_limits()).await;
    let me = server.sign_in().await;
    let client = server.secret_client("client_secret_post").await;
    for _ in 0..7 {
        let code = server.code(&me, &client, "email").await;
        server.exchange(&client, &code, &[]).await.expect(200);
        server.exchange(&client, &code, &[]).await.expect_oauth_error(400, "invalid_grant");
    }
    assert_eq!(server.events("code_replayed").await, 7);
    server.mails_about(ALARM, 5).await;
    // Nor does it hide that somebody holds a session of the user's own and waits.
    let waiting = server.sign_in_as(ADA, 2).await;
    Stolen::FirstParty.send(&server, &waiting.refresh, Some(THIEF)).await.expect(200);
    server.clock.advance(CONTESTED);
    assert!(is_refused(&Stolen::FirstParty.send(&server, &waiting.refresh, Some(OWNER)).await));
    assert_eq!(server.mails_about(ALARM, 6).await.len(), 6, "five about the app");
    theft_is_noticed(&server, &me).await;
    assert_eq!(everywhere(&server, 7).await, 1);
}

#[tokio::test]
async fn many_apps_full_of_alarms_flood_nobody() {
    let server = start(Options::without_limits()).await;
    let me = server.sign_in().await;
    for nth in 0..6 {
        let client = server.secret_client("client_secret_post").await;
        for _ in 0..5 {
            let code = server.code(&me, &client, "email").await;
            server.exchange(&client, &code, &[]).await.expect(200);
            server.exchange(&client, &code, &[]).await.expect_oauth_error(400, "invalid_grant");
        }
        let told = (5 * (nth + 1)).min(20);
        assert_eq!(server.mails_about(ALARM, told).await.len(), told);
    }
    theft_is_noticed(&server, &me).await;
    assert_eq!(everywhere(&server, 21).await, 1);
}

#[tokio::test]
async fn a_code_that_returns_after_signing_out_raises_the_alarm() {
    let server = start(Options::without_limits()).await;
    let me = server.sign_in().await;
    let client = server.secret_client("client_secret_post").await;
    let code = server.code(&me, &client, "email").await;
    let tokens: Value = server.exchange(&client, &code, &[]).await.expect(200).json();
    Stolen::OAuth(client.clone()).sign_out(&server, &text(&tokens, "refresh_token")).await;
    for _ in 0..2 {
        server.exchange(&client, &code, &[]).await.expect_oauth_error(400, "invalid_grant");
    }
    assert_eq!(server.events("code_replayed").await, 1);
    assert_eq!(server.mails_about(ALARM, 1).await.len(), 1);
}

#[tokio::test]
async fn a_session_ended_on_the_page_is_watched_on() {
    let server = start(Options::without_limits()).await;
    let mut browser = signed_in(&server, ADA).await;
    let cli = achilles::cli(&server, &mut browser).await;
    let token = text(&cli, "refresh_token");
    let session = Stolen::Achilles;
    let (_, access) = session.tokens(&session.send(&server, &token, Some(THIEF)).await);
    let id = achilles::claims(&access)["sid"].as_str().unwrap().to_owned();
    let page = "/dashboard/sessions";
    browser.fill(&server, page, "/dashboard/sessions/end", &[("session", &id)]).await.expect(303);
    assert!(is_refused(&session.send(&server, &token, Some(OWNER)).await));
    assert_eq!(server.events("replay_revoked_session").await, 1);
    server.mails_about(ALARM, 1).await;
}
