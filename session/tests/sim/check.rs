//! The invariants of `design/architecture.md`, looked at after each event. It knows the disk and the server as they
//! are, never what the agent believes.

use crate::disk::{Content, Disk, Step};
use crate::server::Server;
use everkey_proto::Secret;
use everkey_session::event::{Answer, Ask, Effect, Refresh};
use everkey_session::policy::Replay;
use everkey_session::record::{Capability, Fingerprint, Journal, Over, Revocation, Session, Sidecar};
use everkey_session::trouble::Notice;
use everkey_session::{Op, Waiter};
use std::collections::{BTreeMap, BTreeSet};

/// What was broken.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Rule {
    /// No byte of a refresh token is sent without a durable intent for it.
    I1,
    /// One idempotency key per refresh token, ever.
    I2,
    /// A refresh token is sent again only if that is allowed.
    I3,
    /// No successor is used before outcome, file and folder are durable.
    I4,
    /// Only the owner of the lock sends or writes.
    I5,
    /// No save resurrects or overwrites a session; the epoch rises.
    I6,
    /// Only a refusal, after the file was read again, ends a session.
    I8,
    /// One refresh in flight; each waiter answered once, in time.
    I9,
    /// At least 30 s between automatic refreshes.
    Gap,
    /// A token that was replaced is never sent again.
    Spent,
    /// A token goes to its own server only.
    Origin,
    /// A session written elsewhere is probed before its token is sent.
    Probe,
    /// An answer for another session is not kept.
    Foreign,
    /// A token that is given out is valid.
    Stale,
    /// No wake-up that finds nothing to do.
    Busy,
    /// The server never takes us for a thief.
    Alarm,
    /// A session that can be kept is kept.
    Lost,
    /// What was signed out here is revoked at the server, or will be.
    SignOut,
    /// One request a rotation where nothing goes wrong.
    Thrift,
}

/// A broken rule.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Breach {
    pub rule: Rule,
    pub what: String,
}

/// How long a client waits for a token at the most, in milliseconds, reading the files first included.
const PATIENCE_MS: u64 = 25_000;

/// How long anything else may take, in milliseconds: a sign-in's ten minutes.
const LONG_PATIENCE_MS: u64 = 601_000;

/// How much later than the server we may believe that a token expires: its way here, in milliseconds.
const WAY_MS: u64 = 1_000;

const GAP_MS: u64 = 30_000;

#[derive(Default)]
pub struct Checks {
    pub breach: Option<Breach>,
    /// Who waits, and until when.
    pub waiting: BTreeMap<Waiter, u64>,
    /// Token to key, and key to token.
    keys: BTreeMap<String, String>,
    tokens: BTreeMap<String, String>,
    sends: BTreeMap<String, Sends>,
    flying: BTreeMap<Op, String>,
    /// Every token that was durable in the session file, or was written there by others.
    durable: BTreeSet<String>,
    /// Tokens whose successors were put in their place.
    superseded: BTreeSet<Fingerprint>,
    vouched: BTreeSet<String>,
    /// Sign-ins that were signed out here.
    ended: BTreeSet<usize>,
    leaving: BTreeSet<usize>,
    /// Sign-ins whose sign-out is durable, though the file may still be there.
    doomed: BTreeSet<usize>,
    /// Sign-ins that somebody has tried to sign out.
    given_up: BTreeSet<usize>,
    /// Tokens that arrived in this life of the agent: it knows by the boot clock how long they are valid.
    arrived: BTreeSet<String>,
    /// A refusal has arrived; whether the file was read since.
    refused: Option<bool>,
    /// Sessions that a refusal has ended; a restart may say so again.
    over: BTreeSet<Fingerprint>,
    sent_at: Option<u64>,
    /// When the last refresh that succeeded was sent.
    refreshed_at: Option<u64>,
    forced: bool,
}

/// What is known of the sends of one token.
#[derive(Default)]
struct Sends {
    count: u32,
    /// Sends that may have been carried out, with their deadlines.
    open: BTreeMap<Op, u64>,
}

impl Checks {
    fn break_rule(&mut self, rule: Rule, what: impl FnOnce() -> String) {
        if self.breach.is_none() {
            self.breach = Some(Breach { rule, what: what() });
        }
    }

