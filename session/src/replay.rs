//! How a server treats a refresh token that comes twice, where that is known from, and what has been learnt about it.

use crate::journal::Capability;
use everkey_proto::reply::{Replay, ReplaySource};
use everkey_proto::{RepeatedAnswer, ReplayRule};
use serde::{Deserialize, Serialize};

/// What is known about repeats before anything has happened.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct ReplayKnowledge {
    /// What the profile says; it counts before everything else.
    pub profile: Option<ReplayRule>,
    /// The table that everkey is shipped with.
    pub issuers: &'static [KnownIssuer],
    /// What holds where nobody says anything, by the provider's contract.
    pub otherwise: ReplayRule,
    /// The statuses with which the profile's server refuses a request before it has processed it.
    pub not_processed: Vec<u16>,
}

/// One row of the table that everkey is shipped with.
#[derive(Debug, Clone, PartialEq, Eq, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct KnownIssuer {
    /// The issuer, or the origin of its token endpoint; it counts only as it is written.
    pub issuer: String,
    pub rule: ReplayRule,
    /// What a repeat returns, if that is known.
    pub returns: Option<RepeatedAnswer>,
    /// The statuses with which it refuses a request before it has processed it.
    #[serde(default)]
    pub not_processed: Vec<u16>,
    /// Who says so.
    pub source: String,
    /// When that was read, as in `2026-08-20`.
    pub date: String,
}

/// What the answers of a server have shown.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct LearntRule {
    /// The server.
    pub server: String,
    pub rule: ReplayRule,
    /// Unix seconds of the last time.
    pub at: u64,
    /// How often.
    pub count: u32,
}

/// For how long something learnt counts, in seconds: servers are set up anew now and then.
const LEARNT_SECS: u64 = 180 * 86_400;

/// How many servers a profile remembers.
const LEARNT_CAP: usize = 16;

impl ReplayKnowledge {
    /// The rule at `server`, whose last token answer promised `capability`.
    pub fn in_force(&self, server: &str, capability: Capability, learnt: &[LearntRule], wall: u64) -> Replay {
        let bare = |rule, source| Replay { rule, returns: None, source };
        if let Some(rule) = self.profile {
            return bare(rule, ReplaySource::Profile);
        }
        match capability {
            Capability::Rr1 => {
                let returns = Some(RepeatedAnswer::Same);
                return Replay { returns, ..bare(ReplayRule::UntilUsed, ReplaySource::Server) };
            }
            Capability::Reusable => return bare(ReplayRule::NotRotated, ReplaySource::Server),
            Capability::Probe => return bare(ReplayRule::StrictUser, ReplaySource::Server),
            Capability::None => {}
        }
        let learnt = learnt.iter().find(|one| one.server == server && one.at + LEARNT_SECS > wall);
        let learnt = learnt.map(|one| bare(one.rule, ReplaySource::Learnt { at: one.at, count: one.count }));
        let refused = learnt.clone().filter(|one| one.rule == LEARNT_FROM_REFUSAL);
        let shipped = || {
            let known = self.issuer(server)?;
            let source = ReplaySource::Table { date: known.date.clone() };
            Some(Replay { returns: known.returns, ..bare(known.rule, source) })
        };
        refused.or_else(shipped).or(learnt).unwrap_or(bare(self.otherwise, ReplaySource::Nobody))
    }

    /// The statuses with which `server` refuses a request before it has processed it.
    pub fn not_processed(&self, server: &str) -> Vec<u16> {
        let shipped = self.issuer(server).map(|known| known.not_processed.as_slice()).unwrap_or_default();
        [shipped, &self.not_processed].concat()
    }

    fn issuer(&self, server: &str) -> Option<&KnownIssuer> {
        let bare = server.trim_end_matches('/');
        self.issuers.iter().find(|known| known.issuer.trim_end_matches('/') == bare)
    }
}

/// What a refusal shows. It does not say what else the server has revoked, so the worse is assumed.
pub(crate) const LEARNT_FROM_REFUSAL: ReplayRule = ReplayRule::StrictFamily;

