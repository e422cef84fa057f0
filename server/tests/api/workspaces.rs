//! Workspaces: nothing of one is seen without a seat in it, each role does its own and no more, and there is always
//! an owner.

use std::time::Duration;

use everkey_server::db::users::Platform;
use everkey_server::limits::Limits;
use everkey_server::rules::email::Email;
use everkey_server::rules::rate::Limit;
use serde_json::{Value, json};
use uuid::Uuid;

use crate::harness::{Options, Server, SignedIn, start};
use crate::wire::{Answer, request};

pub const NOBODY: &str = "00000000-0000-4000-8000-000000000000";

/// One call of the API.
pub async fn call(server: &Server, method: &str, path: &str, token: &str, body: Option<Value>) -> Answer {
    let call = request(method, path).bearer(token);
    let call = match body {
        Some(body) => call.json(&body),
        None => call,
    };
    call.send(server.address).await
}

/// A workspace with one user of each role, and somebody who is not in it.
pub struct Cast {
    pub server: Server,
    pub owner: SignedIn,
    pub admin: SignedIn,
    pub member: SignedIn,
    pub outsider: SignedIn,
    /// `/v1/workspaces/ID`.
    pub home: String,
}

pub async fn cast() -> Cast {
    cast_with(Options::without_limits()).await
}

pub async fn cast_with(options: Options) -> Cast {
    let server = start(options).await;
    let owner = server.sign_in_as("owner@example.com", 1).await;
    let admin = server.sign_in_as("admin@example.com", 2).await;
    let member = server.sign_in_as("member@example.com", 3).await;
    let outsider = server.sign_in_as("outsider@example.com", 4).await;
    let home = make(&server, &owner).await;
    join(&server, &home, &owner, &admin, "admin@example.com", "admin").await;
    join(&server, &home, &owner, &member, "member@example.com", "member").await;
    Cast { server, owner, admin, member, outsider, home }
}

pub async fn make(server: &Server, owner: &SignedIn) -> String {
    let made =
        call(server, "POST", "/v1/workspaces", &owner.access, Some(json!({ "name": "The lab" }))).await;
    format!("/v1/workspaces/{}", made.expect(201).text("id"))
}

pub async fn invite(server: &Server, home: &str, by: &SignedIn, email: &str, role: &str) -> Answer {
    let body = json!({ "email": email, "role": role });
    call(server, "POST", &format!("{home}/invitations"), &by.access, Some(body)).await
}

pub async fn join(server: &Server, home: &str, by: &SignedIn, who: &SignedIn, email: &str, role: &str) {
    let id = invite(server, home, by, email, role).await.expect(201).text("id");
    accept(server, who, &id).await.expect(200);
}

async fn accept(server: &Server, who: &SignedIn, id: &str) -> Answer {
    call(server, "POST", &format!("/v1/invitations/{id}/accept"), &who.access, None).await
}

impl Cast {
    pub async fn report(&self, by: &SignedIn) -> Answer {
        let body = json!({ "title": "Q3", "body": "the secret figures" });
        call(&self.server, "POST", &format!("{}/reports", self.home), &by.access, Some(body)).await
    }

    async fn set_role(&self, by: &SignedIn, who: &SignedIn, role: &str) -> Answer {
        let path = format!("{}/members/{}", self.home, who.user_id);
        call(&self.server, "PUT", &path, &by.access, Some(json!({ "role": role }))).await
    }

    pub async fn remove(&self, by: &SignedIn, who: &SignedIn) -> Answer {
        let path = format!("{}/members/{}", self.home, who.user_id);
        call(&self.server, "DELETE", &path, &by.access, None).await
    }

    async fn roles(&self) -> Vec<String> {
        let answer =
            call(&self.server, "GET", &format!("{}/members", self.home), &self.owner.access, None).await;
        let members = answer.expect(200).json()["members"].as_array().unwrap().clone();
        let text = |member: &Value, field: &str| member[field].as_str().unwrap().to_owned();
        let mut roles: Vec<String> = members
            .iter()
            .map(|member| format!("{} {}", text(member, "email"), text(member, "role")))
            .collect();
        roles.sort();
        roles
    }
}

