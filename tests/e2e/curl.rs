//! `everkey curl`: the token goes to the server that issued it, and nobody else sees it.

use everkey_tests::between::closed_proxy;
use everkey_tests::{ADA, Setup, World};

#[test]
fn curl_asks_the_server_of_the_session() {
    let world = World::signed_in(Setup::default());
    assert!(world.everkey("curl /v0/auth/me").ok().contains(ADA));
    let whole = format!("curl {}/v0/auth/me", world.proxy.url());
    assert!(world.everkey(&whole).ok().contains(ADA));
    assert!(world.everkey("curl /v0/auth/me -i").ok().starts_with("HTTP/1.1 200"));
    assert_eq!(world.everkey("curl /v0/auth/nothing -f").code, 22, "curl's own exit code");
    let posted =
        world.everkey("curl /v0/reminders -X POST -H Content-Type:application/json -d {\"in_days\":7}").ok();
    assert!(posted.contains("fire_at"), "{posted}");
}

#[test]
fn curl_asks_nobody_else() {
    let world = World::signed_in(Setup::default());
    let other = world.another_server();
    for words in [format!("{}/v0/auth/me", other.url()), "v0/auth/me".to_owned()] {
        world.everkey(&format!("curl {words}")).exits(2).complains("goes nowhere else");
    }
    world.everkey(&format!("curl /v0/auth/me --server {}", other.url())).exits(2).complains(other.url());
    world.everkey(&format!("curl /v0/auth/me {}", other.url())).exits(2);
    world.everkey("curl /v0/auth/me --location").exits(2);
    world.everkey("curl /v0/auth/me -H @-").exits(2);
    assert_eq!(other.log().matches("/v0/auth/me").count(), 0);
    world.everkey("logout").ok();
    world.everkey("curl /v0/auth/me").exits(1);
}

#[test]
fn no_proxy_sees_a_token_for_this_machine() {
    let mut world = World::signed_in(Setup::default());
    let (proxy, asked) = closed_proxy();
    for name in ["http_proxy", "ALL_PROXY", "all_proxy"] {
        world.set_env(name, &proxy);
    }
    assert!(world.everkey("curl /v0/auth/me").ok().contains(ADA));
    assert!(asked.try_recv().is_err(), "it would have read the token");
}

/// Whatever shows a token on its way to a server names the account's own.
#[test]
fn no_document_sends_a_token_to_a_fixed_host() {
    let root = std::path::Path::new(env!("CARGO_MANIFEST_DIR")).parent().unwrap();
    for file in ["README.md", "client/README.md", "docs/clients/README.md", "docs/hosting.md"] {
        let text = std::fs::read_to_string(root.join(file)).unwrap();
        assert!(!text.contains("Bearer $(everkey token)"), "{file}");
    }
    let world = World::new();
    for words in ["--help", "token --help"] {
        let help = world.everkey(words).ok();
        assert!(!help.contains("Bearer $(everkey token)") && help.contains("everkey curl"), "{help}");
    }
}