/// Remembers what an answer has shown. What it contradicts is forgotten.
pub(crate) fn learn(learnt: &mut Vec<LearntRule>, server: &str, rule: ReplayRule, wall: u64) {
    let before = learnt.iter().position(|one| one.server == server).map(|at| learnt.remove(at));
    let (rule, count) = match (before, rule) {
        (Some(LearntRule { rule: ReplayRule::Grace(known), count, .. }), ReplayRule::Grace(secs)) => {
            (ReplayRule::Grace(secs.max(known)), count.saturating_add(1))
        }
        (Some(before), rule) if before.rule == rule => (rule, before.count.saturating_add(1)),
        (Some(_) | None, rule) => (rule, 1),
    };
    learnt.push(LearntRule { server: server.to_owned(), rule, at: wall, count });
    let excess = learnt.len().saturating_sub(LEARNT_CAP);
    learnt.drain(..excess);
}

#[cfg(test)]
mod tests {
    use super::*;
    use std::sync::LazyLock;

    const SERVER: &str = "https://auth.example.com";

    static TABLE: LazyLock<Vec<KnownIssuer>> = LazyLock::new(|| {
        vec![KnownIssuer {
            issuer: SERVER.to_owned(),
            rule: ReplayRule::Grace(600),
            returns: Some(RepeatedAnswer::Same),
            not_processed: vec![503],
            source: "its documentation".to_owned(),
            date: "2026-08-20".to_owned(),
        }]
    });

    fn knowledge() -> ReplayKnowledge {
        ReplayKnowledge {
            profile: None,
            issuers: &TABLE,
            otherwise: ReplayRule::Unknown,
            not_processed: vec![413],
        }
    }

    fn at(server: &str, learnt: &[LearntRule]) -> ReplayRule {
        knowledge().in_force(server, Capability::None, learnt, 1_000).rule
    }

    #[test]
    fn sources_count_in_their_order() {
        let mut learnt = Vec::new();
        assert_eq!(at("https://nobody.example", &learnt), ReplayRule::Unknown);
        assert_eq!(at(SERVER, &learnt), ReplayRule::Grace(600));
        learn(&mut learnt, SERVER, ReplayRule::Grace(20), 1_000);
        assert_eq!(at(SERVER, &learnt), ReplayRule::Grace(600), "the table says more");
        learn(&mut learnt, SERVER, LEARNT_FROM_REFUSAL, 1_000);
        assert_eq!(at(SERVER, &learnt), ReplayRule::StrictFamily, "a refusal overrides the table");
        let stays = knowledge().in_force(SERVER, Capability::Reusable, &learnt, 1_000);
        assert_eq!((stays.rule, stays.source), (ReplayRule::NotRotated, ReplaySource::Server));
        let said = ReplayKnowledge { profile: Some(ReplayRule::StrictUser), ..knowledge() };
        let said = said.in_force(SERVER, Capability::Rr1, &learnt, 1_000);
        assert_eq!((said.rule, said.source), (ReplayRule::StrictUser, ReplaySource::Profile));
    }

    #[test]
    fn an_issuer_counts_only_as_it_is_written() {
        for other in
            ["https://auth.example.com.evil.example", "http://auth.example.com", "https://example.com"]
        {
            assert_eq!(at(other, &[]), ReplayRule::Unknown, "{other}");
        }
        assert_eq!(at("https://auth.example.com/", &[]), ReplayRule::Grace(600), "but for its last slash");
        assert_eq!(knowledge().not_processed(SERVER), [503, 413]);
        assert_eq!(knowledge().not_processed("https://nobody.example"), [413]);
    }

    #[test]
    fn what_is_learnt_is_contradicted_and_forgotten() {
        let mut learnt = Vec::new();
        learn(&mut learnt, "a", ReplayRule::Grace(20), 1_000);
        learn(&mut learnt, "a", ReplayRule::Grace(5), 2_000);
        let grace = LearntRule { server: "a".into(), rule: ReplayRule::Grace(20), at: 2_000, count: 2 };
        assert_eq!(learnt, [grace]);
        learn(&mut learnt, "a", LEARNT_FROM_REFUSAL, 3_000);
        assert_eq!((learnt.len(), learnt[0].rule, learnt[0].count), (1, ReplayRule::StrictFamily, 1));
        let late = 3_000 + LEARNT_SECS;
        let rule = knowledge().in_force("a", Capability::None, &learnt, late).rule;
        assert_eq!(rule, ReplayRule::Unknown, "half a year later");
        for server in 0..100 {
            learn(&mut learnt, &server.to_string(), ReplayRule::Grace(1), 1);
        }
        assert_eq!(learnt.len(), LEARNT_CAP);
    }
}
