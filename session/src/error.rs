//! What can go wrong, as data. Sentences are made in the binaries.

use crate::answer_flaw::{AnswerFlaw, UnusableAnswer};
use everkey_proto::reply::SignInUnderWay;
use serde::{Deserialize, Serialize};
use std::fmt;

/// Why a request failed.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Error {
    /// Nobody is signed in.
    NotSignedIn(SignedOutReason),
    /// Only a new sign-in helps.
    NeedsLogin(EndReason),
    /// This server has refused the access token, and there is no way to another.
    TokenRefused(String),
    /// The caller counts on another server.
    OtherServer {
        /// What the agent uses.
        agent: String,
        /// What the caller expects.
        client: String,
    },
    /// The caller counts on another session file.
    OtherFile {
        /// What the agent uses.
        agent: String,
        /// What the caller expects.
        client: String,
    },
    /// There is no such flow, or it is over.
    FlowGone,
    /// Another sign-in was begun in place of this one.
    FlowReplaced,
    /// Somebody has given this sign-in up.
    FlowCancelled,
    /// Somebody else's sign-in is under way.
    InProgress(Box<SignInUnderWay>),
    /// The account changed while the request waited.
    AccountChanged,
    /// The api-server can't be reached or makes no sense.
    Net(NetError),
    /// A refresh was sent to this server, and its outcome is not known.
    Uncertain(String, DoubtOutlook),
    /// Nothing came of it in time.
    Timeout,
    /// The last refresh is less than 30 s ago.
    TooSoon {
        /// Seconds until it may be asked again.
        secs: u64,
    },
    /// The api-server refused the email address or the code.
    Rejected(Rejected),
    /// The api-server asks to wait.
    RateLimited {
        /// Seconds.
        secs: u64,
    },
    /// A local file is in the way.
    Store(StoreError),
    /// Another agent, or nobody can know which, holds the session file.
    NotOwner(NotOwner),
    /// This provider is not signed in to in that way, but in these.
    NoSuchScheme(Vec<everkey_proto::SignInMethod>),
    /// The access token can't be refreshed: there is no refresh token.
    CantRefresh,
    /// The port, or no port, of this machine can be listened on.
    CantListen(ListenError),
}

/// What becomes of a refresh whose outcome is not known.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum DoubtOutlook {
    /// The same token may be sent again, or the server be asked what became of it.
    SentAgain,
    /// A repeat may cost the session, so it waits until just before the access token ends, when nothing is left to lose.
    SentAtTheEnd,
    /// The token is never sent again: the server would sign the user out everywhere.
    NeverSent,
}

/// Why nobody is signed in.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum SignedOutReason {
    /// There is no session file.
    NoFile,
    /// The session file was removed by another program.
    Removed,
    /// The session file was damaged and has been set aside under this name.
    SetAside(String),
}

/// Why only a new sign-in helps.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum EndReason {
    /// The server refused the refresh token.
    Refused,
    /// The server refused the refresh in words that its protocol does not have.
    RefusedInWords,
    /// An answer was lost, and the server would sign the user out everywhere if it were asked again.
    AnswerLost,
    /// An answer was lost, and the server refused the same token when it came again.
    RepeatRefused,
    /// The server has rotated further than this session.
    SessionLost,
    /// The session file holds a token that was already used up: a restored backup.
    Restored,
    /// The session was signed out here, and its file came back. The side-car has another word for it, which older
    /// agents know, too.
    #[serde(skip)]
    SignedOut,
    /// The session file was copied from a machine that went on using it.
    Copied,
    /// Another program keeps refreshing the same token.
    Contested,
    /// The access token has expired, and there is no refresh token.
    Expired,
}

