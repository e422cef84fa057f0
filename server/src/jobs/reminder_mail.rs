//! Posts one letter for each reminder that is due. Any number of processes may do so on one database: a letter is
//! claimed by one of them, for as long as its lease lasts. Dying between the mail system's yes and the database's costs a
//! second letter, never the only one.

use std::sync::Arc;
use std::time::Duration;

use tokio::task::JoinSet;

use crate::app::pseudonym;
use crate::db::audit::AuditEntry;
use crate::db::reminders::ClaimedReminder;
use crate::db::{Database, DbError, retry};
use crate::keys::KeyRing;
use crate::mail::carrier::Carrier;
use crate::mail::{Mail, MailContent};
use crate::metrics::METRICS;
use crate::rules::audit_event::AuditEvent;
use crate::rules::email::Email;
use crate::rules::reminder::pause_after;
use crate::time::TimeSource;

/// How often the database is asked for letters to post.
pub const LOOK_EVERY: Duration = Duration::from_secs(2);

/// Letters under way at once.
const AT_ONCE: usize = 8;

/// How long the mail system may take for one letter.
const SLOWEST_POST: Duration = Duration::from_secs(60);

/// How long a letter belongs to who claimed it: longer than posting it and noting so take.
const LEASE: Duration = Duration::from_secs(300);

/// How long a letter that was posted is tried to be noted as posted.
const SLOWEST_NOTE: Duration = Duration::from_secs(180);

/// Posts what is due.
#[derive(Clone)]
pub struct ReminderMail {
    pub store: Database,
    /// Names addresses in logs.
    pub keys: KeyRing,
    pub carrier: Carrier,
    pub clock: Arc<dyn TimeSource>,
    /// How often to look: [`LOOK_EVERY`], but for tests.
    pub look_every: Duration,
}

impl ReminderMail {
    /// Posts letters as they fall due until `stop`, then returns once those under way have arrived.
    pub async fn run(self, stop: impl Future<Output = ()>) {
        let mut under_way = JoinSet::new();
        tokio::pin!(stop);
        loop {
            while under_way.len() < AT_ONCE {
                match self.claim().await {
                    Ok(Some(claimed)) => {
                        let reminding = self.clone();
                        under_way.spawn(async move { reminding.post(&claimed).await });
                    }
                    Ok(None) => break,
                    Err(error) => {
                        tracing::warn!(%error, "could not look for reminders that are due");
                        break;
                    }
                }
            }
            tokio::select! {
                biased;
                () = &mut stop => break,
                Some(_) = under_way.join_next() => {}
                () = tokio::time::sleep(self.look_every) => {}
            }
        }
        while under_way.join_next().await.is_some() {}
    }

    async fn claim(&self) -> Result<Option<ClaimedReminder>, DbError> {
        let now = self.clock.now();
        // Looking alone takes no lock that a writer would wait for.
        if !self.store.begin_reading().await?.has_letter(now).await? {
            return Ok(None);
        }
        retry(|| async {
            let mut tx = self.store.begin().await?;
            let claimed = tx.claim_letter(now, now.plus(LEASE)).await?;
            tx.commit().await?;
            Ok(claimed)
        })
        .await
    }

    async fn post(&self, claimed: &ClaimedReminder) {
        let Ok(to) = Email::parse(&claimed.email) else {
            tracing::error!(user = claimed.user_id, "a reminder can't be mailed: the account has no address");
            return self.settle(claimed, MailOutcome::GivenUp).await;
        };
        let mail = Mail {
            name: pseudonym(&self.keys, &to),
            to,
            content: MailContent::Reminder { due_at: claimed.fire_at },
            at: self.clock.now(),
        };
        let posted = tokio::time::timeout(SLOWEST_POST, self.carrier.post(&mail)).await;
        let error = match posted {
            Ok(Ok(())) => return self.settle(claimed, MailOutcome::Posted).await,
            Ok(Err(error)) => error,
            Err(_) => "the mail system took too long".to_owned(),
        };
        match pause_after(claimed.tries) {
            Some(pause) => {
                tracing::warn!(to = mail.name, error, ?pause, "a reminder will be mailed again");
                METRICS.mail_retried();
                self.settle(claimed, MailOutcome::Later(pause)).await;
            }
            None => {
                tracing::error!(to = mail.name, error, "a reminder could not be mailed");
                METRICS.mail_failed();
                self.settle(claimed, MailOutcome::GivenUp).await;
            }
        }
    }

    /// Notes how it went, patiently: a letter that is posted and not noted is posted again.
    async fn settle(&self, claimed: &ClaimedReminder, outcome: MailOutcome) {
        let noting = async {
            while let Err(error) = retry(|| self.settle_once(claimed, outcome)).await {
                tracing::warn!(user = claimed.user_id, %error, "could not note what became of a reminder's mail");
                tokio::time::sleep(self.look_every).await;
            }
        };
        if tokio::time::timeout(SLOWEST_NOTE, noting).await.is_err() {
            tracing::error!(
                user = claimed.user_id,
                "a reminder may be mailed twice: the database did not answer"
            );
        }
    }

    async fn settle_once(&self, claimed: &ClaimedReminder, outcome: MailOutcome) -> Result<(), DbError> {
        let (next, event) = match outcome {
            MailOutcome::Posted => (None, Some(AuditEvent::ReminderMailed)),
            MailOutcome::GivenUp => (None, Some(AuditEvent::ReminderGivenUp)),
            MailOutcome::Later(pause) => (Some(self.clock.now().plus(pause)), None),
        };
        let mut tx = self.store.begin().await?;
        tx.settle_letter(claimed, next).await?;
        if let Some(event) = event {
            // What happened, happened, whatever became of the reminder meanwhile.
            let detail = Some(claimed.user_id.as_str());
            tx.record(AuditEntry { event, session: None, generation: None, detail }, self.clock.now())
                .await?;
        }
        tx.commit().await
    }
}

#[derive(Clone, Copy)]
enum MailOutcome {
    Posted,
    Later(Duration),
    GivenUp,
}
