//! Workspaces: nothing of one is seen without a seat in it, each role does its own and no more, and there is always
//! an owner.

use std::time::Duration;

use everkey_server::limits::Limits;
use everkey_server::rules::rate::Limit;
use serde_json::{Value, json};
use uuid::Uuid;

use crate::kit::server::{Options, start};
use crate::kit::team::{NOBODY, call, cast, invite, make, promote};
use crate::kit::wire::request;

#[tokio::test]
async fn a_workspace_lives_from_making_to_deleting() {
    let cast = cast().await;
    let (server, home, owner) = (&cast.server, &cast.home, &cast.owner.access);
    let read = call(server, "GET", home, owner, None).await;
    assert_eq!((read.text("name").as_str(), read.text("role").as_str()), ("The lab", "owner"));
    let renamed = call(server, "PATCH", home, owner, Some(json!({ "name": " Labor für Ä \"<b>\" " }))).await;
    assert_eq!(renamed.expect(200).text("name"), "Labor für Ä \"<b>\"");
    let list = call(server, "GET", "/v1/workspaces", &cast.member.access, None).await;
    assert_eq!(list.json()["workspaces"][0]["role"], "member");
    assert_eq!(
        cast.roles().await,
        ["admin@example.com admin", "member@example.com member", "owner@example.com owner"]
    );

    let report = cast.report(&cast.admin).await.expect(201).text("id");
    let path = format!("{home}/reports/{report}");
    let read = call(server, "GET", &path, &cast.member.access, None).await;
    assert_eq!(read.expect(200).text("body"), "the secret figures");
    assert_eq!(read.text("author"), "admin@example.com");
    let list = call(server, "GET", &format!("{home}/reports"), &cast.member.access, None).await;
    assert_eq!(list.expect(200).json()["reports"][0]["title"], "Q3");
    assert!(!list.body.contains("secret figures"), "a list has no texts");
    call(server, "DELETE", &path, owner, None).await.expect(204);
    call(server, "GET", &path, owner, None).await.expect_error(404, "not_found");

    cast.report(&cast.owner).await.expect(201);
    call(server, "DELETE", home, owner, None).await.expect(204);
    call(server, "GET", home, owner, None).await.expect_error(404, "not_found");
    assert_eq!(call(server, "GET", "/v1/workspaces", owner, None).await.json()["workspaces"], json!([]));
    for event in ["workspace_made", "workspace_deleted", "report_deleted"] {
        assert_eq!(server.events(event).await, 1, "{event}");
    }
}

/// Every route below a workspace, with a body that would do.
fn routes(home: &str, report: &str, user: &str) -> Vec<(&'static str, String, Option<Value>)> {
    let new_report = json!({ "title": "t", "body": "b" });
    let invitation = json!({ "email": "new@example.com", "role": "member" });
    vec![
        ("GET", home.to_owned(), None),
        ("PATCH", home.to_owned(), Some(json!({ "name": "mine" }))),
        ("DELETE", home.to_owned(), None),
        ("GET", format!("{home}/members"), None),
        ("PUT", format!("{home}/members/{user}"), Some(json!({ "role": "owner" }))),
        ("DELETE", format!("{home}/members/{user}"), None),
        ("GET", format!("{home}/invitations"), None),
        ("POST", format!("{home}/invitations"), Some(invitation)),
        ("DELETE", format!("{home}/invitations/{NOBODY}"), None),
        ("GET", format!("{home}/reports"), None),
        ("POST", format!("{home}/reports"), Some(new_report)),
        ("GET", format!("{home}/reports/{report}"), None),
        ("DELETE", format!("{home}/reports/{report}"), None),
        ("GET", format!("{home}/reports/{report}/shares"), None),
        ("POST", format!("{home}/reports/{report}/shares"), Some(json!({ "expires_in_days": 1 }))),
        ("DELETE", format!("{home}/reports/{report}/shares/{NOBODY}"), None),
    ]
}

