//! Events that sliding-window limits count.

use sqlx::Row as _;

use crate::db::row::moment;
use crate::db::{DbError, Tx};
use crate::rules::rate::Limit;
use crate::time::Timestamp;

/// What an event is.
#[derive(Clone, Copy, Debug)]
pub enum ThrottleKind {
    /// A code was sent to this email.
    CodeToEmail,
    /// A code was asked for from this network address.
    CodeFromIp,
    /// An OAuth client was registered from this network address.
    Registration,
    /// Someone at this network address did not prove to be the OAuth client they named.
    FailedClient,
    /// An authorization code was brought from this network address.
    CodeExchange,
    /// A guess at this email's code has not proved right.
    FailedGuess,
    /// A personal access token from this network address was refused.
    RefusedPersonalToken,
    /// This user made a personal access token.
    PersonalTokenMade,
    /// This form, which acts once, was sent.
    FormSent,
    /// This user made a workspace, invitation, report or link.
    Creation,
    /// A share link was opened from this network address.
    ShareOpened,
    /// A device grant was asked for from this network address.
    DeviceCodeFromIp,
    /// This user typed a user code that leads nowhere.
    WrongUserCodeOfUser,
    /// A user code that leads nowhere was typed at this network address.
    WrongUserCodeFromIp,
    /// The achilles CLI polled from this network address.
    AchillesPollFromIp,
    /// The achilles CLI refreshed from this network address.
    AchillesRefreshFromIp,
    /// This user's second factor was answered wrongly.
    SecondFactorFailure,
    /// A letter of one kind about this user's account was posted.
    Letter,
}

impl ThrottleKind {
    pub(super) fn as_str(self) -> &'static str {
        match self {
            Self::CodeToEmail => "code_to_email",
            Self::CodeFromIp => "code_from_ip",
            Self::Registration => "registration",
            Self::FailedClient => "failed_client",
            Self::CodeExchange => "code_exchange",
            Self::FailedGuess => "failed_guess",
            Self::RefusedPersonalToken => "refused_personal_token",
            Self::PersonalTokenMade => "personal_token_made",
            Self::FormSent => "form_sent",
            Self::Creation => "creation",
            Self::ShareOpened => "share_opened",
            Self::DeviceCodeFromIp => "device_code_from_ip",
            Self::WrongUserCodeOfUser => "wrong_user_code_of_user",
            Self::WrongUserCodeFromIp => "wrong_user_code_from_ip",
            Self::AchillesPollFromIp => "achilles_poll_from_ip",
            Self::AchillesRefreshFromIp => "achilles_refresh_from_ip",
            Self::SecondFactorFailure => "second_factor_failure",
            Self::Letter => "letter",
        }
    }
}

/// Names one event, so that it can be taken back.
#[derive(Debug)]
pub struct EventId(String);

impl Tx {
    /// When the n-th newest event was; `None` if there are fewer than n. `n` counts from 1.
    pub async fn nth_newest(
        &mut self,
        kind: ThrottleKind,
        subject: &str,
        n: u32,
    ) -> Result<Option<Timestamp>, DbError> {
        let row = sqlx::query(
            "SELECT at FROM throttle WHERE kind = $1 AND subject = $2 ORDER BY at DESC LIMIT 1 OFFSET $3",
        )
        .bind(kind.as_str())
        .bind(subject)
        .bind(i64::from(n.saturating_sub(1)))
        .fetch_optional(self.connection())
        .await?;
        row.map(|row| moment(&row, "at")).transpose()
    }

    /// Counts one event, and forgets those of its subject that no longer can matter to `limit`.
    pub async fn count_event(
        &mut self,
        kind: ThrottleKind,
        subject: &str,
        limit: Limit,
        now: Timestamp,
    ) -> Result<EventId, DbError> {
        sqlx::query("DELETE FROM throttle WHERE kind = $1 AND subject = $2 AND at < $3")
            .bind(kind.as_str())
            .bind(subject)
            .bind(now.minus(limit.window).millis())
            .execute(self.connection())
            .await?;
        let id = uuid::Uuid::new_v4().to_string();
        sqlx::query("INSERT INTO throttle (id, kind, subject, at) VALUES ($1, $2, $3, $4)")
            .bind(id.as_str())
            .bind(kind.as_str())
            .bind(subject)
            .bind(now.millis())
            .execute(self.connection())
            .await?;
        Ok(EventId(id))
    }

    /// Takes an event back, as if it had not been counted.
    pub async fn uncount_event(&mut self, event: &EventId) -> Result<(), DbError> {
        sqlx::query("DELETE FROM throttle WHERE id = $1")
            .bind(event.0.as_str())
            .execute(self.connection())
            .await?;
        Ok(())
    }

    /// Forgets every event before `horizon`. Returns how many there were.
    pub async fn forget_events(&mut self, horizon: Timestamp) -> Result<u64, DbError> {
        let done = sqlx::query("DELETE FROM throttle WHERE at < $1")
            .bind(horizon.millis())
            .execute(self.connection())
            .await?;
        Ok(done.rows_affected())
    }

    /// When the n-th newest rotation of a session was; `None` if there were fewer.
    pub async fn nth_newest_rotation(&mut self, session: &str, n: u32) -> Result<Option<Timestamp>, DbError> {
        let row = sqlx::query(
            "SELECT consumed_at FROM refresh_tokens WHERE session_id = $1 AND consumed_at IS NOT NULL
             ORDER BY consumed_at DESC LIMIT 1 OFFSET $2",
        )
        .bind(session)
        .bind(i64::from(n.saturating_sub(1)))
        .fetch_optional(self.connection())
        .await?;
        row.map(|row| Ok(Timestamp::from_millis(row.try_get("consumed_at")?))).transpose()
    }
}
