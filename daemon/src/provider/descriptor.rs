//! A provider's contract as one value: how its session file is read and written, and what may be asked of its server.
//! All of it is pure: bytes in, values out.

use crate::http::{HttpRequest, HttpResponse, RequestTarget};
use crate::issuers;
use everkey_config::ProviderKind;
use everkey_proto::{ReplayRule, Secret};
use everkey_reminder::ReminderAnswer;
use everkey_session::policy::{OauthClient, Policy, Renewal};
use everkey_session::{
    CallTarget, Identity, LoginAnswer, LoginCall, PendingRevocation, ProbeAnswer, RefreshAnswer,
    ReplayKnowledge, RevokeAnswer, Session,
};
use std::collections::BTreeMap;
use std::time::Duration;
use zeroize::Zeroizing;

/// One provider. What its server does not offer is `None`, so that nobody can ask for it.
pub struct Descriptor {
    /// What clients know of it too hangs on its name: sign-in methods, default server, where the session file is.
    pub kind: ProviderKind,
    /// Whether a file of its own tool may name the server. Nobody has checked such an address.
    pub tool_names_server: bool,
    pub session_file: SessionFormat,
    pub login: LoginRoutes,
    /// What an OAuth client knows before it has met its server.
    pub oauth_client: Option<fn() -> OauthClient>,
    pub renewal: RenewalRoute,
    /// Whether its contract says that access tokens stop working once their session has ended. Whether a server keeps
    /// RR-1, which says so too, is seen in its answers.
    pub access_ends_with_session: bool,
    /// How far a session has rotated; only everkey-server says it.
    pub probe: Option<ProviderRoute<BearerRequest, ProbeAnswer>>,
    /// Whose a token is.
    pub identify: Option<ProviderRoute<BearerRequest, Identity>>,
    /// What its own tool's `status` shows beside the user.
    pub tool_status: Option<&'static ToolStatus>,
    /// Ends a session.
    pub revoke: Option<ProviderRoute<RevokeRequest, RevokeAnswer>>,
    /// Where it does so, for servers that are asked only then.
    pub find_revocation: Option<RevocationFinder>,
    /// Keeps the time of a reminder, or forgets it.
    pub remind: Option<ProviderRoute<RemindRequest, ReminderAnswer>>,
}

/// What is sent, and how the answer to it is read.
pub struct ProviderRoute<Request, Read> {
    pub request: Request,
    pub read: fn(&HttpResponse) -> Read,
}

/// What is asked with an access token to be shown at once; each answer as names and texts, empty where there is none.
pub struct ToolStatus {
    /// For all of it, whose the token is included.
    pub patience: Duration,
    pub routes: &'static [ProviderRoute<BearerRequest, BTreeMap<String, String>>],
}

/// The question where a server revokes; none where nobody need ask, and what is known then.
pub struct RevocationFinder {
    pub request: fn(&CallTarget) -> Option<HttpRequest>,
    pub read: fn(&HttpResponse) -> Result<String, RevokeAnswer>,
}

/// A request with an access token; none where a session's server has not named the endpoint.
pub type BearerRequest = fn(&CallTarget, &Secret) -> Option<HttpRequest>;

pub type RevokeRequest = fn(&PendingRevocation) -> Option<HttpRequest>;

pub type RemindRequest = fn(&Secret, Option<u64>) -> HttpRequest;

/// The calls of every sign-in method that the provider has; none for a call of another.
pub struct LoginRoutes {
    pub request: fn(&LoginCall) -> Option<HttpRequest>,
    pub read: fn(&LoginCall, &HttpResponse) -> LoginAnswer,
}

/// How a session gets its next access token. A profile can say that its client asks as itself instead (RFC 6749
/// section 4.4), which goes over the provider's sign-in routes.
pub enum RenewalRoute {
    RefreshToken(RefreshRoute),
    None,
}

/// Where and how a refresh token is sent.
pub struct RefreshRoute {
    /// What is connected to before the token is sent; none where nobody may have it.
    pub target: fn(&CallTarget) -> Option<RequestTarget>,
    pub request: fn(&CallTarget, &Secret) -> Option<HttpRequest>,
    /// Only the provider's unmistakable refusal is read as one (I8).
    pub read: fn(&CallTarget, &HttpResponse) -> RefreshAnswer,
    /// Refresh at the latest so many seconds before expiry.
    pub margin_secs: u64,
    /// What the contract says of a token that comes twice, where nothing else is known of the server.
    pub replay: ReplayRule,
}

impl RefreshRoute {
    /// The request, with what lets a server recognise it when it comes again.
    pub fn request(
        &self,
        at: &CallTarget,
        refresh: &Secret,
        key: &Secret,
        deadline: u64,
    ) -> Option<HttpRequest> {
        let request = (self.request)(at, refresh)?;
        Some(request.secret_header("idempotency-key", key).header("x-request-deadline", deadline.to_string()))
    }
}

#[allow(clippy::type_complexity)] // a table of functions
pub struct SessionFormat {
    pub parse: fn(&[u8]) -> ParsedFile,
    /// The bytes for a session; fields of the old file that everkey does not know are kept.
    pub render: fn(Option<&[u8]>, &Session) -> Zeroizing<Vec<u8>>,
    /// What stays of a tool's own file once nobody is signed in; none if the file goes.
    pub render_signed_out: Option<fn(&[u8]) -> Option<Zeroizing<Vec<u8>>>>,
    /// The server that the file names though nobody is signed in, as it is written.
    pub server: Option<fn(&[u8]) -> Option<String>>,
}

/// What a session file's bytes turned out to be.
#[derive(Debug, Clone, PartialEq, Eq)]
#[allow(clippy::large_enum_variant)] // never more than one at a time
pub enum ParsedFile {
    Session(Session),
    /// The tool's own file, with nobody signed in.
    Nobody,
    /// JSON, but not as this everkey knows it: perhaps of a newer version of its tool. It is left alone.
    Strange,
    /// Nothing that anybody could use.
    Damaged,
}

/// The margin where there is nothing to refresh: it only says when a token counts as nearly over.
const USUAL_MARGIN_SECS: u64 = 60;

impl Descriptor {
    /// What the core has to know of it; `gap_ms` is the least time between automatic refreshes.
    pub fn policy(&self, gap_ms: u64) -> Policy {
        let (renewal, margin_secs, otherwise) = match &self.renewal {
            RenewalRoute::RefreshToken(route) => (Renewal::RefreshToken, route.margin_secs, route.replay),
            RenewalRoute::None => (Renewal::None, USUAL_MARGIN_SECS, ReplayRule::Unknown),
        };
        Policy {
            schemes: self.kind.schemes().to_vec(),
            renewal,
            revokes: self.revoke.is_some(),
            identifies: self.identify.is_some(),
            access_ends_with_session: self.access_ends_with_session,
            oauth: self.oauth_client.map(|client| client()),
            margin_secs,
            replay: ReplayKnowledge {
                profile: None,
                issuers: issuers::known(),
                otherwise,
                not_processed: Vec::new(),
            },
            gap_ms,
        }
    }

    pub fn refresh(&self) -> Option<&RefreshRoute> {
        match &self.renewal {
            RenewalRoute::RefreshToken(route) => Some(route),
            RenewalRoute::None => None,
        }
    }
}
