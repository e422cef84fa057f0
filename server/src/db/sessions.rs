//! Sessions: a family of refresh tokens that descend from one sign-in.

use std::str::FromStr;

use sqlx::Row as _;
use sqlx::any::AnyRow;

use crate::db::row::{moment, optional_moment};
use crate::db::users::{AccountStatus, StoredUser, platform, status};
use crate::db::{DbError, Tx};
use crate::rules::access::SessionStanding;
use crate::rules::caller::NetworkCaller;
use crate::rules::session_kind::{ProofMethod, SessionKind};
use crate::rules::unknown_value::UnknownValue;
use crate::time::Timestamp;

/// Why a session was ended before it lapsed.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum SessionEndReason {
    /// Its holder signed out.
    Logout,
    /// One of the user's refresh tokens was used twice, or what let the session in was.
    Replay,
}

impl SessionEndReason {
    /// The word for it in the database and in listings.
    pub fn as_str(self) -> &'static str {
        match self {
            Self::Logout => "logout",
            Self::Replay => "replay",
        }
    }
}

impl FromStr for SessionEndReason {
    type Err = UnknownValue;

    fn from_str(text: &str) -> Result<Self, UnknownValue> {
        [Self::Logout, Self::Replay].into_iter().find(|reason| reason.as_str() == text).ok_or(UnknownValue)
    }
}

/// A session with its user.
#[derive(Clone, Debug)]
pub struct StoredSession {
    pub id: String,
    pub user: StoredUser,
    pub grant: SessionKind,
    /// How its holder proved who they are.
    pub how: ProofMethod,
    /// The network address it began at, where that is known.
    pub address: Option<String>,
    /// What the program that began it calls itself.
    pub program: Option<String>,
    /// When and from which network address one of its tokens was last seen.
    pub last_seen: Option<(Timestamp, String)>,
    pub created_at: Timestamp,
    pub rotated_at: Option<Timestamp>,
    /// The generation of its newest refresh token; the first is 1.
    pub generation: i64,
    /// The highest generation of which a token has been seen.
    pub seen_generation: i64,
    /// When and why it was ended.
    pub ended: Option<(Timestamp, SessionEndReason)>,
}

impl StoredSession {
    /// Whether its tokens still count for anything.
    pub fn standing(&self) -> SessionStanding {
        match (self.ended, self.user.status) {
            (None, AccountStatus::Active) => SessionStanding::Live,
            (Some(_), AccountStatus::Active | AccountStatus::Disabled) | (None, AccountStatus::Disabled) => {
                SessionStanding::Ended
            }
        }
    }

    /// Whether it was ended without an alarm, of an account that is not disabled.
    pub fn was_signed_out(&self) -> bool {
        match (self.ended, self.user.status) {
            (Some((_, SessionEndReason::Logout)), AccountStatus::Active) => true,
            (Some((_, SessionEndReason::Replay)) | None, _) | (_, AccountStatus::Disabled) => false,
        }
    }
}

macro_rules! select {
    ($rest:literal) => {
        concat!(
            "SELECT s.id, s.created_at, s.rotated_at, s.generation, s.seen_generation, s.revoked_at, s.revoked_why,
                s.grant_kind, s.how, s.client_id, s.scope, s.org_id, s.org_role, s.address, s.program,
                s.last_seen_at, s.last_seen_from,
                u.id AS user_id, u.email, u.name, u.plan, u.platform_role, u.status, u.created_at AS user_created_at
            FROM sessions s JOIN users u ON u.id = s.user_id ",
            $rest
        )
    };
}

#[derive(Debug)]
pub struct NewSession<'a> {
    pub id: &'a str,
    pub user: &'a StoredUser,
    pub grant: &'a SessionKind,
    /// How its holder proved who they are.
    pub how: ProofMethod,
    /// The session that let it in, if one did.
    pub approved_by: Option<&'a str>,
    pub caller: &'a NetworkCaller,
}

