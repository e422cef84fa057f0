//! What `config.toml` may say, and how each mistake is told.

use super::*;

fn error(text: &str) -> String {
    Config::parse(text).unwrap_err().to_string()
}

#[test]
fn everything_there_is_can_be_said() {
    let config = Config::parse(
        r#"
default = "work"
[profiles.work]
provider = "oauth"
issuer = "https://id.example.com/realms/x/"
client_id = "cli"
scope = "openid email"
scheme = "device"
[profiles.own]
provider = "oauth"
token_endpoint = "http://127.0.0.1:1/token?x=1"
device_authorization_endpoint = "http://127.0.0.1:1/device"
client_id = "cli"
[profiles.staging]
provider = "failproofai"
server = "https://staging.example.com/"
margin_secs = 0x78
session_file = "~/.failproofai/audit/session.json"
[reminder]
command = ["notify-send", "now"]
"#,
    )
    .unwrap();
    let work = &config.profiles["work"];
    assert_eq!(work.scheme, Some(SignInMethod::Device));
    // An issuer is compared letter by letter (RFC 8414, section 3.3).
    assert_eq!(work.server.as_deref(), Some("https://id.example.com/realms/x/"));
    assert_eq!(config.profiles["staging"].server.as_deref(), Some("https://staging.example.com"));
    assert_eq!(config.profiles["staging"].margin_secs, Some(120));
    assert!(matches!(config.profiles["own"].oauth.as_ref().unwrap().endpoints, OauthEndpoints::Explicit(_)));
    assert_eq!(config.reminder_command.unwrap(), ["notify-send", "now"]);
    assert_eq!(Config::parse("").unwrap(), Config::default());
    for name in ["achilles", "achilles/production", "failproofai"] {
        assert_eq!(Config::parse(&format!("default = {name:?}")).unwrap().default.as_deref(), Some(name));
    }
}

#[test]
fn a_mistake_has_a_line_a_column_and_a_key() {
    let text = "default = \"binboi\"\n[profiles.a]\nprovider = \"binboi\"\n  sever = \"https://x\"\n";
    let e = Config::parse(text).unwrap_err();
    assert_eq!((e.line, e.column, e.key.as_deref()), (4, 3, Some("sever")));
    assert_eq!(
        e.to_string(),
        "line 4, column 3: `profiles.a.sever` is no key that everkey knows; did you mean `server`?"
    );
    for (text, said) in [
        (
            "defualt = \"a\"",
            "line 1, column 1: `defualt` is no key that everkey knows; did you mean `default`?",
        ),
        ("default = 7", "line 1, column 1: `default` takes a text in quotes, not an integer"),
        (
            "default = \"binbo\"",
            "line 1, column 1: `default`: there is no profile \"binbo\"; did you mean `binboi`?",
        ),
        (
            "[profiles.a]",
            "line 1, column 11: profile \"a\" has no `provider`; there are failproofai, achilles, binboi, dot-ai, oauth",
        ),
        ("profiles.a = 1", "line 1, column 10: `profiles.a` takes a table, not an integer"),
        (
            "[profiles.a]\nprovider = \"github\"",
            "line 2, column 1: `provider`: there is no \"github\"; there are `failproofai`, `achilles`, `binboi`, `dot-ai`, `oauth`",
        ),
        (
            "[profiles.binboi]\nprovider = \"oauth\"",
            "line 2, column 1: `provider`: the name \"binboi\" is built in with provider \"binboi\"; take another name",
        ),
        (
            "[profiles.a]\nprovider = \"binboi\"\nscheme = \"otp\"",
            "line 3, column 1: `scheme`: binboi signs in by token, not by \"otp\"",
        ),
        (
            "[profiles.a]\nprovider = \"binboi\"\nserver = \"http://x.example\"",
            "line 3, column 1: `server`: plain http would send tokens unencrypted; it is only for this machine (127.0.0.1), use https",
        ),
        (
            "[profiles.a]\nprovider = \"binboi\"\nsession_file = \"x.json\"",
            "line 3, column 1: `session_file` takes a full path to a file, from / or ~/ on and without `..`",
        ),
        (
            "[profiles.a]\nprovider = \"binboi\"\nmargin_secs = -1",
            "line 3, column 1: `profiles.a.margin_secs` takes a number of seconds, from 0 to a year",
        ),
        (
            "[reminder]\ncommand = \"x\"",
            "line 2, column 1: `reminder.command` takes a list of texts, [\"program\", \"argument\"], not a string",
        ),
    ] {
        assert_eq!(error(text), said);
    }
    assert!(error("default = ").starts_with("line 1, column "));
    assert!(error("[profiles.a]\n[profiles.a]").starts_with("line 2, column "));
    assert!(!error("[profiles.\"x").contains('\n'));
}

