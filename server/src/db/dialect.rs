//! The few things SQLite and PostgreSQL say differently.

use std::time::Duration;

use sqlx::migrate::{MigrateError, Migrator};
use sqlx::{AnyConnection, AnyPool, Executor as _};

use super::Place;

static SQLITE: Migrator = sqlx::migrate!("migrations/sqlite");

/// Which database is spoken to.
#[derive(Clone, Copy, Debug)]
pub(super) enum Dialect {
    Sqlite,
}

/// How long a process waits for another one's transaction.
const BUSY: Duration = Duration::from_secs(5);

impl Dialect {
    pub(super) fn of(place: &Place) -> Self {
        match place {
            Place::Sqlite(_) => Self::Sqlite,
        }
    }

    /// SQLite has one writer: queueing for one connection is fair, waiting on its lock is not.
    pub(super) fn connections(self) -> u32 {
        match self {
            Self::Sqlite => 1,
        }
    }

    /// Readies a new connection: a commit is on the disk before it returns.
    pub(super) async fn prepare(self, connection: &mut AnyConnection) -> Result<(), sqlx::Error> {
        match self {
            Self::Sqlite => {
                let busy = format!("PRAGMA busy_timeout = {}", BUSY.as_millis());
                connection.execute(sqlx::AssertSqlSafe(busy)).await?;
                connection.execute("PRAGMA journal_mode = WAL").await?;
                connection.execute("PRAGMA synchronous = FULL").await?;
                connection.execute("PRAGMA foreign_keys = ON").await?;
            }
        }
        Ok(())
    }

    pub(super) async fn migrate(self, pool: &AnyPool) -> Result<(), MigrateError> {
        match self {
            Self::Sqlite => SQLITE.run(pool).await,
        }
    }

    /// Begins a transaction; SQLite takes the one write lock at once.
    pub(super) fn begin(self) -> &'static str {
        match self {
            Self::Sqlite => "BEGIN IMMEDIATE",
        }
    }

    /// Ends a query whose rows must stay locked until the commit. SQLite's write lock covers all rows.
    pub(super) fn locking(self, query: &'static str) -> &'static str {
        match self {
            Self::Sqlite => query,
        }
    }
}