#[tokio::test]
async fn to_strangers_every_workspace_is_not_there() {
    let cast = cast().await;
    promote(&cast.server, "outsider@example.com").await;
    let report = cast.report(&cast.owner).await.expect(201).text("id");
    let nowhere = format!("/v1/workspaces/{NOBODY}");
    let there = routes(&cast.home, &report, &cast.member.user_id);
    let not_there = routes(&nowhere, NOBODY, NOBODY);
    for ((method, path, body), (_, other, _)) in there.into_iter().zip(not_there) {
        let one = call(&cast.server, method, &path, &cast.outsider.access, body.clone()).await;
        let two = call(&cast.server, method, &other, &cast.outsider.access, body.clone()).await;
        one.expect_error(404, "not_found");
        assert_eq!((one.status, one.body), (two.status, two.body), "{method} {path}");
        let anonymous = request(method, &path).json(&body.unwrap_or(json!({})));
        anonymous.send(cast.server.address).await.expect_error(401, "unauthorized");
    }
    assert_eq!(cast.roles().await.len(), 3, "nothing was done");
    call(&cast.server, "GET", &format!("{}/reports/{report}", cast.home), &cast.owner.access, None)
        .await
        .expect(200);
}

#[tokio::test]
async fn ids_of_another_workspace_open_nothing_through_ones_own() {
    let cast = cast().await;
    let report = cast.report(&cast.owner).await.expect(201).text("id");
    let shares = format!("{}/reports/{report}/shares", cast.home);
    let days = Some(json!({ "expires_in_days": 1 }));
    let share = call(&cast.server, "POST", &shares, &cast.owner.access, days.clone()).await.text("id");
    let waiting = invite(&cast.server, &cast.home, &cast.owner, "new@example.com", "member").await.text("id");
    let mine = make(&cast.server, &cast.outsider).await;
    let own = call(
        &cast.server,
        "POST",
        &format!("{mine}/reports"),
        &cast.outsider.access,
        Some(json!({ "title": "t", "body": "b" })),
    )
    .await
    .text("id");
    for (method, path, body) in [
        ("GET", format!("{mine}/reports/{report}"), None),
        ("DELETE", format!("{mine}/reports/{report}"), None),
        ("GET", format!("{mine}/reports/{report}/shares"), None),
        ("POST", format!("{mine}/reports/{report}/shares"), days),
        ("DELETE", format!("{mine}/reports/{report}/shares/{share}"), None),
        ("DELETE", format!("{mine}/reports/{own}/shares/{share}"), None),
        ("DELETE", format!("{mine}/invitations/{waiting}"), None),
        ("DELETE", format!("{mine}/members/{}", cast.member.user_id), None),
        ("PUT", format!("{mine}/members/{}", cast.member.user_id), Some(json!({ "role": "member" }))),
    ] {
        let answer = call(&cast.server, method, &path, &cast.outsider.access, body).await;
        answer.expect_error(404, "not_found");
    }
    let listed = call(&cast.server, "GET", &shares, &cast.owner.access, None).await;
    assert_eq!(listed.json()["shares"][0]["works"], true);
}