/// What the api-server refused during a sign-in.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Rejected {
    /// The email address.
    Email,
    Code,
    /// The second factor: it is wrong, or was used before.
    SecondFactor,
    /// What was typed is neither six digits nor a recovery code.
    NoSecondFactor,
    /// An answer that can't be the code; nothing was sent.
    NoCode,
    Token,
    /// An answer that can't be a token, for this reason; nothing was sent.
    NoToken(everkey_proto::pasted::NoToken),
    /// The person, or somebody for them, said no.
    Denied,
    /// The code was not approved in time.
    Expired,
    /// Nobody finished the sign-in in so many seconds.
    Unfinished {
        secs: u64,
    },
    /// What a browser brought back does not belong to this sign-in.
    Stray,
    /// A server that names itself otherwise than it is called: what it calls itself.
    Issuer(String),
    /// A server whose metadata can't be used: what is wrong with it.
    Metadata(String),
    /// The server would not register this client: its own code, or the status.
    Registration(String),
    /// The server wants to know clients beforehand, and this one has no id.
    NoClient,
    /// The server would not give this client a token of its own: its code.
    Client(String),
    /// The server does not offer this way to sign in.
    SignInMethod(everkey_proto::SignInMethod),
    /// Something else, in the server's own code.
    Other(String),
    /// Something else, and the HTTP status.
    Answered(u16, String),
}

/// What is wrong between here and an api-server.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct NetError {
    /// The server's base URL.
    pub server: String,
    /// What is wrong.
    pub kind: NetErrorKind,
}

impl NetError {
    /// Whether somebody has to mend the OAuth client before another try can succeed.
    pub(crate) fn is_about_the_client(&self) -> bool {
        matches!(self.kind, NetErrorKind::ClientRefused(_) | NetErrorKind::ClientUnusable(_))
    }
}

/// Kinds of network errors.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum NetErrorKind {
    /// No connection: name, route, refusal or TLS, in the library's words.
    Connect(String),
    /// No answer in time.
    Timeout,
    /// The connection broke before the answer was complete.
    Broken,
    /// The connection broke in the middle of a successful answer: the server has done what it was asked.
    Cut,
    /// An HTTP status that is no answer to the question, and the server's words about it, if there are any.
    Status(u16, Option<String>),
    /// It does not accept this client, or the way in which it is configured to ask; in the server's words.
    ClientRefused(String),
    /// It answered with something else than the contract's JSON.
    NotTheContract(UnusableAnswer),
    /// It wanted to send us elsewhere.
    Redirect,
    /// It answered for another user or session.
    OtherSession,
    /// It refuses while another rotation of the same token is under way.
    Rotating,
    /// It found the request past its deadline.
    Late,
    /// It asks to wait so many seconds.
    Limited(u64),
    /// Nothing was sent: the configured OAuth client can't be used, for this reason.
    ClientUnusable(String),
}

impl From<AnswerFlaw> for NetErrorKind {
    fn from(flaw: AnswerFlaw) -> Self {
        Self::NotTheContract(UnusableAnswer::of(flaw))
    }
}

/// Why browsers can't come back.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct ListenError {
    /// The only port that would do, if it is only one.
    pub port: Option<u16>,
    /// What the system said, in its words.
    pub why: String,
}

/// A file or folder that can't be used.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct StoreError {
    pub path: String,
    /// What is wrong with it.
    pub kind: StoreErrorKind,
}

/// Kinds of file errors.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum StoreErrorKind {
    /// A symbolic link, which could point anywhere.
    Symlink,
    /// More than one name for the same file.
    HardLink,
    /// Something else than a file.
    NotAFile(FileKind),
    /// Owned by another user (the uid).
    Foreign(u32),
    /// Not a session, and not ours to set aside.
    Damaged,
    /// Whole, but not as this everkey knows it; perhaps of a newer version of its tool.
    Strange,
    /// Larger than any session file is.
    TooLarge,
    /// What the system said, in its words.
    Os(String),
}

/// What can stand in the place of a plain file.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum FileKind {
    Folder,
    Fifo,
    Socket,
    Device,
}

impl fmt::Display for FileKind {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(match self {
            Self::Folder => "a folder",
            Self::Fifo => "a named pipe (FIFO)",
            Self::Socket => "a socket",
            Self::Device => "a device",
        })
    }
}

/// Why this agent may only read a session file.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum NotOwner {
    /// Another agent holds the lock.
    Held,
    /// The file system can't lock, or can't be trusted to.
    Impossible(StoreError),
}
