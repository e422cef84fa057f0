//! A client that others wrote, Authlib from PyPI, signs in by the browser and by a device code, refreshes and revokes.

use crate::site::Site;
use everkey_tests::ADA;
use everkey_tests::Setup;
use everkey_tests::process::Running;
use everkey_tests::python::{program, root};
use serde_json::Value;
use std::io::{BufRead, BufReader};
use std::process::{Command, Stdio};

/// Runs the client; `act` does in the browser what it asks for.
fn signs_in(test: &str, way: &str, method: &str, act: impl FnOnce(&Site, &Value)) {
    let Some(python) = program(test, "python") else { return };
    let Some(site) = Site::open(test, &Setup::default()) else { return };
    let mut command = Command::new(python);
    command.arg(root().join("tests/interop/client.py")).args([way, site.server.url(), method]);
    let mut client = Running::spawn(command.stdin(Stdio::null()).stdout(Stdio::piped()));
    let mut lines = BufReader::new(client.child().stdout.take().unwrap()).lines();
    let mut next = || -> Value {
        let line =
            lines.next().unwrap_or_else(|| panic!("the client ended: {way} {method}; see above")).unwrap();
        serde_json::from_str(&line).unwrap()
    };
    act(&site, &next());
    assert_eq!(next()["done"], true);
    assert!(client.ended().success());
    site.server.assert_nothing_revoked();
}

fn allow(site: &Site, asked: &Value) {
    site.browser.goto(asked["open"].as_str().unwrap());
    site.sign_in(ADA);
    site.arrives("/authorize");
    site.browser.click("Allow");
}

fn approve(site: &Site, asked: &Value) {
    site.browser.goto(asked["open"].as_str().unwrap());
    site.sign_in(ADA);
    site.browser.fill("Code", asked["code"].as_str().unwrap());
    site.browser.click("Continue");
    site.browser.click("Approve");
    site.browser.shows("Approved");
}

#[test]
fn authlib_signs_in_by_browser_as_a_public_client() {
    signs_in("authlib_signs_in_by_browser_as_a_public_client", "browser", "none", allow);
}

#[test]
fn authlib_signs_in_by_browser_with_a_secret() {
    signs_in("authlib_signs_in_by_browser_with_a_secret", "browser", "client_secret_basic", allow);
}

#[test]
fn authlib_signs_in_by_device_code() {
    signs_in("authlib_signs_in_by_device_code", "device", "none", approve);
}
