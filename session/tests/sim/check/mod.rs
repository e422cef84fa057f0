//! The invariants of `ARCHITECTURE.md`, looked at after each event. It knows the disk and the server as they
//! are, never what the agent believes.

mod access;
mod files;
mod requests;

pub use requests::Send;

use crate::disk::Disk;
use crate::server::Server;
use everkey_proto::request::SessionRequest;
use everkey_reminder::{ProfileEffect, ReminderEffect, ReminderJob};
use everkey_session::{Effect, EndReason, Error, Fingerprint, Notice, Op, ProfileReply, Waiter};
use requests::Sends;
use std::collections::{BTreeMap, BTreeSet};

/// What was broken.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Rule {
    /// No byte of a refresh token is sent without a durable intent for it.
    I1,
    /// One idempotency key per refresh token, ever; per rotation where the server leaves the token as it is.
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
    /// At least 30 s between automatic refreshes; less only where tokens live shorter than that.
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
    /// No token is given out after a sign-out, an alarm or a report, nor where it ends with its session; and whoever is
    /// given one of an ended session is told (N40).
    Ended,
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
    /// No refresh but near the expiry, when asked for, or because the token was reported: however many report one
    /// token, however late, it is refreshed once (N29).
    Reason,
    /// Who reports a token is given another one.
    Report,
    /// A reminder is told once, and only when it is due and noted (D19).
    Once,
    /// A reminder that is due is told in the end.
    Untold,
    /// A reminder is only ever its own user's (D20).
    Whose,
    /// The api-server ends up with what was set or cleared last, and nobody is told so before.
    Upstream,
    /// A reminder that is confirmed is durable.
    Stored,
    /// After a theft the owner ends with a session or an alarm, within a stated time.
    Theft,
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

#[derive(Default)]
pub struct Checks {
    pub breach: Option<Breach>,
    /// Who waits, and until when.
    pub waiting: BTreeMap<Waiter, u64>,
    /// Token to key, and key to token.
    keys: BTreeMap<String, String>,
    tokens: BTreeMap<String, String>,
    sends: BTreeMap<String, Sends>,
    /// Whether the agent is told what the server does with a token that comes twice.
    is_rule_known: bool,
    /// For how long after a first send that was carried out a repeat was granted, and nothing has disproved it since.
    learnt_grace_ms: Option<u64>,
    /// Access tokens that came of a repeat.
    repeated: BTreeSet<String>,
    granted_last: Option<String>,
    /// Whether the last refresh was one that a crash had cut short.
    rolled_forward: bool,
    /// When another program last wrote the session file.
    pub other_wrote_at: Option<u64>,
    flying: BTreeMap<Op, String>,
    /// Every access token that was durable in the session file, or was written there by others.
    durable: BTreeSet<String>,
    /// Tokens whose successors were put in their place.
    superseded: BTreeSet<Fingerprint>,
    vouched: BTreeSet<String>,
    /// Sign-ins that were signed out here.
    ended: BTreeSet<usize>,
    leaving: BTreeSet<usize>,
    /// The access token beside it.
    parting: Option<String>,
    /// Sign-ins whose sign-out is durable, though the file may still be there.
    doomed: BTreeSet<usize>,
    /// Sign-ins that somebody has tried to sign out.
    given_up: BTreeSet<usize>,
    /// Tokens that arrived in this life of the agent: it knows by the boot clock how long they are valid.
    arrived: BTreeSet<String>,
    /// Tokens that a thief had first: nobody here knows when they were issued.
    stolen: BTreeSet<String>,
    /// A refusal has arrived; whether the file was read since.
    refused: Option<bool>,
    /// Sessions that a refusal has ended; a restart may say so again.
    over: BTreeSet<Fingerprint>,
    sent_at: Option<u64>,
    /// When the last refresh that succeeded was sent.
    refreshed_at: Option<u64>,
    forced: bool,
    /// Access tokens that clients have reported as refused.
    reported: BTreeSet<Fingerprint>,
    reporters: BTreeMap<Waiter, Fingerprint>,
    /// Access tokens of sessions that are over, and whether they may be given out all the same.
    closed: BTreeMap<String, bool>,
    /// Whether somebody has asked for a refresh, or for a token of a certain validity, since the last one.
    asked_for: bool,
    /// Whether the agent has to guess how old a token is.
    must_guess: bool,
    /// Whether the owner's last news is that the session has ended.
    told_of_end: bool,
    /// Sign-ins that the agent has given up because somebody else refreshes them.
    pub contested: BTreeSet<usize>,
}

impl Checks {
    pub fn new(is_rule_known: bool) -> Self {
        Self { is_rule_known, ..Self::default() }
    }

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

    pub fn asked(&mut self, waiter: Waiter, ask: &SessionRequest, at: u64) {
        let takes_long = matches!(
            ask,
            SessionRequest::Login { .. }
                | SessionRequest::Wait { .. }
                | SessionRequest::Answer { .. }
                | SessionRequest::Cancel { .. }
                | SessionRequest::Leave { .. }
                | SessionRequest::Logout
        );
        let patience = if takes_long { LONG_PATIENCE_MS } else { PATIENCE_MS };
        self.waiting.insert(waiter, at + patience);
        self.forced |= *ask == SessionRequest::Refresh { force: true };
        match ask {
            SessionRequest::Better { than } => {
                self.reported.insert(*than);
                self.reporters.insert(waiter, *than);
            }
            SessionRequest::Refresh { .. } => self.asked_for = true,
            SessionRequest::Token { min_validity_secs } => self.asked_for |= *min_validity_secs > 0,
            SessionRequest::Whoami
            | SessionRequest::Status
            | SessionRequest::Login { .. }
            | SessionRequest::Wait { .. }
            | SessionRequest::Inspect { .. }
            | SessionRequest::Answer { .. }
            | SessionRequest::Cancel { .. }
            | SessionRequest::Leave { .. }
            | SessionRequest::Logout => {}
        }
    }

