//! The OpenAPI description and the routes say the same, in both directions.

use std::collections::{BTreeMap, BTreeSet};
use std::path::Path;

use everkey_server::http::openapi;
use serde_json::Value;

use crate::kit::operations::{Kind, description, operations, resolve};
use crate::kit::server::{Options, Server, start};
use crate::kit::wire::request;

/// Where the paths begin that people see, and what pages are made of; the rest is for programs and is described.
const PAGES: [&str; 11] =
    ["", "assets", "authorize", "cli", "cli-auth", "dashboard", "device", "enter", "s", "signin", "signout"];

fn is_page(path: &str) -> bool {
    path.split('/').nth(1).is_some_and(|first| PAGES.contains(&first))
}

/// Every served path with its methods, from what the router prints of itself.
fn served(server: &Server) -> BTreeMap<String, BTreeSet<String>> {
    let printed = server.debug.split("fallback_router").next().unwrap();
    let (routes, paths) = printed.split_once("paths: {").unwrap();
    let mut methods = BTreeMap::new();
    for route in routes.split("RouteId(").skip(1) {
        let id = route.split(')').next().unwrap();
        let allowed = route.split("allow_header: Bytes(b\"").nth(1).and_then(|rest| rest.split('"').next());
        let allowed = allowed.unwrap_or_else(|| panic!("no methods in {route}"));
        methods.insert(id, allowed.split(',').filter(|name| *name != "HEAD").map(str::to_owned).collect());
    }
    let mut served = BTreeMap::new();
    for route in paths.split("RouteId(").skip(1) {
        let id = route.split(')').next().unwrap();
        let path = route.split('"').nth(1).unwrap().to_owned();
        let methods: &BTreeSet<String> = methods.get(id).unwrap_or_else(|| panic!("no methods of {path}"));
        served.insert(path, methods.clone());
    }
    assert!(served.len() >= 9, "{served:?}");
    served
}

#[tokio::test]
async fn described_and_served_routes_are_the_same() {
    let server = start(Options::default()).await;
    let mut described: BTreeMap<String, BTreeSet<String>> = BTreeMap::new();
    for operation in operations(&description(&server).await) {
        assert!(operation.path != openapi::PATH, "{operation:?}");
        described.entry(operation.path).or_default().insert(operation.method);
    }
    let mut served = served(&server);
    served.remove(openapi::PATH).unwrap();
    let described_pages: Vec<_> = described.keys().filter(|path| is_page(path)).cloned().collect();
    served.retain(|path, _| !is_page(path) || described_pages.contains(path));
    assert_eq!(described, served, "left: described, right: served; pages stand in PAGES");
}

#[tokio::test]
async fn what_counts_as_a_page_answers_no_json() {
    let server = start(Options::default()).await;
    let described = description(&server).await;
    for (path, methods) in served(&server) {
        if !is_page(&path) || !methods.contains("GET") || described["paths"].get(&path).is_some() {
            continue;
        }
        let answer = request("GET", &path.replace(['{', '}', '*'], "x")).send(server.address).await;
        let kind = answer.header("content-type").unwrap_or_default();
        assert!(!kind.contains("json"), "{path} is not a page; describe it with routes!: {answer:?}");
    }
}

#[tokio::test]
async fn the_description_is_whole() {
    let server = start(Options::default()).await;
    let description = description(&server).await;
    assert!(description["openapi"].as_str().unwrap().starts_with("3."));
    assert_eq!(description["info"]["version"], env!("CARGO_PKG_VERSION"));
    assert_eq!(description["servers"][0]["url"], "http://everkey.example", "the public address");
    let schemes = description["components"]["securitySchemes"].as_object().unwrap();
    let mut ids = BTreeSet::new();
    for (path, item) in description["paths"].as_object().unwrap() {
        for (method, operation) in item.as_object().unwrap() {
            let place = format!("{method} {path}");
            let id = operation["operationId"].as_str().unwrap_or_else(|| panic!("{place} has no id"));
            assert!(ids.insert(id.to_owned()), "{place}: another has operation_id {id}");
            for (status, answer) in operation["responses"].as_object().unwrap() {
                assert!(answer["description"].is_string(), "{place}: {status} wants a description");
            }
            let used = operation["security"].as_array().into_iter().flatten();
            for name in used.flat_map(|scheme| scheme.as_object().unwrap().keys()) {
                assert!(schemes.contains_key(name), "{place}: there is no scheme {name}");
            }
        }
    }
    follow(&description, &description);
}