impl Tx {
    /// Begins a session of generation 1.
    pub async fn insert_session(&mut self, new: &NewSession<'_>, now: Timestamp) -> Result<(), DbError> {
        let columns = GrantColumns::of(new.grant);
        sqlx::query(
            "INSERT INTO sessions (id, user_id, created_at, generation, seen_generation, grant_kind, how, client_id,
                scope, org_id, org_role, address, program, last_seen_at, last_seen_from, approved_by)
             VALUES ($1, $2, $3, 1, 0, $4, $5, $6, $7, $8, $9, $10, $11, $3, $10, $12)",
        )
        .bind(new.id)
        .bind(new.user.id.as_str())
        .bind(now.millis())
        .bind(columns.kind)
        .bind(new.how.as_str())
        .bind(columns.client)
        .bind(columns.scope)
        .bind(columns.org)
        .bind(columns.role)
        .bind(new.caller.address.to_string())
        .bind(new.caller.program.as_str())
        .bind(new.approved_by)
        .execute(self.connection())
        .await?;
        Ok(())
    }

    /// The session with this id, locked against rotation until the commit.
    pub async fn session_for_update(&mut self, id: &str) -> Result<Option<StoredSession>, DbError> {
        let query = self.dialect.locking(select!("WHERE s.id = $1"), "s");
        let row = sqlx::query(query).bind(id).fetch_optional(self.connection()).await?;
        row.as_ref().map(session).transpose()
    }

    /// The session with this id as it is now; nothing holds it so.
    pub async fn session(&mut self, id: &str) -> Result<Option<StoredSession>, DbError> {
        let row = sqlx::query(select!("WHERE s.id = $1")).bind(id).fetch_optional(self.connection()).await?;
        row.as_ref().map(session).transpose()
    }

    /// Where, and with which programs, a user has signed in lately, besides `except` and what proved to be a thief's.
    pub async fn earlier_places_of(
        &mut self,
        user: &str,
        except: &str,
    ) -> Result<Vec<(Option<String>, Option<String>)>, DbError> {
        let rows = sqlx::query(
            "SELECT address, program FROM sessions
             WHERE user_id = $1 AND id <> $2 AND (revoked_why IS NULL OR revoked_why <> 'replay')
             ORDER BY created_at DESC LIMIT 200",
        )
        .bind(user)
        .bind(except)
        .fetch_all(self.connection())
        .await?;
        rows.iter().map(|row| Ok((row.try_get("address")?, row.try_get("program")?))).collect()
    }

    /// Every session, oldest first.
    pub async fn all_sessions(&mut self) -> Result<Vec<StoredSession>, DbError> {
        let rows = sqlx::query(select!("ORDER BY s.created_at, s.id")).fetch_all(self.connection()).await?;
        rows.iter().map(session).collect()
    }

    /// The sessions of a user that have neither been ended nor lapsed, the last seen first. Whether a browser's has
    /// lay idle too long is for the rules.
    pub async fn open_sessions_of(
        &mut self,
        user: &str,
        now: Timestamp,
    ) -> Result<Vec<StoredSession>, DbError> {
        let query = select!(
            "WHERE s.user_id = $1 AND s.revoked_at IS NULL AND (
                EXISTS (SELECT 1 FROM refresh_tokens t
                        WHERE t.session_id = s.id AND t.consumed_at IS NULL AND t.expires_at > $2)
                OR s.access_expires_at > $2
                OR EXISTS (SELECT 1 FROM web_sessions w WHERE w.session_id = s.id AND w.expires_at > $2))
            ORDER BY s.last_seen_at DESC, s.created_at DESC, s.id"
        );
        let rows = sqlx::query(query).bind(user).bind(now.millis()).fetch_all(self.connection()).await?;
        rows.iter().map(session).collect()
    }

    /// Ends every session of a user but one, and what would become one. Returns how many were still open.
    pub async fn end_other_sessions_of(
        &mut self,
        user: &str,
        kept: &str,
        why: SessionEndReason,
        now: Timestamp,
    ) -> Result<u64, DbError> {
        let done = sqlx::query(
            "UPDATE sessions SET revoked_at = $3, revoked_why = $4
             WHERE user_id = $1 AND id <> $2 AND revoked_at IS NULL",
        )
        .bind(user)
        .bind(kept)
        .bind(now.millis())
        .bind(why.as_str())
        .execute(self.connection())
        .await?;
        self.withdraw_approvals_of(user).await?;
        Ok(done.rows_affected())
    }

    /// The sessions of a user that nobody has ended, oldest first.
    pub async fn unended_sessions_of(&mut self, user: &str) -> Result<Vec<StoredSession>, DbError> {
        let query = select!("WHERE s.user_id = $1 AND s.revoked_at IS NULL ORDER BY s.created_at, s.id");
        let rows = sqlx::query(query).bind(user).fetch_all(self.connection()).await?;
        rows.iter().map(session).collect()
    }

    /// Notes when the access token of a session lapses that has no refresh token, and with it the session.
    pub async fn set_access_expiry(&mut self, id: &str, expires_at: Timestamp) -> Result<(), DbError> {
        sqlx::query("UPDATE sessions SET access_expires_at = $2 WHERE id = $1")
            .bind(id)
            .bind(expires_at.millis())
            .execute(self.connection())
            .await?;
        Ok(())
    }

    /// Notes that a token of `generation` has been seen, so that its answer must have arrived.
    pub async fn mark_seen(&mut self, id: &str, generation: i64) -> Result<(), DbError> {
        sqlx::query("UPDATE sessions SET seen_generation = $2 WHERE id = $1 AND seen_generation < $2")
            .bind(id)
            .bind(generation)
            .execute(self.connection())
            .await?;
        Ok(())
    }

    /// Notes when and from where a session was seen.
    pub async fn note_sight(
        &mut self,
        id: &str,
        caller: &NetworkCaller,
        now: Timestamp,
    ) -> Result<(), DbError> {
        sqlx::query("UPDATE sessions SET last_seen_at = $2, last_seen_from = $3 WHERE id = $1")
            .bind(id)
            .bind(now.millis())
            .bind(caller.address.to_string())
            .execute(self.connection())
            .await?;
        Ok(())
    }

    /// Moves a session from `from` to the next generation, for this caller. `false` if it was no longer there.
    pub async fn advance_session(
        &mut self,
        id: &str,
        from: i64,
        caller: &NetworkCaller,
        now: Timestamp,
    ) -> Result<bool, DbError> {
        let done = sqlx::query(
            "UPDATE sessions SET generation = generation + 1, rotated_at = $3, last_seen_at = $3, last_seen_from = $4
             WHERE id = $1 AND generation = $2 AND revoked_at IS NULL",
        )
        .bind(id)
        .bind(from)
        .bind(now.millis())
        .bind(caller.address.to_string())
        .execute(self.connection())
        .await?;
        Ok(done.rows_affected() == 1)
    }

    /// Ends one session, and withdraws what it has approved; one that has ended before stays as it is.
    pub async fn end_session(
        &mut self,
        id: &str,
        why: SessionEndReason,
        now: Timestamp,
    ) -> Result<bool, DbError> {
        let done = sqlx::query(
            "UPDATE sessions SET revoked_at = $2, revoked_why = $3 WHERE id = $1 AND revoked_at IS NULL",
        )
        .bind(id)
        .bind(now.millis())
        .bind(why.as_str())
        .execute(self.connection())
        .await?;
        let ended = done.rows_affected() == 1;
        if ended {
            self.withdraw_approvals_in(id).await?;
        }
        Ok(ended)
    }

    /// Ends every session of a user, and what would become one. Returns how many were still open.
    pub async fn end_sessions_of(
        &mut self,
        user: &str,
        why: SessionEndReason,
        now: Timestamp,
    ) -> Result<u64, DbError> {
        let done = sqlx::query(
            "UPDATE sessions SET revoked_at = $2, revoked_why = $3 WHERE user_id = $1 AND revoked_at IS NULL",
        )
        .bind(user)
        .bind(now.millis())
        .bind(why.as_str())
        .execute(self.connection())
        .await?;
        self.withdraw_approvals_of(user).await?;
        Ok(done.rows_affected())
    }
}

