//! What a session lets in: an alarm about it ends that too, its end withdraws what nobody has fetched, and once it has ended
//! it makes nothing that lasts.

use everkey_server::actions::device::{Decider, decide};
use everkey_server::actions::second_factor::enrol;
use everkey_server::db::sessions::StoredSession;
use everkey_server::rules::device::DeviceDecision;
use everkey_server::rules::session_kind::SessionKind;
use everkey_server::time::TimeSource as _;
use sqlx::Row as _;

use crate::kit::authorize::{answer, ask, value};
use crate::kit::browser::{Browser, between, signed_in};
use crate::kit::device::{expect_oauth, field, reference};
use crate::kit::oauth::{Client, text};
use crate::kit::room::connect;
use crate::kit::second_factor::{ADA, HERE, enrol as set_up, protected, second};
use crate::kit::server::{Options, Server, start};

const SESSIONS: &str = "/dashboard/sessions";
const TOKENS: &str = "/dashboard/access-tokens";

/// What a browser has let in, and what of it nobody has fetched yet.
struct LetIn {
    app: Client,
    device: Client,
    /// Refresh tokens, with the client that has each.
    fetched: Vec<(Client, String)>,
    code: String,
    device_code: String,
}

impl LetIn {
    async fn by(server: &Server, browser: &mut Browser) -> Self {
        let (app, device) = (server.public_client().await, server.device_client("a tool").await);
        let mut codes = Vec::new();
        let mut device_codes = Vec::new();
        for _ in 0..2 {
            let back = answer(browser, server, &ask(&app, &[]), "allow").await;
            codes.push(value(&back, "code").unwrap());
            let asked = server.device_codes(&device, "email").await;
            browser.decide(server, &field(&asked, "user_code"), "approve").await;
            device_codes.push(field(&asked, "device_code"));
        }
        let (code, device_code) = (codes.pop().unwrap(), device_codes.pop().unwrap());
        let of_app = server.exchange(&app, &codes[0], &[]).await.expect(200).json();
        let of_device = server.device_poll(&device, &device_codes[0]).await.expect(200).json();
        let fetched = vec![
            (app.clone(), text(&of_app, "refresh_token")),
            (device.clone(), text(&of_device, "refresh_token")),
        ];
        Self { app, device, fetched, code, device_code }
    }

    /// Whether what was not fetched still can be: of a kind or of none.
    async fn waits(&self, server: &Server) -> bool {
        let code = server.exchange(&self.app, &self.code, &[]).await;
        let poll = server.device_poll(&self.device, &self.device_code).await;
        if code.status == 200 {
            assert_eq!(poll.status, 200, "{poll:?}");
            return true;
        }
        code.expect_oauth_error(400, "invalid_grant");
        expect_oauth(&poll, 400, "access_denied");
        false
    }

    async fn lives(&self, server: &Server) -> Vec<bool> {
        let mut live = Vec::new();
        for (client, token) in &self.fetched {
            live.push(server.oauth_refresh(client, token, &[]).await.status == 200);
        }
        live
    }
}

/// Signs in with the email code alone; n mails are there then.
async fn spared(server: &Server, browser: &mut Browser, n: usize) {
    let step = browser.sign_in(server, ADA, n).await;
    assert_eq!(step.header("location"), Some("/dashboard"), "{step:?}");
}

#[tokio::test]
async fn an_alarm_about_a_browser_ends_what_it_let_in() {
    let (server, mut elsewhere, phone) = protected(Options::without_limits()).await;
    let mut owner = Browser::new();
    let step = owner.sign_in(&server, ADA, 2).await;
    assert_eq!(step.header("location"), Some("/signin/second"));
    let code = phone.next_code(&server);
    second(&server, &mut owner, &[("code", &code), ("remember", "yes")]).await.expect(303);
    let kept = LetIn::by(&server, &mut elsewhere).await;

    // The copy is used twice, so that the second sign-in stands in front of what the first has let in.
    let mut thief = Browser::new();
    thief.cookies.insert("everkey-remembered".to_owned(), owner.cookies["everkey-remembered"].clone());
    spared(&server, &mut thief, 3).await;
    let first = LetIn::by(&server, &mut thief).await;
    let cookie = thief.cookies.remove("everkey").unwrap();
    spared(&server, &mut thief, 4).await;
    let latest = LetIn::by(&server, &mut thief).await;
    let mut earlier = thief.clone();
    earlier.cookies.insert("everkey".to_owned(), cookie);

    owner.cookies.remove("everkey");
    let step = owner.sign_in(&server, ADA, 5).await;
    assert_eq!(step.header("location"), Some("/signin/second"));
    assert_eq!(server.events("remembered_replayed").await, 1);
    for browser in [&mut thief, &mut earlier] {
        assert_eq!(browser.get(&server, SESSIONS).await.status, 303);
    }
    for let_in in [&first, &latest] {
        assert_eq!(let_in.lives(&server).await, [false, false]);
        assert!(!let_in.waits(&server).await);
    }
    let letters = server.mails_about("Somebody else may have used your sign-in", 1).await;
    assert!(letters.len() == 1, "{letters:?}");
    assert_eq!(letters[0].matches("an app that calls itself \"a tool\"").count(), 4, "{letters:?}");
    assert_eq!(kept.lives(&server).await, [true, true], "another browser's");
    assert!(kept.waits(&server).await);
    assert_eq!(elsewhere.get(&server, SESSIONS).await.status, 200);
}

