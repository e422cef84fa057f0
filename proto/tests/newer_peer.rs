//! Messages of a peer that is newer, and of one that is older, as kept bytes: what was appended is passed over, what is
//! missing takes its default, and what is unknown is an error that says so. `newer-peer.txt` has a name, the body of a
//! frame, and the line; a `-` where lines differ: a request line with an unknown field is refused.

use everkey_proto::codec::{self, CodecError};
use everkey_proto::json::{self, LineError};
use everkey_proto::reply::{
    Access, AgentInfo, Event, EventKind, Hint, Refreshed, Reminder, State, Status, Token, Upstream, User,
};
use everkey_proto::request::{self, Accesses, Login, Request, Whoami};
use everkey_proto::{Code, Expect, Failure, Reply, Secret, SignInMethod};
use std::collections::BTreeMap;

const KEPT: &str = include_str!("newer-peer.txt");

/// Every message of a kind: its name, its frame's body, and its line, if there is one.
fn kept(kind: &str) -> Vec<(&'static str, Vec<u8>, Option<&'static str>)> {
    let lines: Vec<&str> = KEPT.lines().collect();
    let of_kind = lines.chunks_exact(3).filter_map(|message| {
        let name = message[0].strip_prefix(kind)?.trim();
        let line = Some(message[2].trim()).filter(|line| *line != "-");
        Some((name, bytes(message[1].trim()), line))
    });
    of_kind.collect()
}

fn bytes(hex: &str) -> Vec<u8> {
    let digit = |digit: u8| (digit as char).to_digit(16).map_or(0, |digit| digit as u8);
    hex.as_bytes().chunks_exact(2).map(|pair| digit(pair[0]) << 4 | digit(pair[1])).collect()
}

fn user() -> User {
    User { id: "u1".into(), email: "a@b.c".into() }
}

fn token() -> Token {
    Token { access_token: Secret::new("t"), expires_at: Some(9), short: None, session_ended: None }
}

fn access(at: u64) -> Access {
    let (program, client) = (Some("/bin/x".into()), Some("x 1".into()));
    Access { at, profile: "p".into(), pid: 9, program, client, from: None }
}

fn status() -> Status {
    let upstream = Upstream::Told;
    Status {
        profile: "p".into(),
        server: "s".into(),
        session_file: "f".into(),
        state: State::Valid,
        reason: None,
        user: Some(user()),
        scheme: SignInMethod::Otp,
        masked_token: None,
        access_expires_at: Some(1),
        refresh_expires_at: None,
        next_refresh_at: None,
        last_error: None,
        pending_revocations: 0,
        provider: "failproofai".into(),
        about: BTreeMap::new(),
        masked_static_token: None,
        reminder: Some(Reminder { at: 9, email: "a@b.c".into(), set_at: 1, due: false, upstream }),
        next_wake: None,
        replay: None,
        sign_in_by: None,
        token_served: false,
        token_refused: false,
        proxy: None,
        certificates: Vec::new(),
    }
}

/// What this build makes of a reply, or which enum of it has no such variant.
fn reply(name: &str) -> Result<Reply, (&'static str, u16)> {
    Ok(match name {
        "a field more at the top" => Reply::Token(token()),
        "a field more in a nested record" => Reply::Whoami(Some(user())),
        "fields more in a status and all it holds" => Reply::Status(Box::new(status())),
        "a field more inside a list" => Reply::Accesses(vec![access(2), access(1)]),
        "a field more in an event and its variant" => {
            let Access { pid, program, client, .. } = access(8);
            let what = EventKind::Handed { pid, program, client, from: None };
            Reply::Event(Event { id: 7, at: 8, profile: "p".into(), what })
        }
        "fields where there were none" => Reply::Stopping,
        "an older agent" => {
            let (version, socket, state_dir) = ("1".into(), "/s".into(), "/d".into());
            Reply::Agent(AgentInfo { version, pid: 2, socket, state_dir, replaced: false })
        }
        "an older peer's token" => Reply::Token(token()),
        "an older peer that does not know the expiry" => {
            Reply::Refreshed(Refreshed { access_expires_at: None })
        }
        "an older peer without the appended field" => {
            Reply::Accesses(vec![Access { program: None, client: None, ..access(2) }])
        }
        "an older peer's failure" => Reply::Failed(Failure::new(Code::Refused, "m", Hint::Login)),
        "an unknown hint" => Reply::Failed(Failure::new(Code::Refused, "m", Hint::Unknown)),
        "an unknown reply" => return Err(("Reply", 99)),
        "an unknown state in a record" => return Err(("State", 50)),
        "an unknown event" => return Err(("EventKind", 60)),
        other => unreachable!("{other}"),
    })
}

fn request(name: &str) -> Result<Request, (&'static str, u16)> {
    let about = |request| Request::Profile { profile: None, expect: Expect::default(), request };
    Ok(match name {
        "a field more in a request" => about(request::Token { min_validity_secs: 60 }.into()),
        "an older peer's sign-in" => about(Login { scheme: None, under_way: None }.into()),
        "a field more in what is expected" => {
            let expect = Expect { server: Some("http://s".into()), session_file: None };
            Request::Profile { profile: Some("p".into()), expect, request: Whoami.into() }
        }
        "a field more about the agent" => Request::Agent(Accesses { limit: 5 }.into()),
        "an unknown request" => return Err(("SessionRequest", 77)),
        "an unknown request about the agent" => return Err(("AgentRequest", 40)),
        "an unknown way to sign in" => return Err(("SignInMethod", 9)),
        other => unreachable!("{other}"),
    })
}

fn in_frame<T>(expected: Result<T, (&'static str, u16)>) -> Result<T, CodecError> {
    expected.map_err(|(name, number)| CodecError::Unknown { name, number })
}

#[test]
fn d09_replies_of_another_build_are_read_or_named() {
    let all = kept("reply");
    assert_eq!(all.len(), 15);
    for (name, body, line) in all {
        assert_eq!(codec::decode_reply(&body), in_frame(reply(name)), "{name}");
        match (json::read_reply(line.unwrap_or_default().as_bytes()), reply(name)) {
            (Ok(read), expected) => assert_eq!(Ok(read), expected, "{name}"),
            (Err(LineError::UnknownWord { .. }), Err(_)) => {}
            (Err(e), _) => unreachable!("{name}: {e}"),
        }
    }
}

#[test]
fn d09_requests_of_another_build_are_read_or_named() {
    let all = kept("request");
    assert_eq!(all.len(), 7);
    for (name, body, line) in all {
        assert_eq!(codec::decode_request(&body), in_frame(request(name)), "{name}");
        let Some(line) = line else { continue };
        let e = json::read_request(line.as_bytes()).unwrap_err();
        assert!(matches!(e, LineError::UnknownRequest | LineError::UnknownWord { .. }), "{name}: {e}");
    }
    let misspelt = json::read_request(br#"{"request":"token","audience":"x"}"#);
    assert!(
        matches!(misspelt, Err(LineError::Shape { .. })),
        "a field that nobody knows is a mistake in a line"
    );
}
