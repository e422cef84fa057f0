//! A thief has a copy of a session's token and rotates it first. Whatever they do with what they get, the owner ends with
//! a session or an alarm, on every route alike.

use std::time::Duration;

use serde_json::{Value, json};
use sqlx::{AnyConnection, Executor as _, Row as _};

use crate::kit::achilles;
use crate::kit::browser::signed_in;
use crate::kit::oauth::{Client, oauth_refresh, text};
use crate::kit::room::{connect, on_postgres};
use crate::kit::server::{Options, Server, SignedIn, start};
use crate::kit::wire::{Answer, Request, request};

/// How long another key meets 409.
pub(super) const CONTESTED: Duration = Duration::from_secs(300);

pub(super) const OWNER: u8 = 1;
pub(super) const THIEF: u8 = 2;

/// A session that a thief has a copy of, and how its route refreshes.
pub(super) enum Stolen {
    FirstParty,
    Achilles,
    OAuth(Client),
}

impl Stolen {
    fn refresh(&self, token: &str, key: Option<u8>) -> Request {
        let request = match self {
            Self::FirstParty => {
                request("POST", "/v0/auth/token/refresh").json(&json!({ "refresh_token": token }))
            }
            Self::Achilles => request("POST", achilles::REFRESH).json(&json!({ "refresh_token": token })),
            Self::OAuth(client) => oauth_refresh(client, token, &[]),
        };
        match key {
            Some(key) => request.header("idempotency-key", &format!("{key:02x}").repeat(32)),
            None => request,
        }
    }

    pub(super) async fn send(&self, server: &Server, token: &str, key: Option<u8>) -> Answer {
        self.refresh(token, key).send(server.address).await
    }

    /// What a refresh brought: the refresh token, and what goes with it.
    pub(super) fn tokens(&self, answer: &Answer) -> (String, String) {
        answer.expect(200);
        let body = answer.json();
        let body = if matches!(self, Self::Achilles) { &body["data"] } else { &body };
        (text(body, "refresh_token"), text(body, "access_token"))
    }

    pub(super) async fn still_opens(&self, server: &Server, access: &str) -> bool {
        let route = match self {
            Self::FirstParty => "/v0/auth/me",
            Self::Achilles => achilles::ME,
            Self::OAuth(_) => "/userinfo",
        };
        request("GET", route).bearer(access).send(server.address).await.status == 200
    }
}

/// One of each kind, with its refresh token, and another session of the same user.
pub(super) async fn stolen(server: &Server) -> (Vec<(Stolen, String)>, SignedIn) {
    let mut browser = signed_in(server, "ada@example.com").await;
    let cli = achilles::cli(server, &mut browser).await;
    let first = server.sign_in_as("ada@example.com", 2).await;
    let client = server.secret_client("client_secret_post").await;
    let other = server.sign_in_as("ada@example.com", 3).await;
    let tokens = server.oauth_tokens(&other, &client, "email").await;
    let stolen = vec![
        (Stolen::FirstParty, first.refresh),
        (Stolen::Achilles, text(&cli, "refresh_token")),
        (Stolen::OAuth(client), text(&tokens, "refresh_token")),
    ];
    (stolen, other)
}

pub(super) fn is_refused(answer: &Answer) -> bool {
    matches!(answer.status, 400 | 401)
}

#[tokio::test]
async fn a_dormant_thiefs_rotation_becomes_an_alarm() {
    let server = start(Options::without_limits()).await;
    let (sessions, other) = stolen(&server).await;
    for (nth, (session, token)) in sessions.iter().enumerate() {
        {
            let thiefs_key = Some(THIEF);
            let (stolen, access) = session.tokens(&session.send(&server, token, thiefs_key).await);
            server.clock.advance(CONTESTED - Duration::from_millis(1));
            let early = session.send(&server, token, Some(OWNER)).await;
            assert_eq!(early.status, 409, "{early:?}");
            // Whoever has the key is answered as ever.
            assert_eq!(session.tokens(&session.send(&server, token, thiefs_key).await).0, stolen);

            server.clock.advance(Duration::from_millis(1));
            let alarm = session.send(&server, token, Some(OWNER)).await;
            assert!(is_refused(&alarm), "{alarm:?}");
            assert_eq!(server.events("replay_revoked_session").await, nth + 1);
            for (token, key) in
                [(token, Some(OWNER)), (token, thiefs_key), (&stolen, Some(THIEF)), (&stolen, None)]
            {
                assert!(is_refused(&session.send(&server, token, key).await), "nothing comes of it any more");
            }
            assert!(!session.still_opens(&server, &access).await);
            assert_eq!(server.events("replay_revoked_session").await, nth + 1, "one alarm for each family");
        }
    }
    assert_eq!(server.events("replay_revoked_all").await, 0);
    server.get("/v0/auth/me", &other.access).await.expect(200);
}

