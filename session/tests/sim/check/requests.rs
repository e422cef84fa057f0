//! What the agent sends: with an intent, one key, to the right server, no more often than allowed, and for a reason.

use super::{Checks, Rule};
use crate::disk::Disk;
use crate::rules::Rules;
use crate::server::Server;
use everkey_proto::Secret;
use everkey_session::{Fingerprint, Journal, NetErrorKind, Op, RefreshAnswer, Session};
use std::collections::BTreeMap;

/// By how much the agent may misjudge a token's expiry, in milliseconds: seconds are whole in files, and a lifetime
/// counts from the question.
const BLUR_MS: u64 = 5_000;

/// How long it takes at the most to write an intent, in milliseconds.
const WRITING_MS: u64 = 200;

const LEAST_GAP_MS: u64 = 5_000;

/// The least time between two automatic refreshes of tokens that live so long, both in milliseconds.
fn gap_ms(lives: u64) -> u64 {
    match lives {
        2_000..60_000 => (lives / 2).max(LEAST_GAP_MS),
        _ => 30_000,
    }
}

/// A refresh token on its way.
pub struct Send<'a> {
    pub op: Op,
    pub token: &'a str,
    pub key: &'a str,
    pub deadline: u64,
    pub url: &'a str,
}

/// What is known of the sends of one token.
pub struct Sends {
    count: u32,
    first: u64,
    last: u64,
    /// Whether the last was announced as a repeat; the first may not have left the machine.
    again: bool,
    /// Whether the first was carried out, and its answer broke off.
    cut: bool,
    /// Sends that may have been carried out, with their deadlines.
    open: BTreeMap<Op, u64>,
}

impl Sends {
    fn begun(at: u64) -> Self {
        Self { count: 0, first: at, last: at, again: false, cut: false, open: BTreeMap::new() }
    }
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
        // It may be the first answer's, and have expired.
        let stale = self.granted_last.as_ref().is_some_and(|access| self.repeated.contains(access));
        let span = self.granted_last.as_ref().and_then(|access| server.access_span(access));
        let lives = span.map_or(0, |(from, until)| until - from);
        // Of what a file brings nobody knows how long it lived when it was new.
        let from_file = self.rolled_forward || self.other_wrote_at > self.refreshed_at;
        let least = if from_file { LEAST_GAP_MS } else { gap_ms(lives) };
        let gap =
            self.refreshed_at.is_none_or(|before| at - before >= least) || self.forced || !first || stale;
        self.require(gap, Rule::Gap, || "too soon after the last refresh".to_owned());

