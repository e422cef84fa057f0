//! What comes in and what goes out: one event in, effects out.

use crate::record::{Fingerprint, Grant, Intent, Journal, Revocation, Session, Sidecar};
use crate::trouble::{NetTrouble, NotOwner, Notice, Rejected, StoreTrouble, Trouble};
use everkey_proto::reply::{self, Field, Short, State, User};
use everkey_proto::{Expect, FlowId, Scheme, Secret};

/// Names a client that waits for an answer.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct Waiter(pub u64);

/// Names work that an effect started; its completion carries the same.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct Op(pub u64);

/// One event.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Input {
    /// A client asks.
    Ask {
        /// Who waits.
        waiter: Waiter,
        /// What it counts on.
        expect: Expect,
        /// What it asks.
        ask: Ask,
    },
    /// A client went away.
    Gone(Waiter),
    /// Work is done.
    Done(Op, Done),
    /// The session file may have changed.
    FileChanged,
    /// The time given by `next_wake` has come.
    Tick,
}

/// What a client may ask of a profile; see [`everkey_proto::Verb`].
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Ask {
    /// Who is signed in.
    Whoami,
    /// Everything to show.
    Status,
    /// An access token valid for so many seconds; 0 means what is sensible.
    Token {
        /// Seconds.
        min_validity_secs: u64,
    },
    /// Another access token than this one, which a server has refused though it should be valid (N29).
    Better {
        /// The fingerprint of the refused access token.
        than: Fingerprint,
    },
    /// A refresh now.
    Refresh {
        /// Even if the last was just now.
        force: bool,
    },
    /// A sign-in.
    Login,
    /// An answer to a flow's question.
    Answer {
        /// The flow.
        flow: FlowId,
        /// As typed.
        text: Secret,
    },
    /// A flow is given up.
    Cancel {
        /// The flow.
        flow: FlowId,
    },
    /// A sign-out.
    Logout,
}

/// One effect.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Effect {
    /// Answer a client; exactly once each.
    Reply(Waiter, Box<Answer>),
    /// Work on files; jobs of one profile run, and are reported as done, in the order given.
    Store(Op, Box<StoreJob>),
    /// Work on the network; jobs run side by side.
    Net(Op, NetJob),
    /// Close the connection of an op without sending anything more.
    Cancel(Op),
    /// Say it in the log.
    Tell(Notice),
}

/// What a client is answered.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Answer {
    /// Who is signed in.
    Whoami(User),
    /// The profile as it stands.
    Status(View),
    /// A token.
    Token {
        /// The token.
        access: Secret,
        /// Unix seconds.
        expires_at: u64,
        /// Why it may be valid for less than was asked.
        short: Option<Short>,
    },
    /// Refreshed; unix seconds of expiry.
    Refreshed(u64),
    /// A flow asks.
    Asked {
        /// The flow.
        flow: FlowId,
        /// For what.
        field: Field,
        /// Tries left.
        tries: u8,
        /// Why again.
        again: Option<Trouble>,
    },
    /// Signed in.
    SignedIn {
        /// Who.
        user: User,
        /// Whether nothing had to be done.
        already: bool,
    },
    /// A flow was given up, or the local session is gone; what the server knows of it.
    LoggedOut(reply::Revocation),
    /// It did not work.
    Failed(Trouble),
}

/// Everything there is to show about a profile.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct View {
    /// The server in use.
    pub server: String,
    /// Derived.
    pub state: State,
    /// Why it stands so.
    pub reason: Option<Trouble>,
    /// Who.
    pub user: Option<User>,
    /// How they sign in.
    pub scheme: Scheme,
    /// The access token, masked.
    pub masked: Option<String>,
    /// Unix seconds.
    pub access_expires_at: Option<u64>,
    /// Unix seconds.
    pub refresh_expires_at: Option<u64>,
    /// Unix seconds.
    pub next_refresh_at: Option<u64>,
    /// What went wrong last.
    pub last_error: Option<Trouble>,
    /// Sign-outs not confirmed yet.
    pub pending_revocations: u32,
}

/// Work on one profile's files.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum StoreJob {
    /// Take the owner lock, clear away what a crash left, make the folder durable as it stands, read everything.
    Load,
    /// Read the session file.
    Look,
    /// Move a damaged session file out of the way, if it still has this digest.
    SetAside(u64),
    /// S2: make the intent durable.
    Note(Intent),
    /// S5: append the outcome to the journal and make it durable.
    Commit(Session),
    /// Make the side-car durable and leave the journal alone.
    Remember(Sidecar),
    /// S5: put the session in the place of the file whose token is `parent`; none means whatever is there.
    Replace {
        /// The token that the file must still hold.
        parent: Option<Fingerprint>,
        /// The new session.
        session: Session,
    },
    /// Make the side-car durable, then clear the journal.
    Settle(Sidecar),
    /// Sign out: queue the revocation, make the side-car durable, remove the session file, clear the journal.
    Erase {
        /// The side-car with the new epoch.
        sidecar: Sidecar,
        /// What to tell the server.
        revocation: Option<Revocation>,
    },
    /// Keep a revocation.
    Queue(Revocation),
    /// Forget a revocation.
    Dequeue(u64),
}