#[tokio::test]
async fn a_key_on_one_side_only_is_another_key() {
    for (thiefs, owners) in [(None, Some(OWNER)), (Some(THIEF), None)] {
        let server = start(Options::without_limits()).await;
        let (sessions, _) = stolen(&server).await;
        for (session, token) in &sessions {
            session.send(&server, token, thiefs).await.expect(200);
        }
        server.clock.advance(CONTESTED);
        for (session, token) in &sessions {
            assert!(is_refused(&session.send(&server, token, owners).await));
        }
        assert_eq!(server.events("replay_revoked_session").await, sessions.len());
    }
}

#[tokio::test]
async fn the_same_key_is_answered_however_late() {
    let server = start(Options::without_limits()).await;
    let (sessions, _) = stolen(&server).await;
    let mut first = Vec::new();
    for (session, token) in &sessions {
        first.push(session.tokens(&session.send(&server, token, Some(OWNER)).await).0);
    }
    server.clock.advance(Duration::from_secs(29 * 86_400));
    for ((session, token), first) in sessions.iter().zip(first) {
        let again = session.tokens(&session.send(&server, token, Some(OWNER)).await);
        assert_eq!(again.0, first);
    }
    assert_eq!(server.events("replay_revoked_session").await, 0);
}

/// A client's session whose token a thief has rotated, and a client that may introspect.
async fn introspected(server: &Server) -> (Stolen, String, String, Client) {
    let me = server.sign_in().await;
    let client = server.secret_client("client_secret_post").await;
    let resource = server.secret_client("client_secret_post").await;
    let mut tx = server.store.begin().await.unwrap();
    assert!(tx.let_introspect(&resource.id, true).await.unwrap());
    tx.commit().await.unwrap();
    let token = text(&server.oauth_tokens(&me, &client, "email").await, "refresh_token");
    let session = Stolen::OAuth(client);
    let (_, access) = session.tokens(&session.send(server, &token, Some(THIEF)).await);
    (session, token, access, resource)
}

async fn look(server: &Server, client: &Client, token: &str) -> Value {
    let secret = client.secret.as_deref().unwrap();
    let fields = [("client_id", client.id.as_str()), ("client_secret", secret), ("token", token)];
    request("POST", "/introspect").form(&fields).send(server.address).await.expect(200).json()
}

#[tokio::test]
async fn a_thief_whom_only_resource_servers_see_is_noticed() {
    let server = start(Options::without_limits()).await;
    let (session, token, access, resource) = introspected(&server).await;
    assert_eq!(look(&server, &resource, &access).await["active"], true);
    let again = session.send(&server, &token, Some(THIEF)).await;
    assert!(is_refused(&again), "its answer has arrived: {again:?}");
    assert_eq!(session.send(&server, &token, Some(OWNER)).await.status, 409, "a race");
    server.clock.advance(Duration::from_secs(10));
    assert!(is_refused(&session.send(&server, &token, Some(OWNER)).await));
    assert_eq!(server.events("replay_revoked_all").await, 1);
    assert_eq!(look(&server, &resource, &access).await["active"], false);
}

#[tokio::test]
async fn only_an_authorised_look_at_a_live_token_is_use() {
    let server = start(Options::without_limits()).await;
    let (session, token, access, resource) = introspected(&server).await;
    let stranger = server.secret_client("client_secret_post").await;
    let fails = request("POST", "/introspect").form(&[
        ("client_id", resource.id.as_str()),
        ("client_secret", "wrong"),
        ("token", &access),
    ]);
    fails.send(server.address).await.expect(401);
    assert_eq!(look(&server, &stranger, &access).await["active"], false);
    session.send(&server, &token, Some(THIEF)).await.expect(200);
    server.clock.advance(Duration::from_secs(3600));
    assert_eq!(look(&server, &resource, &access).await["active"], false, "it has expired");
    session.send(&server, &token, Some(THIEF)).await.expect(200);
    // Its own client may look, too.
    let Stolen::OAuth(own) = &session else { panic!("no client") };
    let (_, access) = session.tokens(&session.send(&server, &token, Some(THIEF)).await);
    assert_eq!(look(&server, own, &access).await["active"], true);
    assert!(is_refused(&session.send(&server, &token, Some(THIEF)).await));
}

/// Changes whenever somebody else commits: the database's own count, or the versions and locks of the session rows.
async fn writes(database: &mut AnyConnection) -> String {
    let query = if on_postgres() {
        "SELECT string_agg(ctid::text || ' ' || xmin::text || ' ' || xmax::text, ',' ORDER BY id) AS mark FROM sessions"
    } else {
        "SELECT CAST(data_version AS TEXT) AS mark FROM pragma_data_version"
    };
    database.fetch_one(query).await.unwrap().get("mark")
}

