//! Things to show where there is no agent: for tests, and for `preview.rs`.

use super::clock::Clock;
use crate::agent::Look;
use everkey_client::{Failure, ResolvedProfile, Status};
use everkey_config::ProviderKind;
use everkey_proto::SignInMethod;
use everkey_proto::reply::{
    Access, AgentInfo, CalledFrom, Code, Event, EventKind, ParentProcess, Reminder, State, Upstream, User,
};
use jiff::tz::TimeZone;
use std::collections::BTreeMap;

/// 21 November 2026, 12:00 UTC.
pub const NOON: u64 = 1_795_262_400;

/// A clock that stands at noon.
pub fn clock() -> Clock {
    Clock::at(NOON, TimeZone::UTC)
}

/// A status with nothing in it but its name and state.
pub fn status(profile: &str, state: State) -> Status {
    Status {
        profile: profile.to_owned(),
        server: "https://api.befailproof.ai".to_owned(),
        session_file: "/home/ada/.failproofai/auth.json".to_owned(),
        state,
        reason: None,
        user: None,
        scheme: SignInMethod::Otp,
        masked_token: None,
        access_expires_at: None,
        refresh_expires_at: None,
        next_refresh_at: None,
        last_error: None,
        pending_revocations: 0,
        provider: "failproofai".to_owned(),
        about: BTreeMap::new(),
        masked_static_token: None,
        reminder: None,
        next_wake: None,
        replay: None,
        sign_in_by: None,
        token_served: false,
        token_refused: false,
        proxy: None,
        certificates: Vec::new(),
    }
}

/// Ada, signed in to failproofai with nothing to complain of.
pub fn ada() -> Status {
    Status {
        user: Some(user("ada@example.com")),
        masked_token: Some("eyJhbGci...x9fQ".to_owned()),
        access_expires_at: Some(NOON + 53 * 60 + 14),
        refresh_expires_at: Some(NOON + 29 * 86_400),
        next_refresh_at: Some(NOON + 41 * 60 + 30),
        ..status("failproofai", State::Valid)
    }
}

/// A reminder of Ada's, six days ahead.
pub fn reminder() -> Reminder {
    Reminder {
        at: NOON + 6 * 86_400 + 3600,
        email: "ada@example.com".to_owned(),
        set_at: NOON - 86_400,
        due: false,
        upstream: Upstream::Told,
    }
}

/// A person.
pub fn user(email: &str) -> User {
    User { id: "7d1c9a52-1f0e-4c58-9a10-3a7be2d40c11".to_owned(), email: email.to_owned() }
}

/// A profile that comes without configuration.
pub fn profile(name: &str, provider: ProviderKind) -> ResolvedProfile {
    let built_in = provider != ProviderKind::Oauth;
    ResolvedProfile { built_in, ..ResolvedProfile::built_in(name, provider, "/home/ada/session.json".into()) }
}

/// The agent with these profiles.
pub fn look(profiles: Vec<(ResolvedProfile, Result<Status, Failure>)>) -> Look {
    let agent = AgentInfo {
        version: "0.1.0".to_owned(),
        pid: 4711,
        socket: "/run/user/1000/everkey/agent.sock".to_owned(),
        state_dir: "/home/ada/.local/state/everkey".to_owned(),
        replaced: false,
    };
    Look { agent, profiles }
}

/// The agent with one session of every state.
pub fn full() -> Look {
    let oauth = |name: &str, state| Status {
        provider: "oauth".to_owned(),
        server: format!("https://{name}.example.org"),
        scheme: SignInMethod::Browser,
        user: Some(user("ada.lovelace@work.example.org")),
        masked_token: Some("at_9f...31c0".to_owned()),
        access_expires_at: Some(NOON + 12 * 60),
        refresh_expires_at: Some(NOON + 7 * 86_400),
        next_refresh_at: Some(NOON + 180),
        ..status(name, state)
    };
    let mut offline = oauth("work", State::Offline);
    offline.last_error =
        Some("Could not reach the api-server at https://work.example.org (connection refused).".to_owned());
    let mut over = oauth("staging", State::NeedsLogin);
    over.reason = Some("not signed in (the api-server has ended the session)".to_owned());
    over.access_expires_at = Some(NOON - 600);
    over.next_refresh_at = None;
    over.pending_revocations = 1;
    let binboi = Status {
        provider: "binboi".to_owned(),
        server: "https://api.binboi.com".to_owned(),
        scheme: SignInMethod::Token,
        user: Some(user("ada@example.com")),
        masked_token: Some("binboi_p...d617".to_owned()),
        about: BTreeMap::from([
            ("name".to_owned(), "Ada <b>L.</b>".to_owned()),
            ("plan".to_owned(), "free".to_owned()),
        ]),
        ..status("binboi", State::Valid)
    };
    let dot_ai = Status {
        provider: "dot-ai".to_owned(),
        server: "http://localhost:3456".to_owned(),
        scheme: SignInMethod::Browser,
        reason: Some("not signed in".to_owned()),
        ..status("dot-ai", State::SignedOut)
    };
    let achilles = Status {
        provider: "achilles".to_owned(),
        server: "http://localhost:3000".to_owned(),
        scheme: SignInMethod::Device,
        reason: Some("not signed in".to_owned()),
        ..status("achilles/default", State::SignedOut)
    };
    let broken = Failure::new(Code::Timeout, "The answer did not come in time.", "Try again.");
    let ada = Status { reminder: Some(reminder()), ..ada() };
    look(vec![
        (profile("failproofai", ProviderKind::Failproofai), Ok(ada)),
        (profile("achilles/default", ProviderKind::Achilles), Ok(achilles)),
        (profile("binboi", ProviderKind::Binboi), Ok(binboi)),
        (profile("dot-ai", ProviderKind::DotAi), Ok(dot_ai)),
        (profile("refreshing", ProviderKind::Oauth), Ok(oauth("refreshing", State::Refreshing))),
        (profile("slow", ProviderKind::Oauth), Err(broken)),
        (profile("staging", ProviderKind::Oauth), Ok(over)),
        (profile("work", ProviderKind::Oauth), Ok(offline)),
    ])
}

