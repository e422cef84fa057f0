//! Events that sliding-window limits count.

use sqlx::Row as _;

use crate::db::row::moment;
use crate::db::{DbError, Tx};
use crate::rules::rate::Limit;
use crate::time::Timestamp;

/// Makes of one table the kinds of events and their names in the database.
macro_rules! throttle_kinds {
    ($($(#[$help:meta])+ $kind:ident = $name:literal;)+) => {
        /// What an event is.
        #[derive(Clone, Copy, Debug, PartialEq, Eq)]
        pub enum ThrottleKind {
            $($(#[$help])+ $kind,)+
        }

        impl ThrottleKind {
            /// Its name in the database.
            pub const fn as_str(self) -> &'static str {
                match self {
                    $(Self::$kind => $name,)+
                }
            }
        }
    };
}

throttle_kinds! {
    /// A code was sent to this email, asked for in a network that is new to it.
    CodeToEmail = "code_to_email";
    /// A code was sent to this email, asked for in a network where it has signed in lately.
    CodeToFamiliar = "code_to_familiar";
    /// A code was asked for in this network, for an email that is new there.
    CodeFromIp = "code_from_ip";
    /// A code was asked for in this network, for this email.
    CodeFromIpToEmail = "code_from_ip_to_email";
    /// A guess from this network has not proved right.
    WrongGuessFromIp = "wrong_guess_from_ip";
    /// A guess from this network at this email's six-digit codes has not proved right.
    WrongGuessFromIpAtEmail = "wrong_guess_from_ip_at_email";
    /// An OAuth client was registered from this network.
    Registration = "registration";
    /// Someone in this network did not prove to be the OAuth client they named.
    FailedClient = "failed_client";
    /// An authorization code that is good for nothing was brought from this network.
    WrongCodeExchange = "code_exchange";
    /// A personal access token from this network was refused.
    RefusedPersonalToken = "refused_personal_token";
    /// This user made a personal access token.
    PersonalTokenMade = "personal_token_made";
    /// This user let an app or a device in.
    Consent = "consent";
    /// This form, which acts once, was sent.
    FormSent = "form_sent";
    /// This user made a workspace, invitation, report or link.
    Creation = "creation";
    /// This share link was opened from this network.
    ShareOpened = "share_opened";
    /// A share link that leads nowhere was tried from this network.
    WrongShare = "wrong_share";
    /// A device grant was asked for from this network.
    DeviceCodeFromIp = "device_code_from_ip";
    /// This user typed a user code that leads nowhere.
    WrongUserCodeOfUser = "wrong_user_code_of_user";
    /// A user code that leads nowhere was typed in this network.
    WrongUserCodeFromIp = "wrong_user_code_from_ip";
    /// The achilles CLI polled for this grant.
    AchillesPollOfGrant = "achilles_poll_of_grant";
    /// The achilles CLI polled from this network for a grant that is not there.
    AchillesPollFromIp = "achilles_poll_from_ip";
    /// The achilles CLI brought a refresh token from this network that was refused.
    AchillesRefreshFromIp = "achilles_refresh_from_ip";
    /// This user's second factor was answered wrongly.
    SecondFactorFailure = "second_factor_failure";
    /// A letter of one kind about this user's account was posted.
    Letter = "letter";
    /// A letter about an app's session of this user in two hands was posted.
    AppAlarm = "app_alarm";
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

    /// Forgets the events of one kind before `horizon`. Returns how many there were.
    pub async fn forget_events_of(&mut self, kind: ThrottleKind, horizon: Timestamp) -> Result<u64, DbError> {
        let done = sqlx::query("DELETE FROM throttle WHERE kind = $1 AND at < $2")
            .bind(kind.as_str())
            .bind(horizon.millis())
            .execute(self.connection())
            .await?;
        Ok(done.rows_affected())
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
