//! everkey's own session file.

use super::*;

fn session() -> Session {
    Session {
        access: Secret::new("a"),
        access_expires_at: Some(10),
        refresh: Some(Secret::new("r")),
        refresh_expires_at: None,
        issued_at: Some(5),
        claims: Claims { subject: Some("u".into()), ..Claims::default() },
        holder: Holder {
            user: Some(User { id: "u".into(), email: "e@x".into() }),
            about: BTreeMap::from([("name".to_owned(), "Ada".to_owned())]),
            server: Some(ISSUER.into()),
            registration: Some(known(AuthMethod::ClientSecretBasic)),
            fixed: None,
        },
    }
}

fn changed(change: impl FnOnce(&mut Value)) -> ParsedFile {
    let mut file: Value = serde_json::from_slice(&render_session(&session())).unwrap();
    change(&mut file);
    parse_session(file.to_string().as_bytes())
}

#[test]
fn everything_about_a_session_survives_its_file() {
    assert_eq!(parse_session(&render_session(&session())), ParsedFile::Session(session()));
    let bare = Session { refresh: None, access_expires_at: None, ..session() };
    assert_eq!(parse_session(&render_session(&bare)), ParsedFile::Session(bare));
}

#[test]
fn a_newer_everkeys_file_is_strange_and_rubbish_is_damaged() {
    assert_eq!(changed(|file| file["version"] = json!(2)), ParsedFile::Strange);
    assert_eq!(parse_session(br#"{"version":7,"other":true}"#), ParsedFile::Strange);
    for rubbish in ["", "{", "[]", "null", "{}", r#"{"version":0}"#, r#"{"version":"2"}"#, r#"{"version":1}"#]
    {
        assert_eq!(parse_session(rubbish.as_bytes()), ParsedFile::Damaged, "{rubbish}");
    }
    let whole = render_session(&session());
    for cut in 0..whole.len() - 1 {
        assert_eq!(parse_session(&whole[..cut]), ParsedFile::Damaged, "cut at {cut}");
    }
}

#[test]
fn a_file_with_unsafe_endpoints_or_tokens_is_damaged() {
    for odd in ["http://evil.example/token", "ftp://x/", "token", "", "https://u:p@x/token"] {
        let read = changed(|file| file["registration"]["endpoints"]["token"] = json!(odd));
        assert_eq!(read, ParsedFile::Damaged, "{odd}");
        let read = changed(|file| file["registration"]["endpoints"]["revocation"] = json!(odd));
        assert_eq!(read, ParsedFile::Damaged, "{odd}");
    }
    assert_eq!(changed(|file| file["registration"] = Value::Null), ParsedFile::Damaged);
    assert_eq!(changed(|file| file["access"] = json!("a\nb")), ParsedFile::Damaged);
    assert_eq!(changed(|file| file["refresh"] = json!("")), ParsedFile::Damaged);
}
