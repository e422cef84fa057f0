//! What everkey remembers about a profile beside its session file. Holds no secret.

use crate::endings::{AnnouncedEnding, LearntLifetime, SignInSpan};
use crate::error::EndReason;
use crate::journal::Capability;
use crate::replay::LearntRule;
use crate::session::Fingerprint;
use everkey_proto::reply::User;
use serde::{Deserialize, Serialize};
use std::collections::BTreeMap;

/// A refresh token that must never be sent again.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Spent {
    /// The token.
    pub fingerprint: Fingerprint,
    /// Unix seconds after which it may be forgotten.
    pub until: u64,
    /// Why a session that still holds it is over.
    pub why: EndReason,
    /// Whether that is because it was signed out here.
    #[serde(default)]
    pub signed_out: bool,
}

/// Where a session came from, and what holds for it.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Pin {
    /// The token that everkey itself wrote last; any other in the file was written by somebody else.
    pub fingerprint: Fingerprint,
    /// The only server that its tokens are sent to.
    pub server: String,
    /// What that server promises.
    pub capability: Capability,
    /// The access token's lifetime in seconds; none if nobody says.
    pub lifetime_secs: Option<u64>,
    /// How the person signed in, if that was here.
    #[serde(default)]
    pub scheme: Option<everkey_proto::SignInMethod>,
    /// Who it is, for session files that don't say.
    #[serde(default)]
    pub user: Option<User>,
    /// What else is known about them.
    #[serde(default)]
    pub about: BTreeMap<String, String>,
    /// From when until when the sign-in lasts.
    #[serde(default)]
    pub span: SignInSpan,
}

/// What everkey remembers about a profile beside its session file. Holds no secret.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct Sidecar {
    /// Raised by every sign-in and sign-out.
    pub epoch: u64,
    /// Where the session came from; none before the first sign-in.
    #[serde(default)]
    pub pin: Option<Pin>,
    /// A sign-in that is being stored; it counts once the session file holds its token.
    #[serde(default)]
    pub pending: Option<Pin>,
    /// The machine that wrote this, so that a copied home folder is noticed.
    #[serde(default)]
    pub machine: Option<String>,
    /// A sign-out that may have been cut short: the token whose file shall go.
    #[serde(default)]
    pub signing_out: Option<Fingerprint>,
    /// Tokens that must never be sent again, oldest first.
    #[serde(default)]
    pub spent: Vec<Spent>,
    /// What the answers of servers have shown about tokens that come twice, the newest last.
    #[serde(default)]
    pub learnt: Vec<LearntRule>,
    /// How long sign-ins have lived, by server.
    #[serde(default)]
    pub lifetimes: Vec<LearntLifetime>,
    /// The end that was announced last.
    #[serde(default)]
    pub announced: Option<AnnouncedEnding>,
}

/// How many spent tokens are remembered at most; two months of hourly refreshes.
const SPENT_CAP: usize = 1536;

impl Sidecar {
    /// Remembers that a token must never be sent again.
    pub fn spend(&mut self, fingerprint: Fingerprint, until: u64, why: EndReason, wall: u64) {
        self.spent.retain(|spent| spent.until > wall && spent.fingerprint != fingerprint);
        let signed_out = why == EndReason::SignedOut;
        let why = if signed_out { EndReason::Restored } else { why };
        let until = until.max(wall.saturating_add(86400));
        self.spent.push(Spent { fingerprint, until, why, signed_out });
        let excess = self.spent.len().saturating_sub(SPENT_CAP);
        self.spent.drain(..excess);
    }

    /// Remembers that these tokens, and all that were spent before, are of sessions that were signed out.
    pub(crate) fn sign_out(&mut self, tokens: &[Fingerprint], until: u64, wall: u64) {
        tokens.iter().for_each(|token| self.spend(*token, until, EndReason::SignedOut, wall));
        self.spent.iter_mut().for_each(|spent| spent.signed_out = true);
    }

    /// Raised by every sign-in and sign-out, so that whatever was begun before is out of date.
    pub(crate) fn raise_epoch(&mut self) {
        self.epoch = self.epoch.saturating_add(1);
    }

    /// Why a token must never be sent again, if so.
    pub fn is_spent(&self, fingerprint: Fingerprint) -> Option<EndReason> {
        let spent = self.spent.iter().find(|spent| spent.fingerprint == fingerprint)?;
        Some(if spent.signed_out { EndReason::SignedOut } else { spent.why })
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use everkey_proto::Secret;

    #[test]
    fn f09_spent_tokens_are_remembered_until_they_expire() {
        let print = |t: &str| Fingerprint::of(&Secret::new(t));
        let mut sidecar = Sidecar::default();
        sidecar.spend(print("a"), 2_000_000, EndReason::Restored, 1_000_000);
        assert_eq!(sidecar.is_spent(print("a")), Some(EndReason::Restored));
        sidecar.spend(print("b"), 9_000_000, EndReason::Restored, 2_000_001);
        assert_eq!(sidecar.is_spent(print("a")), None);
        assert_eq!(sidecar.is_spent(print("b")), Some(EndReason::Restored));
    }
}