    pub fn require(&mut self, holds: bool, rule: Rule, what: impl FnOnce() -> String) {
        if !holds {
            self.break_rule(rule, what);
        }
    }

    pub fn asked(&mut self, waiter: Waiter, ask: &Ask, at: u64) {
        let takes_long = matches!(ask, Ask::Login | Ask::Answer { .. } | Ask::Cancel { .. } | Ask::Logout);
        let patience = if takes_long { LONG_PATIENCE_MS } else { PATIENCE_MS };
        self.waiting.insert(waiter, at + patience);
        self.forced |= *ask == Ask::Refresh { force: true };
    }

    /// Nobody can do anything meanwhile.
    pub fn suspended(&mut self, ms: u64) {
        self.waiting.values_mut().for_each(|until| *until += ms);
    }

    pub fn crashed(&mut self) {
        self.waiting.clear();
        self.flying.clear();
        self.arrived.clear();
        self.refused = None;
        self.refreshed_at = None;
        self.sent_at = None;
        self.leaving.clear();
        // The answers are lost; what they were about stays open.
    }

    /// After an event: everyone whose time is up has an answer, and the next wake-up is ahead.
    pub fn after_event(&mut self, at: u64, boot: u64, wake: Option<u64>) {
        let late = self.waiting.iter().find(|(_, until)| **until < at).map(|(waiter, _)| *waiter);
        self.require(late.is_none(), Rule::I9, || format!("{late:?} still has no answer"));
        self.require(wake.is_none_or(|wake| wake > boot), Rule::Busy, || {
            format!("wants to wake at {wake:?}, and it is {boot} already")
        });
    }

    pub fn effect(&mut self, at: u64, effect: &Effect, disk: &Disk, server: &Server) {
        match effect {
            Effect::Reply(waiter, answer) => self.replied(at, *waiter, answer, server),
            Effect::Tell(notice) => self.told(at, notice, disk),
            Effect::Store(..) | Effect::Net(..) | Effect::Cancel(_) => {
                self.require(disk.lock_is_free || is_harmless(effect), Rule::I5, || {
                    format!("{effect:?} without the lock")
                });
            }
        }
    }

    fn replied(&mut self, at: u64, waiter: Waiter, answer: &Answer, server: &Server) {
        let waited = self.waiting.remove(&waiter).is_some();
        self.require(waited, Rule::I9, || format!("{waiter:?} gets an answer it does not wait for"));
        if let Answer::Token { access, .. } = answer {
            let access = access.expose();
            // What was given up, though it could not be removed, will not be refreshed either.
            let given_up = server.family_of_access(access).is_some_and(|f| self.given_up.contains(&f));
            self.require(self.durable.contains(access) || given_up, Rule::I4, || {
                format!("{access} is not durable")
            });
            let expired = server.access_until(access).is_none_or(|until| until + WAY_MS <= at);
            self.require(!(expired && self.arrived.contains(access)), Rule::Stale, || {
                format!("{access} has expired")
            });
        }
    }

    fn told(&mut self, at: u64, notice: &Notice, disk: &Disk) {
        match notice {
            Notice::Refreshed => {
                self.refreshed_at = self.sent_at.or(Some(at));
                self.forced = false;
            }
            Notice::Adopted | Notice::SignedIn => {
                self.refreshed_at = None;
                // The file's wall time is all there is to go by now.
                self.arrived.clear();
            }
            Notice::Ended(Over::Refused) => {
                let known = disk.print().is_some_and(|print| !self.over.insert(print));
                self.require(known || self.refused == Some(true), Rule::I8, || {
                    "ended without a refusal and a look at the file after it".to_owned()
                });
            }
            Notice::Ended(_)
            | Notice::SignedOut(_)
            | Notice::RefreshFailed(_)
            | Notice::StoreFailed(_)
            | Notice::Tightened
            | Notice::SetAside(_)
            | Notice::GaveWay
            | Notice::Recovered
            | Notice::Alarm
            | Notice::Revoked
            | Notice::RevocationDropped => {}
        }
    }

