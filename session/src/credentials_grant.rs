//! Clients that wait for a session which nobody but the agent has to ask for, and how the asking goes.

use crate::effect::Outbox;
use crate::error::{Error, NetError, NetErrorKind};
use crate::input::Waiter;
use crate::policy::{retry_after, retry_at, slow_retry_at};
use crate::reply::ProfileReply;
use crate::time::{Boot, Moment};

/// How long a client waits at the most, in milliseconds.
const PATIENCE_MS: u64 = 20_000;

#[derive(Debug, Default)]
pub(crate) struct CredentialsGrant {
    waiting: Vec<(Waiter, Boot)>,
    under_way: bool,
    failures: u32,
    /// The next try is not before.
    next: Option<Boot>,
    /// What went wrong last, until something goes right.
    last: Option<Error>,
}

impl CredentialsGrant {
    /// Somebody wants a token where there is no session yet.
    pub fn wait(&mut self, now: &Moment, waiter: Waiter) {
        self.waiting.push((waiter, now.boot.plus_ms(PATIENCE_MS)));
        self.shorten_backoff(now);
    }

    /// Somebody waits now: a second is long enough.
    pub fn shorten_backoff(&mut self, now: &Moment) {
        self.next = self.next.map(|next| next.min(now.boot.plus_secs(1)));
    }

    pub fn is_wanted(&self) -> bool {
        !self.waiting.is_empty()
    }

    pub fn is_under_way(&self) -> bool {
        self.under_way
    }

    pub fn begun(&mut self) {
        self.under_way = true;
    }

    /// The next try is not before.
    pub fn next(&self) -> Boot {
        self.next.unwrap_or(Boot(0))
    }

    /// When somebody has waited long enough.
    pub fn patience_ends(&self) -> Option<Boot> {
        self.waiting.iter().map(|(_, until)| *until).min()
    }

    pub fn succeeded(&mut self, token: &ProfileReply, out: &mut Outbox) {
        let waiting = std::mem::take(self).waiting;
        out.reply_all(waiting.into_iter().map(|(waiter, _)| waiter), token);
    }

    pub fn failed(&mut self, now: &Moment, why: &Error, out: &mut Outbox) {
        self.under_way = false;
        self.failures = self.failures.saturating_add(1);
        self.next = Some(match why {
            Error::RateLimited { secs } => retry_after(now, *secs),
            Error::Net(NetError { kind: NetErrorKind::Limited(secs), .. }) => retry_after(now, *secs),
            Error::Net(NetError { kind: NetErrorKind::ClientRefused(_), .. }) | Error::Rejected(_) => {
                slow_retry_at(now, self.failures)
            }
            _ => retry_at(now, self.failures),
        });
        self.last = Some(why.clone());
        self.fail_all(why, out);
    }

    /// The client may have been mended: what waits for that need not wait any longer.
    pub fn client_changed(&mut self) {
        let waits = match &self.last {
            Some(Error::Net(net)) => net.is_about_the_client(),
            Some(Error::Rejected(_)) => true,
            _ => false,
        };
        if waits {
            self.next = None;
        }
    }

    /// Answers everyone whose time is up.
    pub fn expire(&mut self, now: &Moment, out: &mut Outbox) {
        let late: Vec<_> = self.waiting.iter().filter(|(_, until)| *until <= now.boot).copied().collect();
        self.waiting.retain(|(_, until)| *until > now.boot);
        let why = ProfileReply::Failed(self.last.clone().unwrap_or(Error::Timeout));
        out.reply_all(late.into_iter().map(|(waiter, _)| waiter), &why);
    }

    pub fn fail_all(&mut self, why: &Error, out: &mut Outbox) {
        let waiting = std::mem::take(&mut self.waiting);
        out.reply_all(waiting.into_iter().map(|(waiter, _)| waiter), &ProfileReply::Failed(why.clone()));
    }

    pub fn forget(&mut self, waiter: Waiter) {
        self.waiting.retain(|(one, _)| *one != waiter);
    }

    pub fn last_error(&self) -> Option<&Error> {
        self.last.as_ref()
    }
}
