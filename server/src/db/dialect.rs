//! The few things SQLite and PostgreSQL say differently.

use std::time::Duration;

use sqlx::migrate::{MigrateError, Migrator};
use sqlx::{AnyConnection, AnyPool, AssertSqlSafe, Executor as _, SqlSafeStr as _, SqlStr};

use super::Place;

static SQLITE: Migrator = sqlx::migrate!("migrations/sqlite");
static POSTGRES: Migrator = sqlx::migrate!("migrations/postgres");

/// Which database is spoken to.
#[derive(Clone, Copy, Debug)]
pub(super) enum Dialect {
    Sqlite,
    Postgres,
}

/// How long a process waits for another one's transaction.
const BUSY: Duration = Duration::from_secs(5);

impl Dialect {
    pub(super) fn of(place: &Place) -> Self {
        match place {
            Place::Sqlite(_) => Self::Sqlite,
            Place::Postgres(_) => Self::Postgres,
        }
    }

    /// SQLite has one writer: queueing for one connection is fair, waiting on its lock is not.
    pub(super) fn connections(self) -> u32 {
        match self {
            Self::Sqlite => 1,
            Self::Postgres => 10,
        }
    }

    /// Readies a new connection: a commit is on the disk before it returns.
    pub(super) async fn prepare(self, connection: &mut AnyConnection) -> Result<(), sqlx::Error> {
        match self {
            Self::Sqlite => {
                let busy = format!("PRAGMA busy_timeout = {}", BUSY.as_millis());
                connection.execute(AssertSqlSafe(busy)).await?;
                connection.execute("PRAGMA journal_mode = WAL").await?;
                connection.execute("PRAGMA synchronous = FULL").await?;
                connection.execute("PRAGMA foreign_keys = ON").await?;
            }
            Self::Postgres => {
                let patience =
                    format!("SET lock_timeout = {0}; SET statement_timeout = {0}", BUSY.as_millis());
                connection.execute(AssertSqlSafe(patience)).await?;
                connection.execute("SET synchronous_commit = on").await?;
            }
        }
        Ok(())
    }

    pub(super) async fn migrate(self, pool: &AnyPool) -> Result<(), MigrateError> {
        match self {
            Self::Sqlite => SQLITE.run(pool).await,
            Self::Postgres => POSTGRES.run(pool).await,
        }
    }

    /// Begins a transaction that behaves as if it ran alone. SQLite takes the one write lock at once;
    /// PostgreSQL fails one of two that could not have run one after the other, and that one runs again.
    pub(super) fn begin(self) -> &'static str {
        match self {
            Self::Sqlite => "BEGIN IMMEDIATE",
            Self::Postgres => "BEGIN ISOLATION LEVEL SERIALIZABLE",
        }
    }

    /// Ends a query whose rows of `table` must stay locked until the commit. SQLite's write lock covers all rows.
    pub(super) fn locking(self, query: &'static str, table: &'static str) -> SqlStr {
        match self {
            Self::Sqlite => query.into_sql_str(),
            Self::Postgres => AssertSqlSafe(format!("{query} FOR UPDATE OF {table}")).into_sql_str(),
        }
    }
}