    /// A refresh token is about to be sent on the connection to `url`.
    pub fn sending(&mut self, at: u64, send: &Send<'_>, disk: &Disk, server: &Server) {
        let Send { op, token, key, deadline, url } = *send;
        let print = Fingerprint::of(&Secret::new(token));
        let noted = matches!(&disk.journal.durable, Journal::Intent(intent)
            if intent.parent == print && intent.key.expose() == key);
        self.require(noted, Rule::I1, || format!("{token} is sent without a durable intent"));

        let other_key = self.keys.insert(token.to_owned(), key.to_owned()).filter(|before| before != key);
        let other_token = self.tokens.insert(key.to_owned(), token.to_owned()).filter(|t| t != token);
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

        self.may_send_again(token, server);
        let sends = self.sends.entry(token.to_owned()).or_default();
        sends.count += 1;
        sends.open.insert(op, deadline);
        self.flying.insert(op, token.to_owned());
        self.sent_at = Some(at);
    }

    fn may_send_again(&mut self, token: &str, server: &Server) {
        let Some(sends) = self.sends.get(token).filter(|sends| !sends.open.is_empty()) else { return };
        let allowed = match (server.rules.capability(), server.rules.replay()) {
            (Capability::Rr1, _) => true,
            (Capability::None, Replay::Rejects) => sends.count < 2,
            (Capability::Probe, _) | (Capability::None, Replay::RevokesAll) => false,
        };
        self.require(allowed, Rule::I3, || format!("{token} is sent again, though it may have been used"));
    }

