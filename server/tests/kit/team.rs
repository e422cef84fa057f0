//! A workspace with someone in each role, and calls of the API.

use everkey_server::db::users::Platform;
use everkey_server::rules::email::Email;
use serde_json::{Value, json};

use crate::kit::server::{Options, Server, SignedIn, start};
use crate::kit::wire::{Answer, request};

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

pub async fn accept(server: &Server, who: &SignedIn, id: &str) -> Answer {
    call(server, "POST", &format!("/v1/invitations/{id}/accept"), &who.access, None).await
}

impl Cast {
    pub async fn report(&self, by: &SignedIn) -> Answer {
        let body = json!({ "title": "Q3", "body": "the secret figures" });
        call(&self.server, "POST", &format!("{}/reports", self.home), &by.access, Some(body)).await
    }

    pub async fn set_role(&self, by: &SignedIn, who: &SignedIn, role: &str) -> Answer {
        let path = format!("{}/members/{}", self.home, who.user_id);
        call(&self.server, "PUT", &path, &by.access, Some(json!({ "role": role }))).await
    }

    pub async fn remove(&self, by: &SignedIn, who: &SignedIn) -> Answer {
        let path = format!("{}/members/{}", self.home, who.user_id);
        call(&self.server, "DELETE", &path, &by.access, None).await
    }

    pub async fn roles(&self) -> Vec<String> {
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
