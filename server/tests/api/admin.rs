//! Platform admins: they look after accounts and see no workspace.

use serde_json::json;

use crate::kit::team::{NOBODY, call, cast, promote};

#[tokio::test]
async fn platform_and_workspace_roles_open_nothing_of_each_other() {
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