/// Of two schemas with one name the description holds one, for both.
#[test]
fn no_two_schemas_have_one_name() {
    let mut names = BTreeMap::new();
    let mut folders = vec![Path::new(env!("CARGO_MANIFEST_DIR")).join("src")];
    while let Some(folder) = folders.pop() {
        for path in folder.read_dir().unwrap().map(|entry| entry.unwrap().path()) {
            if path.is_dir() {
                folders.push(path);
                continue;
            }
            let text = std::fs::read_to_string(&path).unwrap();
            for schema in text.split("#[derive(").skip(1).filter(|rest| derives_schema(rest)) {
                let name = name_of(schema);
                let other = names.insert(name.clone(), path.clone());
                assert!(
                    other.is_none(),
                    "{name} in {path:?} and {other:?}: add #[schema(as = folder::Name)]"
                );
            }
        }
    }
    assert!(names.len() > 10, "{names:?}");
}

fn derives_schema(rest: &str) -> bool {
    rest.split(')').next().is_some_and(|derived| derived.contains("ToSchema"))
}

fn name_of(schema: &str) -> String {
    let (attributes, item) = schema.split_once("struct ").unwrap_or((schema, schema));
    let (attributes, item) =
        attributes.split_once("enum ").map_or((attributes, item), |(before, after)| (before, after));
    let renamed = attributes.split("#[schema(as = ").nth(1);
    let end = |byte: char| !(byte.is_ascii_alphanumeric() || byte == '_' || byte == ':');
    renamed.unwrap_or(item).split(end).next().unwrap().to_owned()
}

/// Fails if a reference leads nowhere.
fn follow(description: &Value, value: &Value) {
    resolve(description, value);
    match value {
        Value::Object(members) => members.values().for_each(|member| follow(description, member)),
        Value::Array(elements) => elements.iter().for_each(|element| follow(description, element)),
        Value::Null | Value::Bool(_) | Value::Number(_) | Value::String(_) => {}
    }
}

#[tokio::test]
async fn a_described_route_is_there() {
    let server = start(Options::without_limits()).await;
    let user = server.sign_in().await;
    let nowhere = request("GET", "/v0/nowhere").send(server.address).await;
    for operation in operations(&description(&server).await) {
        let answer = operation.request_by(&user.access).send(server.address).await;
        assert!(answer.status != 405 && answer.body != nowhere.body, "{operation:?}: {answer:?}");
        operation.expect_as_described(&answer);
    }
}

/// The statuses that a route documents are ones that it gives.
#[tokio::test]
async fn documented_refusals_are_given() {
    let server = start(Options::without_limits()).await;
    let user = server.sign_in().await;
    let large = "x".repeat(61 * 1024);
    for operation in operations(&description(&server).await) {
        let mut given = Vec::new();
        if operation.bearer {
            given.push((401, operation.request()));
        }
        if operation.bearer && operation.body.is_none() {
            given.push((401, operation.request().bearer("nonsense")));
        }
        let asked = operation.request_by(&user.access);
        if let Some(kind) = operation.body {
            let name = match kind {
                Kind::Json => "application/json",
                Kind::Form => "application/x-www-form-urlencoded",
            };
            given.push((415, asked.clone().header("content-type", "text/plain").body(b"a")));
            given.push((413, asked.clone().header("content-type", name).body(large.as_bytes())));
            let broken: &[u8] = if kind == Kind::Json { b"{" } else { b"a=1&a=2" };
            given.push((400, asked.header("content-type", name).body(broken)));
        }
        for (status, request) in given {
            let answer = request.send(server.address).await;
            // Where the test has no credential, that is said first.
            let unknown = !operation.bearer && operation.documents(401) && answer.status == 401;
            if operation.documents(status) && !unknown {
                assert_eq!(answer.status, status, "{operation:?} {answer:?}");
            }
            operation.expect_as_described(&answer);
        }
    }
}