fn session(row: &AnyRow) -> Result<StoredSession, DbError> {
    let why: Option<String> = row.try_get("revoked_why")?;
    let ended = match (optional_moment(row, "revoked_at")?, why) {
        (Some(at), Some(why)) => {
            Some((at, why.parse().map_err(|_| DbError::Corrupt("sessions.revoked_why"))?))
        }
        (None, None) => None,
        (Some(_), None) | (None, Some(_)) => return Err(DbError::Corrupt("sessions.revoked_at")),
    };
    let last_seen = optional_moment(row, "last_seen_at")?.zip(row.try_get("last_seen_from")?);
    Ok(StoredSession {
        id: row.try_get("id")?,
        user: StoredUser {
            id: row.try_get("user_id")?,
            email: row.try_get("email")?,
            name: row.try_get("name")?,
            plan: row.try_get("plan")?,
            platform: platform(row)?,
            status: status(row)?,
            created_at: moment(row, "user_created_at")?,
        },
        grant: grant(row)?,
        how: row.try_get::<&str, _>("how")?.parse().map_err(|_| DbError::Corrupt("sessions.how"))?,
        address: row.try_get("address")?,
        program: row.try_get("program")?,
        last_seen,
        created_at: moment(row, "created_at")?,
        rotated_at: optional_moment(row, "rotated_at")?,
        generation: row.try_get("generation")?,
        seen_generation: row.try_get("seen_generation")?,
        ended,
    })
}

#[derive(Default)]
struct GrantColumns<'a> {
    kind: &'static str,
    client: Option<&'a str>,
    scope: Option<&'a str>,
    org: Option<&'a str>,
    role: Option<&'a str>,
}

impl<'a> GrantColumns<'a> {
    fn of(grant: &'a SessionKind) -> Self {
        match grant {
            SessionKind::FirstParty => Self { kind: "first_party", ..Self::default() },
            SessionKind::Web => Self { kind: "web", ..Self::default() },
            SessionKind::OAuth { client, scope } => {
                Self { kind: "oauth", client: Some(client), scope: Some(scope), ..Self::default() }
            }
            SessionKind::Cli { org, role } => {
                Self { kind: "cli", org: Some(org), role: Some(role), ..Self::default() }
            }
        }
    }
}

fn grant(row: &AnyRow) -> Result<SessionKind, DbError> {
    let missing = || DbError::Corrupt("sessions.grant_kind");
    let text =
        |column| -> Result<String, DbError> { row.try_get::<Option<String>, _>(column)?.ok_or_else(missing) };
    match row.try_get("grant_kind")? {
        "first_party" => Ok(SessionKind::FirstParty),
        "web" => Ok(SessionKind::Web),
        "oauth" => Ok(SessionKind::OAuth { client: text("client_id")?, scope: text("scope")? }),
        "cli" => Ok(SessionKind::Cli { org: text("org_id")?, role: text("org_role")? }),
        _ => Err(missing()),
    }
}
