//! What a machine may know of the rest of its profile while it handles an event. Read-only.

use crate::error::NotOwner;
use crate::journal::Capability;
use crate::kept_clients::KeptClients;
use crate::policy::{Policy, Settings};
use crate::registration::CallTarget;
use crate::session::Session;
use crate::sidecar::Sidecar;
use crate::time::{Moment, ServerClock};
use everkey_proto::reply::Replay;

/// What the whole profile stands on; only the profile itself changes it.
pub(crate) struct ProfileFacts {
    pub settings: Settings,
    pub owner: Result<(), NotOwner>,
    /// The server of a session that nothing binds to one, should the profile name another by now.
    pub unpinned_server: Option<String>,
    pub server_clock: ServerClock,
    pub clients: KeptClients,
}

impl ProfileFacts {
    /// Where a session goes that nothing binds to a server.
    pub fn unpinned_server(&self) -> &str {
        self.unpinned_server.as_ref().unwrap_or(&self.settings.server)
    }
}

/// One event's view of the profile.
#[derive(Clone, Copy)]
pub(crate) struct MachineContext<'a> {
    pub now: &'a Moment,
    pub facts: &'a ProfileFacts,
    pub sidecar: &'a Sidecar,
    /// Whether a refresh token may be sent: the files are this agent's, the journal is readable, the side-car on disk
    /// is up to date, and nobody else is about to change the session file.
    pub may_send: bool,
    /// Whether the session file is the rotation's to write.
    pub may_store: bool,
    pub demand: Demand,
}

/// What clients who wait want of the rotation.
#[derive(Debug, Default, Clone, Copy, PartialEq, Eq)]
pub(crate) struct Demand {
    /// Somebody waits for a refresh.
    pub wanted: bool,
    /// Somebody insists on one though the last was just now.
    pub forced: bool,
    /// Somebody reports that a server has refused the access token that there is.
    pub refused: bool,
}

impl<'a> MachineContext<'a> {
    pub fn policy(&self) -> &'a Policy {
        &self.facts.settings.policy
    }

    /// The server of a session that does not name its own.
    pub fn usual_server(&self) -> &'a str {
        self.sidecar.pin.as_ref().map_or(self.facts.unpinned_server(), |pin| &pin.server)
    }

    /// The only server that tokens of this session may be sent to: the one that they came from. For a session that
    /// another program wrote, the one that its file names.
    pub fn server_of<'s>(&self, session: &'s Session) -> &'s str
    where
        'a: 's,
    {
        let ours = self.sidecar.pin.as_ref().is_some_and(|pin| pin.fingerprint == session.fingerprint());
        let named = session.holder.server.as_ref().filter(|_| !ours);
        named.map_or_else(|| self.usual_server(), String::as_str)
    }

    /// What the server of this session promises; what another one promised says nothing about it.
    pub fn capability_of(&self, session: &Session) -> Capability {
        let server = self.server_of(session);
        let pin = self.sidecar.pin.as_ref().filter(|pin| pin.server == server);
        pin.map(|pin| pin.capability).unwrap_or_default()
    }

    /// What `server` does with a token that comes twice, if its last token answer promised `capability`.
    pub fn replay_rule(&self, server: &str, capability: Capability) -> Replay {
        self.policy().replay.in_force(server, capability, &self.sidecar.learnt, self.now.wall)
    }

    /// Where the calls of this session go.
    pub fn target_of(&self, session: &Session) -> CallTarget {
        CallTarget {
            server: self.server_of(session).to_owned(),
            registration: session.holder.registration.clone(),
        }
    }
}
