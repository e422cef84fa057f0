//! What clients find out before they begin: metadata and public keys.

use everkey_server::keys::{KeyRing, ServerKey};
use everkey_server::time::Timestamp;

use crate::kit::server::{Options, start};
use crate::kit::wire::request;

#[tokio::test]
async fn both_metadata_documents_agree_on_absolute_endpoints() {
    let server = start(Options::default()).await;
    let get = async |path: &str| {
        let answer = request("GET", path).send(server.address).await;
        answer.expect(200);
        answer.json()
    };
    let oauth = get("/.well-known/oauth-authorization-server").await;
    assert_eq!(oauth, get("/.well-known/openid-configuration").await);
    assert_eq!(oauth["issuer"], "http://everkey.example");
    for (name, path) in [
        ("authorization_endpoint", "/authorize"),
        ("token_endpoint", "/token"),
        ("registration_endpoint", "/register"),
        ("revocation_endpoint", "/revoke"),
        ("introspection_endpoint", "/introspect"),
        ("device_authorization_endpoint", "/device_authorization"),
        ("userinfo_endpoint", "/userinfo"),
        ("jwks_uri", "/jwks"),
    ] {
        assert_eq!(oauth[name], format!("http://everkey.example{path}"), "{name}");
    }
    assert_eq!(oauth["code_challenge_methods_supported"], serde_json::json!(["S256"]));
    assert_eq!(oauth["id_token_signing_alg_values_supported"], serde_json::json!(["ES256"]));
    assert_eq!(oauth["authorization_response_iss_parameter_supported"], true);
    assert_eq!(oauth["everkey_refresh_retry"]["until"], "used");
    let resource = get("/.well-known/oauth-protected-resource").await;
    assert_eq!(resource["authorization_servers"], serde_json::json!(["http://everkey.example"]));
    let strict = start(Options::strict()).await;
    let answer = request("GET", "/.well-known/openid-configuration").send(strict.address).await;
    assert_eq!(answer.json()["everkey_refresh_retry"]["until"], "probe");
}

#[tokio::test]
async fn older_public_keys_stay_and_private_ones_never_show() {
    let made = |secs| ServerKey::random(Timestamp::from_secs(secs)).unwrap();
    let (new, old, bare) = (made(3), made(2), ServerKey { es256: None, ..made(1) });
    let ring = KeyRing::new(new.clone(), vec![old.clone(), bare]);
    let server = start(Options { keys: Some(ring), ..Options::default() }).await;
    let answer = request("GET", "/jwks").send(server.address).await;
    answer.expect(200);
    let keys = answer.json()["keys"].as_array().unwrap().clone();
    let ids: Vec<_> = keys.iter().map(|key| key["kid"].as_str().unwrap()).collect();
    assert_eq!(ids, [new.id.as_str(), old.id.as_str()]);
    for key in &keys {
        assert_eq!((key["kty"].as_str(), key["crv"].as_str()), (Some("EC"), Some("P-256")));
        assert!(key.get("d").is_none());
    }
    for secret in [new.es256.unwrap().to_base64(), new.jwt.to_base64()] {
        assert!(!answer.body.contains(secret.expose()));
    }
}
