//! The access token: which one is handed out, for how long it works, and when it is kept back.

use crate::context::MachineContext;
use crate::error::{EndReason, Error};
use crate::journal::Capability;
use crate::policy::Renewal;
use crate::rotation::machine::Rotation;
use crate::session::{Fingerprint, Session};
use crate::time::{Boot, Moment};
use everkey_proto::Secret;

impl Rotation {
    /// The token that is handed out: one that never changes comes first.
    pub fn handed(&self) -> &Secret {
        self.session.holder.fixed.as_ref().unwrap_or(&self.session.access)
    }

    /// Unix seconds until which the token that is handed out is good, if somebody says.
    pub fn handed_until(&self) -> Option<u64> {
        self.session.access_ends().filter(|_| self.session.holder.fixed.is_none())
    }

    /// Milliseconds for which the access token is still valid.
    pub fn left_ms(&self, now: &Moment) -> u64 {
        if self.expires == Boot::NEVER { u64::MAX } else { now.boot.ms_until(self.expires) }
    }

    /// Why the session is over, if it is and if that matters to the token that is handed out: one that never changes is
    /// good though the session beside it is over.
    pub fn ended(&self) -> Option<EndReason> {
        self.over().filter(|_| self.session.holder.fixed.is_none())
    }

    /// Why nobody is given the access token any more; none while it is good for something, or while another is on its way.
    pub fn withheld(&self, cx: &MachineContext) -> Option<Error> {
        if let Some(over) = self.ended() {
            let left_alone = over.leaves_access_token(ends_with_session(cx, &self.session));
            let works = left_alone && self.left_ms(cx.now) > 0 && !self.is_refused();
            return (!works).then_some(Error::NeedsLogin(over));
        }
        let fixed = self.session.holder.fixed.is_some();
        let last = fixed || !self.is_renewable(cx);
        (last && self.is_refused()).then(|| Error::TokenRefused(cx.server_of(&self.session).to_owned()))
    }

    /// Whether another access token can be had without a person.
    pub fn is_renewable(&self, cx: &MachineContext) -> bool {
        self.session.refresh.is_some() || cx.policy().renewal == Renewal::ClientCredentials
    }

    /// Whether a server has refused the token that is handed out.
    pub fn is_refused(&self) -> bool {
        self.refused.is_some_and(|refused| refused == Fingerprint::of(self.handed()))
    }

    /// A server has refused this token; it matters if it is the one that is handed out.
    pub fn token_refused(&mut self, token: Fingerprint) {
        if token == Fingerprint::of(self.handed()) {
            self.refused = Some(token);
        }
    }

    /// The server accepts this token, whatever was said of it before.
    pub fn token_accepted(&mut self, token: Fingerprint) {
        self.refused.take_if(|refused| *refused == token);
    }
}

/// Whether the server ends access tokens with their session. One that keeps RR-1 does: it has to know for each of them
/// which session it is of (RR-S9, RR-S16), and only its tokens tell a generation.
fn ends_with_session(cx: &MachineContext, session: &Session) -> bool {
    let promised = match cx.capability_of(session) {
        Capability::Rr1 | Capability::Probe => true,
        Capability::Reusable | Capability::None => false,
    };
    cx.policy().access_ends_with_session || promised || session.claims.generation.is_some()
}

impl EndReason {
    /// Whether the access token may work on, at a server that ends access tokens with their session or at another.
    fn leaves_access_token(self, ends_with_session: bool) -> bool {
        match self {
            Self::Refused | Self::RefusedInWords => !ends_with_session,
            // The session stands; only its refresh token is of no use here.
            Self::AnswerLost | Self::SessionLost | Self::Copied => true,
            // A repeat may have been taken for theft. Of an old file nobody knows what has become of its session. The rest was
            // revoked, or is being revoked.
            Self::RepeatRefused | Self::Restored | Self::Contested | Self::SignedOut | Self::Expired => false,
        }
    }
}