#[tokio::test]
async fn each_role_does_its_own_and_no_more() {
    let cast = cast().await;
    let report = cast.report(&cast.admin).await.expect(201).text("id");
    let routes = routes(&cast.home, &report, &cast.member.user_id);
    // What a mere member may: look, and (last) leave.
    for (method, path, body) in &routes {
        let own = path.ends_with(&cast.member.user_id) && *method == "DELETE";
        if own {
            continue;
        }
        let answer = call(&cast.server, method, path, &cast.member.access, body.clone()).await;
        match *method {
            "GET" => drop(answer.expect(200)),
            // An invitation that is not there is 404 for every member.
            "DELETE" if path.contains("/invitations/") => drop(answer.expect_error(404, "not_found")),
            _ => drop(answer.expect_error(403, "forbidden")),
        }
    }

    let server = &cast.server;
    call(server, "DELETE", &cast.home, &cast.admin.access, None).await.expect_error(403, "forbidden");
    cast.set_role(&cast.admin, &cast.owner, "member").await.expect_error(403, "forbidden");
    cast.set_role(&cast.admin, &cast.member, "admin").await.expect_error(403, "forbidden");
    cast.set_role(&cast.admin, &cast.member, "owner").await.expect_error(403, "forbidden");
    cast.set_role(&cast.admin, &cast.admin, "owner").await.expect_error(403, "forbidden");
    cast.remove(&cast.admin, &cast.owner).await.expect_error(403, "forbidden");
    for role in ["admin", "owner"] {
        invite(server, &cast.home, &cast.admin, "x@example.com", role).await.expect_error(403, "forbidden");
    }
    invite(server, &cast.home, &cast.owner, "x@example.com", "owner").await.expect_error(403, "forbidden");
    invite(server, &cast.home, &cast.owner, "y@example.com", "admin").await.expect(201);
    let over = invite(server, &cast.home, &cast.admin, "y@example.com", "member").await;
    over.expect_error(403, "forbidden");
    cast.set_role(&cast.owner, &cast.outsider, "member").await.expect_error(404, "not_found");
    cast.set_role(&cast.owner, &cast.owner, "emperor").await.expect_error(400, "validation_error");
    cast.remove(&cast.admin, &cast.member).await.expect(204);
    assert_eq!(cast.roles().await, ["admin@example.com admin", "owner@example.com owner"]);
    cast.remove(&cast.admin, &cast.admin).await.expect(204);
    call(server, "GET", &cast.home, &cast.admin.access, None).await.expect_error(404, "not_found");
}

#[tokio::test]
async fn the_last_owner_can_neither_leave_nor_step_down() {
    let cast = cast().await;
    for role in ["admin", "member"] {
        cast.set_role(&cast.owner, &cast.owner, role).await.expect_error(409, "last_owner");
    }
    cast.remove(&cast.owner, &cast.owner).await.expect_error(409, "last_owner");
    cast.set_role(&cast.owner, &cast.admin, "owner").await.expect(204);

    // A second owner whose account is disabled keeps nothing running.
    promote(&cast.server, "outsider@example.com").await;
    let account = format!("/v1/admin/users/{}", cast.admin.user_id);
    call(&cast.server, "POST", &format!("{account}/disable"), &cast.outsider.access, None).await.expect(200);
    cast.remove(&cast.owner, &cast.owner).await.expect_error(409, "last_owner");
    call(&cast.server, "POST", &format!("{account}/enable"), &cast.outsider.access, None).await.expect(200);
    cast.remove(&cast.owner, &cast.owner).await.expect(204);
}

#[tokio::test(flavor = "multi_thread")]
async fn two_owners_who_oust_each_other_at_once_leave_one() {
    for round in 0..6 {
        let cast = cast().await;
        cast.set_role(&cast.owner, &cast.admin, "owner").await.expect(204);
        let (one, two) = if round % 2 == 0 {
            tokio::join!(
                cast.set_role(&cast.owner, &cast.admin, "member"),
                cast.set_role(&cast.admin, &cast.owner, "member")
            )
        } else {
            tokio::join!(cast.remove(&cast.owner, &cast.owner), cast.remove(&cast.admin, &cast.admin))
        };
        let mut statuses = [one.status, two.status];
        statuses.sort();
        assert_eq!(statuses[0], 204, "{one:?} {two:?}");
        assert!([403, 404, 409].contains(&statuses[1]), "{one:?} {two:?}");
        let mut tx = cast.server.store.begin_reading().await.unwrap();
        let workspace = Uuid::parse_str(cast.home.rsplit('/').next().unwrap()).unwrap();
        let seat = tx.seat(workspace, &cast.member.user_id).await.unwrap().unwrap();
        assert_eq!(tx.other_owners(&seat, NOBODY).await.unwrap(), 1, "{one:?} {two:?}");
    }
}

