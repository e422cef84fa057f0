//! A stolen access token: what it may not make once its sign-in is a while ago, and what goes with the sessions that made it.

use std::time::Duration;

use everkey_server::actions::accounts::operator::{self, AccountChange};
use everkey_server::rules::email::Email;
use everkey_server::time::TimeSource as _;
use serde_json::json;

use crate::kit::browser::Browser;
use crate::kit::server::SignedIn;
use crate::kit::team::{Cast, accept, call, cast, invite};
use crate::kit::wire::{Answer, request};

const INVITED: &str = "You have invited somebody";
const STALE: Duration = Duration::from_secs(601);

async fn share(cast: &Cast, by: &SignedIn, days: u32) -> Answer {
    let report = format!("{}/reports/{}", cast.home, cast.report(by).await.expect(201).text("id"));
    let body = json!({ "expires_in_days": days });
    call(&cast.server, "POST", &format!("{report}/shares"), &by.access, Some(body)).await
}

fn path_of(link: &Answer) -> String {
    link.expect(201).text("url").strip_prefix("http://everkey.example").unwrap().to_owned()
}

async fn opens(cast: &Cast, path: &str) -> u16 {
    request("GET", path).send(cast.server.address).await.status
}

#[tokio::test]
async fn a_stale_token_makes_no_members_and_no_long_links() {
    let cast = cast().await;
    let server = &cast.server;
    server.clock.advance(STALE);
    for role in ["member", "admin"] {
        let answer = invite(server, &cast.home, &cast.owner, "thief@evil.example", role).await;
        answer.expect_error(403, "sign_in_required");
    }
    for role in ["admin", "owner"] {
        let raised = cast.set_role(&cast.owner, &cast.member, role).await;
        raised.expect_error(403, "sign_in_required");
    }
    share(&cast, &cast.owner, 8).await.expect_error(403, "sign_in_required");
    assert_eq!((server.events("member_invited").await, server.events("share_made").await), (2, 0));
    // What takes something away, or is over soon, needs no more than the token.
    share(&cast, &cast.owner, 7).await.expect(201);
    cast.set_role(&cast.owner, &cast.admin, "member").await.expect(204);
    cast.remove(&cast.owner, &cast.admin).await.expect(204);
    // A role that does not suffice is told first.
    invite(server, &cast.home, &cast.member, "x@example.com", "member").await.expect_error(403, "forbidden");

    let owner = server.sign_in_as("owner@example.com", 5).await;
    let invited = server.mails_about(INVITED, 2).await.len();
    invite(server, &cast.home, &owner, "new@example.com", "admin").await.expect(201);
    cast.set_role(&owner, &cast.member, "admin").await.expect(204);
    share(&cast, &owner, 90).await.expect(201);
    // Both are told to whom they were done in the name of.
    let letter = server.mails_about(INVITED, invited + 1).await.pop().unwrap();
    assert!(letter.contains("To: owner@example.com") && letter.contains("\"new example com\""), "{letter}");
    let letter = server.mails_about("You have given somebody a higher role", 1).await.remove(0);
    assert!(letter.contains("\"member example com\"") && letter.contains("admin"), "{letter}");
}

/// What a thief makes in time: a link, and an invitation that waits.
async fn loot(cast: &Cast) -> (String, String) {
    let link = path_of(&share(cast, &cast.owner, 90).await);
    let id = invite(&cast.server, &cast.home, &cast.owner, "outsider@example.com", "admin").await.text("id");
    (link, id)
}

#[tokio::test]
async fn ending_others_with_tokens_ends_links_and_invitations() {
    let cast = cast().await;
    let (link, invitation) = loot(&cast).await;
    let mut browser = Browser::new();
    browser.sign_in(&cast.server, "owner@example.com", 5).await;
    let page = browser.get(&cast.server, "/dashboard/sessions").await;
    assert!(page.body.contains("share links"), "{page:?}");
    let (page, action) = ("/dashboard/sessions", "/dashboard/sessions/end-others");
    browser.fill(&cast.server, page, action, &[]).await.expect(303);
    assert_eq!(opens(&cast, &link).await, 200, "not asked for");
    browser.fill(&cast.server, page, action, &[("tokens", "yes")]).await.expect(303);
    assert_eq!(opens(&cast, &link).await, 404);
    accept(&cast.server, &cast.outsider, &invitation).await.expect_error(404, "not_found");
    assert_eq!(cast.server.events("made_by_session_ended").await, 1);
}

#[tokio::test]
async fn signing_a_user_out_with_tokens_ends_links_and_invitations() {
    let cast = cast().await;
    let (link, invitation) = loot(&cast).await;
    let owner = Email::parse("owner@example.com").unwrap();
    for tokens in [false, true] {
        assert_eq!(opens(&cast, &link).await, 200, "not asked for");
        let change = AccountChange::SignOut { tokens };
        operator::change(&cast.server.store, &owner, &change, cast.server.clock.now()).await.unwrap();
    }
    assert_eq!(opens(&cast, &link).await, 404);
    accept(&cast.server, &cast.outsider, &invitation).await.expect_error(404, "not_found");
}