/// A profile of provider oauth with these lines, which begin with line 4.
fn oauth_profile(lines: &str) -> Result<OauthProfile, String> {
    let text = format!("[profiles.a]\nprovider = \"oauth\"\nissuer = \"https://x\"\n{lines}\n");
    let mut config = Config::parse(&text).map_err(|e| e.to_string())?;
    Ok(config.profiles.remove("a").and_then(|profile| profile.oauth).unwrap())
}

#[test]
fn a_redirect_address_can_be_the_registered_one() {
    let usual = ConfiguredRedirect::default();
    assert_eq!(oauth_profile("").unwrap().redirect, usual);
    let said = "redirect_host = \"localhost\"\nredirect_port = 8400\nredirect_path = \"/oauth/back\"";
    let redirect =
        ConfiguredRedirect { localhost: true, port: Some(8400), path: Some("/oauth/back".to_owned()) };
    assert_eq!(oauth_profile(said).unwrap().redirect, redirect);
    let literal = oauth_profile("redirect_host = \"127.0.0.1\"\nredirect_path = \"/\"").unwrap().redirect;
    assert_eq!(literal, ConfiguredRedirect { path: Some("/".to_owned()), ..usual });
}

#[test]
fn a_redirect_address_that_no_browser_reaches_is_told() {
    for port in ["0", "-1", "65536", "70000000000"] {
        assert_eq!(
            oauth_profile(&format!("redirect_port = {port}")).unwrap_err(),
            "line 4, column 1: `profiles.a.redirect_port` takes a port, a number from 1 to 65535"
        );
    }
    let said = oauth_profile("redirect_port = \"8400\"").unwrap_err();
    assert_eq!(said, "line 4, column 1: `profiles.a.redirect_port` takes a number, not a string");
    let long = format!("/{}", "x".repeat(256));
    let odd = ["callback", "/a?b", "/a#b", "/a b", "/%2e", "/a/../b", "/.", "/é", "//evil", &long];
    for path in odd {
        assert_eq!(
            oauth_profile(&format!("redirect_path = {path:?}")).unwrap_err(),
            "line 4, column 1: `redirect_path` takes the path of an address, such as \"/callback\": \
             letters, digits and . _ ~ - between slashes",
            "{path}"
        );
    }
    for host in ["0.0.0.0", "::1", "[::1]", "example.com", "LOCALHOST"] {
        assert_eq!(
            oauth_profile(&format!("redirect_host = {host:?}")).unwrap_err(),
            "line 4, column 1: `redirect_host` is \"127.0.0.1\" or \"localhost\"",
            "{host}"
        );
    }
}

#[test]
fn a_client_proves_itself_by_one_thing() {
    let key = "scheme = \"client\"\nclient_id = \"ci\"\nprivate_key_file = \"~/key.pem\"\nkey_id = \"k1\"";
    let oauth = oauth_profile(key).unwrap();
    assert_eq!((oauth.private_key_file.as_deref(), oauth.key_id.as_deref()), (Some("~/key.pem"), Some("k1")));
    let secret = "scheme = \"client\"\nclient_id = \"ci\"\nclient_secret_file = \"/s\"";
    assert_eq!(oauth_profile(secret).unwrap().client_secret_file.as_deref(), Some("/s"));
    for (lines, says) in [
        (
            "scheme = \"client\"\nclient_id = \"ci\"",
            "has the scheme \"client\", so it needs a `client_id` with a `client_secret_file` or a `private_key_file`",
        ),
        ("private_key_file = \"/k\"", "has a `private_key_file`, but no `client_id`"),
        ("client_secret_file = \"/s\"", "has a `client_secret_file`, but no `client_id`"),
        ("client_id = \"ci\"\nkey_id = \"k\"", "has a `key_id`, but no `private_key_file`"),
        (
            "client_id = \"ci\"\nclient_secret_file = \"/s\"\nprivate_key_file = \"/k\"",
            "has a `client_secret_file` and a `private_key_file`; a client proves itself by one",
        ),
    ] {
        let said = oauth_profile(lines).unwrap_err();
        assert_eq!(said, format!("line 1, column 11: profile \"a\" {says}"));
    }
    let person = "[profiles.a]\nprovider = \"achilles\"\nscheme = \"client\"";
    assert_eq!(error(person), "line 3, column 1: `scheme`: achilles signs in by device, not by \"client\"");
}

