//! Every route of teams and of the installation's admins, tried from outside as everybody: a role here is nothing
//! there, and no other kind of token is any role at all. A new route fails until it has a row.

use std::collections::BTreeMap;

use everkey_server::db::users::AccountStatus;
use everkey_server::rules::role::Role;
use everkey_server::time::TimeSource as _;
use serde_json::{Value, json};

use crate::kit::artifacts::{announce, several, whole};
use crate::kit::binboi;
use crate::kit::oauth::text;
use crate::kit::operations::{description, operations};
use crate::kit::server::SignedIn;
use crate::kit::team::{Cast, call, cast, invite, make, promote};
use crate::kit::wire::{Answer, request};

/// What each may do: stranger and neighbour, member, admin, owner, platform admin. Whoever is not in the list gets 401.
type Row = [u16; 5];

const ALL: Row = [200; 5];
const NOBODY: Row = [404; 5];
const READ: Row = [404, 200, 200, 200, 404];
const MAKE: Row = [404, 403, 201, 201, 404];
const END: Row = [404, 403, 204, 204, 404];
const PLATFORM: Row = [403, 403, 403, 403, 200];

#[rustfmt::skip]
const ROWS: [(&str, &str, Row); 26] = [
    ("GET",    "/v1/workspaces", ALL),
    ("POST",   "/v1/workspaces", [201; 5]),
    ("GET",    "/v1/workspaces/{id}", READ),
    ("PATCH",  "/v1/workspaces/{id}", [404, 403, 200, 200, 404]),
    ("DELETE", "/v1/workspaces/{id}", [404, 403, 403, 204, 404]),
    ("GET",    "/v1/workspaces/{id}/members", READ),
    ("PUT",    "/v1/workspaces/{id}/members/{user_id}", [404, 403, 403, 204, 404]),
    ("DELETE", "/v1/workspaces/{id}/members/{user_id}", END),
    ("GET",    "/v1/workspaces/{id}/invitations", READ),
    ("POST",   "/v1/workspaces/{id}/invitations", MAKE),
    ("DELETE", "/v1/workspaces/{id}/invitations/{invitation_id}", END),
    ("GET",    "/v1/invitations", ALL),
    ("DELETE", "/v1/invitations/{id}", NOBODY),
    ("POST",   "/v1/invitations/{id}/accept", NOBODY),
    ("GET",    "/v1/workspaces/{id}/reports", READ),
    ("POST",   "/v1/workspaces/{id}/reports", MAKE),
    ("GET",    "/v1/workspaces/{id}/reports/{report_id}", READ),
    ("DELETE", "/v1/workspaces/{id}/reports/{report_id}", END),
    ("GET",    "/v1/workspaces/{id}/reports/{report_id}/files/{place}", READ),
    // To a mere member a report that is not complete is not there.
    ("PUT",    "/v1/workspaces/{id}/reports/{report_id}/files/{place}", [404, 404, 204, 204, 404]),
    ("GET",    "/v1/workspaces/{id}/reports/{report_id}/shares", READ),
    ("POST",   "/v1/workspaces/{id}/reports/{report_id}/shares", MAKE),
    ("DELETE", "/v1/workspaces/{id}/reports/{report_id}/shares/{share_id}", END),
    ("GET",    "/v1/admin/users", PLATFORM),
    ("POST",   "/v1/admin/users/{id}/disable", PLATFORM),
    ("POST",   "/v1/admin/users/{id}/enable", PLATFORM),
];

/// A workspace with one of each thing.
struct Target {
    home: String,
    report: String,
    draft: String,
    share: String,
    link: String,
    invitation: String,
}

async fn target(cast: &Cast, extra: &SignedIn, disabled: &SignedIn) -> Target {
    let server = &cast.server;
    let home = make(server, &cast.owner).await;
    let id = home.rsplit('/').next().unwrap();
    let mut tx = server.store.begin().await.unwrap();
    for (who, role) in [
        (&cast.admin, Role::Admin),
        (&cast.member, Role::Member),
        (extra, Role::Member),
        (disabled, Role::Owner),
    ] {
        assert!(tx.insert_member(id, &who.user_id, role, server.clock.now()).await.unwrap());
    }
    tx.commit().await.unwrap();
    let report = whole(server, &home, &cast.owner, &[b"content"]).await;
    let draft = announce(server, &home, &cast.owner, &several(&[b"content"])).await;
    let days = Some(json!({ "expires_in_days": 1 }));
    let made = call(server, "POST", &format!("{report}/shares"), &cast.owner.access, days).await;
    let link = made.expect(201).text("url").strip_prefix("http://everkey.example").unwrap().to_owned();
    let invitation =
        invite(server, &home, &cast.owner, "guest@example.com", "member").await.expect(201).text("id");
    Target { home, report, draft, share: made.text("id"), link, invitation }
}

