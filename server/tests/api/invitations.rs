//! Invitations: they tell nothing about accounts, and nobody is a member unasked.

use std::time::Duration;

use serde_json::{Value, json};

use crate::kit::team::{accept, call, cast, invite};
use crate::kit::wire::Answer;

#[tokio::test]
async fn an_invitation_hides_accounts_and_needs_consent() {
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
