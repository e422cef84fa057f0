//! How a user is called, and where and as what the achilles CLI acts for them.

use serde_json::json;

use crate::kit::achilles::{ME, cli};
use crate::kit::browser::{Browser, signed_in};
use crate::kit::program::{database, run, serve, sign_in};
use crate::kit::room::room;
use crate::kit::server::{Options, Server, start};
use crate::kit::wire::request;

const ADA: &str = "ada@example.com";
const PAGE: &str = "/dashboard/profile";

async fn workspace(server: &Server, access: &str, name: &str) -> String {
    server.clock.advance(std::time::Duration::from_secs(1));
    let make = request("POST", "/v1/workspaces").bearer(access).json(&json!({ "name": name }));
    make.send(server.address).await.expect(201).text("id")
}

#[tokio::test]
async fn a_name_given_on_the_page_reaches_achilles() {
    let server = start(Options::without_limits()).await;
    let mut browser = signed_in(&server, ADA).await;
    let before = cli(&server, &mut browser).await;
    assert_eq!(before.get("display_name"), None);

    let saved = browser.fill(&server, PAGE, PAGE, &[("name", " Ada Löwe <b> ")]).await;
    assert_eq!((saved.status, saved.header("location")), (303, Some("/dashboard/profile?saved=1")));
    let page = browser.get(&server, "/dashboard/profile?saved=1").await;
    assert!(
        page.body.contains("Your profile was saved.") && page.body.contains("Ada Löwe &#60;b&#62;"),
        "{page:?}"
    );
    assert_eq!(cli(&server, &mut browser).await["display_name"], "Ada Löwe <b>");
    let me = server.get(ME, before["access_token"].as_str().unwrap()).await;
    assert_eq!(me.json()["data"]["display_name"], "Ada Löwe <b>");

    for bad in ["a\u{202e}b".to_owned(), "x".repeat(81), "two\nlines".to_owned()] {
        let refused = browser.fill(&server, PAGE, PAGE, &[("name", &bad)]).await;
        assert!(refused.expect(422).body.contains("at most 80 characters on one line"), "{bad:?}");
    }
    assert_eq!(cli(&server, &mut browser).await["display_name"], "Ada Löwe <b>", "nothing was changed");
    browser.fill(&server, PAGE, PAGE, &[("name", "")]).await.expect(303);
    assert_eq!(cli(&server, &mut browser).await.get("display_name"), None);
}

#[tokio::test]
async fn the_chosen_organisation_counts_while_its_user_is_in_it() {
    let server = start(Options::without_limits()).await;
    let me = server.sign_in().await;
    let first = workspace(&server, &me.access, "first").await;
    let mut browser = Browser::new();
    browser.sign_in(&server, ADA, 2).await;
    assert!(!browser.get(&server, PAGE).await.body.contains("<select"), "there is nothing to choose");
    let second = workspace(&server, &me.access, "second").await;
    let eve = server.sign_in_as("eve@example.com", 3).await;
    let foreign = workspace(&server, &eve.access, "foreign").await;

    let save = |id: String| [("name", "Ada".to_owned()), ("organisation", id)];
    let choose = async |browser: &mut Browser, id: &str| {
        let fields = save(id.to_owned());
        let fields: Vec<(&str, &str)> = fields.iter().map(|(name, value)| (*name, value.as_str())).collect();
        browser.fill(&server, PAGE, PAGE, &fields).await.status
    };
    assert_eq!(cli(&server, &mut browser).await["org_id"], json!(first));
    assert_eq!(choose(&mut browser, &second).await, 303);
    let granted = cli(&server, &mut browser).await;
    assert_eq!((&granted["org_id"], &granted["role"]), (&json!(second), &json!("admin")));
    for bad in [foreign.as_str(), "no workspace", "org_default"] {
        assert_eq!(choose(&mut browser, bad).await, 422, "{bad}");
    }
    assert_eq!(cli(&server, &mut browser).await["org_id"], json!(second));

    let gone = request("DELETE", &format!("/v1/workspaces/{second}")).bearer(&me.access);
    assert!(gone.send(server.address).await.status < 300);
    assert_eq!(cli(&server, &mut browser).await["org_id"], json!(first));
}

#[tokio::test]
async fn the_host_grants_names_and_roles() {
    let room = room();
    let server = serve(room.path(), &[]).await;
    sign_in(room.path(), &server).await;
    let database = database(room.path());
    let command = async |words: &[&str]| {
        let words: Vec<&str> = words.iter().copied().chain(["--database", &database, "--json"]).collect();
        run(&words).await
    };
    let named = command(&["users", "set-name", ADA, "Ada L."]).await;
    assert!(String::from_utf8_lossy(&named.stdout).contains(r#""name":"Ada L.""#), "{named:?}");
    for role in ["operator", "analyst", "default"] {
        assert!(command(&["users", "set-achilles-role", ADA, role]).await.status.success());
    }
    for bad in [&["users", "set-achilles-role", ADA, "owner"][..], &["users", "set-name", ADA, "a\nb"]] {
        assert_eq!(command(bad).await.status.code(), Some(2), "{bad:?}");
    }
}

#[tokio::test]
async fn a_role_that_was_granted_counts_outside_workspaces() {
    let server = start(Options::without_limits()).await;
    let mut browser = signed_in(&server, ADA).await;
    let token = cli(&server, &mut browser).await["access_token"].as_str().unwrap().to_owned();
    let mut tx = server.store.begin().await.unwrap();
    let user =
        tx.user_with_email(&everkey_server::rules::email::Email::parse(ADA).unwrap()).await.unwrap().unwrap();
    tx.set_achilles_role(&user.id, Some("operator".parse().unwrap())).await.unwrap();
    tx.commit().await.unwrap();
    let me = server.get(ME, &token).await;
    assert_eq!(me.json()["data"]["role"], "operator", "at once, for the session that is there");
    assert_eq!(cli(&server, &mut browser).await["role"], "operator");
    let access = server.sign_in_as(ADA, 2).await.access;
    workspace(&server, &access, "lab").await;
    assert_eq!(cli(&server, &mut browser).await["role"], "admin", "in a workspace its own role counts");
}