#[test]
fn a_resource_is_one_uri_or_several() {
    let resources = |said: &str| oauth_profile(&format!("resource = {said}")).map(|oauth| oauth.resources);
    assert_eq!(oauth_profile("").unwrap().resources, [""; 0]);
    assert_eq!(resources("\"https://api.example.com/x?y\"").unwrap(), ["https://api.example.com/x?y"]);
    let several = ["urn:example:cal", "api://5b7a"];
    assert_eq!(resources("[\"urn:example:cal\", \"api://5b7a\"]").unwrap(), several);
    for odd in [
        "\"\"",
        "\"api\"",
        "\"https://a#b\"",
        "\"https:// a\"",
        "\":x\"",
        "\"1:x\"",
        "[]",
        "[\"https://a\", \"b\"]",
    ] {
        assert_eq!(
            resources(odd).unwrap_err(),
            "line 4, column 1: `resource` takes a whole URI without a fragment, such as \
             \"https://api.example.com\", or a list of them",
            "{odd}"
        );
    }
    let number =
        "line 4, column 1: `profiles.a.resource` takes a text in quotes, or a list of them, not an integer";
    for odd in ["7", "[\"https://a\", 7]"] {
        assert_eq!(resources(odd).unwrap_err(), number);
    }
}

#[test]
fn a_redirect_without_a_page_to_come_from_is_told() {
    let device = "[profiles.a]\nprovider = \"oauth\"\ntoken_endpoint = \"https://x\"\nclient_id = \"c\"\n\
                  device_authorization_endpoint = \"https://x\"\n";
    assert!(Config::parse(device).is_ok());
    for key in ["redirect_port = 1", "redirect_path = \"/a\"", "redirect_host = \"localhost\""] {
        let said = error(&format!("{device}{key}\n"));
        let says = "profile \"a\" has a redirect address, but no `authorization_endpoint`";
        assert_eq!(said, format!("line 1, column 11: {says}"));
    }
    assert!(Config::parse("[profiles.a]\nprovider = \"binboi\"\nredirect_port = 1\n").is_err());
}

#[test]
fn s01_a_key_is_quoted_without_what_a_terminal_obeys() {
    let said = error("\"a\\u001B[31m\\n\" = 1");
    assert!(said.contains("`a[31m` is no key") && !said.contains(char::is_control), "{said:?}");
}

#[test]
fn keys_belong_to_their_provider() {
    for text in [
        "provider = \"binboi\"\nissuer = \"https://x\"",
        "provider = \"binboi\"\nclient_id = \"x\"",
        "provider = \"oauth\"\nissuer = \"https://x\"\nserver = \"https://x\"",
        "provider = \"oauth\"",
        "provider = \"oauth\"\nissuer = \"https://x?y\"",
        "provider = \"oauth\"\nissuer = \"https://x\"\ntoken_endpoint = \"https://x\"",
        "provider = \"oauth\"\ntoken_endpoint = \"https://x\"\nclient_id = \"c\"",
        "provider = \"oauth\"\ntoken_endpoint = \"https://x\"\nauthorization_endpoint = \"https://x\"",
        "provider = \"oauth\"\ntoken_endpoint = \"https://x\"\nauthorization_endpoint = \"https://x\"\nclient_id = \"c\"\nscheme = \"device\"",
        "provider = \"oauth\"\nissuer = \"https://x\"\nclient_secret_file = \"/s\"",
        "provider = \"oauth\"\nissuer = \"\"",
        "provider = \"binboi\"\nsession_file = \"~/../x\"",
    ] {
        assert!(Config::parse(&format!("[profiles.a]\n{text}\n")).is_err(), "{text}");
    }
}

#[test]
fn names_become_files_and_links() {
    let named = |name: &str| Config::parse(&format!("[profiles.{name:?}]\nprovider = \"binboi\"\n")).is_ok();
    let long = "x".repeat(65);
    for bad in ["", "a/b", "..", ".x", "-x", "a b", "é", "achilles/x", long.as_str()] {
        assert!(!named(bad), "{bad}");
    }
    for good in ["a", "A.b_c-9", &long[1..]] {
        assert!(named(good), "{good}");
    }
}
