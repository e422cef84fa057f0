//! Every message of protocol version 1, byte for byte and as JSON. A difference means that an older client or agent
//! no longer understands this one: append, never change. `EVERKEY_GOLDEN=write cargo test -p everkey-proto` adds new ones.

use everkey_proto::hello::{AgentHello, ClientHello};
use everkey_proto::json::{self, AgentHelloLine, ReplyLine, RequestLine};
use everkey_proto::reply::{AgentInfo, Field, Revocation, Short, State, Status, Step, Token, User};
use everkey_proto::{Code, Expect, Failure, FlowId, Reply, Request, Scheme, Secret, Verb, codec};
use std::fmt::Write;
use std::path::Path;

fn requests() -> Vec<(&'static str, Request)> {
    let plain = |verb| Request { profile: None, expect: Expect::default(), verb };
    let flow = FlowId(77);
    vec![
        ("whoami", plain(Verb::Whoami)),
        ("status", plain(Verb::Status)),
        ("token", plain(Verb::Token { min_validity_secs: 60 })),
        ("refresh", plain(Verb::Refresh { force: true })),
        ("login", plain(Verb::Login { scheme: Some(Scheme::Otp) })),
        ("answer", plain(Verb::Answer { flow, text: Secret::new("123456") })),
        ("cancel", plain(Verb::Cancel { flow })),
        ("logout", plain(Verb::Logout)),
        ("agent", plain(Verb::Agent)),
        ("stop", plain(Verb::Stop)),
        ("better", plain(Verb::Better { than: "ab".repeat(32) })),
        (
            "expecting",
            Request {
                profile: Some("failproofai".into()),
                expect: Expect { server: Some("http://s".into()), session_file: Some("/f".into()) },
                verb: Verb::Whoami,
            },
        ),
    ]
}

fn replies() -> Vec<(String, Reply)> {
    let user = || User { id: "u1".into(), email: "a@b.c".into() };
    let failure = |code| Failure { code, message: "m".into(), hint: "h".into(), retry_after_secs: Some(3) };
    let status = Status {
        profile: "p".into(),
        server: "s".into(),
        session_file: "f".into(),
        state: State::Valid,
        reason: None,
        user: Some(user()),
        scheme: Scheme::Otp,
        masked_token: Some("****".into()),
        access_expires_at: Some(1),
        refresh_expires_at: Some(2),
        next_refresh_at: Some(3),
        last_error: None,
        pending_revocations: 4,
    };
    let info = AgentInfo { version: "1".into(), pid: 2, socket: "/s".into(), state_dir: "/d".into() };
    let token = |short| Token { access_token: Secret::new("t"), expires_at: 9, short };
    let ask = |field, again| Step::Ask { flow: FlowId(77), field, tries: 5, again };
    let mut all = vec![
        ("whoami".into(), Reply::Whoami(user())),
        ("status".into(), Reply::Status(Box::new(status))),
        ("token".into(), Reply::Token(token(None))),
        ("token short lifetime".into(), Reply::Token(token(Some(Short::Lifetime)))),
        ("token short no refresh".into(), Reply::Token(token(Some(Short::NoRefresh)))),
        ("refreshed".into(), Reply::Refreshed { access_expires_at: 9 }),
        ("ask email".into(), Reply::Step(ask(Field::Email, None))),
        ("ask code again".into(), Reply::Step(ask(Field::Code, Some(failure(Code::Refused))))),
        ("done".into(), Reply::Step(Step::Done { user: user(), already: true })),
        ("agent".into(), Reply::Agent(info)),
        ("stopping".into(), Reply::Stopping),
    ];
    use Revocation::{NotConfirmed, NothingToDo, Queued, Revoked};
    for revocation in [NothingToDo, Revoked, Queued, NotConfirmed] {
        all.push((format!("logged out {revocation:?}"), Reply::LoggedOut(revocation)));
    }
    for code in [
        Code::NotSignedIn,
        Code::NeedsLogin,
        Code::Mismatch,
        Code::UnknownProfile,
        Code::BadRequest,
        Code::FlowGone,
        Code::AccountChanged,
        Code::Offline,
        Code::Timeout,
        Code::Refused,
        Code::RateLimited,
        Code::Storage,
        Code::Busy,
        Code::Version,
        Code::NoAgent,
    ] {
        all.push((format!("failed {code:?}"), Reply::Failed(failure(code))));
    }
    all
}

