//! security.txt (RFC 9116): served as it is configured, and not at all without.

use crate::kit::program::{run, serve};
use crate::kit::room::room;
use crate::kit::server::{Options, start};
use crate::kit::wire::request;

const PATH: &str = "/.well-known/security.txt";

#[tokio::test]
async fn without_a_contact_there_is_none() {
    let server = start(Options::default()).await;
    request("GET", PATH).send(server.address).await.expect_error(404, "not_found");
}

#[tokio::test]
async fn it_says_what_the_command_line_says() {
    let folder = room();
    let flags = [
        "--public-url",
        "https://auth.example.com",
        "--security-contact",
        "mailto:security@example.com",
        "--security-contact",
        "https://example.com/report",
        "--security-policy",
        "https://example.com/policy",
    ];
    let server = serve(folder.path(), &flags).await;
    let answer = request("GET", PATH).send(server.address).await;
    answer.expect(200);
    assert_eq!(answer.header("content-type"), Some("text/plain; charset=utf-8"));
    let text = &answer.body;
    let (expires, others): (Vec<&str>, Vec<&str>) =
        text.lines().partition(|line| line.starts_with("Expires: "));
    assert_eq!(
        others,
        [
            "Contact: mailto:security@example.com",
            "Contact: https://example.com/report",
            "Canonical: https://auth.example.com/.well-known/security.txt",
            "Policy: https://example.com/policy",
        ]
    );
    let [expires] = expires[..] else { panic!("one date: {text}") };
    let at: jiff::Timestamp = expires.trim_start_matches("Expires: ").parse().unwrap();
    let days = (at.as_second() - jiff::Timestamp::now().as_second()) / 86_400;
    assert!((29..=30).contains(&days), "within a year, as RFC 9116 wants it: {text}");
}

#[tokio::test]
async fn only_what_rfc_9116_allows_is_a_contact() {
    for (flag, value, hint) in [
        ("--security-contact", "security@example.com", "mailto:security@example.com"),
        ("--security-contact", "http://example.com/report", "https://"),
        ("--security-contact", "mailto:a@example.com\nContact: mailto:b@example.com", "one line"),
        ("--security-policy", "mailto:a@example.com", "https://"),
    ] {
        let output = run(&["serve", flag, value]).await;
        let said = String::from_utf8(output.stderr).unwrap();
        assert!(output.status.code() == Some(2) && said.contains(hint), "{flag} {value}: {said}");
    }
}
