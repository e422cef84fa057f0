//! When a sign-in ends for good, as far as that can be foreseen, and when to announce it.

use crate::session::Session;
use serde::{Deserialize, Serialize};

/// What is known of a sign-in from its beginning to its end. All times are unix seconds.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct SignInSpan {
    /// When the person signed in, if that was here.
    pub began: Option<u64>,
    /// When the whole authorization ends, if the server said so.
    pub told_end: Option<u64>,
    /// When the last refresh token ends.
    pub refresh_ends: Option<u64>,
    /// Whether a refresh moves that end; none before the first refresh.
    pub moves: Option<bool>,
    /// The end by which that is judged, and when its token was issued.
    pub judged_by: Option<(u64, u64)>,
}

/// How long sign-ins at a server have lived until the server refused a refresh.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct LearntLifetime {
    pub server: String,
    pub secs: u64,
    /// How often.
    pub count: u32,
}

/// An end that was announced, both in unix seconds.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct AnnouncedEnding {
    /// When the sign-in ends.
    pub by: u64,
    /// When that was announced last.
    pub at: u64,
}

/// Why a sign-in may be needed.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum EndingReason {
    /// A refresh is in doubt.
    InDoubt,
    /// The server has said when the sign-in ends.
    Expiry,
    /// Sign-ins at this server have ended after such a time before, so often.
    Lifetime(u32),
}

/// An end that can be foreseen.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) struct Ending {
    /// Unix seconds.
    pub by: u64,
    pub why: EndingReason,
    /// How long the sign-in lives in all, in seconds, if that is known.
    lives: Option<u64>,
}

/// How long ahead an end is announced at the most, in seconds.
const AHEAD_SECS: u64 = 3 * 86_400;

/// What lives shorter ends too often to be announced, in seconds.
const SHORT_SECS: u64 = 86_400;

/// How long nothing more is said of an end that was announced, in seconds.
const QUIET_SECS: u64 = 86_400;

/// By how much two ends may differ and count as the same, in seconds: a server counts from its own clock.
const SLACK_SECS: u64 = 60;

/// How many servers a profile remembers.
const LEARNT_CAP: usize = 16;

impl SignInSpan {
    /// What is known after the sign-in itself.
    pub(crate) fn of_sign_in(session: &Session, told_end: Option<u64>, wall: u64) -> Self {
        let refresh_ends = session.refresh_ends();
        Self { began: Some(wall), told_end, refresh_ends, moves: None, judged_by: end_of(session) }
    }

    /// What is known after one more refresh.
    pub(crate) fn refreshed(&self, session: &Session, told_end: Option<u64>) -> Self {
        let now = end_of(session);
        let step = self.judged_by.zip(now);
        let step =
            step.map(|((before, from), (end, at))| (end.saturating_sub(before), at.saturating_sub(from)));
        // An end that moves with each refresh has moved by seconds only if the last refresh was seconds ago.
        let clear = step.filter(|(moved, passed)| *moved > SLACK_SECS || *passed > 2 * SLACK_SECS);
        Self {
            began: self.began,
            told_end: told_end.or(self.told_end),
            refresh_ends: session.refresh_ends(),
            moves: clear.map(|(moved, passed)| moved > passed / 2).or(self.moves),
            judged_by: if step.is_some() && clear.is_none() { self.judged_by } else { now },
        }
    }

    fn end(&self) -> Option<u64> {
        self.told_end.or(self.refresh_ends.filter(|_| self.moves == Some(false)))
    }
}

/// When the refresh token ends, and when it was issued.
fn end_of(session: &Session) -> Option<(u64, u64)> {
    session.refresh_ends().zip(session.issued_at)
}