/// The session of a browser as a page has found it.
async fn session_of(server: &Server, browser: &mut Browser) -> StoredSession {
    let page = browser.get(server, SESSIONS).await;
    let mut tx = server.store.begin_reading().await.unwrap();
    let all = tx.all_sessions().await.unwrap();
    drop(page);
    all.into_iter().rfind(|one| one.grant == SessionKind::Web && one.ended.is_none()).unwrap()
}

/// How a session may end.
#[derive(Clone, Copy, Debug)]
enum End {
    OnAnothersPage,
    OnItsOwnPage,
    SignOut,
    ByTheOperator,
    ByASecondFactor,
}

#[tokio::test]
async fn the_end_of_a_session_withdraws_what_it_approved() {
    for end in
        [End::OnAnothersPage, End::OnItsOwnPage, End::SignOut, End::ByTheOperator, End::ByASecondFactor]
    {
        let server = start(Options::without_limits()).await;
        let mut thief = signed_in(&server, ADA).await;
        let id = session_of(&server, &mut thief).await.id;
        let approved = LetIn::by(&server, &mut thief).await;
        server.clock.advance(std::time::Duration::from_secs(1));
        let mut owner = Browser::new();
        owner.sign_in(&server, ADA, 2).await;
        let kept = LetIn::by(&server, &mut owner).await;
        let fields = [("session", id.as_str())];
        match end {
            End::OnAnothersPage => {
                owner.fill(&server, SESSIONS, "/dashboard/sessions/end", &fields).await.expect(303);
            }
            End::OnItsOwnPage => {
                thief.fill(&server, SESSIONS, "/dashboard/sessions/end", &fields).await.expect(303);
            }
            End::SignOut => {
                thief.fill(&server, SESSIONS, "/signout", &[]).await.expect(303);
            }
            End::ByTheOperator => {
                use everkey_server::actions::accounts::operator;
                let ended = operator::end_session(&server.store, &id, server.clock.now()).await.unwrap();
                assert_eq!(ended, Some(true));
            }
            End::ByASecondFactor => {
                set_up(&server, &mut owner).await;
            }
        }
        assert_eq!(thief.get(&server, SESSIONS).await.status, 303, "{end:?}");
        assert!(!approved.waits(&server).await, "{end:?}");
        assert!(kept.waits(&server).await, "{end:?}: another session's");
        // What was fetched before is a session of its own, in the list.
        assert_eq!(approved.lives(&server).await, [true, true], "{end:?}");
    }
}

#[tokio::test]
async fn a_session_that_ended_meanwhile_decides_nothing() {
    let server = start(Options::without_limits()).await;
    let device = server.device_client("a tool").await;
    let mut browser = signed_in(&server, ADA).await;
    let found = session_of(&server, &mut browser).await;
    let asked = server.device_codes(&device, "email").await;
    browser.fill(&server, SESSIONS, "/signout", &[]).await.expect(303);

    let mut database = connect(server.folder()).await;
    let row = sqlx::query("SELECT id FROM device_grants").fetch_one(&mut database).await.unwrap();
    let grant: String = row.get("id");
    let proved_at = server.clock.now();
    for verdict in [DeviceDecision::Approve, DeviceDecision::Deny] {
        let judge = Decider { session: &found, proved_at };
        assert!(decide(&server.app, judge, &grant, verdict).await.is_err(), "{verdict:?}");
    }
    let poll = server.device_poll(&device, &field(&asked, "device_code")).await;
    expect_oauth(&poll, 400, "authorization_pending");
    assert!(enrol::begin(&server.app, &found).await.is_err());
    let factors = sqlx::query("SELECT user_id FROM second_factors").fetch_all(&mut database).await.unwrap();
    assert!(factors.is_empty());
}