pub async fn promote(server: &Server, email: &str) {
    let mut tx = server.store.begin().await.unwrap();
    let user = tx.user_with_email(&Email::parse(email).unwrap()).await.unwrap().unwrap();
    assert!(tx.set_platform_role(&user.id, Platform::Admin).await.unwrap());
    tx.commit().await.unwrap();
}

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
async fn to_a_stranger_a_workspace_that_is_there_and_one_that_is_not_are_the_same() {
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
async fn an_invitation_tells_nothing_about_accounts_and_makes_nobody_a_member_unasked() {
    let cast = cast().await;
    let server = &cast.server;
    let known = invite(server, &cast.home, &cast.admin, "Outsider@Example.com", "member").await;
    let unknown = invite(server, &cast.home, &cast.admin, "not.seen@example.com", "member").await;
    let shape = |answer: &Answer| {
        let mut json = answer.expect(201).json();
        json["id"] = Value::Null;
        json["email"] = Value::Null;
        json
    };
    assert_eq!(shape(&known), shape(&unknown));
    assert_eq!(cast.roles().await.len(), 3, "nobody was asked yet");
    let again = invite(server, &cast.home, &cast.admin, "member@example.com", "member").await;
    again.expect_error(409, "already_member");

    // Somebody else's invitation is not there.
    let id = unknown.text("id");
    accept(server, &cast.outsider, &id).await.expect_error(404, "not_found");
    let decline = format!("/v1/invitations/{id}");
    call(server, "DELETE", &decline, &cast.outsider.access, None).await.expect_error(404, "not_found");
    // An account made later finds it, by the address that it proves to own.
    let late = server.sign_in_as("not.seen@example.com", 5).await;
    let mine = call(server, "GET", "/v1/invitations", &late.access, None).await;
    assert_eq!(mine.expect(200).json()["invitations"][0]["invited_by"], "admin@example.com");
    call(server, "GET", &cast.home, &late.access, None).await.expect_error(404, "not_found");
    accept(server, &late, &id).await.expect(200);
    accept(server, &late, &id).await.expect_error(404, "not_found");
    call(server, "GET", &cast.home, &late.access, None).await.expect(200);

    // A withdrawn one, a declined one, and one that has lapsed.
    let withdraw = format!("{}/invitations/{}", cast.home, known.text("id"));
    call(server, "DELETE", &withdraw, &cast.admin.access, None).await.expect(204);
    accept(server, &cast.outsider, &known.text("id")).await.expect_error(404, "not_found");
    let id = invite(server, &cast.home, &cast.admin, "outsider@example.com", "member").await.text("id");
    let decline = format!("/v1/invitations/{id}");
    call(server, "DELETE", &decline, &cast.outsider.access, None).await.expect(204);
    accept(server, &cast.outsider, &id).await.expect_error(404, "not_found");
}

#[tokio::test]
async fn an_invitation_lapses_and_rests_on_its_maker() {
    let cast = cast().await;
    let server = &cast.server;
    let id = invite(server, &cast.home, &cast.admin, "outsider@example.com", "member").await.text("id");
    cast.set_role(&cast.owner, &cast.admin, "member").await.expect(204);
    accept(server, &cast.outsider, &id).await.expect_error(404, "not_found");
    let mine = call(server, "GET", "/v1/invitations", &cast.outsider.access, None).await;
    assert_eq!(mine.json()["invitations"], json!([]));
    cast.remove(&cast.owner, &cast.admin).await.expect(204);
    accept(server, &cast.outsider, &id).await.expect_error(404, "not_found");

    let id = invite(server, &cast.home, &cast.owner, "outsider@example.com", "admin").await.text("id");
    server.clock.advance(Duration::from_secs(14 * 86_400));
    let outsider = server.sign_in_as("outsider@example.com", 5).await;
    accept(server, &outsider, &id).await.expect_error(404, "not_found");
}

#[tokio::test]
async fn the_platform_role_and_workspace_roles_open_nothing_of_each_other() {
    let cast = cast().await;
    let server = &cast.server;
    let report = cast.report(&cast.owner).await.expect(201).text("id");
    let disable = format!("/v1/admin/users/{}/disable", cast.member.user_id);
    for who in [&cast.owner, &cast.admin, &cast.member, &cast.outsider] {
        call(server, "GET", "/v1/admin/users", &who.access, None).await.expect_error(403, "forbidden");
        call(server, "POST", &disable, &who.access, None).await.expect_error(403, "forbidden");
    }
    promote(server, "outsider@example.com").await;
    let boss = &cast.outsider.access;
    let all = call(server, "GET", "/v1/admin/users", boss, None).await;
    assert_eq!(all.expect(200).json()["users"].as_array().unwrap().len(), 4);
    for path in
        [cast.home.clone(), format!("{}/reports/{report}", cast.home), format!("{}/members", cast.home)]
    {
        call(server, "GET", &path, boss, None).await.expect_error(404, "not_found");
    }
    assert!(!all.body.contains("The lab") && !all.body.contains("owner\""), "{all:?}");
    let own = format!("/v1/admin/users/{}/disable", cast.outsider.user_id);
    call(server, "POST", &own, boss, None).await.expect_error(409, "own_account");
    let nobody = format!("/v1/admin/users/{NOBODY}/disable");
    call(server, "POST", &nobody, boss, None).await.expect_error(404, "not_found");
}

#[tokio::test]
async fn a_disabled_account_opens_nothing_from_the_next_request_on() {
    let cast = cast().await;
    let server = &cast.server;
    promote(server, "outsider@example.com").await;
    let boss = &cast.outsider.access;
    let account = format!("/v1/admin/users/{}", cast.admin.user_id);
    let disabled = call(server, "POST", &format!("{account}/disable"), boss, None).await;
    assert_eq!(disabled.expect(200).text("status"), "disabled");
    for path in ["/v0/auth/me", "/v1/workspaces", &cast.home] {
        server.get(path, &cast.admin.access).await.expect_error(401, "unauthorized");
    }
    let refresh = json!({ "refresh_token": cast.admin.refresh });
    server.post("/v0/auth/token/refresh", &refresh).await.expect_error(401, "invalid_grant");
    let code = server.new_code("admin@example.com", 5).await;
    server.verify("admin@example.com", &code).await.expect_error(401, "unauthorized");
    call(server, "POST", &format!("{account}/enable"), boss, None).await.expect(200);
    server.get("/v0/auth/me", &cast.admin.access).await.expect_error(401, "unauthorized");
    let code = server.new_code("admin@example.com", 6).await;
    server.verify("admin@example.com", &code).await.expect(200);
    assert_eq!((server.events("user_disabled").await, server.events("user_enabled").await), (1, 1));
}

#[tokio::test]
async fn a_listing_of_users_goes_on_where_it_stopped() {
    let cast = cast().await;
    promote(&cast.server, "outsider@example.com").await;
    let (mut after, mut seen) = (String::new(), Vec::new());
    for _ in 0..4 {
        let path = format!("/v1/admin/users?limit=1{after}");
        let page = call(&cast.server, "GET", &path, &cast.outsider.access, None).await;
        let id = page.expect(200).json()["users"][0]["id"].as_str().unwrap().to_owned();
        after = format!("&after={id}");
        seen.push(id);
    }
    seen.dedup();
    assert_eq!(seen.len(), 4);
    let done = format!("/v1/admin/users?limit=1{after}");
    let done = call(&cast.server, "GET", &done, &cast.outsider.access, None).await;
    assert_eq!(done.json()["users"], json!([]));
    for query in ["limit=0", "limit=201", "limit=-1", "limit=1&limit=2", "after=x", "limit=%00"] {
        let path = format!("/v1/admin/users?{query}");
        let answer = call(&cast.server, "GET", &path, &cast.outsider.access, None).await;
        answer.expect_error(400, "validation_error");
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
    let large = json!({ "title": "t", "body": "x".repeat(20_000) });
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
async fn one_user_makes_only_so_much_in_an_hour_however_parallel() {
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