/// The agent as it is on its first day.
pub fn fresh() -> Look {
    let out = |name: &str, provider: ProviderKind| {
        let status = Status {
            server: provider.default_server().unwrap_or_default().to_owned(),
            scheme: provider.schemes().first().copied().unwrap_or(SignInMethod::Otp),
            reason: Some("not signed in".to_owned()),
            ..status(name, State::SignedOut)
        };
        (profile(name, provider), Ok(status))
    };
    look(vec![
        out("failproofai", ProviderKind::Failproofai),
        out("achilles/default", ProviderKind::Achilles),
        out("binboi", ProviderKind::Binboi),
        out("dot-ai", ProviderKind::DotAi),
    ])
}

/// No agent.
pub fn gone() -> Failure {
    crate::agent::gone()
}

/// Two hours of a working day, the oldest first.
pub fn events() -> Vec<Event> {
    let refreshed = |at| (at, "failproofai", EventKind::Refreshed { access_expires_at: Some(at + 3600) });
    let handed = |at, program: &str| {
        (
            at,
            "failproofai",
            EventKind::Handed { pid: 8123, program: Some(program.to_owned()), client: None, from: None },
        )
    };
    let why = |text: &str| text.to_owned();
    let all = vec![
        (NOON - 15_000, "failproofai", EventKind::SignedIn { user: Some(user("ada@example.com")) }),
        refreshed(NOON - 12_200),
        (NOON - 11_000, "work", EventKind::Adopted { user: Some(user("ada.lovelace@work.example.org")) }),
        refreshed(NOON - 9_400),
        (NOON - 8_000, "work", EventKind::Refreshed { access_expires_at: None }),
        refreshed(NOON - 6_600),
        (
            NOON - 5_000,
            "staging",
            EventKind::NeedsLogin { why: why("not signed in (the api-server has ended the session)") },
        ),
        (
            NOON - 4_600,
            "failproofai",
            EventKind::Offline {
                why: why(
                    "Could not reach the api-server at https://api.befailproof.ai (connection refused).",
                ),
            },
        ),
        refreshed(NOON - 4_500),
        (
            NOON - 4_000,
            "work",
            EventKind::Offline {
                why: why("The api-server at https://work.example.org did not answer in time."),
            },
        ),
        (NOON - 3_000, "failproofai", EventKind::ReminderSet { reminder: reminder() }),
        handed(NOON - 2_000, "/usr/bin/curl"),
        handed(NOON - 1_995, "/usr/bin/curl"),
        handed(NOON - 1_990, "/usr/bin/curl"),
        (
            NOON - 1_800,
            "binboi",
            EventKind::FileTrouble { why: why("/home/ada/.binboi/config.json is damaged.") },
        ),
        refreshed(NOON - 1_100),
        handed(NOON - 300, "/usr/local/bin/failproofai"),
    ];
    let number = |(id, (at, profile, what)): (u64, (u64, &str, EventKind))| Event {
        id,
        at,
        profile: profile.to_owned(),
        what,
    };
    (1..).zip(all).map(number).collect()
}

/// Two days of tokens handed out, the newest first.
pub fn accesses() -> Vec<Access> {
    let access = |at, profile: &str, pid, program: Option<&str>| Access {
        at,
        profile: profile.to_owned(),
        pid,
        program: program.map(str::to_owned),
        client: None,
        from: None,
    };
    let script = |program: &str, folder: Option<&str>| ParentProcess {
        pid: 8000,
        program: Some(program.to_owned()),
        folder: folder.map(str::to_owned),
    };
    let from = CalledFrom {
        folder: Some("/home/ada/site".to_owned()),
        parents: vec![script("/usr/bin/bash", Some("/home/ada/site")), script("/usr/bin/<i>make", None)],
        terminal: Some("/dev/pts/3".to_owned()),
        unit: None,
    };
    let mut all = vec![
        Access {
            client: Some("everkey 0.1.0".to_owned()),
            from: Some(from),
            ..access(NOON - 60, "failproofai", 8123, Some("/usr/local/bin/failproofai"))
        },
        access(NOON - 300, "failproofai", 9001, Some("/usr/bin/curl")),
        access(NOON - 310, "failproofai", 9002, Some("/usr/bin/curl")),
        access(NOON - 320, "failproofai", 9003, Some("/usr/bin/curl")),
        access(NOON - 4_000, "work", 511, Some("/home/ada/.cargo/bin/<b>deploy")),
        access(NOON - 5_000, "binboi", 77, None),
        access(
            NOON - 40_000,
            "failproofai",
            7120,
            Some("/home/ada/projects/a rather long path/target/debug/examples/call_an_api"),
        ),
        access(NOON - 90_000, "work", 412, Some("/usr/bin/python3.13 (deleted)")),
    ];
    all.extend((0..14).map(|n| {
        access(NOON - 100_000 - n, "work", 400 + i32::try_from(n).unwrap_or_default(), Some("/usr/bin/git"))
    }));
    all
}