impl Target {
    fn request(&self, method: &str, path: &str, extra: &SignedIn) -> (String, Option<Value>) {
        let report = if method == "PUT" { &self.draft } else { &self.report };
        let id = match path.split('/').nth(2).unwrap() {
            "workspaces" => self.home.rsplit('/').next().unwrap(),
            "invitations" => &self.invitation,
            _ => &extra.user_id,
        };
        let filled = path
            .replace("{id}", id)
            .replace("{user_id}", &extra.user_id)
            .replace("{invitation_id}", &self.invitation)
            .replace("{report_id}", report.rsplit('/').next().unwrap())
            .replace("{share_id}", &self.share)
            .replace("{place}", "1");
        assert!(!filled.contains('{'), "{path} has a parameter that this test does not know");
        let body = match (method, path.rsplit('/').next().unwrap()) {
            ("POST", "workspaces") | ("PATCH", _) => json!({ "name": "n" }),
            ("PUT", "{user_id}") => json!({ "role": "admin" }),
            ("POST", "invitations") => json!({ "email": "new@example.com", "role": "member" }),
            ("POST", "reports") => json!({ "title": "t", "body": "b" }),
            ("POST", "shares") => json!({ "expires_in_days": 1 }),
            _ => return (filled, None),
        };
        (filled, Some(body))
    }
}

async fn ask(cast: &Cast, method: &str, path: &str, body: Option<&Value>, token: Option<&str>) -> Answer {
    let mut asked = request(method, path);
    if let Some(token) = token {
        asked = asked.bearer(token);
    }
    let asked = match body {
        Some(body) => asked.json(body),
        None if method == "PUT" => asked.body(b"content"),
        None => asked,
    };
    asked.send(cast.server.address).await
}

#[tokio::test]
async fn every_route_knows_every_role() {
    let cast = cast().await;
    let server = &cast.server;
    let mut described: Vec<(String, String)> = operations(&description(server).await)
        .into_iter()
        .map(|operation| (operation.method, operation.path))
        .filter(|(_, path)| path.starts_with("/v1/"))
        .collect();
    let mut rows: Vec<_> =
        ROWS.iter().map(|(method, path, _)| ((*method).to_owned(), (*path).to_owned())).collect();
    described.sort();
    rows.sort();
    assert_eq!(described, rows, "left: described, right: rows of this test");

    let mut people = BTreeMap::new();
    for (n, name) in (5..).zip(["neighbour", "platform", "extra", "disabled"]) {
        people.insert(name, server.sign_in_as(&format!("{name}@example.com"), n).await);
    }
    let (extra, disabled) = (&people["extra"], &people["disabled"]);
    promote(server, "platform@example.com").await;
    make(server, &people["neighbour"]).await;
    let client = server.secret_client("client_secret_post").await;
    let oauth =
        text(&server.oauth_tokens(&cast.owner, &client, "openid email profile").await, "access_token");
    let personal = binboi::make(server, &cast.owner, &json!({})).await.expect(201).text("token");
    let mut tx = server.store.begin().await.unwrap();
    assert!(tx.set_status(&disabled.user_id, AccountStatus::Disabled).await.unwrap());
    tx.commit().await.unwrap();

    let mut target = target(&cast, extra, disabled).await;
    for (method, path, [outside, member, admin, owner, platform]) in ROWS {
        let link = target.link.strip_prefix("/s/").unwrap().to_owned();
        for (who, token, expected) in [
            ("nobody", None, 401),
            ("a made-up token", Some("nonsense"), 401),
            ("a share link", Some(link.as_str()), 401),
            ("a personal token of the owner", Some(&personal), 401),
            ("an OAuth client of the owner", Some(&oauth), 401),
            ("the owner's refresh token", Some(&cast.owner.refresh), 401),
            ("a disabled owner", Some(&disabled.access), 401),
            ("a stranger", Some(&cast.outsider.access), outside),
            ("the owner of another workspace", Some(&people["neighbour"].access), outside),
            ("a platform admin", Some(&people["platform"].access), platform),
            ("a member", Some(&cast.member.access), member),
            ("an admin", Some(&cast.admin.access), admin),
            ("an owner", Some(&cast.owner.access), owner),
        ] {
            let (filled, body) = target.request(method, path, extra);
            let answer = ask(&cast, method, &filled, body.as_ref(), token).await;
            assert_eq!(answer.status, expected, "{method} {path} by {who}: {answer:?}");
            if answer.status < 300 && method != "GET" && !path.starts_with("/v1/admin") {
                target = self::target(&cast, extra, disabled).await;
            }
        }
    }
    // The link opens its report and file for everybody, signed in or not, and that alone.
    for token in [None, Some(cast.outsider.access.as_str()), Some(&disabled.access)] {
        for path in [target.link.clone(), format!("{}/files/1", target.link)] {
            assert_eq!(ask(&cast, "GET", &path, None, token).await.status, 200, "{path}");
        }
    }
}
