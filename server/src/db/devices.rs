//! Device grants. The device's code is kept as its hash, the person's as a keyed hash.

use std::time::Duration;

use sqlx::Row as _;
use sqlx::any::AnyRow;

use crate::db::row::{moment, optional_moment};
use crate::db::sessions::StoredSession;
use crate::db::{DbError, Tx};
use crate::digest::Digest;
use crate::rules::caller::NetworkCaller;
use crate::rules::device::{Asker, DeviceDecision, DeviceGrantState, Pace};
use crate::time::Timestamp;

#[derive(Clone, Debug)]
pub struct DeviceGrant {
    pub id: String,
    pub asker: Asker,
    /// The network address that asked.
    pub address: String,
    /// What the program that asked calls itself.
    pub program: String,
    pub created_at: Timestamp,
    pub expires_at: Timestamp,
    pub pace: Pace,
    pub state: DeviceGrantState,
    /// When the person who decided had proved who they are; `None` exactly while it is pending.
    pub proved_at: Option<Timestamp>,
    /// The session in which they decided; `None` while it is pending, or if that was not kept yet.
    pub decided_in: Option<String>,
}

#[derive(Debug)]
pub struct NewDeviceGrant<'a> {
    pub id: &'a str,
    /// The hash of the device's code.
    pub device: Digest,
    /// The server key that the hash of the person's code was made with.
    pub key_id: &'a str,
    /// The keyed hash of the person's code.
    pub user_code: Digest,
    pub asker: &'a Asker,
    pub caller: &'a NetworkCaller,
    pub expires_at: Timestamp,
}

macro_rules! select {
    ($rest:literal) => {
        concat!(
            "SELECT id, kind, client_id, scope, client_name, address, program, created_at, expires_at, interval_ms,
                polled_at, state, user_id, proved_at, decided_in
            FROM device_grants ",
            $rest
        )
    };
}

impl Tx {
    pub async fn insert_device_grant(
        &mut self,
        new: &NewDeviceGrant<'_>,
        now: Timestamp,
    ) -> Result<(), DbError> {
        let (kind, client, scope) = match new.asker {
            Asker::Client { id, name: _, scope } => ("oauth", Some(id.as_str()), Some(scope.as_str())),
            Asker::Achilles => ("cli", None, None),
        };
        sqlx::query(
            "INSERT INTO device_grants (id, device_hash, user_code_key, user_code_hash, kind, client_id, scope,
                client_name, address, program, created_at, expires_at, interval_ms, state)
             VALUES ($1, $2, $3, $4, $5, $6, $7, $8, $9, $10, $11, $12, $13, 'pending')",
        )
        .bind(new.id)
        .bind(new.device.bytes().as_slice())
        .bind(new.key_id)
        .bind(new.user_code.bytes().as_slice())
        .bind(kind)
        .bind(client)
        .bind(scope)
        .bind(new.asker.name())
        .bind(new.caller.address.to_string())
        .bind(new.caller.program.as_str())
        .bind(now.millis())
        .bind(new.expires_at.millis())
        .bind(millis(new.asker.interval()))
        .execute(self.connection())
        .await?;
        Ok(())
    }

    /// The grant that a device polls for, locked until the commit.
    pub async fn device_grant_by_code(&mut self, device: &Digest) -> Result<Option<DeviceGrant>, DbError> {
        let query = self.dialect.locking(select!("WHERE device_hash = $1"), "device_grants");
        let row =
            sqlx::query(query).bind(device.bytes().as_slice()).fetch_optional(self.connection()).await?;
        row.as_ref().map(grant).transpose()
    }

    /// The grant with this keyed hash of a person's code.
    pub async fn device_grant_by_user_code(
        &mut self,
        user_code: &Digest,
    ) -> Result<Option<DeviceGrant>, DbError> {
        let row = sqlx::query(select!("WHERE user_code_hash = $1"))
            .bind(user_code.bytes().as_slice())
            .fetch_optional(self.connection())
            .await?;
        row.as_ref().map(grant).transpose()
    }

    /// The grant with this id, locked until the commit.
    pub async fn device_grant_for_update(&mut self, id: &str) -> Result<Option<DeviceGrant>, DbError> {
        let query = self.dialect.locking(select!("WHERE id = $1"), "device_grants");
        let row = sqlx::query(query).bind(id).fetch_optional(self.connection()).await?;
        row.as_ref().map(grant).transpose()
    }

    /// Notes a poll, and the least time until the next one.
    pub async fn note_poll(&mut self, id: &str, interval: Duration, now: Timestamp) -> Result<(), DbError> {
        sqlx::query("UPDATE device_grants SET polled_at = $2, interval_ms = $3 WHERE id = $1")
            .bind(id)
            .bind(now.millis())
            .bind(millis(interval))
            .execute(self.connection())
            .await?;
        Ok(())
    }

    /// Writes a verdict down. `false` if there was one already.
    pub async fn decide_device_grant(
        &mut self,
        id: &str,
        verdict: DeviceDecision,
        session: &StoredSession,
        proved_at: Timestamp,
        now: Timestamp,
    ) -> Result<bool, DbError> {
        let state = match verdict {
            DeviceDecision::Approve => "approved",
            DeviceDecision::Deny => "denied",
        };
        let done = sqlx::query(
            "UPDATE device_grants SET state = $2, user_id = $3, decided_at = $4, proved_at = $5, decided_in = $6
             WHERE id = $1 AND state = 'pending'",
        )
        .bind(id)
        .bind(state)
        .bind(session.user.id.as_str())
        .bind(now.millis())
        .bind(proved_at.millis())
        .bind(session.id.as_str())
        .execute(self.connection())
        .await?;
        Ok(done.rows_affected() == 1)
    }

    /// Uses an approved grant up. `false` if it was used up already.
    pub async fn redeem_device_grant(&mut self, id: &str) -> Result<bool, DbError> {
        let done =
            sqlx::query("UPDATE device_grants SET state = 'redeemed' WHERE id = $1 AND state = 'approved'")
                .bind(id)
                .execute(self.connection())
                .await?;
        Ok(done.rows_affected() == 1)
    }

    /// Forgets grants that expired before `horizon`. Returns how many there were.
    pub async fn forget_device_grants(&mut self, horizon: Timestamp) -> Result<u64, DbError> {
        let done = sqlx::query("DELETE FROM device_grants WHERE expires_at < $1")
            .bind(horizon.millis())
            .execute(self.connection())
            .await?;
        Ok(done.rows_affected())
    }
}

