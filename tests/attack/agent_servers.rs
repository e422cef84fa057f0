//! Attacks on the way to a server: proxies that nobody means, certificates and secrets that another user wrote.

use crate::agent::{endless, fifo, set_mode, two_users, unprivileged};
use everkey_tests::between::{SelfSigned, closed_proxy};
use everkey_tests::cli::Output;
use everkey_tests::process::peak_memory_kib;
use everkey_tests::skip::{has, skipped};
use everkey_tests::{ADA, Setup, World};
use std::fs;
use std::os::unix::fs::{chown, symlink};
use std::path::Path;

/// A profile at a server with a certificate of its own.
fn at(server: &SelfSigned, lines: &str) -> String {
    let address = &server.address;
    format!("[profiles.work]\nprovider = \"binboi\"\nserver = \"https://{address}\"\n{lines}\n")
}

/// Whether there is an openssl for a server; says so if not.
fn https(test: &str) -> bool {
    if !has("openssl") {
        skipped(test, "openssl is missing");
    }
    has("openssl")
}

#[test]
fn s03_a_proxy_of_the_environment_sees_no_token() {
    let mut world = World::signed_in(Setup::default());
    let (proxy, asked) = closed_proxy();
    for name in ["http_proxy", "HTTP_PROXY", "ALL_PROXY", "all_proxy"] {
        world.set_env(name, &proxy);
        let said = world.everkey("curl /v0/auth/me");
        assert_eq!(asked.try_recv().ok(), None, "{name}");
        assert!(said.ok().contains(ADA), "{name}");
        world.set_env(name, "");
    }
}

#[test]
fn s03_curl_goes_the_way_of_the_profile() {
    if !https("s03_curl_goes_the_way_of_the_profile") {
        return;
    }
    let mut world = World::new();
    let server = SelfSigned::start(&world);
    let (file, (proxy, asked), (other, others)) =
        (server.certificate.display(), closed_proxy(), closed_proxy());
    world.set_env("BINBOI_TOKEN", "binboi_pat_of_ada");
    world.set_env("HTTPS_PROXY", &other);
    let curl = |lines: &str| {
        world.configure(&at(&server, lines));
        world.everkey("curl /me -p work")
    };
    let direct = format!("ca_file = \"{file}\"\nno_proxy = \"127.0.0.1\"");
    assert!(curl(&direct).ok().contains("s_server"));
    assert_eq!(curl("no_proxy = \"127.0.0.1\"").code, 60, "whom the profile does not name is not trusted");
    let through = format!("proxy = \"{}\"", proxy.replace("//", "//ada:hunter2@"));
    let refused = curl(&through);
    assert_eq!(refused.code, 56, "{refused:?}");
    assert!(!refused.err.contains("hunter2"), "{refused:?}");
    assert_eq!(asked.try_recv().unwrap(), format!("CONNECT {} HTTP/1.1", server.address));
    assert!(others.try_recv().is_err(), "the profile's comes before the environment's");
    set_mode(&server.certificate, 0o666);
    curl(&direct).exits(4).complains(&format!("others can write to {file}"));
}

/// What a sign-in says by an agent with this variable; the agent is there afterwards, and no bigger.
fn login(world: &mut World, name: &str, value: &Path) -> Output {
    for known in ["SSL_CERT_FILE", "SSL_CERT_DIR"] {
        world.set_env(known, "");
    }
    world.set_env(name, &value.display().to_string());
    world.everkey("agent start").ok();
    world.stop_agent();
    world.everkey("agent start").ok();
    let agent = world.agent_pid();
    let said = world.cli("login -p work --with-token").stdin("binboi_pat_of_ada\n").run();
    assert_eq!(world.find_agent(), Some(agent), "it goes on: {said:?}");
    assert!(peak_memory_kib(agent) < 256 * 1024, "{said:?}");
    said.exits(4)
}

#[test]
fn s04_certificates_that_others_write_are_trusted_by_nobody() {
    let test = "s04_certificates_that_others_write_are_trusted_by_nobody";
    if !https(test) || !two_users(test) {
        return;
    }
    let mut world = World::with(unprivileged());
    let server = SelfSigned::start(&world);
    world.configure(&at(&server, ""));
    let (file, folder) = (server.certificate.clone(), world.home().join("certs"));
    fs::create_dir(&folder).unwrap();
    set_mode(&folder, 0o755);
    world.own(&folder);
    fs::copy(&file, folder.join("0.0")).unwrap();
    set_mode(&folder.join("0.0"), 0o644);
    login(&mut world, "SSL_CERT_FILE", &file).complains("not an api-server");
    login(&mut world, "SSL_CERT_DIR", &folder).complains("not an api-server");

    let open = format!("others can write to {}", file.display());
    set_mode(&file, 0o666);
    login(&mut world, "SSL_CERT_FILE", &file)
        .complains(&format!("SSL_CERT_FILE of the agent, {}: {open}", file.display()));
    set_mode(&file, 0o644);
    chown(&file, Some(1), Some(1)).unwrap();
    login(&mut world, "SSL_CERT_FILE", &file).complains("belongs to another user (uid 1)");
    set_mode(&folder, 0o777);
    login(&mut world, "SSL_CERT_DIR", &folder)
        .complains(&format!("others can write to {}", folder.display()));
    set_mode(&folder, 0o755);
    chown(folder.join("0.0"), Some(1), Some(1)).unwrap();
    login(&mut world, "SSL_CERT_DIR", &folder).complains("belongs to another user (uid 1)");

    let other = world.home().join("other");
    for (put, why) in [
        (fifo as fn(&Path), "it is not a plain file but a named pipe"),
        (|path| symlink("/dev/zero", path).unwrap(), "it is not a plain file but a device"),
        (endless, "it is longer than"),
    ] {
        put(&other);
        // Root's links are as good as the user's; owning one would own its target.
        if !other.is_symlink() {
            world.own(&other);
        }
        login(&mut world, "SSL_CERT_FILE", &other).complains(why);
        fs::remove_file(&other).unwrap();
    }
    endless(&folder.join("1.0"));
    world.own(&folder.join("1.0"));
    fs::remove_file(folder.join("0.0")).unwrap();
    login(&mut world, "SSL_CERT_DIR", &folder).complains("it is longer than");
}

#[test]
fn s04_a_client_secret_that_others_write_is_not_sent() {
    if !two_users("s04_a_client_secret_that_others_write_is_not_sent") {
        return;
    }
    let world = World::with(unprivileged());
    let (secret, private) = (world.put("secret", "hunter2\n"), world.put("private", "mine\n"));
    world.configure(&format!(
        "[profiles.work]\nprovider = \"oauth\"\nissuer = \"{}\"\nscheme = \"device\"\n\
         client_id = \"c\"\nclient_secret_file = \"{}\"\n",
        world.proxy.url(),
        secret.display()
    ));
    let refused = |words: &str| {
        let said = world.everkey("login -p work");
        assert!(said.code != 0 && said.err.contains(words), "{said:?}");
    };
    set_mode(&secret, 0o666);
    refused(&format!("others can write to {}", secret.display()));
    set_mode(&secret, 0o644);
    chown(&secret, Some(1), Some(1)).unwrap();
    refused("belongs to another user (uid 1)");
    fs::remove_file(&secret).unwrap();
    symlink(&private, &secret).unwrap();
    std::os::unix::fs::lchown(&secret, Some(1), Some(1)).unwrap();
    refused("belongs to another user (uid 1)");
}