#[tokio::test]
async fn hostile_input_is_refused_and_changes_nothing() {
    let cast = cast().await;
    let (server, owner) = (&cast.server, &cast.owner.access);
    for name in ["", "   ", "a\nb", "a\u{0}b", "a\u{202e}b", &"x".repeat(81)] {
        let body = Some(json!({ "name": name }));
        let made = call(server, "POST", "/v1/workspaces", owner, body.clone()).await;
        made.expect_error(400, "validation_error");
        call(server, "PATCH", &cast.home, owner, body).await.expect_error(400, "validation_error");
    }
    let reports = format!("{}/reports", cast.home);
    for body in [
        json!({ "title": "t" }),
        json!({ "title": 1, "body": "b" }),
        json!({ "title": "t", "body": ["b"] }),
        json!({ "title": "t", "body": "a\u{0}b" }),
        json!({ "title": "t\u{0}", "body": "b" }),
        json!({ "title": "t", "body": "\u{1b}[2J" }),
        json!({ "title": "t", "body": "x".repeat(8193) }),
        json!({ "title": "x".repeat(201), "body": "b" }),
    ] {
        call(server, "POST", &reports, owner, Some(body)).await.expect_error(400, "validation_error");
    }
    let large = json!({ "title": "t", "body": "x".repeat(70_000) });
    call(server, "POST", &reports, owner, Some(large)).await.expect_error(413, "payload_too_large");
    let twice = br#"{"title":"a","title":"b","body":"c"}"#;
    let twice = request("POST", &reports).bearer(owner).raw_json(twice).send(server.address).await;
    twice.expect_error(400, "validation_error");
    for id in ["x", "%00", "%ff", "..%2f..", "'%20OR%201=1--", &"9".repeat(3000)] {
        for path in [
            format!("/v1/workspaces/{id}"),
            format!("{}/reports/{id}", cast.home),
            format!("{}/members/{id}/", cast.home),
        ] {
            call(server, "GET", &path, owner, None).await.expect_error(404, "not_found");
        }
        let member = format!("{}/members/{id}", cast.home);
        call(server, "DELETE", &member, owner, None).await.expect_error(404, "not_found");
    }
    for email in ["nobody", "a@b.c\r\nBcc: x@y.z", "a@b.c, d@e.f"] {
        let answer = invite(server, &cast.home, &cast.owner, email, "member").await;
        answer.expect_error(400, "validation_error");
    }
    assert_eq!(call(server, "GET", &reports, owner, None).await.json()["reports"], json!([]));
    assert_eq!(server.events("workspace_made").await, 1);
}

#[tokio::test(flavor = "multi_thread")]
async fn parallel_creations_of_one_user_are_limited() {
    let limit = Limit { max: 5, window: Duration::from_secs(3600) };
    let limits = Limits { creations_per_user: limit, ..Limits::default() };
    let server = start(Options { limits, ..Options::default() }).await;
    let ada = server.sign_in().await;
    let address = server.address;
    let tasks: Vec<_> = (0..12)
        .map(|n| {
            let make =
                request("POST", "/v1/workspaces").bearer(&ada.access).json(&json!({ "name": n.to_string() }));
            tokio::spawn(async move { make.send(address).await })
        })
        .collect();
    let mut statuses = Vec::new();
    for task in tasks {
        statuses.push(task.await.unwrap().status);
    }
    let count = |status| statuses.iter().filter(|one| **one == status).count();
    assert_eq!((count(201), count(429)), (5, 7), "{statuses:?}");
    let list = server.get("/v1/workspaces", &ada.access).await;
    assert_eq!(list.json()["workspaces"].as_array().unwrap().len(), 5);
}