/// The fields of a form that makes a token without an end.
fn token_form(page: &str) -> Vec<(String, String)> {
    let field = |name: &str| between(page, &format!("name=\"{name}\" value=\""), "\"").unwrap();
    let fields = [("csrf", field("csrf")), ("form_id", field("form_id")), ("lapse", "never".to_owned())];
    let named = [("name", "a thief's".to_owned())];
    fields.into_iter().chain(named).map(|(name, value)| (name.to_owned(), value)).collect()
}

#[tokio::test(flavor = "multi_thread")]
async fn ending_all_others_outruns_what_they_are_making() {
    let server = start(Options::without_limits()).await;
    let device = server.device_client("a tool").await;
    let mut owner = signed_in(&server, ADA).await;
    for round in 0..12 {
        let mut thief = Browser::new();
        thief.sign_in(&server, ADA, round + 2).await;
        let page = thief.get(&server, TOKENS).await;
        let form = token_form(&page.expect(200).body);
        let form: Vec<(&str, &str)> =
            form.iter().map(|(name, value)| (name.as_str(), value.as_str())).collect();
        let asked = server.device_codes(&device, "email").await;
        let confirm = thief.type_code(&server, &field(&asked, "user_code")).await;
        let (csrf, grant) = (form[0].1, reference(confirm.expect(200)));
        let verdict = [("csrf", csrf), ("grant", grant.as_str()), ("verdict", "approve")];
        let makes = [page_form(&thief, TOKENS, &form), page_form(&thief, "/device/decision", &verdict)];
        let mine = owner.token(&server, SESSIONS).await;
        let ends = page_form(&owner, "/dashboard/sessions/end-others", &[("csrf", &mine), ("tokens", "yes")]);
        let [token, approval] = makes;
        let address = server.address;
        let tasks = [token, approval, ends].map(|one| tokio::spawn(async move { one.send(address).await }));
        for task in tasks {
            let answer = task.await.unwrap();
            assert!(matches!(answer.status, 200 | 303 | 403), "{answer:?}");
        }
        let poll = server.device_poll(&device, &field(&asked, "device_code")).await;
        assert_eq!(poll.status, 400, "round {round}: {poll:?}");
        let mut database = connect(server.folder()).await;
        let live = sqlx::query("SELECT name FROM personal_tokens WHERE revoked_at IS NULL");
        assert!(live.fetch_all(&mut database).await.unwrap().is_empty(), "round {round}");
    }
}

fn page_form(browser: &Browser, path: &str, fields: &[(&str, &str)]) -> crate::kit::wire::Request {
    let request = browser.request("POST", path);
    request.header("origin", crate::kit::browser::ORIGIN).header("sec-fetch-site", "same-origin").form(fields)
}

#[tokio::test]
async fn forgetting_the_browser_hides_no_copy() {
    let (server, _, phone) = protected(Options::without_limits()).await;
    let mut owner = Browser::new();
    owner.sign_in(&server, ADA, 2).await;
    let code = phone.next_code(&server);
    second(&server, &mut owner, &[("code", &code), ("remember", "yes")]).await.expect(303);
    let mut thief = Browser::new();
    thief.cookies.insert("everkey-remembered".to_owned(), owner.cookies["everkey-remembered"].clone());
    spared(&server, &mut thief, 3).await;
    let let_in = LetIn::by(&server, &mut thief).await;
    let page = thief.get(&server, HERE).await;
    let id = between(&page.body, "name=\"id\" value=\"", "\"").unwrap();
    thief.fill(&server, HERE, "/dashboard/security/forget", &[("id", &id)]).await.expect(303);
    assert!(thief.get(&server, HERE).await.body.contains("No browser is spared"));
    let step = thief.sign_in(&server, ADA, 4).await;
    assert_eq!(step.header("location"), Some("/signin/second"), "it is forgotten");

    for n in [5, 6] {
        owner.cookies.remove("everkey");
        let step = owner.sign_in(&server, ADA, n).await;
        assert_eq!(step.header("location"), Some("/signin/second"));
    }
    assert_eq!(server.events("remembered_replayed").await, 1, "once");
    assert_eq!(let_in.lives(&server).await, [false, false]);
    assert_eq!(server.mails_about("Somebody else may have used your sign-in", 1).await.len(), 1);
}
