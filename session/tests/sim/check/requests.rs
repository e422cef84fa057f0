//! What the agent sends: with an intent, one key, to the right server, no more often than allowed, and for a reason.

use super::{Checks, Rule};
use crate::disk::Disk;
use crate::server::Server;
use everkey_proto::Secret;
use everkey_session::policy::Replay;
use everkey_session::{Capability, Fingerprint, Journal, Op, RefreshAnswer, Session};
use std::collections::BTreeMap;

const GAP_MS: u64 = 30_000;

/// By how much the agent may misjudge a token's expiry, in milliseconds: seconds are whole in files, and a lifetime
/// counts from the question.
const BLUR_MS: u64 = 5_000;

/// A refresh token on its way.
pub struct Send<'a> {
    pub op: Op,
    pub token: &'a str,
    pub key: &'a str,
    pub deadline: u64,
    pub url: &'a str,
}

/// What is known of the sends of one token.
#[derive(Default)]
pub struct Sends {
    count: u32,
    /// Sends that may have been carried out, with their deadlines.
    open: BTreeMap<Op, u64>,
}

impl Checks {
    /// A refresh token is about to be sent on the connection to `url`.
    pub fn sending(&mut self, at: u64, send: &Send<'_>, disk: &Disk, server: &Server) {
        let Send { op, token, key, deadline, url } = *send;
        let print = Fingerprint::of(&Secret::new(token));
        let noted = matches!(&disk.journal.durable, Journal::Intent(intent)
            if intent.parent == print && intent.key.expose() == key);
        self.require(noted, Rule::I1, || format!("{token} is sent without a durable intent"));

        let other_key = self.keys.insert(token.to_owned(), key.to_owned()).filter(|before| before != key);
        let other_token = self.tokens.insert(key.to_owned(), token.to_owned()).filter(|t| t != token);
        let other_key = other_key.filter(|_| !server.rules.keeps_tokens());
        self.require(other_key.is_none() && other_token.is_none(), Rule::I2, || {
            format!("{token} and {key} have met others: {other_key:?} {other_token:?}")
        });

        let home = server.family_of(token).is_none_or(|family| family.url == url || family.is_stray);
        self.require(home, Rule::Origin, || format!("{token} goes to {url}"));
        self.require(!self.superseded.contains(&print), Rule::Spent, || format!("{token} was replaced"));
        self.require(!self.flying.values().any(|t| t == token), Rule::I9, || {
            format!("{token} is sent twice at once")
        });

        let known = self.vouched.contains(token) || !server.rules.is_ours();
        let first = !self.sends.contains_key(token);
        self.require(known || !first, Rule::Probe, || format!("{token} was written elsewhere"));
        let gap = self.refreshed_at.is_none_or(|before| at - before >= GAP_MS) || self.forced || !first;
        self.require(gap, Rule::Gap, || "less than 30 s after the last refresh".to_owned());

        // What has been begun is brought to its end.
        let again = matches!(&disk.journal.durable, Journal::Intent(intent) if intent.sends > 1);
        if first && !again && !self.must_guess {
            self.needs_a_reason(at, print, disk, server);
        }
        self.may_send_again(token, server);
        let sends = self.sends.entry(token.to_owned()).or_default();
        sends.count += 1;
        sends.open.insert(op, deadline);
        self.flying.insert(op, token.to_owned());
        self.sent_at = Some(at);
    }

    /// Why the session in the file is refreshed; another program may have written another one since it was looked at.
    fn needs_a_reason(&mut self, at: u64, print: Fingerprint, disk: &Disk, server: &Server) {
        let looked_at = |session: &&Session| session.fingerprint() == print && !disk.is_news;
        let Some(session) = disk.session().filter(looked_at) else { return };
        let access = session.access.expose();
        let is_due = server
            .access_span(access)
            .is_none_or(|(from, until)| until.saturating_sub(at) <= (until - from) / 2 + BLUR_MS);
        let reported = self.reported.contains(&Fingerprint::of(&session.access));
        self.require(is_due || reported || self.asked_for, Rule::Reason, || {
            format!("{access} is refreshed, and nobody asked for it")
        });
    }

    fn may_send_again(&mut self, token: &str, server: &Server) {
        let Some(sends) = self.sends.get(token).filter(|sends| !sends.open.is_empty()) else { return };
        let allowed = match (server.rules.capability(), server.rules.replay()) {
            (Capability::Rr1 | Capability::Reusable, _) => true,
            (Capability::None, Replay::Rejects) => sends.count < 2,
            (Capability::Probe, _) | (Capability::None, Replay::RevokesAll) => false,
        };
        self.require(allowed, Rule::I3, || format!("{token} is sent again, though it may have been used"));
    }

    /// An answer reaches the agent.
    pub fn answered(&mut self, op: Op, answer: &RefreshAnswer, server: &Server) {
        let token = self.flying.remove(&op);
        match answer {
            RefreshAnswer::Granted(grant) => {
                self.arrived.insert(grant.access.expose().to_owned());
                // The next send of a token that stays is another refresh, and wants another reason.
                if let Some(token) = token.filter(|_| server.rules.keeps_tokens()) {
                    self.sends.remove(&token);
                }
            }
            RefreshAnswer::Refused => self.refused = Some(false),
            RefreshAnswer::Rotating | RefreshAnswer::Late | RefreshAnswer::Declined(_) => {
                if let Some(sends) = token.and_then(|token| self.sends.get_mut(&token)) {
                    sends.open.remove(&op);
                }
            }
            RefreshAnswer::Unclear(_) => {}
        }
    }

    /// The session route is asked: the session is vouched for, and what is past its deadline or not under way any
    /// more was not carried out if the generation has not moved.
    pub fn probed(&mut self, refresh: &str, moved: bool, under_way: bool, clock: u64) {
        self.vouched.insert(refresh.to_owned());
        if let Some(sends) = self.sends.get_mut(refresh)
            && !moved
        {
            sends.open.retain(|_, deadline| under_way && *deadline >= clock);
        }
    }
}