    /// An answer reaches the agent.
    pub fn answered(&mut self, op: Op, answer: &Refresh) {
        let token = self.flying.remove(&op);
        match answer {
            Refresh::Granted(grant) => {
                self.arrived.insert(grant.access.expose().to_owned());
            }
            Refresh::Refused => self.refused = Some(false),
            Refresh::Rotating | Refresh::Late | Refresh::Declined(_) => {
                if let Some(sends) = token.and_then(|token| self.sends.get_mut(&token)) {
                    sends.open.remove(&op);
                }
            }
            Refresh::Unclear(_) => {}
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

    /// Another program has written this session, or it was there at the start.
    pub fn written_by_other(&mut self, session: &Session) {
        self.durable.insert(session.access.expose().to_owned());
        self.durable.insert(session.refresh.expose().to_owned());
    }

    pub fn vouch(&mut self, session: &Session) {
        self.vouched.insert(session.refresh.expose().to_owned());
    }

    /// A sign-out begins; of what the agent knows it promises that the server will hear.
    pub fn erasing(&mut self, revocation: Option<&Revocation>, server: &Server) {
        let family = revocation.and_then(|known| server.family_id(known.refresh.expose()));
        self.leaving.extend(family);
        self.given_up.extend(family);
    }

    /// The local session is gone, or could not be removed.
    pub fn erased(&mut self, gone: bool) {
        let leaving = std::mem::take(&mut self.leaving);
        self.doomed.retain(|family| !leaving.contains(family));
        if gone {
            self.ended.extend(leaving);
        }
    }

    /// At the end: a sign-out that the server has not heard of is still queued.
    pub fn sign_outs_are_not_forgotten(&mut self, disk: &Disk, server: &Server) {
        let queued: BTreeSet<usize> = disk
            .revocations
            .durable
            .values()
            .filter_map(|revocation| server.family_id(revocation.refresh.expose()))
            .collect();
        let forgotten = self
            .ended
            .iter()
            .find(|family| !server.families[**family].revoked && !queued.contains(family))
            .copied();
        self.require(forgotten.is_none(), Rule::SignOut, || format!("sign-in {forgotten:?} lives on"));
    }

    /// At the end: what was durably signed out is not in the file.
    pub fn sign_outs_are_complete(&mut self, disk: &Disk, server: &Server) {
        let family = disk.refresh().and_then(|refresh| server.family_id(refresh.expose()));
        let doomed = family.is_some_and(|family| self.doomed.contains(&family));
        self.require(!doomed, Rule::SignOut, || format!("sign-in {family:?} is still in the file"));
    }

    /// A sign-in that has become the session, and a sign-out that begins, raise the epoch.
    fn before_books(&mut self, new: &Sidecar, disk: &Disk) {
        let Some(old) = &disk.sidecar.seen else { return };
        let signs_in = old.pending.is_some() && new.pin == old.pending && old.pin != old.pending;
        let signs_out = old.signing_out.is_none() && new.signing_out.is_some();
        self.require(!(signs_in || signs_out) || new.epoch > old.epoch, Rule::I6, || {
            format!("the epoch is {} and was {}", new.epoch, old.epoch)
        });
    }

    /// A step of the disk is about to be done.
    pub fn before_step(&mut self, step: &Step, disk: &Disk, server: &Server) {
        match step {
            Step::ReadFile => self.refused = self.refused.map(|_| true),
            Step::PutFile(parent, session) => self.before_exchange(*parent, session, disk, server),
            Step::PutSidecar(sidecar) => self.before_books(sidecar, disk),
            Step::PutJournal(journal) => self.before_forgetting(journal, disk),
            Step::ReadAll
            | Step::WriteTemporary
            | Step::SetAside(_)
            | Step::AppendOutcome(_)
            | Step::SyncJournal
            | Step::RemoveFile
            | Step::SyncFolder
            | Step::PutRevocation(_)
            | Step::DropRevocation(_)
            | Step::SyncState => {}
        }
    }

    fn before_exchange(
        &mut self,
        parent: Option<Fingerprint>,
        session: &Session,
        disk: &Disk,
        server: &Server,
    ) {
        let refresh = session.refresh.expose();
        let family = server.family_id(refresh);
        let ended = family.is_some_and(|family| self.ended.contains(&family));
        self.require(!ended, Rule::I6, || format!("{refresh} was signed out"));
        self.vouch(session);
        match &disk.journal.seen {
            Journal::Outcome(intent, outcome) if outcome.refresh == session.refresh => {
                if parent.is_none() || parent == disk.print() {
                    self.superseded.insert(intent.parent);
                }
            }
            // A sign-in replaces nothing that could be lost, so it counts once it is in the file.
            Journal::Outcome(..) | Journal::Intent(_) | Journal::Empty if parent.is_none() => {
                self.written_by_other(session);
            }
            Journal::Outcome(..) | Journal::Intent(_) | Journal::Empty => {}
        }
        let Some(old) = disk.session().filter(|old| parent == Some(old.fingerprint())) else { return };
        if old.refresh == session.refresh {
            return;
        }
        let kept = matches!(&disk.journal.durable, Journal::Outcome(_, outcome) if outcome.refresh == session.refresh);
        self.require(kept, Rule::I4, || format!("{refresh} is not in the journal yet"));
        let same = family == server.family_id(old.refresh.expose()) && family.is_some();
        self.require(same, Rule::Foreign, || format!("{refresh} takes the place of {:?}", old.user));
    }

    /// The journal tells that a token was sent until the side-car durably says so, or the file is gone.
    fn before_forgetting(&mut self, next: &Journal, disk: &Disk) {
        let (Journal::Intent(intent) | Journal::Outcome(intent, _)) = &disk.journal.durable else { return };
        let kept = match next {
            Journal::Empty => false,
            Journal::Intent(next) | Journal::Outcome(next, _) => next.parent == intent.parent,
        };
        let spent = disk.sidecar.durable.as_ref().is_some_and(|s| s.is_spent(intent.parent).is_some());
        self.require(kept || spent || disk.file.durable.is_none(), Rule::I4, || {
            format!("nothing but the journal tells that {:?} was sent", intent.parent)
        });
    }

    pub fn after_step(&mut self, disk: &Disk) {
        if disk.sidecar.durable.as_ref().is_some_and(|sidecar| sidecar.signing_out.is_some()) {
            self.doomed.extend(&self.leaving);
        }
        if let Some(Content::Session(session)) = &disk.file.durable
            && !self.durable.contains(session.access.expose())
        {
            self.durable.insert(session.access.expose().to_owned());
            self.durable.insert(session.refresh.expose().to_owned());
        }
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

/// Reading, and closing, is anybody's right.
fn is_harmless(effect: &Effect) -> bool {
    use everkey_session::event::StoreJob;
    match effect {
        Effect::Store(_, job) => matches!(**job, StoreJob::Load | StoreJob::Look),
        Effect::Net(..) => false,
        Effect::Reply(..) | Effect::Cancel(_) | Effect::Tell(_) => true,
    }
}
