//! What scenarios begin with: files, sessions, tokens and settings of the usual provider.

use everkey_proto::reply::User;
use everkey_proto::{ReplayRule, Secret, SignInMethod};
use everkey_session::policy::Policy;
use everkey_session::{
    Begun, CallTarget, Capability, Claims, FileContent, Holder, Intent, Journal, Loaded, NetError,
    NetErrorKind, Pin, ReplayKnowledge, Session, Settings, Sidecar, SignInSpan, StoreError, StoreErrorKind,
    TokenResponse,
};
use std::collections::BTreeMap;

pub const SERVER: &str = "https://api.example";
pub const MINUTE: u64 = 60_000;
pub const HOUR: u64 = 60 * MINUTE;

pub const START_WALL: u64 = 1_800_000_000;
pub const START_BOOT: u64 = 5_000_000;

/// The files that a start finds.
pub fn files(capability: Capability) -> Loaded {
    let file = session(0);
    let pin = pin_of(&file, SERVER, capability);
    let machine = Some("here".to_owned());
    Loaded {
        owner: Ok(()),
        file: found(&file),
        journal: Ok(Journal::Empty),
        sidecar: Some(Sidecar { pin: Some(pin), machine, ..Sidecar::default() }),
        revocations: Vec::new(),
        clients: Vec::new(),
        sign_in: None,
    }
}

/// The files of somebody who is signed out.
pub fn no_files() -> Loaded {
    Loaded { file: FileContent::Missing, sidecar: None, ..files(Capability::None) }
}

/// The files with this session, which everkey wrote.
pub fn files_of(session: &Session) -> Loaded {
    let mut files = files(Capability::None);
    files.file = found(session);
    let pin = pin_of(session, SERVER, Capability::None);
    files.sidecar.iter_mut().for_each(|sidecar| sidecar.pin = Some(pin.clone()));
    files
}

/// What the side-car says of a session that came from this server.
pub fn pin_of(session: &Session, server: &str, capability: Capability) -> Pin {
    Pin {
        fingerprint: session.fingerprint(),
        server: server.to_owned(),
        capability,
        lifetime_secs: Some(3600),
        scheme: None,
        user: session.holder.user.clone(),
        about: session.holder.about.clone(),
        span: SignInSpan::default(),
    }
}

/// Where the calls of the usual session go.
pub fn home() -> CallTarget {
    CallTarget { server: SERVER.to_owned(), registration: None }
}

/// An intent as an earlier life would have left it.
pub fn intent(capability: Capability) -> Intent {
    Intent {
        epoch: 0,
        parent: session(0).fingerprint(),
        key: Secret::new("the first key"),
        server: SERVER.to_owned(),
        deadline: START_WALL,
        capability,
        sends: 1,
        begun: Some(Begun { boot_id: "this boot".to_owned(), at_ms: START_BOOT, wall: START_WALL }),
    }
}

pub fn user() -> User {
    User { id: "u1".to_owned(), email: "ann@example.com".to_owned() }
}

/// Whose the usual session is.
pub fn holder() -> Holder {
    Holder { user: Some(user()), ..Holder::default() }
}

/// The tokens of one generation, as the server grants them.
pub fn grant(generation: u64) -> TokenResponse {
    TokenResponse {
        access: Secret::new(format!("access-{generation}")),
        access_expires_in: Some(3600),
        refresh: Some(Secret::new(format!("refresh-{generation}"))),
        refresh_expires_in: Some(30 * 86_400),
        sign_in_expires_in: None,
        user: Some(user()),
        about: BTreeMap::new(),
        claims: Claims {
            subject: Some("u1".to_owned()),
            session_id: Some("s1".to_owned()),
            generation: Some(generation),
        },
        capability: Capability::Rr1,
    }
}

/// The same tokens as a file, written when the scenario begins.
pub fn session(generation: u64) -> Session {
    grant(generation).into_session(holder(), START_WALL)
}

/// The same of a server that keeps no count of rotations, and whose access tokens know nothing of a session.
pub fn plain() -> Session {
    Session { claims: Claims::default(), ..session(0) }
}

pub fn found(session: &Session) -> FileContent {
    FileContent::Session { session: session.clone(), tightened: false }
}

pub fn io_error() -> StoreError {
    StoreError { path: "/session".to_owned(), kind: StoreErrorKind::Os("Input/output error".to_owned()) }
}

pub fn trouble(kind: NetErrorKind) -> NetError {
    NetError { server: SERVER.to_owned(), kind }
}

/// That servers do this with tokens that come twice, as far as nothing else is known.
pub fn replay(otherwise: ReplayRule) -> ReplayKnowledge {
    ReplayKnowledge { profile: None, issuers: &[], otherwise, not_processed: Vec::new() }
}

/// The usual provider: one-time codes, rotating refresh tokens, revocation.
pub fn policy() -> Policy {
    Policy {
        schemes: vec![SignInMethod::Otp],
        renewal: everkey_session::policy::Renewal::RefreshToken,
        revokes: true,
        identifies: false,
        access_ends_with_session: false,
        oauth: None,
        margin_secs: 60,
        replay: replay(ReplayRule::StrictUser),
        gap_ms: 30_000,
    }
}

pub fn settings(policy: Policy) -> Settings {
    Settings {
        policy,
        server: SERVER.to_owned(),
        server_is_named: false,
        session_file: "/session".to_owned(),
        machine: "here".to_owned(),
        boot_id: "this boot".to_owned(),
        announces_revocations: false,
    }
}
