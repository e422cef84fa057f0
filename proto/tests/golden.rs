//! Every message of protocol version 1, byte for byte and as JSON. A difference means that an older client or agent
//! no longer understands this one: append, never change. `EVERKEY_GOLDEN=write cargo test -p everkey-proto` adds new ones.

use everkey_proto::hello::{AgentHello, ClientHello};
use everkey_proto::json::{self, AgentHelloLine, ReplyLine};
use everkey_proto::reply::{
    Access, AccessPage, AgentInfo, CalledFrom, CodeSent, Event, EventKind, Examination, ExaminedProfile,
    Field, Hint, InForce, Inspection, NextWake, ParentProcess, Reach, ReachStep, Refreshed, Reminder, Replay,
    ReplaySource, Revocation, ServerAnswer, Short, SignInUnderWay, State, Status, Step, Token, Upstream,
    User, Verdict,
};
use everkey_proto::request::{
    self, Accesses, Answer, Better, Cancel, ClearReminder, DescribeAgent, Events, Examine, Inspect, Leave,
    Login, Logout, ReadAccessLog, Refresh, SetReminder, Stop, UnderWay, Wait, Whoami,
};
use everkey_proto::{
    Code, Entry, Expect, Failure, Fingerprint, FlowId, ReplayRule, Reply, Request, Secret, SignInMethod,
    When, codec,
};
use std::collections::BTreeMap;
use std::fmt::Write;
use std::path::Path;

fn requests() -> Vec<(&'static str, Request)> {
    let about = |request| Request::Profile { profile: None, expect: Expect::default(), request };
    #[allow(clippy::unwrap_used)] // a helper of tests
    let than = Fingerprint::try_from("ab".repeat(32)).unwrap();
    let (flow, email) = (FlowId(77), "a@b.c".to_owned());
    let answer = |entry| about(Answer { flow, entry }.into());
    let expect = Expect { server: Some("http://s".into()), session_file: Some("/f".into()) };
    let named = Request::Profile { profile: Some("failproofai".into()), expect, request: Whoami.into() };
    let log = ReadAccessLog { since: Some(1), until: None, skip: 2, limit: 3 };
    vec![
        ("whoami", about(Whoami.into())),
        ("status", about(request::Status.into())),
        ("token", about(request::Token { min_validity_secs: 60 }.into())),
        ("refresh", about(Refresh { force: true }.into())),
        ("login", about(Login { scheme: None, under_way: None }.into())),
        ("login otp", about(Login { scheme: Some(SignInMethod::Otp), under_way: None }.into())),
        ("login device", about(Login { scheme: Some(SignInMethod::Device), under_way: None }.into())),
        ("login browser", about(Login { scheme: Some(SignInMethod::Browser), under_way: None }.into())),
        ("login token", about(Login { scheme: Some(SignInMethod::Token), under_way: None }.into())),
        ("answer", answer(Entry::Text(Secret::new("123456")))),
        ("answer email", answer(Entry::Email(email.clone()))),
        ("answer code of another", answer(Entry::Code { email, code: Secret::new("123456") })),
        ("cancel", about(Cancel { flow }.into())),
        ("leave", about(Leave { flow }.into())),
        ("login join", about(Login { scheme: None, under_way: Some(UnderWay::Join(flow)) }.into())),
        ("login instead", about(Login { scheme: None, under_way: Some(UnderWay::Replace(flow)) }.into())),
        ("logout", about(Logout.into())),
        ("agent", Request::Agent(DescribeAgent.into())),
        ("stop", Request::Agent(Stop.into())),
        ("better", about(Better { than }.into())),
        ("wait", about(Wait { flow }.into())),
        ("inspect", about(Inspect { token: None }.into())),
        ("reminder", about(request::Reminder.into())),
        ("set reminder in days", about(SetReminder { when: When::InDays(7) }.into())),
        ("set reminder at", about(SetReminder { when: When::At(9) }.into())),
        ("clear reminder", about(ClearReminder.into())),
        ("events", Request::Agent(Events { past: true }.into())),
        ("accesses", Request::Agent(Accesses { limit: 5 }.into())),
        ("inspect token", about(Inspect { token: Some(Secret::new("t")) }.into())),
        ("expecting", named),
        ("access log", Request::Agent(log.into())),
        ("examine", Request::Agent(Examine.into())),
    ]
}

