//! What lies between the agent and a server: a profile's proxy and certificates, used, named and changed.

use everkey_tests::between::{SelfSigned, closed_proxy};
use everkey_tests::{World, skip};
use serde_json::json;
use std::net::TcpListener;

/// An account at a server that only a proxy could reach.
fn behind(lines: &str) -> String {
    format!(
        "[profiles.work]\nprovider = \"oauth\"\nissuer = \"https://id.invalid\"\nclient_id = \"c\"\n\
         scheme = \"device\"\n{lines}\n"
    )
}

const LOGIN: &str = "login -p work";

/// An address where nobody listens.
pub fn nobody() -> String {
    let free = TcpListener::bind("127.0.0.1:0").unwrap();
    format!("http://{}", free.local_addr().unwrap())
}

#[test]
fn a_dead_proxy_of_a_profile_is_named_until_removed() {
    let world = World::new();
    let dead = nobody();
    let blamed = format!("through the proxy {dead}, proxy of the profile");
    world.configure(&behind(&format!("proxy = \"{dead}\"")));
    world.everkey(LOGIN).exits(4).complains(&blamed);
    let agent = world.agent_pid();
    world.configure(&behind(""));
    let said = world.everkey(LOGIN).exits(4);
    assert!(!said.err.contains("proxy"), "{said:?}");
    assert_eq!(world.agent_pid(), agent);
}

#[test]
fn a_profiles_proxy_is_used_by_that_profile_alone() {
    let mut world = World::new();
    let (dead, (proxy, asked)) = (nobody(), closed_proxy());
    world.set_env("HTTPS_PROXY", &dead);
    let other = behind("").replace("work", "other");
    world.configure(&format!("{}{other}", behind(&format!("proxy = \"{proxy}\""))));
    world.everkey(LOGIN).exits(4).complains(&format!("through the proxy {proxy}, proxy of the profile"));
    assert_eq!(asked.try_recv().unwrap(), "CONNECT id.invalid:443 HTTP/1.1");
    let said = world.everkey(&LOGIN.replace("work", "other")).exits(4);
    assert!(said.err.contains(&format!("through the proxy {dead}, HTTPS_PROXY of the agent")), "{said:?}");
    world.configure(&behind("no_proxy = \".invalid\""));
    let said = world.everkey(LOGIN).exits(4);
    assert!(!said.err.contains("proxy"), "{said:?}");
    assert!(asked.try_recv().is_err());
}

#[test]
fn certificates_that_cant_be_used_are_named() {
    let world = World::new();
    let file = world.put("ca.pem", "hello");
    for (ca_file, why) in
        [(file.clone(), "it holds no certificate in PEM"), (file.with_extension("not"), "No such file")]
    {
        world.configure(&behind(&format!("ca_file = \"{}\"", ca_file.display())));
        world
            .everkey(LOGIN)
            .exits(4)
            .complains(&format!("ca_file of the profile, {}: {why}", ca_file.display()));
    }
}

#[test]
fn status_says_what_is_in_force_and_where_from() {
    let mut world = World::new();
    let file = world.put("ca.pem", "hello").display().to_string();
    let (proxy, agents) = ("http://127.0.0.1:9", "http://127.0.0.1:7");
    world.set_env("HTTPS_PROXY", agents);
    world.set_env("SSL_CERT_FILE", "/nowhere/ca.pem");
    let of = |value: &str, origin: &str| json!({ "value": value, "origin": origin });
    let status = || world.everkey("status -p work --json").json();
    world.configure(&behind(""));
    assert_eq!(status()["proxy"], of(agents, "HTTPS_PROXY"));
    assert_eq!(status()["certificates"], json!([of("/nowhere/ca.pem", "SSL_CERT_FILE")]));
    let with_password = proxy.replace("//", "//ada:hunter2@");
    world.configure(&behind(&format!("proxy = \"{with_password}\"\nca_file = \"{file}\"")));
    assert_eq!(status()["proxy"], of(proxy, "profile"));
    assert_eq!(status()["certificates"], json!([of(&file, "profile")]));
    let shown = world.everkey("status -p work").exits(1).out;
    assert!(shown.contains(&format!("{proxy}, from the profile\n")), "{shown}");
    assert!(shown.contains(&format!("{file}, from the profile\n")), "{shown}");
    // None of it is for the server on this machine.
    let status = world.everkey("status --json").json();
    assert!(status["proxy"].is_null() && status["certificates"] == json!([]), "{status}");
    assert!(!world.everkey("status").out.contains("from "));
}

#[test]
fn a_profile_is_added_with_proxy_and_certificates() {
    let world = World::new();
    let dead = nobody();
    let add = "profile add work --provider oauth --issuer https://id.invalid --client-id c --scheme device";
    let said = world.everkey(&format!("{add} --proxy http://ada:hunter2@proxy:1")).exits(2);
    assert!(said.err.contains("config.toml") && !said.err.contains("hunter2"), "{said:?}");
    let said = world.everkey(&format!("{add} --proxy socks5://127.0.0.1:1")).exits(2);
    assert!(said.err.contains("`proxy` takes the address of an HTTP proxy"), "{said:?}");
    world.everkey(&format!("{add} --proxy {dead} --no-proxy corp.invalid --ca-file ~/ca.pem")).ok();
    let file = world.home().join("home/ca.pem").display().to_string();
    let shown = world.everkey("profile show work").ok();
    for row in [format!("Proxy          {dead}"), format!("Trusts         {file}")] {
        assert!(shown.contains(&row), "{shown}");
    }
    assert!(shown.contains("No proxy for   corp.invalid"), "{shown}");
    let json = world.everkey("profile show work --json").json();
    assert_eq!((&json["proxy"], &json["ca_file"]), (&json!(dead), &json!(file)));
    world.everkey(LOGIN).exits(4).complains(&format!("ca_file of the profile, {file}: No such file"));
}

#[test]
fn a_profile_trusts_certificates_of_its_own() {
    if !skip::has("openssl") {
        return skip::skipped("a_profile_trusts_certificates_of_its_own", "openssl is missing");
    }
    let mut world = World::new();
    let server = SelfSigned::start(&world);
    let at = |lines: &str| behind(lines).replace("id.invalid", &server.address);
    let file = server.certificate.display();
    let mut told = Vec::new();
    world.set_env("HTTPS_PROXY", &nobody());
    // Neither those of the system nor the proxy of the environment count.
    for lines in [&*format!("ca_file = \"{file}\"\nno_proxy = \"*\""), "no_proxy = \"*\""] {
        world.configure(&at(lines));
        told.push(world.everkey(LOGIN));
    }
    assert!(told[0].err.contains("not an api-server") && !told[0].err.contains("certificate"), "{told:?}");
    assert!(told[1].code == 4 && told[1].err.contains("certificate"), "{told:?}");
}
