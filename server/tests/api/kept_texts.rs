//! What others write is stored without secrets, in every field that takes a text.

use serde_json::json;

use crate::kit::binboi::{TOKENS, make};
use crate::kit::oauth::REDIRECT;
use crate::kit::server::{Options, start};
use crate::kit::team::{call, cast};

const MARKER: &str = "[redacted:everkey-token]";

fn token() -> String {
    format!("binboi_pat_0a1b2c3d_{}", "0123456789abcdef".repeat(2) + "0123")
}

#[tokio::test]
async fn a_report_is_stored_without_secrets() {
    let cast = cast().await;
    let (server, home, owner) = (&cast.server, &cast.home, &cast.owner.access);
    let token = token();
    let renamed = call(server, "PATCH", home, owner, Some(json!({ "name": token }))).await;
    assert_eq!(renamed.expect(200).text("name"), MARKER);

    let body =
        format!("GET /v0/auth/me\nauthorization: Bearer {token}\nDB_PASSWORD=hunter2\nopen /home/ada/x\n");
    let report = json!({ "title": format!("fails with {token}"), "body": body });
    let made = call(server, "POST", &format!("{home}/reports"), owner, Some(report)).await;
    let path = format!("{home}/reports/{}", made.expect(201).text("id"));
    let read = call(server, "GET", &path, owner, None).await;
    assert_eq!(read.expect(200).text("title"), format!("fails with {MARKER}"));
    let kept = read.text("body");
    assert!(kept.starts_with("GET /v0/auth/me\nauthorization: Bearer [redacted:"), "{kept}");
    assert!(kept.ends_with("\nDB_PASSWORD=[redacted:password]\nopen /home/[user]/x\n"), "{kept}");
}

#[tokio::test]
async fn names_are_stored_without_secrets() {
    let server = start(Options::without_limits()).await;
    let client =
        json!({ "redirect_uris": [REDIRECT], "client_name": token(), "token_endpoint_auth_method": "none" });
    assert_eq!(server.register(&client).await.expect(201).text("client_name"), MARKER);
    let me = server.sign_in().await;
    make(&server, &me, &json!({ "name": token() })).await.expect(201);
    let tokens = server.get(TOKENS, &me.access).await.json();
    assert_eq!(tokens["tokens"][0]["name"], MARKER);
}