#[tokio::test]
async fn looking_writes_once_for_each_generation() {
    let server = start(Options::without_limits()).await;
    let (session, token, access, resource) = introspected(&server).await;
    let mut database = connect(server.folder()).await;
    let before = writes(&mut database).await;
    look(&server, &resource, &access).await;
    let after = writes(&mut database).await;
    assert_ne!(before, after);
    for _ in 0..5 {
        assert_eq!(look(&server, &resource, &access).await["active"], true);
        assert_eq!(look(&server, &resource, "nonsense").await["active"], false);
    }
    assert_eq!(writes(&mut database).await, after);
    assert!(is_refused(&session.send(&server, &token, Some(THIEF)).await));
}

#[tokio::test]
async fn two_servers_raise_one_alarm() {
    let server = start(Options::without_limits()).await;
    let beside = server.beside().await;
    let me = server.sign_in().await;
    let session = Stolen::FirstParty;
    let (stolen, access) = session.tokens(&session.send(&server, &me.refresh, Some(THIEF)).await);
    server.clock.advance(CONTESTED);
    let alarm = session.refresh(&me.refresh, Some(OWNER)).send(beside).await;
    assert!(is_refused(&alarm), "{alarm:?}");
    assert!(is_refused(&session.send(&server, &stolen, None).await));
    assert!(!session.still_opens(&server, &access).await);
    assert!(is_refused(&session.refresh(&me.refresh, Some(THIEF)).send(beside).await));
    assert_eq!(server.events("replay_revoked_session").await, 1);
}

#[tokio::test]
async fn an_alarm_ends_what_the_session_made_and_says_so() {
    let server = start(Options { trusted: vec!["127.0.0.1/32"], ..Options::without_limits() }).await;
    let (stolen, other) =
        (server.sign_in_as("ada@example.com", 1).await, server.sign_in_as("ada@example.com", 2).await);
    let call = async |session: &SignedIn, path: &str, body: Value| {
        let answer = request("POST", path).bearer(&session.access).json(&body).send(server.address).await;
        answer.expect(201);
        answer.json()
    };
    let theirs = call(&stolen, "/api/v1/tokens", json!({ "name": "go http://evil.example" })).await;
    let mine = call(&other, "/api/v1/tokens", json!({ "name": "mine" })).await;
    let home = format!(
        "/v1/workspaces/{}",
        text(&call(&other, "/v1/workspaces", json!({ "name": "lab" })).await, "id")
    );
    let report = call(&other, &format!("{home}/reports"), json!({ "title": "Q3", "body": "figures" })).await;
    let shares = format!("{home}/reports/{}/shares", text(&report, "id"));
    let link = text(&call(&stolen, &shares, json!({ "expires_in_days": 7 })).await, "url");
    let kept = text(&call(&other, &shares, json!({ "expires_in_days": 7 })).await, "url");
    for (session, email) in [(&stolen, "eve@example.com"), (&other, "bob@example.com")] {
        call(session, &format!("{home}/invitations"), json!({ "email": email, "role": "admin" })).await;
    }
    let rotates = Stolen::FirstParty.refresh(&stolen.refresh, Some(THIEF));
    rotates.header("x-forwarded-for", "203.0.113.66").send(server.address).await.expect(200);
    server.clock.advance(CONTESTED);
    assert!(is_refused(&Stolen::FirstParty.send(&server, &stolen.refresh, Some(OWNER)).await));

    let open = async |url: &str| {
        let path = url.strip_prefix("http://everkey.example").unwrap();
        request("GET", path).header("accept", "application/json").send(server.address).await.status
    };
    let me = async |token: &Value| server.get("/api/v1/auth/me", &text(token, "token")).await.status;
    assert_eq!((me(&theirs).await, me(&mine).await), (401, 200));
    assert_eq!((open(&link).await, open(&kept).await), (404, 200));
    let waiting =
        server.get(&format!("{home}/invitations"), &other.access).await.json()["invitations"].clone();
    let emails: Vec<&Value> = waiting.as_array().unwrap().iter().map(|one| &one["email"]).collect();
    assert_eq!(emails, ["bob@example.com"]);

    let letters = server.mails_about("Somebody else may have used your sign-in", 1).await;
    let letter = &letters[0];
    assert!(
        letter.contains("last seen from 203.0.113.66") && letter.contains("Network:  127.0.0.1"),
        "{letter}"
    );
    assert!(
        letter.contains("To: ada@example.com\r\n") && letter.contains("That session has ended"),
        "{letter}"
    );
    assert!(letter.contains(&text(&theirs["record"], "prefix")) && letter.contains("go http evil example"));
    assert!(
        !letter.contains(&text(&mine["record"], "prefix")) && !letter.contains("evil.example"),
        "{letter}"
    );
    assert!(letter.contains("1 share links and 1 open invitations"), "{letter}");
    assert!(!letter.contains(&text(&theirs, "token")) && !letter.contains(&stolen.refresh));
}
