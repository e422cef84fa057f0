//! The provider `oauth` with a client that the server registers (RFC 7591): it is kept, and used again.

use crate::oauth::world_with;
use everkey_tests::{ADA, Account, Approval, Canned, Fault, Person, Setup, World, http};
use serde_json::{Value, json};
use std::fs;
use std::os::unix::fs::PermissionsExt;
use std::path::PathBuf;

fn registrations(world: &World) -> usize {
    world.proxy.seen("/register").len()
}

/// The file of the kept clients, if there is one.
fn kept(world: &World) -> Option<PathBuf> {
    let folder = fs::read_dir(world.home().join("state/clients")).ok()?;
    folder.flatten().map(|file| file.path()).next()
}

fn by_device(world: &World, account: &mut Account) {
    let step = account.login();
    let code = step["user_code"].as_str().unwrap_or_else(|| panic!("{step}"));
    Person::sign_in(&world.server, ADA).decide(code, Approval::Yes);
    assert_eq!(account.after(&step)["reply"], "done");
}

/// What the page's address says, by name.
fn at_page(step: &Value, name: &str) -> String {
    let url = step["url"].as_str().unwrap_or_else(|| panic!("{step}"));
    let value = url.split(&format!("{name}=")).nth(1).and_then(|rest| rest.split('&').next());
    value.unwrap_or_else(|| panic!("no {name} in {url}")).to_owned()
}

fn by_browser(world: &World, account: &mut Account) -> (String, String) {
    let step = account.login();
    let url = step["url"].as_str().unwrap_or_else(|| panic!("{step}"));
    let back = Person::sign_in(&world.server, ADA).answer(url, Approval::Yes);
    let at = "http://".len() + back["http://".len()..].find('/').expect("a path");
    assert_eq!(http::call(&back[..at], "GET", &back[at..], None, None).status(), 200);
    (at_page(&step, "client_id"), at_page(&step, "redirect_uri"))
}

#[test]
fn a_registered_device_client_outlives_logout_and_agent() {
    let (world, mut account) = world_with("device", Setup::default());
    by_device(&world, &mut account);
    let file = kept(&world).expect("it is kept");
    assert_eq!(fs::metadata(&file).unwrap().permissions().mode() & 0o777, 0o600);
    assert_eq!(account.request("logout")["revocation"], "revoked");
    by_device(&world, &mut account);
    account.request("logout");
    world.kill_agent();
    by_device(&world, &mut Account::of(&world, "mine"));
    assert_eq!(registrations(&world), 1);
}

#[test]
fn a_registered_browser_client_keeps_its_address() {
    let (world, mut account) = world_with("browser", Setup::default());
    let first = by_browser(&world, &mut account);
    account.request("logout");
    let second = by_browser(&world, &mut account);
    assert_eq!(first, second, "the client, and where its browser comes back to");
    assert_eq!(registrations(&world), 1);
}

#[test]
fn a_server_that_forgot_its_client_registers_another() {
    let (world, mut account) = world_with("device", Setup::default());
    by_device(&world, &mut account);
    account.request("logout");
    let unknown = Canned::json(401, &json!({ "error": "invalid_client" }));
    world.proxy.next("/device_authorization", Fault::Answer(unknown));
    by_device(&world, &mut account);
    assert_eq!(registrations(&world), 2, "in the same sign-in");
    account.request("logout");
    by_device(&world, &mut account);
    assert_eq!(registrations(&world), 2);
}

#[test]
fn a_page_that_was_given_up_costs_its_client() {
    let (world, mut account) = world_with("browser", Setup::default());
    let (client, _) = by_browser(&world, &mut account);
    account.request("logout");
    let step = account.login();
    assert_eq!(at_page(&step, "client_id"), client);
    account.ask("cancel", &json!({ "flow": step["flow"] }));
    assert_ne!(at_page(&account.login(), "client_id"), client, "its server may not know it any more");
    assert_eq!(registrations(&world), 2);
}

#[test]
fn a_client_whose_secret_lapses_is_registered_anew() {
    let (world, mut account) = world_with("device", Setup::default());
    let lapsing = |client: &mut Value| {
        client["client_secret"] = json!("shh");
        client["client_secret_expires_at"] = json!(1);
    };
    world.proxy.next("/register", Fault::Rewrite(lapsing));
    by_device(&world, &mut account);
    account.request("logout");
    by_device(&world, &mut account);
    assert_eq!(registrations(&world), 2);
}
