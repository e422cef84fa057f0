//! Work that the core has done for it, on files and on the network, and how it ends.

use crate::error::{ListenError, NetError, NotOwner, StoreError};
use crate::identity::Identity;
use crate::journal::{Intent, Journal};
use crate::kept_clients::KeptClient;
use crate::kept_sign_in::KeptSignIn;
use crate::login_call::{LoginAnswer, LoginCall};
use crate::policy::CallbackAddress;
use crate::registration::CallTarget;
use crate::revocation::PendingRevocation;
use crate::session::{Fingerprint, Session};
use crate::sidecar::Sidecar;
use crate::token_response::TokenResponse;
use everkey_proto::Secret;

/// Work on one profile's files.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum StoreJob {
    /// Take the owner lock, clear away what a crash left, make the folder durable as it stands, read everything.
    Load,
    /// Read the session file.
    ReadSession,
    /// Move a damaged session file out of the way, if it still has this digest.
    SetAside(u64),
    /// S2: make the intent durable.
    WriteIntent(Intent),
    /// S5: append the outcome to the journal and make it durable.
    Commit(Session),
    /// Make the side-car durable and leave the journal alone.
    WriteSidecar(Sidecar),
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
        revocation: Option<PendingRevocation>,
    },
    /// Keep a revocation.
    QueueRevocation(PendingRevocation),
    /// Forget a revocation.
    DropRevocation(u64),
    /// Keep these registered clients and no others.
    KeepClients(Vec<KeptClient>),
    /// Keep this sign-in for the agent's next life; none forgets the one that is kept.
    KeepSignIn(Option<Box<KeptSignIn>>),
}

/// Work on the network.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum NetJob {
    /// S1: connect and finish TLS, send nothing.
    Connect {
        /// The pinned server.
        at: CallTarget,
    },
    /// S3: send the refresh token on the connection that the same op opened.
    Send {
        /// The pinned server.
        at: CallTarget,
        /// The refresh token.
        refresh: Secret,
        /// The idempotency key.
        key: Secret,
        /// Server-clock unix seconds.
        deadline: u64,
        terms: SendTerms,
    },
    /// Ask the session route where the server stands.
    Probe {
        /// The pinned server.
        at: CallTarget,
        /// The access token.
        access: Secret,
    },
    /// A call of a sign-in.
    Login {
        /// The server that the flow is for.
        server: String,
        call: LoginCall,
    },
    /// Tell the server that a session has ended.
    Revoke(PendingRevocation),
    /// Ask the server whose a token is.
    Identify {
        /// The server.
        at: CallTarget,
        /// The token.
        access: Secret,
    },
    /// Listen on a port of this machine for browsers that come back, until it is cancelled.
    Listen(CallbackAddress),
}

/// What holds for one send of a refresh token.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct SendTerms {
    /// How long the answer may take, in milliseconds.
    pub patience_ms: u64,
    /// The statuses with which this server refuses a request before it has processed it.
    pub not_processed: Vec<u16>,
}

/// How work ended.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum JobResult {
    /// [`StoreJob::Load`]
    Loaded(Box<Loaded>),
    /// [`StoreJob::ReadSession`]
    SessionRead(Box<FileContent>),
    /// [`StoreJob::SetAside`]: the new name, or none if the file had changed.
    SetAside(Result<Option<String>, StoreError>),
    /// [`StoreJob::WriteIntent`], [`StoreJob::Commit`], [`StoreJob::WriteSidecar`], [`StoreJob::Settle`], [`StoreJob::QueueRevocation`], [`StoreJob::DropRevocation`], [`StoreJob::KeepClients`],
    /// [`StoreJob::KeepSignIn`]
    Stored(Result<(), StoreError>),
    /// [`StoreJob::Replace`]
    Replaced(Result<Replaced, StoreError>),
    /// [`StoreJob::Erase`]
    Erased(Result<(), StoreError>),
    /// [`NetJob::Connect`]
    Connected(Result<(), NetError>),
    /// [`NetJob::Send`], and the server's clock if it told.
    Answered(Box<RefreshAnswer>, Option<u64>),
    /// [`NetJob::Probe`], and the server's clock if it told.
    Probed(ProbeAnswer, Option<u64>),
    /// [`NetJob::Login`]
    LoginAnswered(Box<LoginAnswer>),
    /// [`NetJob::Revoke`]
    Revoked(RevokeAnswer),
    /// [`NetJob::Identify`]
    Identified(Identity),
    /// [`NetJob::Listen`]: the port, or why there is none.
    Listening(Result<u16, ListenError>),
}

/// What [`StoreJob::Load`] found.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Loaded {
    /// Whether this agent may write.
    pub owner: Result<(), NotOwner>,
    /// The session file.
    pub file: FileContent,
    /// The journal; an error means that nothing may be sent.
    pub journal: Result<Journal, StoreError>,
    /// The side-car; none when there is none.
    pub sidecar: Option<Sidecar>,
    /// Sign-outs the server has yet to confirm.
    pub revocations: Vec<PendingRevocation>,
    /// The clients that servers have registered.
    pub clients: Vec<KeptClient>,
    /// The sign-in that an earlier life of the agent has kept.
    pub sign_in: Option<Box<KeptSignIn>>,
}

/// What the session file turned out to be.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum FileContent {
    /// There is none.
    Missing,
    /// A session; `tightened` if it was readable by others until now.
    Session {
        session: Session,
        /// Whether its mode was wrong.
        tightened: bool,
    },
    /// Not a session; the digest tells two damaged contents apart.
    Damaged(u64),
    /// Can't be used.
    Unusable(StoreError),
}

/// How an exchange ended.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Replaced {
    /// The new session is in place and durable.
    Done,
    /// The file was not the parent's any more and has been left as it is.
    GaveWay(Box<FileContent>),
}

/// A refresh answer as the provider reads it; only a refusal may end a session (I8).
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum RefreshAnswer {
    /// New tokens.
    Granted(TokenResponse),
    /// New tokens, and beside them something that says that they are for another client or of another issuer.
    Foreign,
    /// The provider's unmistakable refusal.
    Refused,
    /// A refusal in words that the protocol does not have. Nobody knows what the server made of the token.
    RefusedInWords(NetError),
    /// RR-1's 409 `rotation_in_progress`.
    Rotating,
    /// RR-1's 409 `deadline_passed`: this attempt changed nothing.
    Late,
    /// The server did not process this attempt, so it changed nothing; an earlier attempt stays in doubt.
    Declined(NetError),
    /// Anything else: the outcome stays in doubt.
    Unclear(NetError),
}

/// What the session route says.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum ProbeAnswer {
    /// The generation that the server has reached.
    Generation(u64),
    /// It says nothing useful now.
    Unclear(NetError),
    /// It refuses the access token.
    Refused,
    /// There is no such route.
    NoRoute,
}

/// What a server answers to a revocation.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum RevokeAnswer {
    /// Done.
    Confirmed,
    /// It refused the credential: the session is gone, or the credential too old to end it.
    Refused,
    /// It would not, in its own code; nothing says that the session is gone.
    Declined(String),
    /// There is nowhere to ask.
    NoRoute,
    /// No usable answer.
    Net(NetError),
}