/// When this session's sign-in ends, if that can be foreseen; `learnt` is what is known of its server.
pub(crate) fn foreseen(
    session: &Session,
    span: Option<&SignInSpan>,
    learnt: Option<&LearntLifetime>,
) -> Option<Ending> {
    let began = span.and_then(|span| span.began);
    let told = match &session.refresh {
        Some(_) => span.and_then(SignInSpan::end),
        None => session.access_ends(),
    };
    if let Some(by) = told {
        let began = began.or(session.issued_at);
        let lives = began.map(|began| by.saturating_sub(began));
        return Some(Ending { by, why: EndingReason::Expiry, lives });
    }
    // Once may have been a person's own doing.
    let LearntLifetime { secs, count, .. } = learnt.filter(|learnt| learnt.count > 1)?;
    let by = began?.saturating_add(*secs);
    Some(Ending { by, why: EndingReason::Lifetime(*count), lives: Some(*secs) })
}

impl Ending {
    /// Unix seconds from which it is to be announced; none if it was a short while ago, or if it is over.
    pub fn announce_at(&self, announced: Option<&AnnouncedEnding>, wall: u64) -> Option<u64> {
        let lives = self.lives.unwrap_or(self.by.saturating_sub(wall));
        if lives < SHORT_SECS {
            return None;
        }
        let ahead = self.lives.map_or(AHEAD_SECS, |lives| AHEAD_SECS.min(lives / 5));
        let first = self.by.saturating_sub(ahead);
        let same = announced.filter(|one| one.by.abs_diff(self.by) <= SLACK_SECS);
        let at = same.map_or(first, |one| first.max(one.at.saturating_add(QUIET_SECS)));
        (at < self.by && wall < self.by).then_some(at)
    }
}

/// Remembers how long a sign-in has lived until its server refused a refresh.
pub(crate) fn learn_lifetime(learnt: &mut Vec<LearntLifetime>, server: &str, secs: u64) {
    let before = learnt.iter().position(|one| one.server == server).map(|at| learnt.remove(at));
    let alike = before.filter(|one| one.secs.abs_diff(secs) <= one.secs / 10);
    let (secs, count) = alike.map_or((secs, 1), |one| (one.secs.min(secs), one.count.saturating_add(1)));
    learnt.push(LearntLifetime { server: server.to_owned(), secs, count });
    let excess = learnt.len().saturating_sub(LEARNT_CAP);
    learnt.drain(..excess);
}

#[cfg(test)]
mod tests {
    use super::*;

    const DAY: u64 = 86_400;

    fn ending(by: u64, lives: Option<u64>) -> Ending {
        Ending { by, why: EndingReason::Expiry, lives }
    }

    #[test]
    fn an_end_is_announced_days_ahead_and_then_daily() {
        let by = 100 * DAY;
        let long = ending(by, Some(30 * DAY));
        assert_eq!(long.announce_at(None, 0), Some(97 * DAY));
        assert_eq!(ending(by, Some(DAY)).announce_at(None, 0), Some(by - DAY / 5), "of a day a few hours");
        let told = AnnouncedEnding { by: by + 30, at: 97 * DAY + 5 };
        assert_eq!(long.announce_at(Some(&told), 97 * DAY + 6), Some(98 * DAY + 5), "a day of quiet");
        let other = AnnouncedEnding { by: by - 40 * DAY, ..told.clone() };
        assert_eq!(long.announce_at(Some(&other), 97 * DAY), Some(97 * DAY), "another sign-in's");
        let late = AnnouncedEnding { at: by - 100, ..told };
        assert_eq!(long.announce_at(Some(&late), by - 50), None);
        assert_eq!(long.announce_at(None, by + 1), None, "it is over");
        assert_eq!(ending(by, Some(3_600)).announce_at(None, by - 600), None, "it ends every hour");
    }

    #[test]
    fn a_lifetime_counts_once_it_was_seen_twice() {
        let mut learnt = Vec::new();
        learn_lifetime(&mut learnt, "a", 30 * DAY);
        learn_lifetime(&mut learnt, "b", DAY);
        assert_eq!(learnt.iter().map(|one| one.count).max(), Some(1));
        learn_lifetime(&mut learnt, "a", 29 * DAY);
        assert_eq!(learnt.last().map(|one| (one.secs, one.count)), Some((29 * DAY, 2)));
        learn_lifetime(&mut learnt, "a", DAY);
        assert_eq!(learnt.last().map(|one| (one.secs, one.count)), Some((DAY, 1)), "something else");
    }
}