    pub fn asked_of_reminder(&mut self, waiter: Waiter, at: u64) {
        self.waiting.insert(waiter, at + PATIENCE_MS);
    }

    /// Whether the owner knows that their session is over.
    pub fn is_told_of_end(&self) -> bool {
        self.told_of_end
    }

    /// Nobody can do anything meanwhile.
    pub fn suspended(&mut self, ms: u64) {
        self.waiting.values_mut().for_each(|until| *until += ms);
        self.must_guess = true;
    }

    /// A clock has jumped, or nobody here knows for how long tokens are issued.
    pub fn guessing(&mut self) {
        self.must_guess = true;
    }

    pub fn crashed(&mut self) {
        self.waiting.clear();
        self.reporters.clear();
        self.closed.clear();
        self.flying.clear();
        self.arrived.clear();
        self.refused = None;
        self.refreshed_at = None;
        self.sent_at = None;
        self.leaving.clear();
        self.parting = None;
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

    pub fn effect(&mut self, at: u64, effect: &ProfileEffect, disk: &Disk, server: &Server) {
        self.require(disk.lock_is_free || is_harmless(effect), Rule::I5, || {
            format!("{effect:?} without the lock")
        });
        match effect {
            ProfileEffect::Session(Effect::Reply(waiter, answer)) => {
                self.answers(*waiter);
                self.replied(at, *waiter, answer, disk, server);
            }
            ProfileEffect::Status(waiter, ..) | ProfileEffect::Reminder(ReminderEffect::Reply(waiter, _)) => {
                self.answers(*waiter)
            }
            ProfileEffect::Session(Effect::Notify(notice)) => self.told(at, notice, disk, server),
            ProfileEffect::Session(
                Effect::Store(..) | Effect::Net(..) | Effect::Cancel(_) | Effect::Farewell(_),
            )
            | ProfileEffect::Reminder(
                ReminderEffect::Store(..)
                | ReminderEffect::Call(..)
                | ReminderEffect::Remind(_)
                | ReminderEffect::Notify(_),
            ) => {}
        }
    }

    fn answers(&mut self, waiter: Waiter) {
        let waited = self.waiting.remove(&waiter).is_some();
        self.require(waited, Rule::I9, || format!("{waiter:?} gets an answer it does not wait for"));
    }

    fn replied(&mut self, at: u64, waiter: Waiter, answer: &ProfileReply, disk: &Disk, server: &Server) {
        let reported = self.reporters.remove(&waiter);
        if let (Some(than), ProfileReply::Failed(Error::NeedsLogin(_))) = (reported, answer) {
            self.reported_in_vain(than, disk);
        }
        if let ProfileReply::Token { access, ended, .. } = answer {
            self.hands_out(access.expose(), *ended);
            self.require(reported != Some(Fingerprint::of(access)), Rule::Report, || {
                format!("{waiter:?} is given {} though it reported it", access.expose())
            });
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

    fn told(&mut self, at: u64, notice: &Notice, disk: &Disk, server: &Server) {
        if let Notice::Ended(why) = notice {
            self.closes(*why, disk, server);
            if *why == EndReason::Contested {
                self.contested.extend(disk.refresh().and_then(|refresh| server.family_id(refresh.expose())));
            }
        }
        match notice {
            Notice::Ended(_) => self.told_of_end = true,
            Notice::Refreshed | Notice::Adopted | Notice::SignedIn => self.told_of_end = false,
            _ => {}
        }
        match notice {
            Notice::Refreshed => {
                self.rolled_forward = self.sent_at.is_none();
                self.refreshed_at = self.sent_at.or(Some(at));
                self.forced = false;
                self.asked_for = false;
            }
            Notice::Adopted | Notice::SignedIn => {
                self.refreshed_at = None;
                // The file's wall time is all there is to go by now.
                self.arrived.clear();
            }
            Notice::Ended(EndReason::Refused | EndReason::RepeatRefused | EndReason::RefusedInWords) => {
                let known = disk.print().is_some_and(|print| !self.over.insert(print));
                self.require(known || self.refused == Some(true), Rule::I8, || {
                    "ended without a refusal and a look at the file after it".to_owned()
                });
            }
            Notice::Ended(_)
            | Notice::SignedOut(_)
            | Notice::RefreshFailed(_)
            | Notice::SignInAhead { .. }
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
}

/// Reading, and closing, is anybody's right.
fn is_harmless(effect: &ProfileEffect) -> bool {
    use everkey_session::StoreJob;
    match effect {
        ProfileEffect::Session(Effect::Store(_, job)) => {
            matches!(**job, StoreJob::Load | StoreJob::ReadSession)
        }
        ProfileEffect::Reminder(ReminderEffect::Store(_, job)) => matches!(**job, ReminderJob::Read),
        ProfileEffect::Session(Effect::Net(..) | Effect::Farewell(_))
        | ProfileEffect::Reminder(ReminderEffect::Call(..) | ReminderEffect::Remind(_)) => false,
        ProfileEffect::Session(Effect::Reply(..) | Effect::Cancel(_) | Effect::Notify(_))
        | ProfileEffect::Status(..)
        | ProfileEffect::Reminder(ReminderEffect::Reply(..) | ReminderEffect::Notify(_)) => true,
    }
}