/// Work on the network.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum NetJob {
    /// S1: connect and finish TLS, send nothing.
    Connect {
        /// The pinned server.
        server: String,
    },
    /// S3: send the refresh token on the connection that the same op opened.
    Send {
        /// The refresh token.
        refresh: Secret,
        /// The idempotency key.
        key: Secret,
        /// Server-clock unix seconds.
        deadline: u64,
    },
    /// Ask the session route where the server stands.
    Probe {
        /// The pinned server.
        server: String,
        /// The access token.
        access: Secret,
    },
    /// A call of a sign-in.
    Login {
        /// The server that the flow is for.
        server: String,
        /// The call.
        call: LoginCall,
    },
    /// Tell the server that a session has ended.
    Revoke(Revocation),
}

/// Calls of sign-ins.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum LoginCall {
    /// Have a code sent.
    RequestCode {
        /// To this address.
        email: String,
    },
    /// Exchange the code for tokens.
    VerifyCode {
        /// The address.
        email: String,
        /// The code.
        code: Secret,
    },
}

/// How work ended.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Done {
    /// [`StoreJob::Load`]
    Loaded(Box<Loaded>),
    /// [`StoreJob::Look`]
    Looked(Box<Found>),
    /// [`StoreJob::SetAside`]: the new name, or none if the file had changed.
    SetAside(Result<Option<String>, StoreTrouble>),
    /// [`StoreJob::Note`], [`StoreJob::Commit`], [`StoreJob::Remember`], [`StoreJob::Settle`], [`StoreJob::Queue`], [`StoreJob::Dequeue`]
    Stored(Result<(), StoreTrouble>),
    /// [`StoreJob::Replace`]
    Replaced(Result<Replaced, StoreTrouble>),
    /// [`StoreJob::Erase`]
    Erased(Result<(), StoreTrouble>),
    /// [`NetJob::Connect`]
    Connected(Result<(), NetTrouble>),
    /// [`NetJob::Send`], and the server's clock if it told.
    Answered(Box<Refresh>, Option<u64>),
    /// [`NetJob::Probe`], and the server's clock if it told.
    Probed(Probe, Option<u64>),
    /// [`NetJob::Login`]
    LoginAnswered(Box<LoginAnswer>),
    /// [`NetJob::Revoke`]
    Revoked(RevokeAnswer),
}

/// What [`StoreJob::Load`] found.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Loaded {
    /// Whether this agent may write.
    pub owner: Result<(), NotOwner>,
    /// The session file.
    pub file: Found,
    /// The journal; a trouble means that nothing may be sent.
    pub journal: Result<Journal, StoreTrouble>,
    /// The side-car; none when there is none.
    pub sidecar: Option<Sidecar>,
    /// Sign-outs the server has yet to confirm.
    pub revocations: Vec<Revocation>,
}

/// What the session file turned out to be.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Found {
    /// There is none.
    Missing,
    /// A session; `tightened` if it was readable by others until now.
    Session {
        /// The session.
        session: Session,
        /// Whether its mode was wrong.
        tightened: bool,
    },
    /// Not a session; the digest tells two damaged contents apart.
    Damaged(u64),
    /// Can't be used.
    Unusable(StoreTrouble),
}

/// How an exchange ended.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Replaced {
    /// The new session is in place and durable.
    Done,
    /// The file was not the parent's any more and has been left as it is.
    GaveWay(Box<Found>),
}

/// A refresh answer as the provider reads it; only [`Refresh::Refused`] may end a session (I8).
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Refresh {
    /// New tokens.
    Granted(Grant),
    /// The provider's unmistakable refusal.
    Refused,
    /// RR-1's 409 `rotation_in_progress`.
    Rotating,
    /// RR-1's 409 `deadline_passed`: this attempt changed nothing.
    Late,
    /// A well-formed answer that this attempt changed nothing; seconds to wait, if told.
    Declined(Option<u64>),
    /// Anything else: the outcome stays in doubt.
    Unclear(NetTrouble),
}

/// What the session route says.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Probe {
    /// The generation that the server has reached.
    Generation(u64),
    /// It says nothing useful now.
    Unclear(NetTrouble),
    /// It refuses the access token.
    Refused,
    /// There is no such route.
    NoRoute,
}

/// What a server answers to a call of a sign-in.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum LoginAnswer {
    /// A code is on its way.
    CodeSent,
    /// Signed in.
    Granted(Grant),
    /// The server refuses.
    Rejected(Rejected),
    /// The server asks to wait.
    Limited(u64),
    /// No usable answer.
    Net(NetTrouble),
}

/// What a server answers to a revocation.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum RevokeAnswer {
    /// Done.
    Confirmed,
    /// It refused the credential.
    Refused,
    /// No usable answer.
    Net(NetTrouble),
}