        // What has been begun is brought to its end.
        let again = matches!(&disk.journal.durable, Journal::Intent(intent) if intent.sends > 1);
        if first && !again && !self.must_guess {
            self.needs_a_reason(at, print, disk, server);
        }
        self.may_send_again(at, token, server);
        let sends = self.sends.entry(token.to_owned()).or_insert_with(|| Sends::begun(at));
        sends.count += 1;
        sends.last = at;
        sends.again = again;
        sends.open.insert(op, deadline);
        self.flying.insert(op, token.to_owned());
        self.sent_at = Some(at);
    }

    /// Why the session in the file is refreshed; another program may have written another one since it was looked at.
    fn needs_a_reason(&mut self, at: u64, print: Fingerprint, disk: &Disk, server: &Server) {
        // An intent that is being written is not taken back.
        let just_now = self.other_wrote_at.is_some_and(|before| at - before < WRITING_MS);
        let looked_at = |session: &&Session| session.fingerprint() == print && !disk.is_news && !just_now;
        let Some(session) = disk.session().filter(looked_at) else { return };
        let access = session.access.expose();
        // It may be the first answer's: nobody knows how old it is.
        if self.repeated.contains(access) {
            return;
        }
        let is_due = server
            .access_span(access)
            .is_none_or(|(from, until)| until.saturating_sub(at) <= (until - from) / 2 + BLUR_MS);
        let reported = self.reported.contains(&Fingerprint::of(&session.access));
        self.require(is_due || reported || self.asked_for, Rule::Reason, || {
            format!("{access} is refreshed, and nobody asked for it")
        });
    }

    /// I3. The agent may know the server's rule, or have learnt it; nobody may act on a grace that a refusal has disproved.
    fn may_send_again(&mut self, at: u64, token: &str, server: &Server) {
        let Some(sends) = self.sends.get(token).filter(|sends| !sends.open.is_empty()) else { return };
        let since_first = at - sends.first;
        let learnt = self.learnt_grace_ms.is_some_and(|grace| since_first <= grace);
        let by_rule = match (server.rules, self.is_rule_known) {
            (Rules::Rr1, _) => true,
            (Rules::Strict, _) | (Rules::RevokesAll, true) => false,
            (rules, true) if rules.bears_repeats() => true,
            (Rules::Grace(secs), true) if since_first <= u64::from(secs) * 1000 => true,
            // That a token stays is seen in the answers.
            (Rules::Reusable, false) => true,
            _ => learnt || self.has_nothing_to_lose(at, token, server),
        };
        self.require(by_rule, Rule::I3, || format!("{token} is sent again, though it may have been used"));
    }

    /// Whether the access token beside a refresh token is about to end, or is reported to be refused.
    fn has_nothing_to_lose(&self, at: u64, refresh: &str, server: &Server) -> bool {
        const LAST_MS: u64 = 30_000;
        // What the file says of the expiry is all that a restarted agent has to go by.
        let ends = |until: u64| until.saturating_sub(at) <= LAST_MS + BLUR_MS;
        let reported = |access| self.reported.contains(&Fingerprint::of(&Secret::new(access)));
        let may_be_old = |access| self.repeated.contains(access);
        let ends_now = |(access, until)| ends(until) || reported(access) || may_be_old(access);
        // Of a token that the server has replaced meanwhile nothing is known there.
        let unknown = server.family_of(refresh).is_none();
        self.must_guess || unknown || server.beside(refresh).any(ends_now)
    }

    /// An answer reaches the agent.
    pub fn answered(&mut self, op: Op, answer: &RefreshAnswer, server: &Server) {
        let token = self.flying.remove(&op);
        match answer {
            RefreshAnswer::Granted(grant) => {
                // Where nobody says how long it works, a server has to refuse it first.
                let told = grant.access_expires_in.is_some_and(|secs| secs > 0);
                if told && !self.stolen.contains(grant.access.expose()) {
                    self.arrived.insert(grant.access.expose().to_owned());
                }
                self.granted_last = Some(grant.access.expose().to_owned());
                let sends = token.as_ref().and_then(|token| self.sends.get(token));
                let repeated = sends.filter(|sends| sends.again);
                self.repeated.extend(repeated.map(|_| grant.access.expose().to_owned()));
                if let Some(sends) = repeated.filter(|sends| sends.cut && sends.count > 1) {
                    let shown = sends.last - sends.first;
                    self.learnt_grace_ms =
                        Some(self.learnt_grace_ms.map_or(shown, |before| before.max(shown)));
                }
                // The next send of a token that stays is another refresh, and wants another reason.
                if let Some(token) = token.filter(|_| server.rules.keeps_tokens()) {
                    self.sends.remove(&token);
                }
            }
            RefreshAnswer::Refused => {
                self.refused = Some(false);
                let sends = token.and_then(|token| self.sends.get(&token));
                if sends.is_some_and(|sends| sends.open.len() > 1) {
                    self.learnt_grace_ms = None;
                }
            }
            RefreshAnswer::RefusedInWords(_) => self.refused = Some(false),
            RefreshAnswer::Foreign => {}
            RefreshAnswer::Rotating | RefreshAnswer::Late | RefreshAnswer::Declined(_) => {
                if let Some(sends) = token.and_then(|token| self.sends.get_mut(&token)) {
                    sends.open.remove(&op);
                }
            }
            RefreshAnswer::Unclear(error) => {
                let sends = token.and_then(|token| self.sends.get_mut(&token));
                if let Some(sends) = sends.filter(|sends| sends.count == 1) {
                    sends.cut = error.kind == NetErrorKind::Cut;
                }
            }
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