fn replies() -> Vec<(String, Reply)> {
    let user = || User { id: "u1".into(), email: "a@b.c".into() };
    let failure = |code| Failure {
        code,
        message: "m".into(),
        hint: "h".into(),
        retry_after_secs: Some(3),
        answer: None,
        under_way: None,
    };
    let reminder = |upstream| Reminder { at: 9, email: "a@b.c".into(), set_at: 1, due: false, upstream };
    let about = || BTreeMap::from([("org".to_owned(), "o".to_owned()), ("role".to_owned(), "r".to_owned())]);
    let status = Status {
        profile: "p".into(),
        server: "s".into(),
        session_file: "f".into(),
        state: State::Valid,
        reason: None,
        user: Some(user()),
        scheme: SignInMethod::Otp,
        masked_token: Some("****".into()),
        access_expires_at: Some(1),
        refresh_expires_at: Some(2),
        next_refresh_at: Some(3),
        last_error: None,
        pending_revocations: 4,
        provider: "failproofai".into(),
        about: about(),
        masked_static_token: Some("****".into()),
        reminder: Some(reminder(Upstream::Told)),
        next_wake: Some(NextWake { at: 5, reason: "refresh".into() }),
        replay: Some(Replay { rule: ReplayRule::Grace(30), returns: None, source: ReplaySource::Nobody }),
        sign_in_by: Some(6),
        token_served: true,
        token_refused: true,
        proxy: Some(InForce { value: "http://p:1".into(), origin: "HTTPS_PROXY".into() }),
        certificates: vec![InForce { value: "/c".into(), origin: "profile".into() }],
    };
    let bare = Status {
        reason: Some("r".into()),
        user: None,
        scheme: SignInMethod::Device,
        masked_token: None,
        access_expires_at: None,
        refresh_expires_at: None,
        next_refresh_at: None,
        last_error: Some("e".into()),
        about: BTreeMap::new(),
        masked_static_token: None,
        next_wake: None,
        reminder: None,
        proxy: None,
        certificates: Vec::new(),
        ..status.clone()
    };
    let info = AgentInfo {
        version: "1".into(),
        pid: 2,
        socket: "/s".into(),
        state_dir: "/d".into(),
        replaced: false,
    };
    let token =
        |short| Token { access_token: Secret::new("t"), expires_at: Some(9), short, session_ended: None };
    let for_ever = Token { expires_at: None, ..token(None) };
    let last = Token { session_ended: Some("why".into()), ..token(None) };
    let inspected = |verdict, user, about| Reply::Inspected(Inspection { verdict, user, about });
    let show = |complete_url| Step::Show {
        flow: FlowId(77),
        url: "https://s/device".into(),
        complete_url,
        user_code: "AB-12".into(),
        expires_at: 9,
    };
    let open =
        Step::Open { flow: FlowId(77), url: "https://s/authorize?state=x".into(), port: 5, expires_at: 9 };
    let ask = |field, again| Step::Ask { flow: FlowId(77), field, tries: 5, again, sent: None };
    let sent = CodeSent { to: "a@b.c".into(), expires_in: Some(600), resend_available_in: Some(30) };
    let ask_sent =
        Step::Ask { flow: FlowId(77), field: Field::Code, tries: 5, again: None, sent: Some(sent) };
    let answered = ServerAnswer { status: 429, code: "rate_limited".into() };
    let under_way = SignInUnderWay {
        flow: FlowId(77),
        scheme: SignInMethod::Otp,
        server: "s".into(),
        email: Some("a@b.c".into()),
        started_at: 9,
    };
    let in_the_way = Failure { under_way: Some(Box::new(under_way)), ..failure(Code::InProgress) };
    let answered = Failure { answer: Some(answered), ..failure(Code::RateLimited) };
    let event = |what| Reply::Event(Event { id: 7, at: 8, profile: "p".into(), what });
    let (program, client) = (Some("/bin/x".to_owned()), Some("x 1".to_owned()));
    let parents = vec![ParentProcess { pid: 8, program: program.clone(), folder: Some("/h".into()) }];
    let (terminal, unit) = (Some("/dev/pts/3".to_owned()), Some("x.service".to_owned()));
    let from = Some(CalledFrom { folder: Some("/h".into()), parents, terminal, unit });
    let access = Access {
        at: 8,
        profile: "p".into(),
        pid: 9,
        program: program.clone(),
        client: client.clone(),
        from: None,
    };
    let traced = Access { from: from.clone(), ..access.clone() };
    let handed = |from| EventKind::Handed { pid: 9, program: program.clone(), client: client.clone(), from };
    let nameless = EventKind::Handed { pid: 9, program: None, client: None, from: None };
    let mut all = vec![
        ("whoami".into(), Reply::Whoami(Some(user()))),
        ("whoami nobody knows".into(), Reply::Whoami(None)),
        ("status".into(), Reply::Status(Box::new(status))),
        ("status bare".into(), Reply::Status(Box::new(bare))),
        ("token".into(), Reply::Token(token(None))),
        ("token short lifetime".into(), Reply::Token(token(Some(Short::Lifetime)))),
        ("token short no refresh".into(), Reply::Token(token(Some(Short::NoRefresh)))),
        ("token for ever".into(), Reply::Token(for_ever)),
        ("refreshed".into(), Reply::Refreshed(Refreshed { access_expires_at: Some(9) })),
        ("token of an ended session".into(), Reply::Token(last)),
        ("refreshed for ever".into(), Reply::Refreshed(Refreshed { access_expires_at: None })),
        ("ask email".into(), Reply::Step(ask(Field::Email, None))),
        ("ask code again".into(), Reply::Step(ask(Field::Code, Some(failure(Code::Refused))))),
        ("done".into(), Reply::Step(Step::Done { user: Some(user()), already: true })),
        ("done nobody knows who".into(), Reply::Step(Step::Done { user: None, already: false })),
        ("ask token".into(), Reply::Step(ask(Field::Token, None))),
        ("ask second factor".into(), Reply::Step(ask(Field::SecondFactor, None))),
        ("another sign-in is under way".into(), Reply::Failed(in_the_way)),
        ("show".into(), Reply::Step(show(None))),
        ("show complete".into(), Reply::Step(show(Some("https://s/device?user_code=AB-12".into())))),
        ("open".into(), Reply::Step(open)),
        ("inspected accepted".into(), inspected(Verdict::Accepted, Some(user()), about())),
        ("inspected refused".into(), inspected(Verdict::Refused, None, BTreeMap::new())),
        ("inspected untold".into(), inspected(Verdict::Untold, None, BTreeMap::new())),
        ("ask code sent".into(), Reply::Step(ask_sent)),
        ("failed answered".into(), Reply::Failed(answered)),
        ("reminder none".into(), Reply::Reminder(None)),
        ("reminder told".into(), Reply::Reminder(Some(reminder(Upstream::Told)))),
        ("reminder pending".into(), Reply::Reminder(Some(reminder(Upstream::Pending)))),
        ("reminder unknown".into(), Reply::Reminder(Some(reminder(Upstream::Unknown)))),
        ("accesses".into(), Reply::Accesses(vec![access])),
        ("following".into(), Reply::Following),
        ("event signed in".into(), event(EventKind::SignedIn { user: Some(user()) })),
        ("event signed out".into(), event(EventKind::SignedOut { why: "w".into() })),
        ("event refreshed".into(), event(EventKind::Refreshed { access_expires_at: Some(9) })),
        ("event offline".into(), event(EventKind::Offline { why: "w".into() })),
        ("event needs login".into(), event(EventKind::NeedsLogin { why: "w".into() })),
        ("event adopted".into(), event(EventKind::Adopted { user: None })),
        ("event file trouble".into(), event(EventKind::FileTrouble { why: "w".into() })),
        ("event handed".into(), event(handed(None))),
        ("event handed nameless".into(), event(nameless)),
        ("event reminder set".into(), event(EventKind::ReminderSet { reminder: reminder(Upstream::Told) })),
        ("event reminder cleared".into(), event(EventKind::ReminderCleared)),
        ("event reminder due".into(), event(EventKind::ReminderDue { reminder: reminder(Upstream::Told) })),
        ("event sign-in ahead".into(), event(EventKind::SignInAhead { why: "w".into(), by: Some(9) })),
        ("agent".into(), Reply::Agent(info)),
        ("stopping".into(), Reply::Stopping),
    ];
    all.push(("event handed from".into(), event(handed(from))));
    all.push(("access log".into(), Reply::AccessLog(AccessPage { accesses: vec![traced], total: 7 })));
    all.extend(examined());
    let known = vec!["p".to_owned(), "q".to_owned()];
    for hint in [
        Hint::Login,
        Hint::LoginIfRefused,
        Hint::Whoami,
        Hint::Status,
        Hint::ForceRefresh,
        Hint::OmitServer,
        Hint::OmitSessionFile,
        Hint::OmitScheme,
        Hint::UseScheme(SignInMethod::Device),
        Hint::AddClientId,
        Hint::AddProfile { known },
        Hint::NameReminderProfile,
        Hint::CheckServer,
        Hint::CheckNetwork,
        Hint::ReplaceSessionFile,
        Hint::HaveSessionFileRemoved,
        Hint::StopOtherAgent,
        Hint::Unknown,
        Hint::JoinOrReplace,
    ] {
        all.push((format!("failed with {hint:?}"), Reply::Failed(Failure::new(Code::Refused, "m", hint))));
    }
    use Revocation::{Impossible, NotConfirmed, NothingToDo, Queued, Revoked};
    for revocation in [NothingToDo, Revoked, Queued, NotConfirmed, Impossible] {
        all.push((format!("logged out {revocation:?}"), Reply::LoggedOut { revocation, why: None }));
    }
    all.push(("logged out why".into(), Reply::LoggedOut { revocation: NotConfirmed, why: Some("w".into()) }));
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
        Code::InProgress,
        Code::Cancelled,
    ] {
        all.push((format!("failed {code:?}"), Reply::Failed(failure(code))));
    }
    all
}