fn hex(bytes: &[u8]) -> String {
    bytes.iter().fold(String::new(), |mut text, byte| {
        let _ = write!(text, "{byte:02x}");
        text
    })
}

fn line(message: &impl serde::Serialize) -> String {
    String::from_utf8_lossy(&json::write(message)).trim_end().to_owned()
}

#[test]
fn d09_version_1_is_frozen() {
    let mut now = String::new();
    for (name, request) in requests() {
        let body = codec::encode_request(&request).unwrap();
        assert_eq!(codec::decode_request(&body).unwrap(), request, "{name}");
        let json = line(&RequestLine::from(request.clone()));
        assert_eq!(json::read_request(json.as_bytes()).unwrap(), request, "{name}");
        let _ = writeln!(now, "request {name}\n  {}\n  {json}", hex(&body));
    }
    for (name, reply) in replies() {
        let body = codec::encode_reply(&reply).unwrap();
        assert_eq!(codec::decode_reply(&body).unwrap(), reply, "{name}");
        let json = line(&ReplyLine::from(reply.clone()));
        assert_eq!(json::read_reply(json.as_bytes()).unwrap(), reply, "{name}");
        let _ = writeln!(now, "reply {name}\n  {}\n  {json}", hex(&body));
    }
    let file = Path::new(env!("CARGO_MANIFEST_DIR")).join("tests/golden-v1.txt");
    if std::env::var("EVERKEY_GOLDEN").is_ok_and(|what| what == "write") {
        std::fs::write(&file, &now).unwrap();
    }
    assert_eq!(now, std::fs::read_to_string(&file).unwrap(), "see the top of proto/tests/golden.rs");
}

#[test]
fn d11_no_prefix_and_no_suffix_of_a_message_is_one() {
    for (name, request) in requests() {
        let body = codec::encode_request(&request).unwrap();
        for cut in 0..body.len() {
            assert!(codec::decode_request(&body[..cut]).is_err(), "{name} cut at {cut}");
        }
        assert!(codec::decode_request(&[body, vec![0]].concat()).is_err(), "{name} and a byte");
    }
    // A length of 2^64-1 inside a small frame must not be believed.
    assert!(codec::decode_request(&[&[1], [0xff; 12].as_slice()].concat()).is_err());
}

#[test]
fn d11_lines_that_are_no_requests_are_refused_without_an_echo() {
    let deep = format!("{}{}", "[".repeat(5000), "]".repeat(5000));
    for odd in [
        "",
        "{}",
        "null",
        "[]",
        "[\"whoami\"]",
        "{\"request\":\"frob\"}",
        "{\"request\":\"whoami\",\"request\":\"stop\"}",
        "{\"request\":\"whoami\",\"hunter2\":1}",
        "{\"request\":\"answer\",\"flow\":\"hunter2\"}",
        deep.as_str(),
    ] {
        let said = json::read_request(odd.as_bytes()).unwrap_err().to_string();
        assert!(!said.contains("hunter2"), "{said}");
    }
    let missing = json::read_request(b"{\"request\":\"answer\"}").unwrap_err().to_string();
    assert!(missing.contains("\"flow\""), "{missing}");
    let superfluous = json::read_request(b"{\"request\":\"whoami\",\"force\":true}").unwrap_err().to_string();
    assert!(superfluous.contains("\"force\""), "{superfluous}");
}

#[test]
fn the_json_hello_is_frozen() {
    let hello = json::read_hello(br#"{"hello":{"oldest":1,"newest":2,"client":"x"}}"#).unwrap();
    assert_eq!(hello, ClientHello { oldest: 1, newest: 2, name: "x".into() });
    assert!(json::read_hello(br#"{"hello":{"oldest":1,"newest":2}}"#).is_ok());
    let answer = AgentHello { chosen: 1, oldest: 1, newest: 1, name: "everkeyd 0".into() };
    let said = line(&AgentHelloLine::from(answer));
    assert_eq!(said, r#"{"hello":{"chosen":1,"oldest":1,"newest":1,"agent":"everkeyd 0"}}"#);
}
