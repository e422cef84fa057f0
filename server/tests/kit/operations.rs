//! What the server's own description says of its routes, as far as tests use it.

use serde_json::Value;

use crate::kit::server::Server;
use crate::kit::wire::{Answer, Request, request};

/// An id that nothing has.
const NOBODY: &str = "00000000-0000-4000-8000-000000000000";

/// How a request's body is sent.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Kind {
    Json,
    Form,
}

/// One method of one route.
#[derive(Clone, Debug)]
pub struct Operation {
    pub method: String,
    pub path: String,
    pub body: Option<Kind>,
    /// The name of a member that the body must have.
    pub member: Option<String>,
    pub bearer: bool,
    /// The documented statuses, each with the members its answer must have, where it has a body.
    answers: Vec<(u16, Option<Vec<String>>)>,
}

/// The served description.
pub async fn description(server: &Server) -> Value {
    let answer = request("GET", "/openapi.json").send(server.address).await;
    assert_eq!(answer.expect(200).header("content-type"), Some("application/json"));
    answer.json()
}

/// Every described operation.
pub fn operations(description: &Value) -> Vec<Operation> {
    let mut found = Vec::new();
    for (path, item) in description["paths"].as_object().unwrap() {
        let methods = item.as_object().unwrap().iter().filter(|(name, _)| *name != "parameters");
        for (method, operation) in methods {
            found.push(Operation::read(description, method, path, operation));
        }
    }
    assert!(found.len() >= 10, "{found:?}");
    found
}

impl Operation {
    fn read(description: &Value, method: &str, path: &str, operation: &Value) -> Self {
        let content = &operation["requestBody"]["content"];
        let kind = |name: &str, kind| content.get(name).map(|body| (kind, &body["schema"]));
        let body = kind("application/json", Kind::Json)
            .or_else(|| kind("application/x-www-form-urlencoded", Kind::Form));
        let member = body.and_then(|(_, schema)| required(description, schema).into_iter().next());
        let answers = operation["responses"].as_object().unwrap().iter().map(|(status, answer)| {
            let schema = answer.pointer("/content/application~1json/schema");
            (status.parse().unwrap(), schema.map(|schema| required(description, schema)))
        });
        let wants = |name| {
            let security = operation["security"].as_array();
            security.is_some_and(|schemes| schemes.iter().any(|scheme| scheme.get(name).is_some()))
        };
        Self {
            method: method.to_ascii_uppercase(),
            path: path.to_owned(),
            body: body.map(|(kind, _)| kind),
            member,
            bearer: wants("bearer"),
            answers: answers.collect(),
        }
    }

    pub fn documents(&self, status: u16) -> bool {
        self.answers.iter().any(|(documented, _)| *documented == status)
    }

    /// A request of it, with something in place of each parameter of the path.
    pub fn request(&self) -> Request {
        let filled = self.path.split('/').map(|part| if part.starts_with('{') { NOBODY } else { part });
        request(&self.method, &filled.collect::<Vec<_>>().join("/"))
    }

    /// The same, with an access token where one is wanted.
    pub fn request_by(&self, access: &str) -> Request {
        if self.bearer { self.request().bearer(access) } else { self.request() }
    }

    /// Fails unless the description says so of this answer: its status, its type, its members.
    #[track_caller]
    pub fn expect_as_described(&self, answer: &Answer) {
        let Some((_, members)) = self.answers.iter().find(|(status, _)| *status == answer.status) else {
            panic!("{} {} does not describe {answer:?}", self.method, self.path);
        };
        assert_eq!(answer.header("cache-control"), Some("no-store"), "{answer:?}");
        let Some(members) = members else { return };
        assert_eq!(answer.header("content-type"), Some("application/json"), "{self:?} {answer:?}");
        let json = answer.json();
        let missing: Vec<_> = members.iter().filter(|member| json.get(member.as_str()).is_none()).collect();
        assert!(missing.is_empty(), "{} {} answers without {missing:?}: {answer:?}", self.method, self.path);
    }
}

/// The schema itself, where this is a reference to one.
pub fn resolve<'a>(description: &'a Value, schema: &'a Value) -> &'a Value {
    match schema["$ref"].as_str() {
        Some(reference) => description
            .pointer(reference.trim_start_matches('#'))
            .unwrap_or_else(|| panic!("{reference} is not there")),
        None => schema,
    }
}

fn required(description: &Value, schema: &Value) -> Vec<String> {
    let names = resolve(description, schema)["required"].as_array();
    names.into_iter().flatten().map(|name| name.as_str().unwrap().to_owned()).collect()
}