fn examined() -> Vec<(String, Reply)> {
    use ReachStep::{Answer, Certificate, CertificateTime, Connection, Name, Proxy};
    let steps = [Name, Connection, Proxy, CertificateTime, Certificate, Answer];
    let stuck = steps.map(|step| Reach::Stuck { step, why: "w".into() });
    let reach = Reach::Answered { status: 404, date: Some(9), received_at: 8 };
    let profiles = [reach].into_iter().chain(stuck).map(|reach| ExaminedProfile {
        profile: "p".into(),
        session_file: "f".into(),
        server: "s".into(),
        proxy: Some(InForce { value: "http://p:1".into(), origin: "HTTPS_PROXY".into() }),
        certificates: vec![InForce { value: "/c".into(), origin: "profile".into() }],
        is_open: true,
        last_refresh_at: Some(7),
        reach,
        millis: 6,
    });
    let found = Examination {
        version: "1".into(),
        program: Some("/bin/everkeyd".into()),
        program_replaced: true,
        is_service: true,
        sandbox: vec!["s".into()],
        profiles: profiles.collect(),
    };
    let bare = Examination { program: None, sandbox: Vec::new(), profiles: Vec::new(), ..found.clone() };
    vec![("examined".into(), Reply::Examined(found)), ("examined bare".into(), Reply::Examined(bare))]
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
        let json = String::from_utf8(json::write_request(&request)).unwrap();
        let json = json.trim_end();
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
    // Names that are not in order would be a second spelling of the same message.
    let (_, reply) = replies().into_iter().find(|(name, _)| name == "inspected accepted").unwrap();
    let body = codec::encode_reply(&reply).unwrap();
    let at = body.windows(3).position(|three| three == b"org").unwrap();
    let mut odd = body;
    odd[at..at + 3].copy_from_slice(b"z\0z");
    assert!(codec::decode_reply(&odd).is_err());
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
    assert!(json::read_request(b"{\"request\":\"wait\"}").unwrap_err().to_string().contains("\"flow\""));
    let unasked = b"{\"request\":\"token\",\"token\":\"hunter2\"}";
    let superfluous = json::read_request(unasked).unwrap_err().to_string();
    assert!(superfluous.contains("\"token\"") && !superfluous.contains("hunter2"), "{superfluous}");
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