fn grant(row: &AnyRow) -> Result<DeviceGrant, DbError> {
    let impossible = |column| move || DbError::Corrupt(column);
    let user = || -> Result<String, DbError> {
        row.try_get::<Option<String>, _>("user_id")?.ok_or_else(impossible("device_grants.user_id"))
    };
    let asker = match row.try_get("kind")? {
        "cli" => Asker::Achilles,
        "oauth" => Asker::Client {
            id: row
                .try_get::<Option<_>, _>("client_id")?
                .ok_or_else(impossible("device_grants.client_id"))?,
            name: row.try_get("client_name")?,
            scope: row.try_get::<Option<_>, _>("scope")?.ok_or_else(impossible("device_grants.scope"))?,
        },
        _ => return Err(DbError::Corrupt("device_grants.kind")),
    };
    let state = match row.try_get("state")? {
        "pending" => DeviceGrantState::Pending,
        "approved" => DeviceGrantState::Approved { user: user()? },
        "denied" => DeviceGrantState::Denied { user: user()? },
        "redeemed" => DeviceGrantState::Redeemed { user: user()? },
        _ => return Err(DbError::Corrupt("device_grants.state")),
    };
    let interval = u64::try_from(row.try_get::<i64, _>("interval_ms")?)
        .map_err(|_| DbError::Corrupt("device_grants.interval_ms"))?;
    Ok(DeviceGrant {
        id: row.try_get("id")?,
        asker,
        address: row.try_get("address")?,
        program: row.try_get("program")?,
        created_at: moment(row, "created_at")?,
        expires_at: moment(row, "expires_at")?,
        pace: Pace {
            polled_at: optional_moment(row, "polled_at")?,
            interval: Duration::from_millis(interval),
        },
        state,
        proved_at: optional_moment(row, "proved_at")?,
        decided_in: row.try_get("decided_in")?,
    })
}

fn millis(span: Duration) -> i64 {
    i64::try_from(span.as_millis()).unwrap_or(i64::MAX)
}
